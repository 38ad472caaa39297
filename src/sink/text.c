/* SPDX-License-Identifier: MIT */
#include "sink/text.h"
#include "core/phrases.h"
#include "proto/timestamp.h"
#include "sink/answer.h"
#include "sink/escape.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Columns: "HH:MM:SS.mmm " and then the word; what an event says begins, and hangs, behind both. */
#define WORD_COLUMN    13
#define MESSAGE_COLUMN 22
#define CAUSE_COLUMN   WORD_COLUMN
#define REASON_COLUMN  (CAUSE_COLUMN + 3)
#define LABEL_WIDTH    9  /* "because: " */
#define COMMAND_MAX    48 /* of a command in backquotes that is kept on one line */
#define WIDTH_LEAST    60 /* a narrower terminal wraps for itself */

#define RESET  "\033[0m"
#define BOLD   "\033[1m"
#define DIM    "\033[2m"
#define RED    "\033[1;31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"

/* What ends a block that found no room. */
#define CUT_MARK " ..."
#define CUT_ROOM (sizeof CUT_MARK - 1 + sizeof RESET - 1 + 1)
#define ROOM_MAX (TEXT_BLOCK_MAX - CUT_ROOM)

/* What is being written: a bounded buffer, the style, and where on the line we are. */
struct pen {
	char *out;
	size_t used;
	bool full; /* something found no room; nothing is written after it */
	const struct text_style *style;
	unsigned column;
	unsigned hang; /* where a wrapped line goes on */
};

static void put_bytes(struct pen *p, const char *s, size_t n)
{
	if (p->full || n > ROOM_MAX - p->used) {
		p->full = true;
		return;
	}
	memcpy(p->out + p->used, s, n);
	p->used += n;
}

static void put(struct pen *p, const char *s, size_t n)
{
	put_bytes(p, s, n);
	p->column += (unsigned)n;
}

static void put_text(struct pen *p, const char *s)
{
	put(p, s, strlen(s));
}

/* A colour takes no columns. */
static void colour(struct pen *p, const char *code)
{
	if (p->style->colour)
		put_bytes(p, code, strlen(code));
}

static void newline(struct pen *p)
{
	while (p->used > 0 && p->out[p->used - 1] == ' ') /* the gap before a word that wrapped */
		p->used--;
	put_bytes(p, "\n", 1);
	p->column = 0;
}

static void spaces(struct pen *p, unsigned until)
{
	while (p->column < until)
		put(p, " ", 1);
}

/* A word, and its unit if it is a figure that has one. */
static size_t figure_length(const char *s)
{
	static const char *const units[] = {"s", "ms", "us", "min", "h", "d", "ppm"};
	size_t n = strcspn(s, " ");
	if (s[n] == '\0' || strspn(s, "0123456789.+-") != n)
		return n;
	const char *next = s + n + 1;
	size_t letters = strspn(next, "dhimnpsu");
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (letters == strlen(units[i]) && strncmp(next, units[i], letters) == 0)
			return n + 1 + strcspn(next, " ");
	return n;
}

/* A word, with those that must stay on its line: a figure's unit, the figure behind +/-, the rest
 * of a short command in backquotes. */
static size_t word_length(const char *s)
{
	size_t n = figure_length(s);
	const char *close = s[0] == '`' ? strchr(s + 1, '`') : NULL;
	if (close != NULL && close - s < COMMAND_MAX)
		return (size_t)(close - s) + strcspn(close, " ");
	if (n >= 3 && memcmp(s + n - 3, "+/-", 3) == 0 && s[n] == ' ')
		return n + 1 + figure_length(s + n + 1);
	return n;
}

/* Words, wrapped at the width. A word that is longer than a line stays whole: it may be a path that
 * somebody wants to copy. `s` is harmless already. */
static void wrap(struct pen *p, const char *s)
{
	unsigned width = p->style->width >= WIDTH_LEAST ? p->style->width : 0;
	bool first = true;
	s += strspn(s, " ");
	while (*s != '\0') {
		size_t n = word_length(s);
		size_t gap = first ? 0 : 1;
		if (width > 0 && p->column > p->hang && p->column + gap + n > width) {
			newline(p);
			spaces(p, p->hang);
		} else {
			put(p, " ", gap);
		}
		put(p, s, n);
		first = false;
		s += n;
		s += strspn(s, " ");
	}
}

static void wrap_outside(struct pen *p, const char *s)
{
	char safe[4 * NOTICE_TEXT_MAX];
	(void)escape_text(s, safe, sizeof safe);
	wrap(p, safe);
}

