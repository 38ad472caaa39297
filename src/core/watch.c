/* SPDX-License-Identifier: MIT */
#include "core/watch.h"
#include "core/episode.h"
#include "core/peer_watch.h"
#include "core/rules.h"
#include "core/tell.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The clocks are compared at least this often while a tunnel is watched. */
#define LOOK_EVERY NSEC_PER_SEC
/* A clock event is told when there is something new to measure, and this often. */
#define CLOCK_NOTICE_EVERY (300 * NSEC_PER_SEC)
/* The kernel answers at once, chronyd a moment later, and what is told is what both have said. */
#define CLOCK_SETTLES (NSEC_PER_SEC * 9 / 10)
/* OpenVPN's stamps are whole seconds and up to one old; ahead by this much they mean something. */
#define LEAD_MIN 2

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

static void session_happened(struct tunnel *t, enum session_news news, const struct stamp *at,
			     struct actions *out)
{
	if (news == SESSION_NO_NEWS || news == SESSION_NEWS_UP)
		return; /* what is up is told when it has said who it is */
	if (tell_room(out))
		tell_session(out, t, news, at);
	if (news == SESSION_NEWS_LOST) {
		if (t->fatal[0] != '\0') {
			tunnel_died(t, t->fatal, at);
			episode_begun(t, at);
		}
		tunnel_detached(t);
		t->fatal[0] = '\0';
	}
}

/* Stamps ahead of the wall clock: OpenVPN's own clock was not set back with the machine's (otime.c
 * absorbs steps back of more than 10 s), so the machine's was, before we came. */
static void compare_stamps(struct watch *w, struct tunnel *t, const struct management_state *s,
			   const struct stamp *at, struct actions *out)
{
	if (w->config.replay || !t->config.same_machine || t->lead_told || s->time > INT32_MAX)
		return;
	int64_t lead = (int64_t)s->time - at->wall / NSEC_PER_SEC;
	if (lead < LEAD_MIN)
		return;
	t->lead_told = true;
	if (!w->changed || w->last_change.step >= 0)
		rules_local_step(w, -lead * NSEC_PER_SEC, 1.0, at, out);
}

static void live_state(struct watch *w, struct tunnel *t, const struct management_state *s,
		       const struct stamp *since, const struct stamp *at, struct actions *out)
{
	episode_before(w, t, s->state, at, out);
	struct state_change change = tunnel_state(t, s, since, at);
	if (!change.changed)
		return;
	if (tell_room(out))
		tell_state(out, t, &change, at);
	compare_stamps(w, t, s, at, out);
	if (change.restarted) {
		episode_begun(t, at);
		peer_watch_restarted(t, at);
		local_clock_hurry(&w->local_clock, at);
	}
	if (change.came_up)
		peer_watch_came_up(w, t, at, out);
}

static void notification(struct watch *w, struct tunnel *t, const struct management_message *m,
			 const struct stamp *since, const struct stamp *at, struct actions *out)
{
	struct log_fact fact;
	if (m->kind == MANAGEMENT_STATE) {
		live_state(w, t, &m->u.state, since, at, out);
	} else if (m->kind == MANAGEMENT_BYTECOUNT) {
		/* A recording does not say when its counts were heard. */
		if (!w->config.replay)
			traffic_count(&t->traffic, m->u.bytecount.in, m->u.bytecount.out, at->mono);
	} else if (m->kind == MANAGEMENT_LOG) {
		/* Each state comes in the log too; the typed one counts. */
		log_text_parse(m->u.log.text, &fact);
		tunnel_log(t, &fact, true, at);
		peer_watch_log(w, t, &fact, at, out);
	} else if (m->kind == MANAGEMENT_FATAL) {
		slice_copy(m->text, t->fatal, sizeof t->fatal);
	} else {
		peer_watch_notification(w, t, m, since, at, out);
	}
}

static void state_history(struct tunnel *t, struct slice payload, const struct stamp *at)
{
	struct management_state s;
	if (management_parse_state(payload, &s) == VERDICT_DONE)
		tunnel_state_history(t, &s, at);
}

