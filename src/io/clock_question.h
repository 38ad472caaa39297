/* SPDX-License-Identifier: MIT
 *
 * Inside of clock_asker: one question and its answer. A question has a timer and up to two sockets;
 * it reports once, closes them and then frees itself.
 */
#ifndef OVPNWATCH_IO_CLOCK_QUESTION_H
#define OVPNWATCH_IO_CLOCK_QUESTION_H

#include "core/event.h"
#include "io/exchange.h"
#include "io/resolve.h"

struct clock_question;

/* The answer, or that there is none; borrowed for the call. It is the last use of the question. */
typedef void (*clock_answered)(struct clock_question *q, const struct event *e);

struct clock_question {
	struct clock_question *next; /* the asker's list */
	void *owner;
	clock_answered answered;
	void (*closed)(struct clock_question *q); /* the owner unlinks and frees it */
	enum event_kind kind;			  /* EVENT_CHRONY, EVENT_SNTP, EVENT_KERNEL */
	unsigned server;			  /* EVENT_SNTP: index of --ntp */
	uv_timer_t timer;
	struct exchange exchanges[2]; /* chrony: IPv4 and IPv6; SNTP: the first */
	unsigned n_handles;	      /* open or closing */
	bool ended;
	unsigned n_sent; /* how often it was sent */
	uint32_t sequence;
	uint64_t transmit;
	bool flawed; /* SNTP: something came that is no answer to us; a true one still may */
	enum ntp_flaw flaw;
};

/* Fill in a question of zeros that has owner, answered and closed set, and start it. Nothing is
 * reported before they return. */
void clock_question_kernel(struct clock_question *q, uv_loop_t *loop);
void clock_question_chrony(struct clock_question *q, uv_loop_t *loop, uint16_t port);
/* Waits for clock_question_sntp_to(), up to the time-out. */
void clock_question_sntp(struct clock_question *q, uv_loop_t *loop, unsigned server);

/* The server's address is known, or (NULL) cannot be known. Only the first call counts. */
void clock_question_sntp_to(struct clock_question *q, const struct sockaddr *to);

/* Closes it without an answer. Total: also while it is closing. */
void clock_question_drop(struct clock_question *q);

#endif
