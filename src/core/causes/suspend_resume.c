/* SPDX-License-Identifier: MIT
 *
 * This machine slept. CLOCK_MONOTONIC stands still, the wall clock does not: on waking, OpenVPN's
 * timers have aged by the time asleep, and the server may have given the client up meanwhile.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

/* After a resume the network takes a while to come back, and the restart with it. */
#define AFTER_RESUME (60 * NSEC_PER_SEC)

bool cause_suspend_resume(const struct evidence *e, struct cause *c)
{
	nsec slept = e->change.suspended;
	nsec after = e->episode->began.mono - e->change_at.mono;
	nsec window = tunnel_window(e->tunnel);

	if (!e->changed || slept <= 0 || !e->tunnel->config.same_machine ||
	    after < -2 * NSEC_PER_SEC || after > AFTER_RESUME)
		return false;
	c->confidence = CONFIDENCE_LIKELY;
	cause_because(c, "this machine slept for %s and woke %s before the restart",
		      phrase_duration(slept).text, phrase_duration(nsec_max(after, 0)).text);
	if (e->episode->reason == REASON_PING_RESTART && after <= 2 * NSEC_PER_SEC &&
	    slept >= window) {
		c->confidence = CONFIDENCE_CONFIRMED;
		cause_because(
		    c,
		    "to OpenVPN the time asleep counts as silence, and it is longer than the "
		    "window of %s",
		    phrase_duration(window).text);
	}
	cause_remedy(c,
		     "Nothing is wrong: a tunnel does not outlive a sleep longer than its window.");
	return true;
}
