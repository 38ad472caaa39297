/* SPDX-License-Identifier: MIT */
#include "core/local_clock.h"

#include <assert.h>
#include <math.h>

#define LOCAL_INTERVAL	  (16 * NSEC_PER_SEC) /* chronyd and the kernel, while they answer */
#define REMOTE_INTERVAL	  (64 * NSEC_PER_SEC) /* RFC 8633: NTP servers not more often */
#define RATE_INTERVAL_MAX (1024 * NSEC_PER_SEC)
#define HURRY_INTERVAL	  (2 * NSEC_PER_SEC)
#define BURST_POLLS	  4
#define BURST_INTERVAL	  (2 * NSEC_PER_SEC)
#define RESET_INTERVAL	  (16 * NSEC_PER_SEC) /* to ask NTP servers again when the clock was set */
#define STALE_LEAST	  (3600 * NSEC_PER_SEC)
#define STALE_UPDATES	  8 /* chronyd has missed so many of its own updates */
#define LOST_MISSES	  3 /* a source that missed so many questions comes after the others */
#define REFID_LOCAL	  UINT32_C(0x7f7f0101) /* chronyd's `local`: it believes itself */
#define SET_SLACK	  NSEC_PER_SEC

/* How fast a bound grows (ppm): a clock that is steered, as RFC 5905 assumes (PHI), and one that
 * may run free beside the NTP servers that we ask. */
#define PHI_PPM	 15
#define FREE_PPM 50

/* The largest number of seconds, either way, that any source may say: 31 years. */
#define SECONDS_MAX 1e9

static bool sane(double s)
{
	return s >= -SECONDS_MAX && s <= SECONDS_MAX; /* false for NaN */
}

static struct local_sample unheard(nsec next, nsec interval)
{
	return (struct local_sample){.state = LOCAL_CLOCK_UNKNOWN,
				     .offset = NSEC_UNKNOWN,
				     .max_error = NSEC_UNKNOWN,
				     .stratum = -1,
				     .age_at_heard = NSEC_UNKNOWN,
				     .stale_after = STALE_LEAST,
				     .next = next,
				     .asked = NSEC_UNKNOWN,
				     .interval = interval};
}

void local_clock_init(struct local_clock *c, unsigned n_servers, const struct stamp *now)
{
	assert(n_servers <= NTP_SERVERS_MAX);
	*c = (struct local_clock){.n_servers = n_servers, .set_at = NSEC_UNKNOWN};
	c->chrony = unheard(now->mono, REMOTE_INTERVAL);
	c->kernel = unheard(now->mono, LOCAL_INTERVAL);
	for (unsigned i = 0; i < NTP_SERVERS_MAX; i++) {
		c->sntp[i] = unheard(i < n_servers ? now->mono : NSEC_NEVER, REMOTE_INTERVAL);
		c->burst[i] = BURST_POLLS;
	}
}

static nsec since_heard(const struct local_sample *s, nsec boot)
{
	return nsec_max(nsec_sub(boot, s->at), 0);
}

static nsec bound_now(const struct local_sample *s, nsec boot, int ppm)
{
	if (s->max_error == NSEC_UNKNOWN)
		return NSEC_UNKNOWN;
	return nsec_add(s->max_error, since_heard(s, boot) / 1000000 * ppm);
}

static nsec age_now(const struct local_sample *s, nsec boot)
{
	if (!s->heard || s->age_at_heard == NSEC_UNKNOWN)
		return NSEC_UNKNOWN;
	return nsec_add(s->age_at_heard, since_heard(s, boot));
}

/* A new sample in the place of the old one; the schedule stays. */
static void hear(struct local_sample *s, const struct stamp *at, enum local_clock_state state)
{
	s->heard = true;
	s->state = state;
	s->offset = s->max_error = s->age_at_heard = NSEC_UNKNOWN;
	s->stratum = -1;
	s->at = at->boot;
	s->stale_after = STALE_LEAST;
	s->misses = 0;
}

static void miss(struct local_sample *s)
{
	if (s->misses < LOST_MISSES)
		s->misses++;
}

