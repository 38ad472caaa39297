/* SPDX-License-Identifier: MIT */
#include "proto/log_line.h"

#include "proto/cursor.h"

#include <assert.h>

/* Names of containers are aligned. */
#define COMPOSE_PREFIX_MAX 128

#define NSEC_PER_DAY (CIVIL_SECONDS_PER_DAY * NSEC_PER_SEC)

/* A stamp ends where the line does, or at a space, which goes with it. */
static bool take_gap(struct cursor *c)
{
	return cursor_at_end(c) || cursor_take(c, ' ');
}

nsec log_line_with_year(nsec time, int year)
{
	assert(year >= 1970 && year <= 2261);
	nsec in_year = time - civil_days_to_year(LOG_LINE_NO_YEAR) * NSEC_PER_DAY;
	if (!civil_is_leap(year) && in_year >= 60 * NSEC_PER_DAY)
		in_year -= NSEC_PER_DAY;
	return civil_days_to_year(year) * NSEC_PER_DAY + in_year;
}

/* " us=578145" (time_string leaves it out when it is 0) */
static void take_usec(struct cursor *c, struct log_line *l)
{
	struct cursor at = *c;
	int64_t usec = 0;
	if (!cursor_take(&at, ' ') || !cursor_take(&at, 'u') || !cursor_take(&at, 's') ||
	    !cursor_take(&at, '=') || !cursor_take_digits(&at, 1, 6, &usec) ||
	    (!cursor_at_end(&at) && *at.p != ' '))
		return;
	l->time += usec * NSEC_PER_USEC;
	l->fraction = true;
	*c = at;
}

/* ".578145" or ",578": up to nine digits count. */
static void take_fraction(struct cursor *c, struct log_line *l)
{
	struct cursor at = *c;
	int64_t value = 0;
	if (!cursor_take(&at, '.') && !cursor_take(&at, ','))
		return;
	const char *start = at.p;
	if (!cursor_take_digits(&at, 1, 9, &value))
		return;
	for (ptrdiff_t n = at.p - start; n < 9; n++)
		value *= 10;
	while (!cursor_at_end(&at) && *at.p >= '0' && *at.p <= '9')
		at.p++;
	l->time += value;
	l->fraction = true;
	*c = at;
}

/* "Z", "-05:00", "-0500", "-05" */
static void take_zone(struct cursor *c, struct log_line *l)
{
	struct cursor at = *c;
	int64_t hours = 0;
	int64_t minutes = 0;
	bool west = cursor_take(&at, '-');
	if (west || cursor_take(&at, '+')) {
		if (!cursor_take_digits(&at, 2, 2, &hours))
			return;
		(void)cursor_take(&at, ':');
		(void)cursor_take_digits(&at, 2, 2, &minutes);
		if (hours > 14 || minutes > 59)
			return;
	} else if (!cursor_take(&at, 'Z')) {
		return;
	}
	nsec offset = (hours * 60 + minutes) * 60 * NSEC_PER_SEC;
	l->time += west ? offset : -offset;
	l->has_zone = true;
	*c = at;
}

/* otime.c time_string, 2.4 and before (ctime) and since 2.5. */
static bool own_stamp(struct cursor *c, struct log_line *l)
{
	struct cursor at = *c;
	nsec time = 0;
	if (!civil_take_time_string(&at, &time))
		return false;
	*l = (struct log_line){.stamped = true, .has_year = true, .time = time, .pid = -1};
	take_usec(&at, l);
	if (!l->fraction)
		take_fraction(&at, l); /* Tunnelblick's */
	if (!take_gap(&at))
		return false;
	*c = at;
	return true;
}

/* Seconds with a fraction. What follows is the message's flags in hex (error.c x_msg_va), or host
 * and tag (journalctl -o short-unix), which logger_prefix removes. */
static bool epoch_stamp(struct cursor *c, struct log_line *l)
{
	struct cursor at = *c;
	int64_t seconds = 0;
	*l = (struct log_line){.stamped = true, .has_year = true, .has_zone = true, .pid = -1};
	if (!cursor_take_digits(&at, 9, 10, &seconds) || cursor_at_end(&at) || *at.p != '.' ||
	    seconds > INT64_C(9183110400)) /* 2261 */
		return false;
	l->time = seconds * NSEC_PER_SEC;
	take_fraction(&at, l);
	if (!l->fraction || !cursor_take(&at, ' '))
		return false;
	*c = at;
	return true;
}

/* syslog's "Jan 15 18:36:43", RFC 3339 as rsyslog and the journal write it, and short-full. */
static bool logger_stamp(struct cursor *c, struct log_line *l)
{
	struct cursor at = *c;
	struct civil_date d = {.year = LOG_LINE_NO_YEAR};
	struct civil_clock t = {0};
	bool full = civil_take_weekday(&at);
	bool dated = civil_take_iso_date(&at, &d);
	if (!dated && (full || !civil_take_month_day(&at, &d)))
		return false;
	if (!cursor_take(&at, dated && !full ? 'T' : ' ') || !civil_take_clock(&at, &t))
		return false;
	*l = (struct log_line){.stamped = true, .has_year = dated, .pid = -1};
	if (!civil_make(d, t, &l->time))
		return false;
	take_fraction(&at, l);
	if (dated)
		take_zone(&at, l);
	if (!take_gap(&at))
		return false;
	if (full && at.end - at.p >= 4 && memcmp(at.p, "UTC ", 4) == 0)
		l->has_zone = true;
	*c = at;
	return true;
}

