/* SPDX-License-Identifier: MIT
 *
 * The estimator against simulated servers: whatever path and clock they have, the truth must lie in
 * the interval. (tests/bench/bench_clock.c has the table with more of them.)
 */
#include "core/offset_estimator.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS  NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

struct server {
	nsec offset; /* server minus ruler at 0 of the ruler */
	nsec ppm;    /* how fast that grows */
	nsec there, back, jitter;
};

static nsec offset_of(const struct server *s, nsec ruler)
{
	return s->offset + ruler / 1000000 * s->ppm;
}

static enum estimate_change probe(struct offset_estimator *e, const struct server *s, nsec sent,
				  nsec *received)
{
	nsec arrived = sent + s->there + random_nsec(0, s->jitter);
	nsec shows = arrived + offset_of(s, arrived);
	*received = arrived + s->back + random_nsec(0, s->jitter);
	return offset_estimator_add(e, sent, *received, shows / SEC);
}

static void assert_holds(const struct offset_estimator *e, const struct server *s, nsec ruler)
{
	nsec lo, hi;
	assert_true(offset_estimator_at(e, ruler, &lo, &hi));
	assert_true(lo <= offset_of(s, ruler));
	assert_true(offset_of(s, ruler) <= hi);
}

static nsec width(const struct offset_estimator *e, nsec ruler)
{
	nsec lo, hi;
	assert_true(offset_estimator_at(e, ruler, &lo, &hi));
	return hi - lo;
}

static struct server some_server(nsec rtt, nsec jitter)
{
	nsec there = random_nsec(0, rtt); /* as asymmetric as can be */
	return (struct server){.offset = 1705361803 * SEC + random_nsec(-1000 * SEC, 1000 * SEC),
			       .ppm = random_nsec(-OFFSET_DRIFT_PPM, OFFSET_DRIFT_PPM),
			       .there = there,
			       .back = rtt - there,
			       .jitter = jitter};
}

static void truth_stays_inside(void **state)
{
	(void)state;
	static const nsec rtts[] = {MS * 2 / 5, 50 * MS, 300 * MS};
	seed = 1;
	for (int run = 0; run < 1000; run++) {
		nsec rtt = rtts[run % 3];
		struct server s = some_server(rtt, run % 2 ? rtt : 0);
		struct offset_estimator e;
		offset_estimator_init(&e);
		nsec now = random_nsec(0, 1000000 * SEC);
		for (int k = 0; k < 30; k++) {
			nsec earliest = now + (k < 12 ? 3 * SEC / 4 : 60 * SEC);
			nsec sent = k < 12 ? offset_estimator_aim(&e, earliest, 0)
					   : offset_estimator_aim_check(&e, earliest, 0);
			assert_true(sent >= earliest && sent < earliest + SEC);
			enum estimate_change change = probe(&e, &s, sent, &now);
			assert_int_equal(change == ESTIMATE_FIRST, k == 0);
			assert_true(change != ESTIMATE_STEPPED && change != ESTIMATE_RESTARTED);
			assert_int_equal(e.samples, k + 1);
			assert_holds(&e, &s, now);
			assert_holds(&e, &s, now + 3600 * SEC);
		}
	}
}

/* On a symmetric path without jitter: the round trip and half of what was left before. */
static void aimed_probes_halve(void **state)
{
	(void)state;
	static const nsec rtts[] = {MS * 2 / 5, 50 * MS, 300 * MS};
	seed = 2;
	for (int run = 0; run < 1000; run++) {
		nsec rtt = rtts[run % 3];
		struct server s = some_server(rtt, 0);
		s.there = s.back = rtt / 2;
		s.ppm = 0;
		struct offset_estimator e;
		offset_estimator_init(&e);
		nsec now = random_nsec(0, 1000 * SEC);
		for (int k = 1; k <= 12; k++) {
			nsec sent = offset_estimator_aim(&e, now + 3 * SEC / 4, 0);
			(void)probe(&e, &s, sent, &now);
			nsec ideal = rtt + (SEC >> (k - 1));
			nsec aged = 2 * (now - sent + 2 * SEC) * k / 5000 + 100;
			assert_true(width(&e, now) <= ideal + aged);
		}
		assert_true(width(&e, now) >= rtt);
	}
}

