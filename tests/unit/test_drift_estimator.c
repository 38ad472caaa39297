/* SPDX-License-Identifier: MIT
 *
 * Rates from intervals: by hand, and against simulated clocks, whose rate must lie in the band.
 */
#include "core/drift_estimator.h"
#include "random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS  NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

/* An interval of this width in which the truth is anywhere. */
static enum drift_change add_around(struct drift_estimator *d, nsec at, nsec is, nsec width)
{
	nsec below = random_nsec(0, width);
	return drift_estimator_add(d, at, is - below, is - below + width);
}

static void assert_band(const struct drift_estimator *d, double lo, double hi)
{
	double lo_ppm, hi_ppm;
	assert_true(drift_estimator_band(d, &lo_ppm, &hi_ppm));
	assert_true(fabs(lo_ppm - lo) < 1e-6);
	assert_true(fabs(hi_ppm - hi) < 1e-6);
}

static void band_of_a_few(void **state)
{
	(void)state;
	struct drift_estimator d;
	double lo, hi;
	drift_estimator_init(&d, 0);
	assert_false(drift_estimator_band(&d, &lo, &hi));
	assert_int_equal(drift_estimator_add(&d, 0, 0, 10 * MS), DRIFT_LEARNED);
	assert_false(drift_estimator_band(&d, &lo, &hi));
	/* between 20 - 10 and 30 - 0 ms in 100 s */
	assert_int_equal(drift_estimator_add(&d, 100 * SEC, 20 * MS, 30 * MS), DRIFT_LEARNED);
	assert_band(&d, 100, 300);
	/* 25 - 10 and 45 - 0 ms in 200 s; from the second 25 - 30 and 45 - 20 ms in 100 s */
	assert_int_equal(drift_estimator_add(&d, 200 * SEC, 25 * MS, 45 * MS), DRIFT_LEARNED);
	assert_band(&d, 100, 225);
	/* it adds nothing */
	assert_int_equal(drift_estimator_add(&d, 300 * SEC, -SEC, SEC), DRIFT_KEPT);
	assert_band(&d, 100, 225);
	/* too little for a value */
	assert_false(drift_estimator_read(&d, &lo, &hi));
	drift_estimator_restart(&d);
	assert_false(drift_estimator_band(&d, &lo, &hi));
	assert_int_equal(drift_estimator_add(&d, 0, 0, 10 * MS), DRIFT_LEARNED);
}

/* The rate of a clock that wanders is not that of the line, and a contradiction is one only beyond
 * that. */
static void wander_widens(void **state)
{
	(void)state;
	struct drift_estimator line, clock;
	drift_estimator_init(&line, 0);
	drift_estimator_init(&clock, 15);
	for (int i = 0; i <= 1; i++) {
		(void)drift_estimator_add(&line, i * 100 * SEC, 0, 0);
		(void)drift_estimator_add(&clock, i * 100 * SEC, 0, 0);
	}
	assert_band(&line, 0, 0);
	assert_band(&clock, -15, 15);
	/* 10 ppm from the second on: 5 ppm from the first */
	assert_int_equal(drift_estimator_add(&line, 200 * SEC, MS, MS), DRIFT_CONTRADICTED);
	assert_int_equal(drift_estimator_add(&clock, 200 * SEC, MS, MS), DRIFT_LEARNED);
	assert_band(&line, 0, 0); /* nothing was changed */
	assert_band(&clock, 10 - 15, 0 + 15);
	/* 20 ppm, and 0 ppm before */
	assert_int_equal(drift_estimator_add(&clock, 300 * SEC, 3 * MS, 3 * MS),
			 DRIFT_CONTRADICTED);
	assert_band(&clock, 10 - 15, 0 + 15);
	assert_int_equal(clock.n, 3);
	/* a restart forgets the samples, not what a clock may do */
	drift_estimator_restart(&clock);
	(void)drift_estimator_add(&clock, 300 * SEC, 0, 0);
	(void)drift_estimator_add(&clock, 400 * SEC, 0, 0);
	assert_band(&clock, -15, 15);
}

static void what_cannot_be_right_is_not_taken(void **state)
{
	(void)state;
	struct drift_estimator d;
	drift_estimator_init(&d, 0);
	assert_int_equal(drift_estimator_add(&d, 100, 2, 1), DRIFT_KEPT);
	assert_int_equal(d.n, 0);
	(void)drift_estimator_add(&d, 100, 1, 2);
	assert_int_equal(drift_estimator_add(&d, 100, 1, 2), DRIFT_KEPT);
	assert_int_equal(drift_estimator_add(&d, 99, 1, 2), DRIFT_KEPT);
	assert_int_equal(drift_estimator_add(&d, INT64_MIN, 1, 2), DRIFT_KEPT);
	assert_int_equal(d.n, 1);
}

