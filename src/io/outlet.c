/* SPDX-License-Identifier: MIT */
#include "io/outlet.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_MIN ((size_t)65536)

static void fail(struct outlet *o, int error)
{
	o->state = error == EPIPE || error == ECONNRESET || (error == EIO && isatty(o->fd))
		       ? OUTLET_READER_GONE
		       : OUTLET_FAILED;
	o->error = error;
	o->head = o->tail = 0;
}

/* Asks for room (or not) and always for the end of the reader, which epoll tells unasked. */
static void watch_descriptor(struct outlet *o, bool wants_room)
{
	struct epoll_event e = {.events = wants_room ? EPOLLOUT : 0};
	o->wants_room = wants_room;
	if (o->epoll >= 0) {
		int rc = epoll_ctl(o->epoll, EPOLL_CTL_MOD, o->fd, &e);
		assert(rc == 0);
		(void)rc;
	}
}

static bool poll_says_room(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	return poll(&p, 1, timeout_ms) == 1;
}

static ssize_t write_some(struct outlet *o, const char *bytes, size_t n)
{
	switch (o->way) {
	case OUTLET_SOCKET:
		return send(o->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	case OUTLET_SHARED:
		if (!poll_says_room(o->fd, 0)) {
			errno = EAGAIN;
			return -1;
		}
		return write(o->fd, bytes, n);
	case OUTLET_BLOCKING:
	case OUTLET_OWN:
		break;
	}
	return write(o->fd, bytes, n);
}

/* As many whole lines as a pipe takes at once or not at all: lines of several writers stay whole,
 * and so does the last one when we have to leave. */
static size_t next_batch(const char *bytes, size_t n)
{
	if (n <= PIPE_BUF)
		return n;
	const char *end = memrchr(bytes, '\n', PIPE_BUF);
	return end != NULL ? (size_t)(end - bytes) + 1 : PIPE_BUF;
}

/* Nothing waits. What a storm has needed is given back. */
static void empty(struct outlet *o)
{
	o->head = o->tail = 0;
	if (o->size <= QUEUE_MIN)
		return;
	char *small = realloc(o->queue, QUEUE_MIN);
	if (small != NULL) {
		o->queue = small;
		o->size = QUEUE_MIN;
	}
}

/* Room for `n` bytes behind those that wait, which are `max` at most together with them: up to
 * twice as much memory, so that moving them to the front costs no more than having written them. */
static bool make_room(struct outlet *o, size_t n)
{
	while (n > o->size - o->tail) {
		if (o->head >= o->size / 2) {
			memmove(o->queue, o->queue + o->head, o->tail - o->head);
			o->tail -= o->head;
			o->head = 0;
			continue;
		}
		char *large = realloc(o->queue, 2 * o->size);
		if (large == NULL)
			return false;
		o->queue = large;
		o->size *= 2;
	}
	return true;
}

void outlet_allow(struct outlet *o, size_t max)
{
	o->max = max;
}

static void flush(struct outlet *o)
{
	while (o->state == OUTLET_OPEN && o->head < o->tail) {
		const char *from = o->queue + o->head;
		ssize_t n = write_some(o, from, next_batch(from, o->tail - o->head));
		if (n >= 0)
			o->head += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			fail(o, errno);
	}
	if (o->head == o->tail)
		empty(o);
	bool wants_room = o->head < o->tail;
	if (wants_room != o->wants_room)
		watch_descriptor(o, wants_room);
}

/* Nobody waits for us: a file, or a recording that is replayed. */
static bool write_all(struct outlet *o, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t done = write(o->fd, bytes, n);
		if (done >= 0) {
			bytes += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			poll_says_room(o->fd, -1); /* somebody else made it non-blocking */
		} else if (errno != EINTR) {
			fail(o, errno);
			return false;
		}
	}
	return true;
}