static void arithmetic_of_one_reading(void **state)
{
	(void)state;
	struct offset_estimator e;
	nsec lo, hi;
	offset_estimator_init(&e);
	assert_false(offset_estimator_at(&e, 0, &lo, &hi));
	assert_false(offset_estimator_step(&e, &lo, &hi));
	assert_int_equal(offset_estimator_aim(&e, 123, 0), 123);
	assert_int_equal(offset_estimator_aim_check(&e, 123, 0), 123);
	assert_int_equal(offset_estimator_add(&e, 10 * SEC, 10 * SEC + 100 * MS, 1000),
			 ESTIMATE_FIRST);
	assert_true(offset_estimator_at(&e, 10 * SEC + 100 * MS, &lo, &hi));
	/* [1000 - 10.1, 1001 - 10], and 200 ppm of the 100 ms it was under way */
	assert_in_range(990 * SEC - 100 * MS - lo, 20000, 20010);
	assert_in_range(hi - 991 * SEC, 20000, 20010);
	/* after an hour 0.72 s more, on both sides, forwards and backwards */
	nsec lo1, hi1, lo2, hi2;
	assert_true(offset_estimator_at(&e, 3610 * SEC + 100 * MS, &lo1, &hi1));
	assert_in_range(lo - lo1, 720 * MS, 720 * MS + 10);
	assert_in_range(hi1 - hi, 720 * MS, 720 * MS + 10);
	assert_true(offset_estimator_at(&e, -3590 * SEC + 100 * MS, &lo2, &hi2));
	assert_int_equal(lo1, lo2);
	assert_int_equal(hi1, hi2);
}

/* A question that is decided on at the aimed instant, and leaves so much later, arrives as the
 * server's second turns over in the middle of the interval. */
static void aim_hits_the_middle(void **state)
{
	(void)state;
	seed = 3;
	for (int run = 0; run < 1000; run++) {
		struct server s = some_server(random_nsec(0, SEC / 2), 0);
		struct offset_estimator e;
		offset_estimator_init(&e);
		nsec now, lo, hi, earliest = random_nsec(0, 1000 * SEC);
		(void)probe(&e, &s, earliest, &now);
		earliest = now + random_nsec(0, 100 * SEC);
		nsec lead = run % 2 ? random_nsec(0, 2 * SEC) : 0;
		nsec t = offset_estimator_aim(&e, earliest, lead);
		assert_true(t >= earliest && t < earliest + SEC);
		assert_true(offset_estimator_at(&e, t, &lo, &hi));
		nsec past = (t + lead + e.rtt / 2 + lo + (hi - lo) / 2) % SEC;
		assert_true(past < 10 || past > SEC - 10);
	}
}

/* A wide interval cannot be split by one turn of the second. */
static void aim_gives_up_on_wide_intervals(void **state)
{
	(void)state;
	struct offset_estimator e;
	offset_estimator_init(&e);
	(void)offset_estimator_add(&e, 0, 3 * SEC / 2, 1000);
	assert_int_equal(offset_estimator_aim(&e, 5 * SEC + 1, 0), 5 * SEC + 1);
}

static nsec settle(struct offset_estimator *e, const struct server *s, nsec now, int probes)
{
	for (int k = 0; k < probes; k++)
		(void)probe(e, s, offset_estimator_aim(e, now + 3 * SEC / 4, 0), &now);
	return now;
}

/* Sizes and signs of steps of a second and more are seen by the very next reading. */
static void steps_are_bounded(void **state)
{
	(void)state;
	seed = 4;
	for (int run = 0; run < 1000; run++) {
		struct server s = some_server(run % 2 ? 50 * MS : MS, run % 4 == 3 ? 50 * MS : 0);
		struct offset_estimator e;
		nsec lo, hi, lo1, hi1;
		nsec size = random_nsec(1200 * MS, 100 * SEC) * (run % 3 ? 1 : -1);
		offset_estimator_init(&e);
		nsec now = settle(&e, &s, 100 * SEC, 8);
		assert_false(offset_estimator_step(&e, &lo, &hi));
		s.offset += size;
		nsec sent = offset_estimator_aim_check(&e, now + 60 * SEC, 0);
		assert_int_equal(probe(&e, &s, sent, &now), ESTIMATE_STEPPED);
		assert_int_equal(e.samples, 1);
		assert_holds(&e, &s, now);
		assert_true(offset_estimator_step(&e, &lo, &hi));
		assert_true(lo <= size && size <= hi);
		now = settle(&e, &s, now, 10);
		assert_true(offset_estimator_step(&e, &lo1, &hi1));
		assert_true(lo1 <= size && size <= hi1);
		assert_true(lo <= lo1 && hi1 <= hi);
		assert_true(hi1 - lo1 < 400 * MS && hi1 - lo1 < hi - lo);
		/* later readings take nothing away from it */
		now = settle(&e, &s, now + 86400 * SEC, 3);
		assert_true(offset_estimator_step(&e, &lo, &hi));
		assert_true(lo1 <= lo && hi <= hi1 && lo <= size && size <= hi);
	}
}

/* The quiet probes also find a clock that moved by less than a second, which splitting never
 * contradicts, and a clock that changes its rate by more than is allowed, which is not called a
 * step. */
