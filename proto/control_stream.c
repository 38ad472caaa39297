/* SPDX-License-Identifier: MIT
 *
 * Every byte goes through the buffer: packets are short and few, and so it does not matter where
 * they were torn.
 */
#include "proto/control_stream.h"

#include "proto/wire.h"

size_t control_stream_frame(const void *packet, size_t size, uint8_t out[CONTROL_STREAM_MAX])
{
	if (size == 0 || size > CONTROL_PACKET_MAX)
		return 0;
	wire_put(out, size, CONTROL_STREAM_HEAD);
	memcpy(out + CONTROL_STREAM_HEAD, packet, size);
	return CONTROL_STREAM_HEAD + size;
}

void control_stream_init(struct control_stream *s)
{
	s->have = 0;
	s->handed_out = s->broken = false;
}

/* Fills buf up to `size` bytes. False: there are not enough yet. */
static bool fill(struct control_stream *s, size_t size, struct slice *in)
{
	size_t n = size - s->have < in->n ? size - s->have : in->n;
	if (n > 0)
		memcpy(s->buf + s->have, in->p, n);
	s->have += n;
	*in = slice_skip(*in, n);
	return s->have == size;
}

enum verdict control_stream_next(struct control_stream *s, struct slice *in, struct slice *packet)
{
	if (s->broken)
		return VERDICT_INVALID;
	if (s->handed_out)
		control_stream_init(s);
	if (s->have < CONTROL_STREAM_HEAD && !fill(s, CONTROL_STREAM_HEAD, in))
		return VERDICT_MORE;
	struct wire head = wire_over(s->buf, CONTROL_STREAM_HEAD);
	size_t size = wire_u16(&head);
	if (size == 0 || size > CONTROL_PACKET_MAX) {
		s->broken = true;
		return VERDICT_INVALID;
	}
	if (!fill(s, CONTROL_STREAM_HEAD + size, in))
		return VERDICT_MORE;
	s->handed_out = true;
	*packet = (struct slice){.p = (const char *)s->buf + CONTROL_STREAM_HEAD, .n = size};
	return VERDICT_DONE;
}
