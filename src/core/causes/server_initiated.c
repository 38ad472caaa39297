/* SPDX-License-Identifier: MIT
 *
 * The server told the client to restart or to end: it is being stopped or restarted with
 * --explicit-exit-notify, or an administrator dropped the client (push.c server_pushed_signal).
 * OpenVPN says so itself: confirmed.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

bool cause_server_initiated(const struct evidence *e, struct cause *c)
{
	enum restart_reason r = e->reason;
	bool by_reason = r == REASON_SERVER_PUSHED_RESET || r == REASON_SERVER_PUSHED_HALT ||
			 r == REASON_REMOTE_EXIT;

	if (!by_reason && !e->server_said_so)
		return false;
	c->confidence = CONFIDENCE_CONFIRMED;
	if (by_reason)
		cause_because(c, "OpenVPN gives the server's own command as the reason: %.64s",
			      e->reason_text);
	else
		cause_because(c,
			      "the client's log has the server's command just before the restart");
	cause_remedy(c,
		     "Ask who stops or restarts the server, or look at its log around this time: "
		     "`journalctl -u 'openvpn*'`.");
	return true;
}
