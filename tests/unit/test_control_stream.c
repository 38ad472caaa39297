/* SPDX-License-Identifier: MIT */
#include "proto/control_stream.h"
#include "support/guard_page.h"
#include "support/hex_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char fixture[] = "control_tcp.hex";
static const char *const labels[] = {"REQ-plain",    "RPY-plain",     "REQ-tls-auth",
				     "RPY-tls-auth", "REQ-tls-crypt", "RPY-tls-crypt",
				     "REQ-long",     "RPY-long"};
enum { N_LABELS = sizeof labels / sizeof *labels };

static struct slice slice_of(const struct hex_bytes *b)
{
	return (struct slice){(const char *)b->b, b->n};
}

/* Each capture is one packet, whole, and framed again it is the same bytes. */
static void captures_are_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_LABELS; i++) {
		struct hex_bytes b = hex_fixture(fixture, labels[i], 0);
		struct slice in = slice_of(&b), packet;
		struct control_stream s;
		uint8_t out[CONTROL_STREAM_MAX];
		control_stream_init(&s);
		assert_int_equal(control_stream_next(&s, &in, &packet), VERDICT_DONE);
		assert_int_equal(in.n, 0);
		assert_int_equal(packet.n, b.n - 2);
		assert_memory_equal(packet.p, b.b + 2, packet.n);
		assert_int_equal(control_stream_frame(packet.p, packet.n, out), b.n);
		assert_memory_equal(out, b.b, b.n);
		assert_int_equal(control_stream_next(&s, &in, &packet), VERDICT_MORE);
	}
}

/* What a real server says over TCP is an answer like any other. */
static void answers_are_understood(void **state)
{
	(void)state;
	static const struct {
		const char *label, *digest;
		enum control_wrap wrap;
	} rows[] = {
	    {"plain", "", WRAP_PLAIN},
	    {"tls-auth", "SHA256", WRAP_TLS_AUTH},
	    {"tls-crypt", "", WRAP_TLS_CRYPT},
	    {"long", "", WRAP_TLS_CRYPT_V2},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char label[32];
		struct control_key k = {.wrap = rows[i].wrap, .direction = KEY_INVERSE};
		struct control_reply r;
		snprintf(k.digest, sizeof k.digest, "%s", rows[i].digest);
		for (int j = 0; j < STATIC_KEY_SIZE; j++)
			k.key.bytes[j] = (uint8_t)j;
		if (k.wrap == WRAP_TLS_CRYPT_V2) {
			struct hex_bytes b = hex_fixture("control_tls_crypt_v2.hex", "KEY-long", 0);
			memcpy(k.key.bytes, b.b, STATIC_KEY_SIZE);
		}
		snprintf(label, sizeof label, "REQ-%s", rows[i].label);
		struct hex_bytes sent = hex_fixture(fixture, label, 0);
		snprintf(label, sizeof label, "RPY-%s", rows[i].label);
		struct hex_bytes back = hex_fixture(fixture, label, 0);
		assert_int_equal(control_reset_reply(&k, sent.b + 3, back.b + 2, back.n - 2, &r),
				 CONTROL_FINE);
	}
}

/* All captures, one behind the other, as one stream. */
static struct slice whole_stream(void)
{
	static char text[8192];
	struct slice all = {text, 0};
	for (size_t i = 0; i < N_LABELS; i++) {
		struct hex_bytes b = hex_fixture(fixture, labels[i], 0);
		memcpy(text + all.n, b.b, b.n);
		all.n += b.n;
	}
	return all;
}

/* Reads a piece whose end is the guard page; counts the packets, which must be the captured ones.
 */
static void read_piece(struct control_stream *s, struct guarded *g, struct slice piece,
		       size_t *packets)
{
	struct slice in = {(const char *)guarded_copy(g, piece.p, piece.n), piece.n}, packet;
	while (control_stream_next(s, &in, &packet) == VERDICT_DONE) {
		struct hex_bytes b = hex_fixture(fixture, labels[*packets], 0);
		assert_int_equal(packet.n, b.n - 2);
		assert_memory_equal(packet.p, b.b + 2, packet.n);
		++*packets;
	}
	assert_int_equal(in.n, 0);
}