static void quiet_probes_find_small_moves(void **state)
{
	(void)state;
	seed = 5;
	for (int run = 0; run < 400; run++) {
		struct server s = some_server(run % 2 ? 20 * MS : MS, 0);
		struct offset_estimator e;
		bool drifts = run % 4 < 2;
		s.ppm = 0;
		offset_estimator_init(&e);
		nsec now = settle(&e, &s, 100 * SEC, 10);
		for (int k = 0; k < 10; k++)
			(void)probe(&e, &s, offset_estimator_aim_check(&e, now + 60 * SEC, 0),
				    &now);
		nsec size = random_nsec(300 * MS, 900 * MS) * (run % 3 ? 1 : -1);
		if (drifts) { /* from here on, by 200 ppm */
			s.ppm = run % 3 ? 200 : -200;
			s.offset -= now / 1000000 * s.ppm;
		} else {
			s.offset += size;
		}
		enum estimate_change found = ESTIMATE_KEPT;
		int k = 0;
		while (found != ESTIMATE_STEPPED && found != ESTIMATE_RESTARTED) {
			assert_true(++k <= 15);
			found =
			    probe(&e, &s, offset_estimator_aim_check(&e, now + 60 * SEC, 0), &now);
		}
		assert_int_equal(found, drifts ? ESTIMATE_RESTARTED : ESTIMATE_STEPPED);
		assert_holds(&e, &s, now);
		nsec lo, hi;
		assert_int_equal(offset_estimator_step(&e, &lo, &hi), !drifts);
		if (!drifts)
			assert_true(lo <= size && size <= hi);
	}
}

/* Once a clock was found to drift more than is assumed, more is assumed, and the truth stays
 * inside.
 */
static void drift_is_learned(void **state)
{
	(void)state;
	seed = 7;
	for (int run = 0; run < 100; run++) {
		struct server s = some_server(run % 2 ? 20 * MS : MS, MS);
		struct offset_estimator e;
		s.ppm = run % 3 ? 290 : -290;
		offset_estimator_init(&e);
		nsec now = settle(&e, &s, 100 * SEC, 10);
		bool learned = false;
		for (int k = 0; k < 100; k++) {
			nsec sent = offset_estimator_aim_check(&e, now + 60 * SEC, 0);
			enum estimate_change change = probe(&e, &s, sent, &now);
			assert_true(change != ESTIMATE_STEPPED);
			assert_true(!learned || change != ESTIMATE_RESTARTED);
			learned |= change == ESTIMATE_RESTARTED;
			if (learned)
				assert_holds(&e, &s, now);
		}
		assert_true(learned);
		assert_int_equal(e.ppm, 2 * OFFSET_DRIFT_PPM);
	}
}

/* A gap below OFFSET_STEP_MIN is drift: the estimate starts anew, no step is claimed, and the step
 * before is not refined through the gap. */
static void small_gap_restarts(void **state)
{
	(void)state;
	struct offset_estimator e;
	nsec lo, hi;
	offset_estimator_init(&e);
	(void)offset_estimator_add(&e, 10 * SEC, 10 * SEC, 1000); /* [990, 991] */
	assert_int_equal(offset_estimator_add(&e, 11 * SEC - 30 * MS, 11 * SEC - 30 * MS, 1002),
			 ESTIMATE_RESTARTED); /* [991.03, 992.03] */
	assert_int_equal(e.samples, 1);
	assert_false(offset_estimator_step(&e, &lo, &hi));
	assert_int_equal(offset_estimator_add(&e, 12 * SEC, 12 * SEC, 1010), ESTIMATE_STEPPED);
	assert_true(offset_estimator_step(&e, &lo, &hi));
	assert_int_equal(offset_estimator_add(&e, 13 * SEC - 30 * MS, 13 * SEC - 30 * MS, 1012),
			 ESTIMATE_RESTARTED);
	nsec lo1, hi1;
	(void)offset_estimator_add(&e, 13 * SEC + 300 * MS, 13 * SEC + 300 * MS, 1012);
	assert_true(offset_estimator_step(&e, &lo1, &hi1));
	assert_int_equal(lo, lo1);
	assert_int_equal(hi, hi1);
	/* at the limit it is a step, on either side: [991.05 …] and […, 989.95] beside [990, 991],
	 * with the drift of 1 s, 200 us and a bit, on both */
	offset_estimator_init(&e);
	(void)offset_estimator_add(&e, 10 * SEC, 10 * SEC, 1000);
	nsec at = 11 * SEC - OFFSET_STEP_MIN;
	assert_int_equal(offset_estimator_add(&e, at - MS, at - MS, 1002), ESTIMATE_STEPPED);
	offset_estimator_init(&e);
	(void)offset_estimator_add(&e, 10 * SEC, 10 * SEC, 1000);
	at = 11 * SEC + OFFSET_STEP_MIN;
	assert_int_equal(offset_estimator_add(&e, at, at, 1000), ESTIMATE_RESTARTED);
	offset_estimator_init(&e);
	(void)offset_estimator_add(&e, 10 * SEC, 10 * SEC, 1000);
	assert_int_equal(offset_estimator_add(&e, at + MS, at + MS, 1000), ESTIMATE_STEPPED);
}

