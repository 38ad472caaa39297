/* SPDX-License-Identifier: MIT */
#include "core/watch.h"
#include "core/episode.h"
#include "core/hear.h"
#include "core/hear_log.h"
#include "core/peer_watch.h"
#include "core/rules.h"
#include "core/tell.h"

#include <math.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>

/* The clocks are compared at least this often while a tunnel is watched. */
#define LOOK_EVERY NSEC_PER_SEC
/* A clock event is told when there is something new to measure, and this often. */
#define CLOCK_NOTICE_EVERY (300 * NSEC_PER_SEC)
/* The kernel answers at once, chronyd a moment later, and what is told is what both have said. */
#define CLOCK_SETTLES (NSEC_PER_SEC * 9 / 10)
void watch_init(struct watch *w, const struct watch_config *config, const struct stamp *now)
{
	memset(w, 0, sizeof *w);
	w->config = *config;
	w->step_resolve = NSEC_NEVER;
	w->next_clock_notice = NSEC_NEVER;
	w->reading_changed = NSEC_UNKNOWN;
	w->look = config->replay ? NSEC_NEVER : now->mono;
	w->began = *now;
	alert_table_init(&w->alerts);
	local_clock_init(&w->local_clock, config->ntp_names, config->n_ntp, now);
	struct clock_change change;
	(void)step_detector_look(&w->detector, now, &change);
	clock_rate_init(&w->rate);
	clock_rate_look(&w->rate, now, NULL);
}

void watch_add(struct watch *w, struct tunnel *t, const struct tunnel_config *config,
	       const struct stamp *now)
{
	tunnel_init(t, config, now);
	t->next = w->tunnels;
	w->tunnels = t;
	wake_queue_set(&w->queue, &t->wake, now->mono);
}

/* Nothing more is asked of it afterwards: the shell closes the connections. */
static void leave(struct tunnel *t, struct actions *out)
{
	session_leave(&t->session, t, out);
	session_leave(&t->peer_session.session, t, out);
}

/* The tunnel is not heard of any more, and says goodbye. */
static void removed(struct watch *w, struct tunnel *t, const struct stamp *at, struct actions *out)
{
	struct tunnel **link = &w->tunnels;
	leave(t, out);
	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
	wake_queue_remove(&w->queue, &t->wake);
	w->gone_restarts += t->restarts;
	w->gone_connected += tunnel_connected_total(t, at);
	for (int i = 0; i < ALERT_COUNT && out->n_notices + 1 < NOTICES_MAX; i++) {
		enum alert_name name = (enum alert_name)i;
		if (!alert_firing(&t->alerts, name))
			continue;
		struct notice *n = tell(out, NOTICE_ALERT, alert_severity(name), at, t);
		alert_resolve(&t->alerts, name, at, n);
		snprintf(n->message, sizeof n->message,
			 "it is not known any more: the tunnel is watched no longer");
	}
	if (tell_room(out))
		tell_removed(out, t, at);
}

/* --- this machine ---------------------------------------------------------------------------- */

static void look_at_clocks(struct watch *w, const struct stamp *at, struct actions *out)
{
	struct clock_change change;
	if (w->config.replay)
		return;
	bool changed = step_detector_look(&w->detector, at, &change);
	clock_rate_look(&w->rate, at, changed ? &change : NULL);
	if (!changed)
		return;
	w->changed = true;
	w->last_change = change;
	w->last_change_at = *at;
	/* Asleep or set, the clock is not the one any more that the time service has in its books:
	 * after a suspend the kernel sets it by the hardware clock, often to a second only. */
	local_clock_was_set(&w->local_clock, at);
	peer_watch_local_changed(w);
	if (change.suspended > 0)
		peer_watch_slept(w, at);
	if (change.suspended > 0 && tell_room(out))
		tell_resumed(out, change.suspended, at);
	if (change.step == 0)
		return;
	if (!change.leap_second)
		rules_local_step(w, change.step, NAN, at, out);
	else if (tell_room(out))
		tell_leap_second(out, change.step, at);
}

