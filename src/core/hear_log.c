/* SPDX-License-Identifier: MIT */
#include "core/hear_log.h"
#include "core/episode.h"
#include "core/peer_watch.h"
#include "core/tell.h"
#include "core/hear.h"

#include <string.h>

/* So long after the management interface was attached the log may still bring something that the
 * interface has as history. */
#define OVERLAP (2 * NSEC_PER_SEC)
/* A state that was told by other words is dated by the line, which is this close to the daemon's
 * own stamp. */
#define DERIVED_WITHIN 3

void logged_init(struct logged *l)
{
	*l = (struct logged){.told_since = NSEC_NEVER, .known = -1};
	log_speaker_init(&l->speaker);
}

/* --- what a line says ------------------------------------------------------------------------ */

static bool is_state(const struct log_fact *fact)
{
	return fact->kind == LOG_MANAGEMENT_STATE || fact->kind == LOG_INITIALIZED ||
	       fact->kind == LOG_SIGNAL;
}

/* Said again, it changes nothing. */
static bool is_lasting(const struct log_fact *fact)
{
	return fact->kind == LOG_VERSION || fact->kind == LOG_TIMERS ||
	       fact->kind == LOG_PUSH_REPLY || fact->kind == LOG_REMOTE;
}

/* A server's log: what it says of a client is not this tunnel's. */
static bool is_clients(const struct log_fact *fact)
{
	return fact->client.n > 0 || fact->kind == LOG_DUPLICATE;
}

static void learn_local(struct logged *l, struct slice options)
{
	while (options.n > 0) {
		struct slice option = slice_trim(slice_cut(&options, ','));
		if (!slice_starts(option, "ifconfig "))
			continue;
		option = slice_skip(option, strlen("ifconfig "));
		slice_copy(slice_cut(&option, ' '), l->local_ip, sizeof l->local_ip);
	}
}

static void learn_where(struct logged *l, const struct log_fact *fact)
{
	if (fact->kind == LOG_PUSH_REPLY)
		learn_local(l, fact->text);
	if (fact->kind != LOG_REMOTE)
		return;
	slice_copy(fact->text, l->remote_ip, sizeof l->remote_ip);
	l->remote_port = fact->port;
}

/* States as a log without a management interface tells them. */
static void derive(const struct logged *l, const struct log_fact *fact, struct management_state *s)
{
	if (fact->kind == LOG_INITIALIZED) {
		s->state = STATE_CONNECTED;
		s->name = SLICE("CONNECTED");
		s->detail = SLICE("SUCCESS");
		s->local_ip = slice_from(l->local_ip);
		s->remote_ip = slice_from(l->remote_ip);
		s->remote_port = (uint16_t)l->remote_port;
		return;
	}
	bool again = slice_is(fact->signal, "SIGUSR1") || slice_is(fact->signal, "SIGHUP");
	s->state = again ? STATE_RECONNECTING : STATE_EXITING;
	s->name = again ? SLICE("RECONNECTING") : SLICE("EXITING");
	s->reason = fact->reason;
	s->detail = fact->text;
}

/* The state that a line tells, dated `time` where it says nothing better. False: none. */
static bool read_state(const struct tunnel *t, const struct log_fact *fact, uint64_t time,
		       struct management_state *s)
{
	*s = (struct management_state){.time = time};
	if (fact->kind == LOG_MANAGEMENT_STATE)
		return management_parse_state(fact->text, s) == VERDICT_DONE;
	derive(&t->logged, fact, s);
	/* Up and ended are told once, by the management line or by other words. */
	return s->state == STATE_RECONNECTING || s->state != t->state;
}

/* --- a recording ----------------------------------------------------------------------------- */

static void recorded(struct watch *w, struct tunnel *t, const struct log_fact *fact,
		     const struct stamp *at, struct actions *out)
{
	struct management_state s;
	if (server_watch_log(w, t, fact, at))
		return;
	learn_where(&t->logged, fact);
	peer_watch_log(w, t, fact, at, out);
	if (!is_state(fact))
		tunnel_log(t, fact, true, at);
	else if (read_state(t, fact, (uint64_t)(at->wall / NSEC_PER_SEC), &s))
		hear_state(w, t, &s, at, at, out);
}

/* --- a log that is followed ------------------------------------------------------------------ */