/* What chronyd's answer is worth; the traps are those of its unsynchronised and `local` modes,
 * which both say that the offset is 0. */
static enum local_clock_state chrony_state(const struct chrony_tracking *t)
{
	if (t->leap == 3 || t->stratum == 0)
		return LOCAL_CLOCK_UNSYNCHRONIZED;
	if (t->ref_id == REFID_LOCAL)
		return LOCAL_CLOCK_SELF_REFERENCED;
	return t->ref_time <= 0 ? LOCAL_CLOCK_UNSYNCHRONIZED : LOCAL_CLOCK_SYNCHRONIZED;
}

static bool take_chrony(struct local_sample *s, const struct stamp *at,
			const struct chrony_tracking *t)
{
	if (!sane(t->correction_s) || !sane(t->root_delay_s) || !sane(t->root_dispersion_s) ||
	    !sane(t->update_interval_s))
		return false;
	hear(s, at, chrony_state(t));
	s->stratum = t->stratum == 0 ? -1 : t->stratum;
	if (s->state != LOCAL_CLOCK_SYNCHRONIZED)
		return true;
	s->offset = nsec_from_s(t->correction_s);
	s->max_error = nsec_from_s(fabs(t->root_dispersion_s) + fabs(t->root_delay_s) / 2);
	/* ref_time is on the clock that chronyd follows, not on ours. */
	nsec age = nsec_sub(nsec_add(at->wall, s->offset), t->ref_time);
	s->age_at_heard = nsec_max(age, 0);
	s->stale_after =
	    nsec_max(nsec_from_s(fabs(t->update_interval_s) * STALE_UPDATES), STALE_LEAST);
	return true;
}

static void chrony_event(struct local_clock *c, const struct event *e)
{
	struct local_sample *s = &c->chrony;
	if (!e->u.chrony.answered || !take_chrony(s, &e->at, &e->u.chrony.tracking)) {
		miss(s);
		s->interval = REMOTE_INTERVAL;
		s->next = nsec_max(s->next, nsec_add(e->at.mono, s->interval));
		return;
	}
	s->interval = LOCAL_INTERVAL;
	s->next = nsec_min(s->next, nsec_add(e->at.mono, s->interval));
	if (c->set_at != NSEC_UNKNOWN && s->age_at_heard != NSEC_UNKNOWN &&
	    s->age_at_heard > nsec_add(nsec_sub(e->at.boot, c->set_at), SET_SLACK)) {
		s->state = LOCAL_CLOCK_STALE;
		s->offset = s->max_error = NSEC_UNKNOWN;
	}
}

static void kernel_event(struct local_clock *c, const struct event *e)
{
	struct local_sample *s = &c->kernel;
	double max_error_s = e->u.kernel.max_error_s;
	if (!e->u.kernel.permitted) {
		s->heard = false;
		return;
	}
	hear(s, &e->at,
	     e->u.kernel.synchronized ? LOCAL_CLOCK_SYNCHRONIZED : LOCAL_CLOCK_UNSYNCHRONIZED);
	s->age_at_heard = 0;
	/* Unsynchronised, the kernel's figure is where it stops counting, not a bound. */
	if (e->u.kernel.synchronized && sane(max_error_s) && max_error_s >= 0)
		s->max_error = nsec_from_s(max_error_s);
}

static void sntp_kiss(struct local_clock *c, unsigned i, nsec mono, enum ntp_flaw flaw)
{
	struct local_sample *s = &c->sntp[i];
	c->burst[i] = 0;
	if (flaw == NTP_KISS_RATE) {
		s->interval = nsec_min(2 * s->interval, RATE_INTERVAL_MAX);
		s->next = nsec_max(s->next, nsec_add(mono, s->interval));
	} else {
		s->gone_for_good = true;
		s->next = NSEC_NEVER;
	}
}

/* Of the polls of a burst the one with the smallest bound is kept; later ones replace what is there
 * as they come, or the drift of a clock that runs free would be in it. */
static bool better_kept(const struct local_sample *s, const struct stamp *at, nsec bound)
{
	return s->heard && since_heard(s, at->boot) < BURST_POLLS * BURST_INTERVAL &&
	       bound_now(s, at->boot, FREE_PPM) < bound;
}

