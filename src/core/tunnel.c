/* SPDX-License-Identifier: MIT */
#include "core/tunnel.h"
#include "core/farewell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Until when after CONNECTED answers to probes are awaited before the verdict is final. */
#define SETTLE_MAX (5 * NSEC_PER_SEC)

/* The server's command and the restart that it causes are in the log within this time. */
#define SERVER_WORD_LASTS (5 * NSEC_PER_SEC)

/* A year of silence or of connection is believed, more is a broken stamp. */
#define DURATION_MAX (366 * 24 * 3600 * NSEC_PER_SEC)

void tunnel_init(struct tunnel *t, const struct tunnel_config *config, const struct stamp *now)
{
	*t = (struct tunnel){
	    .config = *config,
	    .remote_port = -1,
	    .openvpn_time = -1,
	    .pid = -1,
	    .management_options = config->management_options,
	    .began = now->boot,
	    .silence_asked = NSEC_UNKNOWN,
	    .attempt = NSEC_UNKNOWN,
	    .calm = NSEC_NEVER,
	    .next_clock_notice = NSEC_NEVER,
	    .step_resolve = NSEC_NEVER,
	    .timers = {.ping = config->ping,
		       .ping_restart = PING_RESTART_DEFAULT,
		       .from = TIMERS_DEFAULT},
	};
	if (config->ping_restart >= 0) {
		t->timers.ping_restart = config->ping_restart;
		t->timers.from = TIMERS_PROFILE;
	}
	session_init(&t->session, false, config->has_password, config->seed, now);
	if (config->address == NULL)
		t->session.deadline = NSEC_NEVER;
	t->peer = peer_clock_nothing();
	if (config->probe && tunnel_own_peer(t) != NULL)
		peer_clock_init(t->peer, true, config->probe_has_time, config->probe_by_tcp);
	peer_ntp_init(&t->peer_ntp, config->peer_ntp, now);
	peer_session_init(&t->peer_session, config->peer_address != NULL, config->peer_has_password,
			  config->seed + 1, now);
	alert_table_init(&t->alerts);
	traffic_init(&t->traffic);
	log_memory_init(&t->log);
	logged_init(&t->logged);
	reach_init(&t->reach, config->may_ask, config->other_remotes);
	server_word_init(&t->server_word);
	server_watch_init(&t->server);
	if (config->probe)
		peer_clock_burst(t->peer, BURST_START, now);
}

void tunnel_done(struct tunnel *t)
{
	if (t->peer != peer_clock_nothing())
		free(t->peer);
	t->peer = peer_clock_nothing();
	server_watch_done(&t->server);
}

struct peer_clock *tunnel_own_peer(struct tunnel *t)
{
	if (t->peer != peer_clock_nothing())
		return t->peer;
	struct peer_clock *own = malloc(sizeof *own);
	if (own == NULL)
		return NULL;
	peer_clock_init(own, false, false, false);
	t->peer = own;
	return own;
}

static bool is_connection_attempt(enum openvpn_state s)
{
	return s == STATE_RESOLVE || s == STATE_TCP_CONNECT || s == STATE_WAIT;
}

static void count_connected(struct tunnel *t, const struct stamp *at)
{
	t->connected_total += at->boot - nsec_max(t->connected_since.boot, t->began);
}

static bool recently(const struct tunnel *t, enum log_fact_kind kind, nsec mono)
{
	nsec at = t->log.words[kind].at;
	return at != NSEC_UNKNOWN && mono - at < SERVER_WORD_LASTS;
}

/* Somebody here wanted it: it is no part of what goes wrong again and again. */
static bool asked_for(enum restart_reason r)
{
	return r == REASON_SIGUSR1 || r == REASON_SIGHUP;
}

/* How long nothing had been received, if that can be said. */
static nsec silence_of(const struct tunnel *t, nsec mono)
{
	nsec silence = traffic_silence(&t->traffic, mono), window = tunnel_window(t);
	bool known = silence != NSEC_UNKNOWN && (t->traffic.heard || silence >= window);
	return known ? silence : NSEC_UNKNOWN;
}

