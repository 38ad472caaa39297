/* SPDX-License-Identifier: MIT
 *
 * Probing a server: key files, answers under every wrap, TCP's framing. The first byte says which,
 * the rest is the text or the bytes. Beside memory errors: what is not taken leaves everything as
 * it was, a reset never grows beyond its bounds, an answer to another question is never taken, and
 * how a stream was torn does not matter.
 */
#include "proto/control_channel.h"
#include "proto/control_stream.h"
#include "support/control_server.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t session[CONTROL_SESSION_SIZE] = "session";

static void fuzz_key(enum control_wrap wrap, const uint8_t *data, size_t size)
{
	struct control_key k = {.wrap = wrap, .digest = "SHA1"}, before = k;
	struct slice text = {(const char *)data, size};
	uint8_t packet[CONTROL_PACKET_MAX];
	enum control_key_flaw flaw = control_key_parse(text, &k);
	if (flaw != CONTROL_KEY_FINE) {
		assert(memcmp(&k, &before, sizeof k) == 0);
		assert(*control_key_flaw_text(flaw, wrap) != '\0');
		return;
	}
	size_t n = control_reset(&k, session, 0, packet);
	assert(n > 0 && n <= sizeof packet);
	if (wrap != WRAP_TLS_CRYPT_V2)
		return;
	assert(k.wrapped.size >= WRAPPED_KEY_MIN && k.wrapped.size <= WRAPPED_KEY_MAX);
	assert(packet[n - 2] * 256u + packet[n - 1] == k.wrapped.size);
}

/* The bytes as they are, and as the body of a packet that was wrapped as it should be. */
static void fuzz_reply(enum control_wrap wrap, const uint8_t *data, size_t size)
{
	static uint8_t packet[(size_t)1 << 16];
	struct control_key key = {.wrap = wrap, .direction = KEY_INVERSE, .digest = "SHA256"};
	struct control_reply reply = {.time = 77};
	enum control_flaw flaw = control_reset_reply(&key, session, data, size, &reply);
	/* A MAC under an all-zero key is not guessed. */
	assert(wrap == WRAP_PLAIN || flaw != CONTROL_FINE);
	assert(flaw == CONTROL_FINE || reply.time == 77);
	if (size > sizeof packet - 128)
		return;
	size_t n = control_server_reply(&key, 1, data, size, packet);
	flaw = control_reset_reply(&key, session, packet, n, &reply);
	assert(flaw != CONTROL_BAD_MAC);
	if (flaw != CONTROL_FINE)
		return;
	assert(reply.has_time == (wrap != WRAP_PLAIN) && reply.time == reply.has_time);
	static const uint8_t other[CONTROL_SESSION_SIZE] = "sessioN";
	assert(control_reset_reply(&key, other, packet, n, &reply) == CONTROL_NOT_OURS);
	packet[n - 1] ^= 1;
	flaw = control_reset_reply(&key, session, packet, n, &reply);
	assert(wrap == WRAP_PLAIN || flaw == CONTROL_BAD_MAC);
}

/* What a stream comes to: a sum over its packets, and how it ended. */
struct reading {
	size_t packets, bytes;
	uint32_t sum;
	enum verdict end;
};

static struct reading read_stream(const uint8_t *data, size_t size, size_t piece)
{
	struct reading r = {.end = VERDICT_MORE};
	struct control_stream s;
	control_stream_init(&s);
	for (size_t at = 0; at < size && r.end == VERDICT_MORE; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		struct slice in = {(const char *)data + at, n}, packet;
		while ((r.end = control_stream_next(&s, &in, &packet)) == VERDICT_DONE) {
			assert(packet.n >= 1 && packet.n <= CONTROL_PACKET_MAX);
			r.packets++;
			r.bytes += packet.n;
			for (size_t i = 0; i < packet.n; i++)
				r.sum = r.sum * 31 + (uint8_t)packet.p[i];
		}
		assert(r.end == VERDICT_INVALID || in.n == 0);
	}
	return r;
}

static void fuzz_stream(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = {1, 2, 3, 7, 64, 1000};
	struct reading whole = read_stream(data, size, size + 1);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		struct reading torn = read_stream(data, size, pieces[i]);
		assert(torn.packets == whole.packets && torn.bytes == whole.bytes &&
		       torn.sum == whole.sum && torn.end == whole.end);
	}
	uint8_t frame[CONTROL_STREAM_MAX];
	size_t n = control_stream_frame(data, size, frame);
	assert((n > 0) == (size >= 1 && size <= CONTROL_PACKET_MAX));
	struct reading back = n > 0 ? read_stream(frame, n, 5) : (struct reading){0};
	assert(n == 0 || (back.packets == 1 && back.bytes == size && back.end == VERDICT_MORE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const enum control_wrap wrap = data[0] % 4;
	switch (data[0] / 4 % 4) {
	case 0:
		fuzz_key(wrap, data + 1, size - 1);
		break;
	case 1:
		fuzz_reply(wrap, data + 1, size - 1);
		break;
	default:
		fuzz_stream(data + 1, size - 1);
	}
	return 0;
}
