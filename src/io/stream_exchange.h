/* SPDX-License-Identifier: MIT
 *
 * One packet by TCP and what comes back: a fresh connection, the packet with its length in front as
 * soon as the connection stands, and the packets that the server sends on it. The counterpart of
 * io/exchange, with the clocks read at the same places.
 *
 * Happy path: stream_exchange_open(), stream_exchange_send(), the packet callback,
 * stream_exchange_close(), the closed callback. Failure modes: what the kernel says at once (no
 * route) is returned; what becomes of the connecting and of the connection comes to the error
 * callback, after which the connection is of no more use: close it. A server that accepts and is
 * silent, or never ends its packet, is no error: whoever waits knows how long.
 */
#ifndef OVPNWATCH_IO_STREAM_EXCHANGE_H
#define OVPNWATCH_IO_STREAM_EXCHANGE_H

#include "core/stamp.h"
#include "proto/control_stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/* What comes is not packets with their length in front: somebody else speaks there. */
#define STREAM_EXCHANGE_GARBAGE UV_EILSEQ

struct stream_exchange;

/* None comes after stream_exchange_close(), except `closed`, which comes once. */
struct stream_exchange_callbacks {
	/* A whole packet from the server; borrowed for the call. */
	void (*packet)(struct stream_exchange *x, const struct stamp *at, const void *bytes,
		       size_t size);
	/* A negative UV_E…: UV_EOF and UV_ECONNRESET once the server had accepted. */
	void (*error)(struct stream_exchange *x, const struct stamp *at, int error);
	void (*closed)(struct stream_exchange *x); /* the struct may be freed or used again */
};

struct stream_exchange {
	uv_tcp_t socket;
	uv_connect_t connect;
	const struct stream_exchange_callbacks *callbacks;
	void *arg;	    /* the owner's, for its callbacks */
	bool open;	    /* between stream_exchange_open() and stream_exchange_close() */
	struct stamp begun; /* right before connecting: the server had not accepted yet */
	struct stamp sent;  /* right before the packet left; until then as `begun` */
	struct control_stream in;
	size_t frame_size;
	uint8_t frame[CONTROL_STREAM_MAX];
};

/* Cannot fail; must be followed by one stream_exchange_close(). */
void stream_exchange_open(struct stream_exchange *x, uv_loop_t *loop,
			  const struct stream_exchange_callbacks *callbacks, void *arg);

/* Connects, and sends the packet (1 to CONTROL_PACKET_MAX bytes, copied) as soon as it may. Once.
 * 0, or a negative UV_E…; calls no callback. */
MUST_USE int stream_exchange_send(struct stream_exchange *x, const struct sockaddr *to,
				  const void *packet, size_t size);

void stream_exchange_close(struct stream_exchange *x);

#endif
