/* SPDX-License-Identifier: MIT
 *
 * Serves a tunnel's management interface to any number of clients over the one connection that a
 * link holds: sockets around core/relay.
 *
 * Happy path: relay_server_open() beside a link that is not connected yet; own commands through
 * relay_server_own(); relay_server_close() before the link. Failure modes, each with a line on
 * standard error: an address that cannot be served (UV_E… at the beginning); a password file that
 * cannot be read (its clients are sent away); more than RELAY_CONNECTIONS_MAX clients (so are those
 * above); a client that is slow, or misbehaves (it is dropped, the others do not notice).
 */
#ifndef OVPNWATCH_IO_RELAY_SERVER_H
#define OVPNWATCH_IO_RELAY_SERVER_H

#include "core/action.h"
#include "io/relay_config.h"

#include <uv.h>

#define RELAY_CONNECTIONS_MAX 256

struct link;
struct relay_server;

/* `config`, `link` and `name` (the tunnel's) are borrowed until relay_server_close(). Returns 0 and
 * *out, or a negative UV_E… after a line that says what is wrong. */
int relay_server_open(struct relay_server **out, uv_loop_t *loop, const struct relay_config *config,
		      struct link *link, const char *name) __attribute__((warn_unused_result));

/* A command of ovpnwatch's own, in place of link_send(). */
void relay_server_own(struct relay_server *s, enum management_command c);

/* Hangs up on everybody, and frees it from within the loop. NULL will do. */
void relay_server_close(struct relay_server *s);

#endif
