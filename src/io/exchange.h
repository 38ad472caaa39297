/* SPDX-License-Identifier: MIT
 *
 * One question by UDP and what comes back: a fresh socket (a port of its own, so that nobody can
 * guess where the answer goes), connected (so that only the server is heard, and ICMP errors come
 * through), with the clocks read right before it leaves and right after it came.
 *
 * Happy path: exchange_open(), exchange_connect(), exchange_send(), the packet callback,
 * exchange_close(), the closed callback. Failure modes: exchange_connect() and exchange_send()
 * return what the kernel says at once (no route, a local firewall); what it learns later (ICMP)
 * comes to the error callback, after which the socket is of no more use: its error queue keeps it
 * readable, so close it.
 */
#ifndef OVPNWATCH_IO_EXCHANGE_H
#define OVPNWATCH_IO_EXCHANGE_H

#include "core/stamp.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define EXCHANGE_PACKET_MAX 2048

struct exchange;

/* None comes after exchange_close(), except `closed`, which comes once. */
struct exchange_callbacks {
	/* A datagram from the server; borrowed for the call. */
	void (*packet)(struct exchange *x, const struct stamp *at, const void *bytes, size_t size);
	void (*error)(struct exchange *x, const struct stamp *at, int error); /* negative UV_E… */
	void (*closed)(struct exchange *x); /* the struct may be freed or used again */
};

struct exchange {
	uv_udp_t socket;
	const struct exchange_callbacks *callbacks;
	void *arg;	   /* the owner's, for its callbacks */
	bool open;	   /* between exchange_open() and exchange_close() */
	struct stamp sent; /* right before the last send */
};

/* Cannot fail; must be followed by one exchange_close(). */
void exchange_open(struct exchange *x, uv_loop_t *loop, const struct exchange_callbacks *callbacks,
		   void *arg);

/* 0, or a negative UV_E… */
int exchange_connect(struct exchange *x, const struct sockaddr *to)
    __attribute__((warn_unused_result));

/* Stamps x->sent and sends, now or not at all. 0, or a negative UV_E… (UV_EAGAIN: the kernel has no
 * room for it). Calls no callback. */
int exchange_send(struct exchange *x, const void *bytes, size_t size)
    __attribute__((warn_unused_result));

void exchange_close(struct exchange *x);

#endif
