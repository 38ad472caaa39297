/* SPDX-License-Identifier: MIT
 *
 * The first two packets of OpenVPN's control channel: a client's hard reset and the server's
 * answer, which carries the server's time in whole seconds where the channel is wrapped (OpenVPN
 * ssl_pkt.c, packet_id.c, mudp.c send_hmac_reset_packet). From 2.6 on a server answers without
 * keeping state.
 *
 *   tls-auth : op1 sid8 HMAC(digest) pid4 net_time4 | acklen1 [acks4*n rsid8] msgpid4
 *              HMAC over: pid net_time op sid acklen…; its key is the static key's HMAC half, of
 *              which the first digest-length bytes are used
 *
 * Happy path: control_reset() with a random session id; control_reset_reply() on what comes back.
 * Failure modes: not a server's reset; a MAC that is not right (another key, another digest, a
 * forgery); an answer to somebody else's reset: each is told apart, none is a measurement.
 */
#ifndef OVPNWATCH_PROTO_CONTROL_CHANNEL_H
#define OVPNWATCH_PROTO_CONTROL_CHANNEL_H

#include "proto/static_key.h"
#include "proto/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_SESSION_SIZE 8
#define CONTROL_PACKET_MAX   512

enum control_wrap { WRAP_PLAIN, WRAP_TLS_AUTH, WRAP_TLS_CRYPT, WRAP_TLS_CRYPT_V2 };

/* How packets are wrapped. WRAP_TLS_CRYPT and WRAP_TLS_CRYPT_V2 are known to the profile but not
 * yet spoken here: control_wrap_supported() says what is. */
struct control_key {
	enum control_wrap wrap;
	struct static_key key;
	enum key_direction direction; /* the client's */
	char digest[32];	      /* OpenSSL's name of the tls-auth digest, e.g. "SHA1" */
};

bool control_wrap_supported(enum control_wrap wrap);

/* libcrypto knows a digest of this name, as `auth` names it, and it can be a tls-auth digest. */
bool control_digest_known(const char *digest);

enum control_flaw {
	CONTROL_FINE,
	CONTROL_NOT_A_RESET, /* another opcode, or cut short */
	CONTROL_BAD_MAC,
	CONTROL_NOT_OURS, /* acknowledges another session id or packet */
};

struct control_reply {
	bool has_time; /* false for WRAP_PLAIN */
	uint32_t time; /* the server's `now` when it answered: whole seconds, floored */
};

/* Writes a client's hard reset; `time` is the sender's clock in epoch seconds. Returns the length,
 * or 0 if the wrap is not supported or libcrypto does not know the digest. */
MUST_USE size_t control_reset(const struct control_key *k,
			      const uint8_t session[CONTROL_SESSION_SIZE], uint32_t time,
			      uint8_t out[CONTROL_PACKET_MAX]);

/* Judges what came back for the reset with this session id; *out is written with CONTROL_FINE only.
 */
MUST_USE enum control_flaw control_reset_reply(const struct control_key *k,
					       const uint8_t session[CONTROL_SESSION_SIZE],
					       const void *bytes, size_t size,
					       struct control_reply *out);

#endif
