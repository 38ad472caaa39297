/* SPDX-License-Identifier: MIT
 *
 * A log that is a pipe, a terminal or a socket: see io/log_follow.h, whose part this is.
 */
#ifndef OVPNWATCH_IO_LOG_PIPE_H
#define OVPNWATCH_IO_LOG_PIPE_H

#include "io/log_reader.h"

#include <uv.h>

struct log_pipe;

/* `path` "-" is standard input. *reader is copied; nothing is told before this returns. 0 and *out,
 * which log_pipe_close() frees within the loop, or a negative UV_E…. */
int log_pipe_open(struct log_pipe **out, uv_loop_t *loop, const char *path,
		  const struct log_reader *reader) __attribute__((warn_unused_result));

void log_pipe_close(struct log_pipe *p);

#endif
