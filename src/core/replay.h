/* SPDX-License-Identifier: MIT
 *
 * A recording as events on its own clock: an OpenVPN log in any of the formats of proto/log_line.h,
 * or the bytes of a management session. The recording's time zone is worked out from the epoch
 * seconds inside its STATE lines (rounded to quarters of an hour); without one, stamps are this
 * machine's local time, and replay_zone() says so.
 *
 * Happy path: replay_init() looks through the whole text once for the zone, replay_next() gives one
 * event after the other until it is false. Failure modes: stamps that go backwards (the recording's
 * clock was set: `mono` goes on by what the next stamps say, `wall` as written, so that the core
 * sees a step); lines without stamps (they happen when the line before did); a log without any
 * stamps (the epochs of its STATE lines are its clock, in whole seconds, and what leads to a
 * restart is dated by the RECONNECTING that follows at once); no year (the year of the epochs, else
 * `year` for the last line); a management recording without any STATE or LOG line (all at the same
 * time).
 */
#ifndef OVPNWATCH_CORE_REPLAY_H
#define OVPNWATCH_CORE_REPLAY_H

#include "core/event.h"
#include "proto/log_line.h"
#include "proto/management.h"

#include <stdbool.h>

/* Local time zone of this machine: the UTC instant of a civil time read as UTC. */
typedef nsec (*replay_local_time)(nsec naive);

enum replay_format { REPLAY_EMPTY, REPLAY_LOG, REPLAY_MANAGEMENT };

struct replay {
	struct slice rest;
	enum replay_format format;
	bool zone_known; /* from epochs, or every stamp says it */
	nsec zone;	 /* local minus UTC, if zone_known */
	replay_local_time local;
	int year;
	struct stamp now;
	uint64_t lines;
	struct log_joiner joiner;	 /* REPLAY_LOG */
	struct management_framer framer; /* REPLAY_MANAGEMENT */
	bool stamped;			 /* a line of the log bears a stamp */
	nsec yearless; /* the last stamp without a year: one much earlier is next year's */
	bool draining;
};

/* `text` is the whole recording; `buf` (2 bytes or more) is room for two joined lines, or for one
 * line of a management session. Both stay the caller's and outlive the replay. `year` is for syslog
 * stamps that nothing else dates. `local` may be NULL: UTC. */
void replay_init(struct replay *r, struct slice text, char *buf, size_t buf_size,
		 replay_local_time local, int year);

/* The next event (EVENT_LOG or EVENT_LINE for `tunnel`), valid until the next call. False: the end.
 */
bool replay_next(struct replay *r, struct tunnel *tunnel, struct event *out);

/* "UTC-05:00", "UTC", or "local time" if the recording does not say. */
void replay_zone(const struct replay *r, char *out, size_t size);

#endif
