/* SPDX-License-Identifier: MIT */
#include "proto/control_channel.h"
#include "proto/wire.h"
#include "support/guard_page.h"
#include "support/hex_fixture.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char fixture[] = "control_tls_auth.hex";

/* What was captured, and under which settings. */
static const struct capture {
	const char *label, *digest;
	enum control_wrap wrap;
	enum key_direction direction;
} captures[] = {
    {"SHA1/1", "SHA1", WRAP_TLS_AUTH, KEY_INVERSE},
    {"SHA1/0", "SHA1", WRAP_TLS_AUTH, KEY_NORMAL},
    {"SHA1/none", "SHA1", WRAP_TLS_AUTH, KEY_BIDIRECTIONAL},
    {"SHA256/1", "SHA256", WRAP_TLS_AUTH, KEY_INVERSE},
    {"SHA256/0", "SHA256", WRAP_TLS_AUTH, KEY_NORMAL},
    {"SHA256/none", "SHA256", WRAP_TLS_AUTH, KEY_BIDIRECTIONAL},
    {"SHA512/1", "SHA512", WRAP_TLS_AUTH, KEY_INVERSE},
    {"SHA512/0", "SHA512", WRAP_TLS_AUTH, KEY_NORMAL},
    {"SHA512/none", "SHA512", WRAP_TLS_AUTH, KEY_BIDIRECTIONAL},
    {"BLAKE2b512/1", "BLAKE2b512", WRAP_TLS_AUTH, KEY_INVERSE},
    {"MD5/1", "MD5", WRAP_TLS_AUTH, KEY_INVERSE},
    {"SHA512-256/1", "SHA512-256", WRAP_TLS_AUTH, KEY_INVERSE},
    {"plain", "", WRAP_PLAIN, KEY_BIDIRECTIONAL},
};
enum { N_CAPTURES = sizeof captures / sizeof *captures };

static struct control_key key_of(const struct capture *c)
{
	struct control_key k = {.wrap = c->wrap, .direction = c->direction};
	for (int i = 0; i < STATIC_KEY_SIZE; i++)
		k.key.bytes[i] = (uint8_t)i;
	snprintf(k.digest, sizeof k.digest, "%s", c->digest);
	return k;
}

static struct hex_bytes captured(const struct capture *c, const char *way)
{
	char label[64];
	snprintf(label, sizeof label, "%s-%s", way, c->label);
	return hex_fixture(fixture, label, 0);
}

static const uint8_t *session_of(const struct hex_bytes *request)
{
	return request->b + 1;
}

/* net_time stands 9 bytes before the end of a reset: acklen and the message's number follow. */
static uint32_t time_of(const struct hex_bytes *request)
{
	struct wire w = wire_over(request->b + request->n - 9, 4);
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
		size_t n = control_reset(&k, session_of(&sent), time_of(&sent), out);
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
		assert_int_equal(r.has_time, k.wrap == WRAP_TLS_AUTH);
		if (r.has_time) /* both clocks were honest, and the answer came at once */
			assert_in_range(r.time, time_of(&sent), time_of(&sent) + 1);
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

/* Without a MAC the layout alone decides. */
static void plain_layouts(void **state)
{
	(void)state;
	static const struct {
		const char *packet;
		enum control_flaw flaw;
	} rows[] = {
	    {"40a1a2a3a4a5a6a7a801000000000102030405060708"
	     "00000000",
	     CONTROL_FINE},
	    /* Early negotiation flags behind the packet's number */
	    {"40a1a2a3a4a5a6a7a801000000000102030405060708"
	     "00000000000100020001",
	     CONTROL_FINE},
	    /* Two acknowledgements, ours the second */
	    {"40a1a2a3a4a5a6a7a80200000001000000000102030405060708"
	     "00000000",
	     CONTROL_FINE},
	    {"40a1a2a3a4a5a6a7a801000000010102030405060708"
	     "00000000",
	     CONTROL_NOT_OURS},
	    {"40a1a2a3a4a5a6a7a800"
	     "00000000",
	     CONTROL_NOT_OURS},
	    {"40a1a2a3a4a5a6a7a801000000000102030405060709"
	     "00000000",
	     CONTROL_NOT_OURS},
	    /* More acknowledgements than the protocol has, or than are there */
	    {"40a1a2a3a4a5a6a7a809"
	     "000000000000000000000000000000000000000000000000"
	     "000000000000000000000000010203040506070800000000",
	     CONTROL_NOT_A_RESET},
	    {"40a1a2a3a4a5a6a7a804000000000102030405060708"
	     "00000000",
	     CONTROL_NOT_A_RESET},
	    /* Key id 1; a client's reset; an acknowledgement; a data packet */
	    {"41a1a2a3a4a5a6a7a80100000000010203040506070800000000", CONTROL_NOT_A_RESET},
	    {"38a1a2a3a4a5a6a7a80000000000", CONTROL_NOT_A_RESET},
	    {"28a1a2a3a4a5a6a7a801000000000102030405060708", CONTROL_NOT_A_RESET},
	    {"48000000", CONTROL_NOT_A_RESET},
	};
	static const uint8_t session[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct control_key k = {.wrap = WRAP_PLAIN};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct control_reply r = {.has_time = true};
		struct hex_bytes b = hex_from(rows[i].packet);
		assert_int_equal(control_reset_reply(&k, session, b.b, b.n, &r), rows[i].flaw);
		assert_int_equal(r.has_time, rows[i].flaw != CONTROL_FINE);
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

static void wraps_not_spoken(void **state)
{
	(void)state;
	static const uint8_t session[CONTROL_SESSION_SIZE];
	struct control_key k = {.wrap = WRAP_TLS_CRYPT, .digest = "SHA256"};
	struct control_reply r;
	uint8_t out[CONTROL_PACKET_MAX] = {0x40};
	assert_true(control_wrap_supported(WRAP_PLAIN));
	assert_true(control_wrap_supported(WRAP_TLS_AUTH));
	for (; k.wrap <= WRAP_TLS_CRYPT_V2; k.wrap++) {
		assert_false(control_wrap_supported(k.wrap));
		assert_int_equal(control_reset(&k, session, 0, out), 0);
		assert_int_equal(control_reset_reply(&k, session, out, sizeof out, &r),
				 CONTROL_NOT_A_RESET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_is_openvpns),   cmocka_unit_test(real_reply_is_accepted),
	    cmocka_unit_test(every_flipped_bit),     cmocka_unit_test(another_key),
	    cmocka_unit_test(somebody_elses_answer), cmocka_unit_test(plain_layouts),
	    cmocka_unit_test(every_length),	     cmocka_unit_test(digest_names),
	    cmocka_unit_test(wraps_not_spoken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
