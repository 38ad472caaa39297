/* SPDX-License-Identifier: MIT
 *
 * When the lines of a log that is followed were written, by the clock of whoever wrote them. Most
 * stamps do not say their zone, and a container's is often another than this machine's.
 *
 * Happy path: of a line that just came, the zone is the whole quarters of an hour by which its
 * stamp is beside our clock; of lines in a file, those by which the last one is beside the file's
 * time of change. Failure modes, all of which are 0, not known: a stamp that is further beside a
 * zone than a line can be late, a file that was touched since, no stamp.
 */
#ifndef OVPNWATCH_IO_LOG_DATER_H
#define OVPNWATCH_IO_LOG_DATER_H

#include "proto/log_line.h"

/* All zero: the zone is not known. */
struct log_dater {
	enum { LOG_ZONE_UNKNOWN, LOG_ZONE_LOCAL, LOG_ZONE_FIXED } known;
	nsec zone; /* LOG_ZONE_FIXED: local minus UTC */
};

/* Learns the zone from a line that was written at `wall`, or a moment before. */
void log_dater_learn(struct log_dater *d, const struct log_line *l, nsec wall);

/* The instant (wall) of a line from before, or 0. `now` (wall) is for stamps without a year. */
nsec log_dater_past(const struct log_dater *d, const struct log_line *l, nsec now);

/* The instant (wall) of a line that came at `now`, or 0. */
nsec log_dater_now(const struct log_line *l, nsec now);

#endif
