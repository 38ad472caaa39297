/* SPDX-License-Identifier: MIT
 *
 * The hands of one tunnel: everything that asks, sends and listens for it, and turns to where the
 * daemon is connected.
 *
 * Happy path: hands_open(), hands_do() for each action, hands_follow() when the tunnel's state may
 * be another, hands_close(), hands_done(). Failure modes: those of whom it gives the action to,
 * each of which is an event of its own; where there is nobody to do it, nothing happens.
 */
#ifndef OVPNWATCH_IO_HANDS_H
#define OVPNWATCH_IO_HANDS_H

#include "io/app.h"
#include "io/named_source.h"
#include "io/prober.h"

/* All zero before hands_open(). */
struct hands {
	uv_loop_t *loop;
	event_sink sink;
	void *arg;
	struct tunnel *tunnel;
	struct link *link, *peer_link; /* to the client, to the server */
	struct log_follow *log;	       /* NULL: none */
	struct relay_server *relay;    /* shares `link`; NULL: with nobody */
	struct prober *prober;
	struct other_remotes *others;
	struct echoer *echoer;
	struct route_watch *route;    /* NULL: not begun, or not to be had here */
	struct named_source peer_ntp; /* the owner's to tell */
	const struct profile *follow;
	/* Where the daemon is connected to, or was last, as it said. */
	char server_ip[48], local_ip[48];
	int server_port;
	bool server_known;
	struct sockaddr_storage server;
	bool closed;
	/* The owner's: the next, and of those that are going, since which turn and whom to tell. */
	struct hands *next;
	unsigned turn;
	void (*gone)(void *arg);
	void *gone_arg;
};

/* Opens what `tunnel` (as for app_add()) names, but its NTP service; all events go to the sink. 0,
 * or a negative UV_E…; hands_close() has to follow either way. */
int hands_open(struct hands *h, uv_loop_t *loop, const struct app_tunnel *tunnel, event_sink sink,
	       void *arg) __attribute__((warn_unused_result));

/* Does what is about this tunnel alone; other actions are passed over. Never calls the sink before
 * it returns. */
void hands_do(struct hands *h, const struct action *a);

/* Turns to the server that the tunnel is connected to. Calls no sink. */
void hands_follow(struct hands *h);

/* No event comes after this call. Twice is once. */
void hands_close(struct hands *h);

/* After hands_close(): what events named goes with it. The struct is the caller's. */
void hands_done(struct hands *h);

#endif
