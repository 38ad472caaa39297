/* SPDX-License-Identifier: MIT */
#include "core/tunnel.h"

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
	    .began = now->boot,
	    .last_rx = NSEC_UNKNOWN,
	    .refused_at = NSEC_UNKNOWN,
	    .server_spoke_at = NSEC_UNKNOWN,
	    .silence_asked = NSEC_UNKNOWN,
	    .next_clock_notice = NSEC_NEVER,
	    .step_resolve = NSEC_NEVER,
	    .timers = {.ping = -1, .ping_restart = PING_RESTART_DEFAULT, .from = TIMERS_DEFAULT},
	};
	if (config->ping_restart >= 0)
		t->timers =
		    (struct ping_timers){config->ping, config->ping_restart, TIMERS_PROFILE};
	else if (config->ping >= 0)
		t->timers.ping = config->ping;
	session_init(&t->session, false, config->has_password, config->seed, now);
	if (config->address == NULL)
		t->session.deadline = NSEC_NEVER;
	peer_clock_init(&t->peer, config->probe, config->probe_has_time, config->probe_by_tcp);
	peer_ntp_init(&t->peer_ntp, config->peer_ntp, now);
	peer_session_init(&t->peer_session, config->peer_address != NULL, config->peer_has_password,
			  config->seed + 1, now);
	alert_table_init(&t->alerts);
	if (config->probe)
		peer_clock_burst(&t->peer, BURST_START, now);
}

static bool is_connection_attempt(enum openvpn_state s)
{
	return s == STATE_RESOLVE || s == STATE_TCP_CONNECT || s == STATE_WAIT;
}

static void remember_session_length(struct tunnel *t, nsec length)
{
	memmove(t->session_length + 1, t->session_length,
		(SESSION_LENGTHS - 1) * sizeof *t->session_length);
	t->session_length[0] = length;
	if (t->n_session_lengths < SESSION_LENGTHS)
		t->n_session_lengths++;
}

static void count_connected(struct tunnel *t, const struct stamp *at)
{
	t->connected_total += at->boot - nsec_max(t->connected_since.boot, t->began);
}

static void begin_episode(struct tunnel *t, const struct management_state *s,
			  const struct stamp *at, bool was_up)
{
	struct episode *e = &t->episode;
	*e = (struct episode){
	    .open = true,
	    .connected_before = was_up,
	    .alert = s->reason == REASON_PING_RESTART ? ALERT_PING_RESTART : ALERT_RECONNECTING,
	    .reason = s->reason,
	    .began = *at,
	    .connected = NSEC_UNKNOWN,
	    .silent = tunnel_silence(t, at->mono),
	    .last_rx = t->last_rx,
	    .timers = t->timers,
	    .server_said_so = t->server_spoke_at != NSEC_UNKNOWN &&
			      at->mono - t->server_spoke_at < SERVER_WORD_LASTS,
	};
	slice_copy(s->detail, e->reason_text, sizeof e->reason_text);
	if (was_up && t->connected_known) {
		e->connected = at->boot - t->connected_since.boot;
		count_connected(t, at);
		if (s->reason == REASON_PING_RESTART)
			remember_session_length(t, e->connected);
	}
}

static void restart(struct tunnel *t, const struct management_state *s, const struct stamp *at,
		    bool was_up, struct state_change *change)
{
	t->restarts++;
	change->restarted = true;
	/* One that never came up again, or only now and is still being judged, goes on. */
	if (!t->episode.open || t->episode.ended)
		begin_episode(t, s, at, was_up);
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
	if (!another && t->handshake.n_told > 0)
		peer_time_init(&t->peer.time);
	if (another)
		peer_clock_init(&t->peer, t->peer.enabled, t->peer.has_time,
				t->config.probe_by_tcp);
	return another;
}

static void came_up(struct tunnel *t, const struct management_state *s, const struct stamp *at)
{
	t->connected_since = *at;
	t->connected_known = true;
	/* The handshake was received just now, whatever the byte count says a second later. */
	t->last_rx = at->mono;
	slice_copy(s->local_ip, t->local_ip, sizeof t->local_ip);
	slice_copy(s->remote_ip, t->remote_ip, sizeof t->remote_ip);
	t->remote_port = s->remote_port != 0 ? s->remote_port : -1;
	if (t->episode.open && !t->episode.ended) {
		t->episode.ended = true;
		t->episode.end = *at;
		t->episode.settle = at->mono + SETTLE_MAX;
	}
}

