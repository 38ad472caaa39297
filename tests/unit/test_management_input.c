/* SPDX-License-Identifier: MIT
 *
 * Lines as OpenVPN reads them, whatever the cutting, and browsers that are turned away.
 */
#include "proto/management_input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* The lines, each followed by '|', and '!' if it was HTTP; fed in pieces of `piece` bytes. */
static const char *lines_of(struct slice text, size_t piece)
{
	static char out[8192];
	struct management_input m = {0};
	size_t n = 0;
	enum verdict v = VERDICT_MORE;
	while (text.n > 0 && v != VERDICT_INVALID) {
		struct slice in = {.p = text.p, .n = piece < text.n ? piece : text.n}, line;
		text = slice_skip(text, in.n);
		while ((v = management_input_next(&m, &in, &line)) == VERDICT_DONE)
			n +=
			    (size_t)snprintf(out + n, sizeof out - n, "%.*s|", (int)line.n, line.p);
	}
	snprintf(out + n, sizeof out - n, "%s", v == VERDICT_INVALID ? "!" : "");
	management_input_wipe(&m);
	return out;
}

static void expect(struct slice text, const char *lines)
{
	for (size_t piece = 1; piece <= text.n; piece++)
		assert_string_equal(lines_of(text, piece), lines);
}

static void lines(void **state)
{
	(void)state;
	expect(SLICE("state on\r\nlog on all\n"), "state on|log on all|");
	expect(SLICE("\n\r\n half"), "||");
	expect(SLICE("t\ta\0b\x1b[0m\x7f c\n"), "tab[0m c|");
	expect(SLICE("needstr x gr\xc3\xbc\xc3\x9f"
		     "e\n"),
	       "needstr x gr\xc3\xbc\xc3\x9f"
	       "e|");
}

/* buffer.c buf_write_u8 fails when 1024 bytes are full, and command_line_add clears them. */
static void long_lines(void **state)
{
	char text[2600];
	(void)state;
	memset(text, 'a', sizeof text);
	text[1023] = '\n';
	struct slice fits = {.p = text, .n = 1024};
	assert_int_equal(strlen(lines_of(fits, 256)), 1024);
	text[1023] = 'a';
	memcpy(text + 1024, "pid\n", 4);
	struct slice too_long = {.p = text, .n = 1028};
	assert_string_equal(lines_of(too_long, 256), "pid|");
}

static void browsers(void **state)
{
	(void)state;
	expect(SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "!");
	expect(SLICE("POST /x"), "!");
	expect(SLICE("OPTIONS * HTTP/1.1\r\n"), "!");
	expect(SLICE("PRI * HTTP/2.0\r\n"), "!");
	expect(SLICE("pid\nGET /"), "pid|!");
	expect(SLICE("BREW /pot HTTP/1.0\r\n"), "!");
	expect(SLICE("GETX\nGET\nget x\n"), "GETX|GET|get x|");
	expect(SLICE("password Auth \"a HTTP/1.1\"\n"), "password Auth \"a HTTP/1.1\"|");
}

/* A URL as long as the buffer must not turn what follows it into a line of its own. */
static void no_url_is_long_enough(void **state)
{
	(void)state;
	for (size_t n = 1000; n < 1040; n++) {
		char text[1200];
		memset(text, 'a', sizeof text);
		memcpy(text, "GET /", 5);
		memcpy(text + n, " HTTP/1.1\nsignal SIGTERM\n", 25);
		assert_string_equal(lines_of((struct slice){.p = text, .n = n + 25}, 100), "!");
	}
}

static void nothing_is_left_of_a_line(void **state)
{
	struct management_input m = {0};
	struct slice in = SLICE("password Auth secret\nx"), line;
	(void)state;
	assert_int_equal(management_input_next(&m, &in, &line), VERDICT_DONE);
	assert_int_equal(management_input_next(&m, &in, &line), VERDICT_MORE);
	for (size_t i = 1; i < sizeof m.line; i++)
		assert_int_equal(m.line[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(browsers),
	    cmocka_unit_test(no_url_is_long_enough),
	    cmocka_unit_test(nothing_is_left_of_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
