/* SPDX-License-Identifier: MIT
 *
 * The clients in a server's `status 3` (or `status 2`, with commas; OpenVPN multi.c
 * multi_print_status). Which columns there are, and in which order, is said by a line of its own,
 * and differs: 2.3 has eight, 2.4 adds the IPv6 address, the client id and the peer id, 2.5 the
 * cipher.
 *
 *     HEADER CLIENT_LIST Common Name  Real Address       Virtual Address  …
 *     CLIENT_LIST        alice        192.0.2.1:1194     10.8.0.2         …
 *     CLIENT_LIST        alice        udp4:192.0.2.1:1194                      2.7
 *
 * Happy path: client_list_header() for the line of the columns, then client_list_row() for each
 * client. Failure modes: a row that is cut (OpenVPN's buffer is 512 bytes) or whose fields do not
 * match the columns is VERDICT_INVALID and leaves *out alone. A client that has not said who it is
 * yet is called UNDEF. The status of a client (it begins "OpenVPN STATISTICS") has none of this.
 */
#ifndef OVPNWATCH_PROTO_CLIENT_LIST_H
#define OVPNWATCH_PROTO_CLIENT_LIST_H

#include "proto/slice.h"
#include "proto/verdict.h"

#include <stdint.h>

/* More than any OpenVPN has. */
#define CLIENT_COLUMNS_MAX 32

/* Where each column is, counted from the name of the list; -1: there is none. */
struct client_columns {
	int name, address, virtual_ip, received, sent, since, id;
	int n; /* fields of a row, the name of the list included */
};

struct client_row {
	struct slice name, address; /* never empty */
	struct slice virtual_ip;    /* empty: none yet, or not told */
	int64_t received, sent;	    /* bytes; -1: not told */
	int64_t since;		    /* epoch seconds by the server's clock; -1: not told */
	uint64_t id; /* OpenVPN's client id, once in a process; UINT64_MAX: not told */
};

/* VERDICT_INVALID: any other line, and one without a name or an address among the columns. */
MUST_USE enum verdict client_list_header(struct slice line, struct client_columns *out);

/* Slices point into `line`. */
MUST_USE enum verdict client_list_row(struct slice line, const struct client_columns *columns,
				      struct client_row *out);

#endif