struct state_change tunnel_state(struct tunnel *t, const struct management_state *s,
				 const struct stamp *since, const struct stamp *at)
{
	struct state_change change = {.previous_lasted = NSEC_UNKNOWN};
	char name[sizeof t->state_name], detail[sizeof t->detail];
	slice_copy(s->name, name, sizeof name);
	slice_copy(s->detail, detail, sizeof detail);
	bool same = strcmp(name, t->state_name) == 0 && strcmp(detail, t->detail) == 0;
	if (same && t->since_known && at->mono - t->since.mono < NSEC_PER_SEC)
		return change;

	bool was_up = t->state == STATE_CONNECTED;
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
	if (s->state == STATE_RECONNECTING)
		restart(t, s, at, was_up, &change);
	if (s->state == STATE_CONNECTED) {
		came_up(t, s, at);
		(void)meet_server(t);
		change.came_up = true;
	}
	if (s->state == STATE_EXITING && was_up && t->connected_known)
		count_connected(t, at);
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

void tunnel_state_history(struct tunnel *t, const struct management_state *s,
			  const struct stamp *at)
{
	struct stamp when = stamp_of(t, s->time, at);
	if (s->state == STATE_RECONNECTING && t->state == STATE_CONNECTED && t->connected_known &&
	    s->reason == REASON_PING_RESTART)
		remember_session_length(t, when.boot - t->connected_since.boot);
	t->state = s->state;
	slice_copy(s->name, t->state_name, sizeof t->state_name);
	slice_copy(s->detail, t->detail, sizeof t->detail);
	t->since = when;
	t->since_known = t->config.same_machine;
	t->openvpn_time = s->time <= INT64_MAX ? (int64_t)s->time : -1;
	if (s->state != STATE_CONNECTED)
		return;
	nsec last_rx = t->last_rx;
	came_up(t, s, &when);
	t->connected_known = t->config.same_machine;
	/* It was received then; since when nothing came is not known until bytes are counted. */
	t->last_rx = last_rx;
}

void tunnel_attached(struct tunnel *t, const struct stamp *at)
{
	if (meet_server(t))
		peer_clock_burst(&t->peer, BURST_START, at);
}

void tunnel_bytes(struct tunnel *t, uint64_t in, const struct stamp *at)
{
	/* The first count says nothing about when they came, but silence cannot be shown to have
	 * lasted longer than we have listened. */
	if (!t->counting || in != t->bytes_in)
		t->last_rx = at->mono;
	t->counting = true;
	t->bytes_in = in;
}

static void learn_timers(struct tunnel *t, const struct log_fact *fact, enum timer_source from)
{
	if (fact->ping_restart < 0 && fact->ping < 0)
		return;
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
	switch (fact->kind) {
	case LOG_VERSION:
		slice_copy(fact->text, t->version, sizeof t->version);
		return;
	case LOG_TIMERS:
		learn_timers(t, fact, TIMERS_LOGGED);
		return;
	case LOG_PUSH_REPLY:
		learn_timers(t, fact, TIMERS_PUSHED);
		return;
	case LOG_REFUSED:
		if (live)
			t->refused_at = at->mono;
		return;
	case LOG_SERVER_RESET:
	case LOG_REMOTE_EXIT:
		/* Said just before the restart that it causes. */
		if (live)
			t->server_spoke_at = at->mono;
		return;
	case LOG_NOTHING:
	case LOG_MANAGEMENT_STATE:
	case LOG_INITIALIZED:
	case LOG_INACTIVITY:
	case LOG_INACTIVITY_EXIT:
	case LOG_SIGNAL:
	case LOG_RESTART_PAUSE:
	case LOG_UNREACHABLE:
	case LOG_TLS_TIMEOUT:
	case LOG_TLS_FAILED:
	case LOG_CONNECTION_RESET:
	case LOG_AUTH_FAILED:
	case LOG_VERIFY_ERROR:
	case LOG_REPLAY:
	case LOG_KEEPALIVE_MISSING:
	case LOG_DUPLICATE:
	case LOG_SOFT_RESET:
	case LOG_VERIFY_OK:
	case LOG_OUT_OF_SYNC:
	case LOG_OWN_CERTIFICATE:
	case LOG_TLS_ALERT:
	case LOG_WRONG_KEY:
	case LOG_DECRYPT_ERROR:
	case LOG_COMMAND:
	case LOG_LEARNED:
		return;
	}
}

void tunnel_detached(struct tunnel *t)
{
	t->counting = false;
	t->last_rx = NSEC_UNKNOWN;
	t->lead_told = false;
	t->handshake.n_told = 0; /* how it ends will not be heard */
}

nsec tunnel_silence(const struct tunnel *t, nsec mono)
{
	if (!t->counting || t->last_rx == NSEC_UNKNOWN)
		return NSEC_UNKNOWN;
	return mono - t->last_rx;
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
	return t->state == STATE_CONNECTED;
}
