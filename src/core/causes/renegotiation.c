/* SPDX-License-Identifier: MIT
 *
 * The keys of the running tunnel could not be renewed. Every reneg-sec seconds (3600 by default;
 * both ends have one and the smaller wins) an end begins a new TLS handshake within the session
 * (ssl.c tls_multi_process, key_state_soft_reset). If its packets do not get through while data
 * does, it fails after hand-window seconds, and the tunnel with it at the latest when the old key
 * expires (transition-window).
 *
 * Confirmed: OpenVPN says that a key negotiation failed while the tunnel was up and bytes came, and
 * restarted for it, or nothing came from then on. Possible: it says so, and the rest is not known
 * or not so; or the drop is about when a renegotiation was due.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

#define STILL_COMING (5 * NSEC_PER_SEC)
#define AT_ONCE	     (2 * NSEC_PER_SEC)
#define NEAR	     (90 * NSEC_PER_SEC) /* hand-window and window after it */

/* Whether it dropped about when a renegotiation was due. A server takes up to a tenth off its value
 * (options.c add_option, 2.5 and later), and what it leads to takes hand-window and the window. */
static bool about_due(const struct evidence *e)
{
	nsec every = e->reneg_sec * NSEC_PER_SEC;
	if (every < 60 * NSEC_PER_SEC || e->connected == NSEC_UNKNOWN)
		return false;
	nsec times = (e->connected + every / 10) / every;
	nsec after = e->connected - times * (every - every / 10);
	return times > 0 && after >= 0 &&
	       after <= times * (every / 10) + NEAR + nsec_min(e->window, NEAR);
}

static void remedy(const struct evidence *e, struct cause *c)
{
	cause_remedy(
	    c,
	    "Both ends renegotiate at the smaller of their two `reneg-sec` values (here %lld "
	    "s): set it at both ends. See why control packets do not pass: the MTU "
	    "(`max-packet-size 1000`), a firewall, a slow script at the server.",
	    (long long)e->reneg_sec);
}

/* Bytes came until it failed; and then either OpenVPN restarted for that very reason, or nothing
 * came any more. A session that went on after it ended for another reason. */
static void judge_bytes(const struct evidence *e, nsec failed, struct cause *c)
{
	if (e->last_rx == NSEC_UNKNOWN)
		return;
	bool until_then = e->last_rx >= failed - STILL_COMING;
	bool at_once = e->reason == REASON_TLS_ERROR && e->began.mono - failed <= AT_ONCE;
	bool silent_since = evidence_silence_shown(e) && evidence_at_onset(e, failed);
	if (!until_then) {
		cause_against(
		    c,
		    "nothing had been received for %s when it failed: the path may be the "
		    "reason",
		    phrase_duration(failed - e->last_rx).text);
	} else if (at_once || silent_since) {
		c->confidence = CONFIDENCE_CONFIRMED;
		cause_because(c, at_once ? "bytes still arrived at that time"
					 : "bytes arrived until then, and none since");
	} else {
		cause_against(c, "bytes arrived for %s after it",
			      phrase_duration(nsec_max(e->last_rx - failed, 0)).text);
	}
}

static bool negotiation_failed(const struct evidence *e, struct cause *c)
{
	const struct log_word *failed = evidence_said(e, LOG_TLS_TIMEOUT);
	const struct log_word *reset = evidence_said(e, LOG_SOFT_RESET);

	if (failed == NULL || !failed->up || failed->at > e->began.mono + NSEC_PER_SEC)
		return false;
	c->strength = 3;
	cause_because(c,
		      "OpenVPN says that a key negotiation failed%s while the tunnel was up, %s "
		      "before the restart",
		      failed->number > 0 ? " (no answer within hand-window)" : "",
		      phrase_duration(nsec_max(e->began.mono - failed->at, 0)).text);
	if (reset != NULL && reset->up)
		cause_because(c, "this end had begun it, after reneg-sec (%lld s)",
			      (long long)(reset->number > 0 ? reset->number : e->reneg_sec));
	else
		cause_because(c, "the log has no soft reset of this end: the server had begun it");
	judge_bytes(e, failed->at, c);
	remedy(e, c);
	return true;
}

bool cause_renegotiation(const struct evidence *e, struct cause *c)
{
	if (negotiation_failed(e, c))
		return true;
	if (!e->was_up || !about_due(e) ||
	    (!evidence_silent_window(e) && !evidence_handshake_failed(e)))
		return false;
	c->strength = -1;
	cause_because(c, "the session lasted %s, about a multiple of reneg-sec (%lld s)",
		      phrase_duration(e->connected).text, (long long)e->reneg_sec);
	cause_against(c, "the log has no failed key negotiation");
	remedy(e, c);
	return true;
}
