/* SPDX-License-Identifier: MIT
 *
 * Inside of clock_asker: one question and its answer. A question has a timer, and sockets or a
 * connection to the system bus; it reports once, closes them and then frees itself.
 */
#ifndef OVPNWATCH_IO_CLOCK_QUESTION_H
#define OVPNWATCH_IO_CLOCK_QUESTION_H

#include "core/event.h"
#include "io/exchange.h"
#include "io/resolve.h"
#include "io/timesync_bus.h"
#include "io/unix_exchange.h"

#define CLOCK_QUESTION_SENDS 2 /* to loopback; what is lost there was lost by a full buffer */

struct clock_question;

/* The answer, or that there is none; borrowed for the call. It is the last use of the question. */
typedef void (*clock_answered)(struct clock_question *q, const struct event *e);

struct clock_question {
	struct clock_question *next; /* the asker's list */
	void *owner;
	void *about; /* the owner's: whom it is for */
	clock_answered answered;
	void (*closed)(struct clock_question *q); /* the owner unlinks and frees it */
	enum event_kind kind;			  /* of its answer */
	unsigned server;			  /* EVENT_SNTP: index of --ntp */
	struct tunnel *tunnel;			  /* EVENT_PEER_SNTP */

	/* The rest is for clock_question*.c. */
	const struct clock_question_manner *manner;
	uv_timer_t timer;
	struct exchange exchanges[2]; /* chronyd, mode 6: IPv4 and IPv6; SNTP: the first */
	struct unix_exchange local;   /* chronyd */
	struct timesync_bus *bus;
	unsigned n_handles; /* open or closing */
	bool ended;
	unsigned n_sent;      /* how often it was sent */
	bool refused, failed; /* of the exchanges: nothing listens there; some other error */
	bool flawed;	      /* something came that is no answer to us; a true one still may */
	enum ntp_flaw flaw;   /* SNTP: of what came */
	const char *reason;   /* why there is no answer, where that is known early */
	int local_error;      /* chronyd's Unix socket: a negative UV_E…, 0 none */
	uint32_t sequence;
	uint64_t transmit;
	/* Mode 6: what each exchange has of the answer to each send. */
	struct ntp_control_reply replies[2][CLOCK_QUESTION_SENDS];
};

/* Fill in a question of zeros that has owner, answered and closed set, and start it. Nothing is
 * reported before they return. */
void clock_question_kernel(struct clock_question *q, uv_loop_t *loop);
/* `socket`: the path of chronyd's Unix datagram socket. */
void clock_question_chrony(struct clock_question *q, uv_loop_t *loop, uint16_t port,
			   const char *socket);
void clock_question_control(struct clock_question *q, uv_loop_t *loop, uint16_t port);
void clock_question_timesync(struct clock_question *q, uv_loop_t *loop);
/* EVENT_SNTP with `server` set, or EVENT_PEER_SNTP with `tunnel` set. Waits for
 * clock_question_sntp_to(), up to the time-out. */
void clock_question_sntp(struct clock_question *q, uv_loop_t *loop, enum event_kind kind);

/* The server's address is known, or (NULL) cannot be known. Only the first call counts. */
void clock_question_sntp_to(struct clock_question *q, const struct sockaddr *to);

/* Closes it without an answer. Total: also while it is closing. */
void clock_question_drop(struct clock_question *q);

#endif
