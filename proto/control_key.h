/* SPDX-License-Identifier: MIT
 *
 * How the packets of OpenVPN's control channel are wrapped, and the key that it takes: one of the
 * options tls-auth, tls-crypt and tls-crypt-v2 with its key file, or nothing.
 *
 * Happy path: control_key_parse() on the text of the key file. Failure modes: it is no key, or the
 * key of another option: told apart, so that a person can be told which file is wanted.
 */
#ifndef OVPNWATCH_PROTO_CONTROL_KEY_H
#define OVPNWATCH_PROTO_CONTROL_KEY_H

#include "proto/slice.h"
#include "proto/static_key.h"
#include "proto/verdict.h"
#include "proto/wrapped_key.h"

enum control_wrap { WRAP_PLAIN, WRAP_TLS_AUTH, WRAP_TLS_CRYPT, WRAP_TLS_CRYPT_V2 };

/* Holds a secret: who has one wipes it. */
struct control_key {
	enum control_wrap wrap;
	struct static_key key;	      /* under tls-crypt-v2 the client's own, Kc */
	enum key_direction direction; /* the client's; of tls-auth only, tls-crypt has no choice */
	char digest[32]; /* OpenSSL's name of the tls-auth digest, e.g. "SHA1"; of tls-auth only */
	struct wrapped_key wrapped; /* WKc; of tls-crypt-v2 only */
};

enum control_key_flaw {
	CONTROL_KEY_FINE,
	CONTROL_KEY_BROKEN,	/* not a key file of OpenVPN's, or damaged */
	CONTROL_KEY_STATIC,	/* an "OpenVPN Static key V1", which tls-crypt-v2 does not take */
	CONTROL_KEY_V2,		/* a client's tls-crypt-v2 key, which only tls-crypt-v2 takes */
	CONTROL_KEY_V2_SERVERS, /* a server's tls-crypt-v2 key, which no client has */
};

/* Reads the text of the key file that out->wrap takes into out->key and, under tls-crypt-v2,
 * out->wrapped; both are untouched if it is not that. Not for WRAP_PLAIN, which takes none:
 * CONTROL_KEY_BROKEN. */
MUST_USE enum control_key_flaw control_key_parse(struct slice text, struct control_key *out);

/* The option's name in a profile: "tls-auth", …; "" for WRAP_PLAIN. Static. */
const char *control_wrap_name(enum control_wrap wrap);

/* What is wrong with a key file that was given for this wrap, and what to do, to follow the file's
 * name: "is a tls-crypt-v2 server key; …". At most 95 bytes; static. */
const char *control_key_flaw_text(enum control_key_flaw flaw, enum control_wrap wanted);

#endif
