/* SPDX-License-Identifier: MIT
 *
 * What the readers of a log (log_file, log_pipe) tell their owner. Any of these but
 * `closed` may close the reader, which then tells nothing more but that.
 */
#ifndef OVPNWATCH_IO_LOG_READER_H
#define OVPNWATCH_IO_LOG_READER_H

#include "core/event.h"

struct log_reader {
	/* A file is open, and its present end is `tail`, last changed at `changed` (wall). */
	void (*tail)(void *arg, struct slice tail, nsec changed);
	/* What is read next begins within a line. */
	void (*within)(void *arg);
	void (*bytes)(void *arg, struct slice in);
	/* What comes next does not belong to the line before. */
	void (*cut)(void *arg);
	void (*news)(void *arg, enum log_file_change change, const char *reason);
	/* A pipe has told what it had, or nothing, for a while. */
	void (*pause)(void *arg);
	/* It is closed, from within the loop. */
	void (*closed)(void *arg);
	void *arg;
};

/* Read at a time, and in one turn of the loop: a flood must not hold up anything else. One loop,
 * and every piece is used up before the next is read: one buffer will do. */
#define LOG_READ_MAX 65536
extern char log_read_buffer[LOG_READ_MAX];

#endif
