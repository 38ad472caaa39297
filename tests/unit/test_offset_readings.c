/* SPDX-License-Identifier: MIT
 *
 * The estimator and what it learns from: readings that are no probes, and the rate of the clock.
 */
#include "core/offset_estimator.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS  NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

/* A server whose clock goes at `ppm` from the instant `from` on, where it was `offset` ahead. */
struct server {
	nsec from, offset, ppm;
	nsec rtt;
};

static nsec offset_of(const struct server *s, nsec ruler)
{
	return s->offset + (ruler - s->from) / 1000000 * s->ppm;
}

static nsec shows(const struct server *s, nsec ruler)
{
	return ruler + offset_of(s, ruler);
}

static void set_rate(struct server *s, nsec ruler, nsec ppm)
{
	s->offset = offset_of(s, ruler);
	s->from = ruler;
	s->ppm = ppm;
}

static bool holds(const struct offset_estimator *e, const struct server *s, nsec ruler)
{
	nsec lo, hi;
	assert_true(offset_estimator_at(e, ruler, &lo, &hi));
	return lo <= offset_of(s, ruler) && offset_of(s, ruler) <= hi;
}

static nsec width(const struct offset_estimator *e, nsec ruler)
{
	nsec lo, hi;
	assert_true(offset_estimator_at(e, ruler, &lo, &hi));
	return hi - lo;
}

static enum estimate_change probe(struct offset_estimator *e, const struct server *s, nsec sent)
{
	return offset_estimator_add(e, sent, sent + s->rtt, shows(s, sent + s->rtt / 2) / SEC);
}

/* Twelve probes, and then one a minute; the instant after the last. */
static nsec watch(struct offset_estimator *e, const struct server *s, nsec now, int minutes)
{
	for (int k = 0; k < 12 + minutes; k++) {
		now = k < 12 ? offset_estimator_aim(e, now + 750 * MS, 0)
			     : offset_estimator_aim_check(e, now + 60 * SEC, 0);
		enum estimate_change change = probe(e, s, now);
		assert_true(change != ESTIMATE_RESTARTED && change != ESTIMATE_STEPPED);
		now += s->rtt;
		assert_true(holds(e, s, now));
	}
	return now;
}

static void arithmetic_of_the_others(void **state)
{
	(void)state;
	struct offset_estimator e;
	nsec lo, hi;
	offset_estimator_init(&e);
	/* whole seconds, within the half hour: 200 ppm of it on both sides */
	assert_int_equal(
	    offset_estimator_add_between(&e, 1000 * SEC, 2800 * SEC, 5000 * SEC, 5001 * SEC),
	    ESTIMATE_FIRST);
	assert_true(offset_estimator_at(&e, 2800 * SEC, &lo, &hi));
	assert_in_range(2200 * SEC - lo, 360 * MS, 360 * MS + 1);
	assert_in_range(hi - 4001 * SEC, 360 * MS, 360 * MS + 1);
	assert_int_equal(e.samples, 1);
	/* NTP: it came at or after our question, its answer left at or before we had it */
	offset_estimator_init(&e);
	assert_int_equal(offset_estimator_add_exchange(&e, 10 * SEC, 10 * SEC + 50 * MS,
						       17 * SEC + 20 * MS, 17 * SEC + 21 * MS),
			 ESTIMATE_FIRST);
	assert_true(offset_estimator_at(&e, 10 * SEC + 50 * MS, &lo, &hi));
	assert_in_range(7 * SEC - 29 * MS - lo, 10000, 10001);
	assert_in_range(hi - 7 * SEC - 20 * MS, 10000, 10001);
}

