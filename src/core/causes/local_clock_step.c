/* SPDX-License-Identifier: MIT
 *
 * This machine's clock was set. All timers of OpenVPN run on the wall clock (otime.c update_now),
 * so a step forward ages the last received packet by its size: if silence and step together reach
 * the ping-restart window, the next wake-up restarts the tunnel (ping.h check_ping_restart), unless
 * a packet happens to arrive first. A suspend does the same, and has a cause of its own.
 *
 * Confirmed: the silence alone was shorter than the window, and with the step it was not. Likely:
 * it was no longer than the pauses of this session usually are, so that the tunnel was alive.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

/* The timer fires with the next wake-up, a second later at most; twice that is allowed for. */
#define SOON (2 * NSEC_PER_SEC)

static void judge_silence(const struct evidence *e, nsec step, struct cause *c)
{
	nsec silent = e->silent, window = e->window;
	bool window_known = window != NSEC_NEVER && e->timers_from != TIMERS_DEFAULT;

	if (silent == NSEC_UNKNOWN) {
		cause_against(c, "how long nothing had been received is not known");
		return;
	}
	if (e->usual_gap > 0 && silent <= e->usual_gap + SOON) {
		c->confidence = CONFIDENCE_LIKELY;
		cause_because(c,
			      "nothing had been received for only %s, a pause as long as this "
			      "session has had before: the tunnel was alive",
			      phrase_duration(silent).text);
	}
	if (window_known && silent >= window - SOON) {
		cause_against(
		    c,
		    "nothing had been received for %s, which is the whole window without the step",
		    phrase_duration(silent).text);
	} else if (window_known && silent + step < window - SOON) {
		cause_against(
		    c, "the silence of %s and the step together are shorter than the window of %s",
		    phrase_duration(silent).text, phrase_duration(window).text);
	} else if (window_known) {
		c->confidence = CONFIDENCE_CONFIRMED;
		cause_because(
		    c,
		    "nothing had been received for only %s, but OpenVPN's timers run on the wall "
		    "clock: with the step they saw more than the window of %s",
		    phrase_duration(silent).text, phrase_duration(window).text);
	}
}

bool cause_local_clock_step(const struct evidence *e, struct cause *c)
{
	nsec step = e->change.step;
	nsec after = e->began.mono - e->change_at.mono;

	/* A detection can follow the restart that it caused, if OpenVPN was the quicker of the two.
	 */
	if (!e->changed || step <= 0 || after < -SOON || after > SOON || !e->same_machine ||
	    (e->reason != REASON_PING_RESTART && e->reason != REASON_PING_EXIT))
		return false;
	c->strength = 3;
	cause_because(c, "this machine's clock was set forward by %s, %s the restart",
		      phrase_duration(step).text, after >= 0 ? "just before" : "together with");
	cause_remedy(
	    c, "Find what sets the clock in jumps and let one time service slew it: `timedatectl`, "
	       "then `chronyc tracking`.");
	judge_silence(e, step, c);
	return true;
}