/* Answers that overtake each other are compared as of the later one. */
static void answers_out_of_order(void **state)
{
	(void)state;
	/* [990, 991] as of 1010, then [990.6, 991.6] of 600 s before: 120 ms for these */
	struct offset_estimator known;
	offset_estimator_init(&known);
	(void)offset_estimator_add(&known, 1010 * SEC, 1010 * SEC, 2000);
	(void)offset_estimator_add(&known, 410 * SEC - 600 * MS, 410 * SEC - 600 * MS, 1400);
	assert_in_range(990 * SEC + 600 * MS - known.told.lo, 120 * MS, 120 * MS + 200000);
	assert_int_equal(known.told.hi, 991 * SEC);
	seed = 6;
	for (int run = 0; run < 1000; run++) {
		struct server s = some_server(50 * MS, 500 * MS);
		struct offset_estimator e;
		offset_estimator_init(&e);
		nsec now = 100 * SEC, last = 0;
		for (int k = 0; k < 20; k++) {
			nsec received;
			now += 100 * MS;
			enum estimate_change change = probe(&e, &s, now, &received);
			assert_true(change != ESTIMATE_STEPPED && change != ESTIMATE_RESTARTED);
			last = nsec_max(last, received);
			assert_int_equal(e.at, last);
			assert_holds(&e, &s, last);
		}
	}
}

static void nonsense_changes_nothing(void **state)
{
	(void)state;
	static const struct {
		nsec sent, received;
		int64_t seconds;
	} rows[] = {
	    {10, 11, -1},
	    {10, 11, INT64_MIN},
	    {10, 11, INT64_MAX},
	    {10, 11, (INT64_C(1) << 33) + 1},
	    {11, 10, 1000},
	    {-1, 10, 1000},
	    {INT64_MIN, INT64_MAX, 1000},
	    {INT64_MAX, INT64_MAX, 1000},
	    {0, 61 * SEC, 1000},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct offset_estimator e;
		offset_estimator_init(&e);
		assert_int_equal(
		    offset_estimator_add(&e, rows[i].sent, rows[i].received, rows[i].seconds),
		    ESTIMATE_KEPT);
		assert_int_equal(e.samples, 0);
	}
}

/* The ends of what is accepted, and questions about any instant, do not overflow. */
static void extremes(void **state)
{
	(void)state;
	static const nsec rulers[] = {0, 1, INT64_C(1) << 59};
	static const int64_t seconds[] = {0, 1, 1705361803, INT64_C(1) << 33};
	static const nsec asked[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
	struct offset_estimator e;
	offset_estimator_init(&e);
	for (int i = 0; i < 1000; i++) {
		nsec lo, hi, ruler = rulers[i % 3];
		(void)offset_estimator_add(&e, ruler, ruler, seconds[i / 3 % 4]);
		(void)offset_estimator_add_between(&e, ruler, ruler, seconds[i / 3 % 4] * SEC,
						   seconds[i / 3 % 4] * SEC);
		(void)offset_estimator_add_exchange(&e, ruler, ruler, seconds[i / 4 % 4] * SEC,
						    seconds[i / 4 % 4] * SEC);
		for (size_t k = 0; k < sizeof asked / sizeof *asked; k++) {
			assert_true(offset_estimator_at(&e, asked[k], &lo, &hi));
			assert_true(lo <= hi);
			assert_true(offset_estimator_aim(&e, asked[k], asked[i % 5]) >= asked[k]);
			assert_true(offset_estimator_aim_check(&e, asked[k], asked[i % 5]) >=
				    asked[k]);
		}
		if (offset_estimator_step(&e, &lo, &hi))
			assert_true(lo <= hi);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arithmetic_of_one_reading),
	    cmocka_unit_test(truth_stays_inside),
	    cmocka_unit_test(aimed_probes_halve),
	    cmocka_unit_test(aim_hits_the_middle),
	    cmocka_unit_test(aim_gives_up_on_wide_intervals),
	    cmocka_unit_test(steps_are_bounded),
	    cmocka_unit_test(quiet_probes_find_small_moves),
	    cmocka_unit_test(drift_is_learned),
	    cmocka_unit_test(small_gap_restarts),
	    cmocka_unit_test(answers_out_of_order),
	    cmocka_unit_test(nonsense_changes_nothing),
	    cmocka_unit_test(extremes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
