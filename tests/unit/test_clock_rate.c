/* SPDX-License-Identifier: MIT
 *
 * A machine with a crystal, a time service and somebody who sets its clock, in virtual seconds. Its
 * stamps go through the step detector and the rate, as those of the core do.
 */
#include "core/clock_rate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS   NSEC_PER_MSEC
#define USEC NSEC_PER_USEC
#define SEC  NSEC_PER_SEC

static struct stamp now;
static struct step_detector detector;
static struct clock_rate rate;
static struct clock_change seen; /* the last change */
static unsigned n_seen;

static void look(void)
{
	struct clock_change change;
	bool changed = step_detector_look(&detector, &now, &change);
	if (changed) {
		seen = change;
		n_seen++;
	}
	clock_rate_look(&rate, &now, changed ? &change : NULL);
}

static void start(nsec spread)
{
	now = (struct stamp){.mono = 5 * SEC,
			     .wall = 1705361803 * SEC,
			     .boot = 900 * SEC,
			     .ruler = 900 * SEC,
			     .spread = spread};
	detector = (struct step_detector){0};
	clock_rate_init(&rate);
	n_seen = 0;
	look();
}

/* Time passes by the ruler; the others run faster by so many ppm. */
static void pass(nsec dt, double ppm)
{
	nsec others = dt + (nsec)((double)dt * ppm / 1e6);
	now.ruler += dt;
	now.mono += others;
	now.wall += others;
	now.boot += others;
}

/* Looks once a second. */
static void run(unsigned seconds, double ppm)
{
	for (unsigned i = 0; i < seconds; i++) {
		pass(SEC, ppm);
		look();
	}
}

static void assert_slew(double ppm)
{
	double got = clock_rate_slew_ppm(&rate);
	if (isnan(ppm) != isnan(got) || fabs(got - ppm) > 1)
		fail_msg("%.3f ppm, not %.3f", got, ppm);
}

static void assert_slewed(nsec truth)
{
	nsec slewed, error;
	assert_true(clock_rate_slewed(&rate, &slewed, &error));
	assert_in_range(error, 0, MS - 1);
	if (slewed - truth > error || truth - slewed > error)
		fail_msg("%lld ns +/- %lld, not %lld", (long long)slewed, (long long)error,
			 (long long)truth);
}

static void crystals_are_no_slew(void **state)
{
	(void)state;
	static const double crystals[] = {0, 0.01, 15, 99, -99, 199, -199};
	for (size_t i = 0; i < sizeof crystals / sizeof *crystals; i++) {
		nsec slewed, error;
		start(2 * USEC);
		for (int s = 0; s < 4000; s++) {
			run(1, crystals[i]);
			assert_slew((double)NAN);
		}
		assert_int_equal(n_seen, 0);
		assert_false(clock_rate_slewed(&rate, &slewed, &error));
	}
}

/* adjtime's 500 ppm, and what the fast slews of the services make of it, on any crystal. */
static void slews(void **state)
{
	(void)state;
	static const struct {
		double crystal, slew;
		unsigned seconds;
	} rows[] = {
	    {0, 500, 100},  {0, -500, 100},   {99, 500, 200},	{-99, 500, 200},
	    {99, -500, 40}, {-20, 1000, 400}, {-20, 83333, 12}, {3, -83333, 12},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		/* Wherever in a window it begins. */
		for (nsec phase = 0; phase < 4 * SEC; phase += 370 * MS) {
			double fast = rows[i].crystal + rows[i].slew;
			start(2 * USEC);
			run(120, rows[i].crystal);
			pass(phase, rows[i].crystal);
			run(12, fast);
			assert_slew(rows[i].slew);
			run(rows[i].seconds - 12, fast);
			assert_slew(rows[i].slew);
			run(9, rows[i].crystal);
			assert_slew((double)NAN);
			assert_slewed((nsec)(rows[i].slew * 1000 * rows[i].seconds));
			assert_int_equal(n_seen, 0);
		}
}

/* Not watched before: the crystal's part cannot be told from the slew's. */
static void slewed_from_the_start(void **state)
{
	(void)state;
	nsec slewed, error;
	start(2 * USEC);
	run(100, 590);
	assert_slew(590);
	assert_true(clock_rate_slewed(&rate, &slewed, &error));
	assert_true(slewed - error <= 50 * MS && 50 * MS <= slewed + error);
	assert_in_range(error, 10 * MS, 11 * MS);
}

/* The step has its own size, and the slew its own. */
static void step_during_a_slew(void **state)
{
	(void)state;
	static const nsec steps[] = {7 * SEC, -30 * SEC, 5 * MS, -5 * MS};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		start(2 * USEC);
		run(60, 42);
		run(20, 542);
		pass(SEC / 3, 542);
		now.wall += steps[i];
		pass(2 * SEC / 3, 542);
		look();
		assert_int_equal(n_seen, 1);
		assert_in_range(seen.step - steps[i] + MS, 0, 2 * MS);
		assert_slew(500);
		run(19, 542);
		assert_slew(500);
		run(9, 42);
		assert_slew((double)NAN);
		assert_slewed(20 * MS);
	}
}

/* A step is no slew, nor is sleep, however they fall into the windows. */
static void steps_and_sleep_are_no_slew(void **state)
{
	(void)state;
	start(2 * USEC);
	for (unsigned i = 0; i < 400; i++) {
		if (i % 7 == 3)
			now.wall += i % 2 ? 5 * MS : -7 * SEC;
		if (i % 11 == 5) {
			now.wall += 3600 * SEC;
			now.boot += 3600 * SEC;
			now.ruler += 3600 * SEC;
		}
		run(1, 99);
		assert_slew((double)NAN);
	}
	assert_in_range(n_seen, 80, 100);
}

/* Stamps that were read milliseconds apart could show any rate: they are passed over. */
static void rough_stamps(void **state)
{
	(void)state;
	start(8 * MS);
	for (unsigned i = 0; i < 600; i++) {
		pass(SEC, 99);
		now.spread = i % 5 == 4 ? 2 * USEC : 8 * MS;
		nsec error = i % 5 == 4 ? 0 : (i % 3) * 4 * MS - 4 * MS;
		now.wall += error;
		look();
		now.wall -= error;
		assert_slew((double)NAN);
	}
	assert_int_equal(n_seen, 0);
	/* and it is still seen */
	for (unsigned i = 0; i < 20; i++) {
		pass(SEC, 599);
		now.spread = i % 5 == 4 ? 2 * USEC : 8 * MS;
		look();
	}
	assert_slew(500);
}

static void extremes_saturate(void **state)
{
	(void)state;
	static const nsec ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX};
	const size_t n = sizeof ends / sizeof *ends;
	start(0);
	for (size_t i = 0; i < n * n * n * n; i++) {
		nsec slewed, error;
		now = (struct stamp){.mono = ends[(i / n + 2) % n],
				     .wall = ends[i % n],
				     .boot = ends[i / n % n],
				     .ruler = ends[i / n / n % n],
				     .spread = ends[i / n / n / n]};
		look();
		if (clock_rate_slewed(&rate, &slewed, &error))
			assert_true(error >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(crystals_are_no_slew),	   cmocka_unit_test(slews),
	    cmocka_unit_test(slewed_from_the_start),	   cmocka_unit_test(step_during_a_slew),
	    cmocka_unit_test(steps_and_sleep_are_no_slew), cmocka_unit_test(rough_stamps),
	    cmocka_unit_test(extremes_saturate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
