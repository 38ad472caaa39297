/* SPDX-License-Identifier: MIT
 *
 * Somebody at this machine asked OpenVPN to restart or to end: a signal (sig.c), a management
 * client (a GUI), or the configuration's own limit (--inactive, --session-timeout). OpenVPN says so
 * itself: confirmed.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

static bool by_a_limit(enum restart_reason r)
{
	return r == REASON_INACTIVE || r == REASON_SESSION_TIMEOUT;
}

static bool by_management(enum restart_reason r)
{
	return r == REASON_MANAGEMENT_DISCONNECT || r == REASON_MANAGEMENT_EXIT;
}

static bool by_signal(enum restart_reason r)
{
	return r == REASON_SIGUSR1 || r == REASON_SIGHUP || r == REASON_SIGTERM ||
	       r == REASON_SIGINT || r == REASON_EXIT_WITH_NOTIFICATION;
}

bool cause_user_initiated(const struct evidence *e, struct cause *c)
{
	enum restart_reason r = e->reason;
	const struct log_word *command = evidence_said(e, LOG_COMMAND);

	if (!by_a_limit(r) && !by_management(r) && !by_signal(r))
		return false;
	c->confidence = CONFIDENCE_CONFIRMED;
	if (by_a_limit(r)) {
		cause_because(c, "OpenVPN's own configuration sets this limit: %.64s",
			      e->reason_text);
		cause_remedy(c,
			     "Look for `%s` in the client's configuration and in what the "
			     "server pushes.",
			     r == REASON_INACTIVE ? "inactive" : "session-timeout");
		return true;
	}
	if (by_management(r))
		cause_because(c,
			      "a management client disconnected from a daemon that restarts or "
			      "ends with it: %.64s",
			      e->reason_text);
	else
		cause_because(c, "OpenVPN was sent %s from outside",
			      r == REASON_EXIT_WITH_NOTIFICATION ? "a signal to end"
								 : e->reason_text);
	if (command != NULL && e->began.mono - command->at < 2 * NSEC_PER_SEC)
		cause_because(c, "a management client had just given the command `%.64s`",
			      command->text);
	cause_remedy(c,
		     "Ask who sent it: a GUI's reconnect button, a script, a network dispatcher "
		     "(`grep -r %s /etc/NetworkManager /etc/openvpn`).",
		     r == REASON_SIGHUP	   ? "HUP"
		     : r == REASON_SIGUSR1 ? "USR1"
					   : "openvpn");
	return true;
}
