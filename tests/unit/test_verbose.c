/* SPDX-License-Identifier: MIT
 *
 * --verbose is for bug reports and journals: no secret of OpenVPN's may get there.
 */
#include "io/verbose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <unistd.h>

/* What verbose_event() writes of a line. */
static void show(const char *line, char *said, size_t size)
{
	FILE *to = tmpfile();
	int saved = dup(STDERR_FILENO);
	assert_true(to != NULL && saved >= 0 && dup2(fileno(to), STDERR_FILENO) >= 0);
	verbose_event(&(struct event){.kind = EVENT_LINE, .u.line = slice_from(line)});
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	rewind(to);
	said[fread(said, 1, size - 1, to)] = '\0';
	fclose(to);
}

static void test_lines_are_shown(void **state)
{
	char said[1024];
	(void)state;
	show(">CLIENT:ENV,username=anna", said, sizeof said);
	assert_string_equal(said, "ovpnwatch: < >CLIENT:ENV,username=anna\n");
	show(">PASSWORD:Need 'Auth' username/password", said, sizeof said);
	assert_string_equal(said, "ovpnwatch: < >PASSWORD:Need 'Auth' username/password\n");
}

static void test_secrets_are_not(void **state)
{
	static const char *const lines[][2] = {
	    {">CLIENT:ENV,password=SECRET", ">CLIENT:ENV,password="},
	    {">CLIENT:CR_RESPONSE,1,2,SECRET", ">CLIENT:CR_RESPONSE,"},
	    {">PASSWORD:Auth-Token:SECRET", ">PASSWORD:Auth-Token:"},
	    {">LOG:1,,PUSH: 'PUSH_REPLY,auth-token SECRET,peer-id 0'",
	     ">LOG:1,,PUSH: 'PUSH_REPLY,auth-token "},
	    /* the first of several */
	    {">LOG:1,,env password=SECRET, auth-token SECRET", ">LOG:1,,env password="},
	};
	char said[1024], expected[1024];
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		show(lines[i][0], said, sizeof said);
		snprintf(expected, sizeof expected, "ovpnwatch: < %s(not shown)\n", lines[i][1]);
		assert_string_equal(said, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines_are_shown),
	    cmocka_unit_test(test_secrets_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
