/* SPDX-License-Identifier: MIT
 *
 * Packets of the control channel over TCP: each with its length in front, two bytes in network
 * order (OpenVPN socket.c stream_buf_added, link_socket_write_tcp).
 *
 * Happy path: control_stream_frame() on what is sent; control_stream_init(), then
 * control_stream_next() on each piece that is read until it says VERDICT_MORE. Failure modes: a
 * length of 0, or of more than a packet that we understand can have: somebody else speaks there (an
 * HTTPS server, say), and where the next packet begins is not known any more.
 */
#ifndef OVPNWATCH_PROTO_CONTROL_STREAM_H
#define OVPNWATCH_PROTO_CONTROL_STREAM_H

#include "proto/control_channel.h"
#include "proto/slice.h"
#include "proto/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_STREAM_HEAD 2
#define CONTROL_STREAM_MAX  (CONTROL_STREAM_HEAD + CONTROL_PACKET_MAX)

/* Writes a packet with its length in front. Returns the length of both, or 0 for a packet that is
 * empty or longer than CONTROL_PACKET_MAX. */
MUST_USE size_t control_stream_frame(const void *packet, size_t size,
				     uint8_t out[CONTROL_STREAM_MAX]);

struct control_stream {
	uint8_t buf[CONTROL_STREAM_MAX]; /* the frame in progress */
	size_t have;
	bool handed_out; /* the packet in buf is the caller's until the next call */
	bool broken;	 /* sticky */
};

/* Also between one connection and the next. Nothing to give back. */
void control_stream_init(struct control_stream *s);

/* Takes bytes off the front of `in`, until a packet is whole. VERDICT_DONE: *packet, at least one
 * byte, valid until the next call; there may be more in `in`. VERDICT_MORE: `in` is empty now.
 * VERDICT_INVALID: see above, also at every later call; close the connection. */
MUST_USE enum verdict control_stream_next(struct control_stream *s, struct slice *in,
					  struct slice *packet);

#endif