/* Seconds; what is none (UINT64_MAX) is left out where it would be told. */
static uint64_t written(const struct event *e)
{
	return e->log.written > 0 ? (uint64_t)(e->log.written / NSEC_PER_SEC) : UINT64_MAX;
}

/* From before we came. The management interface knows the same better. */
static void past(struct tunnel *t, const struct log_fact *fact, const struct event *e)
{
	struct management_state s;
	if (is_clients(fact))
		return;
	tunnel_log(t, fact, false, &e->at);
	if (t->session.state == SESSION_UP)
		return;
	if (fact->kind == LOG_VERSION)
		tunnel_forget_state(t); /* whatever it was, it was another process */
	if (!is_state(fact) || !read_state(t, fact, written(e), &s))
		return;
	bool dated = s.time <= INT64_MAX;
	if (t->config.address != NULL && dated && (int64_t)s.time < t->openvpn_time)
		return;
	tunnel_state_history(t, &s, &e->at);
	t->logged.derived = fact->kind != LOG_MANAGEMENT_STATE;
	t->logged.known = t->openvpn_time;
	t->since_known = t->since_known && dated;
	t->connected_known = t->connected_known && dated;
}

/* A daemon that begins while its tunnel is up has taken the place of one that was killed. */
static void begun_anew(struct tunnel *t, const struct stamp *at)
{
	if (!tunnel_is_up(t) || t->logged.told_since != NSEC_NEVER)
		return;
	tunnel_died(t, "killed: its log begins anew", at);
	episode_begun(t, at);
}

/* Whether it is to be counted now: not again, and not if the management interface tells it. */
static bool counts(struct tunnel *t, const struct log_fact *fact, struct slice line,
		   const struct stamp *at)
{
	struct logged *l = &t->logged;
	struct slice text = fact->kind == LOG_MANAGEMENT_STATE ? fact->text : line;
	if (t->config.address == NULL || is_lasting(fact))
		return true;
	if (said_again(&l->said, SAID_BY_LOG, text, at->mono))
		return false;
	if (l->told_since != NSEC_NEVER && (is_state(fact) || at->mono - l->told_since > OVERLAP))
		return false;
	said_note(&l->said, SAID_BY_LOG, text, at->mono);
	return true;
}

static void present(struct watch *w, struct tunnel *t, const struct log_fact *fact,
		    const struct event *e, struct actions *out)
{
	/* Since when it lay there is not known: a pipe or a poll may be late. */
	const struct stamp since = {.mono = NSEC_UNKNOWN};
	struct management_state s;
	if (!counts(t, fact, e->u.line, &e->at) || server_watch_log(w, t, fact, &e->at))
		return;
	if (fact->kind == LOG_VERSION)
		begun_anew(t, &e->at);
	if (!is_state(fact)) {
		tunnel_log(t, fact, true, &e->at);
		peer_watch_log(w, t, fact, &e->at, out);
	} else if (read_state(t, fact, written(e), &s)) {
		hear_state(w, t, &s, &since, &e->at, out);
		t->logged.derived = fact->kind != LOG_MANAGEMENT_STATE;
		if (t->logged.derived)
			t->logged.known = e->at.wall / NSEC_PER_SEC;
	}
}

void hear_log(struct watch *w, const struct event *e, struct actions *out)
{
	struct tunnel *t = e->tunnel;
	struct log_fact fact;
	bool news;
	log_text_parse(e->u.line, &fact);
	if (!log_speaker_hear(&t->logged.speaker, e->log.ident, e->log.pid, &fact, &news))
		fact.kind = LOG_NOTHING;
	if (news && tell_room(out))
		tell_another_daemon(out, t, e->log.ident, e->log.pid, &e->at);
	if (fact.kind == LOG_NOTHING)
		return;
	if (e->log.here && t->config.address == NULL)
		t->config.same_machine = true;
	if (w->config.replay) {
		recorded(w, t, &fact, &e->at, out);
		return;
	}
	if (!is_clients(&fact))
		learn_where(&t->logged, &fact);
	if (e->log.history)
		past(t, &fact, e);
	else
		present(w, t, &fact, e, out);
}

