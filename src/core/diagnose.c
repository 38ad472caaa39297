/* SPDX-License-Identifier: MIT */
#include "core/diagnose.h"
#include "core/phrases.h"

#include <stdarg.h>
#include <stdio.h>

static cause_rule *const rules[CAUSE_COUNT] = {
#define X(name, word, rule, phrase) [name] = rule,
#include "core/causes.def"
#undef X
};

__attribute__((format(printf, 3, 0))) static void sentence(char texts[][NOTICE_TEXT_MAX],
							   unsigned *n, const char *format,
							   va_list args)
{
	if (*n >= NOTICE_REASONS_MAX)
		return;
	vsnprintf(texts[*n], NOTICE_TEXT_MAX, format, args);
	(*n)++;
}

void cause_because(struct cause *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	sentence(c->because, &c->n_because, format, args);
	va_end(args);
}

void cause_against(struct cause *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	sentence(c->against, &c->n_against, format, args);
	va_end(args);
}

void cause_remedy(struct cause *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(c->remedy, sizeof c->remedy, format, args);
	va_end(args);
}

void cause_answered_meanwhile(const struct evidence *e, struct cause *c)
{
	if (e->silent_probes.answered > 0)
		cause_because(c,
			      "the server answered %u of %u probes from a fresh socket meanwhile: "
			      "it is up and reachable",
			      e->silent_probes.answered, evidence_finished(&e->silent_probes));
}

static bool before(const struct cause *a, const struct cause *b)
{
	if (a->confidence != b->confidence)
		return a->confidence > b->confidence;
	if (a->strength != b->strength)
		return a->strength > b->strength;
	return a->name < b->name;
}

/* Insertion by hand: the causes are few and large, and qsort() promises no order of equals. */
static void insert(struct cause causes[NOTICE_CAUSES_MAX], unsigned *n, const struct cause *c)
{
	unsigned at = *n;
	while (at > 0 && before(c, &causes[at - 1]))
		at--;
	if (at == NOTICE_CAUSES_MAX)
		return;
	unsigned last = *n < NOTICE_CAUSES_MAX ? *n : NOTICE_CAUSES_MAX - 1;
	for (unsigned i = last; i > at; i--)
		causes[i] = causes[i - 1];
	causes[at] = *c;
	*n = last + 1;
}

/* Less is known than could be, so the verdict is less sure than it could be: what is missing. */
static void say_missing(const struct evidence *e, struct cause *c)
{
	const char *separator = "";
	char text[NOTICE_TEXT_MAX];
	size_t used = 0;
	if (c->confidence == CONFIDENCE_CONFIRMED || !evidence_silent_window(e))
		return;
	text[0] = '\0';
#define MISSING(...)                                                             \
	do {                                                                     \
		int n = snprintf(text + used, sizeof text - used, __VA_ARGS__);  \
		used += n > 0 && (size_t)n < sizeof text - used ? (size_t)n : 0; \
		separator = "; ";                                                \
	} while (0)
	if (e->replay)
		MISSING("%show long nothing was received, and whether the server answered "
			"meanwhile (a log alone tells neither)",
			separator);
	else if (e->silent == NSEC_UNKNOWN)
		MISSING("%show long nothing was received (there is no byte count)", separator);
	if (e->timers_from == TIMERS_DEFAULT)
		MISSING("%sthe ping-restart window (the log says no timers, which `verb 3` makes "
			"it do), for which OpenVPN's default of %s is taken",
			separator, phrase_duration(e->window).text);
	if (!e->replay && !e->probed && e->no_probe != NULL)
		MISSING("%swhether the server answers (%.120s)", separator, e->no_probe);
#undef MISSING
	if (used > 0)
		cause_because(c, "not known: %.300s", text);
}

unsigned diagnose(const struct evidence *e, struct cause causes[NOTICE_CAUSES_MAX])
{
	unsigned n = 0;
	for (int i = 0; i < CAUSE_COUNT; i++) {
		struct cause c;
		c.name = (enum cause_name)i;
		c.confidence = CONFIDENCE_POSSIBLE;
		c.strength = 0;
		c.n_because = c.n_against = 0;
		c.remedy[0] = '\0';
		/* The others are about a client and its server. */
		if (e->of_server && i != CAUSE_USER_INITIATED && i != CAUSE_UNKNOWN)
			continue;
		/* "unknown" is for when nobody else has anything to say. */
		if (i == CAUSE_UNKNOWN && n > 0)
			continue;
		if (rules[i](e, &c))
			insert(causes, &n, &c);
	}
	say_missing(e, &causes[0]);
	return n;
}

uint32_t diagnose_digest(const struct cause *causes, unsigned n, enum scope scope)
{
	uint32_t hash = 2166136261u + (uint32_t)scope;
	for (unsigned i = 0; i < n; i++)
		hash = (hash ^ ((uint32_t)causes[i].name * 8 + (uint32_t)causes[i].confidence)) *
		       16777619u;
	return hash;
}
