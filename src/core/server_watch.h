/* SPDX-License-Identifier: MIT
 *
 * A management interface of an OpenVPN server: that it is one, and what becomes of its clients.
 *
 * Happy path: the answer to `status 3` says that it is a server (it has a HEADER of a CLIENT_LIST;
 * a client answers with its statistics) and who is there. From then on the log tells of each
 * client, `load-stats` (which OpenVPN does not log) every few seconds whether their number changed,
 * and `status 3`, which it does, once a minute, and sooner where one of the two said something.
 * Failure modes: a daemon that is not ready refuses to say its status (asked again when it is
 * CONNECTED); a log file without a management interface (it says who connects from now on, and is
 * believed).
 *
 * Where the daemon is a server, the rules about a client's tunnel are silent: it counts bytes for
 * each client and not for itself, it has no ping-restart of its own, and no server.
 */
#ifndef OVPNWATCH_CORE_SERVER_WATCH_H
#define OVPNWATCH_CORE_SERVER_WATCH_H

#include "core/stamp.h"
#include "proto/log_text.h"

#include <stdbool.h>

struct actions;
struct server_book;
struct tunnel;
struct watch;

#define SERVER_STATS_EVERY  (5 * NSEC_PER_SEC)
#define SERVER_STATUS_EVERY (60 * NSEC_PER_SEC)
#define SERVER_STATUS_GAP   NSEC_PER_SEC

enum daemon_role { ROLE_UNKNOWN, ROLE_CLIENT, ROLE_SERVER };

struct server_watch {
	enum daemon_role role;
	bool ask;      /* its role, which it could not say before */
	bool counting; /* it still counts the bytes of each client for us */
	nsec next_stats, next_status, last_status; /* mono */
	int64_t number;				   /* of clients, by `load-stats`; -1 */
	struct server_book *book;		   /* NULL: nothing is known of any client */
};

void server_watch_init(struct server_watch *s);
void server_watch_done(struct server_watch *s);

/* The connection to it is gone. */
void server_watch_detached(struct server_watch *s);

/* What a line of its management interface says. */
void server_watch_status(struct tunnel *t, struct slice line, const struct stamp *at);
void server_watch_status_end(struct tunnel *t, bool whole, const struct stamp *at);
void server_watch_load(struct tunnel *t, struct slice text, const struct stamp *at);

/* A line of its log, said now. True: it is about a client of a server, and not about the tunnel. */
bool server_watch_log(struct watch *w, struct tunnel *t, const struct log_fact *fact,
		      const struct stamp *at);

/* The daemon entered another state, which is known already. */
void server_watch_state(struct tunnel *t, const struct stamp *at);

/* Asks and tells what is due. */
void server_watch_apply(struct watch *w, struct tunnel *t, const struct stamp *now,
			struct actions *out);

/* Mono. */
nsec server_watch_deadline(const struct tunnel *t);

#endif
