/* SPDX-License-Identifier: MIT */
#include "core/hear.h"
#include "core/episode.h"
#include "core/hear_log.h"
#include "core/peer_watch.h"
#include "core/rules.h"
#include "core/tell.h"

#include <string.h>

/* OpenVPN's stamps are whole seconds and up to one old; ahead by this much they mean something. */
#define LEAD_MIN 2

void hear_session(struct tunnel *t, enum session_news news, const struct stamp *at,
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

void hear_state(struct watch *w, struct tunnel *t, const struct management_state *s,
		const struct stamp *since, const struct stamp *at, struct actions *out)
{
	t->logged.derived = false;
	t->logged.known = s->time <= INT64_MAX ? (int64_t)s->time : -1;
	episode_before(w, t, s->state, at, out);
	struct state_change change = tunnel_state(t, s, since, at);
	if (!change.changed)
		return;
	if (tell_room(out))
		tell_state(out, t, &change, at);
	server_watch_state(t, at);
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
	prompt_notification(&t->prompt, m, at);
	if (m->kind == MANAGEMENT_STATE) {
		if (!hear_log_told(t, m->text, at))
			hear_state(w, t, &m->u.state, since, at, out);
	} else if (m->kind == MANAGEMENT_BYTECOUNT) {
		/* A recording does not say when its counts were heard. */
		if (!w->config.replay)
			traffic_count(&t->traffic, m->u.bytecount.in, m->u.bytecount.out, at->mono);
	} else if (m->kind == MANAGEMENT_LOG) {
		/* Each state comes in the log too; the typed one counts. */
		log_text_parse(m->u.log.text, &fact);
		if (fact.kind == LOG_NOTHING || fact.kind == LOG_MANAGEMENT_STATE ||
		    hear_log_told(t, m->u.log.text, at) || server_watch_log(w, t, &fact, at))
			return;
		tunnel_log(t, &fact, true, at);
		peer_watch_log(w, t, &fact, at, out);
	} else if (m->kind == MANAGEMENT_FATAL) {
		slice_copy(m->text, t->fatal, sizeof t->fatal);
	} else {
		peer_watch_notification(w, t, m, since, at, out);
	}
}

static void state_history(struct watch *w, struct tunnel *t, struct slice payload,
			  const struct stamp *at, struct actions *out)
{
	struct management_state s;
	if (management_parse_state(payload, &s) == VERDICT_DONE &&
	    !hear_log_history(w, t, payload, &s, at, out))
		tunnel_state_history(t, &s, at);
}

static void log_history(struct tunnel *t, struct slice payload, const struct stamp *at)
{
	struct management_log log;
	struct log_fact fact;
	if (management_parse_log(payload, &log) != VERDICT_DONE)
		return;
	log_text_parse(log.text, &fact);
	if (fact.client.n == 0) /* a client of a server, long ago */
		tunnel_log(t, &fact, false, at);
}

void hear_present_state(struct tunnel *t, const struct stamp *at, struct actions *out)
{
	struct state_change none = {.previous_lasted = NSEC_UNKNOWN};
	if (t->state_name[0] != '\0' && tell_room(out))
		tell_state(out, t, &none, at);
}

static void attached(struct watch *w, struct tunnel *t, const struct stamp *at, struct actions *out)
{
	bool told = hear_log_attached(w, t, at, out);
	tunnel_attached(t, at);
	if (tunnel_is_up(t))
		reach_burst(&t->reach, REACH_UP, at);
	if (tell_room(out))
		tell_connected(out, t, at);
	if (!told)
		hear_present_state(t, at, out);
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

void hear_line(struct watch *w, const struct event *e, struct actions *out)
{
	struct tunnel *t = e->tunnel;
	struct management_message m;
	enum session_news news;

	switch (session_line(&t->session, e, t, out, &m, &news)) {
	case LINE_NOTIFICATION:
		notification(w, t, &m, &e->since, &e->at, out);
		break;
	case LINE_STATE_HISTORY:
		state_history(w, t, m.text, &e->at, out);
		break;
	case LINE_LOG_HISTORY:
		log_history(t, m.text, &e->at);
		break;
	case LINE_HISTORY_END:
		attached(w, t, &e->at, out);
		break;
	case LINE_VERSION:
		learn_version(t, m.text);
		break;
	case LINE_PID:
		learn_pid(t, m.text);
		break;
	case LINE_LOAD_STATS:
		server_watch_load(t, m.text, &e->at);
		break;
	case LINE_STATUS_3:
		server_watch_status(t, m.text, &e->at);
		break;
	case LINE_STATUS_END:
		server_watch_status_end(t, m.kind == MANAGEMENT_END, &e->at);
		break;
	case LINE_STATUS_1:
	case LINE_NOTHING:
		break;
	}
	hear_session(t, news, &e->at, out);
}

/* A line of a recorded session: nobody asked for anything, so history is told by its looks. */
void hear_recorded_line(struct watch *w, const struct event *e, struct actions *out)
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

void hear_link(const struct event *e, struct actions *out)
{
	struct tunnel *t = e->tunnel;
	if (e->u.link.change == LINK_OVERLONG) {
		t->overlong_lines++;
		if (tell_room(out))
			tell_overlong(out, t, &e->at);
		return;
	}
	hear_session(t, session_link(&t->session, e), &e->at, out);
}
