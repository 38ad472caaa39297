/* SPDX-License-Identifier: MIT
 *
 * systemd-timesyncd's last exchange, asked for on the system bus: the property NTPMessage of
 * org.freedesktop.timesync1 (org.freedesktop.timesync1(5)). The only file that knows libsystemd;
 * built without it, every question fails at once and says so.
 *
 * Happy path: timesync_bus_ask(), the message callback, timesync_bus_close(), the closed callback.
 * A connection of its own for each question: there is one a minute at most. Asking does not start
 * the daemon, where the bus could (the message forbids it). Failure modes: no bus, nobody who owns
 * the name, a timesyncd that lacks the property (before systemd 239), an answer of another type, a
 * bus that hangs up, or that says more than it was asked; a bus that says nothing is for the owner
 * to leave, after a time. Connecting does not block, nor does anything else.
 */
#ifndef OVPNWATCH_IO_TIMESYNC_BUS_H
#define OVPNWATCH_IO_TIMESYNC_BUS_H

#include "proto/timesync.h"

#include <uv.h>

struct timesync_bus;

/* One of the first two comes, once, never from timesync_bus_ask(), and the owner closes then.
 * None comes after timesync_bus_close(), except `closed`, which comes once. */
struct timesync_bus_callbacks {
	/* As the daemon says it, not judged; borrowed for the call. */
	void (*message)(void *arg, const struct timesync_message *m);
	void (*failed)(void *arg, const char *reason); /* a constant, for a person */
	void (*closed)(void *arg);
};

/* Asks. Returns the question, which timesync_bus_close() frees; or NULL, and *reason says why not,
 * for a person (a constant). */
struct timesync_bus *timesync_bus_ask(uv_loop_t *loop,
				      const struct timesync_bus_callbacks *callbacks, void *arg,
				      const char **reason) __attribute__((warn_unused_result));

/* Closes the connection and frees it from within the loop. */
void timesync_bus_close(struct timesync_bus *b);

#endif
