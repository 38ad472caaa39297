/* SPDX-License-Identifier: MIT
 *
 * Two clients with one certificate. A server without --duplicate-cn drops the first when the second
 * connects (multi.c multi_delete_dup) and tells it nothing: that one hears nothing for a window,
 * restarts, connects, and so evicts the other. Each lives for about two windows.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

/* Measured: two windows less up to two pings, plus the pause and the handshake. */
static bool about_two_windows(const struct evidence *e, nsec length)
{
	nsec window = tunnel_window(e->tunnel);
	return window != NSEC_NEVER && length > window / 100 * 170 &&
	       length < window / 100 * 210 + 2 * NSEC_PER_SEC;
}

bool cause_duplicate_client(const struct evidence *e, struct cause *c)
{
	const struct tunnel *t = e->tunnel;
	nsec window = tunnel_window(t);
	unsigned in_a_row = 0;

	if (!evidence_silent_window(e) || e->episode->connected == NSEC_UNKNOWN ||
	    !about_two_windows(e, e->episode->connected))
		return false;
	while (in_a_row < t->n_session_lengths && about_two_windows(e, t->session_length[in_a_row]))
		in_a_row++;
	c->strength = 2;
	cause_because(c,
		      "the session lasted %s, twice the ping-restart window of %s%s: two clients "
		      "that share a "
		      "certificate evict each other in this rhythm",
		      phrase_duration(e->episode->connected).text, phrase_duration(window).text,
		      e->episode->timers.from == TIMERS_DEFAULT ? " (OpenVPN's default)" : "");
	if (in_a_row >= 3) {
		c->confidence = CONFIDENCE_LIKELY;
		cause_because(c, "so did each of the last %u sessions", in_a_row);
	} else {
		cause_against(c, "%s",
			      in_a_row == 2 ? "only two sessions have shown it"
					    : "only one session has shown it");
	}
	cause_remedy(
	    c,
	    "On the server: `grep 'new connection by client' LOG` names the certificate; give each "
	    "device its own.");
	return true;
}
