/* SPDX-License-Identifier: MIT
 *
 * What the clients of a server together say: that two of them share a certificate and evict each
 * other, and that many were lost at once.
 *
 * A client that comes back from another port, or by another network, evicts its own old session:
 * one eviction says nothing. Two that take turns, A evicts B, B evicts A, A evicts B, are two
 * machines. Where both come from one address that cannot be seen, and it takes more of them.
 *
 * Clients that are lost one by one have their own reasons. When most of them are given up within
 * seconds, it is the server's network, or its clock: OpenVPN's timers run on the wall clock, and a
 * step forward by more than its ping-restart window makes it give up all of them (ping.h
 * check_ping_restart).
 */
#ifndef OVPNWATCH_CORE_CLIENT_ALERTS_H
#define OVPNWATCH_CORE_CLIENT_ALERTS_H

#include "core/server_clients.h"

/* Evictions longer ago than this have nothing to do with the next. */
#define EVICTION_WINDOW (900 * NSEC_PER_SEC)
#define EVICTIONS_KEPT	16
#define EVICTIONS_TURNS 3 /* taking turns, that is two machines */
#define EVICTIONS_MANY	5 /* whoever they are */

/* So many, and at least half of those that were there, within so long. */
#define LOST_MANY   3
#define LOST_WITHIN (15 * NSEC_PER_SEC)
/* As long as nobody else is lost, it is over after this. */
#define LOST_CALM (120 * NSEC_PER_SEC)

struct evictions {
	struct {
		nsec at; /* mono */
		struct client_eviction of;
	} ring[EVICTIONS_KEPT];
	unsigned n; /* ever; the ring's next is n % EVICTIONS_KEPT */
};

struct eviction_verdict {
	unsigned count; /* of this name within the window */
	nsec span;	/* from the first of them to the last */
	bool turns;	/* they take turns: two machines */
	bool duplicate;
};

/* Takes an eviction, and judges its name. */
struct eviction_verdict evictions_add(struct evictions *e, const struct client_eviction *of,
				      nsec mono);

struct losses {
	struct stamp first; /* of the present burst */
	nsec last;	    /* mono; valid if n > 0 */
	unsigned n, before; /* lost in it; connected before it */
};

/* `n` clients of `before` were lost at this instant. True: that are many at once. */
bool losses_add(struct losses *l, unsigned n, unsigned before, const struct stamp *at);

/* The host in "1.2.3.4:1194", "udp4:1.2.3.4:1194" or "2001:db8::1". */
struct slice client_host(const char *address);

#endif
