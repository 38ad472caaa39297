/* SPDX-License-Identifier: MIT
 *
 * The server does not accept this client: its name and password or token (push.c
 * receive_auth_failed), or the key that its control packets are under (tls-auth, tls-crypt), which
 * a server answers with silence (ssl.c tls_pre_decrypt).
 *
 * Confirmed: the server said AUTH_FAILED. Likely: packets came under another key. Possible: the
 * server's host is there, and neither a probe nor a handshake was ever answered.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

static bool said_so(const struct evidence *e, struct cause *c)
{
	const struct log_word *failed = evidence_said(e, LOG_AUTH_FAILED);
	bool token = e->reason == REASON_AUTH_FAILURE_TOKEN ||
		     (failed != NULL && strncmp(failed->text, "SESSION", 7) == 0);
	bool by_reason =
	    e->reason == REASON_AUTH_FAILURE || token || e->reason == REASON_AUTH_TEMP_FAILURE;

	if (!by_reason && failed == NULL)
		return false;
	c->confidence = CONFIDENCE_CONFIRMED;
	if (failed != NULL && failed->text[0] != '\0')
		cause_because(c, "the server said AUTH_FAILED: %s", failed->text);
	else
		cause_because(c, "the server said AUTH_FAILED");
	if (token) {
		cause_because(c,
			      "it is the session's token (auth-gen-token) that it does not accept "
			      "any more");
		cause_remedy(c,
			     "On the server compare the lifetime in `auth-gen-token` with "
			     "`reneg-sec`; servers that share tokens need the same secret and the "
			     "same time.");
	} else if (e->reason == REASON_AUTH_TEMP_FAILURE) {
		cause_remedy(c,
			     "The server asks to try later: look at its authentication backend.");
	} else {
		cause_remedy(c,
			     "Check user name, password and one-time code; `auth-retry nointeract` "
			     "lets the client try again by itself. The server's log says why.");
	}
	return true;
}

static bool wrong_key(const struct evidence *e, struct cause *c)
{
	const struct log_word *word = evidence_said(e, LOG_WRONG_KEY);
	const struct log_word *replay = evidence_said(e, LOG_REPLAY);
	unsigned bad = e->silent_probes.bad_mac + e->after.bad_mac;
	unsigned alive = e->echo.answered + e->echo_after.answered;

	if (e->was_up || !evidence_handshake_failed(e) || e->no_wrap)
		return false;
	/* OpenVPN says the same after a packet that it took for a replay. */
	if (word != NULL && replay != NULL && word->at - replay->at < NSEC_PER_SEC)
		word = NULL;
	if (word != NULL || bad > 0) {
		c->confidence = CONFIDENCE_LIKELY;
		c->strength = 2;
		if (bad > 0)
			cause_because(c, "%u probes were answered under another key", bad);
		if (word != NULL)
			cause_because(c, "OpenVPN's log says that packets came under another key");
	} else if (!e->ever_answered && e->after.unanswered > 0 && e->after.refused == 0 &&
		   e->after.unreachable == 0) {
		c->strength = alive > 0 ? 2 : -1;
		cause_because(c,
			      "neither a probe nor a handshake was ever answered: a server is "
			      "silent to packets that are not under its tls-auth or tls-crypt key");
		if (alive > 0)
			cause_because(c, "its host answers echo requests: the path works");
	} else {
		return false;
	}
	cause_remedy(
	    c, "Compare the client's `tls-auth` (with its direction and `auth` digest), "
	       "`tls-crypt` or `tls-crypt-v2` key with the server's; its log then has \"packet "
	       "authentication failed\".");
	return true;
}

bool cause_authentication(const struct evidence *e, struct cause *c)
{
	return said_so(e, c) || wrong_key(e, c);
}
