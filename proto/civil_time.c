/* SPDX-License-Identifier: MIT */
#include "proto/civil_time.h"

#include <assert.h>

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

bool civil_is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int64_t civil_days_to_year(int year)
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
	int64_t days = civil_days_to_year(year) + days_before[month - 1] +
		       (month > 2 && civil_is_leap(year)) + day - 1;
	return (((days * 24 + hour) * 60 + minute) * 60 + second) * NSEC_PER_SEC;
}

bool civil_make(struct civil_date d, struct civil_clock t, nsec *out)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (d.year < 1970 || d.year > 2261 || d.month < 1 || d.month > 12 || d.day < 1)
		return false;
	if (d.day > month_days[d.month - 1] + (d.month == 2 && civil_is_leap((int)d.year)))
		return false;
	if (t.hour > 23 || t.minute > 59 || t.second > 60)
		return false;
	*out = civil_to_nsec((int)d.year, (int)d.month, (int)d.day, (int)t.hour, (int)t.minute,
			     (int)t.second);
	return true;
}

/* 18:36:43 */
bool civil_take_clock(struct cursor *c, struct civil_clock *t)
{
	return cursor_take_digits(c, 2, 2, &t->hour) && cursor_take(c, ':') &&
	       cursor_take_digits(c, 2, 2, &t->minute) && cursor_take(c, ':') &&
	       cursor_take_digits(c, 2, 2, &t->second);
}

/* "Jan 15" or "Jan  5" */
bool civil_take_month_day(struct cursor *c, struct civil_date *d)
{
	int month = 0;
	if (!take_word3(c, "JanFebMarAprMayJunJulAugSepOctNovDec", 12, &month) ||
	    !cursor_take(c, ' '))
		return false;
	(void)cursor_take(c, ' ');
	d->month = month + 1;
	return cursor_take_digits(c, 1, 2, &d->day);
}

/* 2024-01-15 */
bool civil_take_iso_date(struct cursor *c, struct civil_date *d)
{
	struct cursor at = *c;
	struct civil_date found;
	if (!cursor_take_digits(&at, 4, 4, &found.year) || !cursor_take(&at, '-') ||
	    !cursor_take_digits(&at, 2, 2, &found.month) || !cursor_take(&at, '-') ||
	    !cursor_take_digits(&at, 2, 2, &found.day))
		return false;
	*c = at;
	*d = found;
	return true;
}

bool civil_take_weekday(struct cursor *c)
{
	struct cursor at = *c;
	int weekday = 0;
	if (!take_word3(&at, "MonTueWedThuFriSatSun", 7, &weekday) || !cursor_take(&at, ' '))
		return false;
	*c = at;
	return true;
}

bool civil_take_time_string(struct cursor *c, nsec *out)
{
	struct cursor at = *c;
	struct civil_date d = {0};
	struct civil_clock t = {0};
	if (civil_take_weekday(&at)) {
		if (!civil_take_month_day(&at, &d) || !cursor_take(&at, ' ') ||
		    !civil_take_clock(&at, &t) || !cursor_take(&at, ' ') ||
		    !cursor_take_digits(&at, 4, 4, &d.year))
			return false;
	} else if (!civil_take_iso_date(&at, &d) || !cursor_take(&at, ' ') ||
		   !civil_take_clock(&at, &t)) {
		return false;
	}
	if (!civil_make(d, t, out))
		return false;
	*c = at;
	return true;
}
