/* SPDX-License-Identifier: MIT */
#include "proto/control_channel.h"
#include "proto/wire.h"
#include "support/control_server.h"
#include "support/guard_page.h"
#include "support/hex_fixture.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* What was captured, and under which settings. */
static const struct capture {
	const char *label, *digest;
	enum control_wrap wrap;
	enum key_direction direction;
	const char *key; /* tls-crypt-v2: its label */
} captures[] = {
    {"SHA1/1", "SHA1", WRAP_TLS_AUTH, KEY_INVERSE, NULL},
    {"SHA1/0", "SHA1", WRAP_TLS_AUTH, KEY_NORMAL, NULL},
    {"SHA1/none", "SHA1", WRAP_TLS_AUTH, KEY_BIDIRECTIONAL, NULL},
    {"SHA256/1", "SHA256", WRAP_TLS_AUTH, KEY_INVERSE, NULL},
    {"SHA256/0", "SHA256", WRAP_TLS_AUTH, KEY_NORMAL, NULL},
    {"SHA256/none", "SHA256", WRAP_TLS_AUTH, KEY_BIDIRECTIONAL, NULL},
    {"SHA512/1", "SHA512", WRAP_TLS_AUTH, KEY_INVERSE, NULL},
    {"SHA512/0", "SHA512", WRAP_TLS_AUTH, KEY_NORMAL, NULL},
    {"SHA512/none", "SHA512", WRAP_TLS_AUTH, KEY_BIDIRECTIONAL, NULL},
    {"BLAKE2b512/1", "BLAKE2b512", WRAP_TLS_AUTH, KEY_INVERSE, NULL},
    {"MD5/1", "MD5", WRAP_TLS_AUTH, KEY_INVERSE, NULL},
    {"SHA512-256/1", "SHA512-256", WRAP_TLS_AUTH, KEY_INVERSE, NULL},
    {"plain", "", WRAP_PLAIN, KEY_BIDIRECTIONAL, NULL},
    /* Neither digest nor direction matter here: whatever the profile says. */
    {"tls-crypt", "", WRAP_TLS_CRYPT, KEY_BIDIRECTIONAL, NULL},
    {"tls-crypt", "SHA512", WRAP_TLS_CRYPT, KEY_NORMAL, NULL},
    {"short/default", "", WRAP_TLS_CRYPT_V2, KEY_BIDIRECTIONAL, "KEY-short"},
    {"short/force-cookie", "", WRAP_TLS_CRYPT_V2, KEY_NORMAL, "KEY-short"},
    {"short/allow-noncookie", "SHA1", WRAP_TLS_CRYPT_V2, KEY_INVERSE, "KEY-short"},
    {"long/default", "", WRAP_TLS_CRYPT_V2, KEY_BIDIRECTIONAL, "KEY-long"},
    {"long/force-cookie", "", WRAP_TLS_CRYPT_V2, KEY_BIDIRECTIONAL, "KEY-long"},
    {"long/allow-noncookie", "", WRAP_TLS_CRYPT_V2, KEY_BIDIRECTIONAL, "KEY-long"},
};
enum { N_CAPTURES = sizeof captures / sizeof *captures };

static const char *fixture_of(enum control_wrap wrap)
{
	if (wrap == WRAP_TLS_CRYPT_V2)
		return "control_tls_crypt_v2.hex";
	return wrap == WRAP_TLS_CRYPT ? "control_tls_crypt.hex" : "control_tls_auth.hex";
}

static struct control_key key_of(const struct capture *c)
{
	struct control_key k = {.wrap = c->wrap, .direction = c->direction};
	snprintf(k.digest, sizeof k.digest, "%s", c->digest);
	if (c->key != NULL) {
		struct hex_bytes b = hex_fixture(fixture_of(c->wrap), c->key, 0);
		memcpy(k.key.bytes, b.b, STATIC_KEY_SIZE);
		k.wrapped.size = b.n - STATIC_KEY_SIZE;
		memcpy(k.wrapped.bytes, b.b + STATIC_KEY_SIZE, k.wrapped.size);
		return k;
	}
	for (int i = 0; i < STATIC_KEY_SIZE; i++)
		k.key.bytes[i] = (uint8_t)i;
	return k;
}

static struct hex_bytes captured(const struct capture *c, const char *way)
{
	char label[64];
	snprintf(label, sizeof label, "%s-%s", way, c->label);
	return hex_fixture(fixture_of(c->wrap), label, 0);
}

static const uint8_t *session_of(const struct hex_bytes *request)
{
	return request->b + 1;
}

/* net_time stands behind head and packet id under tls-crypt, else 9 bytes before the end of a
 * reset: acklen and the message's number follow. */
static uint32_t time_of(const struct capture *c, const struct hex_bytes *request)
{
	size_t at = c->wrap >= WRAP_TLS_CRYPT ? 13 : request->n - 9;
	struct wire w = wire_over(request->b + at, 4);
	return wire_u32(&w);
}