static void sntp_event(struct local_clock *c, const struct event *e)
{
	unsigned i = e->u.sntp.server;
	const struct ntp_measurement *m = &e->u.sntp.measurement;
	if (i >= c->n_servers || c->sntp[i].gone_for_good)
		return;
	struct local_sample *s = &c->sntp[i];
	enum ntp_flaw flaw = e->u.sntp.flaw;
	bool kiss = flaw == NTP_KISS_RATE || flaw == NTP_KISS_DENY || flaw == NTP_KISS_RSTR;
	if (e->u.sntp.answered && kiss)
		sntp_kiss(c, i, e->at.mono, flaw);
	nsec limit = nsec_from_s(SECONDS_MAX);
	if (!e->u.sntp.answered || flaw != NTP_FINE || m->offset < -limit || m->offset > limit ||
	    m->root_distance < 0 || m->root_distance > limit) {
		miss(s);
		return;
	}
	s->misses = 0;
	if (better_kept(s, &e->at, m->root_distance))
		return;
	hear(s, &e->at, LOCAL_CLOCK_SYNCHRONIZED);
	s->offset = m->offset;
	s->max_error = m->root_distance;
	s->stratum = e->u.sntp.stratum;
	s->age_at_heard = 0;
}

void local_clock_event(struct local_clock *c, const struct event *e)
{
	if (e->kind == EVENT_CHRONY)
		chrony_event(c, e);
	else if (e->kind == EVENT_SNTP)
		sntp_event(c, e);
	else if (e->kind == EVENT_KERNEL)
		kernel_event(c, e);
}

/* Brings the next question forward, but not to less than `gap` after the last. */
static void hasten(struct local_sample *s, nsec mono, nsec gap)
{
	nsec soonest = s->asked == NSEC_UNKNOWN ? mono : nsec_max(mono, nsec_add(s->asked, gap));
	s->next = nsec_min(s->next, soonest);
}

void local_clock_was_set(struct local_clock *c, const struct stamp *now)
{
	c->set_at = now->boot;
	c->chrony.heard = c->kernel.heard = false;
	hasten(&c->chrony, now->mono, 0);
	hasten(&c->kernel, now->mono, 0);
	for (unsigned i = 0; i < c->n_servers; i++) {
		struct local_sample *s = &c->sntp[i];
		s->heard = false;
		if (!s->gone_for_good && s->interval == REMOTE_INTERVAL)
			hasten(s, now->mono, RESET_INTERVAL);
	}
}

void local_clock_hurry(struct local_clock *c, const struct stamp *now)
{
	hasten(&c->chrony, now->mono, HURRY_INTERVAL);
	hasten(&c->kernel, now->mono, HURRY_INTERVAL);
}

/* Adds the question if it is due. With no room it stays due, and the deadline says so. */
static bool ask(struct local_sample *s, const struct stamp *now, struct actions *out,
		enum action_kind kind, unsigned id)
{
	if (s->next > now->mono || out->n_actions >= ACTIONS_MAX)
		return false;
	out->actions[out->n_actions++] = (struct action){.kind = kind, .id = id};
	s->asked = now->mono;
	s->next = nsec_add(now->mono, s->interval);
	return true;
}

void local_clock_ask(struct local_clock *c, const struct stamp *now, struct actions *out)
{
	(void)ask(&c->chrony, now, out, ACTION_ASK_CHRONY, 0);
	(void)ask(&c->kernel, now, out, ACTION_ASK_KERNEL, 0);
	for (unsigned i = 0; i < c->n_servers; i++)
		if (ask(&c->sntp[i], now, out, ACTION_ASK_SNTP, i) && c->burst[i] > 0 &&
		    --c->burst[i] > 0)
			c->sntp[i].next = nsec_add(now->mono, BURST_INTERVAL);
}

nsec local_clock_deadline(const struct local_clock *c)
{
	nsec next = nsec_min(c->chrony.next, c->kernel.next);
	for (unsigned i = 0; i < c->n_servers; i++)
		next = nsec_min(next, c->sntp[i].next);
	return next;
}