/* Of samples close together the narrowest is kept, for as long as the spacing, not for ever. */
static void close_samples_share_a_place(void **state)
{
	(void)state;
	struct drift_estimator d;
	drift_estimator_init(&d, 0);
	for (int i = 0; i < 60; i++)
		(void)drift_estimator_add(&d, i * SEC, -(100 - i) * MS, (100 - i) * MS);
	assert_int_equal(d.n, 2);
	assert_int_equal(d.samples[0].at, 29 * SEC);
	assert_int_equal(d.samples[1].at, 59 * SEC);
	for (int i = 60; i < 90; i++)
		(void)drift_estimator_add(&d, i * SEC, -i * SEC, i * SEC);
	assert_int_equal(d.n, 3);
	assert_int_equal(d.samples[2].at, 60 * SEC);
}

/* A ring that never gets longer: the span grows to a day and a half and then moves on. */
static void the_ring_thins(void **state)
{
	(void)state;
	struct drift_estimator d;
	seed = 1;
	drift_estimator_init(&d, 0);
	nsec widest = 0, at = 0;
	for (int i = 0; i < 10000; i++, at += 60 * SEC) {
		assert_int_not_equal(add_around(&d, at, at / 1000000 * 40, 10 * MS),
				     DRIFT_CONTRADICTED);
		assert_in_range(d.n, 1, DRIFT_SAMPLES);
		for (unsigned k = 1; k < d.n; k++)
			assert_true(d.samples[k - 1].at < d.samples[k].at);
		nsec span = d.samples[d.n - 1].at - d.samples[0].at;
		if (i == 2000)
			assert_true(span > 1900 * 60 * SEC);
		widest = nsec_max(widest, span);
	}
	assert_in_range(widest, 30 * 3600 * SEC, 36 * 3600 * SEC);
	assert_true(at - d.samples[0].at < 36 * 3600 * SEC);
	double ppm, max_error_ppm;
	assert_true(drift_estimator_read(&d, &ppm, &max_error_ppm));
	assert_true(fabs(ppm - 40) <= max_error_ppm && max_error_ppm < 0.2);
	assert_int_equal(
	    drift_estimator_add(&d, at, at / 1000000 * 40 + 50 * MS, at / 1000000 * 40 + 51 * MS),
	    DRIFT_CONTRADICTED);
}

/* A rate that moves slowly for weeks is no contradiction once its beginning is forgotten. */
static void the_old_is_forgotten(void **state)
{
	(void)state;
	struct drift_estimator d;
	double lo, hi;
	nsec offset = 0;
	drift_estimator_init(&d, 2);
	for (int i = 0; i < 20000; i++) { /* two weeks, from 0 to 10 ppm */
		offset += 60 * 1000 * i / 2000;
		assert_int_not_equal(drift_estimator_add(&d, i * 60 * SEC, offset, offset + 5 * MS),
				     DRIFT_CONTRADICTED);
	}
	assert_true(drift_estimator_band(&d, &lo, &hi));
	assert_true(lo <= 10 && 10 <= hi && lo > 6);
}

/* A value only when it is worth telling. */
static void reads_when_it_is_worth_it(void **state)
{
	(void)state;
	struct drift_estimator d;
	double ppm = 1, max_error_ppm = 2;
	drift_estimator_init(&d, 0);
	for (int i = 0; i < 10; i++)
		(void)drift_estimator_add(&d, i * 60 * SEC, 0, MS);
	assert_false(drift_estimator_read(&d, &ppm, &max_error_ppm)); /* 9 minutes */
	assert_true(ppm == 1 && max_error_ppm == 2);
	(void)drift_estimator_add(&d, 600 * SEC, 0, MS);
	assert_true(drift_estimator_read(&d, &ppm, &max_error_ppm));
	assert_true(fabs(ppm) < 1e-4 && fabs(max_error_ppm - 1 / 0.6) < 1e-4);
	drift_estimator_init(&d, 0);
	(void)drift_estimator_add(&d, 0, 0, 31 * MS);
	(void)drift_estimator_add(&d, 600 * SEC, 0, 31 * MS);
	assert_false(drift_estimator_read(&d, &ppm, &max_error_ppm)); /* 103 ppm wide */
	(void)drift_estimator_add(&d, 630 * SEC, 0, 31 * MS);
	assert_true(drift_estimator_read(&d, &ppm, &max_error_ppm));
}

