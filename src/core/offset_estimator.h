/* SPDX-License-Identifier: MIT
 *
 * From readings of a clock that shows whole seconds to its offset, with a bound that holds
 * (the interval method): a server's answer S to a question that left at t and was answered at u
 * says S - u  <=  server - ours  <  S + 1 - t and the intersection of many such intervals is
 * narrow: RTT + 2^-(k-1) s after k probes, each sent so that it splits what is left. `ours` is the
 * ruler clock, which nobody sets and nobody slews: a step of this machine's wall clock does not
 * touch the estimate, and an empty intersection can only be a step of the server's clock. (How long
 * the machine slept, the ruler knows to a second only where the kernel takes it from the hardware
 * clock: after a suspend it is another ruler, and the caller begins anew.) Other sources (NTP
 * stamps, a time that was pushed) give intervals, too.
 *
 * Between readings the interval is widened by what the clocks can have moved apart. At first that
 * is the assumed OFFSET_DRIFT_PPM, either way. But the intervals themselves tell how fast the
 * clocks move apart (drift_estimator.h), and what they leave of the rates, with OFFSET_WANDER_PPM
 * to spare, soon is much narrower. So there are two intervals: the wide one holds if the clocks
 * drift apart by no more than is assumed; the one that is told, which never leaves it, holds if
 * also the rate does not change by more than it is allowed to wander.
 *
 * Either assumption can be found wrong, and is then doubled: a bound that was found wrong once is
 * not claimed again. If a reading contradicts what was learned, but not the wide interval, what was
 * learned is forgotten and the wide interval is told (ESTIMATE_RESTARTED). If it contradicts the
 * wide interval by little, the clocks drift more than was assumed, and all begins anew
 * (ESTIMATE_RESTARTED, too). If by OFFSET_STEP_MIN or more, the server's clock was set
 * (ESTIMATE_STEPPED). Until a reading shows it, a wrong assumption is not noticed.
 */
#ifndef OVPNWATCH_CORE_OFFSET_ESTIMATOR_H
#define OVPNWATCH_CORE_OFFSET_ESTIMATOR_H

#include "core/drift_estimator.h"
#include "proto/nsec.h"

#include <stdbool.h>

/* Two clocks of ordinary machines, up to 100 ppm each, and what is assumed at most. */
#define OFFSET_DRIFT_PPM     200
#define OFFSET_DRIFT_PPM_MAX 800
/* By how much the rate may change once it was learned: three times the PHI of RFC 5905. */
#define OFFSET_WANDER_PPM 50
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

/* Server clock minus ruler clock. */
struct offset_interval {
	nsec lo, hi;
};

struct offset_estimator {
	nsec late;	  /* what is read of the clock may be so much behind it */
	unsigned samples; /* since the last step, or since all began anew; 0: nothing is known */
	nsec at;	  /* ruler: both intervals are as of this instant */
	struct offset_interval told; /* aged by the rates that were learned; inside the wide one */
	struct offset_interval wide; /* aged by what is assumed */
	nsec since; /* ruler: readings that began earlier are of before the last step or restart */
	nsec rtt;   /* the smallest round trip of a probe; NSEC_UNKNOWN */
	/* what the last step replaced, for its size: */
	struct offset_interval step; /* its bounds, refined as readings come; valid after STEPPED */
	struct offset_interval before;
	nsec before_at; /* NSEC_UNKNOWN: a restart came since, no reading refines the step now */
	bool stepped;
	int ppm; /* the drift that is assumed now: OFFSET_DRIFT_PPM or more */
	int run; /* answers in a row above (positive) or below the middle of the interval */
	struct drift_estimator rates; /* server against ruler */
};

void offset_estimator_init(struct offset_estimator *e);

/* What probes read of the clock may be up to `late` behind it (a clock that is read from a timer's
 * last tick): the second that they show turns over so much later than the clock's. The bound then
 * is no better than that. Called after offset_estimator_init(), before the first reading. */
void offset_estimator_expect_late(struct offset_estimator *e, nsec late);

/* Begins anew at `ruler`: what was known does not hold any more, and no reading that began before
 * it counts. What was found out about the assumptions and the path is kept. */
void offset_estimator_forget(struct offset_estimator *e, nsec ruler);

/* A probe: `sent` and `received` on the ruler clock, `seconds` what the server's clock showed in
 * between, in whole seconds since the epoch. Only these readings tell how long a probe is on its
 * way, for offset_estimator_aim(), and on which side of the aim the clock was, for
 * offset_estimator_aim_check(). What cannot be right (seconds outside 0..2^33, received before sent
 * or more than a minute after) changes nothing, not even `samples`. */
enum estimate_change offset_estimator_add(struct offset_estimator *e, nsec sent, nsec received,
					  int64_t seconds);

/* A reading that came of itself: at some instant from `earliest` to `latest` (ruler, at most an
 * hour apart) the server's clock showed something in [clock_lo, clock_hi], in ns since the epoch,
 * at most an hour wide: whole seconds are [S, S + 1 s]. It may be older than others. What cannot be
 * right, or began before the last step or restart, changes nothing. */
enum estimate_change offset_estimator_add_between(struct offset_estimator *e, nsec earliest,
						  nsec latest, nsec clock_lo, nsec clock_hi);

/* An exchange of NTP stamps (RFC 5905 section 8): our question left at `sent` and the answer came
 * at `received` (ruler, at most a minute apart), the server's clock showed `t2` when the question
 * came and `t3` when its answer left, in ns since the epoch. What cannot be right (t3 before t2, or
 * more time between them than between ours) changes nothing. */
enum estimate_change offset_estimator_add_exchange(struct offset_estimator *e, nsec sent,
						   nsec received, nsec t2, nsec t3);

/* The interval as of `ruler`, widened by its age. False: nothing is known yet. */
bool offset_estimator_at(const struct offset_estimator *e, nsec ruler, nsec *lo, nsec *hi);

/* The first instant not before `earliest` (ruler) to decide on a question that splits the interval
 * best: the second that the server shows should turn over in the middle of what it can show when
 * the question arrives. `lead` is the time from the decision to the departure: 0 over UDP, a round
 * trip for a connection over TCP. `earliest` if nothing is known. */
nsec offset_estimator_aim(const struct offset_estimator *e, nsec earliest, nsec lead);

/* As offset_estimator_aim(), for the probes of quiet times, which must also find what splitting
 * cannot: a clock that moved by less than a second never contradicts a question aimed at the
 * middle, it only presses the interval to one side again and again. After OFFSET_RUN_CHECK such
 * readings the next two are aimed outside that edge, where a clock that is inside cannot show the
 * next second: one OFFSET_STEP_MIN outside the wide interval, for a step, and one close to the one
 * that is told, for drift. */
nsec offset_estimator_aim_check(const struct offset_estimator *e, nsec earliest, nsec lead);

/* Size of the last step, as an interval that narrows with each reading. False: no step was seen. */
bool offset_estimator_step(const struct offset_estimator *e, nsec *lo, nsec *hi);

#endif
