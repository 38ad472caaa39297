/* SPDX-License-Identifier: MIT */
#include "core/restart_history.h"

#include <stdio.h>
#include <string.h>

#define LIKE_MIN  3		     /* so many make a pattern */
#define GRAIN	  (3 * NSEC_PER_SEC) /* pings, pauses and handshakes vary by so much */
#define DAY	  (86400 * NSEC_PER_SEC)
#define SAME_TIME (5 * 60 * NSEC_PER_SEC) /* of day */
#define MINUTE	  (60 * NSEC_PER_SEC)

void restart_history_add(struct restart_history *h, const struct restart_record *r)
{
	h->kept[h->n++ % RESTARTS_KEPT] = *r;
}

unsigned restart_history_count(const struct restart_history *h)
{
	return h->n < RESTARTS_KEPT ? h->n : RESTARTS_KEPT;
}

const struct restart_record *restart_history_at(const struct restart_history *h, unsigned i)
{
	return &h->kept[(h->n - 1 - i) % RESTARTS_KEPT];
}

unsigned restart_history_since(const struct restart_history *h, nsec mono)
{
	unsigned n = 0;
	while (n < restart_history_count(h) && restart_history_at(h, n)->mono >= mono)
		n++;
	return n;
}

nsec restart_history_nth(const struct restart_history *h, unsigned n)
{
	return n > 0 && n <= restart_history_count(h) ? restart_history_at(h, n - 1)->mono
						      : NSEC_UNKNOWN;
}

/* By insertion: there are few. */
static void sort(nsec *lengths, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		nsec one = lengths[i];
		unsigned at = i;
		for (; at > 0 && lengths[at - 1] > one; at--)
			lengths[at] = lengths[at - 1];
		lengths[at] = one;
	}
}

/* The median of lengths that are alike, and how far they vary. */
static bool alike(const nsec *lengths, unsigned n, nsec *median, nsec *spread)
{
	nsec sorted[RESTARTS_KEPT];
	memcpy(sorted, lengths, n * sizeof *sorted);
	sort(sorted, n);
	nsec middle = sorted[n / 2];
	nsec most = nsec_max(sorted[n - 1] - middle, middle - sorted[0]);
	if (middle < GRAIN || most > nsec_max(middle / 10, GRAIN))
		return false;
	*median = middle;
	*spread = most;
	return true;
}

/* How many of the lengths, newest first, are alike; 0 if fewer than `least`. */
static unsigned alike_from_newest(const nsec *lengths, unsigned n, unsigned least, nsec *median,
				  nsec *spread)
{
	for (; n >= least; n--)
		if (alike(lengths, n, median, spread))
			return n;
	return 0;
}

static nsec apart(nsec a, nsec b)
{
	nsec d = a > b ? a - b : b - a;
	return nsec_min(d, DAY - d);
}

/* At the same time of day as the newest one, on three days. */
static void time_of_day(const struct restart_history *h, struct notice_pattern *out)
{
	const nsec last = restart_history_at(h, 0)->wall;
	nsec days_ago = 0;
	unsigned days = 1;
	for (unsigned i = 1; i < restart_history_count(h); i++) {
		const nsec wall = restart_history_at(h, i)->wall;
		const nsec ago = (nsec_sub(last, wall) + DAY / 2) / DAY;
		if (wall < 0 || ago <= days_ago || apart(wall % DAY, last % DAY) > SAME_TIME)
			continue;
		days_ago = ago;
		days++;
	}
	if (days < LIKE_MIN || last < 0)
		return;
	nsec minutes = last % DAY / MINUTE;
	snprintf(out->time_of_day, sizeof out->time_of_day, "%02d:%02d", (int)(minutes / 60 % 24),
		 (int)(minutes % 60));
}

void restart_history_pattern(const struct restart_history *h, struct notice_pattern *out)
{
	nsec periods[RESTARTS_KEPT], sessions[RESTARTS_KEPT];
	unsigned n = restart_history_count(h), known = 0;

	if (n < LIKE_MIN)
		return;
	for (unsigned i = 0; i + 1 < n; i++)
		periods[i] = restart_history_at(h, i)->mono - restart_history_at(h, i + 1)->mono;
	while (known < n && restart_history_at(h, known)->connected != NSEC_UNKNOWN) {
		sessions[known] = restart_history_at(h, known)->connected;
		known++;
	}
	unsigned rhythm =
	    alike_from_newest(periods, n - 1, LIKE_MIN - 1, &out->period_s, &out->period_spread_s);
	unsigned length =
	    alike_from_newest(sessions, known, LIKE_MIN, &out->session_s, &out->session_spread_s);
	time_of_day(h, out);
	out->present = rhythm > 0 || length > 0 || out->time_of_day[0] != '\0';
	out->restarts = rhythm > 0 ? rhythm + 1 : length > 0 ? length : n;
	out->span_s =
	    restart_history_at(h, 0)->mono - restart_history_at(h, out->restarts - 1)->mono;
}
