/* SPDX-License-Identifier: MIT */
#include "io/clock_set.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The last day there is: the timer is never to expire. (The kernel caps it, as for systemd.) */
#define FAR_DAY ((time_t)(sizeof(time_t) == 8 ? INT64_MAX : INT32_MAX))

static int arm(int fd)
{
	const struct itimerspec never = {.it_value.tv_sec = FAR_DAY};
	int rc = timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
	/* ECANCELED: the clock was set in this moment; the timer is armed all the same. */
	return rc == 0 || errno == ECANCELED ? 0 : uv_translate_sys_error(errno);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct clock_set *c = poll->data;
	uint64_t expirations;
	(void)events;
	ssize_t n = status == 0 ? read(c->fd, &expirations, sizeof expirations) : -1;
	if (status == 0 && n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Anything but ECANCELED is not to be expected. A look at the clocks cannot be wrong then,
	 * but a timer that is not waiting again would wake us without end. */
	if (status != 0 || n >= 0 || errno != ECANCELED || arm(c->fd) != 0)
		uv_poll_stop(poll);
	c->changed(c->arg);
}

int clock_set_open(struct clock_set *c, uv_loop_t *loop, void (*changed)(void *arg), void *arg)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (fd < 0)
		return uv_translate_sys_error(errno);
	int rc = arm(fd);
	if (rc == 0)
		rc = uv_poll_init(loop, &c->poll, fd);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	c->fd = fd;
	c->changed = changed;
	c->arg = arg;
	c->poll.data = c;
	rc = uv_poll_start(&c->poll, UV_READABLE, on_readable);
	assert(rc == 0); /* it fails for a handle that is being closed, only */
	uv_unref((uv_handle_t *)&c->poll);
	return 0;
}

static void on_close(uv_handle_t *handle)
{
	struct clock_set *c = handle->data;
	close(c->fd);
	c->closed(c->arg);
}

void clock_set_close(struct clock_set *c, void (*closed)(void *arg))
{
	c->closed = closed;
	uv_close((uv_handle_t *)&c->poll, on_close);
}
