/* SPDX-License-Identifier: MIT */
#include "core/episode.h"
#include "core/diagnose.h"
#include "core/phrases.h"
#include "core/rules.h"
#include "core/tell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* More restarts than this within so many windows are one alert. */
#define FLAPPING_COUNT	 4
#define FLAPPING_WINDOWS 10
/* So many attempts to connect in a row have failed. */
#define FAILURES_MAX 3

static void fill_restart(const struct episode *e, struct notice_restart *r)
{
	r->present = true;
	snprintf(r->reason, sizeof r->reason, "%s", e->reason_text);
	r->connected_s = e->connected;
	r->silent_s = e->silent;
	r->ping_s = e->timers.ping;
	r->ping_restart_s = e->timers.ping_restart;
	r->timers_from = e->timers.from;
	r->attempts = e->attempts;
}

static void judge(const struct watch *w, const struct tunnel *t, const struct stamp *now,
		  struct notice *n)
{
	struct evidence e;
	evidence_collect(w, t, now, &e);
	n->n_causes = diagnose(&e, n->causes);
	n->scope = evidence_scope(&e);
	fill_restart(&t->episode, &n->restart);
	restart_history_pattern(&t->history, &n->pattern);
	if (n->pattern.present && e.same_server_hit + e.elsewhere_hit > 0)
		n->pattern.tunnels = 1 + e.same_server_hit + e.elsewhere_hit;
	n->local_clock = e.local;
	n->peer_clock = e.peer;
	n->step = e.step;
	/* A step of this machine's clock is the better known, where there was one. */
	if (e.changed && e.change.step != 0 &&
	    t->episode.began.mono - e.change_at.mono < MOMENT_LASTS)
		n->step = (struct clock_step){.present = true,
					      .clock = STEP_LOCAL,
					      .size_s = nsec_to_s(e.change.step),
					      .max_error_s = NAN,
					      .leap_second = e.change.leap_second,
					      .at = e.change_at.wall};
}

static void say_verdict(struct notice *n, const char *head)
{
	if (n->n_causes == 0)
		snprintf(n->message, sizeof n->message, "%s", head);
	else
		snprintf(n->message, sizeof n->message, "%.220s. %s: %s", head,
			 n->causes[0].confidence == CONFIDENCE_CONFIRMED ? "Confirmed"
			 : n->causes[0].confidence == CONFIDENCE_LIKELY	 ? "Likely"
									 : "Possible",
			 cause_phrase(n->causes[0].name));
}

/* "OpenVPN restarted the tunnel: nothing received for 9.1 s; it had been connected for 4 min 0 s"
 */
static void say_restart(const struct episode *e, bool of_server, struct notice *n)
{
	char head[224];
	bool ended = e->alert == ALERT_TUNNEL_DOWN;
	const char *what = ended       ? "OpenVPN ended"
			   : of_server ? "the server restarted"
				       : "OpenVPN restarted the tunnel";
	int used;
	if (e->reason == REASON_PING_RESTART && e->silent != NSEC_UNKNOWN)
		used = snprintf(head, sizeof head, "%s: nothing received for %s", what,
				phrase_duration(e->silent).text);
	else if (e->reason == REASON_PING_RESTART)
		used = snprintf(head, sizeof head,
				"%s: nothing received for the ping-restart window", what);
	else
		used = snprintf(head, sizeof head, "%s%s%.96s", what,
				e->reason_text[0] != '\0' ? ": " : "", e->reason_text);
	if (e->connected != NSEC_UNKNOWN && used > 0 && (size_t)used < sizeof head)
		snprintf(head + used, sizeof head - (size_t)used, "; it had been connected for %s",
			 phrase_duration(e->connected).text);
	say_verdict(n, head);
}

static void say_connect_failed(const struct tunnel *t, struct notice *n)
{
	char head[128];
	snprintf(head, sizeof head, "OpenVPN does not get a connection: %u attempts have failed",
		 t->episode.failed);
	n->restart.attempts = (int)t->episode.failed;
	say_verdict(n, head);
}

