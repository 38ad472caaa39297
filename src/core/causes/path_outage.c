/* SPDX-License-Identifier: MIT
 *
 * Packets do not get through between here and the server.
 *
 * Confirmed: this machine's own route or link went away when the silence began, and was away until
 * OpenVPN acted on it. Likely: it was away when OpenVPN acted, or a router
 * says so (ICMP), or the server's host had answered echo requests and does not any more, or some
 * packets get through and others do not. Probes without an answer alone do not tell a dead path
 * from a dead host: possible.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

#define LOST_FOR   (2 * NSEC_PER_SEC)  /* a link that is away for less is no outage */
#define RECENT	   (30 * NSEC_PER_SEC) /* one that was back before is another's */
#define LOSS_SHARE 8		       /* one in so many probes lost is a lossy path */

static void remedy(const struct evidence *e, struct cause *c)
{
	cause_remedy(
	    c, "Look where it ends: `mtr -u %.96s`, and `ip route` and the link on this machine.",
	    e->server_ip);
}

static bool acted(const struct evidence *e)
{
	return evidence_acted_on_silence(e) || evidence_handshake_failed(e);
}

static void say_no_way(const struct evidence *e, nsec lost, nsec back, struct cause *c)
{
	const char *what = e->lost_link ? "interface" : "route to the server, by interface";
	bool later = lost > e->began.mono;
	if (e->route_back != NSEC_UNKNOWN)
		cause_because(c, "this machine's %s %s was away for %s", what, e->interface,
			      phrase_duration(back - lost).text);
	else
		cause_because(
		    c, "this machine's %s %s went away %s %s the restart, and is not back", what,
		    e->interface,
		    phrase_duration(later ? lost - e->began.mono : e->began.mono - lost).text,
		    later ? "after" : "before");
}

/* This machine's route or link: true if it was away, at the time (or else about it). */
static bool no_way(const struct evidence *e, bool at_the_time, struct cause *c)
{
	nsec lost = e->route_lost, began = e->began.mono;
	nsec back = e->route_back != NSEC_UNKNOWN ? e->route_back : e->now.mono;
	if (!e->route_known || !e->same_machine || !acted(e) || lost == NSEC_UNKNOWN ||
	    back - lost < LOST_FOR || back < began - RECENT ||
	    lost > (e->ended ? e->end.mono : e->now.mono))
		return false;
	bool away = lost <= began && back >= began - e->ping - LOST_FOR;
	bool onset = away && evidence_silence_shown(e) && evidence_at_onset(e, lost);
	if (at_the_time != away)
		return false;
	c->confidence = onset  ? CONFIDENCE_CONFIRMED
			: away ? CONFIDENCE_LIKELY
			       : CONFIDENCE_POSSIBLE;
	c->strength = 4;
	say_no_way(e, lost, back, c);
	if (onset)
		cause_because(c, "the silence began with it");
	cause_remedy(c, "See why: `ip link show %s`, `ip route`, `journalctl -k`.", e->interface);
	return true;
}

static bool not_probed(const struct evidence *e, struct cause *c)
{
	nsec window = e->window, up = e->connected;

	c->strength = 1;
	if (e->timers_from == TIMERS_DEFAULT && up != NSEC_UNKNOWN && up > window &&
	    e->silent == NSEC_UNKNOWN)
		cause_because(
		    c,
		    "the ping-restart window is not known: with OpenVPN's default of %s nothing "
		    "was "
		    "received after the first %s; if the server pushed a window of about %lld s, "
		    "nothing was received since CONNECTED",
		    phrase_duration(window).text, phrase_duration(up - window).text,
		    (long long)(up / NSEC_PER_SEC));
	else if (e->silent != NSEC_UNKNOWN)
		cause_because(c, "nothing was received for %s", phrase_duration(e->silent).text);
	else if (window != NSEC_NEVER)
		cause_because(c, "nothing was received for the ping-restart window of %s",
			      phrase_duration(window).text);
	else
		cause_because(c, "OpenVPN says that nothing was received");
	cause_remedy(c,
		     "Watch the next one live: `ovpnwatch watch --management ADDR --profile "
		     "%.128s` counts the silence and probes the server while it lasts.",
		     e->profile);
	return true;
}

