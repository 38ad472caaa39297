/* SPDX-License-Identifier: MIT
 *
 * Asks whether the server's host lives, although its OpenVPN may not: ICMP echo requests, one
 * at a time and when the core wants one.
 *
 * Happy path: echoer_send() opens a fresh socket (io/echo_socket), stamps the clocks, sends; the
 * reply is stamped, recognised by its token and given to the sink as EVENT_ECHO, ECHO_ANSWERED.
 * Failure modes: no route, or a router that says so (ECHO_UNREACHABLE); this user may send no such
 * packets, or this machine cannot (ECHO_FAILED). No answer at all is no event: the core keeps the
 * time, and after ECHO_LIFE_MS the request is forgotten. Many a firewall drops echo requests, so
 * silence alone says nothing of a host that has never answered.
 */
#ifndef OVPNWATCH_IO_ECHO_H
#define OVPNWATCH_IO_ECHO_H

#include "io/prober.h"

#define ECHO_LIFE_MS 3000

struct echoer;

/* Its events name `tunnel`. Returns 0 and *out, which echoer_close() frees, or UV_ENOMEM. */
int echoer_open(struct echoer **out, uv_loop_t *loop, struct tunnel *tunnel, event_sink sink,
		void *arg) __attribute__((warn_unused_result));

/* Sends one echo request to this address (its port does not matter); what becomes of it is reported
 * with this id. Never calls the sink before it returns. */
void echoer_send(struct echoer *e, unsigned id, const struct sockaddr_storage *to);

/* Sends nothing and reports ECHO_FAILED with this reason (a constant), as above. */
void echoer_decline(struct echoer *e, unsigned id, const char *reason);

/* Closes its handles and frees it from within the loop; no event comes after this call. */
void echoer_close(struct echoer *e);

#endif