static bool reading_changed(double was, double was_error, double is, double is_error)
{
	if (isnan(was) || isnan(is))
		return isnan(was) != isnan(is);
	return fabs(is - was) > was_error + is_error;
}

static void local_clock_news(struct watch *w, const struct stamp *now, struct actions *out)
{
	struct local_clock_reading is, *was = &w->reported;
	rules_local_reading(w, now, &is);
	if (!is.present || !tell_room(out) || is.state == LOCAL_CLOCK_UNKNOWN)
		return;
	bool changed = !was->present || was->state != is.state || was->source != is.source ||
		       isnan(was->slew_ppm) != isnan(is.slew_ppm) ||
		       was->n_falsetickers != is.n_falsetickers ||
		       was->disagrees.present != is.disagrees.present ||
		       /* a slew moves it all the time, and was told */
		       (isnan(is.slew_ppm) && reading_changed(was->offset_s, was->max_error_s,
							      is.offset_s, is.max_error_s));
	if (!changed)
		w->reading_changed = NSEC_UNKNOWN;
	else if (w->reading_changed == NSEC_UNKNOWN)
		w->reading_changed = now->mono;
	bool settled = changed && now->mono - w->reading_changed >= CLOCK_SETTLES;
	if (!settled && now->mono < w->next_clock_notice)
		return;
	if (was->source != is.source)
		peer_watch_local_changed(w);
	*was = is;
	w->reading_changed = NSEC_UNKNOWN;
	w->next_clock_notice = now->mono + CLOCK_NOTICE_EVERY;
	tell_clock(out, NULL, &is, NULL, now);
}

static void machine_time(struct watch *w, const struct stamp *now, struct actions *out)
{
	if (w->config.replay)
		return;
	local_clock_ask(&w->local_clock, now, out);
	rules_apply(w, NULL, now, out);
	rules_moments(w, NULL, now, out);
	local_clock_news(w, now, out);
}

/* --- a tunnel -------------------------------------------------------------------------------- */

static void tunnel_time(struct watch *w, struct tunnel *t, const struct stamp *now,
			struct actions *out)
{
	if (t->config.address != NULL) {
		bool patient = t->state == STATE_RESOLVE || t->state == STATE_TCP_CONNECT;
		enum session_news news = session_time(&t->session, now, patient, t, out);
		hear_session(t, news, now, out);
	}
	prompt_apply(t, now, out);
	server_watch_apply(w, t, now, out);
	peer_watch_time(w, t, now, out);
	rules_apply(w, t, now, out);
	rules_moments(w, t, now, out);
	episode_apply(w, t, now, out);
}

static void say_started(const struct watch *w, struct tunnel *t, const struct stamp *at,
			struct actions *out)
{
	if (t->started_told || w->config.replay)
		return;
	t->started_told = true;
	if (t->config.address != NULL || t->config.log != NULL)
		tell_started(out, t, at);
}

/* --- the step -------------------------------------------------------------------------------- */

static void happen(struct watch *w, const struct event *e, struct actions *out)
{
	switch (e->kind) {
	case EVENT_TIME:
		return;
	case EVENT_LINK:
		hear_link(e, out);
		return;
	case EVENT_LINE:
		if (w->config.replay)
			hear_recorded_line(w, e, out);
		else
			hear_line(w, e, out);
		return;
	case EVENT_LOG:
		say_started(w, e->tunnel, &e->at, out); /* a log is there before our first turn */
		hear_log(w, e, out);
		return;
	case EVENT_LOG_FILE:
		say_started(w, e->tunnel, &e->at, out);
		hear_log_file(w, e, out);
		return;
	case EVENT_PROBE:
	case EVENT_PEER_LINK:
	case EVENT_PEER_LINE:
	case EVENT_PEER_SNTP:
	case EVENT_ECHO:
	case EVENT_ROUTE:
	case EVENT_OTHER_REMOTE:
		peer_watch_event(w, e, out);
		return;
	case EVENT_CHRONY:
	case EVENT_NTP_CONTROL:
	case EVENT_TIMESYNC:
	case EVENT_SNTP:
	case EVENT_KERNEL:
		local_clock_event(&w->local_clock, e);
		return;
	case EVENT_REMOVED:
		removed(w, e->tunnel, &e->at, out);
		return;
	case EVENT_RELOADED:
		if (tell_room(out))
			tell_reloaded(out, e);
		return;
	case EVENT_STOP:
		if (e->tunnel != NULL)
			leave(e->tunnel, out);
		else
			tell_stopped(out, w, &e->at);
		return;
	}
}

