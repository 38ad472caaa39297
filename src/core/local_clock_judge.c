/* SPDX-License-Identifier: MIT
 *
 * What an answer about this machine's clock is worth, when it comes.
 */
#include "core/local_clock.h"
#include "core/local_clock_parts.h"

#include <math.h>
#include <string.h>

#define RATE_INTERVAL_MAX (1024 * NSEC_PER_SEC)
#define STALE_UPDATES	  8		       /* a daemon has missed so many of its own updates */
#define REFID_LOCAL	  UINT32_C(0x7f7f0101) /* chronyd's `local`: it believes itself */
#define SET_SLACK	  NSEC_PER_SEC
#define STRATUM_NONE	  16
#define POLL_MAX	  17 /* log2 seconds: NTP_MAXPOLL, RFC 5905 section 7.2 */

/* timesyncd does not say how often it polls; 2048 s is the least often (timesyncd.conf). */
#define TIMESYNC_POLL_MAX (2048 * NSEC_PER_SEC)

/* Up to here ntpd hands its offset to the kernel, which corrects it as fast as it may (MAXPHASE);
 * from there on it slews itself, at up to 500 ppm (ntp_loopfilter.c). */
#define KERNEL_PHASE_MAX (500 * NSEC_PER_MSEC)
#define SLEW_PPM	 500

/* The largest number of seconds, either way, that any source may say: 31 years. */
#define SECONDS_MAX 1e9

static bool sane(double s)
{
	return s >= -SECONDS_MAX && s <= SECONDS_MAX; /* false for NaN */
}

/* A new sample in the place of the old one; the schedule stays. */
static void hear(struct local_sample *s, const struct stamp *at, enum local_clock_state state)
{
	s->heard = true;
	s->state = state;
	s->offset = s->max_error = s->age_at_heard = NSEC_UNKNOWN;
	s->stratum = -1;
	s->at = at->boot;
	s->wall_less_ruler = nsec_sub(at->wall, at->ruler);
	s->spread = nsec_max(at->spread, 0);
	s->stale_after = STALE_LEAST;
	s->spike = false;
	s->misses = 0;
	s->reason = NULL;
}

static void miss(struct local_sample *s, const char *reason)
{
	if (s->misses < LOST_MISSES)
		s->misses++;
	s->reason = reason;
}

/* The shell's reason, or a stand-in where it gave none. */
static const char *reason_of(const char *reason)
{
	return reason != NULL ? reason : "did not answer";
}

/* The answer says what held before the clock was set. */
static void expire(struct local_sample *s)
{
	s->state = LOCAL_CLOCK_STALE;
	s->offset = s->max_error = NSEC_UNKNOWN;
}

/* Something came of the question to a daemon of this machine. True if it was asked before the clock
 * was set: then it counts for nothing, and is due again. */
static bool straddles(struct local_sample *s, const struct stamp *at)
{
	bool tainted = s->tainted;
	s->waiting = s->tainted = false;
	if (tainted)
		s->next = nsec_min(s->next, at->mono);
	return tainted;
}

/* `why` NULL: the daemon gave a usable answer. One that does not is asked less often. */
static void reschedule(struct local_sample *s, const struct stamp *at, const char *why)
{
	if (why != NULL) {
		miss(s, why);
		s->interval = REMOTE_INTERVAL;
		s->next = nsec_max(s->next, nsec_add(at->mono, s->interval));
	} else {
		s->interval = LOCAL_INTERVAL;
		s->next = nsec_min(s->next, nsec_add(at->mono, s->interval));
	}
}

/* `update` tells one update of the daemon from the next. True if it is the one of the first answer
 * after the clock was set. (The times of updates do not tell it: after a step back those from
 * before look new.) */
static bool is_old(struct local_sample *s, uint64_t update)
{
	if (s->await_old) {
		s->await_old = false;
		s->has_old = true;
		s->old = update;
	}
	return s->has_old && s->old == update;
}

/* --- chronyd --------------------------------------------------------------------------------- */

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

static const char *take_chrony(struct local_sample *s, const struct stamp *at,
			       const struct chrony_tracking *t)
{
	if (!sane(t->correction_s) || !sane(t->root_delay_s) || !sane(t->root_dispersion_s) ||
	    !sane(t->update_interval_s))
		return "its answer has figures that cannot be";
	hear(s, at, chrony_state(t));
	s->stratum = t->stratum == 0 ? -1 : t->stratum;
	if (s->state != LOCAL_CLOCK_SYNCHRONIZED)
		return NULL;
	s->offset = nsec_from_s(t->correction_s);
	s->max_error = nsec_from_s(fabs(t->root_dispersion_s) + fabs(t->root_delay_s) / 2);
	/* ref_time is on the clock that chronyd follows, not on ours. */
	nsec age = nsec_sub(nsec_add(at->wall, s->offset), t->ref_time);
	s->age_at_heard = nsec_max(age, 0);
	s->stale_after =
	    nsec_max(nsec_from_s(fabs(t->update_interval_s) * STALE_UPDATES), STALE_LEAST);
	return NULL;
}

