/* SPDX-License-Identifier: MIT
 *
 * OpenVPN says to which address and port it is connected, but not by which protocol; the profile
 * says that of its remotes.
 */
#ifndef OVPNWATCH_IO_CONNECTED_BY_H
#define OVPNWATCH_IO_CONNECTED_BY_H

#include "proto/profile.h"

enum connected_by { CONNECTED_BY_UNKNOWN, CONNECTED_BY_UDP, CONNECTED_BY_TCP };

/* That of the remotes which can be the one at this (numeric) address: those with that number and
 * port; else those with a name and that port; else all. Unknown: these do not agree, or the profile
 * has more remotes than are known. */
enum connected_by connected_by(const struct profile *p, const char *ip, uint16_t port);

#endif
