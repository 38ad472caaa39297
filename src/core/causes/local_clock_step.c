/* SPDX-License-Identifier: MIT
 *
 * This machine's clock was set. All timers of OpenVPN run on the wall clock (otime.c update_now),
 * so a step forward ages the last received packet by its size: if silence and step together reach
 * the ping-restart window, the next wake-up restarts the tunnel (ping.h check_ping_restart), unless
 * a packet happens to arrive first. A suspend does the same, and has a cause of its own.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

/* The timer fires with the next wake-up, a second later at most; twice that is allowed for. */
#define SOON (2 * NSEC_PER_SEC)

bool cause_local_clock_step(const struct evidence *e, struct cause *c)
{
	nsec step = e->change.step;
	nsec after = e->episode->began.mono - e->change_at.mono;
	nsec window = tunnel_window(e->tunnel);
	nsec silent = e->episode->silent;

	/* A detection can follow the restart that it caused, if OpenVPN was the quicker of the two.
	 */
	if (!e->changed || step <= 0 || after < -SOON || after > SOON ||
	    e->episode->reason != REASON_PING_RESTART || !e->tunnel->config.same_machine)
		return false;
	cause_because(c, "this machine's clock was set forward by %s, %s the restart",
		      phrase_duration(step).text, after >= 0 ? "just before" : "together with");
	cause_remedy(
	    c, "Find what sets the clock in jumps and let one time service slew it: `timedatectl`, "
	       "then `chronyc tracking`.");
	if (silent == NSEC_UNKNOWN || window == NSEC_NEVER) {
		c->confidence = CONFIDENCE_LIKELY;
		cause_against(c, "how long nothing had been received is not known");
		return true;
	}
	if (silent >= window - SOON) {
		c->confidence = CONFIDENCE_POSSIBLE;
		cause_against(c,
			      "nothing had been received for %s, which is the whole window without "
			      "the step",
			      phrase_duration(silent).text);
		return true;
	}
	if (silent + step < window - SOON) {
		cause_against(
		    c, "the silence of %s and the step together are shorter than the window of %s",
		    phrase_duration(silent).text, phrase_duration(window).text);
		return true;
	}
	c->confidence = CONFIDENCE_CONFIRMED;
	cause_because(
	    c,
	    "nothing had been received for only %s, but OpenVPN's timers run on the wall clock: "
	    "with the step they saw more than the window of %s",
	    phrase_duration(silent).text, phrase_duration(window).text);
	return true;
}
