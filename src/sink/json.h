/* SPDX-License-Identifier: MIT
 *
 * A notice as one line of NDJSON (proto/events.schema.json). ASCII only, at most JSON_LINE_MAX
 * bytes with the newline: what is too long is shortened at its longest texts, never cut as JSON.
 */
#ifndef OVPNWATCH_SINK_JSON_H
#define OVPNWATCH_SINK_JSON_H

#include "core/notice.h"

#include <stddef.h>
#include <stdint.h>

#define JSON_LINE_MAX 4096 /* PIPE_BUF: a line of this size is written whole or not at all */

/* Who is speaking: the same for every line of a process. */
struct sink_origin {
	uint32_t run;	 /* random, once a process */
	nsec mono_start; /* mono_ms counts from here */
};

/* Writes the line, newline included, not terminated. Returns its length, never 0. */
size_t json_line(const struct notice *n, const struct sink_origin *origin, uint64_t seq,
		 char out[JSON_LINE_MAX]);

#endif