/* Without a window, OpenVPN's default says what is often. */
static nsec flapping_span(const struct tunnel *t)
{
	nsec window = tunnel_window(t);
	return FLAPPING_WINDOWS *
	       (window != NSEC_NEVER ? window : PING_RESTART_DEFAULT * NSEC_PER_SEC);
}

static void say_flapping(const struct tunnel *t, const struct stamp *now, struct notice *n)
{
	char head[192];
	unsigned count = restart_history_since(&t->history, now->mono - flapping_span(t));
	nsec first = restart_history_nth(&t->history, count);
	int used = snprintf(head, sizeof head,
			    "OpenVPN restarts the tunnel again and again: %u times", count);
	if (count > 1 && used > 0 && (size_t)used < sizeof head)
		used += snprintf(head + used, sizeof head - (size_t)used, " in the last %s",
				 phrase_duration(now->mono - first).text);
	if (n->pattern.period_s != NSEC_UNKNOWN && used > 0 && (size_t)used < sizeof head)
		snprintf(head + used, sizeof head - (size_t)used, ", once every %s",
			 phrase_duration(n->pattern.period_s).text);
	n->pattern.present = true;
	if (n->pattern.restarts == 0)
		n->pattern.restarts = count;
	say_verdict(n, head);
}

/* Which alert speaks of the episode now. */
static enum alert_name speaker(const struct tunnel *t)
{
	return alert_firing(&t->alerts, ALERT_CONNECT_FAILED) ? ALERT_CONNECT_FAILED
							      : t->episode.alert;
}

static void say(const struct tunnel *t, enum alert_name name, const struct stamp *now,
		struct notice *n)
{
	if (name == ALERT_CONNECT_FAILED)
		say_connect_failed(t, n);
	else if (name == ALERT_FLAPPING)
		say_flapping(t, now, n);
	else
		say_restart(&t->episode, t->server.role == ROLE_SERVER, n);
	/* Who asked for it knows. */
	if (name == ALERT_TUNNEL_DOWN && n->causes[0].name == CAUSE_USER_INITIATED)
		n->severity = SEVERITY_INFO;
}

static void resolve(struct watch *w, struct tunnel *t, enum alert_name name,
		    const struct stamp *now, struct actions *out)
{
	const struct episode *e = &t->episode;
	struct notice *n = tell(out, NOTICE_ALERT, SEVERITY_INFO, now, t);
	judge(w, t, now, n);
	alert_resolve(&t->alerts, name, e->ended ? &e->end : now, n);
	char head[96];
	if (e->ended)
		snprintf(head, sizeof head, "the tunnel is up again after %s",
			 phrase_duration(n->alert.duration_s).text);
	else
		snprintf(head, sizeof head, "over after %s, for OpenVPN has ended",
			 phrase_duration(n->alert.duration_s).text);
	say_verdict(n, head);
}

/* The episode's end; false: there was no room to tell of it. */
static bool finish(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out)
{
	struct episode *e = &t->episode;
	if (alert_firing(&t->alerts, ALERT_CONNECT_FAILED)) {
		if (!tell_room(out))
			return false;
		resolve(w, t, ALERT_CONNECT_FAILED, now, out);
	}
	if (e->alert != ALERT_FLAPPING && alert_firing(&t->alerts, e->alert)) {
		if (!tell_room(out))
			return false;
		resolve(w, t, e->alert, now, out);
	}
	e->open = false;
	return true;
}

void episode_before(struct watch *w, struct tunnel *t, enum openvpn_state next,
		    const struct stamp *now, struct actions *out)
{
	const struct episode *e = &t->episode;
	bool over = next == STATE_EXITING || (next == STATE_RECONNECTING && e->ended);
	if (e->open && over && !finish(w, t, now, out))
		t->episode.open = false; /* the next one is the more urgent */
}

