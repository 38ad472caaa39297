/* SPDX-License-Identifier: MIT */
#include "core/rules.h"
#include "core/phrases.h"
#include "core/tell.h"

#include <math.h>
#include <stdio.h>

/* An offset alert ends when the offset is clearly inside the limit, not when it grazes it. */
#define HYSTERESIS 0.9

/* chronyd polls its servers at least every 1024 s, and mostly within two minutes. */
#define OWN_STEP_COUNTS (120 * NSEC_PER_SEC)
#define STALE_ALERT_S	3600.0

enum wish { WISH_KEEP, WISH_RAISE, WISH_CLEAR };

/* All that a rule may look at. */
struct scene {
	const struct watch *w;
	const struct tunnel *t; /* NULL for a rule about the machine */
	struct stamp now;
	struct local_clock_reading local;
	struct peer_clock_reading peer;
};

struct rule {
	enum alert_name name;
	bool machine;
	nsec raise_after; /* how long it must wish to be raised */
	enum wish (*wish)(const struct scene *s);
	void (*describe)(const struct scene *s, struct notice *n);
};

void rules_local_reading(const struct watch *w, const struct stamp *now,
			 struct local_clock_reading *out)
{
	*out = local_clock_unknown();
	if (w->config.replay)
		return;
	local_clock_read(&w->local_clock, now, out);
	out->slew_ppm = clock_rate_slew_ppm(&w->rate);
}

/* --- the tunnel ------------------------------------------------------------------------------ */

static enum wish wish_rx_stalled(const struct scene *s)
{
	nsec silence = traffic_silence(&s->t->traffic, s->now.mono);
	nsec stalled = tunnel_stall_after(s->t);
	if (silence == NSEC_UNKNOWN || stalled == NSEC_NEVER)
		return WISH_KEEP;
	if (silence < stalled)
		return WISH_CLEAR;
	/* It does not read what arrives. */
	if (s->t->prompt.open)
		return WISH_KEEP;
	/* That alert stands for this one, too. */
	if (alert_firing(&s->t->alerts, ALERT_FLAPPING))
		return WISH_KEEP;
	return tunnel_is_up(s->t) ? WISH_RAISE : WISH_KEEP;
}

static void describe_rx_stalled(const struct scene *s, struct notice *n)
{
	nsec silence = traffic_silence(&s->t->traffic, s->now.mono);
	n->restart.present = true;
	n->restart.silent_s = silence;
	n->restart.ping_s = s->t->timers.ping;
	n->restart.ping_restart_s = s->t->timers.ping_restart;
	n->restart.timers_from = s->t->timers.from;
	if (n->alert.status == ALERT_RESOLVED) {
		/* It had been silent for so long when it was raised. */
		nsec before = tunnel_stall_after(s->t);
		SAY(n, "bytes arrive again after %s of silence",
		    phrase_duration(
			nsec_add(n->alert.duration_s, before == NSEC_NEVER ? 0 : before))
			.text);
	} else {
		SAY(n, "nothing received for %s; OpenVPN will restart the tunnel at %lld s",
		    phrase_duration(silence).text, (long long)s->t->timers.ping_restart);
	}
}

/* --- the clocks ------------------------------------------------------------------------------ */

static enum wish wish_offset(double offset_s, double max_error_s, double limit_s)
{
	if (isnan(offset_s) || isnan(max_error_s))
		return WISH_KEEP;
	if (fabs(offset_s) - max_error_s > limit_s)
		return WISH_RAISE;
	return fabs(offset_s) + max_error_s < limit_s * HYSTERESIS ? WISH_CLEAR : WISH_KEEP;
}

/* The server is judged against UTC where that can be done: this machine may be the one that is off.
 */
static enum wish wish_peer_offset(const struct scene *s)
{
	if (!s->peer.present || peer_clock_busy(s->t->peer))
		return WISH_KEEP; /* a better figure is a second away */
	if (!isnan(s->peer.vs_utc_s))
		return wish_offset(s->peer.vs_utc_s, s->peer.vs_utc_max_error_s,
				   s->w->config.offset_limit_s);
	/* This machine's clock was set a moment ago, or the machine slept, and its time service has
	 * not said anything of it since: the difference may be ours. */
	if (s->w->changed && s->now.mono - s->w->last_change_at.mono < OWN_STEP_COUNTS)
		return WISH_KEEP;
	return wish_offset(s->peer.offset_s, s->peer.max_error_s, s->w->config.offset_limit_s);
}

