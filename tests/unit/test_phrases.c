/* SPDX-License-Identifier: MIT */
#include "core/phrases.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS NSEC_PER_MSEC

static void durations(void **state)
{
	(void)state;
	assert_string_equal(phrase_duration(MS / 2).text, "under 1 ms");
	assert_string_equal(phrase_duration(MS * 4).text, "4 ms");
	assert_string_equal(phrase_duration(400 * MS).text, "0.4 s");
	assert_string_equal(phrase_duration(12399 * MS).text, "12.3 s");
	assert_string_equal(phrase_duration(240264 * MS).text, "4 min 0 s");
	assert_string_equal(phrase_duration(7500000 * MS).text, "2 h 5 min");
	assert_string_equal(phrase_duration(3 * 86400000 * MS + 4 * 3600000 * MS).text, "3 d 4 h");
	assert_string_equal(phrase_duration(-1500 * MS).text, "-1.5 s");
	assert_string_equal(phrase_duration(NSEC_UNKNOWN).text, "an unknown time");
	assert_string_equal(phrase_duration(NSEC_NEVER).text, "106751 d 23 h");
}

/* A bound is rounded up: a smaller one would not hold. */
static void bounds_are_rounded_up(void **state)
{
	(void)state;
	assert_string_equal(phrase_bound(0.0041).text, "+/- 5 ms");
	assert_string_equal(phrase_bound(0.0000121).text, "+/- 13 us");
	assert_string_equal(phrase_bound(0.72).text, "+/- 0.8 s");
	assert_string_equal(phrase_bound(NAN).text, "bound unknown");
}

/* No more digits than the bound supports. */
static void offsets_in_words(void **state)
{
	(void)state;
	assert_string_equal(phrase_offset(7.00012, 0.004).text, "7.000 s ahead of");
	assert_string_equal(phrase_offset(-0.41, 0.2).text, "0.4 s behind");
	assert_string_equal(phrase_offset(0.0000012, 0.0000061).text, "0.000001 s ahead of");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations),
	    cmocka_unit_test(bounds_are_rounded_up),
	    cmocka_unit_test(offsets_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
