/* SPDX-License-Identifier: MIT
 *
 * The daemon of a scenario as a server: whom its status lists. What its log says of them is said
 * with `<`. Its commands:
 *
 *   as-server                    the daemon is a server
 *   client + NAME ADDRESS IP     a client is connected
 *   client - NAME ADDRESS        it is not any more
 *   server-forward S             the server's clock is set forward
 */
#ifndef OVPNWATCH_TESTS_SCENARIOS_CLIENT_WORLD_H
#define OVPNWATCH_TESTS_SCENARIOS_CLIENT_WORLD_H

#include <stdbool.h>

#define WORLD_CLIENTS_MAX 16

struct client_world {
	bool server;
	long long forward;
	unsigned n, ids;
	struct {
		char name[32], address[48], ip[32];
		unsigned id;
		long long since;
	} list[WORLD_CLIENTS_MAX];
};

/* False: it is no command of this file, or it is wrong. `now`: the server's clock, Unix seconds. */
bool client_world_command(struct client_world *c, const char *verb, const char *rest,
			  long long now);

/* The line of the answer to `status 3`; NULL: that was all. Valid until the next call. */
const char *client_world_status(const struct client_world *c, unsigned line, long long now);

#endif
