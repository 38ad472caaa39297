/* SPDX-License-Identifier: MIT
 *
 * The server's host is there but its OpenVPN does not act: stopped, starved or stuck in a script
 * (all of OpenVPN is one thread, and waits for its scripts). Likely: the host answers echo
 * requests, and its OpenVPN answers no probe, although it did before. Otherwise probes without an
 * answer look as over a dead path: possible.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

#define ENOUGH 2

bool cause_server_unresponsive(const struct evidence *e, struct cause *c)
{
	struct probe_tally probes = evidence_probes(e);
	unsigned alive = e->echo.answered + e->echo_after.answered;
	unsigned dead = e->echo.unanswered + e->echo.unreachable;

	if ((!evidence_silent_window(e) && !evidence_handshake_failed(e)) ||
	    probes.unanswered == 0 || probes.answered > 0 || probes.refused > 0 ||
	    probes.unreachable > 0)
		return false;
	cause_because(
	    c, "no answer to %u probes: an OpenVPN that is stopped or stuck answers nothing either",
	    probes.unanswered);
	if (alive > 0)
		cause_because(c,
			      "its host answers echo requests (%u of %u): the path works and the "
			      "host is up",
			      alive, alive + dead + e->echo_after.unanswered);
	if (alive >= ENOUGH && dead == 0 && e->ever_answered && probes.unanswered >= ENOUGH) {
		c->confidence = CONFIDENCE_LIKELY;
		c->strength = 1;
	}
	if (alive == 0 && dead > 0 && e->echo_before)
		cause_against(c, "its host does not answer echo requests either, as it did before");
	if (!e->ever_answered)
		cause_against(c, "the server has not answered a single probe so far");
	cause_remedy(
	    c,
	    "On the server look at its load and at OpenVPN's scripts: `top`, `systemctl status "
	    "'openvpn*'`; `ping %.96s` tells whether the host is up.",
	    e->server_ip);
	return true;
}
