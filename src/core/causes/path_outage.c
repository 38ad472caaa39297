/* SPDX-License-Identifier: MIT
 *
 * Packets do not get through between here and the server: probes from a fresh socket get no answer,
 * or there is no route. (Probes without an answer alone do not tell a dead path from a dead host.)
 */
#include "core/diagnose.h"
#include "core/phrases.h"

static bool not_probed(const struct evidence *e, struct cause *c)
{
	nsec window = tunnel_window(e->tunnel);
	nsec up = e->episode->connected;

	c->strength = 1;
	if (e->episode->timers.from == TIMERS_DEFAULT && up != NSEC_UNKNOWN && up > window) {
		cause_because(
		    c,
		    "the ping-restart window is not known: with OpenVPN's default of %s nothing "
		    "was "
		    "received after the first %s; if the server pushed a window of about %lld s, "
		    "nothing was received since CONNECTED",
		    phrase_duration(window).text, phrase_duration(up - window).text,
		    (long long)(up / NSEC_PER_SEC));
	} else if (window != NSEC_NEVER) {
		cause_because(c, "nothing was received for the ping-restart window of %s",
			      phrase_duration(window).text);
	}
	if (!e->replay && e->tunnel->config.no_probe != NULL)
		cause_because(c, "the server was not probed: %.160s", e->tunnel->config.no_probe);
	cause_remedy(c,
		     "Watch the next one live: `ovpnwatch watch --management ADDR --profile "
		     "%.128s` counts the "
		     "silence and probes the server while it lasts.",
		     evidence_profile(e));
	return true;
}

bool cause_path_outage(const struct evidence *e, struct cause *c)
{
	struct probe_tally probes = evidence_probes(e);
	unsigned lost = probes.unanswered + probes.unreachable;
	bool ever = e->tunnel->peer.last_answer != NSEC_UNKNOWN;

	if (e->episode->reason != REASON_PING_RESTART && lost == 0)
		return false;
	if (!evidence_silent_window(e) && e->episode->reason == REASON_PING_RESTART)
		return false;
	if (lost + probes.answered + probes.refused == 0)
		return e->episode->reason == REASON_PING_RESTART ? not_probed(e, c) : false;
	if (lost == 0 || probes.refused > 0)
		return false;
	if (probes.unreachable > 0)
		cause_because(
		    c,
		    "this machine had no route to the server, or a router said so, for %u probe%s",
		    probes.unreachable, probes.unreachable == 1 ? "" : "s");
	if (probes.unanswered > 0)
		cause_because(c, "%u of %u probes sent during the silence got no answer",
			      probes.unanswered, lost + probes.answered);
	if (ever && probes.answered == 0 && lost >= 2) {
		c->confidence = CONFIDENCE_LIKELY;
		cause_because(c, "the server had answered probes before%s",
			      e->after.answered > 0 ? ", and does again" : "");
	}
	if (!ever)
		cause_against(
		    c,
		    "the server has not answered a single probe so far: the key, a firewall or the "
		    "address may be wrong");
	if (probes.answered > 0)
		cause_against(c, "%u probes got through", probes.answered);
	if (probes.unreachable == 0)
		cause_against(c, "a frozen or dead server host looks the same");
	cause_remedy(
	    c, "Look where it ends: `mtr -u %.96s`, and `ip route` and the link on this machine.",
	    e->tunnel->remote_ip[0] != '\0' ? e->tunnel->remote_ip : "SERVER");
	return true;
}
