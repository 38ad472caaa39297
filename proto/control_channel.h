/* SPDX-License-Identifier: MIT
 *
 * The first two packets of OpenVPN's control channel: a client's hard reset and the server's
 * answer, which carries the server's time in whole seconds where the channel is wrapped (OpenVPN
 * ssl_pkt.c, tls_crypt.c, packet_id.c, mudp.c send_hmac_reset_packet). From 2.6 on a server answers
 * without keeping state.
 *
 *   tls-auth  : op1 sid8 HMAC(digest) pid4 net_time4 | body
 *               HMAC over: pid net_time op sid body; its key is the static key's HMAC half, of
 *               which the first digest-length bytes are used
 *   tls-crypt : op1 sid8 pid4 net_time4 tag32 | AES-256-CTR(body)
 *               tag: HMAC-SHA256 over op sid pid net_time body; IV: the tag's first half
 *   -v2       : as tls-crypt under the client's own key, and what the server wrapped of it (WKc)
 *               behind a client's reset
 *   body      : acklen1 [acks4*n rsid8] msgpid4 [type2 length2 …, after an early negotiation]
 *
 * Happy path: control_reset() with a random session id; control_reset_reply() on what comes back.
 * Failure modes: not a server's reset; a MAC that is not right (another key, another digest, a
 * forgery); an answer to somebody else's reset: each is told apart, none is a measurement.
 */
#ifndef OVPNWATCH_PROTO_CONTROL_CHANNEL_H
#define OVPNWATCH_PROTO_CONTROL_CHANNEL_H

#include "proto/control_key.h"
#include "proto/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_SESSION_SIZE 8
/* No reset of either side is longer: what stands before WKc has at most 86 bytes (tls-auth with a
 * digest of 64), and answers have no WKc. */
#define CONTROL_PACKET_MAX (128 + WRAPPED_KEY_MAX)

enum control_flaw {
	CONTROL_FINE,
	CONTROL_NOT_A_RESET, /* another opcode, cut short, or longer than CONTROL_PACKET_MAX */
	CONTROL_BAD_MAC,
	CONTROL_NOT_OURS, /* acknowledges another session id or packet, or none; its MAC is right */
};

struct control_reply {
	bool has_time; /* false for WRAP_PLAIN */
	/* The server's `now` when it answered: whole seconds, floored. Under tls-crypt-v2 over TCP
	 * it is that of when it accepted the connection, which may be long before the reset came
	 * (ssl.c tls_session_init): such an answer bounds the clock from the connecting on. */
	uint32_t time;
};

/* Writes a client's hard reset; `time` is the sender's clock in epoch seconds. Returns the length,
 * or 0: libcrypto does not know the tls-auth digest, or tls-crypt-v2 has no WKc. */
MUST_USE size_t control_reset(const struct control_key *k,
			      const uint8_t session[CONTROL_SESSION_SIZE], uint32_t time,
			      uint8_t out[CONTROL_PACKET_MAX]);

/* Whose packet it is: its sender's session id, of CONTROL_SESSION_SIZE bytes within it; NULL if it
 * is cut short. Nothing is verified. */
const uint8_t *control_session(const void *bytes, size_t size);

/* Judges what came back for the reset with this session id; *out is written with CONTROL_FINE only.
 */
MUST_USE enum control_flaw control_reset_reply(const struct control_key *k,
					       const uint8_t session[CONTROL_SESSION_SIZE],
					       const void *bytes, size_t size,
					       struct control_reply *out);

#endif
