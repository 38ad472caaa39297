/* SPDX-License-Identifier: MIT */
#include "proto/wrapped_key.h"
#include "support/guard_page.h"
#include "support/hex_fixture.h"
#include "support/text_fixture.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CLIENT "OpenVPN tls-crypt-v2 client key"

/* A PEM block of `n` bytes; `eol` ends the lines. */
static struct slice pem(const char *name, const uint8_t *bytes, size_t n, const char *eol)
{
	static char text[8192];
	char line[128];
	size_t at = (size_t)sprintf(text, "-----BEGIN %s-----%s", name, eol);
	for (size_t i = 0; i < n; i += 48) {
		EVP_EncodeBlock((unsigned char *)line, bytes + i, n - i < 48 ? (int)(n - i) : 48);
		at += (size_t)sprintf(text + at, "%s%s", line, eol);
	}
	at += (size_t)sprintf(text + at, "-----END %s-----%s", name, eol);
	return (struct slice){text, at};
}

/* 256 bytes of a key and a WKc of `size` bytes that says `says` of itself. */
static struct slice key_of(size_t size, size_t says)
{
	static uint8_t bytes[4096];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	size_t end = STATIC_KEY_SIZE + size;
	if (size >= 2) {
		bytes[end - 2] = (uint8_t)(says >> 8);
		bytes[end - 1] = (uint8_t)says;
	}
	return pem(CLIENT, bytes, end, "\n");
}

static void assert_key(struct slice text, const uint8_t *bytes, size_t n)
{
	struct static_key k;
	struct wrapped_key w;
	assert_int_equal(wrapped_key_parse(text, &k, &w), VERDICT_DONE);
	assert_memory_equal(k.bytes, bytes, STATIC_KEY_SIZE);
	assert_int_equal(w.size, n - STATIC_KEY_SIZE);
	assert_memory_equal(w.bytes, bytes + STATIC_KEY_SIZE, w.size);
	assert_int_equal(ERR_peek_error(), 0);
}

static void assert_refused(struct slice text)
{
	struct static_key k, k_before;
	struct wrapped_key w, w_before;
	memset(&k, 0x5a, sizeof k);
	memset(&w, 0x5a, sizeof w);
	k_before = k;
	w_before = w;
	assert_int_equal(wrapped_key_parse(text, &k, &w), VERDICT_INVALID);
	assert_memory_equal(&k, &k_before, sizeof k);
	assert_memory_equal(&w, &w_before, sizeof w);
	assert_int_equal(ERR_peek_error(), 0);
}

/* As `openvpn --genkey` wrote them. */
static void real_keys(void **state)
{
	(void)state;
	char text[4096];
	struct hex_bytes shorter = hex_fixture("control_tls_crypt_v2.hex", "KEY-short", 0);
	struct hex_bytes longer = hex_fixture("control_tls_crypt_v2.hex", "KEY-long", 0);
	assert_int_equal(longer.n, STATIC_KEY_SIZE + WRAPPED_KEY_MAX);
	assert_key(text_fixture("tls_crypt_v2_client.key", text, sizeof text), shorter.b,
		   shorter.n);
	assert_key(text_fixture("tls_crypt_v2_client_long.key", text, sizeof text), longer.b,
		   longer.n);
	assert_refused(text_fixture("tls_crypt_v2_server.key", text, sizeof text));
}

static void ways_to_write_it(void **state)
{
	(void)state;
	struct hex_bytes b = hex_fixture("control_tls_crypt_v2.hex", "KEY-short", 0);
	char text[4096];
	assert_key(pem(CLIENT, b.b, b.n, "\r\n"), b.b, b.n);
	assert_key(pem(CLIENT, b.b, b.n, " \n"), b.b, b.n);
	/* A comment before it, and something else behind it. */
	struct slice s = pem(CLIENT, b.b, b.n, "\n");
	int n = snprintf(text, sizeof text, "# of the client\n\n%.*s-----BEGIN X-----\n", (int)s.n,
			 s.p);
	assert_key((struct slice){text, (size_t)n}, b.b, b.n);
	/* Without the last newline, as the last bytes of the text. */
	s.n--;
	assert_key(s, b.b, b.n);
}

