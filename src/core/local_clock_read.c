/* SPDX-License-Identifier: MIT
 *
 * What the sources say now, which of them counts, and who contradicts it.
 */
#include "core/local_clock.h"
#include "core/local_clock_parts.h"

#include <math.h>

/* timesyncd sets the clock at once by so much and more (timesyncd-manager.c NTP_MAX_ADJUST); less
 * it has the kernel slew. */
#define TIMESYNC_STEPS (400 * NSEC_PER_MSEC)

/* How far the clock moved against the ruler since the sample was heard. */
static nsec moved_since(const struct local_sample *s, const struct stamp *now)
{
	return nsec_sub(nsec_sub(now->wall, now->ruler), s->wall_less_ruler);
}

/* By how much it was slewed in that time: as far as it moved, if that is more than the correction
 * of any crystal; else 0. */
static nsec slewed_since(const struct local_sample *s, const struct stamp *now)
{
	nsec moved = moved_since(s, now);
	nsec least = nsec_add(nsec_add(SLEW_LEAST, s->spread), nsec_max(now->spread, 0));
	least = nsec_add(least, drift_within(since_heard(s, now->boot), CRYSTAL_PPM));
	return moved > least || moved < -least ? moved : 0;
}

/* What a slew within the correction of a crystal may have taken of the offset meanwhile, where
 * somebody keeps the clock: never more than there was of it. A clock that runs free is as far off
 * as its crystal makes it, and its bound has that already. */
static nsec slewed_unseen(const struct local_sample *s, const struct stamp *now)
{
	nsec moved = moved_since(s, now);
	nsec may_be = nsec_add(moved < 0 ? -moved : moved,
			       drift_within(since_heard(s, now->boot), CRYSTAL_PPM));
	return nsec_min(s->offset < 0 ? -s->offset : s->offset, may_be);
}

struct local_opinion local_opinion_of(enum local_clock_source source, const struct local_sample *s,
				      const struct stamp *now, int ppm)
{
	struct local_opinion o = {
	    .source = source,
	    .heard = s->heard,
	    .lost = is_lost(s),
	    .state = is_stale(s, now->boot) ? LOCAL_CLOCK_STALE : s->state,
	    .offset = s->offset,
	    .bound = bound_now(s, now->boot, ppm),
	    .age = age_now(s, now->boot),
	    .stratum = s->stratum,
	};
	nsec slewed = slewed_since(s, now);
	if (s->offset == NSEC_UNKNOWN)
		return o;
	if (slewed == 0) {
		if (ppm < CRYSTAL_PPM)
			o.bound = nsec_add(o.bound, slewed_unseen(s, now));
		return o;
	}
	/* It moved against the ruler, and the ruler is as good as its crystal. */
	o.offset = nsec_sub(s->offset, slewed);
	o.bound = nsec_add(bound_now(s, now->boot, CRYSTAL_PPM),
			   nsec_add(s->spread, nsec_max(now->spread, 0)));
	return o;
}

/* timesyncd tells its last exchange, and what the clock was off before it was corrected by it. The
 * kernel knows whether it was: each correction makes the clock synchronised in its books, and it
 * counts only if it was asked after the exchange.
 *   unsynchronised   no correction has reached the clock: what was measured stands
 *   synchronised     0.4 s and more was set at once, so nothing of it is left; but if that had been
 *                    since we began, the clock would have been seen to be set, and what was heard
 *                    before would be gone. Less is slewed, in seconds to minutes, and anything
 *                    between all of it and nothing may be left.
 *   not known        anything between all and nothing, and so for a spike, which timesyncd does not
 *                    follow, but may still be slewing by the one before
 * In each case the bound is that of the exchange, and what a free clock drifts from then on. */
