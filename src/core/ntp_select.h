/* SPDX-License-Identifier: MIT
 *
 * Which of several NTP servers to believe. Each says that the truth lies within its bound (the root
 * distance) of its offset: an interval. RFC 5905 section 11.2.1 decides whether there is a majority
 * at all: with the smallest f < n/2, some point must lie in n - f of the intervals, and no more
 * than f of their midpoints outside of what lies between the first and the last such point.
 *
 * What is then claimed is wider than the RFC's intersection, which shrinks to the smallest f that
 * fits and so may exclude the truth where two liars are in tune with an honest server's wide
 * interval. Here it reaches from the first to the last point that a majority covers: if a majority
 * tells the truth then the truth is such a point, whoever the others are. A falseticker is a server
 * whose interval does not meet that: so far as the majority is right, it is wrong beyond its own
 * bound. The cluster algorithm (section 11.2.2) trades servers for less jitter; a bound has no use
 * for it.
 */
#ifndef OVPNWATCH_CORE_NTP_SELECT_H
#define OVPNWATCH_CORE_NTP_SELECT_H

#include "proto/nsec.h"
#include "proto/verdict.h"

#include <stdbool.h>

#define NTP_SELECT_MAX 8

/* One server's word: |truth - offset| <= bound. */
struct ntp_opinion {
	nsec offset, bound;
};

struct ntp_selection {
	unsigned believed; /* how many are no falsetickers */
	bool falseticker[NTP_SELECT_MAX];
	nsec lo, hi; /* the truth lies here if the majority tells it */
};

/* Judges n servers, up to NTP_SELECT_MAX. One is believed because there is nobody else; two if
 * their intervals meet (with no majority but both, the truth lies where they do). False: there is
 * no majority, nobody is believed and *out is untouched. */
MUST_USE bool ntp_select(const struct ntp_opinion *list, unsigned n, struct ntp_selection *out);

#endif
