/* SPDX-License-Identifier: MIT */
#include "core/peer_time.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>

/* OpenVPN's clock does not follow a step back of more than 10 s (otime.c update_now); smaller ones
 * it sits out. It counts in whole seconds, so up to this much may be one that it does. */
#define SITS_OUT (11 * NSEC_PER_SEC)

void peer_time_init(struct peer_time *p)
{
	*p = (struct peer_time){.stepped = false};
	for (int f = 0; f < PEER_FACES; f++)
		offset_estimator_init(&p->face[f].estimator);
	offset_estimator_expect_late(&p->face[PEER_OPENVPN].estimator, PEER_TICK);
	drift_estimator_init(&p->utc_drift, DRIFT_WANDER_PPM);
}

static bool known(const struct peer_time *p, enum peer_face f)
{
	return p->face[f].estimator.samples > 0;
}

/* Server minus ruler. */
static bool interval(const struct peer_time *p, enum peer_face f, const struct stamp *now, nsec *lo,
		     nsec *hi)
{
	return offset_estimator_at(&p->face[f].estimator, now->ruler, lo, hi);
}

static bool meet(nsec lo1, nsec hi1, nsec lo2, nsec hi2)
{
	return nsec_max(lo1, lo2) <= nsec_min(hi1, hi2);
}

/* Whether the two clocks may be one, as far as is known at this instant. */
static bool agree(const struct peer_time *p, const struct stamp *now)
{
	nsec lo1, hi1, lo2, hi2;
	return interval(p, PEER_OPENVPN, now, &lo1, &hi1) &&
	       interval(p, PEER_SYSTEM, now, &lo2, &hi2) && meet(lo1, hi1, lo2, hi2);
}

/* What was known of the other clock is of the time before: it may have moved as well. */
static void forget_other(struct peer_time *p, enum peer_face f, const struct stamp *at)
{
	enum peer_face other = f == PEER_OPENVPN ? PEER_SYSTEM : PEER_OPENVPN;
	offset_estimator_forget(&p->face[other].estimator, at->ruler);
}

/* A step of one clock says something of the other. Forward, OpenVPN's follows the system's at once.
 * Backward it stays, if the step was large enough for sure. OpenVPN's own clock is never set alone,
 * but goes back when OpenVPN is restarted: if it then meets the system's, which it did not before,
 * nobody set a clock; if it does not, the system's was set since it was heard of. */
static bool was_set(struct peer_time *p, enum peer_face f, bool disagreed, const struct stamp *at)
{
	nsec lo, hi;
	if (!offset_estimator_step(&p->face[f].estimator, &lo, &hi))
		return false;
	if (f == PEER_OPENVPN && hi < 0 && disagreed && agree(p, at)) {
		/* This was no step, and what the estimator holds for one replaced the last. */
		p->stepped = p->stepped && p->step_face != f;
		return false;
	}
	if (f == PEER_OPENVPN || hi > -SITS_OUT)
		forget_other(p, f, at);
	return true;
}

static struct peer_change take(struct peer_time *p, enum peer_face f, enum peer_clock_source source,
			       unsigned samples_before, enum estimate_change estimate,
			       bool disagreed, const struct stamp *at)
{
	struct peer_change change = {.estimate = estimate};
	const struct stamp before = p->face[f].last;
	change.measured =
	    estimate != ESTIMATE_KEPT || p->face[f].estimator.samples != samples_before;
	if (!change.measured)
		return change;
	p->face[f].source = source;
	p->face[f].last = *at;
	change.stepped = estimate == ESTIMATE_STEPPED && was_set(p, f, disagreed, at);
	if (change.stepped) {
		p->stepped = true;
		p->step_face = f;
		p->step_after = before;
		p->step_before = *at;
	}
	/* It drifts, or is being slewed, by more than was assumed, and that goes for both. */
	if (estimate == ESTIMATE_RESTARTED && !disagreed)
		forget_other(p, f, at);
	if (estimate == ESTIMATE_STEPPED || estimate == ESTIMATE_RESTARTED)
		peer_time_restart_drift(p);
	return change;
}

/* The stamps' clocks were read within `spread` of each other, in whichever order: the reading of
 * the ruler is no better than that. */
static nsec ruler_before(const struct stamp *s)
{
	return nsec_sub(s->ruler, nsec_max(s->spread, 0));
}

