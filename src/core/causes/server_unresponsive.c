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
	const struct evidence_asked asked = evidence_asked(e);
	const struct probe_tally *p = asked.probes;
	const struct reach_tally *echo = asked.echo;

	if (!asked.applies || p->unanswered == 0 || p->answered > 0 || p->refused > 0 ||
	    p->unreachable > 0)
		return false;
	cause_because(
	    c, "no answer to %u probes: an OpenVPN that is stopped or stuck answers nothing either",
	    p->unanswered);
	if (echo->answered > 0)
		cause_because(c,
			      "its host answers echo requests (%u of %u): the path works and the "
			      "host is up",
			      echo->answered, echo->answered + echo->unanswered);
	if (asked.shown && echo->answered >= ENOUGH && echo->unanswered == 0 && e->ever_answered &&
	    p->unanswered >= ENOUGH) {
		c->confidence = CONFIDENCE_LIKELY;
		c->strength = 1;
	}
	if (echo->answered == 0 && echo->unanswered > 0 && e->echo_before)
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