static void log_history(struct tunnel *t, struct slice payload, const struct stamp *at)
{
	struct management_log log;
	struct log_fact fact;
	if (management_parse_log(payload, &log) != VERDICT_DONE)
		return;
	log_text_parse(log.text, &fact);
	tunnel_log(t, &fact, false, at);
}

static void attached(struct tunnel *t, const struct stamp *at, struct actions *out)
{
	struct state_change none = {.previous_lasted = NSEC_UNKNOWN};
	tunnel_attached(t, at);
	if (tunnel_is_up(t))
		reach_burst(&t->reach, REACH_UP, at);
	if (tell_room(out))
		tell_connected(out, t, at);
	if (t->state_name[0] != '\0' && tell_room(out))
		tell_state(out, t, &none, at);
}

static void learn_version(struct tunnel *t, struct slice text)
{
	struct log_fact fact;
	/* "OpenVPN Version: OpenVPN 2.6.14 x86_64-…", as the log has it after the colon. */
	log_text_parse(slice_skip(text, strlen("OpenVPN Version: ")), &fact);
	tunnel_log(t, &fact, false, NULL);
}

static void learn_pid(struct tunnel *t, struct slice text)
{
	uint64_t pid;
	if (slice_starts(text, "pid=") && slice_to_u64(slice_skip(text, 4), &pid) &&
	    pid < INT32_MAX)
		t->pid = (int64_t)pid;
}

static void line(struct watch *w, const struct event *e, struct actions *out)
{
	struct tunnel *t = e->tunnel;
	struct management_message m;
	enum session_news news;

	switch (session_line(&t->session, e, t, out, &m, &news)) {
	case LINE_NOTIFICATION:
		notification(w, t, &m, &e->since, &e->at, out);
		break;
	case LINE_STATE_HISTORY:
		state_history(t, m.text, &e->at);
		break;
	case LINE_LOG_HISTORY:
		log_history(t, m.text, &e->at);
		break;
	case LINE_HISTORY_END:
		attached(t, &e->at, out);
		break;
	case LINE_VERSION:
		learn_version(t, m.text);
		break;
	case LINE_PID:
		learn_pid(t, m.text);
		break;
	case LINE_STATUS_1:
	case LINE_STATUS_3:
	case LINE_STATUS_END:
	case LINE_NOTHING:
		break;
	}
	session_happened(t, news, &e->at, out);
}

/* A line of a recorded session: nobody asked for anything, so history is told by its looks. */
static void recorded_line(struct watch *w, const struct event *e, struct actions *out)
{
	struct management_message m;
	struct management_state s;
	if (management_parse(e->u.line, &m) != VERDICT_DONE)
		return;
	if (m.kind != MANAGEMENT_TEXT)
		notification(w, e->tunnel, &m, &e->at, &e->at, out);
	else if (management_parse_state(m.line, &s) == VERDICT_DONE && s.state != STATE_OTHER)
		tunnel_state_history(e->tunnel, &s, &e->at);
	else
		log_history(e->tunnel, m.line, &e->at);
}

/* States as a log without a management interface tells them. */
static void logged_state(struct watch *w, struct tunnel *t, const struct log_fact *fact,
			 const struct stamp *at, struct actions *out)
{
	struct management_state s = {.time = (uint64_t)(at->wall / NSEC_PER_SEC)};
	if (fact->kind == LOG_MANAGEMENT_STATE) {
		if (management_parse_state(fact->text, &s) == VERDICT_DONE)
			live_state(w, t, &s, at, at, out);
		return;
	}
	if (fact->kind == LOG_INITIALIZED) {
		/* Its addresses come with the management line, if there is one, and keep it quiet.
		 */
		if (t->state == STATE_CONNECTED)
			return;
		s.state = STATE_CONNECTED;
		s.name = SLICE("CONNECTED");
		s.detail = SLICE("SUCCESS");
	} else if (slice_is(fact->signal, "SIGUSR1") || slice_is(fact->signal, "SIGHUP")) {
		s.state = STATE_RECONNECTING;
		s.name = SLICE("RECONNECTING");
		s.reason = fact->reason;
		s.detail = fact->text;
	} else {
		s.state = STATE_EXITING;
		s.name = SLICE("EXITING");
		s.reason = fact->reason;
		s.detail = fact->text;
	}
	live_state(w, t, &s, at, at, out);
}