bool outlet_write(struct outlet *o, const char *bytes, size_t n)
{
	if (o->state != OUTLET_OPEN || o->closing)
		return false;
	if (o->way == OUTLET_BLOCKING)
		return write_all(o, bytes, n);
	if (n > outlet_room(o))
		return false;
	if (!make_room(o, n))
		return false;
	memcpy(o->queue + o->tail, bytes, n);
	o->tail += n;
	if (!o->wants_room)
		flush(o);
	return o->state == OUTLET_OPEN;
}

size_t outlet_room(const struct outlet *o)
{
	return o->way == OUTLET_BLOCKING ? SIZE_MAX : o->max - outlet_pending(o);
}

size_t outlet_pending(const struct outlet *o)
{
	return o->tail - o->head;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct outlet *o = poll->data;
	struct epoll_event e = {0};
	(void)status;
	(void)events;
	if (o->closing || epoll_wait(o->epoll, &e, 1, 0) != 1)
		return;
	/* A pipe without a reader says ERR, a closed socket HUP and ERR, a terminal HUP. */
	if (e.events & (EPOLLERR | EPOLLHUP)) {
		if (o->state == OUTLET_OPEN)
			fail(o, EPIPE);
		uv_poll_stop(&o->poll);
	} else {
		flush(o);
	}
	o->changed(o->arg);
}

/* How to write to `fd`; *own_fd is set if *fd is a new one. */
static enum outlet_way choose_way(int *fd, bool *own_fd, bool fresh)
{
	char path[32];
	uv_handle_type type = uv_guess_handle(*fd);
	if (type == UV_FILE || type == UV_UNKNOWN_HANDLE)
		return OUTLET_BLOCKING;
	if (type == UV_TCP || type == UV_UDP)
		return OUTLET_SOCKET;
	if (fresh)
		return OUTLET_OWN;
	snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
	int again = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (again >= 0) {
		*fd = again;
		*own_fd = true;
		return OUTLET_OWN;
	}
	/* libuv calls Unix sockets pipes, too; they cannot be opened. */
	return type == UV_NAMED_PIPE && errno == ENXIO ? OUTLET_SOCKET : OUTLET_SHARED;
}

static int open_epoll(struct outlet *o, uv_loop_t *loop)
{
	struct epoll_event e = {0};
	int rc;
	o->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (o->epoll < 0)
		return -errno;
	if (epoll_ctl(o->epoll, EPOLL_CTL_ADD, o->fd, &e) != 0)
		rc = -errno;
	else
		rc = uv_poll_init(loop, &o->poll, o->epoll);
	if (rc != 0) {
		close(o->epoll);
		return rc;
	}
	o->poll.data = o;
	rc = uv_poll_start(&o->poll, UV_READABLE, on_poll);
	assert(rc == 0); /* only on a handle that is closing */
	return 0;
}

int outlet_open(struct outlet *o, uv_loop_t *loop, int fd, bool own, void (*changed)(void *arg),
		void *arg)
{
	*o = (struct outlet){.fd = fd,
			     .own_fd = own,
			     .epoll = -1,
			     .max = OUTLET_QUEUE_MAX,
			     .changed = changed,
			     .arg = arg};
	if (loop == NULL)
		return 0;
	o->way = choose_way(&o->fd, &o->own_fd, own);
	if (o->way == OUTLET_BLOCKING)
		return 0;
	o->queue = malloc(QUEUE_MIN);
	o->size = QUEUE_MIN;
	int rc = o->queue != NULL ? open_epoll(o, loop) : -ENOMEM;
	if (rc == 0)
		return 0;
	free(o->queue);
	if (o->fd != fd)
		close(o->fd);
	return rc;
}

static void release(struct outlet *o)
{
	if (o->epoll >= 0)
		close(o->epoll);
	if (o->own_fd)
		close(o->fd);
	free(o->queue);
	o->queue = NULL;
	o->epoll = o->fd = -1;
}

static void on_closed(uv_handle_t *handle)
{
	release(handle->data);
}

void outlet_close(struct outlet *o)
{
	if (o->closing)
		return;
	o->closing = true;
	if (o->epoll >= 0)
		uv_close((uv_handle_t *)&o->poll, on_closed);
	else
		release(o);
}
