/* SPDX-License-Identifier: MIT
 *
 * The two primitives under the wraps of the control channel, by libcrypto: the HMAC of tls-auth and
 * tls-crypt, and tls-crypt's AES-256-CTR. Nothing stays in libcrypto's queue of errors.
 */
#ifndef OVPNWATCH_PROTO_CONTROL_CRYPTO_H
#define OVPNWATCH_PROTO_CONTROL_CRYPTO_H

#include "proto/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_MAC_MAX	   64 /* OpenVPN MAX_HMAC_KEY_LENGTH: as much as one HMAC key has */
#define CONTROL_CIPHER_KEY 32
#define CONTROL_CIPHER_IV  16

struct control_part {
	const uint8_t *p;
	size_t n;
};

/* The length of the digest's MAC, or 0: libcrypto does not know it (the names are OpenSSL's), or
 * it is too long for a key of OpenVPN's. */
size_t control_mac_size(const char *digest);

/* The HMAC over the parts, one after the other. The key has `size` bytes and so has the MAC:
 * control_mac_size(). False, with what is in `out` of no meaning: the digest is not for HMAC. */
MUST_USE bool control_mac(const char *digest, const uint8_t *key, size_t size,
			  const struct control_part *parts, size_t n_parts,
			  uint8_t out[CONTROL_MAC_MAX]);

/* AES-256-CTR, which is the same both ways: n bytes from `in` to `out`. False: libcrypto has no
 * memory for it. */
MUST_USE bool control_cipher(const uint8_t key[CONTROL_CIPHER_KEY],
			     const uint8_t iv[CONTROL_CIPHER_IV], const uint8_t *in, size_t n,
			     uint8_t *out);

#endif
