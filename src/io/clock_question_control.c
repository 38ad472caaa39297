/* SPDX-License-Identifier: MIT
 *
 * An NTP daemon of this machine (ntpd, NTPsec), with control messages to 127.0.0.1 and ::1 at once.
 * The first complete answer wins; a refusal is an answer. Each send has a sequence number of its
 * own, and what comes back is put together for each apart: a value may change between two answers,
 * and parts of both would make a third that nobody gave.
 */
#include "io/clock_question_parts.h"

#include <sys/random.h>

static void unanswered(struct clock_question *q, struct event *e)
{
	/* chronyd, and others that serve NTP only, are silent. */
	static const char *const reasons[CLOCK_OUTCOMES] = {
	    [CLOCK_SILENT] = "no answer to NTP control messages at port 123",
	    [CLOCK_REFUSED] = "nothing listens at 127.0.0.1:123 and [::1]:123",
	    [CLOCK_FAILED] = "127.0.0.1:123 and [::1]:123 cannot be asked",
	    [CLOCK_FLAWED] = "no valid answer to NTP control messages at port 123",
	};
	e->u.ntp_control.reason =
	    q->reason != NULL ? q->reason : reasons[clock_question_outcome(q)];
}

/* A complete one. True: the question has ended with it. */
static bool finish(struct clock_question *q, const struct stamp *at,
		   const struct ntp_control_reply *r)
{
	struct event e = {.at = *at};
	if (r->refused)
		e.u.ntp_control.reason = ntp_control_error_text(r->error);
	else if (ntp_control_parse(r, &e.u.ntp_control.system) == VERDICT_DONE)
		e.u.ntp_control.answered = true;
	else
		return false;
	clock_question_answer(q, &e);
	return true;
}

/* What it says cannot be. The other address may do better. */
static void turn_away(struct exchange *x)
{
	struct clock_question *q = x->arg;
	q->reason = "the NTP daemon's answer is not understood";
	exchange_close(x);
	if (!clock_question_any_open(q))
		clock_question_give_up(q);
}

static void on_packet(struct exchange *x, const struct stamp *at, const void *bytes, size_t size)
{
	struct clock_question *q = x->arg;
	struct ntp_control_reply *replies = q->replies[x - q->exchanges];
	bool of_ours = false;
	for (unsigned i = 0; i < q->n_sent; i++) {
		enum verdict v = ntp_control_add(&replies[i], bytes, size);
		if (v == VERDICT_DONE) {
			if (!finish(q, at, &replies[i]))
				turn_away(x);
			return;
		}
		of_ours |= v == VERDICT_MORE;
	}
	if (!of_ours)
		q->flawed = true;
}

static void send_all(struct clock_question *q)
{
	uint8_t packet[NTP_CONTROL_REQUEST_MAX];
	unsigned n = q->n_sent++;
	uint16_t sequence = (uint16_t)(q->sequence + n);
	size_t size = ntp_control_request(sequence, packet);
	for (int i = 0; i < 2; i++) {
		ntp_control_reply_init(&q->replies[i][n], sequence);
		clock_question_send(q, i, packet, size);
	}
}

void clock_question_control(struct clock_question *q, uv_loop_t *loop, uint16_t port)
{
	static const struct exchange_callbacks callbacks = {.packet = on_packet,
							    .error = clock_question_on_error,
							    .closed = clock_question_on_closed};
	static const struct clock_question_manner manner = {
	    .due = clock_question_resend, .send = send_all, .unanswered = unanswered};
	clock_question_start(q, loop, EVENT_NTP_CONTROL, &manner, CLOCK_QUESTION_RESEND_MS);
	if (getrandom(&q->sequence, sizeof q->sequence, GRND_NONBLOCK) > 0) {
		clock_question_open_loopback(q, port, &callbacks);
		send_all(q);
	}
	if (!clock_question_any_open(q))
		clock_question_again(q, 0);
}
