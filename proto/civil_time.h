/* SPDX-License-Identifier: MIT
 *
 * Dates and times of day as people and logs write them, in years of the proleptic Gregorian
 * calendar, and what OpenVPN writes (otime.c time_string). Nothing here knows a time zone: a civil
 * time becomes the instant that it would be if it were UTC, and what zone it is in is for the
 * caller to find out.
 */
#ifndef OVPNWATCH_PROTO_CIVIL_TIME_H
#define OVPNWATCH_PROTO_CIVIL_TIME_H

#include "proto/cursor.h"
#include "proto/nsec.h"

#include <stdbool.h>

#define CIVIL_SECONDS_PER_DAY INT64_C(86400)

/* The last second that can be read, the end of 2261: every instant up to here fits into nsec. */
#define CIVIL_SECONDS_MAX INT64_C(9214646399)

/* As read: not yet known to be a date that there is. */
struct civil_date {
	int64_t year, month, day;
};

struct civil_clock {
	int64_t hour, minute, second;
};

/* Nanoseconds since 1970 of a civil time read as UTC; month 1 to 12. NSEC_UNKNOWN if they do not
 * fit (before 1678, after 2261). */
nsec civil_to_nsec(int year, int month, int day, int hour, int minute, int second);

bool civil_is_leap(int year);

/* Days from 1970-01-01 to January 1 of `year`. */
int64_t civil_days_to_year(int year);

/* As civil_to_nsec, for what was read from a text. False leaves *out alone: no such date between
 * 1970 and 2261, no such time of day. A leap second (60) is the second after it. */
bool civil_make(struct civil_date d, struct civil_clock t, nsec *out);

/* The parts, each off the front of what is not read yet; none checks a range. False: it is not
 * there. The cursor is then somewhere within what was tried unless it says otherwise. */
bool civil_take_weekday(struct cursor *c);			   /* "Mon ", or stays */
bool civil_take_month_day(struct cursor *c, struct civil_date *d); /* "Jan 15", "Jan  5" */
bool civil_take_iso_date(struct cursor *c, struct civil_date *d);  /* "2024-01-15", or stays */
bool civil_take_clock(struct cursor *c, struct civil_clock *t);	   /* "18:36:43" */

/* A stamp of time_string, without microseconds: "Mon Jan 15 18:36:43 2024" (2.4 and before, ctime)
 * or "2024-01-15 18:36:43" (since 2.5). False leaves both alone. What follows the stamp is the
 * caller's to judge. */
bool civil_take_time_string(struct cursor *c, nsec *out);

#endif
