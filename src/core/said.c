/* SPDX-License-Identifier: MIT */
#include "core/said.h"

/* FNV-1a; never 0, which is no text. */
static uint64_t digest(struct slice text)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ (unsigned char)text.p[i]) * UINT64_C(1099511628211);
	return hash | 1;
}

/* The oldest first: texts that are the same come in the same order from both. */
bool said_again(struct said *s, enum said_by by, struct slice text, nsec mono)
{
	const uint64_t wanted = digest(text);
	for (unsigned i = 0; i < SAID_MAX; i++) {
		struct said_text *t = &s->texts[(s->next + i) % SAID_MAX];
		if (t->digest != wanted || t->by == by || mono - t->mono > SAID_LASTS)
			continue;
		t->digest = 0;
		return true;
	}
	return false;
}

void said_note(struct said *s, enum said_by by, struct slice text, nsec mono)
{
	s->texts[s->next] = (struct said_text){.digest = digest(text), .by = by, .mono = mono};
	s->next = (s->next + 1) % SAID_MAX;
}
