/* SPDX-License-Identifier: MIT
 *
 * From readings of a clock that shows whole seconds to its offset, with a bound that holds
 * (the interval method): a server's answer S to a question that left at t and was answered at u
 * says S - u  <=  server - ours  <  S + 1 - t and the intersection of many such intervals is
 * narrow: RTT + 2^-(k-1) s after k probes, each sent so that it splits what is left. `ours` is the
 * boot clock, which nobody sets: a step of this machine's wall clock, or a suspend, does not touch
 * the estimate, and an empty intersection can only be a step of the server's clock. Between
 * readings the interval is widened by OFFSET_DRIFT_PPM times the age.
 */
#ifndef OVPNWATCH_CORE_OFFSET_ESTIMATOR_H
#define OVPNWATCH_CORE_OFFSET_ESTIMATOR_H

#include "proto/nsec.h"

#include <stdbool.h>

/* Two clocks of ordinary machines, up to 50 ppm each. A reading that shows that they drift apart
 * faster (ESTIMATE_RESTARTED) doubles what is assumed from then on, up to the maximum: a bound that
 * was found wrong once is not claimed again. */
#define OFFSET_DRIFT_PPM     100
#define OFFSET_DRIFT_PPM_MAX 800
/* A gap between intervals smaller than this is taken for drift beyond the assumed, not for a step.
 */
#define OFFSET_STEP_MIN (50 * NSEC_PER_MSEC)

/* So many answers in a row to the same side of the middle are worth a check of that edge. */
#define OFFSET_RUN_CHECK 3

enum estimate_change {
	ESTIMATE_FIRST,
	ESTIMATE_NARROWED,
	ESTIMATE_KEPT,
	ESTIMATE_RESTARTED,
	ESTIMATE_STEPPED
};

struct offset_estimator {
	unsigned samples; /* since the last restart or step; 0: nothing is known */
	nsec lo, hi;	  /* server clock minus boot clock, as of `at` */
	nsec at;	  /* boot */
	nsec rtt;	  /* the smallest round trip seen */
	/* what the last step replaced, for its size: */
	nsec step_lo,
	    step_hi; /* bounds of the step, refined as readings come; valid after STEPPED */
	nsec before_lo, before_hi;
	nsec before_at; /* NSEC_UNKNOWN: a restart came since, no reading refines the step now */
	bool stepped;
	int ppm; /* the drift that is assumed now: OFFSET_DRIFT_PPM or more */
	int run; /* answers in a row above (positive) or below the middle of the interval */
};

void offset_estimator_init(struct offset_estimator *e);

/* One reading: `sent` and `received` on the boot clock, `seconds` what the server's clock showed.
 * What cannot be right (seconds outside 0..2^33, received before sent or more than a minute after)
 * changes nothing, not even `samples`. */
enum estimate_change offset_estimator_add(struct offset_estimator *e, nsec sent, nsec received,
					  int64_t seconds);

/* The interval as of `boot`, widened by its age. False: nothing is known yet. */
bool offset_estimator_at(const struct offset_estimator *e, nsec boot, nsec *lo, nsec *hi);

/* The first instant not before `earliest` (boot) at which a question splits the interval best:
 * the server's second should turn over in the middle of it. `earliest` if nothing is known. */
nsec offset_estimator_aim(const struct offset_estimator *e, nsec earliest);

/* As offset_estimator_aim(), for the probes of quiet times, which must also find what splitting
 * cannot: a clock that moved by less than a second never contradicts a question aimed at the
 * middle, it only presses the interval to one side again and again. After OFFSET_RUN_CHECK such
 * readings the next two are aimed outside that edge, where a clock that is inside cannot show the
 * next second: one OFFSET_STEP_MIN away, for a step, and one close by, for drift. */
nsec offset_estimator_aim_check(const struct offset_estimator *e, nsec earliest);

/* Size of the last step, as an interval that narrows with each reading. False: no step was seen. */
bool offset_estimator_step(const struct offset_estimator *e, nsec *lo, nsec *hi);

#endif
