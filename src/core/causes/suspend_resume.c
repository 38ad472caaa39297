/* SPDX-License-Identifier: MIT
 *
 * This machine slept. CLOCK_MONOTONIC stands still, the wall clock does not: on waking, OpenVPN's
 * timers have aged by the time asleep, and the server may have given the client up meanwhile.
 *
 * Confirmed: OpenVPN restarted on waking, and the time asleep alone is the window. Likely: it
 * restarted within a minute, after a sleep of half a window or more.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

/* After a resume the network takes a while to come back, and the restart with it. */
#define AFTER_RESUME (60 * NSEC_PER_SEC)
#define SOON	     (2 * NSEC_PER_SEC)

bool cause_suspend_resume(const struct evidence *e, struct cause *c)
{
	nsec slept = e->change.suspended;
	nsec after = e->began.mono - e->change_at.mono;
	bool window_known = e->window != NSEC_NEVER && e->timers_from != TIMERS_DEFAULT;

	if (!e->changed || slept <= 0 || !e->same_machine || after < -SOON || after > AFTER_RESUME)
		return false;
	c->strength = 3;
	cause_because(c, "this machine slept for %s and woke %s before the restart",
		      phrase_duration(slept).text, phrase_duration(nsec_max(after, 0)).text);
	cause_remedy(c,
		     "Nothing is wrong: a tunnel does not outlive a sleep longer than its window.");
	if (!window_known) {
		cause_against(
		    c, "the ping-restart window, which the sleep has to reach, is not known");
	} else if (slept >= e->window && after <= SOON && e->reason == REASON_PING_RESTART) {
		c->confidence = CONFIDENCE_CONFIRMED;
		cause_because(c,
			      "to OpenVPN the time asleep counts as silence, and it is longer than "
			      "the window of %s",
			      phrase_duration(e->window).text);
	} else if (slept >= e->window / 2) {
		c->confidence = CONFIDENCE_LIKELY;
	} else {
		cause_against(c, "that is shorter than half the ping-restart window of %s",
			      phrase_duration(e->window).text);
	}
	return true;
}
