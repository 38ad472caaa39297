/* SPDX-License-Identifier: MIT
 *
 * What a tunnel's log, followed live, adds to what is known of the tunnel. Its rules are in
 * core/hear_log.
 */
#ifndef OVPNWATCH_CORE_LOGGED_H
#define OVPNWATCH_CORE_LOGGED_H

#include "core/log_speaker.h"
#include "core/said.h"

struct logged {
	bool live;  /* what was there before has been read: what comes is news */
	bool ended; /* nothing will come any more */
	/* The last state was told by other words than STATE, and not by the daemon's own clock. */
	bool derived;
	/* Where the daemon connects to, and what it was given there; "" until it said. */
	char local_ip[48], remote_ip[48];
	int remote_port; /* 0: not said */
	struct log_speaker speaker;
	struct said said;

	/* mono: since when the management interface tells everything, and the log is read only to
	 * know what it said; NSEC_NEVER: it does not. */
	nsec told_since;
	int64_t known; /* states up to this time (the daemon's, seconds) are known; -1 */
	/* What the states are that the management interface has from before it was attached to, as
	 * the first of them decided. */
	enum { HISTORY_NONE, HISTORY_PAST, HISTORY_NEWS } history;
	char last[160]; /* HISTORY_NEWS: the last of them, if it is of the second `known`; "" */
};

void logged_init(struct logged *l);

#endif
