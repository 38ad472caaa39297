/* SPDX-License-Identifier: MIT
 *
 * Somebody at this machine asked OpenVPN to restart: a signal, or a management client (a GUI).
 */
#include "core/diagnose.h"
#include "core/phrases.h"

bool cause_user_initiated(const struct evidence *e, struct cause *c)
{
	enum restart_reason r = e->episode->reason;

	if (r != REASON_SIGUSR1 && r != REASON_SIGHUP && r != REASON_MANAGEMENT_DISCONNECT)
		return false;
	c->confidence = CONFIDENCE_CONFIRMED;
	if (r == REASON_MANAGEMENT_DISCONNECT)
		cause_because(c, "a management client disconnected from a daemon under "
				 "--management-signal");
	else
		cause_because(c, "OpenVPN was sent %s from outside", e->episode->reason_text);
	cause_remedy(c,
		     "Ask who sent it: a GUI's reconnect button, a script, a network dispatcher "
		     "(`grep -r %s /etc/NetworkManager /etc/openvpn`).",
		     r == REASON_SIGHUP ? "HUP" : "USR1");
	return true;
}
