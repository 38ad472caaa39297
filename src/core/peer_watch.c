/* SPDX-License-Identifier: MIT */
#include "core/peer_watch.h"
#include "core/rules.h"
#include "core/tell.h"

#include <math.h>

/* A clock event is told when there is something new to measure, and this often. */
#define CLOCK_NOTICE_EVERY (300 * NSEC_PER_SEC)
/* A bound that was coarse, a tenth of the limit or more, and is a quarter now, is something new. */
#define COARSE	0.1
#define SHARPER 4
/* A recorded stamp may be of whole seconds, cut. */
#define RECORDED_GRAIN NSEC_PER_SEC

/* --- what is told ---------------------------------------------------------------------------- */

static void changed(struct watch *w, struct tunnel *t, const struct peer_change *change,
		    const struct stamp *at, struct actions *out)
{
	struct local_clock_reading local;
	/* A recording knows one clock only: that of the client, which may have been set as well. */
	if (change->stepped && w->config.replay)
		peer_time_disown_step(&t->peer->time);
	else if (change->stepped)
		rules_peer_step(w, t, at, out);
	if (!change->measured)
		return;
	rules_local_reading(w, at, &local);
	peer_time_learn_drift(&t->peer->time, at, &local);
}

static void told(struct watch *w, struct tunnel *t, const struct peer_told *statement,
		 const struct stamp *at, struct actions *out)
{
	struct peer_clock *own = tunnel_own_peer(t);
	if (own == NULL)
		return;
	struct peer_change change = peer_clock_told(own, statement);
	changed(w, t, &change, at, out);
}

static void link_news(struct tunnel *t, enum session_news news, const struct stamp *at,
		      struct actions *out)
{
	if (news != SESSION_NO_NEWS && news != SESSION_NEWS_UP && tell_room(out))
		tell_peer_session(out, t, news, at);
}

static void server_line(struct watch *w, const struct event *e, struct actions *out)
{
	struct tunnel *t = e->tunnel;
	struct peer_session_told said;
	enum session_news news;
	peer_session_line(&t->peer_session, e, t, out, &news, &said);
	link_news(t, news, &e->at, out);
	if (t->peer_session.pre_26 && t->peer->enabled)
		peer_clock_old_server(t->peer);
	if (said.has_log)
		server_word_log(&t->server_word, &said.log, said.log_live, t->local_ip, e->at.mono);
	for (unsigned i = 0; i < said.n; i++)
		told(w, t, &said.told[i], &e->at, out);
}

void peer_watch_event(struct watch *w, const struct event *e, struct actions *out)
{
	struct tunnel *t = e->tunnel;
	struct peer_change change;
	struct peer_told statement;
	if (e->kind == EVENT_PROBE) {
		if (!t->peer->enabled)
			return;
		change = peer_clock_event(t->peer, e);
		changed(w, t, &change, &e->at, out);
	} else if (e->kind == EVENT_PEER_LINE) {
		server_line(w, e, out);
	} else if (e->kind == EVENT_PEER_LINK) {
		enum session_news news = peer_session_link(&t->peer_session, e);
		if (news == SESSION_NEWS_LOST)
			server_word_lost(&t->server_word, e->at.mono);
		link_news(t, news, &e->at, out);
	} else if (e->kind == EVENT_ECHO || e->kind == EVENT_ROUTE ||
		   e->kind == EVENT_OTHER_REMOTE) {
		reach_event(&t->reach, e);
	} else if (e->kind == EVENT_PEER_SNTP && peer_ntp_event(&t->peer_ntp, e, &statement)) {
		told(w, t, &statement, &e->at, out);
	}
}

/* States and stamps of a daemon elsewhere come later than they are, and not always equally so. */
static const struct handshake *handshake_of(const struct watch *w, const struct tunnel *t)
{
	static const struct handshake unknown;
	return t->config.same_machine || w->config.replay ? &t->handshake : &unknown;
}

void peer_watch_notification(struct watch *w, struct tunnel *t, const struct management_message *m,
			     const struct stamp *since, const struct stamp *at, struct actions *out)
{
	struct peer_told statement;
	const struct handshake *h = handshake_of(w, t);
	bool there = false;
	if (w->config.replay)
		return; /* when it was heard is not in the recording */
	if (m->kind == MANAGEMENT_ECHO)
		there = peer_told_by_echo(h, m->u.echo.text, at, &statement);
	else if (m->kind == MANAGEMENT_PASSWORD && m->u.password.kind == PASSWORD_AUTH_TOKEN)
		there = peer_told_by_token(h, m->u.password.text, tunnel_is_up(t), since, at,
					   &statement);
	if (there && tunnel_is_up(t))
		told(w, t, &statement, at, out);
	else if (there)
		handshake_hold(&t->handshake, &statement);
}