static void begin_episode(struct tunnel *t, const struct management_state *s,
			  const struct stamp *at, bool was_up)
{
	struct episode *e = &t->episode;
	bool known = was_up && t->connected_known;
	*e = (struct episode){
	    .open = true,
	    .connected_before = was_up,
	    .alert = s->state == STATE_EXITING		? ALERT_TUNNEL_DOWN
		     : s->reason == REASON_PING_RESTART ? ALERT_PING_RESTART
							: ALERT_RECONNECTING,
	    .reason = s->reason,
	    .began = *at,
	    .openvpn_time = s->time <= INT64_MAX ? (int64_t)s->time : -1,
	    .connected = known ? at->boot - t->connected_since.boot : NSEC_UNKNOWN,
	    .silent = silence_of(t, at->mono),
	    .session = known ? t->connected_since.mono : t->attempt,
	    .heard = NSEC_UNKNOWN,
	    .idle = traffic_idle(&t->traffic),
	    .traffic = t->traffic,
	    .timers = t->timers,
	    .drops = t->server_word.drops,
	    /* Said just before the restart that it causes. */
	    .server_said_so =
		recently(t, LOG_SERVER_RESET, at->mono) || recently(t, LOG_REMOTE_EXIT, at->mono),
	};
	slice_copy(s->detail, e->reason_text, sizeof e->reason_text);
	if (known && e->silent != NSEC_UNKNOWN)
		e->heard = nsec_max(t->traffic.last_rx - t->connected_since.mono, 0);
	if (known)
		count_connected(t, at);
	if (was_up && s->state == STATE_RECONNECTING && !asked_for(s->reason))
		restart_history_add(&t->history, &(struct restart_record){.mono = at->mono,
									  .wall = at->wall,
									  .reason = s->reason,
									  .connected = e->connected,
									  .heard = e->heard,
									  .idle = e->idle});
}

static void restart(struct tunnel *t, const struct management_state *s, const struct stamp *at,
		    bool was_up, struct state_change *change)
{
	t->up = false;
	t->restarts += s->state == STATE_RECONNECTING;
	t->failures += !was_up;
	t->timers.pushed = PUSHED_UNKNOWN;
	change->restarted = true;
	/* One that never came up again, or only now and is still being judged, goes on. */
	if (!t->episode.open || t->episode.ended)
		begin_episode(t, s, at, was_up);
	t->episode.failed = t->failures;
	t->attempt = at->mono;
	log_memory_session(&t->log, at->mono);
}

void tunnel_died(struct tunnel *t, const char *text, const struct stamp *at)
{
	struct management_state s = {.state = STATE_EXITING, .detail = slice_from(text)};
	struct state_change change;
	bool was_up = t->up;
	if (t->state == STATE_EXITING)
		return;
	t->state = STATE_EXITING;
	snprintf(t->state_name, sizeof t->state_name, "EXITING");
	t->since = *at;
	restart(t, &s, at, was_up, &change);
}

/* Another remote of the profile is another server with another clock. True: it is one. */
static bool meet_server(struct tunnel *t)
{
	if (t->remote_ip[0] == '\0' || strcmp(t->remote_ip, t->peer_ip) == 0)
		return false;
	bool another = t->peer_ip[0] != '\0';
	memcpy(t->peer_ip, t->remote_ip, sizeof t->peer_ip);
	/* Until now it was not known which server the probes went to, nor by which of them this
	 * was told. */
	if (!another && t->handshake.n_told > 0 && t->peer != peer_clock_nothing())
		peer_time_init(&t->peer->time);
	if (another) {
		reach_another(&t->reach);
		if (t->peer != peer_clock_nothing())
			peer_clock_init(t->peer, t->peer->enabled, t->peer->has_time,
					t->config.probe_by_tcp);
	}
	return another;
}

static void learn_addresses(struct tunnel *t, const struct management_state *s)
{
	slice_copy(s->local_ip, t->local_ip, sizeof t->local_ip);
	slice_copy(s->remote_ip, t->remote_ip, sizeof t->remote_ip);
	t->remote_port = s->remote_port != 0 ? s->remote_port : -1;
}

static void came_up(struct tunnel *t, const struct management_state *s, const struct stamp *at)
{
	t->up = true;
	t->connected_since = *at;
	t->connected_known = true;
	t->failures = 0;
	traffic_connected(&t->traffic, at->mono);
	log_memory_session(&t->log, at->mono);
	learn_addresses(t, s);
}

