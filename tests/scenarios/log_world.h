/* SPDX-License-Identifier: MIT
 *
 * The log of a scenario's tunnel, followed live:
 *
 *   log               there is a log besides the management interface
 *   log-only          there is nothing but a log
 *   past AGE TEXT     a line that is there before we come, written AGE seconds ago
 *   logged TEXT       a line that is written now; %T is the daemon's time in seconds
 *   journal WHO TEXT  the same in a journal: WHO is like nm-openvpn[123]
 *   log-file followed | absent REASON | gone REASON | ended REASON
 */
#ifndef OVPNWATCH_TESTS_SCENARIOS_LOG_WORLD_H
#define OVPNWATCH_TESTS_SCENARIOS_LOG_WORLD_H

#include "core/event.h"

struct log_world {
	bool there, alone;
	char text[256]; /* of the last event */
};

/* False: `verb` is none of these. True: *event says whether *e is to happen now. */
bool log_world_command(struct log_world *l, const char *verb, const char *rest, nsec wall,
		       struct event *e, bool *event);

#endif