/* The value is the median of the slopes, and stays in the band when that does not. */
static void value_is_the_median(void **state)
{
	(void)state;
	struct drift_estimator d;
	double ppm, max_error_ppm;
	/* middles at 0, 6, 12, 48 ms: slopes of 20, 20, 120, 20, 70, 53.3 ppm */
	static const nsec middles[] = {0, 6 * MS, 12 * MS, 48 * MS};
	drift_estimator_init(&d, 0);
	for (int i = 0; i < 4; i++)
		(void)drift_estimator_add(&d, i * 300 * SEC, middles[i] - 15 * MS,
					  middles[i] + 15 * MS);
	assert_true(drift_estimator_read(&d, &ppm, &max_error_ppm));
	assert_true(ppm > 20 - 1e-4 && ppm < 53.4); /* any value between the two in the middle */
	/* a wide interval far off pulls the middles, but not the band */
	drift_estimator_init(&d, 0);
	(void)drift_estimator_add(&d, 0, 0, MS);
	(void)drift_estimator_add(&d, 500 * SEC, 0, SEC);
	(void)drift_estimator_add(&d, 1000 * SEC, 0, MS);
	(void)drift_estimator_add(&d, 1500 * SEC, 0, SEC);
	assert_true(drift_estimator_read(&d, &ppm, &max_error_ppm));
	assert_band(&d, -2.0 / 3, 1);
	assert_true(ppm >= -2.0 / 3 && ppm <= 1);
}

static void truth_stays_in_the_band(void **state)
{
	(void)state;
	seed = 2;
	for (int run = 0; run < 50; run++) {
		struct drift_estimator d;
		nsec rate = random_nsec(-200, 200), width = random_nsec(MS, 50 * MS);
		nsec at = random_nsec(0, INT64_C(1) << 50), offset = 1705361803 * SEC;
		double lo, hi, ppm, max_error_ppm;
		drift_estimator_init(&d, 0);
		for (int i = 0; i < 200; i++) {
			nsec dt = random_nsec(1, 120) * SEC;
			at += dt;
			offset += dt / 1000000 * rate;
			assert_int_not_equal(add_around(&d, at, offset, random_nsec(1, width)),
					     DRIFT_CONTRADICTED);
			if (drift_estimator_band(&d, &lo, &hi))
				assert_true(lo <= (double)rate && (double)rate <= hi);
			if (i % 16 == 15 && drift_estimator_read(&d, &ppm, &max_error_ppm)) {
				assert_true(lo <= ppm && ppm <= hi);
				assert_true(fabs(ppm - (double)rate) <= max_error_ppm);
			}
		}
		assert_true(drift_estimator_read(&d, &ppm, &max_error_ppm));
		assert_true(max_error_ppm < 5);
		/* a step of a second is a contradiction to a line */
		assert_int_equal(drift_estimator_add(&d, at + SEC, offset + SEC, offset + SEC),
				 DRIFT_CONTRADICTED);
	}
}

/* Nothing overflows, whatever comes. */
static void extremes(void **state)
{
	(void)state;
	static const nsec values[] = {INT64_MIN, -INT64_MAX,	-1,	  0, 1,
				      SEC,	 INT64_MAX - 1, INT64_MAX};
	struct drift_estimator d;
	double lo, hi;
	seed = 3;
	drift_estimator_init(&d, 50);
	for (int i = 0; i < 100000; i++) {
		if (drift_estimator_add(&d, values[random_u64() % 8], values[random_u64() % 8],
					values[random_u64() % 8]) == DRIFT_CONTRADICTED ||
		    random_u64() % 10 == 0)
			drift_estimator_restart(&d);
		if (drift_estimator_band(&d, &lo, &hi))
			assert_true(lo <= hi);
		(void)drift_estimator_read(&d, &lo, &hi);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(band_of_a_few),
	    cmocka_unit_test(wander_widens),
	    cmocka_unit_test(what_cannot_be_right_is_not_taken),
	    cmocka_unit_test(close_samples_share_a_place),
	    cmocka_unit_test(the_ring_thins),
	    cmocka_unit_test(the_old_is_forgotten),
	    cmocka_unit_test(reads_when_it_is_worth_it),
	    cmocka_unit_test(value_is_the_median),
	    cmocka_unit_test(truth_stays_in_the_band),
	    cmocka_unit_test(extremes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
