/* SPDX-License-Identifier: MIT
 *
 * The server's host, the way to it and another remote, as a scenario sets them:
 *
 *   host answer | silent | barred | as-path   echo requests; as-path (unless said): as the probes
 *   other answer | silent                     the profile has another remote, which does so
 *   route lost | link-lost | back             this machine's route, or its link
 */
#ifndef OVPNWATCH_TESTS_SCENARIOS_HOST_WORLD_H
#define OVPNWATCH_TESTS_SCENARIOS_HOST_WORLD_H

#include "core/event.h"

struct host_world {
	enum { HOST_AS_PATH, HOST_ANSWER, HOST_SILENT, HOST_BARRED } host;
	enum { OTHER_NONE, OTHER_ANSWER, OTHER_SILENT } other;
};

/* True: it was a command of this world. *route is true if *e is an event of the route to be played
 * at once. */
bool host_world_command(struct host_world *h, const char *verb, const char *rest, struct event *e,
			bool *route);

/* What becomes of an echo request; `path_answers`: probes are answered. False: nothing. */
bool host_world_echo(const struct host_world *h, bool path_answers, struct event *e);
/* The same of a probe of another remote. */
bool host_world_other(const struct host_world *h, struct event *e);

#endif
