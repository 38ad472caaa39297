/* SPDX-License-Identifier: MIT
 *
 * What the client's log said that bears on a restart: of each kind of fact the last one, when it
 * was said, whether the tunnel was up then, and how often since the session began.
 */
#ifndef OVPNWATCH_CORE_LOG_MEMORY_H
#define OVPNWATCH_CORE_LOG_MEMORY_H

#include "proto/log_text.h"
#include "proto/nsec.h"

#include <stdbool.h>

#define LOG_WORD_MAX 80

struct log_word {
	nsec at;	  /* mono, the last time; NSEC_UNKNOWN: never */
	bool up;	  /* the tunnel was CONNECTED then */
	unsigned count;	  /* since the session began */
	int64_t number;	  /* what the fact has: seconds, or a time; -1 */
	const char *text; /* of the kinds of LOG_TEXTS, which a cause quotes; else "" */
};

/* VERIFY_ERROR, TLS_ALERT, AUTH_FAILED, OWN_CERTIFICATE */
#define LOG_TEXTS 4

/* Not to be copied: the words point at its texts. */
struct log_memory {
	nsec session; /* mono: when the present session (or attempt) began */
	struct log_word words[LOG_FACT_KINDS];
	char texts[LOG_TEXTS][LOG_WORD_MAX];
};

void log_memory_init(struct log_memory *m);

/* A session begins: what is said from now on is counted anew. What was said before is kept. */
void log_memory_session(struct log_memory *m, nsec mono);

/* Takes a live fact; `up`: the tunnel is CONNECTED. */
void log_memory_add(struct log_memory *m, const struct log_fact *fact, bool up, nsec mono);

#endif
