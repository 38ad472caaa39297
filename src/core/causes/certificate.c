/* SPDX-License-Identifier: MIT
 *
 * A certificate is not accepted, for another reason than its dates: the wrong authority, name or
 * purpose, or it was revoked (ssl_verify.c verify_cert, ssl_verify_openssl.c verify_callback).
 *
 * Confirmed: OpenVPN here says so, or the server says so in a TLS alert that can mean nothing else.
 */
#include "core/causes/certificate_words.h"
#include "core/diagnose.h"

static bool of_a_certificate(const char *alert)
{
	static const char *const words[] = {"certificate", "unknown ca", "unknown CA"};
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(alert, words[i]) != NULL)
			return true;
	return false;
}

bool cause_certificate(const struct evidence *e, struct cause *c)
{
	const struct log_word *verify = evidence_said(e, LOG_VERIFY_ERROR);
	const struct log_word *alert = evidence_said(e, LOG_TLS_ALERT);

	if (verify != NULL && !words_of_time(verify->text)) {
		c->confidence = CONFIDENCE_CONFIRMED;
		cause_because(c, "OpenVPN here refuses the server's certificate: %s", verify->text);
		cause_remedy(c,
			     "Compare the client's `ca`, `verify-x509-name` and `remote-cert-tls` "
			     "with the certificate that the server has: `openssl x509 -noout -text "
			     "-in server.crt`.");
		return true;
	}
	if (alert == NULL || words_of_time(alert->text) || !of_a_certificate(alert->text))
		return false;
	/* "bad certificate" is also what a server says to one that is not valid yet. */
	c->confidence = strstr(alert->text, "bad certificate") != NULL ? CONFIDENCE_LIKELY
								       : CONFIDENCE_CONFIRMED;
	cause_because(c, "the server refuses this client's certificate: %s", alert->text);
	cause_remedy(c, "Ask the server's administrator whether the certificate of this client was "
			"revoked, and which authority (`ca`) the server trusts.");
	return true;
}
