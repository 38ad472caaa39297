/* SPDX-License-Identifier: MIT */
#include "core/diagnose.h"

#include <stdarg.h>
#include <stdio.h>

static cause_rule *const rules[CAUSE_COUNT] = {
#define X(name, word, rule, phrase) [name] = rule,
#include "core/causes.def"
#undef X
};

/* A byte that arrives is seen by BYTECOUNT up to a second later; pings are up to a second late. */
#define COUNT_GRAIN (2 * NSEC_PER_SEC)

static unsigned finished(const struct probe_tally *t)
{
	return t->answered + t->unanswered + t->refused + t->unreachable + t->failed + t->bad_mac +
	       t->rejected;
}

void evidence_collect(struct evidence *e, const struct tunnel *t, const struct stamp *now)
{
	const struct episode *episode = &t->episode;
	nsec window = tunnel_window(t);
	/* Without a byte count, the silence is what OpenVPN says it is. */
	nsec from =
	    episode->last_rx != NSEC_UNKNOWN ? episode->last_rx : episode->began.mono - window;
	nsec ping =
	    episode->timers.ping > 0 && episode->timers.ping < 3600 ? episode->timers.ping : 0;

	e->tunnel = t;
	e->episode = episode;
	e->now = *now;
	peer_time_read(&t->peer.time, now, &e->local, e->offset_limit_s, &e->peer);
	peer_time_read_step(&t->peer.time, &e->step);
	e->silent = peer_clock_tally(&t->peer, from + ping * NSEC_PER_SEC + COUNT_GRAIN,
				     episode->began.mono);
	e->after = peer_clock_tally(&t->peer, episode->began.mono,
				    episode->ended ? episode->end.mono : NSEC_NEVER);
}

bool evidence_silent_window(const struct evidence *e)
{
	if (e->episode->reason != REASON_PING_RESTART)
		return false;
	nsec window = tunnel_window(e->tunnel);
	return e->episode->silent == NSEC_UNKNOWN || window == NSEC_NEVER ||
	       e->episode->silent >= window - COUNT_GRAIN;
}

struct probe_tally evidence_probes(const struct evidence *e)
{
	return finished(&e->silent) > 0 ? e->silent : e->after;
}

const char *evidence_profile(const struct evidence *e)
{
	return e->tunnel->config.profile != NULL ? e->tunnel->config.profile : "client.ovpn";
}

bool evidence_peer_known(const struct evidence *e)
{
	return e->peer.present && e->peer.samples > 0;
}

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
		/* "unknown" is for when nobody else has anything to say. */
		if (i == CAUSE_UNKNOWN && n > 0)
			continue;
		if (rules[i](e, &c))
			insert(causes, &n, &c);
	}
	return n;
}

uint32_t diagnose_digest(const struct cause *causes, unsigned n)
{
	uint32_t hash = 2166136261u;
	for (unsigned i = 0; i < n; i++)
		hash = (hash ^ ((uint32_t)causes[i].name * 8 + (uint32_t)causes[i].confidence)) *
		       16777619u;
	return hash;
}