/* Of questions of one kind: some were answered, and not few were not. Each kind is judged by
 * itself: many good answers of one do not make another's losses less. */
static unsigned lost_of(unsigned unanswered, unsigned answered)
{
	return answered > 0 && unanswered * LOSS_SHARE >= unanswered + answered ? unanswered : 0;
}

/* Some get through and others do not. */
static bool lossy(const struct evidence *e, struct cause *c)
{
	const struct probe_tally *s = &e->silent_probes, *b = &e->before;
	unsigned probes = lost_of(s->unanswered, s->answered);
	unsigned echoes = lost_of(e->echo.unanswered, e->echo.answered);
	unsigned before = lost_of(b->unanswered, b->answered);

	if (!evidence_silence_shown(e) || s->answered + e->echo.answered == 0 ||
	    probes + echoes + before < 2)
		return false;
	c->confidence = CONFIDENCE_LIKELY;
	c->strength = 2;
	cause_because(c, "the path loses packets: %u probes and echo requests got no answer",
		      probes + echoes + before);
	cause_because(c, "others were answered in the same minutes, so the server is there");
	remedy(e, c);
	return true;
}

/* A router, or OpenVPN, says so. */
static bool said_so(const struct evidence *e, struct cause *c)
{
	const struct log_word *word = evidence_said(e, LOG_UNREACHABLE);
	unsigned unreachable =
	    e->silent_probes.unreachable + e->after.unreachable + e->echo.unreachable;
	bool heard = e->reason == REASON_NETWORK_UNREACHABLE ||
		     (word != NULL && word->at >= e->began.mono - RECENT);
	if (!acted(e) || (unreachable == 0 && !heard))
		return false;
	c->confidence = CONFIDENCE_LIKELY;
	c->strength = 2;
	if (unreachable > 0)
		cause_because(c,
			      "this machine had no route to the server, or a router said so, for "
			      "%u of the questions",
			      unreachable);
	if (heard)
		cause_because(c, "OpenVPN itself could not reach the server: no route, or a router "
				 "said so");
	remedy(e, c);
	return true;
}

static void judge_host(const struct evidence *e, const struct reach_tally *echo, bool shown,
		       struct cause *c)
{
	if (e->echo_before && shown && echo->answered == 0 && echo->unanswered >= 2) {
		c->confidence = CONFIDENCE_LIKELY;
		cause_because(c,
			      "its host does not answer echo requests either (0 of %u), as it did "
			      "before",
			      echo->unanswered);
		cause_against(c, "a host that is off looks the same");
	} else if (!e->echo_before) {
		cause_against(c, "whether its host answers echo requests is not known: one that is "
				 "frozen or off looks the same");
	} else {
		cause_against(c, "a frozen or dead server host looks the same");
	}
	if (e->other.answered + e->other.refused > 0)
		cause_because(c,
			      "another remote of the profile (%.64s) answers: this machine's own "
			      "network works",
			      e->other_remote);
}

static bool no_answer(const struct evidence *e, struct cause *c)
{
	const struct evidence_asked asked = evidence_asked(e);
	const struct probe_tally *p = asked.probes;

	if (!asked.applies)
		return false;
	if (evidence_finished(p) == 0)
		return evidence_silent_window(e) && not_probed(e, c);
	if (p->unanswered == 0 || p->answered > 0 || p->refused > 0)
		return false;
	/* The path carries echo requests. */
	if (asked.echo->answered > 0 || e->echo_after.answered > 1)
		return false;
	cause_because(c, "%u of %u probes %s got no answer", p->unanswered, evidence_finished(p),
		      asked.silent ? "sent during the silence" : "sent since the restart");
	judge_host(e, asked.echo, asked.shown, c);
	if (e->after.answered > 0)
		cause_because(c, "since then it answers again");
	if (!e->ever_answered)
		cause_against(c, "the server has not answered a single probe so far: the key, a "
				 "firewall or the address may be wrong");
	remedy(e, c);
	return true;
}

bool cause_path_outage(const struct evidence *e, struct cause *c)
{
	return no_way(e, true, c) || lossy(e, c) || said_so(e, c) || no_answer(e, c) ||
	       no_way(e, false, c);
}
