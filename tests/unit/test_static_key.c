/* SPDX-License-Identifier: MIT */
#include "proto/static_key.h"
#include "support/guard_page.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define HEAD  "-----BEGIN OpenVPN Static key V1-----"
#define LOWER "0123456789abcdef"
#define UPPER "0123456789ABCDEF"
#define FOOT  "-----END OpenVPN Static key V1-----"

/* A key file of `n` counting bytes (no secret) with these ends of line and digits, `after` each
 * byte. */
static struct slice key_file(const char *before, size_t n, const char *eol, const char *digits,
			     const char *after)
{
	static char text[4096];
	size_t at = (size_t)sprintf(text, "%s%s%s", before, HEAD, eol);
	for (size_t i = 0; i < n; i++) {
		at += (size_t)sprintf(text + at, "%c%c%s", digits[i / 16 % 16], digits[i % 16],
				      after);
		if (i % 16 == 15)
			at += (size_t)sprintf(text + at, "%s", eol);
	}
	at += (size_t)sprintf(text + at, "%s%s", FOOT, eol);
	return (struct slice){text, at};
}

static void assert_counting(struct slice text)
{
	struct static_key k;
	assert_int_equal(static_key_parse(text, &k), VERDICT_DONE);
	for (int i = 0; i < STATIC_KEY_SIZE; i++)
		assert_int_equal(k.bytes[i], i);
}

static void assert_refused(struct slice text)
{
	struct static_key k, before;
	memset(&k, 0x5a, sizeof k);
	before = k;
	assert_int_equal(static_key_parse(text, &k), VERDICT_INVALID);
	assert_memory_equal(&k, &before, sizeof k);
}

static void key_files(void **state)
{
	(void)state;
	assert_counting(key_file("#\n# 2048 bit OpenVPN static key\n#\n", 256, "\n", LOWER, ""));
	assert_counting(key_file("", 256, "\r\n", LOWER, ""));
	assert_counting(key_file("\n\n", 256, "\n", UPPER, " "));
	assert_counting(key_file("", 256, "\n\n", LOWER, "\t"));
	/* As an indented inline block, and with the END line as the last bytes of the text. */
	assert_counting(key_file("  ", 256, "\n  ", LOWER, ""));
	struct slice cut = key_file("", 256, "\n", LOWER, "");
	cut.n--;
	assert_counting(cut);
}

static void no_key_files(void **state)
{
	(void)state;
	assert_refused((struct slice){0});
	assert_refused(SLICE(""));
	assert_refused(SLICE("\n\n"));
	assert_refused(SLICE(HEAD));
	assert_refused(SLICE(HEAD "\n" FOOT "\n"));
	assert_refused(SLICE("-----BEGIN PRIVATE KEY-----\n00\n-----END PRIVATE KEY-----\n"));
	assert_refused(key_file("", 255, "\n", LOWER, ""));
	assert_refused(key_file("", 257, "\n", LOWER, ""));
	assert_refused(key_file("", 128, "\n", LOWER, ""));
	assert_refused(key_file("", 256, "\n", LOWER, "g"));
	assert_refused(key_file("", 256, "\n", LOWER, "0"));
	/* Every text that was cut short; the guard page watches its end. */
	struct slice whole = key_file("", 256, "\n", LOWER, "");
	struct guarded g = guarded_new(whole.n);
	for (size_t n = 0; n < whole.n - 1; n++)
		assert_refused((struct slice){(char *)guarded_copy(&g, whole.p, n), n});
	guarded_free(&g);
}

static void nul_is_no_digit(void **state)
{
	(void)state;
	struct slice s = key_file("", 256, "\n", LOWER, "");
	((char *)(uintptr_t)s.p)[100] = '\0';
	assert_refused(s);
}

static void which_key_goes_where(void **state)
{
	(void)state;
	struct static_key k;
	assert_int_equal(static_key_parse(key_file("", 256, "\n", LOWER, ""), &k), VERDICT_DONE);
	assert_int_equal(*static_key_cipher(&k, KEY_BIDIRECTIONAL, true), 0);
	assert_int_equal(*static_key_hmac(&k, KEY_BIDIRECTIONAL, true), 64);
	assert_int_equal(*static_key_hmac(&k, KEY_BIDIRECTIONAL, false), 64);
	assert_int_equal(*static_key_hmac(&k, KEY_NORMAL, true), 64);
	assert_int_equal(*static_key_hmac(&k, KEY_NORMAL, false), 192);
	assert_int_equal(*static_key_hmac(&k, KEY_INVERSE, true), 192);
	assert_int_equal(*static_key_hmac(&k, KEY_INVERSE, false), 64);
	assert_int_equal(*static_key_cipher(&k, KEY_INVERSE, true), 128);
	assert_int_equal(*static_key_cipher(&k, KEY_INVERSE, false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_files),
	    cmocka_unit_test(no_key_files),
	    cmocka_unit_test(nul_is_no_digit),
	    cmocka_unit_test(which_key_goes_where),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
