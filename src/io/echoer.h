/* SPDX-License-Identifier: MIT
 *
 * Sends ICMP echo requests to the host of a VPN server, and times the replies: whether the host
 * lives although its OpenVPN does not answer.
 *
 * Happy path: echoer_send() opens a socket of the address's family once (a datagram ICMP socket,
 * which net.ipv4.ping_group_range lets users have; else a raw one, which needs CAP_NET_RAW), stamps
 * the clocks and sends; the reply is stamped, recognised by its token and given to the sink as
 * EVENT_ECHO. Failure modes: neither socket may be had (ECHO_FAILED), no route, or a router says so
 * (ECHO_UNREACHABLE). No answer at all is no event: the core keeps the time.
 */
#ifndef OVPNWATCH_IO_ECHOER_H
#define OVPNWATCH_IO_ECHOER_H

#include "io/event_sink.h"

#include <uv.h>

struct echoer;

/* Makes an echoer, whose events name `tunnel`. Returns 0 and *out, which echoer_close() frees, or a
 * negative UV_E…. */
int echoer_open(struct echoer **out, uv_loop_t *loop, struct tunnel *tunnel, event_sink sink,
		void *arg);

/* Sends one request to this address (its port does not matter; NULL: it is not known); what becomes
 * of it is reported with this id. Never calls the sink before it returns. */
void echoer_send(struct echoer *e, const struct sockaddr_storage *to, unsigned id);

/* Closes its handles and frees it from within the loop; no event comes after this call. */
void echoer_close(struct echoer *e);

#endif
