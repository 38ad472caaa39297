/* SPDX-License-Identifier: MIT
 *
 * The bytes of a log as lines, however they were torn on their way here.
 *
 * Happy path: log_framer_next() until it wants more. Failure modes: a line that does not end (its
 * beginning, which says what it is about, is given out and the rest dropped); the bytes NUL that a
 * file has where it was cut off under a writer (left out at the beginning of a line).
 */
#ifndef OVPNWATCH_PROTO_LOG_FRAMER_H
#define OVPNWATCH_PROTO_LOG_FRAMER_H

#include "proto/slice.h"
#include "proto/verdict.h"

#include <stdbool.h>
#include <stdint.h>

/* More than OpenVPN's own limit (error.h ERR_BUF_SIZE, 10240) and what loggers put in front. */
#define LOG_LINE_MAX 12288

struct log_framer {
	char *buf; /* the caller's: LOG_LINE_MAX bytes */
	size_t have;
	bool dropping;	   /* the rest of a line that is too long, or of one that began unseen */
	uint64_t overlong; /* lines so far */
};

void log_framer_init(struct log_framer *f, char *buf);

/* The beginning of the next line was not seen: it is left out. */
void log_framer_skip(struct log_framer *f);

/* VERDICT_DONE: *line (without its LF) is whole and valid until the next call; *in is what is left.
 * VERDICT_MORE: *in is used up. */
MUST_USE enum verdict log_framer_next(struct log_framer *f, struct slice *in, struct slice *line);

/* Nothing will follow: the last line, if there is one that did not end (VERDICT_DONE). */
MUST_USE enum verdict log_framer_end(struct log_framer *f, struct slice *line);

#endif
