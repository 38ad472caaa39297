/* SPDX-License-Identifier: MIT
 *
 * What is kept of a server whose clients are watched, and is not there for other tunnels. Internal
 * to the core's server_*.c.
 */
#ifndef OVPNWATCH_CORE_SERVER_BOOK_H
#define OVPNWATCH_CORE_SERVER_BOOK_H

#include "core/client_alerts.h"
#include "core/server_clients.h"

struct actions;
struct tunnel;
struct watch;

struct server_book {
	struct server_clients *clients; /* never NULL */
	struct evictions evictions;
	struct losses losses;
	bool told_present; /* how many there are was said */
	unsigned told_left_out;
	/* Two that evict each other; valid if `duplicate` says so. */
	struct client_eviction eviction;
	struct eviction_verdict duplicate;
	struct stamp evicted;
	bool duplicate_untold;
	/* Many were lost at once. */
	bool lost_untold;
	nsec lost_told; /* mono */
	/* The server's clock against the ruler, by the last two answers: whole seconds, so a step
	 * is known to two. */
	nsec clock;   /* NSEC_UNKNOWN */
	nsec step;    /* 0: none was seen */
	nsec step_at; /* mono: seen */
};

/* NULL: no memory. */
struct server_book *server_book_new(void);
void server_book_free(struct server_book *b);

/* Says what became of clients, and what all of them together say. At most so many notices a turn:
 * the others follow at once. */
#define SERVER_TOLD_AT_ONCE 3
void server_tell(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out);

/* Mono: when there is something to say. */
nsec server_tell_deadline(const struct tunnel *t);

#endif
