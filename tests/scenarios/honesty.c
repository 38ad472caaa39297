/* SPDX-License-Identifier: MIT */
#include "scenarios/honesty.h"
#include "core/diagnose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const pieces[] = {
#define E(name, what) what,
    EVIDENCE_PIECES_LIST
#undef E
};

bool honesty_truth(struct honesty *h, const char *word)
{
	h->known = true;
	h->truth = CAUSE_COUNT;
	for (unsigned c = 0; c < CAUSE_COUNT; c++)
		if (strcmp(word, name_cause((enum cause_name)c)) == 0)
			h->truth = (enum cause_name)c;
	return h->truth != CAUSE_COUNT || strcmp(word, "none") == 0;
}

static void dishonest(const struct stamp *now, const struct cause *c, const char *why,
		      const char *without)
{
	fprintf(stderr, "%.3f: %s is %s%s%s: %s\n", nsec_to_s(now->mono), name_cause(c->name),
		name_confidence(c->confidence), without != NULL ? " without " : "",
		without != NULL ? without : "", why);
	exit(1);
}

static void nothing_wrong_is_confirmed(const struct honesty *h, const struct stamp *now,
				       const struct cause *causes, unsigned n, const char *without)
{
	for (unsigned i = 0; i < n && h->known; i++)
		if (causes[i].confidence == CONFIDENCE_CONFIRMED && causes[i].name != h->truth)
			dishonest(now, &causes[i], "confirmed, and not the truth", without);
}

static enum confidence allowed(const struct cause *causes, unsigned n, enum cause_name name)
{
	for (unsigned i = 0; i < n; i++)
		if (causes[i].name == name)
			return causes[i].confidence;
	return CONFIDENCE_POSSIBLE;
}

void honesty_check(struct honesty *h, const struct watch *w, const struct tunnel *t,
		   const struct stamp *now)
{
	static struct cause all[NOTICE_CAUSES_MAX], less[NOTICE_CAUSES_MAX];
	struct evidence whole, part;
	if (!t->episode.open)
		return;
	evidence_collect(w, t, now, &whole);
	unsigned n_all = diagnose(&whole, all);
	nothing_wrong_is_confirmed(h, now, all, n_all, NULL);
	for (int piece = 0; piece < EVIDENCE_PIECES; piece++) {
		evidence_without(&whole, (enum evidence_piece)piece, &part);
		unsigned n = diagnose(&part, less);
		nothing_wrong_is_confirmed(h, now, less, n, pieces[piece]);
		for (unsigned i = 0; i < n; i++)
			if (less[i].confidence > allowed(all, n_all, less[i].name))
				dishonest(now, &less[i], "surer than with it", pieces[piece]);
	}
	h->judged++;
}
