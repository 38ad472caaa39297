/* SPDX-License-Identifier: MIT */
#include "core/step_detector.h"

/* How far two clocks moved against each other from one stamp to the next, or 0 if that is less
 * than a step. The arithmetic saturates: a stamp may come from a recording. */
static nsec moved(nsec a0, nsec b0, nsec a1, nsec b1, nsec least)
{
	nsec change = nsec_sub(nsec_sub(a1, b1), nsec_sub(a0, b0));
	return change >= least || change <= -least ? change : 0;
}

#define DAY	       (86400 * NSEC_PER_SEC)
#define LEAP_SLACK     (2 * NSEC_PER_MSEC) /* of its size, besides the spread of the stamps */
#define LEAP_SLACK_MAX (100 * NSEC_PER_MSEC)
#define LEAP_NEAR      (2 * NSEC_PER_SEC) /* of its time: the clocks are looked at once a second */

/* The day of the month, 1 to 31, of a day counted from 1970-01-01, which may lie before it. Years
 * begin in March here, so that the leap day is the last of them: 153 days are 5 months. */
static int day_of_month(int64_t day)
{
	int64_t since = day + 719468;			     /* from 0000-03-01 */
	int64_t in_era = (since % 146097 + 146097) % 146097; /* of 400 years */
	int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * in_year + 2) / 153;
	return (int)(in_year - (153 * month + 2) / 5 + 1);
}

/* The midnight (UTC) that is nearest to it is near, and is where a month begins. */
static bool near_a_month(nsec wall)
{
	nsec shifted = nsec_add(wall, DAY / 2);
	int64_t day = shifted / DAY - (shifted % DAY < 0);
	nsec off = nsec_sub(nsec_sub(shifted, day * DAY), DAY / 2);
	return off >= -LEAP_NEAR && off <= LEAP_NEAR && day_of_month(day) == 1;
}

static bool is_leap_second(nsec step, nsec slack, const struct stamp *before,
			   const struct stamp *at)
{
	nsec size = step < 0 ? -step : step;
	slack = nsec_min(slack, LEAP_SLACK_MAX);
	if (size < NSEC_PER_SEC - slack || size > nsec_add(NSEC_PER_SEC, slack))
		return false;
	return near_a_month(at->wall) || near_a_month(before->wall) ||
	       near_a_month(nsec_sub(at->wall, step));
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
		*change = (struct clock_change){
		    .step = step,
		    .suspended = suspended,
		    .since = last.mono,
		    .leap_second =
			is_leap_second(step, nsec_add(least, LEAP_SLACK - STEP_MIN), &last, at)};
	return changed;
}
