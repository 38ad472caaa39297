/* SPDX-License-Identifier: MIT
 *
 * What tells of the server's clock beside our own probes: an `echo` that its client-connect script
 * pushes, the token that it gives a client for the next login, the stamp of a packet that OpenVPN
 * logs as a replay, and an NTP service of its own, which is asked. Each becomes a statement
 * (struct peer_told) that is true whatever the network did, or none.
 *
 * When did the server's clock show what it says? At the latest when it is heard; at the earliest
 * when the handshake that it belongs to had begun, which the client's states tell. So a time that
 * was pushed while the client connected is as good as the handshake was quick.
 */
#ifndef OVPNWATCH_CORE_PEER_SOURCES_H
#define OVPNWATCH_CORE_PEER_SOURCES_H

#include "core/action.h"
#include "core/event.h"
#include "core/peer_time.h"
#include "proto/management.h"
#include "proto/slice.h"

#include <stdbool.h>

#define HANDSHAKE_TOLD_MAX 2 /* an echo and a token */

/* The present handshake; private to peer_sources.c. */
struct handshake {
	bool known, asked_known, by_tcp;
	struct stamp began; /* the server knows the client only since */
	struct stamp asked; /* nothing was sent to the server, nor was it connected to, before */
	unsigned n_told;
	struct peer_told told[HANDSHAKE_TOLD_MAX];
};

/* The client entered a state; `since` is an instant at which it had not said so yet (mono
 * NSEC_UNKNOWN: not known). */
void handshake_state(struct handshake *h, enum openvpn_state state, const struct stamp *since);

/* Keeps what was told for as long as the handshake lasts: whose clock it is about is known when the
 * client is CONNECTED and says to whom. What there is no room for is let go. */
void handshake_hold(struct handshake *h, const struct peer_told *told);

/* Hands it out, one after the other. False: there is no more. */
bool handshake_release(struct handshake *h, struct peer_told *out)
    __attribute__((warn_unused_result));

/* ">ECHO:…,srvtime 1795494431.123456789": the server's system clock. */
bool peer_told_by_echo(const struct handshake *h, struct slice text, const struct stamp *at,
		       struct peer_told *out) __attribute__((warn_unused_result));

/* ">PASSWORD:Auth-Token:…": OpenVPN's clock at the server. At a renegotiation (`connected`) it was
 * not older than the handshake may last when the line came, which was after `since` (mono
 * NSEC_UNKNOWN: not known, and nothing is said). */
bool peer_told_by_token(const struct handshake *h, struct slice token, bool connected,
			const struct stamp *since, const struct stamp *at, struct peer_told *out)
    __attribute__((warn_unused_result));

/* "bad packet ID (may be a replay): [ #1 / time = (T) … ]": OpenVPN's clock at the server when it
 * began to send to this client, with its first packet, which is what makes the client enter AUTH;
 * `time` in epoch seconds. `grain`: the line was written up to so
 * much later than `at`. */
bool peer_told_by_replay(const struct handshake *h, int64_t time, const struct stamp *at,
			 nsec grain, struct peer_told *out) __attribute__((warn_unused_result));

/* The server's NTP service: asked in a short burst, then every 64 s (RFC 8633), and not again after
 * DENY or RSTR. */
struct peer_ntp {
	bool enabled;
	unsigned burst;	    /* quick polls left */
	nsec interval;	    /* between polls; RATE doubles it */
	nsec next;	    /* mono; NSEC_NEVER */
	const char *reason; /* of the last failure, a constant; NULL: it answered */
};

void peer_ntp_init(struct peer_ntp *p, bool enabled, const struct stamp *now);

/* Asks if it is due. */
void peer_ntp_time(struct peer_ntp *p, const struct stamp *now, struct tunnel *t,
		   struct actions *out);

/* Takes EVENT_PEER_SNTP. True: the answer is a statement. It is one also if the service says that
 * it is not synchronised: this is about what the server's clock shows, not about the truth. */
bool peer_ntp_event(struct peer_ntp *p, const struct event *e, struct peer_told *out)
    __attribute__((warn_unused_result));

#endif
