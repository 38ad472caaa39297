/* SPDX-License-Identifier: MIT */
#include "core/offset_estimator.h"

#include <limits.h>

/* Seconds and stamps outside these cannot be right, and inside them nothing below overflows but
 * differences of offsets, which saturate. */
#define SECONDS_MAX (INT64_C(1) << 33)
#define BOOT_MAX    (INT64_C(1) << 59)
/* A question that was longer on its way says nothing that is worth an interval. */
#define RTT_MAX (60 * NSEC_PER_SEC)
/* A far check, and at most three near ones. */
#define RUN_MAX (OFFSET_RUN_CHECK + 3)
/* The second can turn over in the middle of an interval this wide only once. */
#define AIM_WIDTH_MAX (2 * NSEC_PER_SEC)

/* By how much the clocks can have moved against each other in this time, rounded up. */
static nsec drift(const struct offset_estimator *e, nsec age)
{
	return age > 0 ? age / (1000000 / e->ppm) + 1 : 0;
}

static nsec middle(nsec lo, nsec hi)
{
	return lo + (hi - lo) / 2;
}

void offset_estimator_init(struct offset_estimator *e)
{
	*e = (struct offset_estimator){.before_at = NSEC_UNKNOWN, .ppm = OFFSET_DRIFT_PPM};
}

bool offset_estimator_at(const struct offset_estimator *e, nsec boot, nsec *lo, nsec *hi)
{
	if (e->samples == 0)
		return false;
	/* Either way: an interval says as little about what was as about what will be. */
	nsec age = boot >= e->at ? nsec_sub(boot, e->at) : nsec_sub(e->at, boot);
	*lo = nsec_sub(e->lo, drift(e, age));
	*hi = nsec_add(e->hi, drift(e, age));
	return true;
}

/* The step is what the clock shows now less what the interval before it, aged to now, would have
 * let it show. Each reading bounds it anew; what all of them allow is kept. */
static void refine_step(struct offset_estimator *e)
{
	if (e->before_at == NSEC_UNKNOWN)
		return;
	nsec aged = drift(e, nsec_sub(e->at, e->before_at));
	nsec lo = nsec_max(e->step_lo, nsec_sub(e->lo, nsec_add(e->before_hi, aged)));
	nsec hi = nsec_min(e->step_hi, nsec_sub(e->hi, nsec_sub(e->before_lo, aged)));
	if (lo > hi)
		return;
	e->step_lo = lo;
	e->step_hi = hi;
}

/* The interval that one reading leaves, as of `received`: while the question was under way the
 * clocks may have drifted, too. */
static void replace(struct offset_estimator *e, nsec lo, nsec hi, nsec at, nsec rtt)
{
	e->lo = lo;
	e->hi = hi;
	e->at = at;
	e->samples = 1;
	e->rtt = rtt;
	e->run = 0;
}

static enum estimate_change contradicted(struct offset_estimator *e, nsec gap, nsec lo, nsec hi,
					 nsec at, nsec rtt)
{
	const struct offset_estimator was = *e;
	replace(e, lo, hi, at, nsec_min(was.rtt, rtt));
	if (gap < OFFSET_STEP_MIN) {
		/* The chain from the interval before the last step to the present is broken. */
		e->before_at = NSEC_UNKNOWN;
		if (e->ppm < OFFSET_DRIFT_PPM_MAX)
			e->ppm *= 2;
		return ESTIMATE_RESTARTED;
	}
	e->stepped = true;
	e->before_lo = was.lo;
	e->before_hi = was.hi;
	e->before_at = was.at;
	e->step_lo = -INT64_MAX;
	e->step_hi = INT64_MAX;
	refine_step(e);
	return ESTIMATE_STEPPED;
}

/* Answers in a row that lay to the same side; when they are enough for a check of that edge (see
 * offset_estimator_aim_check()), how far the check has come. Whether the interval became narrower
 * does not matter: at the width of a round trip it no longer does, and the clock may yet leave. */
