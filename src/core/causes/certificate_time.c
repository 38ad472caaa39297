/* SPDX-License-Identifier: MIT
 *
 * A certificate or revocation list is not valid at the time that the clock of whoever checks it
 * shows (ssl_verify_openssl.c verify_callback): this machine checks the server's, the server this
 * client's. Either the dates are over, or that clock is wrong; the clocks tell which.
 *
 * Confirmed: OpenVPN here says so, or the server says so in a TLS alert. Likely: OpenVPN warned
 * that this client's own certificate is out of its time, and the handshake failed; or the server
 * refuses a certificate without saying why, and its clock is off by a day and more.
 */
#include "core/causes/certificate_words.h"
#include "core/diagnose.h"
#include "core/phrases.h"

#include <math.h>

#define FAR_OFF_S 43200.0 /* clocks that matter to certificates are off by days */

/* Whose fault: the clock that checked, or the dates. */
static void blame_local_clock(const struct evidence *e, struct cause *c)
{
	const struct local_clock_reading *l = &e->local;
	bool known = l->present && !isnan(l->offset_s) && !isnan(l->max_error_s);
	if (known && fabs(l->offset_s) - l->max_error_s > e->offset_limit_s) {
		cause_because(c,
			      "this machine's clock is %s UTC (%s, by %s): it is the clock that is "
			      "wrong",
			      phrase_offset(-l->offset_s, l->max_error_s).text,
			      phrase_bound(l->max_error_s).text,
			      name_local_clock_source(l->source));
		cause_remedy(c, "Set this machine's clock and let a time service keep it: "
				"`timedatectl set-ntp true`, `chronyc makestep`.");
	} else if (known || (l->present && l->state == LOCAL_CLOCK_SYNCHRONIZED)) {
		cause_because(c,
			      "a time service keeps this machine's clock (%s): it is the "
			      "certificate's dates that are over",
			      name_local_clock_source(l->source));
		cause_remedy(c,
			     "Look at its dates (`openssl x509 -noout -dates -in FILE`) and renew "
			     "it.");
	} else if (evidence_peer_known(e) && fabs(e->peer.offset_s) > FAR_OFF_S) {
		cause_because(c,
			      "the clocks of this machine and the server are %s apart (%s): one of "
			      "the two is wrong, and it is this machine's that counts here",
			      phrase_duration(nsec_from_s(fmin(fabs(e->peer.offset_s), 9e9))).text,
			      phrase_bound(e->peer.max_error_s).text);
		cause_remedy(c,
			     "Compare `date -u` here with a clock that is right, then let a time "
			     "service keep it: `timedatectl set-ntp true`.");
	} else {
		cause_against(c, "whether this machine's clock is right is not known");
		cause_remedy(c,
			     "Compare `date -u` with the certificate's dates: `openssl x509 -noout "
			     "-dates -in FILE`.");
	}
}

static void blame_server_clock(const struct evidence *e, struct cause *c)
{
	bool utc = !isnan(e->peer.vs_utc_s);
	double off = utc ? e->peer.vs_utc_s : e->peer.offset_s;
	double error = utc ? e->peer.vs_utc_max_error_s : e->peer.max_error_s;
	if (evidence_peer_known(e) && fabs(off) - error > e->offset_limit_s) {
		cause_because(c, "the server's clock is %s %s (%s)", phrase_offset(off, error).text,
			      utc ? "UTC" : "this machine's", phrase_bound(error).text);
		cause_remedy(c,
			     "Set the server's clock and let a time service keep it: `apt install "
			     "chrony`, `chronyc makestep`.");
	} else if (evidence_peer_known(e)) {
		cause_because(c, "the server's clock agrees with this machine's within %s",
			      phrase_bound(fabs(off) + error).text + 4);
		cause_remedy(c,
			     "Look at the dates of this client's certificate (`openssl x509 -noout "
			     "-dates -in FILE`) and renew it.");
	} else {
		cause_against(c, "the server's clock was not measured");
		cause_remedy(c,
			     "Look at the dates of this client's certificate (`openssl x509 -noout "
			     "-dates -in FILE`) and at the server's clock.");
	}
}

static bool refused_here(const struct evidence *e, struct cause *c)
{
	const struct log_word *verify = evidence_said(e, LOG_VERIFY_ERROR);
	if (verify == NULL || !words_of_time(verify->text))
		return false;
	c->confidence = CONFIDENCE_CONFIRMED;
	c->strength = 1;
	cause_because(c,
		      "OpenVPN here refuses the server's certificate by this machine's clock: %s",
		      verify->text);
	blame_local_clock(e, c);
	return true;
}

/* OpenSSL's alert for "not yet valid" is "bad certificate" (ssl/statem ssl_x509err2alert). */
static bool refused_there(const struct evidence *e, struct cause *c)
{
	const struct log_word *alert = evidence_said(e, LOG_TLS_ALERT);
	const struct log_word *own = evidence_said(e, LOG_OWN_CERTIFICATE);
	const struct server_word *w = e->server_word;
	bool far =
	    evidence_peer_known(e) && fabs(e->peer.offset_s) - e->peer.max_error_s > FAR_OFF_S;
	bool by_log = w != NULL && w->refused != NSEC_UNKNOWN && words_of_time(w->text) &&
		      w->refused_kind == LOG_VERIFY_ERROR && w->refused >= e->said_from;

	if (by_log) {
		c->confidence = CONFIDENCE_CONFIRMED;
		cause_because(c, "the server's own log refuses this client's certificate: %s",
			      w->text);
	} else if (alert != NULL && words_of_time(alert->text)) {
		c->confidence = CONFIDENCE_CONFIRMED;
		cause_because(c, "the server refuses this client's certificate: %s", alert->text);
	} else if (own != NULL && evidence_handshake_failed(e)) {
		c->confidence = CONFIDENCE_LIKELY;
		cause_because(c,
			      "OpenVPN warns that this client's own certificate %s by this "
			      "machine's clock",
			      own->text);
		blame_local_clock(e, c);
		return true;
	} else if (far && evidence_handshake_failed(e) && e->after.refused == 0 &&
		   e->after.answered > 0) {
		c->confidence = alert != NULL ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
		c->strength = 2;
		cause_because(c, "the server answers probes, but the handshake fails%s%s",
			      alert != NULL ? ": its TLS alert is " : "",
			      alert != NULL ? alert->text : "");
	} else {
		return false;
	}
	blame_server_clock(e, c);
	return true;
}

bool cause_certificate_time(const struct evidence *e, struct cause *c)
{
	return refused_here(e, c) || refused_there(e, c);
}
