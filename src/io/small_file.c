/* SPDX-License-Identifier: MIT */
#include "io/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

static bool refuse_errno(char *why, size_t why_size)
{
	snprintf(why, why_size, "%s", uv_strerror(uv_translate_sys_error(errno)));
	return false;
}

/* Reads up to `size` bytes; -1 with errno. */
static ssize_t read_whole(int fd, char *to, size_t size)
{
	size_t n = 0;
	while (n < size) {
		ssize_t got = read(fd, to + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static bool read_open(int fd, size_t limit, struct small_file *out, char *why, size_t why_size)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return refuse_errno(why, why_size);
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, why_size, "%s",
			 S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file");
		return false;
	}
	/* The size in `st` may be out of date: one byte beyond the limit tells. */
	struct small_file f = {.text = malloc(limit + 1), .mode = st.st_mode};
	if (f.text == NULL) {
		errno = ENOMEM;
		return refuse_errno(why, why_size);
	}
	ssize_t n = read_whole(fd, f.text, limit + 1);
	if (n < 0)
		refuse_errno(why, why_size);
	else if ((size_t)n > limit)
		snprintf(why, why_size, "is larger than %zu KiB", limit / 1024);
	if (n < 0 || (size_t)n > limit) {
		f.n = limit + 1;
		small_file_done(&f);
		return false;
	}
	f.n = (size_t)n;
	*out = f;
	return true;
}

bool small_file_read(const char *path, size_t limit, struct small_file *out, char *why,
		     size_t why_size)
{
	/* O_NONBLOCK: to open a FIFO must not wait for its writer. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return refuse_errno(why, why_size);
	bool fine = read_open(fd, limit, out, why, why_size);
	close(fd);
	return fine;
}

void small_file_done(struct small_file *f)
{
	if (f->text != NULL)
		explicit_bzero(f->text, f->n);
	free(f->text);
	*f = (struct small_file){0};
}