static void followed(struct tunnel *t, const struct stamp *at, struct actions *out)
{
	struct logged *l = &t->logged;
	bool again = l->live;
	l->live = true;
	if (l->derived)
		l->known = at->wall / NSEC_PER_SEC;
	if (tell_room(out))
		tell_followed(out, t, at);
	if (again || t->session.state == SESSION_UP || t->state_name[0] == '\0')
		return;
	tunnel_attached(t, at);
	if (tunnel_is_up(t))
		reach_burst(&t->reach, REACH_UP, at);
	hear_present_state(t, at, out);
}

bool watch_over(const struct watch *w)
{
	for (const struct tunnel *t = w->tunnels; t != NULL; t = t->next)
		if (t->config.address != NULL || !t->logged.ended)
			return false;
	return w->tunnels != NULL && !w->config.open_ended;
}

void hear_log_file(struct watch *w, const struct event *e, struct actions *out)
{
	struct tunnel *t = e->tunnel;
	if (e->u.log_file.change == LOG_FILE_FOLLOWED) {
		followed(t, &e->at, out);
		return;
	}
	bool end = e->u.log_file.change == LOG_FILE_ENDED;
	if (tell_room(out))
		tell_log_file(out, t, e->u.log_file.change, e->u.log_file.reason, &e->at);
	if (!end)
		return;
	t->logged.ended = true;
	t->logged.live = false;
	if (watch_over(w) && tell_room(out))
		tell_stopped(out, w, &e->at);
}

/* --- beside the management interface --------------------------------------------------------- */

bool hear_log_told(struct tunnel *t, struct slice text, const struct stamp *at)
{
	struct said *said = &t->logged.said;
	if (t->config.log == NULL)
		return false;
	if (said_again(said, SAID_BY_MANAGEMENT, text, at->mono))
		return true;
	said_note(said, SAID_BY_MANAGEMENT, text, at->mono);
	return false;
}

/* Whether the log has told the states so far, so that what goes beyond is news. One that told them
 * by other words dates them by its own machine's clock. */
static bool is_there_before(const struct tunnel *t)
{
	const struct logged *l = &t->logged;
	return l->live && t->state_name[0] != '\0' && l->known >= 0 &&
	       (!l->derived || t->config.same_machine);
}

/* The log told it by other words. */
static bool is_derived(const struct tunnel *t, const struct management_state *s)
{
	int64_t apart = (int64_t)(s->time % INT64_MAX) - t->logged.known;
	return t->logged.derived && apart >= -DERIVED_WITHIN && apart <= DERIVED_WITHIN &&
	       slice_is(s->name, t->state_name) && slice_is(s->detail, t->detail);
}

bool hear_log_history(struct watch *w, struct tunnel *t, struct slice payload,
		      const struct management_state *s, const struct stamp *at, struct actions *out)
{
	struct logged *l = &t->logged;
	const struct stamp since = {.mono = NSEC_UNKNOWN};
	if (l->history == HISTORY_NONE)
		l->history = is_there_before(t) ? HISTORY_NEWS : HISTORY_PAST;
	if (l->history == HISTORY_PAST) {
		l->derived = false;
		return false;
	}
	l->last[0] = '\0';
	if (said_again(&l->said, SAID_BY_MANAGEMENT, payload, at->mono))
		return true;
	if (is_derived(t, s)) {
		l->known = (int64_t)s->time;
		tunnel_state_again(t, s);
	} else if (s->time <= INT64_MAX && (int64_t)s->time > l->known) {
		int64_t known = l->known; /* of the whole history */
		hear_state(w, t, s, &since, at, out);
		l->known = known;
	} else if ((int64_t)s->time == l->known && payload.n < sizeof l->last) {
		slice_copy(payload, l->last, sizeof l->last);
	}
	return true;
}

bool hear_log_attached(struct watch *w, struct tunnel *t, const struct stamp *at,
		       struct actions *out)
{
	struct logged *l = &t->logged;
	const struct stamp since = {.mono = NSEC_UNKNOWN};
	struct management_state s;
	bool told = l->history == HISTORY_NEWS;
	/* Within a second the stamps do not say what came after what; the last word does. */
	if (told && l->last[0] != '\0' &&
	    management_parse_state(slice_from(l->last), &s) == VERDICT_DONE &&
	    !slice_is(s.name, t->state_name))
		hear_state(w, t, &s, &since, at, out);
	if (!l->derived && t->openvpn_time >= 0)
		l->known = t->openvpn_time;
	l->history = HISTORY_NONE;
	l->told_since = at->mono;
	return told;
}
