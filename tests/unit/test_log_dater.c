/* SPDX-License-Identifier: MIT
 *
 * When a line was written, in whatever zone, told from a machine in another.
 */
#include "io/log_dater.h"
#include "io/local_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define S    NSEC_PER_SEC
#define H    (3600 * S)
#define NOON civil_to_nsec(2024, 1, 15, 12, 0, 0) /* UTC; 07:00 here */

static int here(void **state)
{
	(void)state;
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	return 0;
}

static struct log_line line(const char *text)
{
	struct log_line l;
	log_line_parse(slice_from(text), &l);
	return l;
}

static void lines_that_come(void **state)
{
	(void)state;
	struct log_line l = line("2024-01-15 07:00:01 a"); /* here */
	assert_true(log_dater_now(&l, NOON) == NOON + S);
	l = line("2024-01-15 11:59:30 us=250000 a"); /* UTC */
	assert_true(log_dater_now(&l, NOON) == NOON - 30 * S + S / 4);
	l = line("2024-01-15 17:45:00 a"); /* Kathmandu */
	assert_true(log_dater_now(&l, NOON) == NOON);
	l = line("2024-01-15T13:00:02+01:00 host openvpn[1]: a");
	assert_true(log_dater_now(&l, NOON) == NOON + 2 * S);
	l = line("Jan 15 07:00:00 host openvpn[1]: a");
	assert_true(log_dater_now(&l, NOON) == NOON);
	l = line("2024-01-15 11:55:00 a"); /* no zone, or five minutes late */
	assert_true(log_dater_now(&l, NOON) == 0);
	l = line("2024-01-15T11:00:00Z host openvpn[1]: a");
	assert_true(log_dater_now(&l, NOON) == 0);
	l = line("2023-01-15 12:00:00 a");
	assert_true(log_dater_now(&l, NOON) == 0);
	l = line("a");
	assert_true(log_dater_now(&l, NOON) == 0);
}

static void lines_of_before(void **state)
{
	(void)state;
	struct log_dater d = {0};
	struct log_line last = line("2024-01-15 07:00:00 a"), l = line("2024-01-14 07:00:00 a");
	struct log_line summer = line("2023-07-14 07:00:00 a");
	assert_true(log_dater_past(&d, &l, NOON) == 0);
	log_dater_learn(&d, &last, NOON + 2 * S);
	assert_int_equal(d.known, LOG_ZONE_LOCAL);
	assert_true(log_dater_past(&d, &l, NOON) == NOON - 24 * H);
	assert_true(log_dater_past(&d, &summer, NOON) == civil_to_nsec(2023, 7, 14, 11, 0, 0));

	d = (struct log_dater){0};
	last = line("2024-01-15 12:00:00 a");
	log_dater_learn(&d, &last, NOON);
	assert_int_equal(d.known, LOG_ZONE_FIXED);
	assert_true(log_dater_past(&d, &l, NOON) == civil_to_nsec(2024, 1, 14, 7, 0, 0));

	d = (struct log_dater){0};
	log_dater_learn(&d, &last, NOON + 60 * S); /* it was touched since */
	assert_int_equal(d.known, LOG_ZONE_UNKNOWN);
	last = line("no stamp");
	log_dater_learn(&d, &last, NOON);
	assert_int_equal(d.known, LOG_ZONE_UNKNOWN);
	l = line("2024-01-14T12:00:00Z host openvpn[1]: a");
	assert_true(log_dater_past(&d, &l, NOON) == NOON - 24 * H);
}

static void without_a_year(void **state)
{
	(void)state;
	const nsec new_year = civil_to_nsec(2024, 1, 1, 6, 0, 0); /* 01:00 here */
	struct log_dater d = {.known = LOG_ZONE_LOCAL};
	struct log_line l = line("Dec 31 23:00:00 host openvpn[1]: a");
	assert_true(log_dater_past(&d, &l, new_year) == new_year - 2 * H);
	l = line("Jan  1 00:30:00 host openvpn[1]: a");
	assert_true(log_dater_past(&d, &l, new_year) == new_year - H / 2);
	assert_int_equal(local_year(new_year), 2024);
	assert_int_equal(local_year(new_year - 2 * H), 2023);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_that_come),
	    cmocka_unit_test(lines_of_before),
	    cmocka_unit_test(without_a_year),
	};
	return cmocka_run_group_tests(tests, here, NULL);
}
