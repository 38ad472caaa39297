/* SPDX-License-Identifier: MIT
 *
 * Notices that this machine's wall clock was set, by a timer that the kernel cancels then
 * (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET, as systemd-timesyncd does). Sleep and leap seconds
 * cancel it as well. It says only that the clocks are worth a look: what happened is found by
 * comparing them.
 */
#ifndef OVPNWATCH_IO_CLOCK_SET_H
#define OVPNWATCH_IO_CLOCK_SET_H

#include <uv.h>

struct clock_set {
	uv_poll_t poll;
	int fd;
	void (*changed)(void *arg);
	void (*closed)(void *arg);
	void *arg;
};

/* 0, or a negative UV_E… where there is no such timer: then there is nothing to close. Does not by
 * itself keep the loop alive. */
int clock_set_open(struct clock_set *c, uv_loop_t *loop, void (*changed)(void *arg), void *arg)
    __attribute__((warn_unused_result));

/* `closed` is called from the loop, when the struct may be freed. */
void clock_set_close(struct clock_set *c, void (*closed)(void *arg));

#endif
