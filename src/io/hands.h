/* SPDX-License-Identifier: MIT
 *
 * The hands of one tunnel: the connections to the management interfaces, the probers of the server
 * and of other remotes, and echo requests to its host; and who carries out the core's actions about
 * this tunnel with them.
 */
#ifndef OVPNWATCH_IO_HANDS_H
#define OVPNWATCH_IO_HANDS_H

#include "core/action.h"
#include "io/address.h"
#include "io/event_sink.h"
#include "io/named_source.h"
#include "io/route_watch.h"
#include "proto/control_channel.h"
#include "proto/profile.h"

/* What they need. Everything is borrowed until they are closed. */
struct app_tunnel {
	struct tunnel *tunnel;
	const struct address *management;      /* NULL: none */
	const char *password_file;	       /* NULL: none */
	const struct address *peer_management; /* the server's own; NULL: none */
	const char *peer_password_file;	       /* NULL: none */
	const char *peer_ntp;		     /* the server's NTP service, HOST[:PORT]; NULL: none */
	const struct profile_remote *remote; /* NULL: nothing is probed */
	const struct control_key *key;
	/* Probe the address that the daemon says it is connected to, by the protocol that this
	 * profile says it has, and its other remotes; NULL: always `remote`. */
	const struct profile *follow;
	bool ask_host; /* echo requests may be sent */
};

/* Written by hands.c, but `next`, which is the owner's. */
struct hands {
	struct tunnel *tunnel;
	struct link *link, *peer_link; /* to the client, to the server; NULL: none */
	struct prober *prober;
	struct other_remotes *others;
	struct echoer *echoer;
	struct named_source peer_ntp;
	const struct profile *follow;
	char followed_ip[48];
	int followed_port;
	struct hands *next;
};

/* Returns 0 or a negative UV_E…; what was opened until then is for hands_close(). */
int hands_open(struct hands *h, uv_loop_t *loop, const struct app_tunnel *tunnel, event_sink sink,
	       void *arg);

/* An action about this tunnel that is theirs. */
void hands_carry_out(struct hands *h, const struct action *a);

/* The daemon may have said where it is connected to. `routes` may be NULL. */
void hands_follow(struct hands *h, struct route_watch *routes);

/* Closes everything within the loop; no event comes after this call. */
void hands_close(struct hands *h);

#endif
