/* SPDX-License-Identifier: MIT
 *
 * A log that is a file: see io/log_follow.h, whose part this is.
 */
#ifndef OVPNWATCH_IO_LOG_FILE_H
#define OVPNWATCH_IO_LOG_FILE_H

#include "io/log_reader.h"

#include <stdbool.h>
#include <uv.h>

struct log_file;

/* `path` and *reader are copied; nothing is told before this returns. `far`: it may be on a
 * file system that hangs, which must not hold up the loop; it is looked at by another thread, and
 * without inotify. 0 and *out, which log_file_close() frees within the loop, or UV_ENOMEM. */
int log_file_open(struct log_file **out, uv_loop_t *loop, const char *path, bool far,
		  const struct log_reader *reader) __attribute__((warn_unused_result));

void log_file_close(struct log_file *f);

#endif
