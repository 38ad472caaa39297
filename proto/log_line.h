/* SPDX-License-Identifier: MIT
 *
 * A line of an OpenVPN log as it lies in a file, a mail or a journal: when, by whose clock, and
 * what was said. All formats that OpenVPN and the usual loggers have produced (OpenVPN error.c
 * x_msg_va, otime.c time_string):
 *
 *     Mon Jan 15 18:36:43 2024 us=578145 text       (2.4 and before; us= from verb 4 on)
 *     Mon Jan 15 18:36:43 2024 text
 *     2024-01-15 18:36:43 us=578145 text            (2.5 and later)
 *     1705361803.578145 4000001 text                (--machine-readable-output)
 *     Jan 15 18:36:43 host openvpn[123]: text       (syslog; no year)
 *     Jan 15 18:36:43 host nm-openvpn[123]: text
 *     2024-01-15T18:36:43.578145-05:00 host openvpn[123]: text   (rsyslog, the journal's short-iso)
 *     Mon 2024-01-15 18:36:43 EST host openvpn[123]: text         (the journal's short-full)
 *     2024-01-15 18:36:43.578145 text               (Tunnelblick)
 *     vpn-1  | 2024-01-15 18:36:43 text             (docker compose logs)
 *     text                                          (--suppress-timestamps)
 *
 * Two stamps in one line (a logger's in front of OpenVPN's own): the inner one, OpenVPN's, counts;
 * if only the logger's says its zone, the zone follows from the difference of the two.
 */
#ifndef OVPNWATCH_PROTO_LOG_LINE_H
#define OVPNWATCH_PROTO_LOG_LINE_H

#include "proto/civil_time.h"
#include "proto/nsec.h"
#include "proto/slice.h"
#include "proto/verdict.h"

#include <stdbool.h>

/* The year of a stamp without one: a leap year, so that February 29 has its place. */
#define LOG_LINE_NO_YEAR 1972

struct log_line {
	bool stamped;
	bool has_zone; /* the stamp is UTC or says its offset: `time` is an instant */
	bool has_year;
	bool fraction; /* finer than a second */
	nsec time;     /* as if the written time were UTC, unless has_zone; year LOG_LINE_NO_YEAR if
			  !has_year */
	struct slice text; /* what OpenVPN said, without stamps, loggers' prefixes and CR */
	/* Who said it, as the logger has it: "nm-openvpn" of "nm-openvpn[123]:"; empty without one.
	 */
	struct slice ident;
	int64_t pid;	   /* -1: it is not there */
	struct slice host; /* where it said it, as the logger has it; empty */
};

/* Never VERDICT_INVALID or VERDICT_MORE for a line of any bytes: what bears no stamp is text. */
void log_line_parse(struct slice line, struct log_line *out);

/* A time of the year LOG_LINE_NO_YEAR moved to the same day of `year` (1970 to 2261); February 29
 * becomes March 1 where there is none. */
nsec log_line_with_year(nsec time, int year);

/* Unwraps what a mail program wrapped: in a log whose lines are stamped, a line without a stamp
 * belongs to the one before (but a blank line ends it). Feed lines in order; each call may give the
 * previous, whole line. The buffer is the caller's; it holds two lines, so a joined line longer
 * than half of it is cut. */
struct log_joiner {
	char *buf;
	size_t size;
	size_t have;
	bool upper; /* the half of buf that the line in progress is in */
	bool holding;
	bool stamped; /* a stamped line was seen: unstamped ones are continuations */
};

void log_joiner_init(struct log_joiner *j, char *buf, size_t size);

/* VERDICT_DONE: *whole is the line before this one, valid until the next call. VERDICT_MORE: none
 * is whole yet. */
MUST_USE enum verdict log_joiner_add(struct log_joiner *j, struct slice line, struct slice *whole);

/* At the end of the input: the last line, if there is one (VERDICT_DONE). */
MUST_USE enum verdict log_joiner_end(struct log_joiner *j, struct slice *whole);

#endif
