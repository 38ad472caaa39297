/* SPDX-License-Identifier: MIT
 *
 * Nothing listens at the server's port: a packet to it comes back as ICMP port unreachable, a TCP
 * connection is refused. The host is up and the path works, but the OpenVPN process is not there
 * (or a firewall rejects on its behalf, which is why it is never confirmed).
 */
#include "core/diagnose.h"
#include "core/phrases.h"

/* OpenVPN's own word of it is this fresh: it comes with each of its pings. */
#define FRESH (30 * NSEC_PER_SEC)

bool cause_server_down(const struct evidence *e, struct cause *c)
{
	unsigned refused = e->silent_probes.refused + e->after.refused;
	const struct log_word *heard = evidence_said(e, LOG_REFUSED);

	if (heard != NULL && heard->at < e->began.mono - FRESH)
		heard = NULL;
	if (refused == 0 && heard == NULL)
		return false;
	c->confidence = CONFIDENCE_LIKELY;
	/* One that is there again, and was so while the tunnel was silent, was restarted. */
	c->strength = e->silent_probes.answered > e->silent_probes.refused ? -2 : 3;
	if (refused > 0)
		cause_because(c,
			      "the server's host refused %u of ovpnwatch's probes: nothing listens "
			      "at the port",
			      refused);
	if (heard != NULL)
		cause_because(c, "OpenVPN's own packets were refused%s (ECONNREFUSED in its log)",
			      refused > 0 ? " too" : "");
	if (e->drops.lost != NSEC_UNKNOWN && evidence_at_onset(e, e->drops.lost))
		cause_because(c, "the server's management interface went away at the same time");
	if (e->silent_probes.answered > 0)
		cause_against(c, "it answered %u probes before the restart",
			      e->silent_probes.answered);
	else if (e->after.answered > 0)
		cause_because(c, "since then it answers again");
	cause_against(c, "a firewall that rejects instead of dropping looks the same");
	cause_remedy(
	    c, "On the server: `systemctl status 'openvpn*'` and its log; the client reconnects by "
	       "itself when it is back.");
	return true;
}