void episode_begun(struct tunnel *t, const struct stamp *now)
{
	struct episode *e = &t->episode;
	nsec span = flapping_span(t);
	bool often = restart_history_since(&t->history, now->mono - span) >= FLAPPING_COUNT;
	if (e->alert == ALERT_TUNNEL_DOWN || (!often && t->calm == NSEC_NEVER))
		return;
	if (e->connected_before && e->began.mono == now->mono)
		t->calm = now->mono + span;
	if (!e->told)
		e->alert = ALERT_FLAPPING;
}

static void begin_to_fire(struct tunnel *t, enum alert_name name, const struct stamp *since,
			  const struct stamp *now, struct notice *n)
{
	if (name == ALERT_FLAPPING && !alert_firing(&t->alerts, name))
		alert_counted(&t->alerts, name, FLAPPING_COUNT - 1); /* those before this one */
	alert_raise(&t->alerts, name, since, n);
	say(t, name, now, n);
}

/* What is new about the episode; the notice is made first and taken back if it is nothing. */
static void tell_news(struct watch *w, struct tunnel *t, const struct stamp *now, bool over,
		      struct actions *out)
{
	struct episode *e = &t->episode;
	enum alert_name name = speaker(t);
	struct notice *n = tell(out, NOTICE_ALERT, alert_severity(name), now, t);
	judge(w, t, now, n);
	uint32_t verdict = diagnose_digest(n->causes, n->n_causes, n->scope);
	bool known = name == ALERT_FLAPPING && alert_firing(&t->alerts, name);

	if (!e->told && known && verdict == t->flapping_verdict) {
		alert_again(&t->alerts, name);
		out->n_notices--;
	} else if (!e->told) {
		begin_to_fire(t, name, &e->began, now, n);
	} else if (verdict != e->verdict && (!over || name == ALERT_FLAPPING)) {
		alert_update(&t->alerts, name, n);
		say(t, name, now, n);
	} else {
		out->n_notices--;
	}
	e->told = true;
	e->verdict = verdict;
	if (name == ALERT_FLAPPING)
		t->flapping_verdict = verdict;
}

static void tell_connect_failed(struct watch *w, struct tunnel *t, const struct stamp *now,
				struct actions *out)
{
	if (t->failures < FAILURES_MAX || alert_firing(&t->alerts, ALERT_CONNECT_FAILED) ||
	    t->episode.alert == ALERT_TUNNEL_DOWN || t->prompt.open || !tell_room(out))
		return;
	struct notice *n = tell(out, NOTICE_ALERT, alert_severity(ALERT_CONNECT_FAILED), now, t);
	judge(w, t, now, n);
	begin_to_fire(t, ALERT_CONNECT_FAILED, now, now, n);
}

static void tell_calm(struct watch *w, struct tunnel *t, const struct stamp *now,
		      struct actions *out)
{
	if (now->mono < t->calm || t->episode.open || !tell_room(out))
		return;
	t->calm = NSEC_NEVER;
	if (!alert_firing(&t->alerts, ALERT_FLAPPING))
		return;
	struct notice *n = tell(out, NOTICE_ALERT, SEVERITY_INFO, now, t);
	judge(w, t, now, n);
	alert_resolve(&t->alerts, ALERT_FLAPPING, now, n);
	char head[128];
	snprintf(head, sizeof head, "no restart for %s, after %u in a row",
		 phrase_duration(now->mono - t->episode.began.mono).text, n->alert.count);
	say_verdict(n, head);
}

void episode_apply(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out)
{
	struct episode *e = &t->episode;
	tell_calm(w, t, now, out);
	if (!e->open || !tell_room(out))
		return;
	bool asking = peer_clock_busy(t->peer) || reach_busy(&t->reach);
	bool over = e->ended && (now->mono >= e->settle || !asking);
	tell_news(w, t, now, over, out);
	tell_connect_failed(w, t, now, out);
	if (over)
		(void)finish(w, t, now, out);
}

nsec episode_deadline(const struct tunnel *t)
{
	nsec at = t->episode.open && t->episode.ended ? t->episode.settle : NSEC_NEVER;
	return t->episode.open ? at : nsec_min(at, t->calm);
}
