/* SPDX-License-Identifier: MIT
 *
 * The server's clock was set. OpenVPN's timers run on the wall clock: a step forward by more than
 * the server's ping-restart (twice the client's, helper.c helper_keepalive) lets it forget its
 * clients without a word, and each client restarts one window after the last packet. Seen from
 * here: the offset changed between two probes, the session fell silent in that time, and the server
 * goes on answering probes.
 *
 * Never confirmed: a server that was restarted and set its clock on the way looks the same from
 * here.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

static bool not_measured(const struct evidence *e, struct cause *c)
{
	/* What was probed and did not answer is another cause's evidence, and says nothing for
	 * this. */
	if (evidence_peer_known(e) || !evidence_silent_window(e) || e->probed)
		return false;
	c->strength = -1;
	cause_because(
	    c,
	    "a step of the server's clock by more than its own window makes it forget its clients, "
	    "and a step of this machine's clock restarts the tunnel at once; %s",
	    e->replay ? "a recording does not show either clock"
		      : "the server's clock was not measured");
	cause_remedy(c,
		     "Measure the server's clock: `ovpnwatch probe --profile %.128s`, and let a "
		     "time service keep the clock at both ends.",
		     e->profile);
	return true;
}

/* The step lies between the last answer before and the first answer after it; the silence must have
 * begun in that time. */
static bool fits(const struct evidence *e)
{
	nsec grace = e->ping + 2 * NSEC_PER_SEC;
	nsec from = evidence_silent_from(e);
	return from >= e->step_after.mono - grace && from <= e->step_before.mono + grace;
}

bool cause_peer_clock_step(const struct evidence *e, struct cause *c)
{
	double size = e->step.size_s, window = nsec_to_s(e->window);

	if (!e->step.present)
		return not_measured(e, c);
	if (!evidence_silent_window(e) || e->window == NSEC_NEVER || !fits(e))
		return false;
	cause_because(
	    c,
	    "the server's clock was set %s by %s (%s) between two probes %s apart, and the silence "
	    "began in that time",
	    size > 0 ? "forward" : "back",
	    phrase_seconds(size > 0 ? size : -size, e->step.max_error_s).text,
	    phrase_bound(e->step.max_error_s).text,
	    phrase_duration(e->step_before.boot - e->step_after.boot).text);
	if (size > window) {
		c->strength = 2;
		cause_because(
		    c,
		    "that ages the server's timers by more than this client's window of %s, and a "
		    "server forgets its clients after twice that",
		    phrase_duration(e->window).text);
	} else {
		cause_against(c,
			      "a step of this size does not reach the server's window by itself");
	}
	if (size > 2 * window && evidence_silence_shown(e))
		c->confidence = CONFIDENCE_LIKELY;
	cause_answered_meanwhile(e, c);
	if (evidence_scope(e) == SCOPE_SERVER)
		cause_because(c, "other clients of this server were struck at the same time");
	cause_against(
	    c, "a server that was restarted and set its clock at the same time looks the same");
	cause_remedy(
	    c, "On the server, find what sets the clock in jumps and let one time service keep it: "
	       "`timedatectl`, `chronyc tracking`.");
	return true;
}
