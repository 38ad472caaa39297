/* SPDX-License-Identifier: MIT */
#include "sink/answer.h"
#include "core/local_clock.h"
#include "core/phrases.h"
#include "sink/escape.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VALUE_COLUMN 13

/* The rows so far. Each is far shorter than what there is room for: at most a dozen of them, and
 * texts from outside are cut. */
struct rows {
	char *out;
	size_t used;
	bool bold; /* the terminal wants it */
};

static void row(struct rows *r, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void row(struct rows *r, const char *name, const char *format, ...)
{
	char value[1200];
	va_list args;
	va_start(args, format);
	vsnprintf(value, sizeof value, format, args);
	va_end(args);
	int n =
	    snprintf(r->out + r->used, TEXT_BLOCK_MAX - r->used, "%s%-*s%s%s\n",
		     r->bold ? "\033[1m" : "", VALUE_COLUMN, name, r->bold ? "\033[0m" : "", value);
	if (n > 0 && (size_t)n < TEXT_BLOCK_MAX - r->used)
		r->used += (size_t)n;
}

struct safe {
	char text[4 * PROBE_ADDRESS_MAX];
};

static struct safe safe(const char *s)
{
	struct safe p = {.text = ""};
	(void)escape_text(s, p.text, sizeof p.text);
	return p;
}

/* "6.998 s ahead of X (+/- 3 ms)", or "within 4 ms of X" where the bound leaves the side open. */
struct far {
	char text[160];
};

static struct far far_from(double offset_s, double max_error_s, const char *whose)
{
	struct far f;
	if (isnan(max_error_s) || fabs(offset_s) > max_error_s)
		snprintf(f.text, sizeof f.text, "%s %s (%s)",
			 phrase_offset(offset_s, max_error_s).text, whose,
			 phrase_bound(max_error_s).text);
	else
		snprintf(f.text, sizeof f.text, "within %s of %s",
			 phrase_bound(fabs(offset_s) + max_error_s).text + strlen("+/- "), whose);
	return f;
}

static struct phrase age(double s)
{
	return phrase_duration(s >= 0 && s < 1e9 ? nsec_from_s(s) : NSEC_UNKNOWN);
}

/* --- this machine ---------------------------------------------------------------------------- */

static void servers(struct rows *r, const struct local_clock_reading *l)
{
	if (l->servers == 1 && l->n_falsetickers == 0)
		row(r, "NTP server", "one, and nobody vouches for it: name three with --ntp");
	else if (l->servers >= 0)
		row(r, "NTP servers", "%d agree", l->servers);
	for (unsigned i = 0; i < l->n_falsetickers; i++)
		row(r, "falseticker", "%s", safe(l->falsetickers[i]).text);
}

static void local_rows(struct rows *r, const struct local_clock_reading *l)
{
	char stratum[32] = "";
	if (l->stratum >= 0)
		snprintf(stratum, sizeof stratum, ", stratum %d", l->stratum);
	if (l->source == LOCAL_SOURCE_NONE)
		row(r, "this clock", "%s", name_local_clock_state(l->state));
	else
		row(r, "this clock", "%s, by %s%s", name_local_clock_state(l->state),
		    name_local_clock_source(l->source), stratum);
	/* NTP's sign says where UTC is; a person asks where this clock is. */
	if (!isnan(l->offset_s))
		row(r, "offset", "%s", far_from(-l->offset_s, l->max_error_s, "UTC").text);
	else if (!isnan(l->max_error_s))
		row(r, "offset", "not known; the kernel's bound is %s",
		    phrase_bound(l->max_error_s).text);
	if (l->age_s >= 1)
		row(r, "heard", "%s ago", age(l->age_s).text);
	servers(r, l);
	if (!isnan(l->slew_ppm))
		row(r, "slewed", "by %+.0f ppm", l->slew_ppm);
	if (l->disagrees.present)
		row(r, "disagrees", "%s says %s", name_local_clock_source(l->disagrees.source),
		    far_from(-l->disagrees.offset_s, l->disagrees.max_error_s, "UTC").text);
}

static void local_verdict(struct rows *r, const struct local_clock_reading *l, double limit_s)
{
	enum clock_verdict verdict = local_clock_verdict(l, limit_s);
	if (verdict == CLOCK_AHEAD || verdict == CLOCK_BEHIND)
		row(r, "verdict", "off by more than the limit of %g s", limit_s);
	else if (verdict == CLOCK_FINE)
		row(r, "verdict", "fine: off by less than the limit of %g s", limit_s);
	else if (l->state == LOCAL_CLOCK_UNSYNCHRONIZED &&
		 fabs(l->offset_s) + l->max_error_s <= limit_s)
		row(r, "verdict",
		    "within the limit of %g s now, but no time service keeps it there", limit_s);
	else if (l->state != LOCAL_CLOCK_SYNCHRONIZED)
		row(r, "verdict", "unknown: %s",
		    l->state == LOCAL_CLOCK_UNKNOWN
			? "nobody could be asked; name an NTP server with --ntp"
			: "no time service keeps this clock now; see `timedatectl`, `chronyc "
			  "tracking`");
	else if (l->disagrees.present)
		row(r, "verdict", "inconclusive: two sources of time contradict each other");
	else
		row(r, "verdict",
		    "inconclusive: the bound does not support one; name NTP servers "
		    "with --ntp");
}

/* --- the server ------------------------------------------------------------------------------ */

static void probe_rows(struct rows *r, const struct notice_probe *p)
{
	row(r, "server", "%s", safe(p->address).text);
	if (isnan(p->rtt_s))
		row(r, "answers", "%d of %d probes", p->answered, p->sent);
	else
		row(r, "answers", "%d of %d probes, round trip %.1f ms", p->answered, p->sent,
		    p->rtt_s * 1e3);
}

static void peer_rows(struct rows *r, const struct notice *n)
{
	const struct peer_clock_reading *p = &n->peer_clock;
	row(r, "its clock", "%s", far_from(p->offset_s, p->max_error_s, "this machine's").text);
	if (!isnan(p->vs_utc_s))
		row(r, "against UTC", "%s; this machine's by %s",
		    far_from(p->vs_utc_s, p->vs_utc_max_error_s, "it").text,
		    name_local_clock_source(n->local_clock.source));
	else
		row(r, "against UTC",
		    "not known: this machine's own clock is not (see `ovpnwatch "
		    "clock`)");
	if (!isnan(p->drift_ppm))
		row(r, "drift", "%+.1f ppm (+/- %.1f)", p->drift_ppm, p->drift_max_error_ppm);
}

static void peer_verdict(struct rows *r, const struct notice *n)
{
	const struct peer_clock_reading *p = &n->peer_clock;
	bool utc = !isnan(p->vs_utc_s);
	const char *than = utc ? "UTC" : "this machine's";
	switch (p->verdict) {
	case CLOCK_AHEAD:
	case CLOCK_BEHIND:
		row(r, "verdict", "%s: off by more than the limit of %g s against %s",
		    name_clock_verdict(p->verdict), n->answer_limit_s, than);
		return;
	case CLOCK_FINE:
		row(r, "verdict", "fine: off by less than the limit of %g s against %s",
		    n->answer_limit_s, than);
		return;
	case CLOCK_INCONCLUSIVE:
		break;
	}
	row(r, "verdict", "inconclusive for the limit of %g s; %s would settle it",
	    n->answer_limit_s,
	    utc && n->local_clock.max_error_s > p->max_error_s
		? "a better source of time for this machine (--ntp)"
		: "more probes (--count)");
}

size_t answer_block(const struct notice *n, const struct text_style *style,
		    char out[TEXT_BLOCK_MAX])
{
	struct rows r = {.out = out, .bold = style->colour};
	if (n->probe.present)
		probe_rows(&r, &n->probe);
	if (n->peer_clock.present) {
		peer_rows(&r, n);
		peer_verdict(&r, n);
	} else if (n->probe.present) {
		row(&r, "verdict", "%s", safe(n->message).text);
	} else {
		local_rows(&r, &n->local_clock);
		local_verdict(&r, &n->local_clock, n->answer_limit_s);
	}
	return r.used;
}
