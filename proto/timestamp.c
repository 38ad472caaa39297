/* SPDX-License-Identifier: MIT */
#include "proto/timestamp.h"

#define MS_PER_DAY ((int64_t)86400 * 1000)

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t nsec_to_ms(nsec t)
{
	return floor_div(t, NSEC_PER_MSEC);
}

struct date {
	int year, month, day;
};

/* The date of a day since 1970. Counts in years that begin in March, so that the leap day is the
 * last one, and in eras of 400 years, which are all alike (146097 days). */
static struct date date_of(int64_t days)
{
	int64_t from_0000_03_01 = days + 719468;
	int64_t era = floor_div(from_0000_03_01, 146097);
	int64_t day_of_era = from_0000_03_01 - era * 146097;
	int64_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	return (struct date){.year = (int)(year_of_era + era * 400 + (month <= 2)),
			     .month = (int)month,
			     .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1)};
}

static char *put(char *at, int value, int digits, char after)
{
	for (int i = digits - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	at[digits] = after;
	return at + digits + 1;
}

void timestamp_format(nsec wall, char out[TIMESTAMP_SIZE])
{
	int64_t ms = nsec_to_ms(wall);
	int64_t days = floor_div(ms, MS_PER_DAY);
	int in_day = (int)(ms - days * MS_PER_DAY);
	struct date d = date_of(days);
	out = put(out, d.year, 4, '-');
	out = put(out, d.month, 2, '-');
	out = put(out, d.day, 2, 'T');
	out = put(out, in_day / 3600000, 2, ':');
	out = put(out, in_day / 60000 % 60, 2, ':');
	out = put(out, in_day / 1000 % 60, 2, '.');
	out = put(out, in_day % 1000, 3, 'Z');
	*out = '\0';
}
