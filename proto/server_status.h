/* SPDX-License-Identifier: MIT
 *
 * The two lines of a server's `status` command (management interface, or a status file) that say
 * what time it is there (OpenVPN multi.c multi_print_status, otime.c time_string):
 *
 *     TIME,2026-11-24 11:20:33,1795519233            status 2; with tabs: status 3
 *     Updated,2026-11-24 11:20:33                    status 1
 *     Updated,Tue Nov 24 11:20:33 2026               either, in 2.4 and before
 *
 * TIME is OpenVPN's own idea of the time, which all its timers run on; after the system clock was
 * set back it may be ahead of that clock for as long as the process lives (otime.c update_now).
 * Updated is the system clock itself, but in a time zone that the line does not tell: the TIME line
 * of the same server does. Happy path: ask for `status 1` and `status 3`, decode a line of each,
 * server_status_system(). A client's `status` has an Updated line as well, and no TIME.
 *
 * All in whole seconds that have begun: the clock read at least this, and less than one more.
 */
#ifndef OVPNWATCH_PROTO_SERVER_STATUS_H
#define OVPNWATCH_PROTO_SERVER_STATUS_H

#include "proto/slice.h"
#include "proto/verdict.h"

#include <stdbool.h>
#include <stdint.h>

struct server_time {
	int64_t now;   /* OpenVPN's time, seconds since 1970 */
	int64_t local; /* the same as the server's zone writes it, read as if it were UTC */
};

/* Each reads one whole line without its end. VERDICT_INVALID: any other line, also one that is cut
 * short or goes on, or a time after 2261; *out is then untouched. Never VERDICT_MORE. */
MUST_USE enum verdict server_status_time(struct slice line, struct server_time *out);
MUST_USE enum verdict server_status_updated(struct slice line, int64_t *local);

/* The server's system clock, in seconds since 1970, when it wrote the Updated line; both arguments
 * are what the two above gave. False, and *system untouched, if the two halves of `t` are not a
 * time zone apart (a multiple of 15 minutes, at most 14 hours): one of them is then not what it
 * says. If summer time begins or ends between `t` and the system clock, the result is wrong by that
 * hour. */
bool server_status_system(const struct server_time *t, int64_t updated_local, int64_t *system);

#endif
