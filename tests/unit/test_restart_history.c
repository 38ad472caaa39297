/* SPDX-License-Identifier: MIT
 *
 * What restarts have in common.
 */
#include "core/restart_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define S    NSEC_PER_SEC
#define DAY  (86400 * S)
#define NOON (INT64_C(20781) * DAY + 12 * 3600 * S)

static struct restart_history history;
static struct notice_pattern pattern;

static int setup(void **state)
{
	(void)state;
	memset(&history, 0, sizeof history);
	memset(&pattern, 0, sizeof pattern);
	pattern.period_s = pattern.session_s = NSEC_UNKNOWN;
	return 0;
}

static void restart_at(nsec mono, nsec connected)
{
	restart_history_add(&history, &(struct restart_record){.mono = mono,
							       .wall = NOON + mono,
							       .connected = connected,
							       .heard = NSEC_UNKNOWN,
							       .idle = NSEC_UNKNOWN});
}

static void the_newest_comes_first_and_the_oldest_goes(void **state)
{
	(void)state;
	assert_int_equal(restart_history_count(&history), 0);
	assert_true(restart_history_nth(&history, 1) == NSEC_UNKNOWN);
	for (int i = 1; i <= RESTARTS_KEPT + 3; i++)
		restart_at(i * S, i);
	assert_int_equal(restart_history_count(&history), RESTARTS_KEPT);
	assert_true(restart_history_at(&history, 0)->connected == RESTARTS_KEPT + 3);
	assert_true(restart_history_at(&history, RESTARTS_KEPT - 1)->connected == 4);
	assert_int_equal(restart_history_since(&history, 18 * S), 2);
	assert_true(restart_history_nth(&history, 2) == 18 * S);
}

static void a_rhythm_needs_three(void **state)
{
	(void)state;
	restart_at(0, 230 * S);
	restart_at(240 * S, 231 * S);
	restart_history_pattern(&history, &pattern);
	assert_false(pattern.present);
	restart_at(485 * S, 235 * S);
	restart_history_pattern(&history, &pattern);
	assert_true(pattern.present);
	assert_int_equal(pattern.restarts, 3);
	assert_true(pattern.span_s == 485 * S);
	assert_true(pattern.period_s == 245 * S && pattern.period_spread_s == 5 * S);
	assert_true(pattern.session_s == 231 * S && pattern.session_spread_s == 4 * S);
	assert_string_equal(pattern.time_of_day, "");
}

/* Those that came before the rhythm began do not hide it. */
static void only_the_newest_have_to_be_alike(void **state)
{
	(void)state;
	restart_at(0, 5 * S);
	restart_at(1000 * S, 900 * S);
	restart_at(1060 * S, 50 * S);
	restart_at(1120 * S, 51 * S);
	restart_at(1180 * S, 49 * S);
	restart_history_pattern(&history, &pattern);
	assert_true(pattern.present && pattern.period_s == 60 * S);
	assert_int_equal(pattern.restarts, 4);
	assert_true(pattern.session_s == 50 * S);
}

static void no_rhythm_is_no_pattern(void **state)
{
	(void)state;
	restart_at(0, 5 * S);
	restart_at(100 * S, 90 * S);
	restart_at(1060 * S, NSEC_UNKNOWN);
	restart_at(1300 * S, 200 * S);
	restart_history_pattern(&history, &pattern);
	assert_false(pattern.present);
}

static void the_time_of_day_on_three_days(void **state)
{
	(void)state;
	restart_at(0, 3600 * S);
	restart_at(40000 * S, 3600 * 5 * S);
	restart_at(DAY + 120 * S, 3600 * 2 * S);
	restart_at(DAY + 180 * S, 20 * S); /* twice on one day counts once */
	restart_at(DAY + 50000 * S, NSEC_UNKNOWN);
	restart_at(3 * DAY - 60 * S, 3600 * 30 * S);
	restart_history_pattern(&history, &pattern);
	assert_true(pattern.present);
	assert_string_equal(pattern.time_of_day, "11:59");
	assert_true(pattern.period_s == NSEC_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(the_newest_comes_first_and_the_oldest_goes, setup),
	    cmocka_unit_test_setup(a_rhythm_needs_three, setup),
	    cmocka_unit_test_setup(only_the_newest_have_to_be_alike, setup),
	    cmocka_unit_test_setup(no_rhythm_is_no_pattern, setup),
	    cmocka_unit_test_setup(the_time_of_day_on_three_days, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
