/* SPDX-License-Identifier: MIT
 *
 * Text from outside is harmless when it comes out, and as long as it was allowed to be.
 */
#include "sink/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct sample {
	const char *in, *out;
};

static void text_is_printable_ascii(void **state)
{
	static const struct sample samples[] = {
	    {"", ""},
	    {"[server] Inactivity timeout", "[server] Inactivity timeout"},
	    {"a\nb\r\tc", "a\\x0ab\\x0d\\x09c"},
	    {"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"},
	    {"\x7f\xff", "\\x7f\\xff"},
	    {"C:\\vpn", "C:\\\\vpn"},
	    {"B\xc3\xbcro", "B\\xc3\\xbcro"},
	    {"\xc2\x9b"
	     "31m",
	     "\\xc2\\x9b31m"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		char out[64];
		size_t n = escape_text(samples[i].in, out, sizeof out);
		assert_string_equal(out, samples[i].out);
		assert_int_equal(n, strlen(samples[i].out));
	}
}

static void text_is_never_cut_inside_an_escape(void **state)
{
	(void)state;
	for (size_t size = 1; size < 16; size++) {
		char *out = malloc(size); /* exact: one byte too far is seen */
		assert_non_null(out);
		size_t n = escape_text("ab\x01\x02\\", out, size);
		assert_true(n < size);
		assert_int_equal(out[n], '\0');
		assert_true(n == 0 || n == 1 || n == 2 || n == 6 || n == 10 || n == 12);
		free(out);
	}
}

static void json_keeps_what_is_text(void **state)
{
	static const struct sample samples[] = {
	    {"", ""},
	    {"C:\\vpn \"x\"", "C:\\vpn \"x\""},
	    {"B\xc3\xbcro \xe2\x82\xac \xf0\x9f\x90\xa2",
	     "B\xc3\xbcro \xe2\x82\xac \xf0\x9f\x90\xa2"},
	    {"\x1b[31m", "\\x1b[31m"},
	    {"\x7f", "\\x7f"},
	    {"M\xfcller", "M\\xfcller"}, /* Latin-1 */
	    {"\xc2\x9b", "\\xc2\\x9b"},	 /* C1: CSI */
	    {"a\xe2\x80\xae"
	     "cba",
	     "a\\xe2\\x80\\xae"
	     "cba"}, /* right-to-left override */
	    {"\xe2\x80\x8b\xef\xbb\xbf", "\\xe2\\x80\\x8b\\xef\\xbb\\xbf"}, /* ZWSP, BOM */
	    {"\xc0\xaf", "\\xc0\\xaf"},					    /* overlong */
	    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
	    {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
	    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},	  /* a surrogate */
	    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
	    {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
	    {"\xe2\x82", "\\xe2\\x82"}, /* ends early */
	    {"\xe2\x82x", "\\xe2\\x82x"},
	    {"\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"}, /* a tag */
	};
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		char out[64];
		char *in = strdup(samples[i].in); /* exact size, for ASan */
		size_t n = escape_json(in, 1000, out, sizeof out);
		assert_string_equal(out, samples[i].out);
		assert_int_equal(n, strlen(samples[i].out));
		free(in);
	}
}

/* What jansson makes of it with JSON_ENSURE_ASCII. */
static size_t json_cost(const char *s)
{
	size_t cost = 0;
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			cost += 2;
		else if (c < 0x80)
			cost += 1;
		else if (c >= 0xf0)
			cost += 12;
		else if (c >= 0xc0)
			cost += 6;
	}
	return cost;
}

static void json_keeps_its_budget(void **state)
{
	const char *text = "ab\x01\"\\\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa2xyz\xff";
	char whole[64];
	(void)state;
	(void)escape_json(text, 1000, whole, sizeof whole);
	for (size_t budget = 3; budget < 64; budget++) {
		char out[64];
		(void)escape_json(text, budget, out, sizeof out);
		assert_true(json_cost(out) <= budget);
		if (json_cost(whole) <= budget) {
			assert_string_equal(out, whole);
			continue;
		}
		size_t n = strlen(out);
		assert_true(n >= 3);
		assert_string_equal(out + n - 3, "...");
		assert_memory_equal(out, whole, n - 3);
		assert_true((whole[n - 3] & 0xc0) != 0x80); /* between two characters */
	}
}

static void json_keeps_to_its_buffer(void **state)
{
	(void)state;
	for (size_t size = 4; size < 30; size++) {
		char *out = malloc(size);
		assert_non_null(out);
		size_t n =
		    escape_json("\xff\xff\xff\xe2\x82\xac\xe2\x82\xac plain text", 1000, out, size);
		assert_true(n < size);
		assert_int_equal(strlen(out), n);
		assert_true(strcmp(out + n - 3, "...") == 0);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_printable_ascii),
	    cmocka_unit_test(text_is_never_cut_inside_an_escape),
	    cmocka_unit_test(json_keeps_what_is_text),
	    cmocka_unit_test(json_keeps_its_budget),
	    cmocka_unit_test(json_keeps_to_its_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