/* What one tunnel can want at most in one go. */
#define TUNNEL_ACTIONS 8
#define TUNNEL_NOTICES 4

static bool room_for_a_tunnel(const struct actions *out)
{
	return out->n_actions + TUNNEL_ACTIONS <= ACTIONS_MAX &&
	       out->n_notices + TUNNEL_NOTICES <= NOTICES_MAX;
}

static nsec tunnel_deadline(const struct tunnel *t)
{
	nsec at = nsec_min(episode_deadline(t), peer_watch_deadline(t));
	at = nsec_min(at, prompt_deadline(t));
	at = nsec_min(at, server_watch_deadline(t));
	if (t->config.address != NULL)
		at = nsec_min(at, session_deadline(&t->session));
	return at;
}

/* Its turn, and when it wants the next: what has no deadline of its own is looked at each second.
 */
static void take_turn(struct watch *w, struct tunnel *t, const struct stamp *now,
		      struct actions *out)
{
	say_started(w, t, now, out);
	tunnel_time(w, t, now, out);
	nsec next = tunnel_deadline(t);
	if (!w->config.replay)
		next = nsec_min(next, now->mono + LOOK_EVERY);
	wake_queue_set(&w->queue, &t->wake, next);
}

static struct tunnel *first_in(const struct watch *w)
{
	return (struct tunnel *)((char *)w->queue.first - offsetof(struct tunnel, wake));
}

/* Those whose time has come, as far as there is room; the others are still due, and are called for
 * at once. Each has one turn, or one that wants another at the same instant would have it all. */
static void take_turns(struct watch *w, const struct stamp *now, struct actions *out)
{
	struct tunnel *done[NOTICES_MAX + ACTIONS_MAX];
	size_t n = 0;
	while (n < sizeof done / sizeof *done && wake_queue_next(&w->queue) <= now->mono &&
	       room_for_a_tunnel(out)) {
		struct tunnel *t = first_in(w);
		take_turn(w, t, now, out);
		wake_queue_remove(&w->queue, &t->wake);
		done[n++] = t;
	}
	while (n > 0) {
		struct tunnel *t = done[--n];
		wake_queue_set(&w->queue, &t->wake, t->wake.at);
	}
}

/* Something that concerns them all: each has a turn. */
static void wake_all(struct watch *w, nsec mono)
{
	for (struct tunnel *t = w->tunnels; t != NULL; t = t->next)
		if (t->wake.at > mono)
			wake_queue_set(&w->queue, &t->wake, mono);
}

void watch_step(struct watch *w, const struct event *e, struct actions *out)
{
	out->n_actions = out->n_notices = 0;
	look_at_clocks(w, &e->at, out);
	happen(w, e, out);
	if (e->kind == EVENT_STOP || e->kind == EVENT_REMOVED ||
	    (e->kind == EVENT_LOG_FILE && watch_over(w)))
		return;
	machine_time(w, &e->at, out);
	if (e->tunnel == NULL && e->kind != EVENT_TIME)
		wake_all(w, e->at.mono);
	else if (e->tunnel != NULL && room_for_a_tunnel(out))
		take_turn(w, e->tunnel, &e->at, out);
	take_turns(w, &e->at, out);
	if (!w->config.replay && e->at.mono >= w->look)
		w->look = e->at.mono + LOOK_EVERY;
}

nsec watch_deadline(const struct watch *w)
{
	nsec at = nsec_min(w->look, wake_queue_next(&w->queue));
	if (!w->config.replay)
		at = nsec_min(at, local_clock_deadline(&w->local_clock));
	return at;
}