static void no_keys(void **state)
{
	(void)state;
	struct hex_bytes b = hex_fixture("control_tls_crypt_v2.hex", "KEY-short", 0);
	assert_refused((struct slice){0});
	assert_refused(SLICE(""));
	assert_refused(SLICE("\n\n"));
	assert_refused(SLICE("-----BEGIN " CLIENT "-----"));
	assert_refused(SLICE("-----BEGIN " CLIENT "-----\n-----END " CLIENT "-----\n"));
	assert_refused(SLICE("-----BEGIN OpenVPN Static key V1-----\n00\n"
			     "-----END OpenVPN Static key V1-----\n"));
	assert_refused(pem("OpenVPN tls-crypt-v2 server key", b.b, b.n, "\n"));
	assert_refused(pem("OpenVPN tls-crypt-v2 client ke", b.b, b.n, "\n"));
	/* The first block counts, as for OpenVPN. */
	char text[4096];
	struct slice s = pem(CLIENT, b.b, b.n, "\n");
	int n = snprintf(text, sizeof text, "-----BEGIN X-----\nAAAA\n-----END X-----\n%.*s",
			 (int)s.n, s.p);
	assert_refused((struct slice){text, (size_t)n});
}

/* The guard page watches the end of the text. */
static void cut_short_anywhere(void **state)
{
	(void)state;
	struct hex_bytes b = hex_fixture("control_tls_crypt_v2.hex", "KEY-short", 0);
	struct slice whole = pem(CLIENT, b.b, b.n, "\n");
	struct guarded g = guarded_new(whole.n);
	for (size_t n = 0; n < whole.n - 1; n++)
		assert_refused((struct slice){(char *)guarded_copy(&g, whole.p, n), n});
	guarded_free(&g);
}

static void lengths(void **state)
{
	(void)state;
	static const size_t good[] = {WRAPPED_KEY_MIN, WRAPPED_KEY_MIN + 1, 299, 1000,
				      WRAPPED_KEY_MAX};
	static const size_t bad[] = {0, 1, 2, 255, WRAPPED_KEY_MIN - 1, WRAPPED_KEY_MAX + 1, 2048};
	struct static_key k;
	struct wrapped_key w;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(wrapped_key_parse(key_of(good[i], good[i]), &k, &w), VERDICT_DONE);
		assert_int_equal(w.size, good[i]);
		assert_int_equal(w.bytes[0], 0);
		assert_int_equal(w.bytes[1], 1);
		assert_refused(key_of(good[i], good[i] - 1));
		assert_refused(key_of(good[i], good[i] + 1));
		assert_refused(key_of(good[i], 0));
		assert_refused(key_of(good[i], UINT16_MAX));
		/* little-endian */
		if (good[i] % 256 != good[i] / 256)
			assert_refused(key_of(good[i], good[i] % 256 << 8 | good[i] / 256));
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_refused(key_of(bad[i], bad[i]));
	uint8_t kc[STATIC_KEY_SIZE] = {0};
	for (size_t n = 1; n <= sizeof kc; n++)
		assert_refused(pem(CLIENT, kc, n, "\n"));
}

/* Base64 that is nearly right, at the end and elsewhere. */
static void no_base64(void **state)
{
	(void)state;
	static const char *const ends[] = {"====", "----", "A===", "=A==", "AAAA", "A", "AA\nA"};
	struct hex_bytes b = hex_fixture("control_tls_crypt_v2.hex", "KEY-short", 0);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		char text[4096];
		struct slice s = pem(CLIENT, b.b, b.n, "\n");
		size_t foot = slice_find(s, "-----END");
		int n =
		    snprintf(text, sizeof text, "%.*s%s\n%s", (int)foot, s.p, ends[i], s.p + foot);
		assert_refused((struct slice){text, (size_t)n});
		s = pem(CLIENT, b.b, b.n, "\n");
		memcpy((char *)(uintptr_t)s.p + 80, ends[i], 1);
		if (ends[i][0] != 'A')
			assert_refused(s);
	}
}

/* Whatever one byte of the text is: a key of a right length, or none. */
static void every_byte_replaced(void **state)
{
	(void)state;
	static const char with[] = {'\0', '\n', ' ', '=', '-', '%', (char)0xff, 'A'};
	struct hex_bytes b = hex_fixture("control_tls_crypt_v2.hex", "KEY-short", 0);
	struct slice s = pem(CLIENT, b.b, b.n, "\n");
	char *text = (char *)(uintptr_t)s.p;
	for (size_t i = 0; i < s.n; i++) {
		for (size_t j = 0; j < sizeof with; j++) {
			struct static_key k;
			struct wrapped_key w;
			char before = text[i];
			text[i] = with[j];
			if (wrapped_key_parse(s, &k, &w) == VERDICT_DONE)
				assert_int_equal(w.size, b.n - STATIC_KEY_SIZE);
			text[i] = before;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(real_keys),
	    cmocka_unit_test(ways_to_write_it),
	    cmocka_unit_test(no_keys),
	    cmocka_unit_test(cut_short_anywhere),
	    cmocka_unit_test(lengths),
	    cmocka_unit_test(no_base64),
	    cmocka_unit_test(every_byte_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