static void torn_once_anywhere(void **state)
{
	(void)state;
	struct slice all = whole_stream();
	struct guarded g = guarded_new(all.n);
	struct control_stream s;
	control_stream_init(&s);
	for (size_t cut = 0; cut <= all.n; cut++) {
		size_t packets = 0;
		read_piece(&s, &g, (struct slice){all.p, cut}, &packets);
		read_piece(&s, &g, slice_skip(all, cut), &packets);
		assert_int_equal(packets, N_LABELS);
	}
	guarded_free(&g);
}

static void in_pieces_of_every_size(void **state)
{
	(void)state;
	struct slice all = whole_stream();
	struct guarded g = guarded_new(all.n);
	for (size_t size = 1; size <= 80; size++) {
		size_t packets = 0;
		struct control_stream s;
		control_stream_init(&s);
		for (struct slice rest = all; rest.n > 0; rest = slice_skip(rest, size))
			read_piece(&s, &g, (struct slice){rest.p, rest.n < size ? rest.n : size},
				   &packets);
		assert_int_equal(packets, N_LABELS);
	}
	guarded_free(&g);
}

static void assert_broken(struct control_stream *s, struct slice in)
{
	struct slice packet = SLICE("x"), good = SLICE("\0\1a");
	assert_int_equal(control_stream_next(s, &in, &packet), VERDICT_INVALID);
	assert_int_equal(control_stream_next(s, &good, &packet), VERDICT_INVALID);
	assert_true(slice_is(packet, "x"));
}

static void impossible_lengths(void **state)
{
	(void)state;
	static const char *const texts[] = {"HTTP/1.1 400 Bad Request\r\n", "SSH-2.0-x\r\n",
					    "\x15\x03\x03"};
	struct control_stream s;
	for (unsigned size = 0; size <= UINT16_MAX; size++) {
		char head[2] = {(char)(size >> 8), (char)size};
		struct slice in = {head, 1}, packet;
		bool fine = size >= 1 && size <= CONTROL_PACKET_MAX;
		control_stream_init(&s);
		assert_int_equal(control_stream_next(&s, &in, &packet), VERDICT_MORE);
		in = (struct slice){head + 1, 1};
		assert_int_equal(control_stream_next(&s, &in, &packet),
				 fine ? VERDICT_MORE : VERDICT_INVALID);
		control_stream_init(&s);
		in = (struct slice){head, 2};
		assert_int_equal(control_stream_next(&s, &in, &packet),
				 fine ? VERDICT_MORE : VERDICT_INVALID);
	}
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		control_stream_init(&s);
		assert_broken(&s, slice_from(texts[i]));
	}
	/* Behind a packet that was fine; the next connection begins anew. */
	struct slice in = SLICE("\0\1a\0\0b"), packet;
	control_stream_init(&s);
	assert_int_equal(control_stream_next(&s, &in, &packet), VERDICT_DONE);
	assert_true(slice_is(packet, "a"));
	assert_broken(&s, in);
	control_stream_init(&s);
	in = SLICE("\0\1c");
	assert_int_equal(control_stream_next(&s, &in, &packet), VERDICT_DONE);
	assert_true(slice_is(packet, "c"));
}

static void longest_packet(void **state)
{
	(void)state;
	uint8_t packet[CONTROL_PACKET_MAX + 1], out[CONTROL_STREAM_MAX] = {0};
	memset(packet, 0xa5, sizeof packet);
	assert_int_equal(control_stream_frame(packet, 0, out), 0);
	assert_int_equal(control_stream_frame(packet, sizeof packet, out), 0);
	assert_int_equal(out[0], 0);
	assert_int_equal(control_stream_frame(packet, CONTROL_PACKET_MAX, out), sizeof out);
	struct slice in = {(const char *)out, sizeof out}, back;
	struct control_stream s;
	control_stream_init(&s);
	assert_int_equal(control_stream_next(&s, &in, &back), VERDICT_DONE);
	assert_int_equal(back.n, CONTROL_PACKET_MAX);
	assert_memory_equal(back.p, packet, back.n);
}

static void nothing_to_read(void **state)
{
	(void)state;
	struct control_stream s;
	struct slice in = {0}, packet;
	control_stream_init(&s);
	assert_int_equal(control_stream_next(&s, &in, &packet), VERDICT_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(captures_are_frames), cmocka_unit_test(answers_are_understood),
	    cmocka_unit_test(torn_once_anywhere),  cmocka_unit_test(in_pieces_of_every_size),
	    cmocka_unit_test(impossible_lengths),  cmocka_unit_test(longest_packet),
	    cmocka_unit_test(nothing_to_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
