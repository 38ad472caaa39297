/* SPDX-License-Identifier: MIT */
#include "core/offset_estimator.h"

#include <limits.h>
#include <math.h>

/* Clocks and stamps outside these cannot be right, and inside them nothing below overflows but
 * differences of offsets, which saturate. */
#define SECONDS_MAX (INT64_C(1) << 33)
#define RULER_MAX   (INT64_C(1) << 59)
/* A question that was longer on its way says nothing that is worth an interval; nor does a time
 * that was pushed, if it is not known to the hour when. */
#define RTT_MAX	    (60 * NSEC_PER_SEC)
#define BETWEEN_MAX (3600 * NSEC_PER_SEC)
/* A far check, and at most three near ones. */
#define RUN_MAX (OFFSET_RUN_CHECK + 3)
/* The second can turn over in the middle of an interval this wide only once. */
#define AIM_WIDTH_MAX (2 * NSEC_PER_SEC)

/* Rates that the clocks can have against each other, in ppb: integers, so that the widening is
 * exact. At most OFFSET_DRIFT_PPM_MAX either way. */
struct rates {
	int64_t lo, hi;
};

/* One reading: its offset holds at some instant from `earliest` to `latest`, or each bound at one.
 */
struct reading {
	nsec earliest, latest;
	struct offset_interval offset;
	nsec rtt; /* NSEC_UNKNOWN: it is no probe */
};

static struct rates assumed(const struct offset_estimator *e)
{
	int64_t ppb = (int64_t)e->ppm * 1000;
	return (struct rates){-ppb, ppb};
}

/* What the readings leave of the assumed rates; nothing is left if lo > hi. */
static struct rates learned(const struct offset_estimator *e)
{
	double lo, hi;
	struct rates r = assumed(e);
	if (!drift_estimator_band(&e->rates, &lo, &hi))
		return r;
	double most = e->ppm;
	r.lo = (int64_t)floor(1000 * fmin(fmax(lo, -most), most + 1));
	r.hi = (int64_t)ceil(1000 * fmax(fmin(hi, most), -most - 1));
	return r;
}

/* How far the clocks move apart in `age`, to the nearer side of zero by less than one. */
static nsec moved(nsec age, int64_t ppb)
{
	return age / NSEC_PER_SEC * ppb + age % NSEC_PER_SEC * ppb / NSEC_PER_SEC;
}

/* The interval as of another instant: an interval says as little about what was as about what will
 * be. */
static struct offset_interval aged(struct offset_interval i, nsec from, nsec to, struct rates r)
{
	if (to > from) {
		i.lo = nsec_add(i.lo, moved(nsec_sub(to, from), r.lo) - 1);
		i.hi = nsec_add(i.hi, moved(nsec_sub(to, from), r.hi) + 1);
	} else if (to < from) {
		i.lo = nsec_sub(i.lo, moved(nsec_sub(from, to), r.hi) + 1);
		i.hi = nsec_sub(i.hi, moved(nsec_sub(from, to), r.lo) - 1);
	}
	return i;
}

/* The interval that one reading leaves, as of `at`, which is not before it ended: while it was
 * under way the clocks may have moved apart, too, or not. */
static struct offset_interval interval_of(const struct reading *r, nsec at, struct rates rates)
{
	const struct rates perhaps = {rates.lo < 0 ? rates.lo : 0, rates.hi > 0 ? rates.hi : 0};
	return aged(aged(r->offset, r->earliest, r->latest, perhaps), r->latest, at, rates);
}

/* By how much two intervals miss each other; 0 or less if they do not. */
static nsec gap(struct offset_interval a, struct offset_interval b)
{
	return nsec_max(nsec_sub(a.lo, b.hi), nsec_sub(b.lo, a.hi));
}

static struct offset_interval meet(struct offset_interval a, struct offset_interval b)
{
	return (struct offset_interval){nsec_max(a.lo, b.lo), nsec_min(a.hi, b.hi)};
}

static nsec middle(struct offset_interval i)
{
	return nsec_add(i.lo, nsec_sub(i.hi, i.lo) / 2);
}

void offset_estimator_init(struct offset_estimator *e)
{
	*e = (struct offset_estimator){.since = NSEC_UNKNOWN,
				       .rtt = NSEC_UNKNOWN,
				       .before_at = NSEC_UNKNOWN,
				       .ppm = OFFSET_DRIFT_PPM};
	drift_estimator_init(&e->rates, OFFSET_WANDER_PPM);
}

void offset_estimator_expect_late(struct offset_estimator *e, nsec late)
{
	e->late = late;
}

void offset_estimator_forget(struct offset_estimator *e, nsec ruler)
{
	const struct offset_estimator was = *e;
	offset_estimator_init(e);
	drift_estimator_init(&e->rates, was.rates.wander_ppm);
	e->late = was.late;
	e->ppm = was.ppm;
	e->rtt = was.rtt;
	e->since = ruler;
}

