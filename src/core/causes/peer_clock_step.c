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
	if (evidence_peer_known(e) || !evidence_silent_window(e))
		return false;
	/* What was probed and did not answer is another cause's evidence, and says nothing for
	 * this. */
	if (e->tunnel->peer.n_history > 0)
		return false;
	cause_because(
	    c,
	    "a step of the server's clock by more than its own window makes it forget its clients, "
	    "and a step of this machine's clock restarts the tunnel at once; %s",
	    e->replay ? "a recording does not show either clock"
		      : "the server's clock was not measured");
	cause_remedy(c,
		     "Measure the server's clock: `ovpnwatch probe --profile %.128s`, and let a "
		     "time service "
		     "keep the clock at both ends.",
		     evidence_profile(e));
	return true;
}

bool cause_peer_clock_step(const struct evidence *e, struct cause *c)
{
	const struct peer_time *p = &e->tunnel->peer.time;
	nsec window = tunnel_window(e->tunnel);
	nsec grace = (e->episode->timers.ping > 0 ? e->episode->timers.ping + 2 : 2) * NSEC_PER_SEC;
	nsec silent_from = e->episode->last_rx;

	if (!e->step.present)
		return not_measured(e, c);
	if (!evidence_silent_window(e) || window == NSEC_NEVER)
		return false;
	if (silent_from == NSEC_UNKNOWN)
		silent_from = e->episode->began.mono - window;
	/* The step lies between the last answer before and the first answer after it; the silence
	 * must have begun in that time. */
	if (silent_from < p->step_after.mono - grace || silent_from > p->step_before.mono + grace)
		return false;
	cause_because(
	    c,
	    "the server's clock was set %s by %s (%s) between two probes %s apart, and the silence "
	    "began in that time",
	    e->step.size_s > 0 ? "forward" : "back",
	    phrase_seconds(e->step.size_s > 0 ? e->step.size_s : -e->step.size_s,
			   e->step.max_error_s)
		.text,
	    phrase_bound(e->step.max_error_s).text,
	    phrase_duration(p->step_before.boot - p->step_after.boot).text);
	if (e->step.size_s * 1e9 > (double)window) {
		c->confidence = CONFIDENCE_LIKELY;
		c->strength = 1;
		cause_because(
		    c,
		    "that ages the server's timers by more than this client's window of %s, and a "
		    "server forgets its clients after twice that",
		    phrase_duration(window).text);
		if (e->step.size_s * 1e9 <= 2 * (double)window)
			c->confidence = CONFIDENCE_POSSIBLE;
	} else {
		cause_against(c,
			      "a step of this size does not reach the server's window by itself");
	}
	if (e->silent.answered > 0)
		cause_because(
		    c, "meanwhile the server answered %u of %u probes: it is up and reachable",
		    e->silent.answered,
		    e->silent.answered + e->silent.unanswered + e->silent.refused);
	cause_against(
	    c, "a server that was restarted and set its clock at the same time looks the same");
	cause_remedy(
	    c, "On the server, find what sets the clock in jumps and let one time service keep it: "
	       "`timedatectl`, `chronyc tracking`.");
	return true;
}
