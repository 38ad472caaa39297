/* SPDX-License-Identifier: MIT
 *
 * A NAT or firewall on the way forgets the idle connection: as long as this end sends, its mapping
 * lives; when it has sent nothing for the mapping's time, the server's packets do not come through
 * any more (RFC 4787, section 4.3). The server is up, and fresh sockets reach it. A client that
 * goes on sending is found again: the server follows its new address (multi.c multi_process_float).
 *
 * Likely: bytes stopped after the same idle time twice and more in a row, shorter than the window,
 * and the server answered probes meanwhile.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

#define IDLE_LEAST (2 * NSEC_PER_SEC) /* of less, the count's second is too large a part */
#define GRAIN	   (3 * NSEC_PER_SEC) /* the server's pings and the byte count */
#define ENOUGH	   2

static bool stopped_while_idle(const struct restart_record *r)
{
	return r->reason == REASON_PING_RESTART && r->idle != NSEC_UNKNOWN &&
	       r->idle >= IDLE_LEAST && r->heard != NSEC_UNKNOWN && !evidence_only_handshake(r);
}

static bool same_idle_time(const struct evidence *e, const struct restart_record *r)
{
	nsec apart = nsec_sub(r->idle, e->idle);
	return stopped_while_idle(r) && apart <= GRAIN + e->usual_gap &&
	       apart >= -GRAIN - e->usual_gap;
}

bool cause_nat_timeout(const struct evidence *e, struct cause *c)
{
	const struct restart_record this = {
	    .reason = e->reason, .heard = e->heard, .idle = e->idle};
	unsigned answered = e->silent_probes.answered;

	if (!evidence_silent_window(e) || !stopped_while_idle(&this) || e->idle < e->ping ||
	    e->silent_probes.refused > 0 || e->silent_probes.unanswered > answered)
		return false;
	unsigned in_a_row = evidence_in_a_row(e, same_idle_time);
	cause_because(c, "bytes stopped coming when this end had sent nothing for %s",
		      phrase_duration(e->idle).text);
	if (in_a_row >= ENOUGH)
		cause_because(c, "so they did before each of the last %u restarts", in_a_row);
	cause_answered_meanwhile(e, c);
	if (in_a_row >= ENOUGH && answered > 0 && evidence_silence_shown(e))
		c->confidence = CONFIDENCE_LIKELY;
	c->strength = in_a_row >= ENOUGH ? 4 : 0;
	if (in_a_row < ENOUGH)
		cause_against(c, "only one restart has shown it");
	cause_against(c, "a server whose own ping-restart is shorter than the pauses in which this "
			 "client sends nothing looks the same");
	cause_remedy(c, "Let the client send more often than the mapping lives: `ping 10` in its "
			"configuration, or `keepalive 10 60` on the server.");
	return true;
}
