/* SPDX-License-Identifier: MIT
 *
 * What the parts of the link know of each other: link.c has the conversation, link_connect.c how
 * the two ends meet.
 */
#ifndef OVPNWATCH_IO_LINK_PARTS_H
#define OVPNWATCH_IO_LINK_PARTS_H

#include "io/link.h"
#include "io/listener.h"
#include "io/password_file.h"
#include "io/resolve.h"
#include "proto/management.h"

/* Bytes that wait for OpenVPN to read them; with more, it does not. A relayed command of several
 * lines has to fit. */
#define LINK_QUEUE_MAX 1048576

struct wire {
	union listener_stream u;
	uv_connect_t connect;
	uv_shutdown_t farewell;
	struct link *link; /* NULL: given up */
};

struct link {
	uv_loop_t *loop;
	struct address address;
	const char *password_file;
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
	bool wanted; /* between link_connect() and its end */
	bool up;
	bool leaving; /* the last words were sent */
	bool freed;   /* they are on their way, and nobody listens any more */
	struct wire *wire;
	struct resolver resolver; /* of a TCP address */
	unsigned next;		  /* of its addresses, to be tried */
	uv_timer_t timer; /* patience, or (late_change) news that must not come from within a call
			   */
	bool late;
	enum link_change late_change;
	char reason[160];
	uint64_t overlong;
	struct stamp reading; /* right before the last read */
	struct stamp drained; /* all that was there at this instant has been read */
	bool of_server;	      /* its events are EVENT_PEER_… */
	struct link_tap tap;
	struct listener *listener; /* of an address where we are called */
	bool patient;		   /* nobody has called for a while, and that was said */
	struct management_framer framer;
	char *line; /* of MANAGEMENT_LINE_MAX bytes, while a line comes in pieces; else NULL */
};

/* The end of what link_connect() began. */
void link_end(struct link *l, enum link_change change, const char *reason);

/* As link_end(), but from within a call of the core's. */
void link_end_later(struct link *l, enum link_change change, const char *reason);

void link_tell(struct link *l, enum link_change change, const char *reason);

/* The connection is there: reads from now on. Returns 0 or a negative UV_E…. */
int link_begin(struct link *l);

void link_drop_wire(struct link *l);

/* For a person. */
const char *link_why(const struct link *l, int error);

/* Goes on with the addresses that are left; without any, `reason` says what became of the last. */
void link_try_next(struct link *l);

/* Of the resolver: the link is `arg`. */
void link_on_resolved(void *arg, int status);

/* Patience has come to its end. */
void link_out_of_patience(struct link *l);

void link_start_timer(struct link *l, uint64_t ms);

#endif
