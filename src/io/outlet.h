/* SPDX-License-Identifier: MIT
 *
 * Where bytes leave the process: a descriptor that somebody else gave us and may share with others.
 *
 * Happy path: outlet_write() takes whole lines and they are gone at once. Failure modes: the reader
 * is slow (lines wait in a bounded queue; when it is full, outlet_write() refuses), the reader is
 * gone (noticed also while nothing is written), the disk is full.
 *
 * A descriptor that is shared is never made non-blocking: the flag would be everybody's and would
 * stay when we are gone. Instead:
 *   a file, a device   plain write(2)
 *   pipe, terminal     opened anew through /proc/self/fd, which gives a description of our own;
 *                      where that is not allowed, at most PIPE_BUF bytes when poll(2) says so
 *   socket             send(2) with MSG_DONTWAIT
 */
#ifndef OVPNWATCH_IO_OUTLET_H
#define OVPNWATCH_IO_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define OUTLET_QUEUE_MAX 262144 /* unless outlet_allow() says more */

enum outlet_way {
	OUTLET_BLOCKING, /* write(2) until it is done */
	OUTLET_OWN,	 /* a non-blocking description of our own */
	OUTLET_SOCKET,
	OUTLET_SHARED, /* a blocking description: ask poll(2) first */
};

enum outlet_state { OUTLET_OPEN, OUTLET_READER_GONE, OUTLET_FAILED };

struct outlet {
	enum outlet_way way;
	enum outlet_state state;
	int error; /* errno of OUTLET_FAILED */
	int fd;
	bool own_fd;
	bool closing;
	bool wants_room; /* the queue waits for the reader */
	/* An epoll of its own within the loop's: a uv_poll_t cannot ask for POLLHUP alone, and
	 * takes the half-closed socket that journald hands to services for a reader that left. */
	int epoll;
	uv_poll_t poll;
	char *
	    queue; /* of `size` bytes: grows as it is needed, and is small again when it is empty */
	size_t size, head, tail;
	size_t max;		    /* bytes that wait at most */
	void (*changed)(void *arg); /* there is room again, or the state has changed */
	void *arg;
};

/* `fd` stays the caller's unless `own`. With `loop` NULL every write waits until it is done.
 * `changed` comes from the loop only, never from within outlet_write(). Returns 0 or a negative
 * errno (as UV_E…), and then there is nothing to close but the caller's `fd`. */
int outlet_open(struct outlet *o, uv_loop_t *loop, int fd, bool own, void (*changed)(void *arg),
		void *arg);

/* From now on so many bytes may wait for the reader: many sources say more at a time. */
void outlet_allow(struct outlet *o, size_t max);

/* Takes `n` bytes, whole lines, all of them or none (false: no room, or not OUTLET_OPEN any more).
 */
bool outlet_write(struct outlet *o, const char *bytes, size_t n);

/* How many bytes it would take now, and how many it has taken that are not written yet. */
size_t outlet_room(const struct outlet *o);
size_t outlet_pending(const struct outlet *o);

/* Closes its handles; what is pending is lost. Its memory is the caller's again when the loop has
 * run. Twice is once. */
void outlet_close(struct outlet *o);

#endif