/* Local time of day. The date is not there: on a terminal it is today's, and a file wants JSON. */
static void stamp(struct pen *p, nsec wall)
{
	char text[32];
	int64_t ms = nsec_to_ms(wall) % 86400000 + (int64_t)p->style->utc_offset_s % 86400 * 1000;
	ms = (ms + 2 * 86400000) % 86400000;
	snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", (int)(ms / 3600000),
		 (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
	colour(p, DIM);
	put_text(p, text);
	colour(p, RESET);
}

/* The second column: what needs attention by its severity, what ended well as "ok", and the rest by
 * what it is, because a column of "info" says nothing. */
static void word(struct pen *p, const struct notice *n)
{
	const char *code = "", *text = name_notice_type(n->type);
	if (n->type == NOTICE_ALERT && n->alert.status == ALERT_RESOLVED) {
		code = GREEN;
		text = "ok";
	} else if (n->severity == SEVERITY_CRITICAL) {
		code = RED;
		text = "CRITICAL";
	} else if (n->severity == SEVERITY_WARNING) {
		code = YELLOW;
		text = "WARNING";
	} else if (n->type == NOTICE_ALERT) {
		text = name_severity(n->severity);
	}
	spaces(p, WORD_COLUMN);
	colour(p, code);
	put_text(p, text);
	colour(p, *code != '\0' ? RESET : "");
	spaces(p, MESSAGE_COLUMN);
}

/* What stands behind a clock's figures, e.g. " [openvpn_control, 8 samples]". */
static void peer_source(struct pen *p, const struct peer_clock_reading *r)
{
	char text[128], drift[64] = "";
	if (isfinite(r->drift_ppm) && fabs(r->drift_ppm) < 1e6)
		snprintf(drift, sizeof drift, ", drift %+.1f ppm (+/- %.1f)", r->drift_ppm,
			 fmin(r->drift_max_error_ppm, 1e6));
	snprintf(text, sizeof text, " [%s, %d sample%s%s]", name_peer_clock_source(r->source),
		 r->samples, r->samples == 1 ? "" : "s", drift);
	put(p, " ", 1);
	wrap(p, text + 1);
}

static void local_source(struct pen *p, const struct local_clock_reading *r)
{
	char text[64];
	if (r->stratum < 0)
		return;
	snprintf(text, sizeof text, " [stratum %d]", r->stratum);
	put(p, " ", 1);
	wrap(p, text + 1);
}

static void head(struct pen *p, const struct notice *n)
{
	stamp(p, n->at.wall);
	word(p, n);
	p->hang = MESSAGE_COLUMN;
	if (n->tunnel != NULL && n->tunnel[0] != '\0') {
		wrap_outside(p, n->tunnel);
		put_text(p, ": ");
	}
	if (n->type == NOTICE_ALERT) {
		colour(p, BOLD);
		put_text(p, name_alert(n->alert.name));
		colour(p, RESET);
		put_text(p, n->alert.status == ALERT_UPDATED ? " (updated): " : ": ");
	}
	wrap_outside(p, n->message[0] != '\0'	  ? n->message
			: n->type == NOTICE_ALERT ? alert_text(n->alert.name)
						  : name_notice_type(n->type));
	if (n->type == NOTICE_CLOCK && n->peer_clock.present)
		peer_source(p, &n->peer_clock);
	else if (n->type == NOTICE_CLOCK && n->local_clock.present)
		local_source(p, &n->local_clock);
	newline(p);
}

static void reason(struct pen *p, const char *label, const char *s)
{
	if (s[0] == '\0')
		return;
	spaces(p, REASON_COLUMN);
	put_text(p, label);
	spaces(p, REASON_COLUMN + LABEL_WIDTH);
	p->hang = REASON_COLUMN + LABEL_WIDTH;
	wrap_outside(p, s);
	newline(p);
}

/* An alert that ends says once more which causes were found; the sentences were said before. */
static void cause(struct pen *p, unsigned number, const struct cause *c, bool ended)
{
	char title[64];
	snprintf(title, sizeof title, "%u. %-9s  ", number, name_confidence(c->confidence));
	spaces(p, CAUSE_COLUMN);
	put_text(p, title);
	colour(p, BOLD);
	put_text(p, name_cause(c->name));
	colour(p, RESET);
	put_text(p, ": ");
	p->hang = REASON_COLUMN + LABEL_WIDTH;
	wrap(p, cause_phrase(c->name));
	newline(p);
	for (unsigned i = 0; i < c->n_because && !ended; i++)
		reason(p, "because:", c->because[i]);
	for (unsigned i = 0; i < c->n_against && !ended; i++)
		reason(p, "against:", c->against[i]);
	if (!ended || number == 1)
		reason(p, "->", c->remedy);
}

/* A line under the message: "label: words". */
static void detail(struct pen *p, const char *label, const char *words)
{
	spaces(p, MESSAGE_COLUMN);
	p->hang = MESSAGE_COLUMN;
	put_text(p, label);
	put_text(p, ": ");
	wrap_outside(p, words);
	newline(p);
}

/* How long OpenVPN waits, and who says so: the first thing to compare with the server's. */
static void timers(struct pen *p, const struct notice_restart *r)
{
	static const char *const from[] = {
	    [TIMERS_DEFAULT] = "OpenVPN's default",
	    [TIMERS_PROFILE] = "from the profile",
	    [TIMERS_PUSHED] = "pushed by the server",
	    [TIMERS_LOGGED] = "as the daemon logged them",
	};
	char text[160];
	int n = 0;
	if (r->ping_restart_s < 0)
		return;
	if (r->ping_s >= 0)
		n = snprintf(text, sizeof text, "ping %" PRId64 " s, ", r->ping_s);
	snprintf(text + n, sizeof text - (size_t)n, "ping-restart %" PRId64 " s (%s)",
		 r->ping_restart_s, from[r->timers_from]);
	detail(p, "timers", text);
}

/* A sentence that is put together piece by piece; what finds no room is left out. */
struct words {
	char text[512];
	size_t n;
};

static void say(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct words *w, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(w->text + w->n, sizeof w->text - w->n, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < sizeof w->text - w->n)
		w->n += (size_t)n;
	else
		w->text[w->n] = '\0';
}

/* "20.2 s (+/- 0.4 s)". The spread is rounded up, or it would promise more than was seen. */
static void say_regular(struct words *w, const char *what, nsec typical, nsec spread)
{
	const nsec tenth = 100 * NSEC_PER_MSEC;
	if (typical < 0)
		return;
	say(w, ", %s %s", what, phrase_duration(typical).text);
	if (spread < 0)
		return;
	spread = nsec_max(nsec_add(spread, tenth - 1) / tenth, 1) * tenth;
	say(w, " (+/- %s)", phrase_duration(spread).text);
}

/* What the last restarts have in common, to be compared with the timers. */
static void pattern(struct pen *p, const struct notice_pattern *r)
{
	struct words w = {.n = 0};
	say(&w, "%u restart%s", r->restarts, r->restarts == 1 ? "" : "s");
	if (r->span_s >= 0)
		say(&w, " in %s", phrase_duration(r->span_s).text);
	say_regular(&w, "one every", r->period_s, r->period_spread_s);
	say_regular(&w, "each session", r->session_s, r->session_spread_s);
	if (r->time_of_day[0] != '\0')
		say(&w, ", at about %s UTC on several days", r->time_of_day);
	if (r->tunnels > 0)
		say(&w, ", together with others: %u tunnels within two seconds", r->tunnels);
	detail(p, "pattern", w.text);
}

static void whom(struct pen *p, enum scope s)
{
	static const char *const words[] = {
	    [SCOPE_NONE] = NULL,
	    [SCOPE_THIS_TUNNEL] = "this tunnel only",
	    [SCOPE_THIS_MACHINE] = "all tunnels of this machine",
	    [SCOPE_SERVER] = "the server: all its clients",
	};
	if (words[s] != NULL)
		detail(p, "scope", words[s]);
}

size_t text_block(const struct notice *n, const struct text_style *style, char out[TEXT_BLOCK_MAX])
{
	if (!isnan(n->answer_limit_s))
		return answer_block(n, style, out);
	struct pen p = {.out = out, .style = style};
	bool ended = n->type == NOTICE_ALERT && n->alert.status == ALERT_RESOLVED;
	head(&p, n);
	if (n->restart.present && !ended)
		timers(&p, &n->restart);
	if (n->pattern.present && !ended)
		pattern(&p, &n->pattern);
	if (!ended)
		whom(&p, n->scope);
	for (unsigned i = 0; i < n->n_causes; i++)
		cause(&p, i + 1, &n->causes[i], ended);
	if (p.full) {
		memcpy(out + p.used, CUT_MARK, sizeof CUT_MARK - 1);
		p.used += sizeof CUT_MARK - 1;
		if (style->colour) {
			memcpy(out + p.used, RESET, sizeof RESET - 1);
			p.used += sizeof RESET - 1;
		}
		out[p.used++] = '\n';
	}
	return p.used;
}
