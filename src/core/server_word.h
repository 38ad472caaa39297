/* SPDX-License-Identifier: MIT
 *
 * What the VPN server's own log says of this client, where its management interface is watched
 * (--peer-management): that it gave the client up, that another connection under the same
 * certificate evicted it, and whether it gave others up at the same time. Which of its clients is
 * ours is learned from the virtual address that it gave out (multi.c multi_learn_addr).
 *
 * Failure modes: the server's `verb` is below 3 or its log of the connection is gone (then no
 * client is known to be ours, and what is said of one is nobody's).
 */
#ifndef OVPNWATCH_CORE_SERVER_WORD_H
#define OVPNWATCH_CORE_SERVER_WORD_H

#include "proto/log_text.h"
#include "proto/nsec.h"

#include <stdbool.h>

#define SERVER_NAME_MAX 64
#define SERVER_TEXT_MAX 80
#define SERVER_LEARNED	8

/* What ends a session, and when it was last said (mono; NSEC_UNKNOWN: never). */
struct server_drops {
	nsec duplicate;	     /* a new connection of our name dropped the one before */
	nsec gave_up;	     /* its ping-restart for our client */
	nsec others_gave_up; /* its ping-restart for another client */
	nsec lost;	     /* its management connection ended */
};

struct server_word {
	char name[SERVER_NAME_MAX]; /* our client's common name there; "" unknown */
	/* The last virtual addresses that it gave out: it may say so before we know ours. */
	struct {
		char ip[48], name[SERVER_NAME_MAX];
	} learned[SERVER_LEARNED]; /* a ring */
	unsigned n_learned;
	struct server_drops drops;
	nsec refused; /* mono: it rejected our client's certificate or packets: `text` */
	enum log_fact_kind refused_kind;
	char text[SERVER_TEXT_MAX];
	bool no_keepalive; /* it warned that it has no --keepalive */
};

struct server_drops server_drops_none(void);

void server_word_init(struct server_word *w);

/* Its management connection ended: perhaps the server did. */
void server_word_lost(struct server_word *w, nsec mono);

/* Takes a line of the server's log. `our_ip`: the virtual address of this tunnel, "" unknown.
 * `live`: it is said now (at `mono`), rather than from before we came. */
void server_word_log(struct server_word *w, const struct log_fact *fact, bool live,
		     const char *our_ip, nsec mono);

#endif
