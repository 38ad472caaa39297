/* SPDX-License-Identifier: MIT
 *
 * Requests under way that share one timer, and their end: whoever sent them cannot be freed before
 * the last of their sockets is closed.
 *
 * Happy path: in_flight_add() with each request, in_flight_arm() when deadlines were set; `due` is
 * called for each request whose time has come. A request that is done closes what it has and calls
 * in_flight_gone(). After in_flight_close() the owner is freed by `free_owner`, from within the
 * loop. Failure mode: an owner that answers each failure with a new request that fails at once.
 * Those have to wait for the next turn of the loop.
 */
#ifndef OVPNWATCH_IO_IN_FLIGHT_H
#define OVPNWATCH_IO_IN_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define IN_FLIGHT_NEVER UINT64_MAX /* the deadline of a request that is being closed */

/* The first member of a request, which is on the heap. */
struct in_flight_request {
	struct in_flight *owner;
	struct in_flight_request *next;
	uint64_t made;	   /* the owner's count when it was made */
	uint64_t deadline; /* of the loop, ms */
};

/* The first member of its owner. */
struct in_flight {
	uv_loop_t *loop;
	uv_timer_t timer; /* the earliest deadline of all */
	bool closing, timer_closed;
	uint64_t made; /* requests so far */
	struct in_flight_request *first;
	void (*due)(struct in_flight_request *r);   /* it may close its owner */
	void (*close)(struct in_flight_request *r); /* begins its end; twice is once */
	void (*free_owner)(struct in_flight *f);    /* the last call: frees the owner */
};

/* The three calls are the owner's. */
void in_flight_open(struct in_flight *f, uv_loop_t *loop);

/* A request that was allocated and is the list's from now on. Arms nothing. */
void in_flight_add(struct in_flight *f, struct in_flight_request *r, uint64_t deadline);

/* After deadlines were set. */
void in_flight_arm(struct in_flight *f);

/* Frees the request, whose handles are closed; while closing perhaps its owner, too. */
void in_flight_gone(struct in_flight_request *r);

/* Closes every request and the timer. `due` is not called any more. Once. */
void in_flight_close(struct in_flight *f);

#endif
