/* SPDX-License-Identifier: MIT */
#include "core/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define S NSEC_PER_SEC

static void once_each(void **state)
{
	(void)state;
	struct said s = {0};
	const struct slice a = SLICE("a"), b = SLICE("b");
	assert_false(said_again(&s, SAID_BY_LOG, a, 0));
	said_note(&s, SAID_BY_LOG, a, 0);
	assert_false(said_again(&s, SAID_BY_LOG, a, 0)); /* twice by the same is two */
	assert_false(said_again(&s, SAID_BY_MANAGEMENT, b, 0));
	assert_true(said_again(&s, SAID_BY_MANAGEMENT, a, S));
	assert_false(said_again(&s, SAID_BY_MANAGEMENT, a, S));
	said_note(&s, SAID_BY_MANAGEMENT, a, S);
	said_note(&s, SAID_BY_MANAGEMENT, a, S);
	assert_true(said_again(&s, SAID_BY_LOG, a, 2 * S));
	assert_true(said_again(&s, SAID_BY_LOG, a, 2 * S));
	assert_false(said_again(&s, SAID_BY_LOG, a, 2 * S));
}

static void for_a_while(void **state)
{
	(void)state;
	struct said s = {0};
	const struct slice a = SLICE("a");
	said_note(&s, SAID_BY_LOG, a, S);
	assert_false(said_again(&s, SAID_BY_MANAGEMENT, a, S + SAID_LASTS + 1));
	assert_true(said_again(&s, SAID_BY_MANAGEMENT, a, S + SAID_LASTS));
}

static void the_last_ones(void **state)
{
	(void)state;
	struct said s = {0};
	char text[16];
	for (int i = 0; i < SAID_MAX + 1; i++) {
		snprintf(text, sizeof text, "%d", i);
		said_note(&s, SAID_BY_LOG, slice_from(text), 0);
	}
	assert_false(said_again(&s, SAID_BY_MANAGEMENT, SLICE("0"), 0));
	for (int i = 1; i < SAID_MAX + 1; i++) {
		snprintf(text, sizeof text, "%d", i);
		assert_true(said_again(&s, SAID_BY_MANAGEMENT, slice_from(text), 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(once_each),
	    cmocka_unit_test(for_a_while),
	    cmocka_unit_test(the_last_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
