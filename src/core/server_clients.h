/* SPDX-License-Identifier: MIT
 *
 * The clients of one OpenVPN server: who is connected from where and since when, who left lately,
 * and what of it has not been told yet. Learned from the server's status (all that are there) and
 * from its log (at once, and why): whatever both say is one change.
 *
 * Happy path: server_clients_new(); a first status says who is there and is no news; from then on
 * each line of a status or of the log may make a change, and server_clients_untold() gives them
 * out. Failure modes: a status that was cut judges nobody; a log below `verb 3` says nothing, then
 * the status alone tells, later and without reasons; more than SERVER_CLIENTS_MAX: the others are
 * counted and not followed; no memory: the same. A name may be there several times (duplicate-cn).
 *
 * The one piece of the core that allocates: a server's clients may be thousands, and most tunnels
 * are no servers.
 */
#ifndef OVPNWATCH_CORE_SERVER_CLIENTS_H
#define OVPNWATCH_CORE_SERVER_CLIENTS_H

#include "core/names.h"
#include "core/stamp.h"
#include "proto/client_list.h"
#include "proto/log_text.h"

#include <stdbool.h>
#include <stddef.h>

#define SERVER_CLIENTS_MAX 4096
/* Whoever comes back within this time is known again. */
#define SERVER_CLIENT_KEPT (600 * NSEC_PER_SEC)

#define CLIENT_NAME_MAX	   64
#define CLIENT_ADDRESS_MAX 64

struct server_client {
	char name[CLIENT_NAME_MAX], address[CLIENT_ADDRESS_MAX];
	char virtual_ip[48];
	uint64_t id;		/* OpenVPN's; UINT64_MAX unknown */
	int64_t received, sent; /* bytes; -1 unknown */
	nsec since;		/* mono: connected since; NSEC_UNKNOWN */
	nsec ended;		/* mono; NSEC_UNKNOWN: it is connected */
	nsec replayed;		/* mono: that was last told; NSEC_UNKNOWN */
	bool listed;		/* in the status that is being read */
	bool left;		/* it said goodbye, or was evicted: it is not expected back */
	bool back;		/* it was seen to come back */
	/* What was not told yet, and of that: */
	enum client_change news;
	struct stamp at;
	nsec lasted; /* the session that ended; NSEC_UNKNOWN */
	nsec away;   /* since the end of the session before; NSEC_UNKNOWN */
	char reason[48];
	char other_address[CLIENT_ADDRESS_MAX];
};

struct server_clients {
	struct server_client *list;
	size_t n, room;
	size_t next; /* where to look first: a status comes in the same order each time */
	unsigned connected, untold;
	unsigned left_out; /* not followed, for there are too many */
	bool known;	   /* it is known who is there: what changes from now on is news */
	/* Who completed a handshake last: whom it evicts is said right after, without saying by
	 * whom. */
	char newcomer[CLIENT_NAME_MAX], newcomer_address[CLIENT_ADDRESS_MAX];
	/* The status that is being read. */
	bool has_columns, broken;
	struct client_columns columns;
	int64_t time; /* the server's clock; -1 */
};

/* An end, for who counts them: not of those that left by themselves. */
struct client_end {
	bool ended;
	unsigned before; /* how many were connected before it */
};

/* Someone was evicted. */
struct client_eviction {
	bool evicted;
	char name[CLIENT_NAME_MAX], loser[CLIENT_ADDRESS_MAX], winner[CLIENT_ADDRESS_MAX];
};

/* NULL: no memory. */
struct server_clients *server_clients_new(void);
void server_clients_free(struct server_clients *c);

/* A line of `status 3`. True: it is one that only a server says. */
bool server_clients_status(struct server_clients *c, struct slice line, const struct stamp *at);

/* Its end. Those that it did not list are gone. `whole`: it was not refused. */
void server_clients_status_end(struct server_clients *c, bool whole, const struct stamp *at);

/* A line of the server's log, said now, that begins with a client. *end and *eviction are written.
 */
void server_clients_log(struct server_clients *c, const struct log_fact *fact,
			const struct stamp *at, struct client_end *end,
			struct client_eviction *eviction);

/* The server dropped them all: it restarts or ends, in OpenVPN's word `reason`. */
void server_clients_dropped(struct server_clients *c, const char *reason, const struct stamp *at);

/* One that has news, from *at on (0 at first; moved along); NULL: nobody. Its news is told by
 * server_clients_told(). */
struct server_client *server_clients_untold(struct server_clients *c, size_t *at);
void server_clients_told(struct server_clients *c, struct server_client *client);

#endif
