/* SPDX-License-Identifier: MIT
 *
 * What OpenVPN's log says of certificates, for the two causes that are about them. Internal to
 * them.
 */
#ifndef OVPNWATCH_CORE_CAUSES_CERTIFICATE_WORDS_H
#define OVPNWATCH_CORE_CAUSES_CERTIFICATE_WORDS_H

#include <stdbool.h>
#include <string.h>

/* A matter of time (X509_verify_cert_error_string): "certificate is not yet valid", "certificate
 * has expired", "CRL is not yet valid", "CRL has expired"; mbedTLS: "The certificate validity has
 * expired", "… starts in the future", "The CRL is expired", "… is from the future". */
static inline bool words_of_time(const char *text)
{
	static const char *const words[] = {"not yet valid", "expired", "in the future",
					    "from the future"};
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(text, words[i]) != NULL)
			return true;
	return false;
}

/* Too early for it, rather than too late. */
static inline bool words_of_too_early(const char *text)
{
	return strstr(text, "not yet valid") != NULL || strstr(text, "future") != NULL;
}

#endif