/* The tunnel is up again, if it was not. */
static void end_episode(struct tunnel *t, const struct stamp *at)
{
	struct episode *e = &t->episode;
	if (!e->open || e->ended)
		return;
	e->ended = true;
	/* The daemon's stamps are whole seconds. */
	e->end = at->mono >= e->began.mono ? *at : e->began;
	e->settle = at->mono + SETTLE_MAX;
}

void tunnel_state_again(struct tunnel *t, const struct management_state *s)
{
	if (s->time <= INT64_MAX)
		t->openvpn_time = (int64_t)s->time;
	if (s->state != STATE_CONNECTED || s->remote_ip.n == 0)
		return;
	learn_addresses(t, s);
	(void)meet_server(t);
}

struct state_change tunnel_state(struct tunnel *t, const struct management_state *s,
				 const struct stamp *since, const struct stamp *at)
{
	struct state_change change = {.previous_lasted = NSEC_UNKNOWN};
	char name[sizeof t->state_name], detail[sizeof t->detail];
	slice_copy(s->name, name, sizeof name);
	slice_copy(s->detail, detail, sizeof detail);
	bool same = strcmp(name, t->state_name) == 0 && strcmp(detail, t->detail) == 0;
	if (same && t->since_known && at->mono - t->since.mono < NSEC_PER_SEC) {
		tunnel_state_again(t, s);
		return change;
	}

	bool was_up = t->up;
	change.changed = true;
	handshake_state(&t->handshake, s->state, since);
	memcpy(change.previous, t->state_name, sizeof change.previous);
	if (t->since_known)
		change.previous_lasted = at->boot - t->since.boot;
	t->state = s->state;
	memcpy(t->state_name, name, sizeof name);
	memcpy(t->detail, detail, sizeof detail);
	t->since = *at;
	t->since_known = true;
	t->openvpn_time = s->time <= INT64_MAX ? (int64_t)s->time : -1;
	if (is_connection_attempt(s->state) && t->episode.open && !t->episode.ended)
		t->episode.attempts++;
	if (s->state == STATE_RECONNECTING || s->state == STATE_EXITING)
		restart(t, s, at, was_up, &change);
	else if (t->attempt == NSEC_UNKNOWN)
		t->attempt = at->mono;
	if (s->state == STATE_CONNECTED && !was_up) {
		came_up(t, s, at);
		end_episode(t, at);
		(void)meet_server(t);
		change.came_up = true;
	}
	return change;
}

/* When something happened that the daemon dates by its own `now`: on our clocks, if it runs here.
 */
static struct stamp stamp_of(const struct tunnel *t, uint64_t daemon_time, const struct stamp *at)
{
	struct stamp s = *at;
	nsec age = at->wall - (nsec)(daemon_time % (UINT64_C(1) << 33)) * NSEC_PER_SEC;
	if (!t->config.same_machine || age < 0 || age > DURATION_MAX)
		return s;
	s.mono -= age;
	s.boot -= age;
	s.ruler -= age;
	s.wall -= age;
	return s;
}

/* From before we attached. Of a daemon elsewhere it is not known when, and what we saw ourselves
 * comes again each time that we attach. */
static void remember_restart(struct tunnel *t, enum restart_reason reason, const struct stamp *when)
{
	const struct restart_history *h = &t->history;
	nsec newest = restart_history_nth(h, 1);
	if (!t->config.same_machine || asked_for(reason) ||
	    (newest != NSEC_UNKNOWN && when->mono < newest + 2 * NSEC_PER_SEC))
		return;
	restart_history_add(&t->history, &(struct restart_record){
					     .mono = when->mono,
					     .wall = when->wall,
					     .reason = reason,
					     .connected = t->connected_known
							      ? when->boot - t->connected_since.boot
							      : NSEC_UNKNOWN,
					     .heard = NSEC_UNKNOWN,
					     .idle = NSEC_UNKNOWN,
					 });
}

