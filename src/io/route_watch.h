/* SPDX-License-Identifier: MIT
 *
 * How this machine reaches the servers: EVENT_ROUTE for each tunnel, the first time and whenever it
 * changed.
 *
 * Happy path: route_watch_target() says where a tunnel's server is. A netlink socket (rtnetlink(7))
 * serves as a bell only: what it says is drained and not read. When it rings, each target is looked
 * up as the kernel would for a packet: connect() of a UDP socket (nothing is sent), its own
 * address, and the interface that has it. Once the tunnel is up the route to the server must not
 * lead through it: OpenVPN sees to that (redirect-gateway adds a host route), so the lookup by the
 * server's own address is right.
 *
 * Failure modes: no netlink (another system, a sandbox): there is no watch; a bell that rings
 * without end is answered every 50 ms at most; a lookup that fails for a reason of its own (no
 * descriptor left), or an address that no interface has: nothing is said.
 */
#ifndef OVPNWATCH_IO_ROUTE_WATCH_H
#define OVPNWATCH_IO_ROUTE_WATCH_H

#include "io/event_sink.h"

#include <uv.h>

struct route_watch;

/* Returns 0 and *out, which route_watch_close() frees, or a negative UV_E…: there can be none. */
int route_watch_open(struct route_watch **out, uv_loop_t *loop, event_sink sink, void *arg);

/* The tunnel's server is at this (numeric) address from now on. Never calls the sink. */
void route_watch_target(struct route_watch *r, struct tunnel *t, const char *ip, uint16_t port);

/* Closes its handles and frees it from within the loop; no event comes after this call. */
void route_watch_close(struct route_watch *r);

#endif
