/* SPDX-License-Identifier: MIT */
#include "core/episode.h"
#include "core/diagnose.h"
#include "core/phrases.h"
#include "core/rules.h"
#include "core/tell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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
	struct evidence e = {
	    .replay = w->config.replay,
	    .offset_limit_s = w->config.offset_limit_s,
	    .changed = w->changed,
	    .change = w->last_change,
	    .change_at = w->last_change_at,
	};
	rules_local_reading(w, now, &e.local);
	evidence_collect(&e, t, now);
	n->n_causes = diagnose(&e, n->causes);
	fill_restart(&t->episode, &n->restart);
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

static void say_restart(const struct episode *e, struct notice *n)
{
	char head[224];
	int used;
	if (e->reason == REASON_PING_RESTART && e->silent != NSEC_UNKNOWN)
		used = snprintf(head, sizeof head,
				"OpenVPN restarted the tunnel: nothing received for %s",
				phrase_duration(e->silent).text);
	else if (e->reason == REASON_PING_RESTART)
		used = snprintf(
		    head, sizeof head,
		    "OpenVPN restarted the tunnel: nothing received for the ping-restart window");
	else
		used = snprintf(head, sizeof head, "OpenVPN restarted the tunnel: %.64s",
				e->reason_text);
	if (e->connected != NSEC_UNKNOWN && used > 0 && (size_t)used < sizeof head)
		snprintf(head + used, sizeof head - (size_t)used, "; it had been connected for %s",
			 phrase_duration(e->connected).text);
	say_verdict(n, head);
}

void episode_finish(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out)
{
	struct episode *e = &t->episode;
	if (!e->open || !e->told || !tell_room(out)) {
		e->open = e->open && !tell_room(out);
		return;
	}
	struct notice *n = tell(out, NOTICE_ALERT, SEVERITY_INFO, now, t);
	judge(w, t, now, n);
	alert_resolve(&t->alerts, e->alert, e->ended ? &e->end : now, n);
	char head[96];
	snprintf(head, sizeof head, "the tunnel is up again after %s",
		 phrase_duration(n->alert.duration_s).text);
	say_verdict(n, head);
	e->open = false;
}

void episode_apply(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out)
{
	struct episode *e = &t->episode;
	if (!e->open || !tell_room(out))
		return;
	/* The notice is made first and taken back if there is nothing new in it. */
	struct notice *n = tell(out, NOTICE_ALERT, alert_severity(e->alert), now, t);
	judge(w, t, now, n);
	uint32_t verdict = diagnose_digest(n->causes, n->n_causes);
	bool over = e->ended && (now->mono >= e->settle || !peer_clock_busy(&t->peer));
	if (!e->told) {
		alert_raise(&t->alerts, e->alert, &e->began, n);
		say_restart(e, n);
		e->told = true;
	} else if (verdict != e->verdict && !over) {
		alert_update(&t->alerts, e->alert, n);
		say_restart(e, n);
	} else {
		out->n_notices--;
	}
	e->verdict = verdict;
	if (over)
		episode_finish(w, t, now, out);
}

nsec episode_deadline(const struct tunnel *t)
{
	return t->episode.open && t->episode.ended ? t->episode.settle : NSEC_NEVER;
}
