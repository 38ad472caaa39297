/* SPDX-License-Identifier: MIT
 *
 * A socket for one ICMP echo request: connected, so that only the host that was asked is heard, and
 * with the kernel's error queue (ip(7), IP_RECVERR), where what routers say about it arrives.
 *
 * Happy path: echo_socket_open(), echo_socket_send(), echo_socket_hear() whenever `fd` is readable
 * or has an error, echo_socket_close(). Failure modes: this user may send no echo requests
 * (UV_EPERM): neither by an ICMP datagram socket (icmp(7): net.ipv4.ping_group_range, for both
 * families) nor by a raw one (CAP_NET_RAW); the kernel knows no route, here or later.
 */
#ifndef OVPNWATCH_IO_ECHO_SOCKET_H
#define OVPNWATCH_IO_ECHO_SOCKET_H

#include "proto/icmp_echo.h"

#include <sys/socket.h>

struct echo_socket {
	int fd;
	bool v6, raw;
	struct sockaddr_storage to;
	struct icmp_echo asked; /* random, all of it */
};

/* What came. */
enum echo_word {
	ECHO_WORD_NONE,	  /* nothing that is about this request */
	ECHO_WORD_ANSWER, /* the host itself answered, if only to say that it takes no such packet
			   */
	ECHO_WORD_NO_WAY, /* a router, or this machine, did not get it there */
};

/* Does not block, and needs no port. Returns 0, when echo_socket_close() has to follow, or a
 * negative UV_E…: UV_EPERM if it is not permitted, UV_EAGAIN if there are no random numbers yet. */
MUST_USE int echo_socket_open(struct echo_socket *s, const struct sockaddr_storage *to);

/* Sends the request, now or not at all. 0 or a negative UV_E…. */
MUST_USE int echo_socket_send(const struct echo_socket *s);

/* Reads what is there, up to the first word about this request. ECHO_WORD_NO_WAY fills *error in,
 * with a negative UV_E…. */
MUST_USE enum echo_word echo_socket_hear(const struct echo_socket *s, int *error);

void echo_socket_close(struct echo_socket *s);

#endif
