/* SPDX-License-Identifier: MIT
 *
 * "OpenVPN Static key V1": 2048 bits in hex between BEGIN and END lines, as for tls-auth and
 * tls-crypt (OpenVPN crypto.c read_key_file, struct key2). Two keys, each 64 bytes of cipher and 64
 * of HMAC; which end uses which follows from the key direction.
 */
#ifndef OVPNWATCH_PROTO_STATIC_KEY_H
#define OVPNWATCH_PROTO_STATIC_KEY_H

#include "proto/slice.h"
#include "proto/verdict.h"

#include <stdint.h>

#define STATIC_KEY_SIZE 256

struct static_key {
	uint8_t
	    bytes[STATIC_KEY_SIZE]; /* key0.cipher, key0.hmac, key1.cipher, key1.hmac: 64 each */
};

/* -1: no direction, both ends send and receive with key 0 (OpenVPN KEY_DIRECTION_BIDIRECTIONAL). */
enum key_direction { KEY_BIDIRECTIONAL = -1, KEY_NORMAL = 0, KEY_INVERSE = 1 };

/* Reads the text of a key file. VERDICT_INVALID: no BEGIN line, a digit that is none, not 256
 * bytes. The caller wipes *out when it is done with it. */
MUST_USE enum verdict static_key_parse(struct slice text, struct static_key *out);

/* The 64 bytes of HMAC or cipher key that this end sends or receives with; borrowed from the key.
 */
const uint8_t *static_key_hmac(const struct static_key *k, enum key_direction d, bool send);
const uint8_t *static_key_cipher(const struct static_key *k, enum key_direction d, bool send);

#endif
