/* SPDX-License-Identifier: MIT
 *
 * Packets of the server were rejected as replays (crypto.c crypto_check_replay, packet_id.c
 * packet_id_test): their sender's time, or their number, is behind one that came before. A server
 * whose clock was set back and that was restarted sends such to a client with --replay-persist.
 *
 * Likely: many were, and the handshake failed or nothing good was received. A few are normal where
 * a path doubles or reorders packets: possible.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

#define MANY  5
#define GRAIN (2 * NSEC_PER_SEC)

bool cause_replay_rejected(const struct evidence *e, struct cause *c)
{
	const struct log_word *word = evidence_said(e, LOG_REPLAY);
	const struct server_word *w = e->server_word;
	bool there = w != NULL && w->refused != NSEC_UNKNOWN && w->refused_kind == LOG_REPLAY &&
		     w->refused >= e->said_from;
	bool failed = evidence_handshake_failed(e);

	if ((word == NULL && !there) || (!evidence_silent_window(e) && !failed))
		return false;
	/* Unless good packets came after them. */
	bool last = word != NULL && e->last_rx != NSEC_UNKNOWN && word->at >= e->last_rx - GRAIN;
	if (word != NULL && !failed && e->last_rx != NSEC_UNKNOWN && !last)
		return false;
	c->strength = -1;
	if (word != NULL)
		cause_because(c,
			      "OpenVPN here rejected %u packet%s as replays, the last %s %s the "
			      "restart",
			      word->count, word->count == 1 ? "" : "s",
			      phrase_duration(word->at > e->began.mono ? word->at - e->began.mono
								       : e->began.mono - word->at)
				  .text,
			      word->at > e->began.mono ? "after" : "before");
	if (word != NULL && word->count >= MANY &&
	    (failed || (last && evidence_silence_shown(e)))) {
		c->confidence = CONFIDENCE_LIKELY;
		c->strength = 3;
	}
	if (there)
		cause_because(c, "the server's own log rejects packets of this client as replays");
	if (e->step.present)
		cause_because(c, "the server's clock was set");
	cause_against(c, "a path that doubles or reorders packets makes some, too");
	cause_remedy(c,
		     "On the side whose log has \"bad packet ID\": without `replay-persist` a "
		     "restart forgets what came before; and let a time service keep the clock of "
		     "the other.");
	return true;
}