static void count_run(struct offset_estimator *e, bool up)
{
	int sign = e->run > 0 ? 1 : -1, run = sign * e->run;
	bool same = up == (sign > 0);
	if (run > OFFSET_RUN_CHECK) /* this was a near check: again if it was too slow to tell */
		e->run = same && run < RUN_MAX ? e->run + sign : 0;
	else if (run == OFFSET_RUN_CHECK) /* this was the far one */
		e->run += sign;
	else if (same)
		e->run += sign;
	else
		e->run = -sign;
}

enum estimate_change offset_estimator_add(struct offset_estimator *e, nsec sent, nsec received,
					  int64_t seconds)
{
	if (seconds < 0 || seconds > SECONDS_MAX || sent < 0 || received < sent ||
	    received > BOOT_MAX || received - sent > RTT_MAX)
		return ESTIMATE_KEPT;
	nsec rtt = received - sent;
	nsec lo = seconds * NSEC_PER_SEC - received - drift(e, rtt);
	nsec hi = (seconds + 1) * NSEC_PER_SEC - sent + drift(e, rtt);
	if (e->samples == 0) {
		replace(e, lo, hi, received, rtt);
		return ESTIMATE_FIRST;
	}
	/* Answers may overtake each other: compare as of the later one. */
	nsec at = nsec_max(e->at, received);
	lo -= drift(e, at - received);
	hi += drift(e, at - received);
	nsec old_lo, old_hi;
	(void)offset_estimator_at(e, at, &old_lo, &old_hi);
	if (lo > old_hi)
		return contradicted(e, lo - old_hi, lo, hi, at, rtt);
	if (hi < old_lo)
		return contradicted(e, old_lo - hi, lo, hi, at, rtt);
	count_run(e, middle(lo, hi) > middle(old_lo, old_hi));
	e->lo = nsec_max(lo, old_lo);
	e->hi = nsec_min(hi, old_hi);
	e->at = at;
	e->rtt = nsec_min(e->rtt, rtt);
	if (e->samples < UINT_MAX)
		e->samples++;
	refine_step(e);
	return lo > old_lo || hi < old_hi ? ESTIMATE_NARROWED : ESTIMATE_KEPT;
}

/* The first instant not before `earliest` at which a clock that is `offset` ahead shows a whole
 * second when the question arrives there. */
static nsec turnover(const struct offset_estimator *e, nsec earliest, nsec offset)
{
	nsec arrival = nsec_add(nsec_add(earliest, e->rtt / 2), offset);
	nsec past = arrival % NSEC_PER_SEC;
	if (past < 0)
		past += NSEC_PER_SEC;
	return past == 0 ? earliest : nsec_add(earliest, NSEC_PER_SEC - past);
}

static bool can_aim(const struct offset_estimator *e, nsec earliest, nsec *lo, nsec *hi)
{
	return offset_estimator_at(e, earliest, lo, hi) && nsec_sub(*hi, *lo) < AIM_WIDTH_MAX;
}

nsec offset_estimator_aim(const struct offset_estimator *e, nsec earliest)
{
	nsec lo, hi;
	if (!can_aim(e, earliest, &lo, &hi))
		return earliest;
	return turnover(e, earliest, middle(lo, hi));
}

nsec offset_estimator_aim_check(const struct offset_estimator *e, nsec earliest)
{
	nsec lo, hi;
	if (!can_aim(e, earliest, &lo, &hi))
		return earliest;
	int run = e->run < 0 ? -e->run : e->run;
	if (run < OFFSET_RUN_CHECK)
		return turnover(e, earliest, middle(lo, hi));
	/* A round trip outside: half of it is the doubt about when the question arrives. First far
	 * enough for a step to show as one, then near, for drift; further out each time that an
	 * answer was too slow to tell. */
	nsec outside = run == OFFSET_RUN_CHECK ? nsec_add(e->rtt, OFFSET_STEP_MIN)
					       : e->rtt << (run - OFFSET_RUN_CHECK - 1);
	nsec edge = e->run > 0 ? nsec_add(hi, outside) : nsec_sub(lo, outside);
	return turnover(e, earliest, edge);
}

bool offset_estimator_step(const struct offset_estimator *e, nsec *lo, nsec *hi)
{
	if (!e->stepped)
		return false;
	*lo = e->step_lo;
	*hi = e->step_hi;
	return true;
}
