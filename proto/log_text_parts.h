/* SPDX-License-Identifier: MIT
 *
 * What the matchers of log texts share. A matcher is given a text without stamps and client prefix;
 * it returns true if the text is of its kind, and has then filled in what it carries. Internal to
 * proto/log_text*.c.
 */
#ifndef OVPNWATCH_PROTO_LOG_TEXT_PARTS_H
#define OVPNWATCH_PROTO_LOG_TEXT_PARTS_H

#include "proto/log_text.h"

typedef bool log_text_matcher(struct slice text, struct log_fact *f);

/* log_text_tls.c: certificates, keys and handshakes. */
log_text_matcher log_text_tls_timeout;
log_text_matcher log_text_tls_failed;
log_text_matcher log_text_verify_error;
log_text_matcher log_text_verify_ok;
log_text_matcher log_text_soft_reset;
log_text_matcher log_text_out_of_sync;
log_text_matcher log_text_own_certificate;
log_text_matcher log_text_tls_alert;
log_text_matcher log_text_wrong_key;
log_text_matcher log_text_decrypt_error;

/* What stands after `prefix`, which has to be there. */
static inline bool take_prefix(struct slice *text, const char *prefix)
{
	if (!slice_starts(*text, prefix))
		return false;
	*text = slice_skip(*text, strlen(prefix));
	return true;
}

static inline bool contains(struct slice text, const char *what)
{
	return slice_find(text, what) != SIZE_MAX;
}

static inline struct slice until(struct slice text, const char *end)
{
	size_t at = slice_find(text, end);
	if (at != SIZE_MAX)
		text.n = at;
	return text;
}

/* The number that a text begins with, at most nine digits; -1 if there is none. */
static inline int64_t number_at(struct slice text)
{
	int64_t value = 0;
	size_t n = 0;
	while (n < text.n && n < 10 && text.p[n] >= '0' && text.p[n] <= '9')
		value = value * 10 + (text.p[n++] - '0');
	return n > 0 && n < 10 ? value : -1;
}

#endif
