/* SPDX-License-Identifier: MIT
 *
 * Key files by hand. (That a profile's are read is in test_profile_load.c.)
 */
#include "io/key_load.h"
#include "proto/control_channel.h"

#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char why[KEY_WHY_MAX];

static const char *fixture(const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/fixtures/%s", TESTS_DIR, name);
	return path;
}

static struct control_key key_for(enum control_wrap wrap)
{
	struct control_key k = {.wrap = wrap, .direction = KEY_INVERSE, .digest = "SHA256"};
	return k;
}

static void the_right_one(void **state)
{
	(void)state;
	struct control_key k = key_for(WRAP_TLS_CRYPT_V2);
	assert_true(key_load(&k, fixture("tls_crypt_v2_client.key"), why));
	assert_true(k.wrapped.size >= WRAPPED_KEY_MIN);
	/* What is the caller's stays. */
	assert_int_equal(k.wrap, WRAP_TLS_CRYPT_V2);
	assert_int_equal(k.direction, KEY_INVERSE);
	assert_string_equal(k.digest, "SHA256");
	assert_true(key_can_wrap(&k, why));
}

static void the_wrong_one(void **state)
{
	static const struct {
		enum control_wrap wrap;
		const char *file, *says;
	} cases[] = {
	    {WRAP_TLS_AUTH, "tls_crypt_v2_client.key",
	     "tls_crypt_v2_client.key) is a tls-crypt-v2 client key; it "
	     "belongs to the option tls-crypt-v2"},
	    {WRAP_TLS_CRYPT, "tls_crypt_v2_client.key", "is a tls-crypt-v2 client key"},
	    {WRAP_TLS_CRYPT, "tls_crypt_v2_server.key", "is a tls-crypt-v2 server key"},
	    {WRAP_TLS_CRYPT_V2, "tls_crypt_v2_server.key", "the client's is wanted"},
	    {WRAP_TLS_AUTH, "management_every.raw", "is not an \"OpenVPN Static key V1\""},
	    {WRAP_TLS_CRYPT_V2, "management_every.raw", "is not a whole"},
	    {WRAP_TLS_AUTH, "no-such-file", "no-such-file: no such file or directory; run"},
	    {WRAP_TLS_AUTH, "", "is a directory"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct control_key k = key_for(cases[i].wrap), before = k;
		if (key_load(&k, fixture(cases[i].file), why))
			fail_msg("taken: %s", cases[i].file);
		assert_memory_equal(&k, &before, sizeof k);
		const char *says = cases[i].says;
		if (strstr(why, says) == NULL)
			fail_msg("%s: said %s", cases[i].file, why);
	}
}

static void digest_that_nobody_knows(void **state)
{
	(void)state;
	struct control_key k = key_for(WRAP_TLS_AUTH);
	assert_true(key_can_wrap(&k, why));
	strcpy(k.digest, "NO-SUCH");
	assert_false(key_can_wrap(&k, why));
	assert_non_null(strstr(why, "auth NO-SUCH"));
	k.wrap = WRAP_TLS_CRYPT;
	assert_true(key_can_wrap(&k, why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_right_one),
	    cmocka_unit_test(the_wrong_one),
	    cmocka_unit_test(digest_that_nobody_knows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