static bool is_stale(const struct local_sample *s, nsec boot)
{
	nsec age = age_now(s, boot);
	return s->state == LOCAL_CLOCK_STALE || (age != NSEC_UNKNOWN && age > s->stale_after);
}

/* Marzullo: the point that most intervals cover is the lower edge of one of them. Returns the best
 * bounded server that covers it; NULL if that is not more than half of those that were heard. */
static const struct local_sample *agreed(const struct local_clock *c, nsec boot)
{
	nsec lo[NTP_SERVERS_MAX], hi[NTP_SERVERS_MAX];
	const struct local_sample *s[NTP_SERVERS_MAX], *best = NULL;
	unsigned n = 0, most = 0, at = 0;
	for (unsigned i = 0; i < c->n_servers; i++) {
		if (!c->sntp[i].heard || is_stale(&c->sntp[i], boot))
			continue;
		nsec bound = bound_now(&c->sntp[i], boot, FREE_PPM);
		lo[n] = nsec_sub(c->sntp[i].offset, bound);
		hi[n] = nsec_add(c->sntp[i].offset, bound);
		s[n++] = &c->sntp[i];
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned covered = 0;
		for (unsigned j = 0; j < n; j++)
			covered += lo[j] <= lo[i] && lo[i] <= hi[j];
		if (covered > most) {
			most = covered;
			at = i;
		}
	}
	if (2 * most <= n)
		return NULL;
	for (unsigned j = 0; j < n; j++)
		if (lo[j] <= lo[at] && lo[at] <= hi[j] &&
		    (best == NULL ||
		     bound_now(s[j], boot, FREE_PPM) < bound_now(best, boot, FREE_PPM)))
			best = s[j];
	return best;
}

struct candidate {
	enum local_clock_source source;
	const struct local_sample *sample; /* NULL: nothing to say */
};

/* The best of three: one that knows the offset now, one that knew it, one that knows a state. */
static const struct candidate *choose(const struct candidate *list, unsigned n, nsec boot)
{
	const struct candidate *knew = NULL, *state = NULL;
	for (unsigned i = 0; i < n; i++) {
		const struct local_sample *s = list[i].sample;
		if (s == NULL || !s->heard)
			continue;
		bool lost = s->misses >= LOST_MISSES;
		if (s->offset != NSEC_UNKNOWN && !lost && !is_stale(s, boot))
			return &list[i];
		if (s->offset != NSEC_UNKNOWN && knew == NULL)
			knew = &list[i];
		if (!lost && state == NULL)
			state = &list[i];
	}
	return knew != NULL ? knew : state;
}

static double seconds_or_nan(nsec t)
{
	return t == NSEC_UNKNOWN ? (double)NAN : nsec_to_s(t);
}

void local_clock_read(const struct local_clock *c, const struct stamp *now,
		      struct local_clock_reading *out)
{
	const struct candidate list[] = {{LOCAL_SOURCE_CHRONY, &c->chrony},
					 {LOCAL_SOURCE_SNTP, agreed(c, now->boot)},
					 {LOCAL_SOURCE_KERNEL, &c->kernel}};
	const struct candidate *best = choose(list, sizeof list / sizeof *list, now->boot);
	*out = local_clock_unknown();
	out->present = true;
	if (best == NULL)
		return;
	const struct local_sample *s = best->sample;
	bool sntp = best->source == LOCAL_SOURCE_SNTP;
	out->source = best->source;
	out->state = is_stale(s, now->boot) ? LOCAL_CLOCK_STALE : s->state;
	if (sntp && c->kernel.heard && c->kernel.state == LOCAL_CLOCK_UNSYNCHRONIZED)
		out->state = LOCAL_CLOCK_UNSYNCHRONIZED;
	out->offset_s = seconds_or_nan(s->offset);
	out->max_error_s = seconds_or_nan(bound_now(s, now->boot, sntp ? FREE_PPM : PHI_PPM));
	out->stratum = s->stratum;
	out->age_s = seconds_or_nan(age_now(s, now->boot));
}
