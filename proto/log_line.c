/* SPDX-License-Identifier: MIT */
#include "proto/log_line.h"

#include <assert.h>

#define NSEC_PER_DAY (86400 * NSEC_PER_SEC)

/* What of the line is not read yet. Where one form is tried after another, a reader that does not
 * find what it looks for leaves the cursor where it was. */
struct cursor {
	const char *p;
	const char *end;
};

static bool at_end(const struct cursor *c)
{
	return c->p == c->end;
}

static bool take(struct cursor *c, char wanted)
{
	if (at_end(c) || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

/* `min` to `max` digits (at most 18). */
static bool take_digits(struct cursor *c, int min, int max, int64_t *out)
{
	int64_t value = 0;
	const char *p = c->p;
	for (; p < c->end && p - c->p < max && *p >= '0' && *p <= '9'; p++)
		value = value * 10 + (*p - '0');
	if (p - c->p < min)
		return false;
	c->p = p;
	*out = value;
	return true;
}

/* One of `count` words of three letters, run together in `words`: its number, from 0. */
static bool take_word3(struct cursor *c, const char *words, int count, int *out)
{
	if (c->end - c->p < 3)
		return false;
	for (int i = 0; i < count; i++) {
		if (memcmp(c->p, words + (ptrdiff_t)3 * i, 3) == 0) {
			c->p += 3;
			*out = i;
			return true;
		}
	}
	return false;
}

/* A stamp ends where the line does, or at a space, which goes with it. */
static bool take_gap(struct cursor *c)
{
	return at_end(c) || take(c, ' ');
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_to_year(int year)
{
	int64_t y = year - 1;
	return 365 * (y - 1969) + (y / 4 - 492) - (y / 100 - 19) + (y / 400 - 4);
}

nsec civil_to_nsec(int year, int month, int day, int hour, int minute, int second)
{
	static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	assert(month >= 1 && month <= 12);
	if (year < 1678 || year > 2261)
		return NSEC_UNKNOWN;
	int64_t days =
	    days_to_year(year) + days_before[month - 1] + (month > 2 && is_leap(year)) + day - 1;
	return (((days * 24 + hour) * 60 + minute) * 60 + second) * NSEC_PER_SEC;
}

nsec log_line_with_year(nsec time, int year)
{
	assert(year >= 1970 && year <= 2261);
	nsec in_year = time - days_to_year(LOG_LINE_NO_YEAR) * NSEC_PER_DAY;
	if (!is_leap(year) && in_year >= 60 * NSEC_PER_DAY)
		in_year -= NSEC_PER_DAY;
	return days_to_year(year) * NSEC_PER_DAY + in_year;
}

struct date {
	int64_t year, month, day;
};

struct time_of_day {
	int64_t hour, minute, second;
};

static bool make_time(struct date d, struct time_of_day t, nsec *out)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (d.year < 1970 || d.year > 2261 || d.month < 1 || d.month > 12 || d.day < 1)
		return false;
	if (d.day > month_days[d.month - 1] + (d.month == 2 && is_leap((int)d.year)))
		return false;
	if (t.hour > 23 || t.minute > 59 || t.second > 60)
		return false;
	*out = civil_to_nsec((int)d.year, (int)d.month, (int)d.day, (int)t.hour, (int)t.minute,
			     (int)t.second);
	return true;
}

/* 18:36:43 */
static bool take_time_of_day(struct cursor *c, struct time_of_day *t)
{
	return take_digits(c, 2, 2, &t->hour) && take(c, ':') && take_digits(c, 2, 2, &t->minute) &&
	       take(c, ':') && take_digits(c, 2, 2, &t->second);
}

/* "Jan 15" or "Jan  5" */
static bool take_month_day(struct cursor *c, struct date *d)
{
	int month = 0;
	if (!take_word3(c, "JanFebMarAprMayJunJulAugSepOctNovDec", 12, &month) || !take(c, ' '))
		return false;
	(void)take(c, ' ');
	d->month = month + 1;
	return take_digits(c, 1, 2, &d->day);
}

/* 2024-01-15 */
static bool take_iso_date(struct cursor *c, struct date *d)
{
	struct cursor at = *c;
	struct date found;
	if (!take_digits(&at, 4, 4, &found.year) || !take(&at, '-') ||
	    !take_digits(&at, 2, 2, &found.month) || !take(&at, '-') ||
	    !take_digits(&at, 2, 2, &found.day))
		return false;
	*c = at;
	*d = found;
	return true;
}

static bool take_weekday(struct cursor *c)
{
	struct cursor at = *c;
	int weekday = 0;
	if (!take_word3(&at, "MonTueWedThuFriSatSun", 7, &weekday) || !take(&at, ' '))
		return false;
	*c = at;
	return true;
}

/* " us=578145" (time_string leaves it out when it is 0) */
static void take_usec(struct cursor *c, struct log_line *l)
{
	struct cursor at = *c;
	int64_t usec = 0;
	if (!take(&at, ' ') || !take(&at, 'u') || !take(&at, 's') || !take(&at, '=') ||
	    !take_digits(&at, 1, 6, &usec) || (!at_end(&at) && *at.p != ' '))
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
	if (!take(&at, '.') && !take(&at, ','))
		return;
	const char *start = at.p;
	if (!take_digits(&at, 1, 9, &value))
		return;
	for (ptrdiff_t n = at.p - start; n < 9; n++)
		value *= 10;
	while (!at_end(&at) && *at.p >= '0' && *at.p <= '9')
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
	bool west = take(&at, '-');
	if (west || take(&at, '+')) {
		if (!take_digits(&at, 2, 2, &hours))
			return;
		(void)take(&at, ':');
		(void)take_digits(&at, 2, 2, &minutes);
		if (hours > 14 || minutes > 59)
			return;
	} else if (!take(&at, 'Z')) {
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
	struct date d = {0};
	struct time_of_day t = {0};
	if (take_weekday(&at)) {
		if (!take_month_day(&at, &d) || !take(&at, ' ') || !take_time_of_day(&at, &t) ||
		    !take(&at, ' ') || !take_digits(&at, 4, 4, &d.year))
			return false;
	} else if (!take_iso_date(&at, &d) || !take(&at, ' ') || !take_time_of_day(&at, &t)) {
		return false;
	}
	*l = (struct log_line){.stamped = true, .has_year = true};
	if (!make_time(d, t, &l->time))
		return false;
	take_usec(&at, l);
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
	*l = (struct log_line){.stamped = true, .has_year = true, .has_zone = true};
	if (!take_digits(&at, 9, 10, &seconds) || at_end(&at) || *at.p != '.' ||
	    seconds > INT64_C(9183110400)) /* 2261 */
		return false;
	l->time = seconds * NSEC_PER_SEC;
	take_fraction(&at, l);
	if (!l->fraction || !take(&at, ' '))
		return false;
	*c = at;
	return true;
}

/* syslog's "Jan 15 18:36:43", RFC 3339 as rsyslog and the journal write it, and short-full. */
static bool logger_stamp(struct cursor *c, struct log_line *l)
{
	struct cursor at = *c;
	struct date d = {.year = LOG_LINE_NO_YEAR};
	struct time_of_day t = {0};
	bool full = take_weekday(&at);
	bool dated = take_iso_date(&at, &d);
	if (!dated && (full || !take_month_day(&at, &d)))
		return false;
	if (!take(&at, dated && !full ? 'T' : ' ') || !take_time_of_day(&at, &t))
		return false;
	*l = (struct log_line){.stamped = true, .has_year = dated};
	if (!make_time(d, t, &l->time))
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
	const char *space = at_end(&c) ? NULL : memchr(c.p, ' ', (size_t)(c.end - c.p));
	return (struct slice){.p = c.p, .n = (size_t)((space != NULL ? space : c.end) - c.p)};
}

/* "openvpn[123]:", "nm-openvpn[123]:", "ovpn-server[123]:", "openvpn:" */
static bool is_tag(struct slice token)
{
	if (token.n < 2 || token.p[token.n - 1] != ':')
		return false;
	return token.p[token.n - 2] == ']' || slice_find(token, "vpn") != SIZE_MAX;
}

/* Removes "host tag: ", "tag: " or "ZONE host tag: "; syslog's second word is a tag if it ends like
 * one. Without any of these nothing is removed (docker logs -t). */
static void logger_prefix(struct cursor *c, bool syslog)
{
	struct cursor at = *c;
	for (int i = 0; i < 3 && !at_end(&at); i++) {
		struct slice token = token_at(at);
		at.p += token.n;
		(void)take(&at, ' ');
		bool any_tag = syslog && i == 1 && token.n > 1 && token.p[token.n - 1] == ':';
		if (is_tag(token) || any_tag) {
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
	(void)take(c, ' ');
	return true;
}

static bool any_stamp(struct cursor *c, struct log_line *l)
{
	struct log_line inner;
	if (own_stamp(c, l))
		return true;
	if (epoch_stamp(c, l)) {
		if (!take_flags(c))
			logger_prefix(c, false);
	} else if (logger_stamp(c, l)) {
		logger_prefix(c, !l->has_year);
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
	*l = inner;
	return true;
}

void log_line_parse(struct slice line, struct log_line *out)
{
	struct slice text = slice_trim(line);
	struct log_line l = {0};
	if (text.n > 0) {
		struct cursor c = {.p = text.p, .end = text.p + text.n};
		if (any_stamp(&c, &l))
			text = slice_trim((struct slice){.p = c.p, .n = (size_t)(c.end - c.p)});
		else
			l = (struct log_line){0};
	}
	l.text = text;
	*out = l;
}
