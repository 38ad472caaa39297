/* SPDX-License-Identifier: MIT
 *
 * The server answers, but not for this session: it was restarted, or dropped this client, without a
 * word. (Between UDP peers nobody says goodbye unless --explicit-exit-notify is set.)
 */
#include "core/diagnose.h"
#include "core/phrases.h"

bool cause_session_lost(const struct evidence *e, struct cause *c)
{
	struct probe_tally probes = evidence_probes(e);

	if (!evidence_silent_window(e) || probes.answered == 0 || probes.refused > 0)
		return false;
	/* Probes that were answered only after the restart do not say that the path worked before.
	 */
	bool during = e->silent.answered > 0;
	if (during && probes.answered >= 2 && probes.answered > probes.unanswered)
		c->confidence = CONFIDENCE_LIKELY;
	cause_because(c,
		      "the server answered %u of %u probes from a fresh socket (round trip %s) %s",
		      probes.answered, probes.answered + probes.unanswered + probes.unreachable,
		      phrase_duration(probes.best_rtt).text,
		      during ? "while this session received nothing" : "right after the restart");
	if (e->step.present && c->confidence == CONFIDENCE_LIKELY)
		cause_because(c, "what made it lose the session may be the step of its clock");
	if (!during)
		cause_against(c, "the server was not probed during the silence");
	if (probes.unanswered > 0)
		cause_against(c, "%u probes got no answer", probes.unanswered);
	cause_remedy(
	    c,
	    "On the server, see whether OpenVPN was restarted or dropped this client at this time; "
	    "`explicit-exit-notify 1` there lets clients know at once.");
	return true;
}
