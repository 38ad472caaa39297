/* SPDX-License-Identifier: MIT
 *
 * Each source of time in a sentence, for those who want to know why which one was believed.
 */
#include "core/local_clock.h"
#include "core/local_clock_parts.h"
#include "core/phrases.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(struct local_clock_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(struct local_clock_line *line, const char *format, ...)
{
	size_t n = strlen(line->text);
	va_list args;
	va_start(args, format);
	vsnprintf(line->text + n, sizeof line->text - n, format, args);
	va_end(args);
}

static const char *state_text(const struct local_opinion *o)
{
	switch (o->state) {
	case LOCAL_CLOCK_SYNCHRONIZED:
		return "synchronised";
	case LOCAL_CLOCK_UNSYNCHRONIZED:
		return "not synchronised";
	case LOCAL_CLOCK_SELF_REFERENCED:
		return "follows this machine's own clock";
	case LOCAL_CLOCK_STALE:
		return o->offset == NSEC_UNKNOWN ? "has not updated since the clock was set"
						 : "has not updated for too long";
	case LOCAL_CLOCK_UNKNOWN:
		break;
	}
	return "no answer yet";
}

static void append_figures(struct local_clock_line *line, const struct local_opinion *o)
{
	if (o->offset != NSEC_UNKNOWN)
		append(line, ", UTC is %s this clock (%s)",
		       phrase_offset(nsec_to_s(o->offset), nsec_to_s(o->bound)).text,
		       phrase_bound(nsec_to_s(o->bound)).text);
	else if (o->bound != NSEC_UNKNOWN)
		append(line, " (%s by its own account)", phrase_bound(nsec_to_s(o->bound)).text);
	if (o->stratum >= 0)
		append(line, ", stratum %d", o->stratum);
	if (o->age >= NSEC_PER_SEC) /* also false for NSEC_UNKNOWN */
		append(line, ", %s ago", phrase_duration(o->age).text);
}

/* `s` and what it amounts to. A source that says nothing now has a reason, or its answer is still
 * to come. */
static struct local_clock_line *add(struct local_clock_line *out, unsigned *n,
				    const struct local_sample *s, const struct local_opinion *o)
{
	if (s->asked == NSEC_UNKNOWN && !s->heard)
		return NULL;
	struct local_clock_line *line = &out[(*n)++];
	*line = (struct local_clock_line){.source = o->source};
	if (!o->heard) {
		line->silent = true;
		append(line, "%s", s->reason != NULL ? s->reason : "no answer yet");
		return line;
	}
	append(line, "%s", state_text(o));
	append_figures(line, o);
	if (s->reason != NULL)
		append(line, "; when asked again: %s", s->reason);
	return line;
}

static void add_servers(const struct local_clock *c, const struct stamp *now,
			const struct local_opinions *all, struct local_clock_line *out, unsigned *n)
{
	for (unsigned i = 0; i < c->n_servers; i++) {
		const struct local_opinion o =
		    local_opinion_of(LOCAL_SOURCE_SNTP, &c->sntp[i], now, FREE_PPM);
		struct local_clock_line *line = add(out, n, &c->sntp[i], &o);
		if (line == NULL)
			continue;
		line->server = c->names[i];
		if (all->falseticker[i])
			append(line, "; a falseticker: %u of %u servers refute it", all->n_believed,
			       all->n_votes);
		else if (all->votes[i] && all->n_believed == 0)
			append(line, "; the servers contradict each other, and no majority agrees");
		else if (all->votes[i] && all->n_votes == 1)
			append(line, "; nobody vouches for it");
	}
}

unsigned local_clock_describe(const struct local_clock *c, const struct stamp *now,
			      struct local_clock_line out[LOCAL_CLOCK_LINES_MAX])
{
	struct local_opinions all;
	unsigned n = 0;
	local_clock_opinions(c, now, &all);
	(void)add(out, &n, &c->chrony, &all.list[0]);
	(void)add(out, &n, &c->ntp_control, &all.list[1]);
	(void)add(out, &n, &c->timesync, &all.list[2]);
	add_servers(c, now, &all, out, &n);
	(void)add(out, &n, &c->kernel, &all.list[4]);
	return n;
}
