/* SPDX-License-Identifier: MIT
 *
 * The last restarts of a tunnel, and what they have in common: a rhythm, sessions of one length, a
 * time of day. Kept in a ring; the instants of restarts from before we watched are known as far as
 * the daemon's own stamps are ours.
 */
#ifndef OVPNWATCH_CORE_RESTART_HISTORY_H
#define OVPNWATCH_CORE_RESTART_HISTORY_H

#include "core/notice.h"
#include "proto/openvpn_words.h"

#define RESTARTS_KEPT 16

struct restart_record {
	nsec mono, wall; /* when it began */
	enum restart_reason reason;
	nsec connected; /* the session before it; NSEC_UNKNOWN */
	nsec heard;	/* how long after CONNECTED the last bytes came; NSEC_UNKNOWN */
	nsec idle;	/* traffic_idle() */
};

struct restart_history {
	struct restart_record kept[RESTARTS_KEPT];
	unsigned n; /* ever added */
};

void restart_history_add(struct restart_history *h, const struct restart_record *r);

/* How many are kept; restart_history_at(h, 0) is the newest. */
unsigned restart_history_count(const struct restart_history *h);
const struct restart_record *restart_history_at(const struct restart_history *h, unsigned i);

/* How many began at or after `mono`. */
unsigned restart_history_since(const struct restart_history *h, nsec mono);

/* When the oldest of the `n` newest began (mono); NSEC_UNKNOWN if there are fewer. */
nsec restart_history_nth(const struct restart_history *h, unsigned n);

/* What the newest ones have in common: three and more at one distance, after sessions of one
 * length, or at one time of day. Not present if nothing. `tunnels` is left as it is. */
void restart_history_pattern(const struct restart_history *h, struct notice_pattern *out);

#endif