static void describe_peer_offset(const struct scene *s, struct notice *n)
{
	n->peer_clock = s->peer;
	n->local_clock = s->local;
	say_peer_clock(&s->peer, n->message, sizeof n->message);
}

static enum wish wish_local_offset(const struct scene *s)
{
	if (!s->local.present || s->local.state == LOCAL_CLOCK_STALE)
		return WISH_KEEP;
	return wish_offset(s->local.offset_s, s->local.max_error_s, s->w->config.offset_limit_s);
}

static void describe_local_clock(const struct scene *s, struct notice *n)
{
	n->local_clock = s->local;
	say_local_clock(&s->local, n->message, sizeof n->message);
}

static enum wish wish_unsynchronized(const struct scene *s)
{
	if (!s->local.present)
		return WISH_KEEP;
	switch (s->local.state) {
	case LOCAL_CLOCK_SYNCHRONIZED:
		return WISH_CLEAR;
	case LOCAL_CLOCK_UNSYNCHRONIZED:
	case LOCAL_CLOCK_SELF_REFERENCED:
		return WISH_RAISE;
	case LOCAL_CLOCK_STALE:
		/* For a while after the clock was set chronyd speaks of the time before. */
		return s->local.age_s > STALE_ALERT_S ? WISH_RAISE : WISH_KEEP;
	case LOCAL_CLOCK_UNKNOWN:
		break;
	}
	return WISH_KEEP;
}

/* --- the management interface ---------------------------------------------------------------- */

static enum wish wish_problem(const struct scene *s, enum session_problem problem)
{
	const struct session *session = &s->t->session;
	if (s->t->config.address == NULL)
		return WISH_KEEP;
	if (session->problem != problem)
		return WISH_CLEAR;
	return WISH_RAISE;
}

static enum wish wish_unreachable(const struct scene *s)
{
	return wish_problem(s, SESSION_UNREACHABLE);
}

static enum wish wish_busy(const struct scene *s)
{
	return wish_problem(s, SESSION_BUSY);
}

static enum wish wish_refused(const struct scene *s)
{
	return wish_problem(s, SESSION_REFUSED);
}