/* Byte for byte what a real client sent, so the MAC too. */
static void request_is_openvpns(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CAPTURES; i++) {
		uint8_t out[CONTROL_PACKET_MAX];
		struct control_key k = key_of(&captures[i]);
		struct hex_bytes sent = captured(&captures[i], "REQ");
		size_t n = control_reset(&k, session_of(&sent), time_of(&captures[i], &sent), out);
		assert_int_equal(n, sent.n);
		assert_memory_equal(out, sent.b, n);
	}
}

static void real_reply_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CAPTURES; i++) {
		struct control_key k = key_of(&captures[i]);
		struct hex_bytes sent = captured(&captures[i], "REQ");
		struct hex_bytes back = captured(&captures[i], "RPY");
		struct control_reply r;
		assert_int_equal(control_reset_reply(&k, session_of(&sent), back.b, back.n, &r),
				 CONTROL_FINE);
		assert_int_equal(r.has_time, k.wrap != WRAP_PLAIN);
		if (r.has_time) /* both clocks were honest, and the answer came at once */
			assert_in_range(r.time, time_of(&captures[i], &sent),
					time_of(&captures[i], &sent) + 1);
	}
}

static void every_flipped_bit(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CAPTURES; i++) {
		struct control_key k = key_of(&captures[i]);
		struct hex_bytes sent = captured(&captures[i], "REQ");
		struct hex_bytes back = captured(&captures[i], "RPY");
		struct control_reply r, before;
		memset(&r, 0x5a, sizeof r);
		before = r;
		if (k.wrap == WRAP_PLAIN)
			continue;
		for (size_t bit = 0; bit < back.n * 8; bit++) {
			back.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
			enum control_flaw flaw =
			    control_reset_reply(&k, session_of(&sent), back.b, back.n, &r);
			assert_int_equal(flaw, bit < 8 ? CONTROL_NOT_A_RESET : CONTROL_BAD_MAC);
			back.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_memory_equal(&r, &before, sizeof r);
	}
}

static void another_key(void **state)
{
	(void)state;
	struct control_reply r;
	struct hex_bytes sent = captured(&captures[0], "REQ");
	struct hex_bytes back = captured(&captures[0], "RPY");
	struct control_key k = key_of(&captures[0]);
	k.key.bytes[64] ^= 1; /* the half that the server signs with */
	assert_int_equal(control_reset_reply(&k, session_of(&sent), back.b, back.n, &r),
			 CONTROL_BAD_MAC);
	k = key_of(&captures[0]);
	k.direction = KEY_NORMAL;
	assert_int_equal(control_reset_reply(&k, session_of(&sent), back.b, back.n, &r),
			 CONTROL_BAD_MAC);
	k = key_of(&captures[0]);
	strcpy(k.digest, "RIPEMD160"); /* of the same length */
	assert_int_equal(control_reset_reply(&k, session_of(&sent), back.b, back.n, &r),
			 CONTROL_BAD_MAC);
	/* The bytes beyond the digest's length are not part of the key. */
	k = key_of(&captures[0]);
	k.key.bytes[64 + 20] ^= 1;
	assert_int_equal(control_reset_reply(&k, session_of(&sent), back.b, back.n, &r),
			 CONTROL_FINE);
}

/* tls-crypt uses the first 32 bytes of each half, and answers come under the first key. */
static void another_tls_crypt_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CAPTURES; i++) {
		struct control_key k = key_of(&captures[i]);
		struct hex_bytes sent = captured(&captures[i], "REQ");
		struct hex_bytes back = captured(&captures[i], "RPY");
		struct control_reply r;
		if (k.wrap < WRAP_TLS_CRYPT)
			continue;
		for (size_t at = 0; at < STATIC_KEY_SIZE; at++) {
			bool used = at < 128 && at % 64 < 32;
			k.key.bytes[at] ^= 0x80;
			assert_int_equal(
			    control_reset_reply(&k, session_of(&sent), back.b, back.n, &r),
			    used ? CONTROL_BAD_MAC : CONTROL_FINE);
			k.key.bytes[at] ^= 0x80;
		}
	}
}

