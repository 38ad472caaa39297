/* SPDX-License-Identifier: MIT
 *
 * One question by a Unix datagram and what comes back, as chronyd takes them. The server can only
 * answer to a path, so the socket is bound to one of its own beside the server's ("ovpnwatch.PID.N
 * .sock": AppArmor lets Debian's chronyd write into its own folder, not below it), that everybody
 * may write to, and that is gone again with unix_exchange_close().
 *
 * Happy path: unix_exchange_open(), unix_exchange_send(), the packet callback,
 * unix_exchange_close(), the closed callback. Failure modes: unix_exchange_open() says what the
 * kernel says: UV_ENOENT (no such socket), UV_EACCES (not for this user), UV_ECONNREFUSED (left
 * over: its server is gone); unix_exchange_send() too, where the server goes later.
 */
#ifndef OVPNWATCH_IO_UNIX_EXCHANGE_H
#define OVPNWATCH_IO_UNIX_EXCHANGE_H

#include "core/stamp.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>
#include <uv.h>

struct unix_exchange;

/* None comes after unix_exchange_close(), except `closed`, which comes once. */
struct unix_exchange_callbacks {
	/* A datagram from the server; borrowed for the call. */
	void (*packet)(struct unix_exchange *x, const struct stamp *at, const void *bytes,
		       size_t size);
	/* The socket is of no more use: close it. Negative UV_E… */
	void (*error)(struct unix_exchange *x, int error);
	void (*closed)(struct unix_exchange *x); /* the struct may be freed or used again */
};

struct unix_exchange {
	uv_poll_t poll;
	const struct unix_exchange_callbacks *callbacks;
	void *arg; /* the owner's, for its callbacks */
	int fd;
	bool open;		  /* between unix_exchange_open() and unix_exchange_close() */
	struct sockaddr_un bound; /* our own path */
};

/* Connects to the datagram socket at `server` and binds a path beside it. 0, to be followed by one
 * unix_exchange_close(); or a negative UV_E…, and nothing is left behind (UV_ENAMETOOLONG: the
 * kernel would cut one of the two paths). No callback comes of it. */
int unix_exchange_open(struct unix_exchange *x, uv_loop_t *loop, const char *server,
		       const struct unix_exchange_callbacks *callbacks, void *arg)
    __attribute__((warn_unused_result));

/* Sends, now or not at all. 0, or a negative UV_E… (UV_EAGAIN: the server reads too slowly). Calls
 * no callback. */
int unix_exchange_send(struct unix_exchange *x, const void *bytes, size_t size)
    __attribute__((warn_unused_result));

/* The path is gone when it returns. Total: also for a struct of zeros, and while it is closing. */
void unix_exchange_close(struct unix_exchange *x);

#endif
