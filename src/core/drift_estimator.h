/* SPDX-License-Identifier: MIT
 *
 * How fast two clocks move apart, from intervals in which their offset lay at some instants: which
 * rates do the intervals leave, and which one is likely.
 *
 * The happy path: a narrow interval a minute; after ten minutes of intervals of 10 ms the rate is
 * known to some ten ppm, after an hour to one or two. The failure modes: intervals that no clock of
 * a steady rate passes through (one of the clocks was set, or is being slewed, or an interval was
 * wrong) are a contradiction, which the caller answers with a restart; intervals so wide, or so
 * close together, that they leave any rate, give no answer.
 *
 * Why the band is exact. A clock passes through all intervals at a mean rate of r between any two
 * instants if and only if for each pair i before j
 *     lo_j - hi_i  <=  r (t_j - t_i)  <=  hi_j - lo_i
 * for that is what is left of the inequalities lo_i <= x_i <= hi_i, x_i = x_0 + r (t_i - t_0) when
 * x_0 is eliminated (Fourier and Motzkin: each lower bound of it against each upper bound), and
 * elimination loses nothing. So the band of a line is [max L, min U] over the pairs. A real clock
 * is no line: its rate wanders with the temperature. If the largest and the smallest of its rates
 * differ by w at most, each mean rate between two of the instants is within w of its rate at any
 * instant: the rates that are possible at any instant are [max L - w, min U + w], and a
 * contradiction is max L - min U > w. w = 0 is the line.
 */
#ifndef OVPNWATCH_CORE_DRIFT_ESTIMATOR_H
#define OVPNWATCH_CORE_DRIFT_ESTIMATOR_H

#include "proto/nsec.h"

#include <stdbool.h>

/* Of samples closer than the spacing only the narrowest is kept, which needs no assumption about
 * the rate, unlike an intersection. When the ring is full every second sample goes and the spacing
 * doubles, up to the maximum: from then on, after a day and a half, the oldest goes. */
#define DRIFT_SAMPLES	  64
#define DRIFT_SPACING	  (30 * NSEC_PER_SEC)
#define DRIFT_SPACING_MAX (1920 * NSEC_PER_SEC)

/* What is worth telling: a band not wider than this, from instants this far apart. */
#define DRIFT_READ_WIDTH_PPM 100
#define DRIFT_READ_SPAN	     (600 * NSEC_PER_SEC)

/* By how much the rate of an ordinary clock that nobody steers changes within a day or two. */
#define DRIFT_WANDER_PPM 2

enum drift_change {
	DRIFT_KEPT,    /* it said nothing new, or could not be right (see drift_estimator_add()) */
	DRIFT_LEARNED, /* the band may have become narrower */
	DRIFT_CONTRADICTED /* no rate is left: nothing was changed, the caller restarts */
};

struct drift_sample {
	nsec at, lo, hi;
};

struct drift_estimator {
	struct drift_sample samples[DRIFT_SAMPLES]; /* by time */
	unsigned n;
	nsec spacing;
	nsec slot; /* when the spacing of the last sample began */
	double wander_ppm;
	double least, most; /* ppm: max L and min U; infinite while there is no pair */
};

/* `wander_ppm`: by how much the largest and the smallest rate may differ in all the time between
 * the first sample and the present; 0 or more. */
void drift_estimator_init(struct drift_estimator *d, double wander_ppm);

/* Forgets the samples: a clock was set, or they contradict each other. */
void drift_estimator_restart(struct drift_estimator *d);

/* At `at`, on a clock that is never set, the offset lay in [lo, hi]. A sample that is not later
 * than the last, or has lo above hi, is not taken. */
enum drift_change drift_estimator_add(struct drift_estimator *d, nsec at, nsec lo, nsec hi);

/* The rates that are possible, ppm; positive: the offset grows. False: any rate is. */
bool drift_estimator_band(const struct drift_estimator *d, double *lo_ppm, double *hi_ppm);

/* The likely rate (the median of the slopes between the middles of all pairs: Theil 1950, Sen 1968;
 * the nearest end of the band if it lies outside) and how far the true one can be from it. False
 * unless the band is narrow and the span long enough, see DRIFT_READ_WIDTH_PPM. */
bool drift_estimator_read(const struct drift_estimator *d, double *ppm, double *max_error_ppm);

#endif
