/* SPDX-License-Identifier: MIT
 *
 * The one timer: calls back at an instant of the monotonic clock, to well below a millisecond,
 * because probes are aimed (a uv_timer counts whole milliseconds and is the fallback).
 */
#ifndef OVPNWATCH_IO_DEADLINE_H
#define OVPNWATCH_IO_DEADLINE_H

#include "proto/nsec.h"

#include <stdbool.h>
#include <uv.h>

struct deadline {
	int fd; /* a timerfd, or -1: `timer` does its work */
	uv_poll_t poll;
	uv_timer_t timer;
	nsec armed; /* mono; NSEC_NEVER: not armed */
	bool closing;
	void (*due)(void *arg);
	void *arg;
};

/* Returns 0 or a negative UV_E…. `due` is called once for each instant that was set. */
int deadline_open(struct deadline *d, uv_loop_t *loop, void (*due)(void *arg), void *arg);

/* Calls back at `mono` instead of at what was set before; in the past: with the next turn of the
 * loop; NSEC_NEVER: not at all. */
void deadline_set(struct deadline *d, nsec mono);

/* Its memory is the caller's again when the loop has run. Twice is once. */
void deadline_close(struct deadline *d);

#endif
