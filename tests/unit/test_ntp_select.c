/* SPDX-License-Identifier: MIT
 *
 * Who is believed, and that the truth lies in what is claimed as long as a majority tells it.
 */
#include "core/ntp_select.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MS  NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

struct row {
	const char *what;
	unsigned n;
	struct ntp_opinion list[5];
	bool believed;
	nsec lo, hi;
	unsigned falsetickers; /* a bit each */
};

static const struct row rows[] = {
    {"nobody", 0, {{0, 0}}, false, 0, 0, 0},
    {"one, whatever it says", 1, {{5 * SEC, 20 * MS}}, true, 4980 * MS, 5020 * MS, 0},
    {"two that agree", 2, {{0, 20 * MS}, {10 * MS, 15 * MS}}, true, -5 * MS, 20 * MS, 0},
    {"two that touch", 2, {{0, 10 * MS}, {30 * MS, 20 * MS}}, true, 10 * MS, 10 * MS, 0},
    {"two that do not", 2, {{0, 10 * MS}, {30 * MS + 1, 20 * MS}}, false, 0, 0, 0},
    {"seven seconds off",
     3,
     {{0, 30 * MS}, {7 * SEC, MS}, {10 * MS, 20 * MS}},
     true,
     -10 * MS,
     30 * MS,
     2},
    {"three that agree: the best bound may be the liar's",
     3,
     {{0, 20 * MS}, {0, 10 * MS}, {0, MS}},
     true,
     -10 * MS,
     10 * MS,
     0},
    {"three strangers", 3, {{0, MS}, {SEC, MS}, {2 * SEC, MS}}, false, 0, 0, 0},
    {"two against two", 4, {{0, MS}, {0, MS}, {SEC, MS}, {SEC, MS}}, false, 0, 0, 0},
    {"three against one",
     4,
     {{SEC, MS}, {0, 3 * MS}, {0, 2 * MS}, {0, 4 * MS}},
     true,
     -2 * MS,
     2 * MS,
     1},
    /* Either pair may be the one that tells the truth. */
    {"a chain", 3, {{5, 5}, {14, 5}, {-4, 5}}, true, 0, 10, 0},
    /* Single answers over a quick path: their midpoints lie outside of what the two share. */
    {"two honest ones and half a second",
     3,
     {{-58000, 62000}, {-14000, 17000}, {500 * MS, 100000}},
     true,
     -31000,
     3000,
     4},
    /* The RFC's own intersection is [4, 6], with f = 1, and 9 may well be the truth: three say so.
     */
    {"two liars in tune", 5, {{5, 5}, {5, 5}, {9, 1}, {5, 1}, {5, 1}}, true, 4, 10, 0},
    {"two liars not in tune", 5, {{5, 5}, {6, 4}, {7, 2}, {-50, 1}, {70, 1}}, true, 5, 9, 8 | 16},
};

static void who_is_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct ntp_selection s = {.believed = 77, .lo = 77, .hi = 77};
		if (ntp_select(r->list, r->n, &s) != r->believed)
			fail_msg("%s: believed or not", r->what);
		if (!r->believed) {
			assert_int_equal(s.believed, 77);
			assert_int_equal(s.lo, 77);
			continue;
		}
		if (s.lo != r->lo || s.hi != r->hi)
			fail_msg("%s: [%lld, %lld]", r->what, (long long)s.lo, (long long)s.hi);
		unsigned mask = 0, believed = r->n;
		for (unsigned k = 0; k < r->n; k++) {
			mask |= (unsigned)s.falseticker[k] << k;
			believed -= s.falseticker[k];
		}
		if (mask != r->falsetickers || s.believed != believed)
			fail_msg("%s: falsetickers %x", r->what, mask);
	}
}

static struct ntp_opinion honest(nsec truth)
{
	struct ntp_opinion o = {.bound = random_nsec(0, 100 * MS)};
	o.offset = truth + random_nsec(-o.bound, o.bound);
	return o;
}

/* Near enough to the truth to be mistaken for it, and in no relation to its bound. */
static struct ntp_opinion liar(nsec truth)
{
	return (struct ntp_opinion){.offset = truth + random_nsec(-200 * MS, 200 * MS),
				    .bound = random_nsec(0, 60 * MS)};
}

static bool holds(const struct ntp_opinion *o, nsec truth)
{
	return o->offset - o->bound <= truth && truth <= o->offset + o->bound;
}

static void minority_lies(void **state)
{
	(void)state;
	unsigned believed = 0;
	for (int round = 0; round < 200000; round++) {
		struct ntp_opinion list[NTP_SELECT_MAX];
		unsigned n = (unsigned)random_nsec(1, NTP_SELECT_MAX);
		unsigned lying = (unsigned)random_nsec(0, (n - 1) / 2), at;
		nsec truth = random_nsec(-10 * SEC, 10 * SEC);
		for (unsigned i = 0; i < n; i++)
			list[i] = honest(truth);
		for (unsigned i = 0; i < lying; i++) {
			at = (unsigned)random_nsec(0, n - 1);
			list[at] = liar(truth);
		}
		struct ntp_selection s;
		if (!ntp_select(list, n, &s))
			continue;
		believed++;
		assert_true(s.lo <= truth && truth <= s.hi);
		assert_true(2 * s.believed > n);
		for (unsigned i = 0; i < n; i++)
			assert_false(s.falseticker[i] && holds(&list[i], truth));
	}
	/* and it is not for want of an answer */
	assert_true(believed > 100000);
}

/* Half of them or more are alone with what they say. */
static void no_majority(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct ntp_opinion list[NTP_SELECT_MAX];
		unsigned n = (unsigned)random_nsec(2, NTP_SELECT_MAX), agree = n / 2;
		for (unsigned i = 0; i < n; i++)
			list[i] = (struct ntp_opinion){
			    .offset = i < agree ? 0 : (nsec)i * SEC,
			    .bound = random_nsec(1, 400 * MS),
			};
		struct ntp_selection s;
		assert_false(ntp_select(list, n, &s));
	}
}

/* The order in which they were named says nothing. */
static void order_does_not_matter(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct ntp_opinion list[NTP_SELECT_MAX], turned[NTP_SELECT_MAX];
		unsigned n = (unsigned)random_nsec(1, NTP_SELECT_MAX);
		unsigned by = (unsigned)random_nsec(0, n - 1);
		for (unsigned i = 0; i < n; i++)
			list[i] = liar(0);
		for (unsigned i = 0; i < n; i++)
			turned[(i + by) % n] = list[i];
		struct ntp_selection a, b;
		bool believed = ntp_select(list, n, &a);
		assert_int_equal(ntp_select(turned, n, &b), believed);
		if (!believed)
			continue;
		assert_int_equal(a.lo, b.lo);
		assert_int_equal(a.hi, b.hi);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(a.falseticker[i], b.falseticker[(i + by) % n]);
	}
}

static void extremes_saturate(void **state)
{
	(void)state;
	static const nsec ends[] = {-INT64_MAX, -1, 0, 1, INT64_MAX};
	for (unsigned i = 0; i < 5 * 5 * 5 * 5; i++) {
		struct ntp_opinion list[] = {{ends[i % 5], ends[2 + i / 5 % 3]},
					     {ends[i / 25 % 5], INT64_MAX},
					     {ends[i / 125], 1}};
		struct ntp_selection s;
		if (ntp_select(list, 3, &s))
			assert_true(s.lo <= s.hi);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_is_believed),	 cmocka_unit_test(minority_lies),
	    cmocka_unit_test(no_majority),	 cmocka_unit_test(order_does_not_matter),
	    cmocka_unit_test(extremes_saturate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
