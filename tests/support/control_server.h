/* SPDX-License-Identifier: MIT
 *
 * A server's side of the control channel, as far as a reset goes: wraps any body as a server would,
 * so that tests come past the MAC. (That the MAC and the cipher are OpenVPN's is shown by packets
 * that were captured.)
 */
#ifndef OVPNWATCH_TESTS_SUPPORT_CONTROL_SERVER_H
#define OVPNWATCH_TESTS_SUPPORT_CONTROL_SERVER_H

#include "proto/control_channel.h"
#include "proto/control_crypto.h"
#include "proto/wire.h"

#include <stdlib.h>

/* Writes a HARD_RESET_SERVER_V2 with this body at `out`, which has room for it and 128 bytes more,
 * and returns its length. `k` is the client's key. */
static inline size_t control_server_reply(const struct control_key *k, uint32_t time,
					  const void *body, size_t n, uint8_t *out)
{
	const bool auth = k->wrap == WRAP_TLS_AUTH, crypt = k->wrap >= WRAP_TLS_CRYPT;
	const enum key_direction d = crypt ? KEY_INVERSE : k->direction;
	const char *digest = auth ? k->digest : "SHA256";
	const size_t mac_size = auth ? control_mac_size(digest) : 32;
	uint8_t mac[CONTROL_MAC_MAX], stamp[8], *at = out;
	memcpy(at, "\x40server..", 9);
	at += 9;
	wire_put(stamp, 1, 4);
	wire_put(stamp + 4, time, 4);
	const struct control_part head = {out, 9}, clock = {stamp, 8}, rest = {body, n};
	const struct control_part of_auth[] = {clock, head, rest}, of_crypt[] = {head, clock, rest};
	/* The server sends with the key that the client receives with. */
	if ((auth || crypt) && !control_mac(digest, static_key_hmac(&k->key, d, false), mac_size,
					    auth ? of_auth : of_crypt, 3, mac))
		abort();
	if (auth) {
		memcpy(at, mac, mac_size);
		at += mac_size;
	}
	if (auth || crypt) {
		memcpy(at, stamp, 8);
		at += 8;
	}
	if (crypt) {
		memcpy(at, mac, mac_size);
		at += mac_size;
		if (!control_cipher(static_key_cipher(&k->key, d, false), mac, body, n, at))
			abort();
	} else if (n > 0) {
		memcpy(at, body, n);
	}
	return (size_t)(at - out) + n;
}

#endif