static void describe_management(const struct scene *s, struct notice *n)
{
	if (n->alert.status == ALERT_RESOLVED)
		SAY(n, "the management interface at %.128s: over after %s", s->t->config.address,
		    phrase_duration(n->alert.duration_s).text);
	else
		SAY(n, "the management interface at %.96s: %.190s", s->t->config.address,
		    s->t->session.reason);
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct rule rules[] = {
    {ALERT_RX_STALLED, false, 0, wish_rx_stalled, describe_rx_stalled},
    {ALERT_PEER_CLOCK_OFFSET, false, 0, wish_peer_offset, describe_peer_offset},
    {ALERT_LOCAL_CLOCK_OFFSET, true, 0, wish_local_offset, describe_local_clock},
    /* chronyd may take a moment to answer, and its word counts more than the kernel's flag. */
    {ALERT_LOCAL_CLOCK_UNSYNCHRONIZED, true, 3 * NSEC_PER_SEC, wish_unsynchronized,
     describe_local_clock},
    /* A daemon that is restarted is away for a second; that is not an alert. */
    {ALERT_MANAGEMENT_UNREACHABLE, false, 2 * NSEC_PER_SEC, wish_unreachable, describe_management},
    {ALERT_MANAGEMENT_BUSY, false, 0, wish_busy, describe_management},
    {ALERT_MANAGEMENT_REFUSED, false, 0, wish_refused, describe_management},
};

static void apply(const struct rule *r, struct alert_table *table, const struct scene *s,
		  struct actions *out)
{
	struct alert_entry *e = &table->entry[r->name];
	enum wish wish = r->wish(s);

	if (wish != WISH_RAISE)
		e->hold = NSEC_UNKNOWN;
	if (wish == WISH_KEEP || (wish == WISH_CLEAR && !e->firing) ||
	    (wish == WISH_RAISE && e->firing) || !tell_room(out))
		return;
	if (wish == WISH_RAISE && r->raise_after > 0) {
		if (e->hold == NSEC_UNKNOWN)
			e->hold = s->now.mono;
		if (s->now.mono - e->hold < r->raise_after)
			return;
	}
	struct notice *n = tell(out, NOTICE_ALERT, alert_severity(r->name), &s->now, s->t);
	if (wish == WISH_RAISE)
		alert_raise(table, r->name, &s->now, n);
	else
		alert_resolve(table, r->name, &s->now, n);
	r->describe(s, n);
}

void rules_apply(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out)
{
	struct scene s = {.w = w, .t = t, .now = *now};
	rules_local_reading(w, now, &s.local);
	if (t != NULL)
		peer_time_read(&t->peer->time, now, &s.local, w->config.offset_limit_s, &s.peer);
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (rules[i].machine == (t == NULL))
			apply(&rules[i], t != NULL ? &t->alerts : &w->alerts, &s, out);
}

/* --- moments --------------------------------------------------------------------------------- */

void rules_local_step(struct watch *w, nsec size, double max_error_s, const struct stamp *at,
		      struct actions *out)
{
	if (!tell_room(out))
		return;
	struct notice *n =
	    tell(out, NOTICE_ALERT, alert_severity(ALERT_LOCAL_CLOCK_STEP), at, NULL);
	alert_raise(&w->alerts, ALERT_LOCAL_CLOCK_STEP, at, n);
	n->step = (struct clock_step){
	    .present = true, .clock = STEP_LOCAL, .max_error_s = max_error_s, .at = at->wall};
	n->step.size_s = nsec_to_s(size);
	w->step_resolve = at->mono + MOMENT_LASTS;
	struct phrase by = phrase_duration(size < 0 ? -size : size);
	if (isnan(max_error_s))
		SAY(n, "this machine's clock was set %s by %s", size > 0 ? "forward" : "back",
		    by.text);
	else
		SAY(n,
		    "OpenVPN's own stamps run %s ahead of this machine's clock: the clock was set "
		    "back by "
		    "about as much since OpenVPN was started",
		    by.text);
}

static void describe_peer_step(const struct tunnel *t, struct notice *n)
{
	peer_time_read_step(&t->peer->time, &n->step);
	double size = n->step.size_s;
	SAY(n, "the server's clock was set %s by %s (%s)", size > 0 ? "forward" : "back",
	    phrase_seconds(fabs(size), n->step.max_error_s).text,
	    phrase_bound(n->step.max_error_s).text);
}

void rules_peer_step(struct watch *w, struct tunnel *t, const struct stamp *at, struct actions *out)
{
	if (!tell_room(out))
		return;
	struct notice *n = tell(out, NOTICE_ALERT, alert_severity(ALERT_PEER_CLOCK_STEP), at, t);
	alert_raise(&t->alerts, ALERT_PEER_CLOCK_STEP, at, n);
	rules_local_reading(w, at, &n->local_clock);
	peer_time_read(&t->peer->time, at, &n->local_clock, w->config.offset_limit_s,
		       &n->peer_clock);
	describe_peer_step(t, n);
	t->step_resolve = at->mono + MOMENT_LASTS;
	t->step_refined = false;
}

static void refine_peer_step(struct watch *w, struct tunnel *t, const struct stamp *now,
			     struct actions *out)
{
	struct clock_step step;
	peer_time_read_step(&t->peer->time, &step);
	t->step_refined = true;
	if (!step.present)
		return; /* it is another server since */
	struct notice *n = tell(out, NOTICE_ALERT, alert_severity(ALERT_PEER_CLOCK_STEP), now, t);
	alert_update(&t->alerts, ALERT_PEER_CLOCK_STEP, n);
	rules_local_reading(w, now, &n->local_clock);
	peer_time_read(&t->peer->time, now, &n->local_clock, w->config.offset_limit_s,
		       &n->peer_clock);
	describe_peer_step(t, n);
}

void rules_moments(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out)
{
	if (t == NULL) {
		if (alert_firing(&w->alerts, ALERT_LOCAL_CLOCK_STEP) &&
		    now->mono >= w->step_resolve && tell_room(out)) {
			struct notice *n = tell(out, NOTICE_ALERT, SEVERITY_INFO, now, NULL);
			alert_resolve(&w->alerts, ALERT_LOCAL_CLOCK_STEP, now, n);
			SAY(n, "this machine's clock was not set again for a minute");
		}
		return;
	}
	if (!alert_firing(&t->alerts, ALERT_PEER_CLOCK_STEP) || !tell_room(out))
		return;
	if (!t->step_refined && !peer_clock_busy(t->peer))
		refine_peer_step(w, t, now, out);
	if (now->mono >= t->step_resolve && tell_room(out)) {
		struct notice *n = tell(out, NOTICE_ALERT, SEVERITY_INFO, now, t);
		alert_resolve(&t->alerts, ALERT_PEER_CLOCK_STEP, now, n);
		peer_time_read_step(&t->peer->time, &n->step);
		SAY(n, "the server's clock was not seen to be set again for a minute");
	}
}