static struct local_opinion opinion_of_timesync(const struct local_clock *c,
						const struct stamp *now)
{
	const struct local_sample *s = &c->timesync, *kernel = &c->kernel;
	struct local_opinion o = local_opinion_of(LOCAL_SOURCE_TIMESYNCD, s, now, FREE_PPM);
	if (s->offset == NSEC_UNKNOWN)
		return o;
	nsec exchanged = nsec_sub(s->at, s->age_at_heard);
	bool known = kernel->heard && kernel->at >= exchanged;
	bool at_once = s->offset >= TIMESYNC_STEPS || s->offset <= -TIMESYNC_STEPS;
	if (known && kernel->state == LOCAL_CLOCK_UNSYNCHRONIZED) {
		o.state = o.state == LOCAL_CLOCK_STALE ? o.state : LOCAL_CLOCK_UNSYNCHRONIZED;
		return o;
	}
	if (known && at_once && !s->spike && exchanged < c->began) {
		o.offset = nsec_sub(o.offset, s->offset);
		return o;
	}
	nsec half = s->offset - s->offset / 2; /* the larger one, if it is odd */
	o.offset = nsec_sub(o.offset, half);
	o.bound = nsec_add(o.bound, half < 0 ? -half : half);
	return o;
}

/* What the servers `who` say together, of whom some are believed. */
static void together(const struct local_opinion *servers, const unsigned *who, unsigned n,
		     const struct ntp_selection *selection, struct local_opinions *out,
		     struct local_opinion *o)
{
	nsec best = NSEC_NEVER;
	o->heard = o->lost = true;
	o->state = LOCAL_CLOCK_SYNCHRONIZED;
	o->offset = selection->lo + nsec_sub(selection->hi, selection->lo) / 2;
	o->bound = nsec_sub(selection->hi, o->offset);
	for (unsigned k = 0; k < n; k++) {
		const struct local_opinion *s = &servers[who[k]];
		out->falseticker[who[k]] = selection->falseticker[k];
		if (selection->falseticker[k])
			continue;
		o->lost = o->lost && s->lost;
		o->age = nsec_max(o->age, s->age);
		if (s->bound < best) {
			best = s->bound;
			o->stratum = s->stratum;
		}
	}
}

/* Of the NTP servers a majority of those that were heard. As old as the oldest that it rests on. */
static struct local_opinion opinion_of_servers(const struct local_clock *c, const struct stamp *now,
					       struct local_opinions *out)
{
	struct local_opinion o = {.source = LOCAL_SOURCE_SNTP,
				  .offset = NSEC_UNKNOWN,
				  .bound = NSEC_UNKNOWN,
				  .age = NSEC_UNKNOWN,
				  .stratum = -1};
	struct local_opinion servers[NTP_SERVERS_MAX];
	struct ntp_opinion list[NTP_SERVERS_MAX];
	struct ntp_selection selection;
	unsigned who[NTP_SERVERS_MAX], n = 0;
	for (unsigned i = 0; i < c->n_servers; i++) {
		servers[i] = local_opinion_of(LOCAL_SOURCE_SNTP, &c->sntp[i], now, FREE_PPM);
		out->votes[i] = servers[i].heard && servers[i].state != LOCAL_CLOCK_STALE;
		if (!out->votes[i])
			continue;
		list[n] = (struct ntp_opinion){servers[i].offset, servers[i].bound};
		who[n++] = i;
	}
	out->n_votes = n;
	if (n == 0 || !ntp_select(list, n, &selection))
		return o;
	out->n_believed = selection.believed;
	together(servers, who, n, &selection, out, &o);
	return o;
}

void local_clock_opinions(const struct local_clock *c, const struct stamp *now,
			  struct local_opinions *out)
{
	*out = (struct local_opinions){0};
	out->list[0] = local_opinion_of(LOCAL_SOURCE_CHRONY, &c->chrony, now, PHI_PPM);
	out->list[1] = local_opinion_of(LOCAL_SOURCE_NTP_CONTROL, &c->ntp_control, now, PHI_PPM);
	out->list[2] = opinion_of_timesync(c, now);
	out->list[3] = opinion_of_servers(c, now, out);
	out->list[4] = local_opinion_of(LOCAL_SOURCE_KERNEL, &c->kernel, now, PHI_PPM);
	/* Measured from outside, on a clock that nobody keeps. */
	if (c->kernel.heard && c->kernel.state == LOCAL_CLOCK_UNSYNCHRONIZED && out->list[3].heard)
		out->list[3].state = LOCAL_CLOCK_UNSYNCHRONIZED;
}