static void nonsense_changes_nothing(void **state)
{
	(void)state;
	static const struct {
		nsec earliest, latest, lo, hi;
		bool between, exchange; /* may it be taken? */
	} rows[] = {
	    {0, SEC, 10, 10, true, true},
	    {0, SEC, 0, SEC, true, true},
	    {0, SEC, 0, SEC + 1, true, false},
	    {0, 60 * SEC, 1, 2, true, true},
	    {0, 60 * SEC + 1, 1, 2, true, false},
	    {0, 3600 * SEC, 0, 3600 * SEC, true, false},
	    {0, 3600 * SEC + 1, 1, 2, false, false},
	    {0, 3600 * SEC, 0, 3600 * SEC + 1, false, false},
	    {0, SEC, 11, 10, false, false},
	    {SEC, 0, 10, 10, false, false},
	    {-1, SEC, 10, 10, false, false},
	    {0, SEC, -1, 10, false, false},
	    {0, SEC, INT64_MAX - 1, INT64_MAX, false, false},
	    {0, SEC, INT64_MIN, INT64_MAX, false, false},
	    {INT64_MIN, INT64_MAX, 10, 10, false, false},
	    {INT64_MAX - 1, INT64_MAX, 10, 10, false, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct offset_estimator e;
		offset_estimator_init(&e);
		(void)offset_estimator_add_between(&e, rows[i].earliest, rows[i].latest, rows[i].lo,
						   rows[i].hi);
		assert_int_equal(e.samples, rows[i].between);
		offset_estimator_init(&e);
		(void)offset_estimator_add_exchange(&e, rows[i].earliest, rows[i].latest,
						    rows[i].lo, rows[i].hi);
		assert_int_equal(e.samples, rows[i].exchange);
	}
}

/* How long a probe is on its way, and on which side of its aim the clock was, only probes tell. */
static void only_probes_teach_the_aim(void **state)
{
	(void)state;
	const struct server s = {.offset = 100 * SEC + 300 * MS, .rtt = 40 * MS};
	struct offset_estimator e;
	offset_estimator_init(&e);
	for (int i = 0; i < 10; i++) {
		nsec t = (10 + i) * SEC;
		(void)offset_estimator_add_between(&e, t, t + MS, shows(&s, t) / SEC * SEC,
						   shows(&s, t) / SEC * SEC + SEC);
		(void)offset_estimator_add_exchange(&e, t, t + MS, shows(&s, t), shows(&s, t));
	}
	assert_int_equal(e.rtt, NSEC_UNKNOWN);
	assert_int_equal(e.run, 0);
	assert_int_equal(e.samples, 20);
	/* without one the question is taken to arrive as it leaves */
	nsec sent = offset_estimator_aim(&e, 30 * SEC, 0), lo, hi;
	assert_true(offset_estimator_at(&e, 30 * SEC, &lo, &hi));
	assert_int_equal((sent + lo + (hi - lo) / 2) % SEC, 0);
	(void)probe(&e, &s, 40 * SEC);
	assert_int_equal(e.rtt, 40 * MS);
	(void)offset_estimator_add_exchange(&e, 41 * SEC, 41 * SEC, shows(&s, 41 * SEC),
					    shows(&s, 41 * SEC));
	assert_int_equal(e.rtt, 40 * MS);
}

static enum estimate_change any_reading(struct offset_estimator *e, const struct server *s,
					nsec now)
{
	nsec began = random_nsec(0, 3600 * SEC), then = now - random_nsec(0, began);
	nsec t2 = now - random_nsec(0, s->rtt), t3 = random_nsec(t2, now);
	nsec second = shows(s, then) / SEC * SEC;
	switch (random_u64() % 4) {
	case 0: /* at last we hear of something that was */
		return offset_estimator_add_between(e, now - began, now, second, second + SEC);
	case 1:
		return offset_estimator_add_exchange(e, now - s->rtt, now, shows(s, t2),
						     shows(s, t3));
	default:
		return probe(e, s, now - s->rtt);
	}
}

/* Whatever the readings and their order. */
static void truth_stays_inside(void **state)
{
	(void)state;
	seed = 1;
	for (int run = 0; run < 500; run++) {
		struct server s = {.offset = 1705361803 * SEC + random_nsec(-SEC, SEC),
				   .ppm = random_nsec(-OFFSET_DRIFT_PPM, OFFSET_DRIFT_PPM),
				   .rtt = run % 2 ? 50 * MS : MS};
		struct offset_estimator e;
		nsec now = random_nsec(10000 * SEC, 1000000 * SEC);
		offset_estimator_init(&e);
		for (int k = 0; k < 100; k++) {
			now += random_nsec(SEC, 100 * SEC);
			enum estimate_change change = any_reading(&e, &s, now);
			assert_int_equal(change == ESTIMATE_FIRST, k == 0);
			assert_true(change != ESTIMATE_RESTARTED && change != ESTIMATE_STEPPED);
			assert_true(holds(&e, &s, now));
			assert_true(holds(&e, &s, now + 1000 * SEC));
		}
	}
}

/* What is known of the time before a step says nothing about the time after it. */
static void old_news_is_no_step(void **state)
{
	(void)state;
	struct server s = {.offset = 1000 * SEC, .rtt = MS};
	struct offset_estimator e;
	offset_estimator_init(&e);
	nsec now = watch(&e, &s, 100 * SEC, 3), then = now - 60 * SEC;
	nsec second = shows(&s, then) / SEC * SEC;
	assert_int_not_equal(offset_estimator_add_between(&e, then, then, second, second + SEC),
			     ESTIMATE_STEPPED);
	s.offset += 30 * SEC;
	now += 60 * SEC;
	assert_int_equal(probe(&e, &s, now), ESTIMATE_STEPPED);
	struct offset_estimator before = e;
	assert_int_equal(offset_estimator_add_between(&e, then, then, second, second + SEC),
			 ESTIMATE_KEPT);
	assert_memory_equal(&before, &e, sizeof e);
	/* and one of after the step is welcome */
	second = shows(&s, now + SEC) / SEC * SEC;
	(void)offset_estimator_add_between(&e, now + SEC, now + 2 * SEC, second, second + SEC);
	assert_int_equal(e.samples, 2);
}

/* With the rate known, the interval ages by what it may change, also around a rate that is not 0.
 */
static void rate_is_learned(void **state)
{
	(void)state;
	static const nsec rates[] = {-180, -60, 0, 60, 180};
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct server s = {.offset = 1000 * SEC, .ppm = rates[i], .rtt = MS};
		struct offset_estimator e;
		offset_estimator_init(&e);
		nsec now = watch(&e, &s, 100 * SEC, 0);
		assert_true(width(&e, now + 3600 * SEC) - width(&e, now) > 1400 * MS);
		now = watch(&e, &s, now, 60);
		nsec grown = width(&e, now + 3600 * SEC) - width(&e, now);
		/* twice 50 ppm, and what the readings leave, which is not more than 10 */
		assert_in_range(grown, 0, 396 * MS);
		assert_true(holds(&e, &s, now + 3600 * SEC) && holds(&e, &s, now - 1800 * SEC));
		/* what is assumed stays, too, as the outermost */
		assert_true(e.wide.lo <= e.told.lo && e.told.hi <= e.wide.hi);
	}
}

