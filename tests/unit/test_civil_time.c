/* SPDX-License-Identifier: MIT
 *
 * The calendar itself is held against the C library's in test_timestamp.c; the other forms of
 * stamps are in test_log_line.c.
 */
#include "proto/civil_time.h"
#include "support/guard_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void time_strings(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds;
		const char *rest;
	} rows[] = {
	    {"2026-11-24 11:20:33", 1795519233, ""},
	    {"Tue Nov 24 11:20:33 2026", 1795519233, ""},
	    {"Sun Nov  1 00:00:00 2026", 1793491200, ""},
	    {"2026-11-24 11:20:33,1795519233", 1795519233, ",1795519233"},
	    {"2026-11-24 11:20:33 us=5", 1795519233, " us=5"},
	    {"1970-01-01 00:00:00", 0, ""},
	    {"2024-02-29 23:59:60", 1709251200, ""},
	    {"2261-12-31 23:59:59", CIVIL_SECONDS_MAX, ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cursor c = cursor_over(slice_from(rows[i].text));
		nsec t = NSEC_UNKNOWN;
		assert_true(civil_take_time_string(&c, &t));
		assert_true(t == rows[i].seconds * NSEC_PER_SEC);
		assert_string_equal(c.p, rows[i].rest);
	}
}

static void assert_no_time(const char *bytes, size_t n)
{
	struct guarded g = guarded_new(n);
	struct cursor c = cursor_over((struct slice){(char *)guarded_copy(&g, bytes, n), n});
	const char *start = c.p;
	nsec t = 42;
	assert_false(civil_take_time_string(&c, &t));
	assert_ptr_equal(c.p, start);
	assert_true(t == 42);
	guarded_free(&g);
}

static void no_time_strings(void **state)
{
	(void)state;
	static const char *const rows[] = {
	    "2026-02-29 00:00:00",	"2026-13-01 00:00:00",	    "2026-00-01 00:00:00",
	    "2026-01-00 00:00:00",	"2026-01-01 24:00:00",	    "2026-01-01 00:60:00",
	    "2026-01-01 00:00:61",	"1969-12-31 23:59:59",	    "2262-01-01 00:00:00",
	    "2026-01-01T00:00:00",	"2026-1-1 00:00:00",	    "Tue Nov 24 11:20:33",
	    "Tue Nov 31 11:20:33 2026", "Die Nov 24 11:20:33 2026", "Tue Okt 24 11:20:33 2026",
	    "Tue 2026-11-24 11:20:33",	" 2026-11-24 11:20:33",	    "-026-11-24 11:20:33",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_no_time(rows[i], strlen(rows[i]));
	for (size_t n = 0; n < strlen("2026-11-24 11:20:33"); n++)
		assert_no_time("2026-11-24 11:20:33", n);
	for (size_t n = 0; n < strlen("Tue Nov 24 11:20:33 2026"); n++)
		assert_no_time("Tue Nov 24 11:20:33 2026", n);
}

static void the_last_second_fits(void **state)
{
	(void)state;
	assert_true(CIVIL_SECONDS_MAX * NSEC_PER_SEC == civil_to_nsec(2261, 12, 31, 23, 59, 59));
	assert_true(CIVIL_SECONDS_MAX + 1 == civil_days_to_year(2262) * CIVIL_SECONDS_PER_DAY);
	assert_true(CIVIL_SECONDS_MAX + 2 < INT64_MAX / NSEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(time_strings),
	    cmocka_unit_test(no_time_strings),
	    cmocka_unit_test(the_last_second_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
