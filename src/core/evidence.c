/* SPDX-License-Identifier: MIT */
#include "core/evidence.h"
#include "core/rules.h"

#include <math.h>
#include <string.h>

/* A byte that arrives is seen by BYTECOUNT up to a second later; pings are up to a second late. */
#define COUNT_GRAIN (2 * NSEC_PER_SEC)
/* What the path was like before: so far back. */
#define BEFORE (300 * NSEC_PER_SEC)
/* Two tunnels are struck together if one is silent or restarts so soon after the other. */
#define TOGETHER      (3 * NSEC_PER_SEC)
#define RENEG_DEFAULT 3600
/* What the log says of a restart comes so long before the silence at most: a handshake has a minute
 * (hand-window). */
#define SAID_BEFORE (90 * NSEC_PER_SEC)
#define HANDSHAKE   (2 * NSEC_PER_SEC)

static nsec seconds(int64_t s)
{
	return s > 0 && s < 86400 * 366 ? s * NSEC_PER_SEC : 0;
}

static void collect_openvpn(const struct tunnel *t, struct evidence *out)
{
	const struct episode *e = &t->episode;
	out->reason = e->reason;
	out->reason_text = e->reason_text;
	out->server_said_so = e->server_said_so;
	out->was_up = e->connected_before;
	out->began = e->began;
	out->ended = e->ended;
	out->end = e->end;
	out->connected = e->connected;
	out->window = e->timers.ping_restart > 0 ? seconds(e->timers.ping_restart) : NSEC_NEVER;
	out->ping = seconds(e->timers.ping);
	out->timers_from = e->timers.from;
	out->pushed_none = e->timers.pushed == PUSHED_NONE;
	out->no_ping = e->timers.ping == 0;
	out->reneg_sec = t->config.reneg_sec >= 0 ? t->config.reneg_sec : RENEG_DEFAULT;
	out->session = e->session;
}

static void collect_traffic(const struct tunnel *t, struct evidence *out)
{
	const struct episode *e = &t->episode;
	out->silent = e->silent;
	out->last_rx = e->silent != NSEC_UNKNOWN ? e->traffic.last_rx : NSEC_UNKNOWN;
	out->heard = e->heard;
	out->usual_gap = e->traffic.usual_gap;
	out->idle = e->idle;
}

static void collect_machine(const struct watch *w, const struct tunnel *t, const struct stamp *now,
			    struct evidence *out)
{
	out->changed = w->changed;
	out->change = w->last_change;
	out->change_at = w->last_change_at;
	rules_local_reading(w, now, &out->local);
	out->route_known = t->reach.route_known;
	out->route_lost = t->reach.lost;
	out->route_back = t->reach.back;
	out->lost_link = t->reach.lost_link;
	out->interface = t->reach.interface;
}

static void collect_probes(const struct tunnel *t, struct evidence *out)
{
	nsec from = evidence_silent_from(out);
	/* Until a ping could have come, an answer says nothing of the silence. */
	nsec silent = nsec_min(from + out->ping + COUNT_GRAIN, out->began.mono);
	nsec end = out->ended ? out->end.mono : NSEC_NEVER;
	out->before = peer_clock_tally(t->peer, from - BEFORE, from);
	out->silent_probes = peer_clock_tally(t->peer, silent, out->began.mono);
	out->after = peer_clock_tally(t->peer, out->began.mono, end);
	out->probed = t->peer->n_history > 0;
	out->ever_answered = t->peer->first_answer != NSEC_UNKNOWN &&
			     t->peer->first_answer < (out->ended ? out->end.boot : NSEC_NEVER);
	out->echo = reach_tally(&t->reach.echo, silent, out->began.mono);
	out->echo_after = reach_tally(&t->reach.echo, out->began.mono, end);
	out->echo_before = reach_tally(&t->reach.echo, 0, from + COUNT_GRAIN).answered > 0;
	out->other = reach_tally(&t->reach.other, silent, end);
	out->other_remote = t->reach.other_remote;
}

static bool same_server(const struct tunnel *a, const struct tunnel *b)
{
	if (a->remote_ip[0] != '\0' && b->remote_ip[0] != '\0')
		return strcmp(a->remote_ip, b->remote_ip) == 0 && a->remote_port == b->remote_port;
	return a->config.server != NULL && b->config.server != NULL &&
	       strcmp(a->config.server, b->config.server) == 0;
}

/* It restarted when this one did, or is as silent. */
static bool hit_too(const struct tunnel *t, const struct evidence *e)
{
	nsec within =
	    nsec_max(TOGETHER, t->timers.ping > 0 ? seconds(t->timers.ping) + TOGETHER : 0);
	const struct restart_history *h = &t->history;
	nsec silence = traffic_silence(&t->traffic, e->now.mono);
	if (restart_history_count(h) > 0) {
		nsec apart = nsec_sub(restart_history_at(h, 0)->mono, e->began.mono);
		if (apart < within && apart > -within)
			return true;
	}
	nsec stall = tunnel_stall_after(t);
	return tunnel_is_up(t) && silence != NSEC_UNKNOWN && stall != NSEC_NEVER &&
	       silence >= stall;
}

