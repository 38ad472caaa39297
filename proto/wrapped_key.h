/* SPDX-License-Identifier: MIT
 *
 * "OpenVPN tls-crypt-v2 client key": a PEM block of the client's own key Kc (256 bytes, laid out
 * as a static key) and of WKc, the same key wrapped under one that only the server has. The client
 * shows WKc to the server as it is; its last two bytes are its length, themselves included (OpenVPN
 * tls_crypt.c tls_crypt_v2_init_client_key, tls_crypt_v2_wrap_client_key).
 *
 * Happy path: wrapped_key_parse() on the text of the file. Failure modes: no such block first in
 * the text, base64 that is none, a WKc that is cut short, too long, or says another length of
 * itself. Whether the server can unwrap WKc only the server knows.
 */
#ifndef OVPNWATCH_PROTO_WRAPPED_KEY_H
#define OVPNWATCH_PROTO_WRAPPED_KEY_H

#include "proto/slice.h"
#include "proto/static_key.h"
#include "proto/verdict.h"

#include <stddef.h>
#include <stdint.h>

/* tag 32, Kc 256, metadata 0…, length 2 */
#define WRAPPED_KEY_MIN (32 + STATIC_KEY_SIZE + 2)
#define WRAPPED_KEY_MAX 1024 /* OpenVPN tls_crypt.h TLS_CRYPT_V2_MAX_WKC_LEN */

struct wrapped_key {
	uint8_t bytes[WRAPPED_KEY_MAX];
	size_t size; /* WRAPPED_KEY_MIN to WRAPPED_KEY_MAX; 0: there is none */
};

/* Reads the text of a key file: Kc and WKc. VERDICT_INVALID: see above; both are untouched. The
 * caller wipes both when it is done with them. */
MUST_USE enum verdict wrapped_key_parse(struct slice text, struct static_key *key,
					struct wrapped_key *wrapped);

#endif