bool offset_estimator_at(const struct offset_estimator *e, nsec ruler, nsec *lo, nsec *hi)
{
	if (e->samples == 0)
		return false;
	struct offset_interval told = aged(e->told, e->at, ruler, learned(e));
	*lo = told.lo;
	*hi = told.hi;
	return true;
}

/* The step is what the clock shows now less what the interval before it, aged to now, would have
 * let it show. Each reading bounds it anew; what all of them allow is kept. What was learned of the
 * rates before the step need not hold after it: the interval is aged by what is assumed. */
static void refine_step(struct offset_estimator *e)
{
	if (e->before_at == NSEC_UNKNOWN)
		return;
	struct offset_interval before = aged(e->before, e->before_at, e->at, assumed(e));
	struct offset_interval step = {nsec_sub(e->told.lo, before.hi),
				       nsec_sub(e->told.hi, before.lo)};
	step = meet(step, e->step);
	if (step.lo <= step.hi)
		e->step = step;
}

static void learn_rtt(struct offset_estimator *e, nsec rtt)
{
	if (rtt != NSEC_UNKNOWN)
		e->rtt = e->rtt == NSEC_UNKNOWN ? rtt : nsec_min(e->rtt, rtt);
}

static void replace(struct offset_estimator *e, const struct reading *r, nsec at)
{
	e->told = e->wide = interval_of(r, at, assumed(e));
	e->at = at;
	e->samples = 1;
	e->run = 0;
	learn_rtt(e, r->rtt);
	drift_estimator_restart(&e->rates);
	(void)drift_estimator_add(&e->rates, at, e->told.lo, e->told.hi);
}

/* The reading and the wide interval miss each other by so much. */
static enum estimate_change contradicted(struct offset_estimator *e, const struct reading *r,
					 nsec at, nsec by)
{
	if (by < OFFSET_STEP_MIN) {
		/* The chain from the interval before the last step to the present is broken. */
		e->before_at = NSEC_UNKNOWN;
		if (e->ppm < OFFSET_DRIFT_PPM_MAX)
			e->ppm *= 2;
	} else {
		e->stepped = true;
		e->before = e->told;
		e->before_at = e->at;
		e->step = (struct offset_interval){-INT64_MAX, INT64_MAX};
	}
	replace(e, r, at);
	e->since = r->earliest;
	refine_step(e);
	return by < OFFSET_STEP_MIN ? ESTIMATE_RESTARTED : ESTIMATE_STEPPED;
}

/* What was learned was wrong, the wide interval was not. */
static enum estimate_change unlearn(struct offset_estimator *e)
{
	double wander = e->rates.wander_ppm;
	drift_estimator_init(&e->rates, wander < OFFSET_DRIFT_PPM_MAX ? 2 * wander : wander);
	e->told = e->wide;
	(void)drift_estimator_add(&e->rates, e->at, e->told.lo, e->told.hi);
	e->run = 0;
	e->before_at = NSEC_UNKNOWN; /* the chain to it went through what was wrong */
	return ESTIMATE_RESTARTED;
}

