/* SPDX-License-Identifier: MIT
 *
 * The server answers, but not for this session: it was restarted, or dropped this client, without a
 * word. (Between UDP peers nobody says goodbye unless --explicit-exit-notify is set; over TCP the
 * connection is reset.)
 *
 * Likely: it answered probes from a fresh socket while this session received nothing, or the
 * connection was reset and it answers at once.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

static bool connection_reset(const struct evidence *e, struct cause *c)
{
	if (e->reason != REASON_CONNECTION_RESET || !e->was_up || e->after.refused > 0)
		return false;
	cause_because(c, "the connection was closed by the other end (TCP), without a word");
	if (e->after.answered > 0) {
		c->confidence = CONFIDENCE_LIKELY;
		cause_because(c, "the server answered %u of %u probes after that: it is up",
			      e->after.answered, evidence_finished(&e->after));
	} else {
		cause_against(c, "the server was not seen to be up after that");
	}
	cause_against(c, "a firewall or proxy on the way can reset a connection, too");
	return true;
}

static bool silence(const struct evidence *e, struct cause *c)
{
	/* Probes that were answered only after the restart do not say that the path worked before.
	 */
	bool during = evidence_finished(&e->silent_probes) > 0;
	struct probe_tally probes = during ? e->silent_probes : e->after;

	if (!evidence_silent_window(e) || probes.answered == 0 || probes.refused > 0)
		return false;
	if (evidence_silence_shown(e) && e->silent_probes.answered >= 2 &&
	    e->silent_probes.unanswered == 0)
		c->confidence = CONFIDENCE_LIKELY;
	cause_because(
	    c, "the server answered %u of %u probes from a fresh socket (round trip %s) %s",
	    probes.answered, evidence_finished(&probes), phrase_duration(probes.best_rtt).text,
	    during ? "while this session received nothing" : "right after the restart");
	if (e->drops.gave_up != NSEC_UNKNOWN &&
	    e->drops.gave_up >= evidence_silent_from(e) - e->ping - 5 * NSEC_PER_SEC)
		cause_because(
		    c, "the server's own log says that it gave this client up (--ping-restart)");
	if (e->step.present && c->confidence == CONFIDENCE_LIKELY)
		cause_because(c, "what made it lose the session may be the step of its clock");
	if (!during)
		cause_against(c, "the server was not probed during the silence");
	if (probes.unanswered > 0)
		cause_against(c, "%u probes got no answer", probes.unanswered);
	return true;
}

bool cause_session_lost(const struct evidence *e, struct cause *c)
{
	if (!connection_reset(e, c) && !silence(e, c))
		return false;
	cause_remedy(
	    c,
	    "On the server, see whether OpenVPN was restarted or dropped this client at this time; "
	    "`explicit-exit-notify 1` there lets clients know at once.");
	return true;
}
