/* SPDX-License-Identifier: MIT */
#include "proto/profile_words.h"
#include "support/guard_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* The words of a line, each in <>. */
static const char *split(struct slice line)
{
	static char shown[2 * WORDS_LINE_MAX];
	struct words w;
	size_t at = 0;
	const char *problem = words_split(line, &w);
	if (problem != NULL)
		return problem;
	for (unsigned i = 0; i < w.n; i++)
		at += (size_t)snprintf(shown + at, sizeof shown - at, "<%.*s>", (int)w.word[i].n,
				       w.word[i].p);
	shown[at] = '\0';
	return shown;
}

static void lines(void **state)
{
	(void)state;
	static const struct {
		const char *line, *words;
	} rows[] = {
	    {"", ""},
	    {"\n", ""},
	    {" \t\v\f\r\n", ""},
	    {"# remote a", ""},
	    {"  ;remote a\n", ""},
	    {"remote vpn.example.com 1194 udp\r\n", "<remote><vpn.example.com><1194><udp>"},
	    {"\tremote  a # b", "<remote><a>"},
	    {"remote a;b c#d ;e", "<remote><a;b><c#d>"},
	    {"setenv X \"a b\" 'c  d'", "<setenv><X><a b><c  d>"},
	    {"a \"\" '' b", "<a><><><b>"},
	    {"\"a\"b\"c\"", "<a><b\"c\">"}, /* a closing quote ends the word */
	    {"'a''b'", "<a><b>"},
	    {"a'b' c\"d\"", "<a'b'><c\"d\">"}, /* quotes within a word are plain */
	    {"\"it's\" 'say \"hi\"'", "<it's><say \"hi\">"},
	    {"\"a\\\"b\" c\\ d e\\\\f", "<a\"b><c d><e\\f>"},
	    {"'a\\b'", "<a\\b>"}, /* no backslashes in '…' */
	    {"\\\"a\\\"", "<\"a\">"},
	    {"\\ a", "<a>"}, /* a backslash between words hides nothing */
	    {"a \\# b", "<a>"},
	    {"a \\", "<a>"},
	    {"a \\\\", "<a><\\>"},
	    {"\"a # b\" ; c", "<a # b>"},
	    {"a\\\n", "<a\n>"}, /* as OpenVPN reads it, too */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(split(slice_from(rows[i].line)), rows[i].words);
}

static void problems(void **state)
{
	(void)state;
	static const struct {
		const char *line, *about;
	} rows[] = {
	    {"a \"b\n", "opened with \""},
	    {"a 'b\n", "opened with '"},
	    {"cert C:\\keys\\a.crt", "backslash"},
	    {"a \"\\n\"", "backslash"},
	    {"\\x", "backslash"},
	    {"a\\", "ends with a backslash"},
	    {"\"a\\", "opened with \""},
	    {"\"a\\\"", "opened with \""},
	    {"a \\'b'", "backslash"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (strstr(split(slice_from(rows[i].line)), rows[i].about) == NULL)
			fail_msg("%s: %s", rows[i].line, split(slice_from(rows[i].line)));
	}
}

static void nul_ends_the_line(void **state)
{
	(void)state;
	assert_string_equal(split(SLICE("a b\0c \"")), "<a><b>");
	assert_string_equal(split(SLICE("\0a")), "");
	assert_non_null(strstr(split(SLICE("\"a\0\"")), "never closed"));
}

static void limits(void **state)
{
	(void)state;
	char line[WORDS_TEXT_MAX + 2];
	struct words w;
	assert_null(words_split(SLICE("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 \"18"), &w));
	assert_int_equal(w.n, WORDS_MAX);
	assert_true(slice_is(w.word[15], "16"));
	memset(line, 'x', sizeof line);
	assert_null(words_split((struct slice){line, WORDS_TEXT_MAX}, &w));
	assert_int_equal(w.word[0].n, WORDS_TEXT_MAX);
	assert_string_equal(words_split((struct slice){line, WORDS_TEXT_MAX + 1}, &w),
			    "the line is too long");
	memset(line, '"', sizeof line);
	assert_null(words_split((struct slice){line, 254}, &w));
	assert_int_equal(w.n, WORDS_MAX);
}

/* Every line of up to six characters of the kinds that matter, at the end of a page. */
static void every_short_line(void **state)
{
	(void)state;
	static const char kinds[] = {'a', ' ', '"', '\'', '\\', '#', '\n', '\0'};
	struct guarded g = guarded_new(8);
	struct words w;
	for (unsigned i = 0; i < 1u << 18; i++) {
		char line[6];
		for (unsigned k = 0; k < 6; k++)
			line[k] = kinds[i >> 3 * k & 7];
		size_t n = i % 7;
		const char *at = (const char *)guarded_copy(&g, line, n);
		if (words_split((struct slice){at, n}, &w) != NULL)
			continue;
		for (unsigned k = 0; k < w.n; k++)
			assert_true(w.word[k].n <= n && w.word[k].p >= w.text);
	}
	guarded_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines),
	    cmocka_unit_test(problems),
	    cmocka_unit_test(nul_ends_the_line),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(every_short_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
