/* SPDX-License-Identifier: MIT */
#include "io/log_pipe.h"
#include "io/log_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One that never pauses is not waited for longer. */
#define PAUSE_MAX_MS 5000

struct log_pipe {
	struct log_reader reader;
	int fd;
	uv_poll_t poll;
	uv_timer_t pause;
	unsigned n_open; /* handles */
	bool polling;	 /* poll is a handle */
	bool closing;
	bool paused;	/* it was told */
	uint64_t began; /* of the loop, ms */
	int error;	/* why it cannot be listened to; 0 */
};

/* A description of our own: libuv makes it non-blocking, and standard input is shared with others,
 * the shell among them. */
static int open_standard_input(void)
{
	int fd = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) /* a socket */
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd;
}

/* One that is opened for writing too does not end when its writer does. That of a process is of the
 * process, and does. */
static int open_fifo(const char *path)
{
	const int flags = O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	bool of_process = strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
	int fd = of_process ? -1 : open(path, O_RDWR | flags);
	return fd >= 0 ? fd : open(path, O_RDONLY | flags);
}

static void tell_pause(struct log_pipe *p)
{
	if (p->paused)
		return;
	p->paused = true;
	p->reader.pause(p->reader.arg);
}

static void finish(struct log_pipe *p, const char *reason)
{
	if (p->polling)
		uv_poll_stop(&p->poll);
	p->reader.cut(p->reader.arg);
	if (!p->closing)
		tell_pause(p);
	if (!p->closing)
		p->reader.news(p->reader.arg, LOG_FILE_ENDED, reason);
}

static void on_pause(uv_timer_t *timer)
{
	struct log_pipe *p = timer->data;
	if (p->error != 0)
		finish(p, p->error == EPERM ? "there is nothing to be read there"
					    : strerror(p->error));
	else
		tell_pause(p);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct log_pipe *p = poll->data;
	(void)status;
	(void)events;
	if (p->closing)
		return;
	ssize_t n = read(p->fd, log_read_buffer, sizeof log_read_buffer);
	if (n > 0) {
		uint64_t age = uv_now(poll->loop) - p->began;
		if (!p->paused && age < PAUSE_MAX_MS - LOG_PAUSE_MS)
			uv_timer_start(&p->pause, on_pause, LOG_PAUSE_MS, 0);
		p->reader.bytes(p->reader.arg, (struct slice){log_read_buffer, (size_t)n});
	} else if (n == 0 || errno == EIO) { /* a terminal that was hung up */
		finish(p, "it has ended");
	} else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		finish(p, strerror(errno));
	}
}

int log_pipe_open(struct log_pipe **out, uv_loop_t *loop, const char *path,
		  const struct log_reader *reader)
{
	struct log_pipe *p = calloc(1, sizeof *p);
	if (p == NULL)
		return UV_ENOMEM;
	p->reader = *reader;
	p->fd = strcmp(path, "-") == 0 ? open_standard_input() : open_fifo(path);
	p->began = uv_now(loop);
	uv_timer_init(loop, &p->pause); /* cannot fail */
	p->pause.data = p->poll.data = p;
	p->n_open = 1;
	int rc = p->fd >= 0 ? uv_poll_init(loop, &p->poll, p->fd) : -errno;
	p->polling = rc == 0;
	p->n_open += p->polling;
	if (rc == 0)
		rc = uv_poll_start(&p->poll, UV_READABLE | UV_DISCONNECT, on_poll);
	p->error = -rc; /* EPERM: /dev/null and the like cannot be waited for */
	uv_timer_start(&p->pause, on_pause, rc == 0 ? LOG_PAUSE_MS : 0, 0);
	*out = p;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct log_pipe *p = handle->data;
	if (--p->n_open > 0)
		return;
	if (p->fd >= 0)
		close(p->fd);
	p->reader.closed(p->reader.arg);
	free(p);
}

void log_pipe_close(struct log_pipe *p)
{
	p->closing = true;
	uv_close((uv_handle_t *)&p->pause, on_closed);
	if (p->polling)
		uv_close((uv_handle_t *)&p->poll, on_closed);
}
