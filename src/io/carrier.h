/* SPDX-License-Identifier: MIT
 *
 * Carries one packet to the VPN server and brings back what it answers, by UDP (io/exchange) or by
 * TCP (io/stream_exchange): who sends it need not care which.
 *
 * Happy path: carrier_open(), carrier_send(), the packet callback, carrier_close(), the closed
 * callback. Failure modes: those of the two; carrier_outcome() says what they mean for a probe.
 */
#ifndef OVPNWATCH_IO_CARRIER_H
#define OVPNWATCH_IO_CARRIER_H

#include "core/event.h"
#include "io/exchange.h"
#include "io/stream_exchange.h"

struct carrier;

/* None comes after carrier_close(), except `closed`, which comes once. */
struct carrier_callbacks {
	/* A packet from the server, without what frames it; borrowed for the call. */
	void (*packet)(struct carrier *c, const struct stamp *at, const void *bytes, size_t size);
	void (*error)(struct carrier *c, const struct stamp *at, int error); /* negative UV_E… */
	void (*closed)(struct carrier *c); /* the struct may be freed or used again */
};

struct carrier {
	const struct carrier_callbacks *callbacks;
	void *arg; /* the owner's, for its callbacks */
	bool open; /* between carrier_open() and carrier_close() */
	bool tcp;
	union {
		struct exchange datagram;
		struct stream_exchange stream;
	} by;
};

/* Cannot fail; must be followed by one carrier_close(). */
void carrier_open(struct carrier *c, uv_loop_t *loop, bool tcp,
		  const struct carrier_callbacks *callbacks, void *arg);

/* Sends it (1 to CONTROL_PACKET_MAX bytes): by UDP now or not at all, by TCP once the connection
 * stands. Once. 0, or a negative UV_E…; calls no callback. */
MUST_USE int carrier_send(struct carrier *c, const struct sockaddr *to, const void *packet,
			  size_t size);

/* Right before the packet left. By TCP, while it has not, and with `from_connecting` always: right
 * before connecting, when the server cannot have accepted yet. Call it after carrier_send(). */
struct stamp carrier_sent(const struct carrier *c, bool from_connecting);

void carrier_close(struct carrier *c);

/* What an error means for a probe. `local`: carrier_send() said it. */
enum probe_outcome carrier_outcome(int error, bool local);

/* The same for a person; static. */
const char *carrier_reason(int error);

#endif