void tunnel_state_history(struct tunnel *t, const struct management_state *s,
			  const struct stamp *at)
{
	struct stamp when = stamp_of(t, s->time, at);
	if (s->state == STATE_RECONNECTING && t->up)
		remember_restart(t, s->reason, &when);
	if (s->state == STATE_RECONNECTING || s->state == STATE_EXITING)
		t->up = false;
	t->state = s->state;
	slice_copy(s->name, t->state_name, sizeof t->state_name);
	slice_copy(s->detail, t->detail, sizeof t->detail);
	t->since = when;
	t->since_known = t->config.same_machine;
	t->openvpn_time = s->time <= INT64_MAX ? (int64_t)s->time : -1;
	if (s->state != STATE_CONNECTED)
		return;
	struct traffic traffic = t->traffic;
	came_up(t, s, &when);
	/* In a history it may be of the session that the restart ended. */
	if (t->episode.openvpn_time >= 0 && s->time > (uint64_t)t->episode.openvpn_time)
		end_episode(t, &when);
	t->connected_known = t->config.same_machine;
	/* It was received then; since when nothing came is not known until bytes are counted. */
	t->traffic = traffic;
}

void tunnel_forget_state(struct tunnel *t)
{
	t->up = t->since_known = t->connected_known = false;
	t->state = STATE_OTHER;
	t->state_name[0] = t->detail[0] = '\0';
}

void tunnel_attached(struct tunnel *t, const struct stamp *at)
{
	if (t->up) /* whatever the stamps say */
		end_episode(t, t->connected_known ? &t->connected_since : at);
	if (meet_server(t))
		peer_clock_burst(t->peer, BURST_START, at);
}

static void learn_timers(struct tunnel *t, const struct log_fact *fact, enum timer_source from)
{
	bool told = fact->ping_restart >= 0 || fact->ping >= 0;
	if (from == TIMERS_PUSHED && (told || t->timers.pushed == PUSHED_UNKNOWN))
		t->timers.pushed = told ? PUSHED_SOME : PUSHED_NONE;
	/* "Timers:" says all that is in force, and so that there is no ping. */
	if (from == TIMERS_LOGGED && told && fact->ping < 0)
		t->timers.ping = 0;
	/* "Timers:" comes after PUSH_REPLY and says what is in force, so the later one counts. */
	if (fact->ping >= 0)
		t->timers.ping = fact->ping;
	if (fact->ping_restart >= 0) {
		t->timers.ping_restart = fact->ping_restart;
		t->timers.from = from;
	}
}

void tunnel_log(struct tunnel *t, const struct log_fact *fact, bool live, const struct stamp *at)
{
	if (fact->kind == LOG_VERSION)
		slice_copy(fact->text, t->version, sizeof t->version);
	else if (fact->kind == LOG_TIMERS)
		learn_timers(t, fact, TIMERS_LOGGED);
	else if (fact->kind == LOG_PUSH_REPLY)
		learn_timers(t, fact, TIMERS_PUSHED);
	else if (fact->kind == LOG_MANAGEMENT_FLAGS)
		t->management_options = farewell_options(fact->flags);
	else if (fact->kind != LOG_NOTHING && fact->kind < LOG_FACT_KINDS && live)
		log_memory_add(&t->log, fact, tunnel_is_up(t), at->mono);
}

void tunnel_detached(struct tunnel *t)
{
	traffic_stop(&t->traffic);
	t->logged.told_since = NSEC_NEVER;
	t->logged.history = HISTORY_NONE;
	prompt_over(&t->prompt);
	server_watch_detached(&t->server);
	t->lead_told = false;
	t->handshake.n_told = 0; /* how it ends will not be heard */
}

nsec tunnel_window(const struct tunnel *t)
{
	if (t->timers.ping_restart <= 0 || t->timers.ping_restart > DURATION_MAX / NSEC_PER_SEC)
		return NSEC_NEVER;
	return t->timers.ping_restart * NSEC_PER_SEC;
}

nsec tunnel_stall_after(const struct tunnel *t)
{
	nsec window = tunnel_window(t);
	if (window == NSEC_NEVER)
		return NSEC_NEVER;
	/* A ping may be a second late (OpenVPN's coarse timer) and its bytes are counted up to a
	 * second later. */
	nsec ping = t->timers.ping > 0 && t->timers.ping < t->timers.ping_restart
			? (t->timers.ping + 2) * NSEC_PER_SEC
			: 0;
	return nsec_max(window / 2, ping);
}

bool tunnel_is_up(const struct tunnel *t)
{
	return t->up;
}

nsec tunnel_connected_total(const struct tunnel *t, const struct stamp *at)
{
	if (!tunnel_is_up(t) || !t->connected_known)
		return t->connected_total;
	return t->connected_total + at->boot - nsec_max(t->connected_since.boot, t->began);
}
