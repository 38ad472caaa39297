/* SPDX-License-Identifier: MIT
 *
 * What the files of local_clock share, and nobody else: samples grow old in the same way wherever
 * they are looked at, and what a source says now is worked out in one place.
 */
#ifndef OVPNWATCH_CORE_LOCAL_CLOCK_PARTS_H
#define OVPNWATCH_CORE_LOCAL_CLOCK_PARTS_H

#include "core/local_clock.h"
#include "core/ntp_select.h"

#define LOCAL_INTERVAL	(16 * NSEC_PER_SEC) /* the sources of this machine, while they answer */
#define REMOTE_INTERVAL (64 * NSEC_PER_SEC) /* while they do not; RFC 8633: NTP servers */
#define BURST_POLLS	4
#define BURST_INTERVAL	(2 * NSEC_PER_SEC)
#define LOST_MISSES	3 /* a source that missed so many questions comes after the others */
#define STALE_LEAST	(3600 * NSEC_PER_SEC)

/* How fast a bound grows (ppm): a clock that is steered, as RFC 5905 assumes (PHI), and one that
 * may run free beside the NTP servers that we ask: it is as good as its crystal. */
#define PHI_PPM	 15
#define FREE_PPM CRYSTAL_PPM

/* How far the ruler may be from true time, and the least that counts as a slew. */
#define CRYSTAL_PPM 100
#define SLEW_LEAST  (100 * NSEC_PER_USEC)

/* What drifts at `ppm` is off by this much after `t`. */
static inline nsec drift_within(nsec t, int ppm)
{
	return t / 1000000 * ppm;
}

static inline nsec since_heard(const struct local_sample *s, nsec boot)
{
	return nsec_max(nsec_sub(boot, s->at), 0);
}

static inline nsec bound_now(const struct local_sample *s, nsec boot, int ppm)
{
	if (s->max_error == NSEC_UNKNOWN)
		return NSEC_UNKNOWN;
	return nsec_add(s->max_error, drift_within(since_heard(s, boot), ppm));
}

static inline nsec age_now(const struct local_sample *s, nsec boot)
{
	if (!s->heard || s->age_at_heard == NSEC_UNKNOWN)
		return NSEC_UNKNOWN;
	return nsec_add(s->age_at_heard, since_heard(s, boot));
}

static inline bool is_stale(const struct local_sample *s, nsec boot)
{
	nsec age = age_now(s, boot);
	return s->state == LOCAL_CLOCK_STALE || (age != NSEC_UNKNOWN && age > s->stale_after);
}

static inline bool is_lost(const struct local_sample *s)
{
	return s->misses >= LOST_MISSES;
}

/* What a source says now. */
struct local_opinion {
	enum local_clock_source source;
	bool heard; /* it says something */
	bool lost;  /* it has not answered lately */
	enum local_clock_state state;
	nsec offset, bound, age; /* NSEC_UNKNOWN if not known */
	int stratum;
};

#define LOCAL_OPINIONS 5

struct local_opinions {
	struct local_opinion list[LOCAL_OPINIONS]; /* the better come first */
	/* Of the NTP servers: whose word counts at all, and whom the others refute. */
	bool votes[NTP_SERVERS_MAX], falseticker[NTP_SERVERS_MAX];
	unsigned n_votes, n_believed; /* believed: 0 if there is no majority */
};

/* A sample as it is to be taken now: grown old at `ppm`, and moved with the clock if that was
 * slewed. */
struct local_opinion local_opinion_of(enum local_clock_source source, const struct local_sample *s,
				      const struct stamp *now, int ppm);

void local_clock_opinions(const struct local_clock *c, const struct stamp *now,
			  struct local_opinions *out);

/* It says an offset that can be relied on now. */
static inline bool knows_offset(const struct local_opinion *o)
{
	return o->heard && !o->lost && o->offset != NSEC_UNKNOWN && o->state != LOCAL_CLOCK_STALE;
}

#endif
