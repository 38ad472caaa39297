/* SPDX-License-Identifier: MIT
 *
 * The one line about an NTP server that never answers.
 */
#include "io/named_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char *said;
static size_t n_said;

/* Tells the source of `outcomes` ('+' an answer, '-' none); returns what stderr had of it. */
static const char *after(struct named_source *s, const char *outcomes, const char *reason)
{
	FILE *real = stderr;
	free(said);
	said = NULL;
	stderr = open_memstream(&said, &n_said);
	assert_non_null(stderr);
	for (const char *c = outcomes; *c != '\0'; c++)
		named_source_note(s, *c == '+', reason);
	fclose(stderr);
	stderr = real;
	return said;
}

static void once_and_only_if_it_never_answered(void **state)
{
	(void)state;
	struct named_source silent = {.option = "--ntp", .name = "ntp.exmaple"};
	assert_string_equal(after(&silent, "--", "its name was not found"), "");
	assert_string_equal(after(&silent, "-", "its name was not found"),
			    "ovpnwatch: --ntp ntp.exmaple: its name was not found, 3 times by now; "
			    "it is asked again and again, in silence\n");
	assert_string_equal(after(&silent, "-----+---", NULL), "");
	struct named_source heard = {.option = "--ntp", .name = "ntp.example"};
	assert_string_equal(after(&heard, "--+-------", NULL), "");
	struct named_source none = {.option = "--peer-ntp", .name = NULL};
	assert_string_equal(after(&none, "-----", NULL), "");
}

static void what_is_hostile_is_escaped(void **state)
{
	(void)state;
	struct named_source s = {.option = "--peer-ntp", .name = "a\033[2Jb"};
	const char *line = after(&s, "---", NULL);
	assert_null(strchr(line, '\033'));
	assert_non_null(strstr(line, "no answer"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(once_and_only_if_it_never_answered),
	    cmocka_unit_test(what_is_hostile_is_escaped),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(said);
	return failed;
}