static void chrony_event(struct local_clock *c, const struct event *e)
{
	struct local_sample *s = &c->chrony;
	if (straddles(s, &e->at))
		return;
	const char *why = e->u.chrony.answered ? take_chrony(s, &e->at, &e->u.chrony.tracking)
					       : reason_of(e->u.chrony.reason);
	reschedule(s, &e->at, why);
	if (why == NULL && c->set_at != NSEC_UNKNOWN && s->age_at_heard != NSEC_UNKNOWN &&
	    s->age_at_heard > nsec_add(nsec_sub(e->at.boot, c->set_at), SET_SLACK))
		expire(s);
}

/* --- ntpd ------------------------------------------------------------------------------------ */

/* The `local clock` driver, as its address or its code, and orphan mode, which says that it follows
 * the loopback (ntp_proto.c clock_update, clock_select). */
static bool is_own_clock(const char *refid)
{
	return strncmp(refid, "127.127.1.", strlen("127.127.1.")) == 0 ||
	       strcmp(refid, "127.0.0.1") == 0 || strcmp(refid, "LOCL") == 0 ||
	       strcmp(refid, "76.79.67.76") == 0; /* "LOCL", taken for an address */
}

/* Unsynchronised, the daemon says an offset of 0.000000, and may keep its stratum and refid. */
static enum local_clock_state ntp_control_state(const struct ntp_control_system *v)
{
	if (v->leap == 3 || v->status_leap == 3 || v->stratum <= 0 || v->stratum >= STRATUM_NONE)
		return LOCAL_CLOCK_UNSYNCHRONIZED;
	return is_own_clock(v->refid) ? LOCAL_CLOCK_SELF_REFERENCED : LOCAL_CLOCK_SYNCHRONIZED;
}

/* How much of an offset ntpd may have corrected since it measured it, `age` ago. */
static nsec corrected_since(nsec offset, nsec age)
{
	nsec size = offset < 0 ? -offset : offset;
	if (size <= KERNEL_PHASE_MAX || age == NSEC_UNKNOWN)
		return size;
	return nsec_min(size, nsec_add(KERNEL_PHASE_MAX, drift_within(age, SLEW_PPM)));
}

/* The time since an NTP stamp of this machine's clock; NSEC_UNKNOWN if it is none, or is in the
 * future, which it is if the clock was set back. */
static nsec age_of(uint64_t stamp, const struct stamp *at)
{
	if (stamp == 0)
		return NSEC_UNKNOWN;
	nsec age = ntp_difference(ntp_from_nsec(at->wall), stamp);
	return age < -NSEC_PER_SEC ? NSEC_UNKNOWN : nsec_max(age, 0);
}

static const char *take_ntp_control(struct local_sample *s, const struct stamp *at,
				    const struct ntp_control_system *v)
{
	enum local_clock_state state = ntp_control_state(v);
	bool synchronized = state == LOCAL_CLOCK_SYNCHRONIZED;
	if (synchronized &&
	    (!sane(v->offset_s) || !sane(v->root_delay_s) || !sane(v->root_dispersion_s)))
		return "its answer lacks the offset, or what would bound it";
	hear(s, at, state);
	if (v->stratum > 0 && v->stratum < STRATUM_NONE)
		s->stratum = v->stratum;
	if (!synchronized)
		return NULL;
	int poll = v->tc < 0 ? 0 : v->tc > POLL_MAX ? POLL_MAX : v->tc;
	double jitter_s = sane(v->jitter_s) ? fabs(v->jitter_s) : 0;
	s->offset = nsec_from_s(v->offset_s);
	s->age_at_heard = age_of(v->reftime, at);
	s->stale_after = nsec_max((STALE_UPDATES * NSEC_PER_SEC) << poll, STALE_LEAST);
	/* The offset is of the last update and was being corrected since: what was corrected of it
	 * is not known, so all that can have been is in the bound. */
	s->max_error =
	    nsec_add(nsec_from_s(fabs(v->root_dispersion_s) + fabs(v->root_delay_s) / 2 + jitter_s),
		     corrected_since(s->offset, s->age_at_heard));
	return NULL;
}

static void ntp_control_event(struct local_clock *c, const struct event *e)
{
	struct local_sample *s = &c->ntp_control;
	const struct ntp_control_system *v = &e->u.ntp_control.system;
	if (straddles(s, &e->at))
		return;
	const char *why = e->u.ntp_control.answered ? take_ntp_control(s, &e->at, v)
						    : reason_of(e->u.ntp_control.reason);
	reschedule(s, &e->at, why);
	if (why == NULL && is_old(s, v->reftime) && s->state == LOCAL_CLOCK_SYNCHRONIZED)
		expire(s);
}