/* In a storm each looks at all others. Of more than so many, the first speak for the rest: whether
 * one tunnel fell or all did is no other question for ten thousand than for a thousand. */
#define OTHERS_MAX 1024

static void collect_others(const struct watch *w, const struct tunnel *t, struct evidence *out)
{
	unsigned n = 0;
	for (const struct tunnel *o = w->tunnels; o != NULL && n < OTHERS_MAX; o = o->next, n++) {
		bool same = same_server(o, t);
		if (o == t || !o->connected_known)
			continue;
		bool hit = hit_too(o, out);
		out->same_server += same;
		out->same_server_hit += same && hit;
		out->elsewhere += !same;
		out->elsewhere_hit += !same && hit;
	}
}

void evidence_collect(const struct watch *w, const struct tunnel *t, const struct stamp *now,
		      struct evidence *out)
{
	*out = (struct evidence){
	    .now = *now,
	    .replay = w->config.replay,
	    .same_machine = t->config.same_machine,
	    .of_server = t->server.role == ROLE_SERVER,
	    .offset_limit_s = w->config.offset_limit_s,
	    .profile = t->config.profile != NULL ? t->config.profile : "client.ovpn",
	    .has_profile = t->config.profile != NULL,
	    .server_ip = t->remote_ip[0] != '\0' ? t->remote_ip : "SERVER",
	    .no_probe = t->config.no_probe,
	    .no_wrap = t->config.probe && !t->config.probe_has_time,
	    .log = &t->log,
	    .server_word = t->config.peer_address != NULL ? &t->server_word : NULL,
	    .history = &t->history,
	    .drops = t->episode.drops,
	};
	collect_openvpn(t, out);
	collect_traffic(t, out);
	out->said_from = evidence_silent_from(out) - SAID_BEFORE;
	if (out->session != NSEC_UNKNOWN)
		out->said_from = nsec_max(out->said_from, out->session);
	collect_machine(w, t, now, out);
	collect_probes(t, out);
	collect_others(w, t, out);
	peer_time_read(&t->peer->time, now, &out->local, out->offset_limit_s, &out->peer);
	peer_time_read_step(&t->peer->time, &out->step);
	out->step_after = t->peer->time.step_after;
	out->step_before = t->peer->time.step_before;
}

/* --- less of it ------------------------------------------------------------------------------ */

static const struct probe_tally no_probes = {.best_rtt = NSEC_UNKNOWN};

static void without_clocks(struct evidence *e, enum evidence_piece piece)
{
	if (piece == EVIDENCE_LOCAL_CHANGE) {
		e->changed = false;
		e->change = (struct clock_change){0};
	} else if (piece == EVIDENCE_LOCAL_CLOCK) {
		e->local = local_clock_unknown();
		e->peer.vs_utc_s = e->peer.vs_utc_max_error_s = NAN;
	} else if (piece == EVIDENCE_PEER_CLOCK) {
		e->peer = peer_clock_unknown();
	} else {
		e->step = (struct clock_step){.max_error_s = NAN};
	}
}

void evidence_without(const struct evidence *e, enum evidence_piece piece, struct evidence *out)
{
	*out = *e;
	switch (piece) {
	case EVIDENCE_SILENCE:
		out->silent = out->last_rx = out->heard = out->idle = NSEC_UNKNOWN;
		out->usual_gap = 0;
		return;
	case EVIDENCE_TIMERS:
		out->window = PING_RESTART_DEFAULT * NSEC_PER_SEC;
		out->timers_from = TIMERS_DEFAULT;
		out->ping = 0;
		out->no_ping = out->pushed_none = false;
		return;
	case EVIDENCE_PROBES_BEFORE:
		out->before = no_probes;
		return;
	case EVIDENCE_PROBES_SILENT:
		out->silent_probes = no_probes;
		return;
	case EVIDENCE_PROBES_AFTER:
		out->after = no_probes;
		return;
	case EVIDENCE_ECHO:
		out->echo = out->echo_after = (struct reach_tally){0};
		out->echo_before = false;
		return;
	case EVIDENCE_ROUTE:
		out->route_known = false;
		out->route_lost = out->route_back = NSEC_UNKNOWN;
		return;
	case EVIDENCE_OTHER_REMOTE:
		out->other = (struct reach_tally){0};
		return;
	case EVIDENCE_LOCAL_CHANGE:
	case EVIDENCE_LOCAL_CLOCK:
	case EVIDENCE_PEER_CLOCK:
	case EVIDENCE_PEER_STEP:
		without_clocks(out, piece);
		return;
	case EVIDENCE_LOG:
		out->log = NULL;
		out->server_said_so = out->pushed_none = false;
		return;
	case EVIDENCE_HISTORY:
		out->history = NULL;
		return;
	case EVIDENCE_SERVER_LOG:
		out->server_word = NULL;
		out->drops = server_drops_none();
		return;
	case EVIDENCE_OTHER_TUNNELS:
		out->same_server = out->same_server_hit = out->elsewhere = out->elsewhere_hit = 0;
		return;
	case EVIDENCE_REASON:
		out->reason = REASON_OTHER;
		out->reason_text = "";
		return;
	case EVIDENCE_PIECES:
		return;
	}
}

