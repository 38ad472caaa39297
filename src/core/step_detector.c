/* SPDX-License-Identifier: MIT */
#include "core/step_detector.h"

/* How far two clocks moved against each other from one stamp to the next, or 0 if that is less
 * than a step. The arithmetic saturates: a stamp may come from a recording. */
static nsec moved(nsec a0, nsec b0, nsec a1, nsec b1, nsec least)
{
	nsec change = nsec_sub(nsec_sub(a1, b1), nsec_sub(a0, b0));
	return change >= least || change <= -least ? change : 0;
}

bool step_detector_look(struct step_detector *d, const struct stamp *at,
			struct clock_change *change)
{
	const struct stamp last = d->last;
	if (!d->started) {
		d->started = true;
		d->last = *at;
		return false;
	}
	nsec least =
	    nsec_add(STEP_MIN, nsec_add(nsec_max(last.spread, 0), nsec_max(at->spread, 0)));
	nsec step = moved(last.wall, last.boot, at->wall, at->boot, least);
	/* BOOTTIME never falls behind MONOTONIC: a negative change is no sleep. */
	nsec suspended = nsec_max(moved(last.boot, last.mono, at->boot, at->mono, least), 0);
	bool changed = step != 0 || suspended != 0;
	if (changed || at->spread <= STEP_MIN || at->spread <= last.spread)
		d->last = *at;
	if (changed)
		*change =
		    (struct clock_change){.step = step, .suspended = suspended, .since = last.mono};
	return changed;
}