/* --- systemd-timesyncd ----------------------------------------------------------------------- */

/* The flaws of an NTP answer, for a person. */
static const char *flaw_text(enum ntp_flaw flaw)
{
	switch (flaw) {
	case NTP_FINE:
		break;
	case NTP_NOT_A_REPLY:
		return "what came was no NTP answer";
	case NTP_WRONG_ORIGIN:
		return "what came does not answer what was asked";
	case NTP_KISS_DENY:
		return "a kiss-o'-death (DENY): not asked any more";
	case NTP_KISS_RSTR:
		return "a kiss-o'-death (RSTR): not asked any more";
	case NTP_KISS_RATE:
		return "a kiss-o'-death (RATE): asked less often";
	case NTP_UNSYNCHRONIZED:
		return "says that it is not synchronised";
	case NTP_NO_TIME:
		return "its answer has no time in it";
	case NTP_STALE:
		return "says that it has not been synchronised for more than a day";
	case NTP_TOO_DISTANT:
		return "says that it may be off by 16 s or more";
	case NTP_NEGATIVE_DELAY:
		return "says that it held the question for longer than the answer took";
	}
	return "its answer has figures that cannot be";
}

static bool sane_measurement(const struct ntp_measurement *m)
{
	const nsec limit = nsec_from_s(SECONDS_MAX);
	return m->offset >= -limit && m->offset <= limit && m->root_distance >= 0 &&
	       m->root_distance <= limit;
}

/* What the daemon measured; what it has made of the clock since is judged when it is read. */
static const char *take_timesync(struct local_sample *s, const struct stamp *at,
				 const struct timesync_message *message)
{
	struct ntp_measurement m;
	enum ntp_flaw flaw = timesync_measure(message, &m);
	if (flaw == NTP_UNSYNCHRONIZED) { /* also: it has not heard from any server yet */
		hear(s, at, LOCAL_CLOCK_UNSYNCHRONIZED);
		return NULL;
	}
	if (flaw != NTP_FINE || !sane_measurement(&m))
		return flaw_text(flaw);
	nsec age = nsec_sub(at->wall, (nsec)message->destination_usec * NSEC_PER_USEC);
	hear(s, at, LOCAL_CLOCK_SYNCHRONIZED);
	s->stratum = (int)message->stratum;
	s->spike = message->spike;
	s->stale_after = STALE_UPDATES * TIMESYNC_POLL_MAX;
	s->age_at_heard = nsec_max(age, 0);
	s->offset = m.offset;
	s->max_error = nsec_add(m.root_distance, drift_within(s->age_at_heard, FREE_PPM));
	if (age < -NSEC_PER_SEC) /* the clock was set back since */
		expire(s);
	return NULL;
}

static void timesync_event(struct local_clock *c, const struct event *e)
{
	struct local_sample *s = &c->timesync;
	const struct timesync_message *m = &e->u.timesync.message;
	if (straddles(s, &e->at))
		return;
	const char *why =
	    e->u.timesync.answered ? take_timesync(s, &e->at, m) : reason_of(e->u.timesync.reason);
	reschedule(s, &e->at, why);
	if (why == NULL && is_old(s, m->packet_count) && s->state == LOCAL_CLOCK_SYNCHRONIZED)
		expire(s);
}

/* --- the kernel ------------------------------------------------------------------------------ */

static void kernel_event(struct local_clock *c, const struct event *e)
{
	struct local_sample *s = &c->kernel;
	double max_error_s = e->u.kernel.max_error_s;
	if (!e->u.kernel.permitted) {
		s->heard = false;
		s->reason = "this process may not ask it";
		return;
	}
	hear(s, &e->at,
	     e->u.kernel.synchronized ? LOCAL_CLOCK_SYNCHRONIZED : LOCAL_CLOCK_UNSYNCHRONIZED);
	s->age_at_heard = 0;
	/* Unsynchronised, the kernel's figure is where it stops counting, not a bound. */
	if (e->u.kernel.synchronized && sane(max_error_s) && max_error_s >= 0)
		s->max_error = nsec_from_s(max_error_s);
}

/* --- NTP servers ----------------------------------------------------------------------------- */

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
	if (!e->u.sntp.answered) {
		miss(s, reason_of(e->u.sntp.reason));
		return;
	}
	if (kiss)
		sntp_kiss(c, i, e->at.mono, flaw);
	if (flaw != NTP_FINE || !sane_measurement(m)) {
		miss(s, flaw_text(flaw));
		return;
	}
	s->misses = 0;
	s->reason = NULL;
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
	else if (e->kind == EVENT_NTP_CONTROL)
		ntp_control_event(c, e);
	else if (e->kind == EVENT_TIMESYNC)
		timesync_event(c, e);
	else if (e->kind == EVENT_SNTP)
		sntp_event(c, e);
	else if (e->kind == EVENT_KERNEL)
		kernel_event(c, e);
}