/* --- what several causes ask ----------------------------------------------------------------- */

bool evidence_acted_on_silence(const struct evidence *e)
{
	return e->reason == REASON_PING_RESTART || e->reason == REASON_PING_EXIT;
}

nsec evidence_silent_from(const struct evidence *e)
{
	if (e->last_rx != NSEC_UNKNOWN)
		return e->last_rx;
	/* Without a byte count, the silence is what OpenVPN says it is. */
	return evidence_acted_on_silence(e) && e->window != NSEC_NEVER ? e->began.mono - e->window
								       : e->began.mono;
}

bool evidence_at_onset(const struct evidence *e, nsec at)
{
	if (e->last_rx == NSEC_UNKNOWN || at == NSEC_UNKNOWN)
		return false;
	return at >= e->last_rx - COUNT_GRAIN && at <= e->last_rx + e->ping + 2 * COUNT_GRAIN;
}

static bool window_known(const struct evidence *e)
{
	return e->window != NSEC_NEVER && e->timers_from != TIMERS_DEFAULT;
}

bool evidence_silent_window(const struct evidence *e)
{
	return evidence_acted_on_silence(e) && (e->silent == NSEC_UNKNOWN || !window_known(e) ||
						e->silent >= e->window - COUNT_GRAIN);
}

bool evidence_silence_shown(const struct evidence *e)
{
	return evidence_acted_on_silence(e) && e->silent != NSEC_UNKNOWN && window_known(e) &&
	       e->silent >= e->window - COUNT_GRAIN;
}

bool evidence_handshake_failed(const struct evidence *e)
{
	static const enum restart_reason reasons[] = {
	    REASON_TLS_ERROR,	     REASON_SERVER_POLL,   REASON_CONNECTION_FAILED,
	    REASON_CONNECTION_RESET, REASON_NO_PUSH_REPLY, REASON_NETWORK_UNREACHABLE,
	    REASON_INIT_INSTANCE};
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (e->reason == reasons[i])
			return true;
	return false;
}

const struct log_word *evidence_said(const struct evidence *e, enum log_fact_kind kind)
{
	if (e->log == NULL)
		return NULL;
	const struct log_word *w = &e->log->words[kind];
	return w->at != NSEC_UNKNOWN && w->at >= e->said_from ? w : NULL;
}

unsigned evidence_finished(const struct probe_tally *t)
{
	return t->answered + t->unanswered + t->refused + t->unreachable + t->failed + t->bad_mac +
	       t->rejected;
}

struct evidence_asked evidence_asked(const struct evidence *e)
{
	bool silence = evidence_silent_window(e);
	bool during = evidence_finished(silence ? &e->silent_probes : &e->after) > 0;
	bool silent = silence == during;
	return (struct evidence_asked){
	    .applies = silence || evidence_handshake_failed(e),
	    .during = during,
	    .silent = silent,
	    .shown = during && (!silence || evidence_silence_shown(e)),
	    .probes = silent ? &e->silent_probes : &e->after,
	    .echo = silence ? &e->echo : &e->echo_after,
	};
}

bool evidence_server_answered(const struct evidence *e)
{
	return e->silent_probes.answered > 0 &&
	       e->silent_probes.answered == evidence_finished(&e->silent_probes);
}

bool evidence_only_handshake(const struct restart_record *r)
{
	return r->heard <= HANDSHAKE;
}

bool evidence_peer_known(const struct evidence *e)
{
	return e->peer.present && e->peer.samples > 0;
}

unsigned evidence_in_a_row(const struct evidence *e,
			   bool (*like)(const struct evidence *e, const struct restart_record *r))
{
	unsigned n = 0;
	if (e->history == NULL)
		return 0;
	while (n < restart_history_count(e->history) && like(e, restart_history_at(e->history, n)))
		n++;
	return n;
}

enum scope evidence_scope(const struct evidence *e)
{
	const struct server_drops *b = &e->drops;
	if (e->same_server > 0 && e->same_server_hit > 0)
		return e->elsewhere > 0 && e->elsewhere_hit == e->elsewhere ? SCOPE_THIS_MACHINE
									    : SCOPE_SERVER;
	if (e->same_server == 0 && e->elsewhere > 0 && e->elsewhere_hit == e->elsewhere)
		return SCOPE_THIS_MACHINE;
	if (b->gave_up != NSEC_UNKNOWN && e->session != NSEC_UNKNOWN && b->gave_up >= e->session) {
		nsec apart = nsec_sub(b->others_gave_up, b->gave_up);
		bool others =
		    b->others_gave_up != NSEC_UNKNOWN && apart < TOGETHER && apart > -TOGETHER;
		return others ? SCOPE_SERVER : SCOPE_THIS_TUNNEL;
	}
	return e->same_server > 0 ? SCOPE_THIS_TUNNEL : SCOPE_NONE;
}
