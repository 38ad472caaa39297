/* SPDX-License-Identifier: MIT
 *
 * ICMP echo (RFC 792 "Echo or Echo Reply Message", RFC 4443 section 4): does the host live? What
 * makes a reply ours is a random token that it has to bring back: identifiers and sequence numbers
 * are short, and kernels and NATs change them on the way.
 *
 * Happy path: icmp_echo_request() with random numbers, icmp_echo_reply() on what comes back, and
 * the caller compares the token. Failure modes: anything else that an ICMP socket is given (other
 * people's pings, errors, what is cut or damaged) is VERDICT_INVALID; VERDICT_MORE never comes,
 * because a datagram is the whole message. A router that turns the request away quotes it:
 * icmp_echo_quotation().
 */
#ifndef OVPNWATCH_PROTO_ICMP_ECHO_H
#define OVPNWATCH_PROTO_ICMP_ECHO_H

#include "proto/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ICMP_ECHO_TOKEN_SIZE 16
#define ICMP_ECHO_SIZE	     (8 + ICMP_ECHO_TOKEN_SIZE) /* without the IP header */
#define ICMP_QUOTATION_MIN   8 /* RFC 792: a router quotes at least so much of the message */

struct icmp_echo {
	uint16_t id, sequence; /* host order */
	uint8_t token[ICMP_ECHO_TOKEN_SIZE];
};

/* What stands around the message. A raw socket of Linux gives the whole IPv4 packet, any other
 * ICMP socket the message alone (raw(7), icmp(7), RFC 3542 section 3). */
enum icmp_form { ICMP_V4_PACKET, ICMP_V4_MESSAGE, ICMP_V6_MESSAGE };

/* Writes a request. The checksum of ICMPv6 covers the addresses, and the kernel fills it in (RFC
 * 3542 section 3.1): it is left 0. */
void icmp_echo_request(bool v6, const struct icmp_echo *e, uint8_t out[ICMP_ECHO_SIZE]);

/* Decodes an echo reply with a token, of exactly that size; over IPv4 its checksum has to be right
 * (over IPv6 the kernel has looked at it). VERDICT_INVALID: it is not one. */
MUST_USE enum verdict icmp_echo_reply(enum icmp_form form, const void *bytes, size_t size,
				      struct icmp_echo *out);

struct icmp_quotation {
	struct icmp_echo echo;
	bool has_token; /* false: it ends before the token does, which is then zero */
};

/* Decodes the beginning of an echo request (from the ICMP header on) as an ICMP error quotes it,
 * cut anywhere after ICMP_QUOTATION_MIN. Its checksum is not looked at: it is that of the whole,
 * and NATs leave it as it is. VERDICT_INVALID: it quotes something else. */
MUST_USE enum verdict icmp_echo_quotation(bool v6, const void *bytes, size_t size,
					  struct icmp_quotation *out);

#endif