static void somebody_elses_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CAPTURES; i++) {
		struct control_key k = key_of(&captures[i]);
		struct hex_bytes back = captured(&captures[i], "RPY");
		struct hex_bytes sent = captured(&captures[i], "REQ");
		struct control_reply r;
		for (unsigned bit = 0; bit < 64; bit++) {
			sent.b[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_equal(
			    control_reset_reply(&k, session_of(&sent), back.b, back.n, &r),
			    CONTROL_NOT_OURS);
			sent.b[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* Bodies, each behind a head and a MAC that are right: the layout alone decides. */
static const struct {
	const char *body;
	enum control_flaw flaw;
} bodies[] = {
    {"0100000000010203040506070800000000", CONTROL_FINE},
    /* Early negotiation flags behind the packet's number */
    {"0100000000010203040506070800000000000100020001", CONTROL_FINE},
    /* Two acknowledgements, ours the second; eight, ours the last */
    {"020000000100000000010203040506070800000000", CONTROL_FINE},
    {"080000000800000007000000060000000500000004000000030000000200000000010203040506070800000000",
     CONTROL_FINE},
    {"0100000001010203040506070800000000", CONTROL_NOT_OURS},
    {"0000000000", CONTROL_NOT_OURS},
    {"0100000000010203040506070900000000", CONTROL_NOT_OURS},
    /* More acknowledgements than the protocol has, or than are there */
    {"09000000000000000000000000000000000000000000000000000000000000000000000000"
     "010203040506070800000000",
     CONTROL_NOT_A_RESET},
    {"0400000000010203040506070800000000", CONTROL_NOT_A_RESET},
    {"ff", CONTROL_NOT_A_RESET},
    /* Nothing at all; no packet number */
    {"", CONTROL_NOT_A_RESET},
    {"00", CONTROL_NOT_A_RESET},
    {"01000000000102030405060708", CONTROL_NOT_A_RESET},
};

static void layouts(void **state)
{
	(void)state;
	static const uint8_t session[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct guarded g = guarded_new(CONTROL_PACKET_MAX);
	for (size_t i = 0; i < N_CAPTURES; i++) {
		struct control_key k = key_of(&captures[i]);
		for (size_t j = 0; j < sizeof bodies / sizeof *bodies; j++) {
			uint8_t out[CONTROL_PACKET_MAX];
			struct hex_bytes b = hex_from(bodies[j].body);
			size_t n = control_server_reply(&k, 1795500007, b.b, b.n, out);
			struct control_reply r = {.time = 1};
			enum control_flaw flaw =
			    control_reset_reply(&k, session, guarded_copy(&g, out, n), n, &r);
			if (flaw != bodies[j].flaw)
				fail_msg("%s: %s: %d", captures[i].label, bodies[j].body, flaw);
			bool timed = flaw == CONTROL_FINE && k.wrap != WRAP_PLAIN;
			assert_int_equal(r.has_time, timed);
			assert_int_equal(r.time, flaw != CONTROL_FINE ? 1 : timed ? 1795500007 : 0);
		}
	}
	guarded_free(&g);
}

/* Key id 1; a client's resets; an acknowledgement; a data packet; our own reset come back. */
static void other_packets(void **state)
{
	(void)state;
	static const uint8_t firsts[] = {0x41, 0x38, 0x50, 0x28, 0x48, 0x20, 0x58, 0};
	for (size_t i = 0; i < N_CAPTURES; i++) {
		struct control_key k = key_of(&captures[i]);
		struct hex_bytes sent = captured(&captures[i], "REQ");
		struct hex_bytes back = captured(&captures[i], "RPY");
		struct control_reply r;
		for (size_t j = 0; j < sizeof firsts; j++) {
			back.b[0] = firsts[j];
			assert_int_equal(
			    control_reset_reply(&k, session_of(&sent), back.b, back.n, &r),
			    CONTROL_NOT_A_RESET);
		}
		assert_int_equal(control_reset_reply(&k, session_of(&sent), sent.b, sent.n, &r),
				 CONTROL_NOT_A_RESET);
	}
}

/* What a later version may add has its limit. */
static void longest_answer(void **state)
{
	(void)state;
	static const uint8_t session[] = {1, 2, 3, 4, 5, 6, 7, 8};
	static uint8_t body[CONTROL_PACKET_MAX], out[CONTROL_PACKET_MAX + 129];
	struct hex_bytes b = hex_from(bodies[0].body);
	memcpy(body, b.b, b.n);
	for (size_t i = 0; i < N_CAPTURES; i++) {
		struct control_key k = key_of(&captures[i]);
		struct control_reply r;
		size_t overhead = control_server_reply(&k, 0, NULL, 0, out);
		size_t n = CONTROL_PACKET_MAX - overhead;
		assert_int_equal(control_server_reply(&k, 0, body, n, out), CONTROL_PACKET_MAX);
		assert_int_equal(control_reset_reply(&k, session, out, CONTROL_PACKET_MAX, &r),
				 CONTROL_FINE);
		assert_int_equal(control_server_reply(&k, 0, body, n + 1, out),
				 CONTROL_PACKET_MAX + 1);
		assert_int_equal(control_reset_reply(&k, session, out, CONTROL_PACKET_MAX + 1, &r),
				 CONTROL_NOT_A_RESET);
	}
}

static void every_length(void **state)
{
	(void)state;
	struct guarded g = guarded_new(CONTROL_PACKET_MAX);
	for (size_t i = 0; i < N_CAPTURES; i++) {
		struct control_key k = key_of(&captures[i]);
		struct hex_bytes sent = captured(&captures[i], "REQ");
		struct hex_bytes back = captured(&captures[i], "RPY");
		struct control_reply r;
		for (size_t n = 0; n < back.n; n++) {
			const uint8_t *at = guarded_copy(&g, back.b, n);
			enum control_flaw flaw =
			    control_reset_reply(&k, session_of(&sent), at, n, &r);
			assert_true(flaw == CONTROL_NOT_A_RESET || flaw == CONTROL_BAD_MAC);
		}
		assert_int_equal(control_reset_reply(&k, session_of(&sent), NULL, 0, &r),
				 CONTROL_NOT_A_RESET);
	}
	guarded_free(&g);
}

static void whose_session(void **state)
{
	static const uint8_t packet[] = {0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	(void)state;
	assert_ptr_equal(control_session(packet, sizeof packet), packet + 1);
	assert_ptr_equal(control_session(packet, 9), packet + 1);
	assert_null(control_session(packet, 8));
	assert_null(control_session(packet, 0));
}

static void digest_names(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t size; /* of the MAC; 0: not for us */
	} rows[] = {
	    {"SHA1", 20},	{"sha1", 20},	      {"Sha256", 32},
	    {"SHA224", 28},	{"SHA384", 48},	      {"sha512", 64},
	    {"SHA512-256", 32}, {"SHA512-224", 28},   {"SHA3-256", 32},
	    {"MD5", 16},	{"blake2B512", 64},   {"BLAKE2s256", 32},
	    {"RIPEMD160", 20},	{"none", 0},	      {"", 0},
	    {"NULL", 0},	{"[null-digest]", 0}, {"SHA257", 0},
	    {"SHA1 ", 0},	{"SHAKE256", 0},      {"AES-256-GCM", 0},
	    {"?fips=yes", 0},
	};
	static const uint8_t session[CONTROL_SESSION_SIZE];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t out[CONTROL_PACKET_MAX];
		struct control_reply r;
		struct control_key k = {.wrap = WRAP_TLS_AUTH};
		snprintf(k.digest, sizeof k.digest, "%s", rows[i].name);
		size_t n = control_reset(&k, session, 0, out);
		if (n != (rows[i].size > 0 ? rows[i].size + 22 : 0))
			fail_msg("%s: %zu", rows[i].name, n);
		memset(out, 0, sizeof out);
		out[0] = 0x40;
		assert_int_equal(control_reset_reply(&k, session, out, sizeof out, &r),
				 CONTROL_BAD_MAC);
	}
	struct control_key k = {.wrap = WRAP_TLS_AUTH};
	uint8_t out[CONTROL_PACKET_MAX];
	memset(k.digest, 'S', sizeof k.digest); /* not terminated */
	assert_int_equal(control_reset(&k, session, 0, out), 0);
}

/* No WKc, or one that cannot be: no packet, and nothing written beyond it. */
static void no_wrapped_key(void **state)
{
	(void)state;
	static const uint8_t session[CONTROL_SESSION_SIZE];
	static const struct {
		size_t size, packet;
	} rows[] = {
	    {0, 0},
	    {WRAPPED_KEY_MIN - 1, 0},
	    {WRAPPED_KEY_MIN, 54 + WRAPPED_KEY_MIN},
	    {WRAPPED_KEY_MAX, 54 + WRAPPED_KEY_MAX},
	    {WRAPPED_KEY_MAX + 1, 0},
	    {SIZE_MAX, 0},
	};
	struct guarded g = guarded_new(CONTROL_PACKET_MAX);
	uint8_t zeros[CONTROL_PACKET_MAX] = {0};
	uint8_t *out = guarded_copy(&g, zeros, sizeof zeros);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct control_key k = {.wrap = WRAP_TLS_CRYPT_V2};
		k.wrapped.size = rows[i].size;
		assert_int_equal(control_reset(&k, session, 0, out), rows[i].packet);
		k.wrap = WRAP_TLS_CRYPT; /* which has none to look at */
		assert_int_equal(control_reset(&k, session, 0, out), 54);
	}
	guarded_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_is_openvpns),
	    cmocka_unit_test(real_reply_is_accepted),
	    cmocka_unit_test(every_flipped_bit),
	    cmocka_unit_test(another_key),
	    cmocka_unit_test(another_tls_crypt_key),
	    cmocka_unit_test(somebody_elses_answer),
	    cmocka_unit_test(layouts),
	    cmocka_unit_test(other_packets),
	    cmocka_unit_test(longest_answer),
	    cmocka_unit_test(every_length),
	    cmocka_unit_test(whose_session),
	    cmocka_unit_test(digest_names),
	    cmocka_unit_test(no_wrapped_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
