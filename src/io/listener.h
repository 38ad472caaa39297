/* SPDX-License-Identifier: MIT
 *
 * A socket where others call: TCP by number, or a Unix socket that nobody but its owner (and a
 * group, if one is named) may open, not even for the moment in which it is made.
 *
 * Happy path: listener_open(); `called` for each call, which takes it with listener_accept();
 * listener_close(). A call that is not taken waits, and those behind it wait in the kernel's queue.
 * Failure modes, each with a line for a person: the address is taken; a file that is no socket, or
 * a socket that somebody answers, is in the way (a socket that is left over is replaced); no such
 * group; a name where a number is needed.
 */
#ifndef OVPNWATCH_IO_LISTENER_H
#define OVPNWATCH_IO_LISTENER_H

#include "io/address.h"

#include <uv.h>

struct listener;

/* A connection that was taken: the first member says which kind it is. */
union listener_stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
};

/* `group`: who else may open a Unix socket; NULL: nobody. `called` comes from the loop only; after
 * a call that it does not take it is called again when that one has been taken. Returns 0 and
 * *out, or a negative UV_E… and the line in `error`. */
int listener_open(struct listener **out, uv_loop_t *loop, const struct address *address,
		  const char *group, void (*called)(void *arg), void *arg, char *error,
		  size_t error_size) __attribute__((warn_unused_result));

/* Takes the call. 0: *out is an open handle, to be closed by the caller, whose memory it is;
 * UV_EAGAIN: nobody calls. After any other error there is a handle to close, too, if out->handle
 * has a loop. */
int listener_accept(struct listener *l, union listener_stream *out)
    __attribute__((warn_unused_result));

/* Frees it from within the loop, and removes the socket's file. NULL will do. */
void listener_close(struct listener *l);

#endif
