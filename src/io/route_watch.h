/* SPDX-License-Identifier: MIT
 *
 * How this machine reaches the server: whether there is a route, through which interface, and
 * whether that is up. It asks the kernel as a packet would, and no packet leaves.
 *
 * Happy path: route_watch_open(), route_watch_target() once the server's address is known, then an
 * EVENT_ROUTE for what is so at first and for every change. When to look again is said by rtnetlink
 * (rtnetlink(7)): its messages are a bell, and what they say is not read.
 * Failure modes: no netlink (another system, a sandbox): nothing can be told of changes, so nothing
 * is told at all; a look that fails for want of descriptors or memory, or an address that no
 * interface has, or two: that look tells nothing.
 *
 * The look-up is of the server's own address, so it is right while the tunnel is up: where all
 * traffic goes through the tunnel (redirect-gateway), OpenVPN adds a host route to the server
 * around it. Should that route be lost, as with the interface it leads through, the look-up ends in
 * the tunnel itself. No packet of the tunnel can arrive so, and it counts as no route. What is not
 * seen: policy routing by a mark that the daemon puts on its packets (--mark).
 */
#ifndef OVPNWATCH_IO_ROUTE_WATCH_H
#define OVPNWATCH_IO_ROUTE_WATCH_H

#include "io/prober.h"

/* The kernel tells a change in many messages, of which each is a reason to look: not more often
 * than this. */
#define ROUTE_WATCH_PAUSE_MS 50

struct route_watch;

/* Its events name `tunnel`. Returns 0 and *out, which route_watch_close() frees, or a negative
 * UV_E… if changes cannot be watched here. */
int route_watch_open(struct route_watch **out, uv_loop_t *loop, struct tunnel *tunnel,
		     event_sink sink, void *arg) __attribute__((warn_unused_result));

/* The server is at this address from now on, and the tunnel's own end here has the address
 * `local_ip` (numeric, of either family; "" unknown). Never calls the sink before it returns. */
void route_watch_target(struct route_watch *w, const struct sockaddr_storage *to,
			const char *local_ip);

/* Closes its handles and frees it from within the loop; no event comes after this call. */
void route_watch_close(struct route_watch *w);

#endif
