/* SPDX-License-Identifier: MIT
 *
 * One look at a file that is followed: all that may block, and nothing else, so that another thread
 * can do it.
 */
#ifndef OVPNWATCH_IO_LOG_LOOK_H
#define OVPNWATCH_IO_LOG_LOOK_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct log_look {
	/* given */
	const char *path;
	int fd;	    /* -1: it is opened, */
	bool first; /* and its end is read, up to `want` bytes; else `want` bytes from `at` on */
	off_t at;
	size_t want; /* at most LOG_READ_MAX */
	char *buffer;

	/* found */
	int error;	  /* errno: it cannot be opened or read; 0 */
	ssize_t n;	  /* bytes read; 0: there are no more, and then: */
	struct stat open; /* of fd, also when it was just opened */
	bool there;	  /* something is at its path: */
	struct stat at_path;
};

/* fd is the caller's to close, also a new one. */
void log_look(struct log_look *l);

#endif
