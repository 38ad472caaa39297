/* SPDX-License-Identifier: MIT
 *
 * The other end pings more rarely than this end waits, or not at all. Pings are not answered: each
 * end sends its own (ping.c check_send_ping), and each restarts when nothing came for its window.
 * So an idle tunnel restarts exactly one window after the last packet, again and again, while the
 * server answers everything else; traffic hides it.
 *
 * Likely: nothing at all came after the handshake, twice and more in a row or although the server
 * is known to push no timers, while it answered probes. Confirmed: the server's own log says that
 * it has no keepalive, and nothing came.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

/* A session of one window is so much longer: the handshake, and OpenVPN's coarse timer. */
#define GRAIN  (2 * NSEC_PER_SEC)
#define ENOUGH 2

static bool nothing_after_handshake(const struct evidence *e, const struct restart_record *r)
{
	(void)e;
	return r->reason == REASON_PING_RESTART && r->heard != NSEC_UNKNOWN &&
	       evidence_only_handshake(r);
}

/* Without a byte count: each session lasted one window. */
static bool one_window(const struct evidence *e, const struct restart_record *r)
{
	return r->reason == REASON_PING_RESTART && r->heard == NSEC_UNKNOWN &&
	       r->connected != NSEC_UNKNOWN && e->window != NSEC_NEVER &&
	       e->timers_from != TIMERS_DEFAULT && r->connected < e->window + GRAIN;
}

static void say_rhythm(const struct evidence *e, unsigned in_a_row, struct cause *c)
{
	if (e->heard != NSEC_UNKNOWN)
		cause_because(
		    c,
		    "nothing was received after the handshake, and the tunnel restarted one "
		    "window (%s) later",
		    phrase_duration(e->window).text);
	else
		cause_because(c, "the session lasted one window (%s)",
			      phrase_duration(e->window).text);
	if (in_a_row >= ENOUGH)
		cause_because(c, "so did each of the last %u sessions", in_a_row);
}

bool cause_keepalive_mismatch(const struct evidence *e, struct cause *c)
{
	const struct restart_record this = {
	    .reason = e->reason, .connected = e->connected, .heard = e->heard};
	bool no_keepalive = e->server_word != NULL && e->server_word->no_keepalive;
	bool mute = nothing_after_handshake(e, &this);
	unsigned in_a_row = evidence_in_a_row(e, mute ? nothing_after_handshake : one_window);
	bool shown = evidence_silence_shown(e);
	bool answers = evidence_server_answered(e);

	if (!evidence_silent_window(e) || e->window == NSEC_NEVER || e->connected == NSEC_UNKNOWN ||
	    e->silent_probes.unanswered > e->silent_probes.answered || e->silent_probes.refused > 0)
		return false;
	if (!mute && !one_window(e, &this) && !no_keepalive)
		return false;
	if (mute || one_window(e, &this))
		say_rhythm(e, in_a_row, c);
	if (e->pushed_none)
		cause_because(c, "the server pushed no ping timers: it has no `keepalive`");
	else if (e->no_ping)
		cause_because(c,
			      "no ping interval is in force at this end: the server's `keepalive`, "
			      "which sets both, is not there");
	if (no_keepalive)
		cause_because(c, "the server's own log warns that it has no --keepalive");
	cause_answered_meanwhile(e, c);
	if (mute && shown && answers && (in_a_row >= ENOUGH || e->pushed_none || e->no_ping))
		c->confidence = CONFIDENCE_LIKELY;
	if (mute && shown && answers && no_keepalive)
		c->confidence = CONFIDENCE_CONFIRMED;
	c->strength = c->confidence > CONFIDENCE_POSSIBLE || in_a_row >= ENOUGH ? 3 : 0;
	if (in_a_row < ENOUGH)
		cause_against(c, "only one session has shown it");
	cause_against(c, "a firewall that lets the handshake pass, but no data, looks the same");
	cause_remedy(c, "On the server: `keepalive 10 60` (it sets its own pings and pushes the "
			"client's); or let the client wait longer than the server's ping interval: "
			"`ping-restart 120`.");
	return true;
}