static struct slice token_at(struct cursor c)
{
	const char *space = cursor_at_end(&c) ? NULL : memchr(c.p, ' ', (size_t)(c.end - c.p));
	return (struct slice){.p = c.p, .n = (size_t)((space != NULL ? space : c.end) - c.p)};
}

/* "openvpn[123]:", "nm-openvpn[123]:", "ovpn-server[123]:", "openvpn:" */
static bool is_tag(struct slice token)
{
	if (token.n < 2 || token.p[token.n - 1] != ':')
		return false;
	return token.p[token.n - 2] == ']' || slice_find(token, "vpn") != SIZE_MAX;
}

/* "nm-openvpn[123]:" */
static void read_tag(struct slice token, struct log_line *l)
{
	uint64_t pid;
	token.n--;
	if (token.n > 0 && token.p[token.n - 1] == ']') {
		struct slice rest = {.p = token.p, .n = token.n - 1};
		token = slice_cut(&rest, '[');
		if (slice_to_u64(rest, &pid) && pid <= INT32_MAX)
			l->pid = (int64_t)pid;
	}
	l->ident = token;
}

/* Removes "host tag: ", "tag: " or "ZONE host tag: "; syslog's second word is a tag if it ends like
 * one. Without any of these nothing is removed (docker logs -t). */
static void logger_prefix(struct cursor *c, bool syslog, struct log_line *l)
{
	struct cursor at = *c;
	struct slice token = {0}, before;
	for (int i = 0; i < 3 && !cursor_at_end(&at); i++) {
		before = token;
		token = token_at(at);
		at.p += token.n;
		(void)cursor_take(&at, ' ');
		bool any_tag = syslog && i == 1 && token.n > 1 && token.p[token.n - 1] == ':';
		if (is_tag(token) || any_tag) {
			read_tag(token, l);
			l->host = before;
			*c = at;
			return;
		}
	}
}

/* "4000001 ": the flags of error.c's machine-readable output. */
static bool take_flags(struct cursor *c)
{
	struct slice token = token_at(*c);
	if (token.n == 0 || token.n > 8)
		return false;
	for (size_t i = 0; i < token.n; i++)
		if (memchr("0123456789abcdef", token.p[i], 16) == NULL)
			return false;
	c->p += token.n;
	(void)cursor_take(c, ' ');
	return true;
}

static bool any_stamp(struct cursor *c, struct log_line *l)
{
	struct log_line inner;
	if (own_stamp(c, l))
		return true;
	if (epoch_stamp(c, l)) {
		if (!take_flags(c))
			logger_prefix(c, false, l);
	} else if (logger_stamp(c, l)) {
		logger_prefix(c, !l->has_year, l);
	} else {
		return false;
	}
	if (!own_stamp(c, &inner))
		return true;
	if (l->has_zone) {
		const nsec quarter = 900 * NSEC_PER_SEC;
		nsec ahead = inner.time - l->time;
		nsec zone = (ahead + (ahead < 0 ? -quarter : quarter) / 2) / quarter * quarter;
		inner.has_zone = zone <= NSEC_PER_DAY && zone >= -NSEC_PER_DAY;
		if (inner.has_zone)
			inner.time -= zone;
	}
	inner.ident = l->ident;
	inner.pid = l->pid;
	inner.host = l->host;
	*l = inner;
	return true;
}

/* "vpn-1  | ": which of the containers it is, one word and blanks before the bar. */
static void compose_prefix(struct slice *text)
{
	size_t n = 0, word = 0;
	while (n < text->n && n < COMPOSE_PREFIX_MAX && text->p[n] != ' ' && text->p[n] != '|')
		n++;
	word = n;
	while (n < text->n && n < COMPOSE_PREFIX_MAX && text->p[n] == ' ')
		n++;
	if (word > 0 && n > word && n + 1 < text->n && text->p[n] == '|' && text->p[n + 1] == ' ')
		*text = slice_trim(slice_skip(*text, n + 1));
}

void log_line_parse(struct slice line, struct log_line *out)
{
	struct slice text = slice_trim(line);
	struct log_line l = {.pid = -1};
	compose_prefix(&text);
	if (text.n > 0) {
		struct cursor c = cursor_over(text);
		if (any_stamp(&c, &l))
			text = slice_trim((struct slice){.p = c.p, .n = (size_t)(c.end - c.p)});
		else
			l = (struct log_line){.pid = -1};
	}
	l.text = text;
	*out = l;
}
