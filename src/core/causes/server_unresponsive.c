/* SPDX-License-Identifier: MIT
 *
 * The server's host is there but its OpenVPN does not act: stopped, starved or stuck in a script.
 * Probes get no answer, as over a dead path; what tells them apart is not measured yet, so it stays
 * possible.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

bool cause_server_unresponsive(const struct evidence *e, struct cause *c)
{
	struct probe_tally probes = evidence_probes(e);

	if (!evidence_silent_window(e) || probes.unanswered == 0 || probes.answered > 0 ||
	    probes.refused > 0 || probes.unreachable > 0)
		return false;
	cause_because(
	    c, "no answer to %u probes: an OpenVPN that is stopped or stuck answers nothing either",
	    probes.unanswered);
	cause_remedy(
	    c,
	    "See whether the host answers: `ping %.96s`; if so, look at its load and at OpenVPN's "
	    "scripts.",
	    e->tunnel->remote_ip[0] != '\0' ? e->tunnel->remote_ip : "SERVER");
	return true;
}
