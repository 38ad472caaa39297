/* SPDX-License-Identifier: MIT
 *
 * The first look through a recording, for core/replay.c alone: what it is, where its clock begins
 * and in which zone and year its stamps are.
 */
#ifndef OVPNWATCH_CORE_REPLAY_SURVEY_H
#define OVPNWATCH_CORE_REPLAY_SURVEY_H

#include "core/replay.h"

/* Needs rest, local, year; fills in format, zone, year of the first line, stamped and now.wall.
 * buf is used and left for others. */
void replay_survey(struct replay *r, char *buf, size_t buf_size);

/* The instant of a stamped line, by the zone and the year that `r` has come to. */
nsec replay_wall(const struct replay *r, const struct log_line *l);

/* Whether a stamp without a year belongs to the year after the one that `before` belongs to. */
bool replay_new_year(nsec before, nsec time);

/* The STATE in a line of a log's text. False: the text is something else. */
bool replay_state(struct slice text, struct management_state *state);

/* The daemon's time in a live line of a management session (STATE, LOG, ECHO), in seconds. */
bool replay_epoch(struct slice line, uint64_t *epoch);

#endif
