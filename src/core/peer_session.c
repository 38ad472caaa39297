/* SPDX-License-Identifier: MIT */
#include "core/peer_session.h"

#define NOT_TOLD INT64_MIN

void peer_session_init(struct peer_session *p, bool enabled, bool has_password, uint64_t seed,
		       const struct stamp *now)
{
	*p = (struct peer_session){.enabled = enabled,
				   .next = NSEC_NEVER,
				   .local_1 = NOT_TOLD,
				   .burst = PEER_STATUS_BURST};
	session_init(&p->session, true, has_password, seed, now);
}

static void pair_over(struct peer_session *p, const struct stamp *now)
{
	p->pair = PAIR_NONE;
	p->local_1 = NOT_TOLD;
	p->aimed = false;
	p->burst -= p->burst > 0;
	p->next = nsec_add(now->mono, p->burst > 0 ? PEER_STATUS_GAP : PEER_STATUS_EVERY);
}

enum session_news peer_session_link(struct peer_session *p, const struct event *e)
{
	enum session_news news = session_link(&p->session, e);
	if (p->session.state != SESSION_UP && p->pair != PAIR_NONE)
		pair_over(p, &e->at);
	return news;
}

static void learn_version(struct peer_session *p, struct slice text)
{
	struct log_fact fact;
	log_text_parse(slice_skip(text, strlen("OpenVPN Version: ")), &fact);
	p->pre_26 =
	    fact.kind == LOG_VERSION && (fact.major < 2 || (fact.major == 2 && fact.minor < 6));
}

static void say(struct peer_session_told *told, enum peer_face face, int64_t seconds,
		const struct stamp *earliest, const struct stamp *latest)
{
	if (seconds <= 0 || seconds > INT64_MAX / NSEC_PER_SEC - 1)
		return;
	told->told[told->n++] = (struct peer_told){.source = PEER_SOURCE_MANAGEMENT,
						   .face = face,
						   .earliest = *earliest,
						   .latest = *latest,
						   .clock_lo = seconds * NSEC_PER_SEC,
						   .clock_hi = (seconds + 1) * NSEC_PER_SEC};
}

static void status_line(struct peer_session *p, enum session_line kind, struct slice line,
			const struct stamp *at, struct peer_session_told *told)
{
	struct server_time time;
	int64_t local, system;
	if (kind == LINE_STATUS_1 && server_status_updated(line, &local) == VERDICT_DONE) {
		p->local_1 = local;
		p->asked_1 = p->asked;
		p->heard_1 = *at;
	} else if (kind == LINE_STATUS_3 && server_status_time(line, &time) == VERDICT_DONE) {
		say(told, PEER_OPENVPN, time.now, &p->asked, at);
		if (p->local_1 != NOT_TOLD && server_status_system(&time, p->local_1, &system))
			say(told, PEER_SYSTEM, system, &p->asked_1, &p->heard_1);
	}
}

static void log_line(const struct slice text, bool live, struct peer_session_told *told)
{
	log_text_parse(text, &told->log);
	told->has_log = told->log.kind != LOG_NOTHING;
	told->log_live = live;
}

static void log_history(struct slice payload, struct peer_session_told *told)
{
	struct management_log log;
	if (management_parse_log(payload, &log) == VERDICT_DONE)
		log_line(log.text, false, told);
}

void peer_session_line(struct peer_session *p, const struct event *e, struct tunnel *t,
		       struct actions *out, enum session_news *news, struct peer_session_told *told)
{
	struct management_message m;
	told->n = 0;
	told->has_log = false;
	enum session_line kind = session_line(&p->session, e, t, out, &m, news);
	switch (kind) {
	case LINE_VERSION:
		learn_version(p, m.text);
		return;
	case LINE_STATUS_1:
	case LINE_STATUS_3:
		status_line(p, kind, m.text, &e->at, told);
		return;
	case LINE_STATUS_END:
		if (p->pair == PAIR_FIRST && p->session.n_ahead == 0) {
			p->pair = PAIR_SECOND;
			p->asked = e->at;
			session_ask(&p->session, COMMAND_STATUS_3, t, out);
		} else {
			pair_over(p, &e->at);
		}
		return;
	case LINE_NOTIFICATION:
		if (m.kind == MANAGEMENT_LOG)
			log_line(m.u.log.text, true, told);
		return;
	case LINE_LOG_HISTORY:
		log_history(m.text, told);
		return;
	case LINE_NOTHING:
	case LINE_LOAD_STATS:
	case LINE_STATE_HISTORY:
	case LINE_HISTORY_END:
	case LINE_PID:
		return;
	}
}

/* So that the second of the system's clock turns over where it splits what is not known of it. */
static void aim(struct peer_session *p, const struct peer_time *time, const struct stamp *now)
{
	const struct offset_estimator *e = &time->face[PEER_SYSTEM].estimator;
	nsec ahead = nsec_sub(now->ruler, now->mono);
	p->next = nsec_sub(offset_estimator_aim(e, nsec_add(now->mono, ahead), 0), ahead);
	p->aimed = true;
}

static void ask(struct peer_session *p, const struct stamp *now, const struct peer_time *time,
		struct tunnel *t, struct actions *out)
{
	if (p->session.state != SESSION_UP || !p->session.subscribed || p->session.n_ahead > 0 ||
	    p->pair != PAIR_NONE)
		return;
	if (p->next == NSEC_NEVER)
		p->next = now->mono;
	if (p->next <= now->mono && !p->aimed)
		aim(p, time, now);
	if (p->next > now->mono || out->n_actions >= ACTIONS_MAX)
		return;
	p->pair = PAIR_FIRST;
	p->asked = *now;
	session_ask(&p->session, COMMAND_STATUS_1, t, out);
}

enum session_news peer_session_time(struct peer_session *p, const struct stamp *now,
				    const struct peer_time *time, struct tunnel *t,
				    struct actions *out)
{
	if (!p->enabled)
		return SESSION_NO_NEWS;
	ask(p, now, time, t, out);
	return session_time(&p->session, now, false, t, out);
}

nsec peer_session_deadline(const struct peer_session *p)
{
	if (!p->enabled)
		return NSEC_NEVER;
	nsec at = session_deadline(&p->session);
	if (p->session.state == SESSION_UP && p->pair == PAIR_NONE && p->session.n_ahead == 0)
		at = nsec_min(at, p->next);
	return at;
}
