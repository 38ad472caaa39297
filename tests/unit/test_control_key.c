/* SPDX-License-Identifier: MIT */
#include "proto/control_key.h"
#include "support/text_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char texts[4][4096]; /* static, v2 client, v2 server, none */
static struct slice keys[4];

static int make_keys(void **state)
{
	(void)state;
	char *at = texts[0];
	at += sprintf(at, "-----BEGIN OpenVPN Static key V1-----\n");
	for (int i = 0; i < STATIC_KEY_SIZE; i++)
		at += sprintf(at, "%02x%s", i, i % 16 == 15 ? "\n" : "");
	sprintf(at, "-----END OpenVPN Static key V1-----\n");
	keys[0] = slice_from(texts[0]);
	keys[1] = text_fixture("tls_crypt_v2_client.key", texts[1], sizeof texts[1]);
	keys[2] = text_fixture("tls_crypt_v2_server.key", texts[2], sizeof texts[2]);
	keys[3] = SLICE("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	return 0;
}

static void which_key_for_which_wrap(void **state)
{
	(void)state;
	static const enum control_key_flaw flaws[][4] = {
	    [WRAP_PLAIN] = {CONTROL_KEY_BROKEN, CONTROL_KEY_BROKEN, CONTROL_KEY_BROKEN,
			    CONTROL_KEY_BROKEN},
	    [WRAP_TLS_AUTH] = {CONTROL_KEY_FINE, CONTROL_KEY_V2, CONTROL_KEY_V2_SERVERS,
			       CONTROL_KEY_BROKEN},
	    [WRAP_TLS_CRYPT] = {CONTROL_KEY_FINE, CONTROL_KEY_V2, CONTROL_KEY_V2_SERVERS,
				CONTROL_KEY_BROKEN},
	    [WRAP_TLS_CRYPT_V2] = {CONTROL_KEY_STATIC, CONTROL_KEY_FINE, CONTROL_KEY_V2_SERVERS,
				   CONTROL_KEY_BROKEN},
	};
	for (enum control_wrap wrap = WRAP_PLAIN; wrap <= WRAP_TLS_CRYPT_V2; wrap++) {
		for (size_t i = 0; i < 4; i++) {
			struct control_key k, before;
			memset(&k, 0x5a, sizeof k);
			k.wrap = wrap;
			before = k;
			assert_int_equal(control_key_parse(keys[i], &k), flaws[wrap][i]);
			if (flaws[wrap][i] == CONTROL_KEY_FINE)
				assert_memory_not_equal(&k.key, &before.key, sizeof k.key);
			else
				assert_memory_equal(&k, &before, sizeof k);
			if (wrap != WRAP_TLS_CRYPT_V2)
				assert_memory_equal(&k.wrapped, &before.wrapped, sizeof k.wrapped);
		}
	}
}

/* A damaged key is of its own kind, not somebody else's. */
static void damaged_keys(void **state)
{
	(void)state;
	struct control_key k = {.wrap = WRAP_TLS_CRYPT_V2};
	struct slice half = {keys[1].p, keys[1].n / 2};
	assert_int_equal(control_key_parse(half, &k), CONTROL_KEY_BROKEN);
	half = (struct slice){keys[0].p, keys[0].n / 2};
	k.wrap = WRAP_TLS_CRYPT;
	assert_int_equal(control_key_parse(half, &k), CONTROL_KEY_BROKEN);
	assert_int_equal(control_key_parse((struct slice){0}, &k), CONTROL_KEY_BROKEN);
}

static void what_is_said(void **state)
{
	(void)state;
	for (enum control_wrap wrap = WRAP_PLAIN; wrap <= WRAP_TLS_CRYPT_V2; wrap++) {
		for (int flaw = CONTROL_KEY_BROKEN; flaw <= CONTROL_KEY_V2_SERVERS; flaw++) {
			const char *text = control_key_flaw_text((enum control_key_flaw)flaw, wrap);
			assert_in_range(strlen(text), 30, 95);
			assert_true(slice_starts(slice_from(text), "is "));
		}
		assert_string_equal(control_key_flaw_text(CONTROL_KEY_FINE, wrap), "");
	}
	assert_string_equal(control_wrap_name(WRAP_PLAIN), "");
	assert_string_equal(control_wrap_name(WRAP_TLS_AUTH), "tls-auth");
	assert_string_equal(control_wrap_name(WRAP_TLS_CRYPT), "tls-crypt");
	assert_string_equal(control_wrap_name(WRAP_TLS_CRYPT_V2), "tls-crypt-v2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(which_key_for_which_wrap),
	    cmocka_unit_test(damaged_keys),
	    cmocka_unit_test(what_is_said),
	};
	return cmocka_run_group_tests(tests, make_keys, NULL);
}