/* A clock whose rate changes by more than it may, but not beyond what is assumed: what was learned
 * is forgotten, the wide interval, which still holds, is told, and from then on more is allowed. */
static void rate_is_unlearned(void **state)
{
	(void)state;
	struct server s = {.offset = 1000 * SEC, .ppm = -80, .rtt = MS};
	struct offset_estimator e;
	nsec lo, hi;
	offset_estimator_init(&e);
	nsec now = watch(&e, &s, 100 * SEC, 60);
	set_rate(&s, now, 100);
	enum estimate_change change = ESTIMATE_KEPT;
	for (int k = 0; k < 15 && change != ESTIMATE_RESTARTED; k++) {
		now = offset_estimator_aim_check(&e, now + 60 * SEC, 0);
		change = probe(&e, &s, now);
		now += s.rtt;
		assert_int_not_equal(change, ESTIMATE_STEPPED);
	}
	assert_int_equal(change, ESTIMATE_RESTARTED);
	assert_int_equal(e.ppm, OFFSET_DRIFT_PPM);
	assert_true(e.rates.wander_ppm == 2 * OFFSET_WANDER_PPM);
	assert_int_equal(e.told.lo, e.wide.lo);
	assert_int_equal(e.told.hi, e.wide.hi);
	assert_true(holds(&e, &s, now) && width(&e, now) < 100 * MS);
	assert_false(offset_estimator_step(&e, &lo, &hi));
	now = watch(&e, &s, now, 60);
	/* the new rate is learned, with twice as much to spare */
	assert_true(width(&e, now + 3600 * SEC) - width(&e, now) > 720 * MS);
	set_rate(&s, now, 10);
	(void)watch(&e, &s, now, 60);
}

/* A contradiction of what was learned is no step, however long nothing was heard of the server. */
static void long_silence_is_no_step(void **state)
{
	(void)state;
	for (int sign = -1; sign <= 1; sign += 2) {
		struct server s = {.offset = 1000 * SEC, .ppm = 80 * sign, .rtt = MS};
		struct offset_estimator e;
		offset_estimator_init(&e);
		nsec now = watch(&e, &s, 100 * SEC, 60);
		set_rate(&s, now, -100 * sign);
		now += 3600 * SEC; /* -0.65 s from where it was thought to be */
		assert_int_equal(
		    offset_estimator_add_exchange(&e, now, now, shows(&s, now), shows(&s, now)),
		    ESTIMATE_RESTARTED);
		assert_true(holds(&e, &s, now));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arithmetic_of_the_others),	 cmocka_unit_test(nonsense_changes_nothing),
	    cmocka_unit_test(only_probes_teach_the_aim), cmocka_unit_test(truth_stays_inside),
	    cmocka_unit_test(old_news_is_no_step),	 cmocka_unit_test(rate_is_learned),
	    cmocka_unit_test(rate_is_unlearned),	 cmocka_unit_test(long_silence_is_no_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
