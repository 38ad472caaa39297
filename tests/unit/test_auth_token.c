/* SPDX-License-Identifier: MIT */
#include "proto/auth_token.h"
#include "support/guard_page.h"
#include "support/line_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define TOKEN  "SESS_ID_AT_"
#define ID     "p6K6bYVfV9HKTeSm"
#define HMAC30 "NKlLS9744QaypuPwVHm9jZ1q9QH85m9l/FEJxKkp" /* its last 30 bytes */
#define TIMES  "AAAAAGsGSSgAAAAAawZJKBcI"		  /* both times and its first 2 bytes */

static void assert_refused(const char *bytes, size_t n)
{
	struct guarded g = guarded_new(n);
	struct auth_token_times t = {.initial = 42, .renewed = 43};
	struct slice token = {(char *)guarded_copy(&g, bytes, n), n};
	assert_int_equal(auth_token_times(token, &t), VERDICT_INVALID);
	assert_int_equal(t.initial, 42);
	assert_int_equal(t.renewed, 43);
	guarded_free(&g);
}

static void assert_times(struct slice token, int64_t initial, int64_t renewed)
{
	struct guarded g = guarded_new(token.n);
	struct auth_token_times t = {0};
	token.p = (char *)guarded_copy(&g, token.p, token.n);
	assert_int_equal(auth_token_times(token, &t), VERDICT_DONE);
	assert_int_equal(t.initial, initial);
	assert_int_equal(t.renewed, renewed);
	guarded_free(&g);
}

/* Both ends on one machine: the server's second is that of the client's first line, and at the
 * renegotiation the token was made a second and a half before it was shown. */
static void pushed_by_a_real_server(void **state)
{
	(void)state;
	static const char fixture[] = "auth_token_2.6.14.txt";
	static const char start[] = ">PASSWORD:Auth-Token:";
	assert_times(line_fixture(fixture, start, 0), 1795574056, 1795574056);
	assert_times(line_fixture(fixture, start, 1), 1795574056, 1795574066);
}

static void times(void **state)
{
	(void)state;
	assert_times(SLICE(TOKEN ID TIMES HMAC30), 1795574056, 1795574056);
	/* every sextet there is, in a place that does not matter */
	assert_times(
	    SLICE(TOKEN "ABCDEFGHIJKLMNOP" TIMES "QRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123"),
	    1795574056, 1795574056);
	assert_times(SLICE(TOKEN "456789+/00000000" TIMES HMAC30), 1795574056, 1795574056);
	assert_times(SLICE(TOKEN ID "AAAAAAAAAAAAAAAAAAAAAAAA" HMAC30), 0, 0);
	/* set back between them */
	assert_times(SLICE(TOKEN ID "AAAAAGsGSSgAAAAAawZJJxcI" HMAC30), 1795574056, 1795574055);
	/* 2^32, and the last second of 2261 */
	assert_times(SLICE(TOKEN ID "AAAAAQAAAAAAAAACJTxYfxcI" HMAC30), INT64_C(1) << 32,
		     INT64_C(9214646399));
}

static void beyond_the_range(void **state)
{
	(void)state;
	static const char *const rows[] = {
	    TOKEN ID "/////////////////////xcI" HMAC30, /* -1, -1 */
	    TOKEN ID "gAAAAAAAAAAAAAAAawZJKBcI" HMAC30, /* INT64_MIN */
	    TOKEN ID "f/////////8AAAAAawZJKBcI" HMAC30, /* INT64_MAX */
	    TOKEN ID "AAAAAGsGSSgAAAACJTxYgBcI" HMAC30, /* 2262 */
	    TOKEN ID "AAAAAiU8WIAAAAAAawZJKBcI" HMAC30,
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_refused(rows[i], strlen(rows[i]));
}

static void other_tokens(void **state)
{
	(void)state;
	static const char *const rows[] = {
	    "",
	    TOKEN,
	    "SESS_ID",
	    "bearer of the bad news",
	    "SESS_ID_AB_" ID TIMES HMAC30,
	    "sess_id_at_" ID TIMES HMAC30,
	    " " TOKEN ID TIMES HMAC30,
	    TOKEN ID TIMES HMAC30 " ",
	    TOKEN ID TIMES HMAC30 "\r",
	    TOKEN ID TIMES HMAC30 "=",
	    TOKEN ID TIMES HMAC30 "A",
	    TOKEN ID TIMES HMAC30 "AAAA",
	    TOKEN ID TIMES "NKlLS9744QaypuPwVHm9jZ1q9QH85m9l/FEJxKk=",
	    TOKEN ID TIMES "NKlLS9744QaypuPwVHm9jZ1q9QH85m9l/FEJxK==",
	    TOKEN ID TIMES "NKlLS9744QaypuPwVHm9jZ1q9QH85m9l_FEJxKkp",
	    TOKEN ID TIMES "NKlLS9744QaypuPwVHm9jZ1q9QH85m9l-FEJxKkp",
	    TOKEN ID "AAAAAGsGSSgAAAAA\xff\x80ZJKBcI" HMAC30,
	    TOKEN TIMES HMAC30,
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_refused(rows[i], strlen(rows[i]));
	const char whole[] = TOKEN ID TIMES HMAC30;
	for (size_t n = 0; n < sizeof whole - 1; n++)
		assert_refused(whole, n);
	struct auth_token_times t;
	assert_int_equal(auth_token_times((struct slice){0}, &t), VERDICT_INVALID);
}

/* Each character counts: any that is not of the alphabet is refused, wherever it stands. */
static void every_place_and_character(void **state)
{
	(void)state;
	const char whole[] = TOKEN ID TIMES HMAC30;
	const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t at = sizeof TOKEN - 1; at < sizeof whole - 1; at++) {
		for (int c = 0; c < 256; c++) {
			char bytes[sizeof whole];
			struct auth_token_times t;
			memcpy(bytes, whole, sizeof whole);
			bytes[at] = (char)c;
			bool is_of_it = c != 0 && strchr(alphabet, c) != NULL;
			bool times_or_id =
			    at >= sizeof TOKEN - 1 + 16 && at < sizeof TOKEN - 1 + 40;
			struct slice token = {bytes, sizeof whole - 1};
			enum verdict verdict = auth_token_times(token, &t);
			/* within the times a character of the alphabet may make a year that is
			 * none */
			if (!is_of_it || !times_or_id)
				assert_int_equal(verdict,
						 is_of_it ? VERDICT_DONE : VERDICT_INVALID);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pushed_by_a_real_server),	 cmocka_unit_test(times),
	    cmocka_unit_test(beyond_the_range),		 cmocka_unit_test(other_tokens),
	    cmocka_unit_test(every_place_and_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
