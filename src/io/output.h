/* SPDX-License-Identifier: MIT
 *
 * Notices to lines, and the lines out: standard output or a file, JSON or text.
 *
 * A reader that is too slow does not hold anybody up: notices that find no room are dropped (the
 * newest, whole), counted, and the count is told as a notice of its own when the reader has
 * caught up. A notice gets its `seq` when it is accepted, so a reader sees no gap: what is missing
 * is told in words.
 */
#ifndef OVPNWATCH_IO_OUTPUT_H
#define OVPNWATCH_IO_OUTPUT_H

#include "core/notice.h"
#include "io/outlet.h"
#include "sink/format.h"
#include "sink/json.h"
#include "sink/text.h"

struct output {
	struct outlet outlet;
	bool text;
	struct text_style style;
	bool own_zone; /* style.utc_offset_s is the caller's; else it is this machine's */
	struct sink_origin origin;
	uint64_t seq;
	uint64_t accepted, dropped;   /* notices; the announcements are among the accepted */
	uint64_t dropped_unannounced; /* of the dropped */
	void (*ended)(void *arg);
	void *arg;
	char line[TEXT_BLOCK_MAX];
};

/* Opens standard output, or (if `path` is not NULL) a file to append to. With `loop` NULL every
 * notice waits until it is written, and nothing is dropped. `ended` is called from within the loop,
 * once, when nobody reads any more or it cannot be written; ask output_state(). True: open. False:
 * `error` has a line for a person. */
bool output_open(struct output *o, uv_loop_t *loop, const char *path, enum output_format format,
		 void (*ended)(void *arg), void *arg, char *error, size_t error_size);

/* The same for a descriptor, which stays the caller's unless `own`. Returns 0 or UV_E…. */
int output_open_fd(struct output *o, uv_loop_t *loop, int fd, bool own, enum output_format format,
		   void (*ended)(void *arg), void *arg);

/* So many tunnels may have something to say at the same time. */
void output_expect(struct output *o, unsigned tunnels);

/* How text for a person goes to a descriptor: in colour if it is a terminal that wants it
 * (NO_COLOR, TERM), and how wide that is. A width of 0: it is no terminal, or none that knows. */
struct text_style output_style(int fd);

void output_notice(struct output *o, const struct notice *n);

/* OUTLET_READER_GONE and OUTLET_FAILED are final; ask after output_notice(), too. */
enum outlet_state output_state(const struct output *o);
/* Why it failed, for a person. */
const char *output_error(const struct output *o);

/* Everything that was accepted is written. */
bool output_drained(const struct output *o);

/* Closes its handles; what was not written is lost. Twice is once. */
void output_close(struct output *o);

#endif
