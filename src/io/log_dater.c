/* SPDX-License-Identifier: MIT */
#include "io/log_dater.h"
#include "io/local_time.h"

#define QUARTER	 (900 * NSEC_PER_SEC)
#define ZONE_MAX (14 * 4 * QUARTER)
/* A file is changed when a line is written; that of a network file system may say it a bit later.
 */
#define CHANGED_WITHIN (5 * NSEC_PER_SEC)
/* A line that just came may have lain in a pipe or journal. */
#define LATE_MAX (60 * NSEC_PER_SEC)
#define DAY	 (86400 * NSEC_PER_SEC)

static nsec distance(nsec a, nsec b)
{
	return a > b ? a - b : b - a;
}

static nsec naive_of(const struct log_line *l, nsec now)
{
	if (l->has_year)
		return l->time;
	int year = local_year(now);
	nsec naive = log_line_with_year(l->time, year);
	return naive <= now + DAY || year <= 1970 ? naive : log_line_with_year(l->time, year - 1);
}

static nsec zone_of(nsec naive, nsec wall)
{
	nsec ahead = naive - wall;
	return (ahead + (ahead < 0 ? -QUARTER : QUARTER) / 2) / QUARTER * QUARTER;
}

void log_dater_learn(struct log_dater *d, const struct log_line *l, nsec wall)
{
	if (!l->stamped || l->has_zone)
		return;
	nsec naive = naive_of(l, wall);
	nsec zone = zone_of(naive, wall);
	if (distance(local_time(naive), wall) <= CHANGED_WITHIN)
		*d = (struct log_dater){.known = LOG_ZONE_LOCAL};
	else if (distance(naive - zone, wall) <= CHANGED_WITHIN && distance(zone, 0) <= ZONE_MAX)
		*d = (struct log_dater){.known = LOG_ZONE_FIXED, .zone = zone};
}

nsec log_dater_past(const struct log_dater *d, const struct log_line *l, nsec now)
{
	if (!l->stamped)
		return 0;
	if (l->has_zone)
		return l->time;
	switch (d->known) {
	case LOG_ZONE_UNKNOWN:
		return 0;
	case LOG_ZONE_LOCAL:
		return local_time(naive_of(l, now));
	case LOG_ZONE_FIXED:
		return naive_of(l, now) - d->zone;
	}
	return 0;
}

nsec log_dater_now(const struct log_line *l, nsec now)
{
	if (!l->stamped)
		return 0;
	nsec written = l->time;
	if (!l->has_zone) {
		nsec naive = naive_of(l, now);
		written = naive - zone_of(naive, now);
		if (distance(naive, written) > ZONE_MAX)
			return 0;
	}
	return distance(written, now) <= LATE_MAX ? written : 0;
}
