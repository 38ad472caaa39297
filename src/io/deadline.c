/* SPDX-License-Identifier: MIT */
#include "io/deadline.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static void fire(struct deadline *d)
{
	d->armed = NSEC_NEVER;
	d->due(d->arg);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct deadline *d = poll->data;
	uint64_t times;
	(void)status;
	(void)events;
	if (d->closing)
		return;
	/* EAGAIN: it was set anew after it had come. */
	if (read(d->fd, &times, sizeof times) == sizeof times)
		fire(d);
}

static void on_timer(uv_timer_t *timer)
{
	fire(timer->data);
}

int deadline_open(struct deadline *d, uv_loop_t *loop, void (*due)(void *arg), void *arg)
{
	int rc;
	*d = (struct deadline){.fd = -1, .armed = NSEC_NEVER, .due = due, .arg = arg};
	d->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (d->fd < 0) {
		rc = uv_timer_init(loop, &d->timer);
		d->timer.data = d;
		return rc;
	}
	rc = uv_poll_init(loop, &d->poll, d->fd);
	if (rc == 0) {
		d->poll.data = d;
		rc = uv_poll_start(&d->poll, UV_READABLE, on_poll);
		assert(rc == 0); /* only on a handle that is closing */
	} else {
		close(d->fd);
	}
	return rc;
}

static void set_timer(struct deadline *d, nsec mono)
{
	if (mono == NSEC_NEVER) {
		uv_timer_stop(&d->timer);
		return;
	}
	nsec left = nsec_max(mono - (nsec)uv_hrtime(), 0);
	int rc;
	uv_update_time(d->timer.loop);
	rc = uv_timer_start(&d->timer, on_timer,
			    (uint64_t)((left + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC), 0);
	assert(rc == 0);
	(void)rc;
}

void deadline_set(struct deadline *d, nsec mono)
{
	if (mono == d->armed || d->closing)
		return;
	d->armed = mono;
	if (d->fd < 0) {
		set_timer(d, mono);
		return;
	}
	/* All zeroes disarm it: what is overdue is due in a nanosecond. Relative, although an
	 * instant would do as well: libfaketime moves instants by the fake, even those of this
	 * clock. */
	nsec left = mono == NSEC_NEVER ? 0 : nsec_max(mono - (nsec)uv_hrtime(), 1);
	struct itimerspec when = {
	    .it_value = {.tv_sec = (time_t)(left / NSEC_PER_SEC), .tv_nsec = left % NSEC_PER_SEC}};
	int rc = timerfd_settime(d->fd, 0, &when, NULL);
	assert(rc == 0);
	(void)rc;
}

static void on_closed(uv_handle_t *handle)
{
	struct deadline *d = handle->data;
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

void deadline_close(struct deadline *d)
{
	uv_handle_t *handle = d->fd >= 0 ? (uv_handle_t *)&d->poll : (uv_handle_t *)&d->timer;
	if (d->closing)
		return;
	d->closing = true;
	uv_close(handle, on_closed);
}
