/* SPDX-License-Identifier: MIT
 *
 * Two clients with one certificate. A server without --duplicate-cn drops the first when the second
 * connects (multi.c multi_delete_dup) and tells it nothing: that one hears nothing for a window,
 * restarts, connects, and so evicts the other. Each lives for about two windows.
 *
 * Confirmed: the server's own log says so when the silence begins. Likely: three sessions in a row
 * had that length, each with a clean CONNECTED, and the server answers probes meanwhile. Without
 * probes it is no more than possible.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

#define ENOUGH 3

/* Measured: two windows less up to two pings, plus the pause and the handshake. */
static bool about_two_windows(const struct evidence *e, const struct restart_record *r)
{
	return e->window != NSEC_NEVER && r->reason == REASON_PING_RESTART &&
	       r->connected != NSEC_UNKNOWN && r->connected > e->window / 100 * 160 &&
	       r->connected < e->window / 100 * 210 + 2 * NSEC_PER_SEC;
}

static bool seen_by_server(const struct evidence *e)
{
	/* When this client comes back, its own session of before is dropped in the same words. */
	nsec own = nsec_add(e->session, NSEC_PER_SEC);
	return evidence_silence_shown(e) && e->session != NSEC_UNKNOWN &&
	       e->drops.duplicate > own && evidence_at_onset(e, e->drops.duplicate);
}

/* The server did not answer: that is another matter. Where nobody asked during the silence (a log
 * alone does not tell of it), it is what was asked right after the restart. */
static bool refuted(const struct evidence *e)
{
	const struct probe_tally *s = &e->silent_probes;
	if (evidence_finished(s) == 0)
		s = &e->after;
	return s->refused > 0 || s->unanswered > s->answered;
}

bool cause_duplicate_client(const struct evidence *e, struct cause *c)
{
	const struct restart_record this = {.reason = e->reason, .connected = e->connected};
	bool rhythm = about_two_windows(e, &this);
	unsigned in_a_row = evidence_in_a_row(e, about_two_windows);
	bool answered = evidence_server_answered(e);

	if (!evidence_silent_window(e) || (!rhythm && !seen_by_server(e)) ||
	    (!seen_by_server(e) && refuted(e)))
		return false;
	c->strength = 2;
	if (seen_by_server(e)) {
		c->confidence = CONFIDENCE_CONFIRMED;
		cause_because(c,
			      "the server's own log says that a new connection under the name "
			      "'%.64s' dropped this one when the silence began",
			      e->server_word->name);
	}
	if (rhythm)
		cause_because(c,
			      "the session lasted %s, twice the ping-restart window of %s%s: two "
			      "clients that share a certificate evict each other in this rhythm",
			      phrase_duration(e->connected).text, phrase_duration(e->window).text,
			      e->timers_from == TIMERS_DEFAULT ? " (OpenVPN's default)" : "");
	if (rhythm && in_a_row >= ENOUGH) {
		if (answered && evidence_silence_shown(e) && c->confidence < CONFIDENCE_LIKELY)
			c->confidence = CONFIDENCE_LIKELY;
		c->strength = 3;
		cause_because(c, "so did each of the last %u sessions", in_a_row);
	} else if (!seen_by_server(e)) {
		cause_against(c, "%s",
			      in_a_row == 2 ? "only two sessions have shown it"
					    : "only one session has shown it");
	}
	cause_answered_meanwhile(e, c);
	cause_remedy(
	    c,
	    "On the server: `grep 'new connection by client' LOG` names the certificate; give each "
	    "device its own.");
	return true;
}
