/* SPDX-License-Identifier: MIT */
#include "io/log_look.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void open_it(struct log_look *l)
{
	/* Whatever comes there later must not hold us up: a pipe would. */
	l->fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (l->fd < 0 || fstat(l->fd, &l->open) != 0) {
		l->error = errno;
	} else if (!S_ISREG(l->open.st_mode)) {
		l->error = EISDIR;
	} else if (l->first) {
		off_t size = l->open.st_size, want = (off_t)l->want;
		ssize_t n = pread(l->fd, l->buffer, l->want, size > want ? size - want : 0);
		l->n = n > 0 ? n : 0;
	}
}

void log_look(struct log_look *l)
{
	l->error = 0;
	l->n = 0;
	l->there = false;
	if (l->fd < 0) {
		open_it(l);
		return;
	}
	l->n = pread(l->fd, l->buffer, l->want, l->at);
	if (l->n < 0 || fstat(l->fd, &l->open) != 0)
		l->error = errno;
	else if (l->n == 0)
		l->there = stat(l->path, &l->at_path) == 0;
}
