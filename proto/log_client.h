/* SPDX-License-Identifier: MIT
 *
 * The prefix by which a server's log says which client a line is about (OpenVPN multi.c
 * multi_instance_string, mroute.c mroute_addr_print_ex): "cn/1.2.3.4:1194 ", before the name is
 * known "1.2.3.4:1194 ", in 2.7 "cn/udp4:1.2.3.4:1194 ". A name may hold spaces and slashes.
 */
#ifndef OVPNWATCH_PROTO_LOG_CLIENT_H
#define OVPNWATCH_PROTO_LOG_CLIENT_H

#include "proto/slice.h"

/* The length of the prefix that `text` begins with, without the space behind it; 0: it has none. */
size_t log_client_prefix(struct slice text);

/* A prefix in its two parts, the peer-id left out. The name is empty before it is known. The
 * address is written as the status of the same server writes it. */
void log_client_split(struct slice client, struct slice *name, struct slice *address);

#endif
