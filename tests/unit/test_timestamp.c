/* SPDX-License-Identifier: MIT */
#include "proto/timestamp.h"
#include "proto/log_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

static void formats(void **state)
{
	(void)state;
	static const struct {
		nsec wall;
		const char *text;
	} cases[] = {
	    {0, "1970-01-01T00:00:00.000Z"},
	    {-1, "1969-12-31T23:59:59.999Z"},
	    {999999, "1970-01-01T00:00:00.000Z"},
	    {1705362043 * NSEC_PER_SEC + 842662000, "2024-01-15T23:40:43.842Z"},
	    {1705362043 * NSEC_PER_SEC + 842999999, "2024-01-15T23:40:43.842Z"},
	    {951782400 * NSEC_PER_SEC, "2000-02-29T00:00:00.000Z"},
	    {4107542400 * NSEC_PER_SEC, "2100-03-01T00:00:00.000Z"},
	    {4107542399 * NSEC_PER_SEC, "2100-02-28T23:59:59.000Z"},
	    {INT64_MAX, "2262-04-11T23:47:16.854Z"},
	    {INT64_MIN, "1677-09-21T00:12:43.145Z"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char out[TIMESTAMP_SIZE];
		timestamp_format(cases[i].wall, out);
		assert_string_equal(out, cases[i].text);
	}
}

static void milliseconds_go_down(void **state)
{
	(void)state;
	assert_int_equal(nsec_to_ms(1999999), 1);
	assert_int_equal(nsec_to_ms(0), 0);
	assert_int_equal(nsec_to_ms(-1), -1);
	assert_int_equal(nsec_to_ms(-1000000), -1);
	assert_int_equal(nsec_to_ms(-1000001), -2);
	assert_true(nsec_to_ms(INT64_MIN) == INT64_MIN / 1000000 - 1);
}

/* Every day of the range: the C library agrees, and civil_to_nsec is the way back. */
static void agrees_with_the_library(void **state)
{
	(void)state;
	for (int64_t day = -106000; day < 106000; day++) {
		char out[TIMESTAMP_SIZE];
		char expected[TIMESTAMP_SIZE];
		struct tm tm;
		time_t t = (time_t)(day * 86400 + 45296);
		assert_non_null(gmtime_r(&t, &tm));
		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
		timestamp_format(t * NSEC_PER_SEC, out);
		assert_string_equal(out, expected);
		assert_true(civil_to_nsec(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
					  tm.tm_min, tm.tm_sec) == t * NSEC_PER_SEC);
	}
	assert_true(civil_to_nsec(2263, 1, 1, 0, 0, 0) == NSEC_UNKNOWN);
	assert_true(civil_to_nsec(1600, 1, 1, 0, 0, 0) == NSEC_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(formats),
	    cmocka_unit_test(milliseconds_go_down),
	    cmocka_unit_test(agrees_with_the_library),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