static nsec ruler_after(const struct stamp *s)
{
	return nsec_add(s->ruler, nsec_max(s->spread, 0));
}

static bool disagree(const struct peer_time *p, const struct stamp *at)
{
	return known(p, PEER_OPENVPN) && known(p, PEER_SYSTEM) && !agree(p, at);
}

struct peer_change peer_time_probe(struct peer_time *p, const struct stamp *sent,
				   const struct stamp *received, int64_t seconds)
{
	struct offset_estimator *e = &p->face[PEER_OPENVPN].estimator;
	bool disagreed = disagree(p, received);
	unsigned samples = e->samples;
	enum estimate_change estimate =
	    offset_estimator_add(e, ruler_before(sent), ruler_after(received), seconds);
	return take(p, PEER_OPENVPN, PEER_SOURCE_OPENVPN_CONTROL, samples, estimate, disagreed,
		    received);
}

struct peer_change peer_time_told(struct peer_time *p, const struct peer_told *told)
{
	struct offset_estimator *e = &p->face[told->face].estimator;
	bool disagreed = disagree(p, &told->latest);
	unsigned samples = e->samples;
	nsec from = ruler_before(&told->earliest), until = ruler_after(&told->latest);
	nsec late = told->face == PEER_OPENVPN ? PEER_TICK : 0;
	enum estimate_change estimate =
	    told->exchange
		? offset_estimator_add_exchange(e, from, until, told->clock_lo, told->clock_hi)
		: offset_estimator_add_between(e, from, until, told->clock_lo,
					       nsec_add(told->clock_hi, late));
	return take(p, told->face, told->source, samples, estimate, disagreed, &told->latest);
}

const struct offset_estimator *peer_time_aim(const struct peer_time *p)
{
	return &p->face[PEER_OPENVPN].estimator;
}

/* What is read: server minus ruler, from the best of what agrees. */
struct combined {
	bool disagree; /* the interval is the system's; OpenVPN's is another */
	enum peer_face face;
	nsec lo, hi;
};

static bool combine(const struct peer_time *p, const struct stamp *now, struct combined *out)
{
	nsec lo[PEER_FACES], hi[PEER_FACES];
	bool here[PEER_FACES];
	for (int f = 0; f < PEER_FACES; f++)
		here[f] = interval(p, (enum peer_face)f, now, &lo[f], &hi[f]);
	if (!here[PEER_OPENVPN] && !here[PEER_SYSTEM])
		return false;
	*out = (struct combined){.face = here[PEER_SYSTEM] ? PEER_SYSTEM : PEER_OPENVPN};
	out->lo = lo[out->face];
	out->hi = hi[out->face];
	if (!here[PEER_OPENVPN] || !here[PEER_SYSTEM])
		return true;
	if (!meet(lo[0], hi[0], lo[1], hi[1])) {
		out->disagree = true;
		return true;
	}
	/* The narrower one is what the figure rests on. */
	if (nsec_sub(hi[PEER_OPENVPN], lo[PEER_OPENVPN]) <
	    nsec_sub(hi[PEER_SYSTEM], lo[PEER_SYSTEM]))
		out->face = PEER_OPENVPN;
	out->lo = nsec_max(lo[0], lo[1]);
	out->hi = nsec_min(hi[0], hi[1]);
	return true;
}

static bool usable(const struct local_clock_reading *local)
{
	return local != NULL && local->present && local->state != LOCAL_CLOCK_STALE &&
	       !isnan(local->offset_s) && !isnan(local->max_error_s);
}

void peer_time_learn_drift(struct peer_time *p, const struct stamp *now,
			   const struct local_clock_reading *local)
{
	struct combined c;
	if (!usable(local) || !combine(p, now, &c))
		return;
	/* From one clock to another is no drift. */
	if (c.disagree != p->drift_disagree)
		peer_time_restart_drift(p);
	p->drift_disagree = c.disagree;
	/* (server - ruler) - (UTC - ruler), the second from this machine's wall clock. */
	nsec utc = nsec_add(nsec_sub(now->wall, now->ruler), nsec_from_s(local->offset_s));
	nsec doubt = nsec_add(nsec_from_s(local->max_error_s), nsec_max(now->spread, 0));
	nsec lo = nsec_sub(nsec_sub(c.lo, utc), doubt), hi = nsec_add(nsec_sub(c.hi, utc), doubt);
	enum drift_change change = drift_estimator_add(&p->utc_drift, now->ruler, lo, hi);
	if (change == DRIFT_CONTRADICTED)
		peer_time_restart_drift(p);
	else if (change == DRIFT_LEARNED)
		p->drift_known =
		    drift_estimator_read(&p->utc_drift, &p->drift_ppm, &p->drift_max_error_ppm);
}

