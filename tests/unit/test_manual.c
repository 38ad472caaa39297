/* SPDX-License-Identifier: MIT
 *
 * The manual of causes as text: every section of it, and the pieces of mdoc that it is made of.
 */
#include "sink/manual.h"
#include "core/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char out[MANUAL_TEXT_MAX + 2];

static struct manual_text result;

static const char *render(struct slice mdoc, bool colour, unsigned width)
{
	const struct text_style style = {.colour = colour, .width = width};
	memset(out, '#', sizeof out);
	result = manual_render(mdoc, &style, out);
	assert_true(result.n <= MANUAL_TEXT_MAX);
	assert_int_equal(out[MANUAL_TEXT_MAX], '#');
	out[result.n] = '\0';
	assert_int_equal(strlen(out), result.n);
	assert_true(result.n == 0 || out[result.n - 1] == '\n');
	return out;
}

static const char *plain(const char *mdoc)
{
	return render(slice_from(mdoc), false, 0);
}

static struct slice section(unsigned cause)
{
	struct slice s;
	assert_true(
	    manual_section(slice_from(manual_causes), name_cause((enum cause_name)cause), &s));
	return s;
}

/* Nothing is lost, nothing is left of mdoc, and no line is longer than the terminal unless it is a
 * command. */
static void every_cause_can_be_rendered(void **state)
{
	static const char *const labels[] = {"  What happens\n", "  How it looks\n",
					     "  What ovpnwatch needs\n", "  What to do\n"};
	(void)state;
	for (unsigned c = 0; c < CAUSE_COUNT; c++) {
		for (unsigned width = 40; width < 200; width += 20) {
			const char *text = render(section(c), false, width);
			if (result.odd > 0)
				fail_msg("%s: .%s is not known", name_cause((enum cause_name)c),
					 result.first);
			assert_false(result.cut);
			for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
				assert_non_null(strstr(text, labels[i]));
			assert_null(strstr(text, "\n."));
			assert_null(strchr(text, '\\'));
			for (const char *line = text; *line != '\0';
			     line = strchr(line, '\n') + 1) {
				size_t n = strcspn(line, "\n");
				bool command = strncmp(line, "      ", 6) == 0;
				bool one_word = memchr(line + 4, ' ', n > 4 ? n - 4 : 0) == NULL;
				if (n > width && !command && !one_word && line[4] != '`')
					fail_msg("longer than %u: %.*s", width, (int)n, line);
				assert_true(n == 0 || line[n - 1] != ' ');
			}
		}
	}
}

static void words_of_the_page_are_short_enough_to_be_read(void **state)
{
	(void)state;
	for (const char *p = manual_causes; *p != '\0'; p += strspn(p, " \n")) {
		size_t n = strcspn(p, " \n");
		assert_true(n < 80);
		p += n;
	}
}

static void sections_are_found(void **state)
{
	struct slice s = SLICE("untouched");
	struct slice page =
	    SLICE(".Sh A\n.Ss one\nfirst\n.Ss two\nsecond\n.Sh B\nthird\n.Ss last\nx");
	(void)state;
	assert_false(manual_section(page, "none", &s));
	assert_false(manual_section(page, "on", &s));
	assert_false(manual_section(page, "", &s));
	assert_true(slice_is(s, "untouched"));
	assert_true(manual_section(page, "one", &s));
	assert_true(slice_is(s, "first\n"));
	assert_true(manual_section(page, "two", &s));
	assert_true(slice_is(s, "second\n"));
	assert_true(manual_section(page, "last", &s));
	assert_true(slice_is(s, "x"));
	assert_true(manual_section(slice_from(".Ss end"), "end", &s));
	assert_int_equal(s.n, 0);
	assert_true(manual_section(slice_from(".Ss a\n.Ss b\n"), "a", &s));
	assert_int_equal(s.n, 0);
}