static void log_event(struct watch *w, const struct event *e, struct actions *out)
{
	struct log_fact fact;
	log_text_parse(e->u.line, &fact);
	if (fact.client.n > 0)
		return; /* a server's log: its clients' lines are not this tunnel's */
	if (fact.kind == LOG_MANAGEMENT_STATE || fact.kind == LOG_INITIALIZED ||
	    fact.kind == LOG_SIGNAL)
		logged_state(w, e->tunnel, &fact, &e->at, out);
	else
		tunnel_log(e->tunnel, &fact, true, &e->at);
	peer_watch_log(w, e->tunnel, &fact, &e->at, out);
}

static void tunnel_time(struct watch *w, struct tunnel *t, const struct stamp *now,
			struct actions *out)
{
	if (t->config.address != NULL) {
		bool patient = t->state == STATE_RESOLVE || t->state == STATE_TCP_CONNECT;
		enum session_news news = session_time(&t->session, now, patient, t, out);
		session_happened(t, news, now, out);
	}
	peer_watch_time(w, t, now, out);
	rules_apply(w, t, now, out);
	rules_moments(w, t, now, out);
	episode_apply(w, t, now, out);
}

/* --- the step -------------------------------------------------------------------------------- */

static void start(struct watch *w, const struct stamp *at, struct actions *out)
{
	w->started = true;
	for (struct tunnel *t = w->tunnels; t != NULL && tell_room(out); t = t->next)
		if (t->config.address != NULL)
			tell_started(out, t, at);
}

static void link_happened(const struct event *e, struct actions *out)
{
	struct tunnel *t = e->tunnel;
	if (e->u.link.change == LINK_OVERLONG) {
		t->overlong_lines++;
		if (tell_room(out))
			tell_overlong(out, t, &e->at);
		return;
	}
	session_happened(t, session_link(&t->session, e), &e->at, out);
}

static void happen(struct watch *w, const struct event *e, struct actions *out)
{
	switch (e->kind) {
	case EVENT_TIME:
		return;
	case EVENT_LINK:
		link_happened(e, out);
		return;
	case EVENT_LINE:
		if (w->config.replay)
			recorded_line(w, e, out);
		else
			line(w, e, out);
		return;
	case EVENT_LOG:
		log_event(w, e, out);
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
	case EVENT_STOP:
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

void watch_step(struct watch *w, const struct event *e, struct actions *out)
{
	out->n_actions = out->n_notices = 0;
	if (!w->started && !w->config.replay)
		start(w, &e->at, out);
	look_at_clocks(w, &e->at, out);
	happen(w, e, out);
	if (e->kind == EVENT_STOP)
		return;
	machine_time(w, &e->at, out);
	/* An event about one tunnel moves that tunnel; time moves all. */
	bool all = e->tunnel == NULL || e->at.mono >= w->look;
	struct tunnel *t = w->tunnels;
	for (; t != NULL && room_for_a_tunnel(out); t = t->next)
		if (all || t == e->tunnel)
			tunnel_time(w, t, &e->at, out);
	/* Tunnels that found no room have their turn at once: the look stays due until all had it,
	 * and those that had have nothing more to say. */
	if (!w->config.replay && e->at.mono >= w->look)
		w->look = t == NULL ? e->at.mono + LOOK_EVERY : e->at.mono;
}

static nsec tunnel_deadline(const struct tunnel *t)
{
	nsec at = nsec_min(episode_deadline(t), peer_watch_deadline(t));
	if (t->config.address != NULL)
		at = nsec_min(at, session_deadline(&t->session));
	return at;
}

nsec watch_deadline(const struct watch *w)
{
	nsec at = w->look;
	if (!w->config.replay)
		at = nsec_min(at, local_clock_deadline(&w->local_clock));
	for (const struct tunnel *t = w->tunnels; t != NULL; t = t->next)
		at = nsec_min(at, tunnel_deadline(t));
	return at;
}
