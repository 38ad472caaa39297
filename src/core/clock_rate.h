/* SPDX-License-Identifier: MIT
 *
 * Tells whether this machine's clock is being slewed: whether something makes it run faster or
 * slower in order to shift it. Wall, boot and monotonic clock are slewed alike, so only the ruler
 * (CLOCK_MONOTONIC_RAW and the time slept) shows it. Crystals are wrong by less than 100 ppm and
 * time services make up for that for ever; adjtime and the fast slews of ntpd, chronyd and
 * timesyncd go at 500 ppm and more. So: further than 200 ppm from the ruler is a slew.
 *
 * The rate is taken over windows of 4 s and more between good stamps, so a slew is seen up to 8 s
 * after its start, and its rate known 4 s later, when a window lies in it altogether. Setting the
 * clock, or sleep, begins the window anew. Failure modes: rough stamps make a window longer, never
 * a slew; a machine whose clock has to be corrected by more than 200 ppm for good is taken for one
 * that is slewed for good.
 */
#ifndef OVPNWATCH_CORE_CLOCK_RATE_H
#define OVPNWATCH_CORE_CLOCK_RATE_H

#include "core/stamp.h"
#include "core/step_detector.h"

#include <stdbool.h>

#define SLEW_MIN_PPM	200.0
#define RATE_WINDOW_MIN (4 * NSEC_PER_SEC)

struct clock_rate {
	bool started;
	struct stamp from;   /* where the window begins */
	struct stamp before; /* where the one before it began */
	struct stamp calm;   /* since when it was not slewed */
	double usual_ppm;    /* wall against ruler while it was not slewed; NAN unknown */
	double usual_error;  /* ppm */
	bool slewing;
	bool whole;	 /* a whole window of it was seen: before, its rate is that of a mixture */
	double slew_ppm; /* beyond the usual, over the last window */
	struct stamp began; /* good stamps before and after the slew, or so far */
	struct stamp until;
	nsec stepped; /* by which the wall clock was set meanwhile */
};

/* Nothing known; the first stamp begins the first window. */
void clock_rate_init(struct clock_rate *r);

/* Takes the next stamp, after step_detector_look() has: `change` is what that showed, or NULL. */
void clock_rate_look(struct clock_rate *r, const struct stamp *at,
		     const struct clock_change *change);

/* How much faster than usual the clock runs, while it is slewed and that is known; else NAN. */
double clock_rate_slew_ppm(const struct clock_rate *r);

/* By how much the present slew, or the last one, has moved the clock so far: positive is forward.
 * *max_error is what the stamps, and not knowing the usual rate better, leave open, if that rate
 * was steady: below a millisecond where the clock was watched for a minute before a slew of
 * minutes. False: there was none. */
bool clock_rate_slewed(const struct clock_rate *r, nsec *slewed, nsec *max_error);

#endif