void peer_watch_came_up(struct watch *w, struct tunnel *t, const struct stamp *at,
			struct actions *out)
{
	struct peer_told statement;
	while (handshake_release(&t->handshake, &statement))
		told(w, t, &statement, at, out);
	peer_clock_burst(t->peer, BURST_UP, at);
	reach_burst(&t->reach, REACH_UP, at);
}

void peer_watch_log(struct watch *w, struct tunnel *t, const struct log_fact *fact,
		    const struct stamp *at, struct actions *out)
{
	struct peer_told statement;
	nsec grain = w->config.replay ? RECORDED_GRAIN : 0;
	if (fact->kind == LOG_REPLAY &&
	    peer_told_by_replay(handshake_of(w, t), fact->time, at, grain, &statement))
		told(w, t, &statement, at, out);
}

void peer_watch_restarted(struct tunnel *t, const struct stamp *at)
{
	peer_clock_burst(t->peer, BURST_RESTART, at);
	reach_burst(&t->reach, REACH_RESTART, at);
}

void peer_watch_local_changed(struct watch *w)
{
	for (struct tunnel *t = w->tunnels; t != NULL; t = t->next)
		if (t->peer != peer_clock_nothing())
			peer_time_restart_drift(&t->peer->time);
}

void peer_watch_slept(struct watch *w, const struct stamp *now)
{
	for (struct tunnel *t = w->tunnels; t != NULL; t = t->next) {
		if (t->peer != peer_clock_nothing())
			peer_time_slept(&t->peer->time, now);
		if (tunnel_is_up(t))
			peer_clock_burst(t->peer, BURST_UP, now);
	}
}

/* --- what is due ----------------------------------------------------------------------------- */

/* Silence is worth a look at the server before OpenVPN acts; once for each silence. */
static void probe_silence(struct tunnel *t, const struct stamp *now)
{
	nsec silence = traffic_silence(&t->traffic, now->mono);
	if (silence == NSEC_UNKNOWN || silence < tunnel_stall_after(t) || !tunnel_is_up(t) ||
	    t->silence_asked == t->traffic.last_rx || t->prompt.open)
		return;
	t->silence_asked = t->traffic.last_rx;
	peer_clock_burst(t->peer, BURST_SILENT, now);
	reach_burst(&t->reach, REACH_SILENT, now);
}

static bool is_news(const struct peer_clock_reading *was, const struct peer_clock_reading *is,
		    double limit_s)
{
	if (!was->present || was->disagrees.present != is->disagrees.present ||
	    fabs(is->offset_s - was->offset_s) > was->max_error_s + is->max_error_s)
		return true;
	return was->max_error_s > COARSE * limit_s && is->max_error_s < was->max_error_s / SHARPER;
}

static void news(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out)
{
	struct local_clock_reading local;
	struct peer_clock_reading peer, *was = &t->reported;
	if (peer_clock_busy(t->peer) || !tell_room(out))
		return;
	rules_local_reading(w, now, &local);
	peer_time_read(&t->peer->time, now, &local, w->config.offset_limit_s, &peer);
	/* What a recording said long ago holds only if its own clock was not set since. */
	bool due = now->mono >= t->next_clock_notice && !w->config.replay;
	if (!peer.present || (!is_news(was, &peer, w->config.offset_limit_s) && !due))
		return;
	*was = peer;
	t->next_clock_notice = now->mono + CLOCK_NOTICE_EVERY;
	tell_clock(out, t, &local, &peer, now);
}

void peer_watch_time(struct watch *w, struct tunnel *t, const struct stamp *now,
		     struct actions *out)
{
	probe_silence(t, now);
	peer_clock_time(t->peer, now, t, out);
	reach_time(&t->reach, now, t, out);
	peer_ntp_time(&t->peer_ntp, now, t, out);
	link_news(t, peer_session_time(&t->peer_session, now, &t->peer->time, t, out), now, out);
	news(w, t, now, out);
}

nsec peer_watch_deadline(const struct tunnel *t)
{
	const nsec last_rx = t->traffic.last_rx;
	nsec at = nsec_min(peer_clock_deadline(t->peer), t->peer_ntp.next);
	at = nsec_min(at, reach_deadline(&t->reach));
	at = nsec_min(at, peer_session_deadline(&t->peer_session));
	nsec stall = tunnel_stall_after(t);
	if (t->traffic.counting && last_rx != NSEC_UNKNOWN && stall != NSEC_NEVER &&
	    tunnel_is_up(t) && t->silence_asked != last_rx && !t->prompt.open)
		at = nsec_min(at, last_rx + stall);
	return at;
}
