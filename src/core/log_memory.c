/* SPDX-License-Identifier: MIT */
#include "core/log_memory.h"

/* Which of its texts a kind has; NULL: none. */
static char *text_of(struct log_memory *m, enum log_fact_kind kind)
{
	static const enum log_fact_kind kinds[LOG_TEXTS] = {LOG_VERIFY_ERROR, LOG_TLS_ALERT,
							    LOG_AUTH_FAILED, LOG_OWN_CERTIFICATE};
	for (int i = 0; i < LOG_TEXTS; i++)
		if (kinds[i] == kind)
			return m->texts[i];
	return NULL;
}

void log_memory_init(struct log_memory *m)
{
	m->session = 0;
	for (int i = 0; i < LOG_FACT_KINDS; i++)
		m->words[i] = (struct log_word){.at = NSEC_UNKNOWN, .number = -1, .text = ""};
}

void log_memory_session(struct log_memory *m, nsec mono)
{
	m->session = mono;
}

void log_memory_add(struct log_memory *m, const struct log_fact *fact, bool up, nsec mono)
{
	struct log_word *w = &m->words[fact->kind];
	bool first = w->at == NSEC_UNKNOWN || w->at < m->session;

	if (first)
		w->count = 0;
	w->at = mono;
	w->up = up;
	w->count++;
	w->number = fact->seconds >= 0 ? fact->seconds : fact->time;
	char *text = text_of(m, fact->kind);
	if (text != NULL) {
		slice_copy(fact->text, text, LOG_WORD_MAX);
		w->text = text;
	}
}
