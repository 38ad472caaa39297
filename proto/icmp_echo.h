/* SPDX-License-Identifier: MIT
 *
 * ICMP echo requests and what comes back (RFC 792; RFC 4443 for IPv6): the reply, or a router's
 * "destination unreachable" that quotes the request. A message is recognised by a random token in
 * its data, not by identifier and sequence: Linux rewrites the identifier on datagram sockets, and
 * anybody can guess both.
 *
 * Happy path: icmp_echo_request(), send, icmp_echo_parse() of what arrives. Failure modes: other
 * traffic (a raw socket sees all of it), messages that are cut off or quote too little to be
 * recognised: ICMP_ECHO_OTHER.
 */
#ifndef OVPNWATCH_PROTO_ICMP_ECHO_H
#define OVPNWATCH_PROTO_ICMP_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ICMP_ECHO_TOKEN 16
#define ICMP_ECHO_SIZE	(8 + ICMP_ECHO_TOKEN)

enum icmp_echo_kind {
	ICMP_ECHO_OTHER,
	ICMP_ECHO_REPLY,
	ICMP_ECHO_REQUEST,     /* one's own, as a socket's error queue gives it back */
	ICMP_ECHO_UNREACHABLE, /* for a request that is quoted */
};

/* Writes a request. The checksum of IPv6 is the kernel's to fill in (RFC 3542, section 3.1). */
void icmp_echo_request(bool v6, uint16_t id, uint16_t sequence,
		       const uint8_t token[ICMP_ECHO_TOKEN], uint8_t out[ICMP_ECHO_SIZE]);

/* What a message (without IP header) is; *token points into it unless it is ICMP_ECHO_OTHER. */
enum icmp_echo_kind icmp_echo_parse(bool v6, const uint8_t *bytes, size_t n, const uint8_t **token);

/* Raw IPv4 sockets give the IP header, too: moves on to what is behind it. False: it is none, or
 * not ICMP; nothing changed. */
bool icmp_echo_skip_ipv4(const uint8_t **bytes, size_t *n);

#endif
