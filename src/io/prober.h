/* SPDX-License-Identifier: MIT
 *
 * Sends OpenVPN hard resets to the VPN server and times the answers.
 *
 * Happy path: the remote's name is resolved once (numeric addresses at once), prober_send() opens a
 * fresh socket (io/carrier: UDP, or a TCP connection), stamps the clocks, sends; the answer is
 * stamped, verified (MAC, session id) and given to the sink as EVENT_PROBE.
 * Failure modes: ICMP errors and refused connections (PROBE_REFUSED, PROBE_UNREACHABLE), no route
 * or no memory (PROBE_FAILED), a name that does not resolve (PROBE_FAILED, tried again with the
 * next probe), an answer under another key (PROBE_BAD_MAC), a connection that was closed or does
 * not speak OpenVPN (PROBE_REJECTED). No answer at all is no event: the core keeps the time. Of a
 * name's several addresses, one that never answered gives way to the next.
 *
 * By UDP the sockets of the first few answered probes stay open for three seconds: a server that
 * keeps a session for each probe (OpenVPN before 2.6) answers again, which is PROBE_REPEATED, once.
 */
#ifndef OVPNWATCH_IO_PROBER_H
#define OVPNWATCH_IO_PROBER_H

#include "core/event.h"
#include "proto/control_channel.h"
#include "proto/profile.h"

#include <uv.h>

typedef void (*event_sink)(void *arg, const struct event *e);

struct prober;

/* Makes a prober of one server (`remote`, copied; the key too). Its events name `tunnel`. Returns 0
 * and *out, which prober_close() frees, or a negative UV_E…. */
int prober_open(struct prober **out, uv_loop_t *loop, const struct profile_remote *remote,
		const struct control_key *key, struct tunnel *tunnel, event_sink sink, void *arg);

/* Probes another address from now on: the one that OpenVPN says it uses (numeric). */
void prober_redirect(struct prober *p, const char *ip, uint16_t port, bool tcp);

/* Where the next probe would go; false if that is not known yet. */
bool prober_address(const struct prober *p, struct sockaddr_storage *out)
    __attribute__((warn_unused_result));

/* The server has this address, as far as is known: its name has several perhaps. */
bool prober_has(const struct prober *p, const struct sockaddr_storage *address)
    __attribute__((warn_unused_result));

/* Sends one probe; what becomes of it is reported with this id (not 0). Never calls the sink before
 * it returns. */
void prober_send(struct prober *p, unsigned id);

/* Closes its handles and frees it from within the loop; no event comes after this call. */
void prober_close(struct prober *p);

#endif
