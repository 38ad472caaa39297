/* SPDX-License-Identifier: MIT
 *
 * Which of several NTP servers to believe. Each says that the truth lies within its bound (the root
 * distance) of its offset: an interval (Marzullo 1984; RFC 5905 section 11.2.1). Where more than
 * half of the intervals share a point there is a majority, and the claim reaches from the first to
 * the last such point: if a majority tells the truth then the truth is one of them, whoever the
 * others are. A falseticker is a server whose interval does not meet that: so far as the majority
 * is right, it is wrong beyond its own bound.
 *
 * Two things of the RFC are left out, because they serve a clock that is to be steered, and here a
 * bound is wanted. Its intersection shrinks to the smallest number of falsetickers that fits, and
 * so may exclude the truth where two liars are in tune with an honest server's wide interval. And
 * it wants midpoints inside the intersection: those of single honest answers often are not. Nor has
 * a bound any use for the cluster algorithm (section 11.2.2), which trades servers for less jitter.
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
