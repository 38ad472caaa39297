/* SPDX-License-Identifier: MIT
 *
 * One client of the relay: its socket, and what it has not read yet.
 *
 * Happy path: relay_connection_take() a call; bytes go in and out until one of the two ends hangs
 * up; it frees itself within the loop. Failure modes: it does not read (dropped when
 * RELAY_BACKLOG_MAX bytes wait for it, whoever is well-behaved does not notice); it does not take
 * its farewell (RELAY_FAREWELL_MS).
 */
#ifndef OVPNWATCH_IO_RELAY_CONNECTION_H
#define OVPNWATCH_IO_RELAY_CONNECTION_H

#include "core/relay.h"
#include "io/listener.h"

#define RELAY_BACKLOG_MAX 4194304 /* a history of the log as long as any that OpenVPN keeps */
#define RELAY_FAREWELL_MS 2000

struct relay_server;

struct relay_connection {
	union listener_stream u;
	struct relay_server *server;
	struct relay_connection *next;
	char name[80]; /* for the log */
	struct {
		char *bytes;
		size_t n, size;
	} queue;      /* said, and not given to libuv */
	char *flying; /* given to libuv */
	size_t n_flying;
	uv_write_t write;
	bool reading;
	bool ended;	   /* nothing more comes; what is said is still written */
	bool dropped;	   /* not even that */
	uint64_t patience; /* ended: of the loop, ms */
	struct relay_client client;
};

/* Takes a call, of whoever calls there. 0 and *out, which is the server's to link; the client is
 * not the relay's yet. Or a negative UV_E…, and there is nothing to close. */
int relay_connection_take(struct relay_connection **out, struct relay_server *server,
			  struct listener *at) __attribute__((warn_unused_result));

/* Adds to what it is to read. */
void relay_connection_say(struct relay_connection *c, struct slice bytes);

/* Writes and reads what there is to write and read. True: it is over, and to be closed. */
bool relay_connection_settle(struct relay_connection *c, uint64_t now_ms);

/* Frees it from within the loop; relay_server_freed() is told. */
void relay_connection_close(struct relay_connection *c);

#endif
