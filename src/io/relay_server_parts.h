/* SPDX-License-Identifier: MIT
 *
 * What the relay's server and its connections know of each other.
 */
#ifndef OVPNWATCH_IO_RELAY_SERVER_PARTS_H
#define OVPNWATCH_IO_RELAY_SERVER_PARTS_H

#include "io/relay_connection.h"
#include "io/relay_server.h"

/* There is something to do for a connection, when the present call is over. */
void relay_server_stir(struct relay_server *s);

struct relay *relay_server_relay(struct relay_server *s);

/* The other end has gone. */
void relay_server_lost(struct relay_server *s, struct relay_connection *c);

/* A handle of the server's or of its connections has been closed. */
void relay_server_freed(struct relay_server *s);

#endif