/* False: the intervals contradict each other, whatever the rate. */
static bool learn(struct offset_estimator *e)
{
	if (drift_estimator_add(&e->rates, e->at, e->told.lo, e->told.hi) == DRIFT_CONTRADICTED)
		return false;
	struct rates r = learned(e);
	return r.lo <= r.hi;
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

/* The reading fits the wide interval, which is `wide` with it. */
static enum estimate_change take(struct offset_estimator *e, const struct reading *r, nsec at,
				 struct offset_interval wide)
{
	const struct rates rates = learned(e);
	const struct offset_interval was = aged(e->told, e->at, at, rates);
	const struct offset_interval is = interval_of(r, at, rates);
	e->at = at;
	e->wide = wide;
	learn_rtt(e, r->rtt);
	if (e->samples < UINT_MAX)
		e->samples++;
	if (gap(was, is) > 0)
		return unlearn(e);
	if (r->rtt != NSEC_UNKNOWN)
		count_run(e, middle(is) > middle(was));
	e->told = meet(was, is);
	refine_step(e);
	if (!learn(e))
		return unlearn(e);
	return is.lo > was.lo || is.hi < was.hi ? ESTIMATE_NARROWED : ESTIMATE_KEPT;
}

static enum estimate_change add(struct offset_estimator *e, const struct reading *r)
{
	if (r->earliest < e->since)
		return ESTIMATE_KEPT;
	if (e->samples == 0) {
		replace(e, r, r->latest);
		return ESTIMATE_FIRST;
	}
	/* Answers may overtake each other: compare as of the later one. */
	nsec at = nsec_max(e->at, r->latest);
	struct offset_interval was = aged(e->wide, e->at, at, assumed(e));
	struct offset_interval is = interval_of(r, at, assumed(e));
	nsec by = gap(was, is);
	return by > 0 ? contradicted(e, r, at, by) : take(e, r, at, meet(was, is));
}

static bool plausible(nsec earliest, nsec latest, nsec apart_max)
{
	return earliest >= 0 && latest >= earliest && latest <= RULER_MAX &&
	       latest - earliest <= apart_max;
}

static bool plausible_clock(nsec lo, nsec hi)
{
	return lo >= 0 && hi >= lo && hi <= (SECONDS_MAX + 1) * NSEC_PER_SEC;
}

enum estimate_change offset_estimator_add(struct offset_estimator *e, nsec sent, nsec received,
					  int64_t seconds)
{
	if (!plausible(sent, received, RTT_MAX) || seconds < 0 || seconds > SECONDS_MAX)
		return ESTIMATE_KEPT;
	const struct reading r = {
	    sent,
	    received,
	    {seconds * NSEC_PER_SEC - received, (seconds + 1) * NSEC_PER_SEC + e->late - sent},
	    received - sent};
	return add(e, &r);
}

enum estimate_change offset_estimator_add_between(struct offset_estimator *e, nsec earliest,
						  nsec latest, nsec clock_lo, nsec clock_hi)
{
	if (!plausible(earliest, latest, BETWEEN_MAX) || !plausible_clock(clock_lo, clock_hi) ||
	    clock_hi - clock_lo > BETWEEN_MAX)
		return ESTIMATE_KEPT;
	const struct reading r = {
	    earliest, latest, {clock_lo - latest, clock_hi - earliest}, NSEC_UNKNOWN};
	return add(e, &r);
}

enum estimate_change offset_estimator_add_exchange(struct offset_estimator *e, nsec sent,
						   nsec received, nsec t2, nsec t3)
{
	/* t2 was shown at or after `sent`, t3 at or before `received`. */
	if (!plausible(sent, received, RTT_MAX) || !plausible_clock(t2, t3) ||
	    t3 - t2 > received - sent)
		return ESTIMATE_KEPT;
	const struct reading r = {sent, received, {t3 - received, t2 - sent}, NSEC_UNKNOWN};
	return add(e, &r);
}

static nsec shortest_rtt(const struct offset_estimator *e)
{
	return e->rtt == NSEC_UNKNOWN ? 0 : e->rtt; /* no better is known to aim with */
}

/* The first instant not before `earliest` at which to decide, so that a clock that is `offset`
 * ahead shows a whole second when the question arrives there. */
static nsec turnover(const struct offset_estimator *e, nsec earliest, nsec lead, nsec offset)
{
	nsec under_way = nsec_add(nsec_max(lead, 0), shortest_rtt(e) / 2);
	nsec arrival = nsec_add(nsec_add(earliest, under_way), offset);
	nsec past = arrival % NSEC_PER_SEC;
	if (past < 0)
		past += NSEC_PER_SEC;
	return past == 0 ? earliest : nsec_add(earliest, NSEC_PER_SEC - past);
}

static bool can_aim(const struct offset_estimator *e, nsec earliest, struct offset_interval *told)
{
	return offset_estimator_at(e, earliest, &told->lo, &told->hi) &&
	       nsec_sub(told->hi, told->lo) < AIM_WIDTH_MAX;
}

/* In the middle of where the second that is shown can turn over: then either answer leaves the same
 * width, (width + late) / 2, and `late` is what remains at last. */
static nsec splitting(const struct offset_estimator *e, struct offset_interval told)
{
	told.hi = nsec_max(nsec_sub(told.hi, e->late), told.lo);
	return middle(told);
}

nsec offset_estimator_aim(const struct offset_estimator *e, nsec earliest, nsec lead)
{
	struct offset_interval told;
	if (!can_aim(e, earliest, &told))
		return earliest;
	return turnover(e, earliest, lead, splitting(e, told));
}

nsec offset_estimator_aim_check(const struct offset_estimator *e, nsec earliest, nsec lead)
{
	struct offset_interval edges;
	if (!can_aim(e, earliest, &edges))
		return earliest;
	int run = e->run < 0 ? -e->run : e->run;
	if (run < OFFSET_RUN_CHECK)
		return turnover(e, earliest, lead, splitting(e, edges));
	/* A round trip outside: half of it is the doubt about when the question arrives. First far
	 * enough for a step to show as one, then near, for drift; further out each time that an
	 * answer was too slow to tell. */
	nsec outside;
	if (run == OFFSET_RUN_CHECK) {
		edges = aged(e->wide, e->at, earliest, assumed(e));
		outside = nsec_add(shortest_rtt(e), OFFSET_STEP_MIN);
	} else {
		outside = shortest_rtt(e) << (run - OFFSET_RUN_CHECK - 1);
	}
	nsec edge = e->run > 0 ? nsec_add(edges.hi, outside) : nsec_sub(edges.lo, outside);
	return turnover(e, earliest, lead, edge);
}

bool offset_estimator_step(const struct offset_estimator *e, nsec *lo, nsec *hi)
{
	if (!e->stepped)
		return false;
	*lo = e->step.lo;
	*hi = e->step.hi;
	return true;
}
