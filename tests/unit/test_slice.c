/* SPDX-License-Identifier: MIT */
#include "proto/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void cut_takes_parts(void **state)
{
	(void)state;
	struct slice rest = SLICE("a,,b");
	assert_true(slice_is(slice_cut(&rest, ','), "a"));
	assert_true(slice_is(slice_cut(&rest, ','), ""));
	assert_non_null(rest.p);
	assert_true(slice_is(slice_cut(&rest, ','), "b"));
	assert_null(rest.p);
	assert_int_equal(slice_cut(&rest, ',').n, 0);
}

static void find_and_trim(void **state)
{
	(void)state;
	assert_int_equal(slice_find(SLICE("ping-restart 120"), "restart"), 5);
	assert_true(slice_find(SLICE("x"), "xy") == SIZE_MAX);
	assert_true(slice_find(SLICE("x"), "") == SIZE_MAX);
	assert_true(slice_find((struct slice){0}, "x") == SIZE_MAX);
	assert_true(slice_is(slice_trim(SLICE(" \t a b \r\n")), "a b"));
	assert_int_equal(slice_trim(SLICE(" \r\n")).n, 0);
}

static void numbers(void **state)
{
	(void)state;
	uint64_t v = 7;
	assert_true(slice_to_u64(SLICE("18446744073709551615"), &v));
	assert_true(v == UINT64_MAX);
	assert_false(slice_to_u64(SLICE("18446744073709551616"), &v));
	assert_false(slice_to_u64(SLICE(""), &v));
	assert_false(slice_to_u64(SLICE("1 "), &v));
	assert_false(slice_to_u64(SLICE("-1"), &v));
	assert_true(v == UINT64_MAX);
}

static void copy_is_terminated(void **state)
{
	(void)state;
	char buf[4];
	assert_int_equal(slice_copy(SLICE("abcdef"), buf, sizeof buf), 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(slice_copy(SLICE("a\0b"), buf, sizeof buf), 3);
	assert_string_equal(buf, "a?b");
	assert_int_equal(slice_copy((struct slice){0}, buf, sizeof buf), 0);
	assert_string_equal(buf, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cut_takes_parts),
	    cmocka_unit_test(find_and_trim),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(copy_is_terminated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
