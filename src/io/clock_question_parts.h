/* SPDX-License-Identifier: MIT
 *
 * Inside of clock_question*.c: what all questions have in common. Each kind has a manner, starts
 * its question, opens what it needs, and ends it with clock_question_answer() or
 * clock_question_give_up().
 */
#ifndef OVPNWATCH_IO_CLOCK_QUESTION_PARTS_H
#define OVPNWATCH_IO_CLOCK_QUESTION_PARTS_H

#include "io/clock_asker.h"
#include "io/clock_question.h"

#define CLOCK_QUESTION_RESEND_MS \
	((uint64_t)(CLOCK_ASKER_TIMEOUT / NSEC_PER_MSEC / CLOCK_QUESTION_SENDS))

struct clock_question_manner {
	void (*due)(struct clock_question *q);	/* the timer fired */
	void (*send)(struct clock_question *q); /* for clock_question_resend(); counts n_sent */
	/* Says in `e` (kind and instant are set) that there is no answer, and why. Nothing is
	 * closed yet. */
	void (*unanswered)(struct clock_question *q, struct event *e);
};

/* What became of the exchanges of a question that has no answer. */
enum clock_outcome {
	CLOCK_SILENT,
	CLOCK_REFUSED,	/* nothing listens */
	CLOCK_FAILED,	/* could not be sent, or did not get there */
	CLOCK_FLAWED,	/* something came, but nothing that is an answer */
	CLOCK_OUTCOMES, /* how many */
};

/* The timer fires first after `timeout_ms`. */
void clock_question_start(struct clock_question *q, uv_loop_t *loop, enum event_kind kind,
			  const struct clock_question_manner *manner, uint64_t timeout_ms);

/* Lets the timer fire (again), after so long. */
void clock_question_again(struct clock_question *q, uint64_t timeout_ms);

/* A `due` for questions to this machine: sends it again, in the end gives it up. Rearms the timer
 * with CLOCK_QUESTION_RESEND_MS. */
void clock_question_resend(struct clock_question *q);

/* Ends it with this answer; fills in kind and tunnel. Only from within the loop. */
void clock_question_answer(struct clock_question *q, struct event *e);

/* Ends it: there is no answer. Only from within the loop. */
void clock_question_give_up(struct clock_question *q);

/* Opens exchange i to this address. False: it cannot be, and is closed again. */
bool clock_question_open(struct clock_question *q, int i, const struct sockaddr *to,
			 const struct exchange_callbacks *callbacks);

/* The first exchange to 127.0.0.1, the second to ::1. */
void clock_question_open_loopback(struct clock_question *q, uint16_t port,
				  const struct exchange_callbacks *callbacks);

/* On exchange i, if it is open; closes it if that fails. */
void clock_question_send(struct clock_question *q, int i, const void *packet, size_t size);

/* Can there still be an answer? */
bool clock_question_any_open(const struct clock_question *q);

/* Has no sense for a question that has been answered. */
enum clock_outcome clock_question_outcome(const struct clock_question *q);

/* For struct exchange_callbacks. An error closes the exchange; with the last one the question is
 * given up. */
void clock_question_on_error(struct exchange *x, const struct stamp *at, int error);
void clock_question_on_closed(struct exchange *x);

/* A handle has closed; with the last one the question has. */
void clock_question_handle_closed(struct clock_question *q);

#endif
