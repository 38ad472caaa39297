/* SPDX-License-Identifier: MIT
 *
 * Nothing listens at the server's port: a packet to it comes back as ICMP port unreachable. The
 * host is up and the path works, but the OpenVPN process is not there (or a firewall rejects on its
 * behalf).
 */
#include "core/diagnose.h"
#include "core/phrases.h"

bool cause_server_down(const struct evidence *e, struct cause *c)
{
	unsigned refused = e->silent.refused + e->after.refused;
	nsec since =
	    e->episode->last_rx != NSEC_UNKNOWN ? e->episode->last_rx : e->episode->began.mono;
	bool openvpn_heard =
	    e->tunnel->refused_at != NSEC_UNKNOWN && e->tunnel->refused_at >= since;

	if ((refused == 0 && !openvpn_heard) || e->silent.answered > e->silent.refused)
		return false;
	c->confidence = CONFIDENCE_LIKELY;
	if (refused > 0)
		cause_because(
		    c,
		    "the server's host refused %u of ovpnwatch's probes: nothing listens at the "
		    "port",
		    refused);
	if (openvpn_heard)
		cause_because(c,
			      "OpenVPN's own packets were refused too (ECONNREFUSED in its log)");
	if (e->after.answered > 0)
		cause_because(c, "since then it answers again");
	cause_against(c, "a firewall that rejects instead of dropping looks the same");
	cause_remedy(
	    c, "On the server: `systemctl status 'openvpn*'` and its log; the client reconnects by "
	       "itself when it is back.");
	return true;
}