static void inline_macros(void **state)
{
	static const struct {
		const char *mdoc, *text;
	} samples[] = {
	    {"some\n  words \nhere\n", "  some words here\n"},
	    {"the\n.Li ping\nof\n.Pa /etc/x .\n", "  the ping of /etc/x.\n"},
	    {".Li a , b\n", "  a, b\n"},
	    {".Ql keepalive 10 60 ,\nx\n", "  `keepalive 10 60`, x\n"},
	    {".Ql ping 10 , ping-restart 60\n", "  `ping 10, ping-restart 60`\n"},
	    {".Ql a ) .\n", "  `a`).\n"},
	    {".Fl \\-peer\\-management :\n", "  --peer-management:\n"},
	    {".Xr ovpnwatch 1 ,\n.Xr chronyc 1\n", "  ovpnwatch(1), chronyc(1)\n"},
	    {".Nm\n.Nm x\n", "  ovpnwatch x\n"},
	    {".Pq Li a , b ,\n", "  (a, b),\n"},
	    {".Pq Ql bytecount 1\nx\n", "  (`bytecount 1`) x\n"},
	    {".Pq Fl \\-ntp .\n", "  (--ntp).\n"},
	    {".Pq just words\n", "  (just words)\n"},
	    {".Cm watch \"two words\" end\n", "  watch two words end\n"},
	    {".Li \\&. x\\ey\n", "  . x\\y\n"},
	    {".\\\" a comment\nx\n", "  x\n"},
	    {"tab\there\x1b[2J\x80\n", "  tabhere[2J\n"},
	    {"", ""},
	    {"\n\n.\n", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		assert_string_equal(plain(samples[i].mdoc), samples[i].text);
		assert_int_equal(result.odd, 0);
	}
}

static void lists_and_commands(void **state)
{
	static const char mdoc[] = "before\n.Bl -tag -width Ds\n.It What to do\nLook:\n"
				   ".Dl chronyc  tracking\n.Dl grep 'a b' LOG\nThen\n.Li wait .\n"
				   ".Pp\nLong.\n.It Li two\nx\n.El\nafter\n";
	static const char text[] = "  before\n\n"
				   "  What to do\n"
				   "    Look:\n"
				   "      chronyc tracking\n"
				   "      grep 'a b' LOG\n"
				   "    Then wait.\n\n"
				   "    Long.\n\n"
				   "  two\n"
				   "    x\n"
				   "  after\n";
	(void)state;
	assert_string_equal(plain(mdoc), text);
	assert_non_null(
	    strstr(render(slice_from(mdoc), true, 80), "  \033[1mWhat to do\033[0m\n    Look:\n"));
}

static void text_wraps_and_commands_do_not(void **state)
{
	static const char mdoc[] =
	    "one two three four five six seven eight nine\n.Ql a quotation that is short ,\n"
	    "and\n.Ql one that is longer than what is kept together on one line .\n"
	    ".Dl this is a command that is longer than the width of the terminal\n";
	(void)state;
	assert_string_equal(
	    render(slice_from(mdoc), false, 40),
	    "  one two three four five six seven\n"
	    "  eight nine\n"
	    "  `a quotation that is short`, and `one\n"
	    "  that is longer than what is kept\n"
	    "  together on one line`.\n"
	    "    this is a command that is longer than the width of the terminal\n");
	/* A terminal narrower than that wraps for itself. */
	static char wide[sizeof out];
	memcpy(wide, out, sizeof wide);
	assert_string_equal(render(slice_from(mdoc), false, 10), wide);
}

static void what_is_not_known_is_counted(void **state)
{
	(void)state;
	assert_string_equal(plain("a\n.Bd -literal\nb\n.Xx\n"), "  a Bd -literal b Xx\n");
	assert_int_equal(result.odd, 2);
	assert_string_equal(result.first, "Bd");
	plain(
	    ".Li 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 "
	    "31 32 33 34 35 36 37 38 39 40\n");
	assert_int_equal(result.odd, 1);
}

static void what_has_no_room_is_cut(void **state)
{
	static char mdoc[6 * MANUAL_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof mdoc - 8; i += 6)
		memcpy(mdoc + i, i % 60 == 0 ? ".Dl x\n" : "words\n", 6);
	for (unsigned width = 0; width < 200; width += 50) {
		(void)render(slice_from(mdoc), width > 0, width);
		assert_true(result.cut);
		assert_true(result.n > MANUAL_TEXT_MAX - 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cause_can_be_rendered),
	    cmocka_unit_test(words_of_the_page_are_short_enough_to_be_read),
	    cmocka_unit_test(sections_are_found),
	    cmocka_unit_test(inline_macros),
	    cmocka_unit_test(lists_and_commands),
	    cmocka_unit_test(text_wraps_and_commands_do_not),
	    cmocka_unit_test(what_is_not_known_is_counted),
	    cmocka_unit_test(what_has_no_room_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
