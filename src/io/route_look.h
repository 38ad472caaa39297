/* SPDX-License-Identifier: MIT
 *
 * One look at the way to an address: a UDP socket is connected, which makes the kernel look for a
 * route but sends nothing; the local address that it chose tells the interface.
 */
#ifndef OVPNWATCH_IO_ROUTE_LOOK_H
#define OVPNWATCH_IO_ROUTE_LOOK_H

#include "proto/verdict.h"

#include <net/if.h>
#include <stdbool.h>
#include <sys/socket.h>

struct route_look {
	bool there, up;
	char interface[IF_NAMESIZE]; /* "" if there is no route */
};

/* `tunnel` is an address of this machine at the tunnel, and a way through the interface that has it
 * is none (ss_family AF_UNSPEC: not known). False: it cannot be told, and *out is untouched. */
MUST_USE bool route_look(const struct sockaddr_storage *to, const struct sockaddr_storage *tunnel,
			 struct route_look *out);

#endif