/* The best of three: one that knows the offset now, one that knew it, one that knows a state. */
static const struct local_opinion *choose(const struct local_opinions *all)
{
	const struct local_opinion *knew = NULL, *state = NULL;
	for (unsigned i = 0; i < LOCAL_OPINIONS; i++) {
		const struct local_opinion *o = &all->list[i];
		if (!o->heard)
			continue;
		if (knows_offset(o))
			return o;
		if (o->offset != NSEC_UNKNOWN && knew == NULL)
			knew = o;
		if (!o->lost && state == NULL)
			state = o;
	}
	return knew != NULL ? knew : state;
}

static double seconds_or_nan(nsec t)
{
	return t == NSEC_UNKNOWN ? (double)NAN : nsec_to_s(t);
}

static bool meet(const struct local_opinion *a, const struct local_opinion *b)
{
	nsec apart = nsec_sub(nsec_max(a->offset, b->offset), nsec_min(a->offset, b->offset));
	return apart <= nsec_add(a->bound, b->bound);
}

/* The first of the others that knows the offset, and knows another one. */
static void find_dissent(const struct local_opinions *all, const struct local_opinion *chosen,
			 struct local_clock_reading *out)
{
	if (!knows_offset(chosen))
		return;
	for (unsigned i = 0; i < LOCAL_OPINIONS; i++) {
		const struct local_opinion *o = &all->list[i];
		if (o == chosen || !knows_offset(o) || meet(o, chosen))
			continue;
		out->disagrees.present = true;
		out->disagrees.source = o->source;
		out->disagrees.offset_s = nsec_to_s(o->offset);
		out->disagrees.max_error_s = nsec_to_s(o->bound);
		return;
	}
}

static void name_falsetickers(const struct local_clock *c, const struct local_opinions *all,
			      struct local_clock_reading *out)
{
	out->servers = (int)all->n_believed;
	for (unsigned i = 0; i < c->n_servers; i++)
		if (all->falseticker[i])
			out->falsetickers[out->n_falsetickers++] = c->names[i];
}

/* False also where one of them is not known. */
static bool within(double offset_s, double max_error_s, double limit_s)
{
	return fabs(offset_s) + max_error_s <= limit_s;
}

enum clock_verdict local_clock_verdict(const struct local_clock_reading *r, double limit_s)
{
	if (fabs(r->offset_s) - r->max_error_s > limit_s)
		return r->offset_s > 0 ? CLOCK_BEHIND : CLOCK_AHEAD;
	/* The kernel knows no offset: its bound is of the clock itself. */
	double offset_s = isnan(r->offset_s) ? 0 : r->offset_s;
	if (r->state != LOCAL_CLOCK_SYNCHRONIZED || !within(offset_s, r->max_error_s, limit_s))
		return CLOCK_INCONCLUSIVE;
	if (r->disagrees.present &&
	    !within(r->disagrees.offset_s, r->disagrees.max_error_s, limit_s))
		return CLOCK_INCONCLUSIVE;
	return CLOCK_FINE;
}

void local_clock_read(const struct local_clock *c, const struct stamp *now,
		      struct local_clock_reading *out)
{
	struct local_opinions all;
	local_clock_opinions(c, now, &all);
	const struct local_opinion *best = choose(&all);
	*out = local_clock_unknown();
	out->present = true;
	if (best == NULL)
		return;
	out->source = best->source;
	out->state = best->state;
	out->offset_s = seconds_or_nan(best->offset);
	out->max_error_s = seconds_or_nan(best->bound);
	out->stratum = best->stratum;
	out->age_s = seconds_or_nan(best->age);
	if (best->source == LOCAL_SOURCE_SNTP)
		name_falsetickers(c, &all, out);
	find_dissent(&all, best, out);
}
