/* SPDX-License-Identifier: MIT
 *
 * What else tells of the server's clock in a scenario: its NTP service, its management interface,
 * and the time that it pushes. Its commands:
 *
 *   peer-ntp on|off         --peer-ntp was given, and it answers (off: it does not any more)
 *   peer-management on|off  --peer-management was given
 *   server-system S         the server's system clock is S ahead of what its OpenVPN goes by
 *   echo                    the client's daemon says what the server pushed just now
 */
#ifndef OVPNWATCH_TESTS_SCENARIOS_PEER_WORLD_H
#define OVPNWATCH_TESTS_SCENARIOS_PEER_WORLD_H

#include "core/action.h"
#include "core/event.h"

struct peer_world {
	bool ntp, ntp_silent, management;
	nsec system; /* the server's system clock minus OpenVPN's */
	/* the answers to the last question, not given yet */
	enum action_kind question;
	enum management_command command;
	struct stamp sent;
	nsec openvpn; /* what OpenVPN's clock showed there */
	unsigned next;
	char text[128];
};

/* False: it is no command of this file. */
bool peer_world_command(struct peer_world *p, const char *verb, const char *rest);

void peer_world_ask(struct peer_world *p, enum action_kind question,
		    enum management_command command, const struct stamp *sent, nsec openvpn);

/* The next event that the last question makes; valid until the next call. */
bool peer_world_next(struct peer_world *p, struct event *e);

/* The line of an echo that the server pushed when its OpenVPN's clock showed this. */
const char *peer_world_echo(struct peer_world *p, nsec openvpn);

#endif
