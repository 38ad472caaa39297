/* SPDX-License-Identifier: MIT
 *
 * Each row is a pair of stamps: how far the three clocks moved from one to the next.
 */
#include "core/step_detector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS  NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

static const struct stamp start = {
    .mono = 5 * SEC, .wall = 1705361803 * SEC, .boot = 900 * SEC, .spread = 0};

static struct stamp moved(nsec mono, nsec wall, nsec boot, nsec spread)
{
	return (struct stamp){.mono = start.mono + mono,
			      .wall = start.wall + wall,
			      .boot = start.boot + boot,
			      .ruler = start.boot + boot,
			      .spread = spread};
}

static void changes(void **state)
{
	(void)state;
	static const struct {
		nsec mono, wall, boot, spread;
		nsec step, suspended;
	} rows[] = {
	    {SEC, SEC, SEC, 0, 0, 0},
	    {SEC, SEC + 999999, SEC, 0, 0, 0},
	    {SEC, SEC + MS, SEC, 0, MS, 0},
	    {SEC, SEC - MS, SEC, 0, -MS, 0},
	    {SEC, 8 * SEC, SEC, 0, 7 * SEC, 0},
	    {SEC, -30 * SEC, SEC, 0, -31 * SEC, 0},
	    /* the clocks were read up to a millisecond apart */
	    {SEC, SEC + 2 * MS - 1, SEC, MS, 0, 0},
	    {SEC, SEC + 2 * MS, SEC, MS, 2 * MS, 0},
	    {SEC, SEC + MS, SEC, -MS, MS, 0}, /* a spread that cannot be changes nothing */
	    /* slept: wall and boot go on */
	    {SEC, 61 * SEC, 61 * SEC, 0, 0, 60 * SEC},
	    /* slept, and the clock was set on waking */
	    {SEC, 54 * SEC, 61 * SEC, 0, -7 * SEC, 60 * SEC},
	    /* boottime behind monotonic is no sleep, and cannot be */
	    {SEC, SEC - SEC / 2, SEC / 2, 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct step_detector d = {0};
		struct clock_change change = {.step = 1, .suspended = 2, .since = 3};
		struct stamp next = moved(rows[i].mono, rows[i].wall, rows[i].boot, rows[i].spread);
		assert_false(step_detector_look(&d, &start, &change));
		bool expected = rows[i].step != 0 || rows[i].suspended != 0;
		assert_int_equal(step_detector_look(&d, &next, &change), expected);
		assert_int_equal(change.step, expected ? rows[i].step : 1);
		assert_int_equal(change.suspended, expected ? rows[i].suspended : 2);
		assert_int_equal(change.since, expected ? start.mono : 3);
		/* reported once */
		assert_false(step_detector_look(&d, &next, &change));
	}
}

/* The reader was preempted for 20 ms just after the clock was set by 5 ms: too little to be told
 * from it, so the next good stamp must show it. */
static void bad_stamp_hides_nothing_for_good(void **state)
{
	(void)state;
	struct step_detector d = {0};
	struct clock_change change;
	struct stamp bad = moved(SEC, SEC + 5 * MS, SEC, 20 * MS);
	struct stamp good = moved(2 * SEC, 2 * SEC + 5 * MS, 2 * SEC, 0);
	assert_false(step_detector_look(&d, &start, &change));
	assert_false(step_detector_look(&d, &bad, &change));
	assert_true(step_detector_look(&d, &good, &change));
	assert_int_equal(change.step, 5 * MS);
	assert_int_equal(change.since, start.mono);
	assert_false(step_detector_look(&d, &good, &change));
}

#define MIDNIGHT_2016 (1483228800 * SEC) /* after the last leap second that there was */

/* From `before` to just after it, with a step; what the wall clock showed before is `wall`. */
static struct clock_change stepped(nsec wall, nsec later, nsec step, nsec spread)
{
	struct step_detector d = {0};
	struct clock_change change = {0};
	struct stamp before = {.mono = SEC, .wall = wall, .boot = SEC, .ruler = SEC};
	struct stamp after = {.mono = SEC + later,
			      .wall = wall + later + step,
			      .boot = SEC + later,
			      .ruler = SEC + later,
			      .spread = spread};
	assert_false(step_detector_look(&d, &before, &change));
	assert_true(step_detector_look(&d, &after, &change));
	return change;
}

static void leap_seconds(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		nsec wall, later, step, spread;
		bool leap;
	} rows[] = {
	    {"inserted", MIDNIGHT_2016 - SEC / 2, SEC, -SEC, 0, true},
	    {"inserted, seen at once", MIDNIGHT_2016 - MS, 2 * MS, -SEC, 0, true},
	    {"deleted", MIDNIGHT_2016 - 3 * SEC / 2, SEC, SEC, 0, true},
	    {"2 ms more", MIDNIGHT_2016 - SEC / 2, SEC, -SEC - 2 * MS, 0, true},
	    {"more than that", MIDNIGHT_2016 - SEC / 2, SEC, -SEC - 2 * MS - 1, 0, false},
	    {"2 ms less", MIDNIGHT_2016 - SEC / 2, SEC, -SEC + 2 * MS, 0, true},
	    {"less than that", MIDNIGHT_2016 - SEC / 2, SEC, -SEC + 2 * MS + 1, 0, false},
	    {"rough stamps", MIDNIGHT_2016 - SEC / 2, SEC, -SEC - 12 * MS, 10 * MS, true},
	    {"stamps too rough to tell", MIDNIGHT_2016 - SEC / 2, SEC, -SEC - 200 * MS, SEC / 2,
	     false},
	    {"two seconds", MIDNIGHT_2016 - SEC / 2, SEC, -2 * SEC, 0, false},
	    {"noon", MIDNIGHT_2016 + 43200 * SEC, SEC, -SEC, 0, false},
	    {"five seconds before", MIDNIGHT_2016 - 5 * SEC, SEC, -SEC, 0, false},
	    {"four seconds after", MIDNIGHT_2016 + 4 * SEC, SEC, -SEC, 0, false},
	    {"midnight within a month", MIDNIGHT_2016 + 86400 * SEC, SEC, -SEC, 0, false},
	    {"30 June 2015", 1435708800 * SEC - SEC / 2, SEC, -SEC, 0, true},
	    {"29 June 2015", 1435622400 * SEC - SEC / 2, SEC, -SEC, 0, false},
	    {"28 February 2023", 1677628800 * SEC - SEC / 2, SEC, -SEC, 0, true},
	    {"28 February 2024", 1709164800 * SEC - SEC / 2, SEC, -SEC, 0, false},
	    {"29 February 2024", 1709251200 * SEC - SEC / 2, SEC, -SEC, 0, true},
	    {"28 February 2100", 4107542400 * SEC - SEC / 2, SEC, -SEC, 0, true},
	    {"31 December 1969", -SEC / 2, SEC, -SEC, 0, true},
	    {"30 December 1969", -86400 * SEC - SEC / 2, SEC, -SEC, 0, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct clock_change change =
		    stepped(rows[i].wall, rows[i].later, rows[i].step, rows[i].spread);
		assert_int_equal(change.step, rows[i].step);
		if (change.leap_second != rows[i].leap)
			fail_msg("%s", rows[i].what);
	}
}

/* Every day of four centuries against counting them. */
static void months_begin(void **state)
{
	(void)state;
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	nsec midnight = -86400 * SEC * 36524; /* 1870-01-01 */
	for (int year = 1870; year < 2250; year++) {
		bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
		for (int month = 0; month < 12; month++)
			for (int day = 1; day <= lengths[month] + (leap && month == 1); day++) {
				struct clock_change c = stepped(midnight - SEC / 2, SEC, -SEC, 0);
				if (c.leap_second != (day == 1))
					fail_msg("%d-%d-%d", year, month + 1, day);
				midnight += 86400 * SEC;
			}
	}
}

/* Stamps of recordings can be anything. */
static void extremes_saturate(void **state)
{
	(void)state;
	static const nsec ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX};
	const size_t n = sizeof ends / sizeof *ends;
	struct step_detector d = {0};
	struct clock_change change;
	for (size_t i = 0; i < n * n * n * n; i++) {
		struct stamp s = {.mono = ends[i % n],
				  .wall = ends[i / n % n],
				  .boot = ends[i / n / n % n],
				  .ruler = ends[(i / n + 1) % n],
				  .spread = ends[i / n / n / n]};
		if (step_detector_look(&d, &s, &change)) {
			assert_true(change.step != 0 || change.suspended != 0);
			assert_true(change.suspended >= 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changes),		 cmocka_unit_test(bad_stamp_hides_nothing_for_good),
	    cmocka_unit_test(leap_seconds),	 cmocka_unit_test(months_begin),
	    cmocka_unit_test(extremes_saturate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