void peer_time_restart_drift(struct peer_time *p)
{
	drift_estimator_restart(&p->utc_drift);
	p->drift_known = false;
}

void peer_time_slept(struct peer_time *p, const struct stamp *now)
{
	for (int f = 0; f < PEER_FACES; f++)
		offset_estimator_forget(&p->face[f].estimator, now->ruler);
	p->stepped = false;
	peer_time_restart_drift(p);
}

/* Half the width of an interval, in seconds. */
static double half_width_s(nsec lo, nsec hi)
{
	return (nsec_to_s(hi) - nsec_to_s(lo)) / 2;
}

/* Server minus wall clock. In integers as long as the epoch is in it: a double has no nanoseconds
 * there. */
static void against_wall(nsec lo, nsec hi, const struct stamp *now, double *offset_s,
			 double *max_error_s)
{
	lo = nsec_sub(nsec_add(lo, now->ruler), now->wall);
	hi = nsec_sub(nsec_add(hi, now->ruler), now->wall);
	*offset_s = nsec_to_s(lo) + half_width_s(lo, hi);
	*max_error_s = half_width_s(lo, hi) + nsec_to_s(nsec_max(now->spread, 0));
}

static enum clock_verdict verdict(double offset_s, double max_error_s, double limit_s)
{
	if (fabs(offset_s) - max_error_s > limit_s)
		return offset_s > 0 ? CLOCK_AHEAD : CLOCK_BEHIND;
	return fabs(offset_s) + max_error_s <= limit_s ? CLOCK_FINE : CLOCK_INCONCLUSIVE;
}

static void read_disagreement(const struct peer_time *p, const struct stamp *now,
			      struct peer_clock_reading *out)
{
	nsec lo, hi;
	if (!interval(p, PEER_OPENVPN, now, &lo, &hi))
		return;
	out->disagrees.present = true;
	out->disagrees.source = p->face[PEER_OPENVPN].source;
	against_wall(lo, hi, now, &out->disagrees.offset_s, &out->disagrees.max_error_s);
}

void peer_time_read(const struct peer_time *p, const struct stamp *now,
		    const struct local_clock_reading *local, double limit_s,
		    struct peer_clock_reading *out)
{
	struct combined c;
	*out = peer_clock_unknown();
	if (!combine(p, now, &c))
		return;
	unsigned samples = p->face[c.face].estimator.samples;
	out->present = true;
	out->source = p->face[c.face].source;
	out->samples = samples < INT_MAX ? (int)samples : INT_MAX;
	out->age_s = nsec_to_s(nsec_max(nsec_sub(now->boot, p->face[c.face].last.boot), 0));
	against_wall(c.lo, c.hi, now, &out->offset_s, &out->max_error_s);
	out->verdict = verdict(out->offset_s, out->max_error_s, limit_s);
	if (c.disagree)
		read_disagreement(p, now, out);
	if (p->drift_known) {
		out->drift_ppm = p->drift_ppm;
		out->drift_max_error_ppm = p->drift_max_error_ppm;
	}
	if (!usable(local))
		return;
	out->vs_utc_s = out->offset_s - local->offset_s;
	out->vs_utc_max_error_s = out->max_error_s + local->max_error_s;
	out->verdict = verdict(out->vs_utc_s, out->vs_utc_max_error_s, limit_s);
}

void peer_time_disown_step(struct peer_time *p)
{
	p->stepped = false;
}

void peer_time_read_step(const struct peer_time *p, struct clock_step *out)
{
	nsec lo, hi;
	*out = (struct clock_step){.clock = STEP_PEER, .max_error_s = (double)NAN};
	if (!p->stepped || !offset_estimator_step(&p->face[p->step_face].estimator, &lo, &hi))
		return;
	out->present = true;
	out->size_s = nsec_to_s(lo) + half_width_s(lo, hi);
	out->max_error_s = half_width_s(lo, hi);
	out->at = p->step_before.wall;
}
