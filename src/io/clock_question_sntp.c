/* SPDX-License-Identifier: MIT
 *
 * One SNTP exchange, in two uses. With an --ntp server it is to measure this machine's clock
 * against UTC: the server has to be synchronised, and this machine's clock must not be set
 * meanwhile. With the VPN server it is about what that clock shows, right or wrong: its stamps are
 * handed on.
 */
#include "io/clock_question_parts.h"
#include "io/stamp_now.h"

#include <sys/random.h>

#define TIMEOUT_MS ((uint64_t)(CLOCK_ASKER_SNTP_TIMEOUT / NSEC_PER_MSEC))

/* The clocks are disciplined together: REALTIME - BOOTTIME changes only when the clock is set,
 * BOOTTIME - MONOTONIC only in sleep, and this is for the reading of them. */
#define READING_SLACK (10 * NSEC_PER_USEC)

static const char *why_silent(const struct clock_question *q)
{
	static const char *const reasons[CLOCK_OUTCOMES] = {
	    [CLOCK_SILENT] = "no answer",
	    [CLOCK_REFUSED] = "nothing listens there",
	    [CLOCK_FAILED] = "it cannot be reached from here",
	    [CLOCK_FLAWED] = "what came back does not answer the question",
	};
	if (q->reason != NULL)
		return q->reason;
	if (q->n_sent == 0)
		return "its name was not found in time";
	return reasons[clock_question_outcome(q)];
}

static void unanswered(struct clock_question *q, struct event *e)
{
	if (q->kind == EVENT_PEER_SNTP) {
		e->u.peer_sntp.reason = why_silent(q);
		return;
	}
	e->u.sntp.server = q->server;
	e->u.sntp.answered = q->flawed;
	e->u.sntp.flaw = q->flaw;
	e->u.sntp.reason = why_silent(q);
}

/* --- what comes back --- */

/* Between two readings: by how much did this grow, and is that more than reading it takes? */
static bool moved(nsec before, nsec after, const struct stamp *first, const struct stamp *last)
{
	nsec slack = first->spread + last->spread + READING_SLACK;
	return after - before > slack || before - after > slack;
}

static bool clock_was_set(const struct stamp *sent, const struct stamp *at)
{
	return moved(sent->wall - sent->boot, at->wall - at->boot, sent, at);
}

static bool machine_slept(const struct stamp *sent, const struct stamp *at)
{
	return moved(sent->boot - sent->mono, at->boot - at->mono, sent, at);
}

static void measure(struct clock_question *q, const struct stamp *sent, const struct stamp *at,
		    const struct ntp_packet *p, enum ntp_flaw flaw)
{
	struct event e = {.at = *at};
	e.u.sntp.server = q->server;
	e.u.sntp.stratum = p->stratum;
	e.u.sntp.answered = true;
	if (flaw == NTP_FINE && clock_was_set(sent, at)) {
		e.u.sntp.answered = false;
		e.u.sntp.reason = "this machine's clock was set before the answer came";
	} else if (flaw == NTP_FINE) {
		flaw = ntp_measure(p, sent->wall, at->wall, &e.u.sntp.measurement);
	}
	e.u.sntp.flaw = flaw;
	clock_question_answer(q, &e);
}

static bool tells_time(const struct ntp_packet *p)
{
	return p->receive != 0 && p->transmit != 0 && ntp_difference(p->transmit, p->receive) >= 0;
}

/* The stamps count by themselves, so it does not matter whether the server is synchronised (that is
 * the question), nor that our own clock was set; it only says which era of NTP they are of. */
static void hand_on(struct clock_question *q, const struct stamp *sent, const struct stamp *at,
		    const struct ntp_packet *p, enum ntp_flaw flaw)
{
	struct event e = {.at = *at};
	bool kiss = flaw == NTP_KISS_DENY || flaw == NTP_KISS_RSTR || flaw == NTP_KISS_RATE;
	e.u.peer_sntp.sent = *sent;
	if (kiss) {
		e.u.peer_sntp.answered = true;
		e.u.peer_sntp.flaw = flaw; /* its stamps must not be used: RFC 5905 section 7.4 */
	} else if (!tells_time(p)) {
		e.u.peer_sntp.reason = "its answer tells no time";
	} else if (machine_slept(sent, at)) {
		e.u.peer_sntp.reason = "this machine slept before the answer came";
	} else {
		uint64_t here = ntp_from_nsec(sent->wall);
		e.u.peer_sntp.answered = true;
		e.u.peer_sntp.receive = sent->wall + ntp_difference(p->receive, here);
		e.u.peer_sntp.transmit = sent->wall + ntp_difference(p->transmit, here);
	}
	clock_question_answer(q, &e);
}

static void on_packet(struct exchange *x, const struct stamp *at, const void *bytes, size_t size)
{
	struct clock_question *q = x->arg;
	struct ntp_packet p;
	enum ntp_flaw flaw = NTP_NOT_A_REPLY;
	if (ntp_decode(bytes, size, &p) == VERDICT_DONE)
		flaw = ntp_check(&p, q->transmit);
	if (flaw == NTP_NOT_A_REPLY || flaw == NTP_WRONG_ORIGIN) {
		/* Anyone may send such: it must not keep us from the true answer. */
		q->flawed = true;
		q->flaw = flaw;
		return;
	}
	const struct stamp sent = x->sent;
	if (q->kind == EVENT_PEER_SNTP)
		hand_on(q, &sent, at, &p, flaw);
	else
		measure(q, &sent, at, &p, flaw);
}

/* --- the question --- */

void clock_question_sntp(struct clock_question *q, uv_loop_t *loop, enum event_kind kind)
{
	static const struct clock_question_manner manner = {.due = clock_question_give_up,
							    .unanswered = unanswered};
	clock_question_start(q, loop, kind, &manner, TIMEOUT_MS);
}

void clock_question_sntp_to(struct clock_question *q, const struct sockaddr *to)
{
	static const struct exchange_callbacks callbacks = {.packet = on_packet,
							    .error = clock_question_on_error,
							    .closed = clock_question_on_closed};
	uint8_t packet[NTP_PACKET_SIZE];
	if (q->ended || q->n_sent > 0)
		return;
	q->n_sent++;
	if (to == NULL)
		q->reason = "its name was not found";
	/* The transmit stamp is random, not the time: what comes back with it answers us, and the
	 * packet tells nothing of this machine (draft-ietf-ntp-data-minimization). */
	if (to != NULL && getrandom(&q->transmit, sizeof q->transmit, GRND_NONBLOCK) > 0 &&
	    clock_question_open(q, 0, to, &callbacks)) {
		ntp_request(q->transmit, packet);
		clock_question_send(q, 0, packet, sizeof packet);
	}
	if (!clock_question_any_open(q))
		clock_question_again(q, 0);
}
