/* SPDX-License-Identifier: MIT */
#include "io/clock_question.h"
#include "io/clock_asker.h"
#include "io/stamp_now.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/timex.h>

#define TIMEOUT_MS	((uint64_t)(CLOCK_ASKER_TIMEOUT / NSEC_PER_MSEC))
#define SNTP_TIMEOUT_MS ((uint64_t)(CLOCK_ASKER_SNTP_TIMEOUT / NSEC_PER_MSEC))
#define CHRONY_SENDS	2 /* to loopback; what is lost there was lost by a full buffer */

/* The clocks are disciplined together: REALTIME - BOOTTIME changes only when the clock is set, and
 * this is for the reading of it. */
#define NOT_SET_WITHIN (10 * NSEC_PER_USEC)

static void on_timer(uv_timer_t *timer);

static void handle_closed(struct clock_question *q)
{
	assert(q->n_handles > 0);
	if (--q->n_handles == 0)
		q->closed(q);
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

static void on_exchange_closed(struct exchange *x)
{
	handle_closed(x->arg);
}

static void start(struct clock_question *q, uv_loop_t *loop, enum event_kind kind,
		  uint64_t timeout_ms)
{
	q->kind = kind;
	int rc = uv_timer_init(loop, &q->timer);
	assert(rc == 0);
	(void)rc;
	q->timer.data = q;
	q->n_handles = 1;
	uv_timer_start(&q->timer, on_timer, timeout_ms, 0);
}

void clock_question_drop(struct clock_question *q)
{
	if (q->ended)
		return;
	q->ended = true;
	uv_close((uv_handle_t *)&q->timer, on_timer_closed);
	for (int i = 0; i < 2; i++)
		exchange_close(&q->exchanges[i]);
}

static void answer(struct clock_question *q, struct event *e)
{
	e->kind = q->kind;
	clock_question_drop(q);
	q->answered(q, e);
}

/* There is no answer. Only from within the loop. */
static void give_up(struct clock_question *q)
{
	struct event e = {.at = stamp_now()};
	if (q->kind == EVENT_SNTP) {
		e.u.sntp.server = q->server;
		e.u.sntp.answered = q->flawed;
		e.u.sntp.flaw = q->flaw;
	}
	answer(q, &e);
}

/* The same, from anywhere: the timer says it. */
static void give_up_soon(struct clock_question *q)
{
	uv_timer_start(&q->timer, on_timer, 0, 0);
}

static bool any_open(const struct clock_question *q)
{
	return q->exchanges[0].open || q->exchanges[1].open;
}

/* ICMP: chronyd does not listen on this one of its addresses, or the NTP server is not there. */
static void on_error(struct exchange *x, const struct stamp *at, int error)
{
	struct clock_question *q = x->arg;
	(void)at;
	(void)error;
	exchange_close(x);
	if (!any_open(q))
		give_up(q);
}

static bool open_to(struct clock_question *q, int i, const struct sockaddr *to,
		    const struct exchange_callbacks *callbacks)
{
	exchange_open(&q->exchanges[i], q->timer.loop, callbacks, q);
	q->n_handles++;
	bool fine = exchange_connect(&q->exchanges[i], to) == 0;
	if (!fine)
		exchange_close(&q->exchanges[i]);
	return fine;
}

static void send_to(struct clock_question *q, int i, const void *packet, size_t size)
{
	if (q->exchanges[i].open && exchange_send(&q->exchanges[i], packet, size) != 0)
		exchange_close(&q->exchanges[i]);
}

/* --- the kernel --- */

/* maxerror below 16 s is the only flag that all time daemons keep: chrony clears STA_UNSYNC with
 * `rtcsync` only (systemd judges the same way). */
static void ask_kernel(struct clock_question *q)
{
	struct timex t = {.modes = 0};
	struct event e = {.at = stamp_now()};
	e.u.kernel.permitted = adjtimex(&t) >= 0;
	if (e.u.kernel.permitted) {
		e.u.kernel.max_error_s = (double)t.maxerror / 1e6;
		e.u.kernel.synchronized = t.maxerror < 16000000;
	}
	answer(q, &e);
}

void clock_question_kernel(struct clock_question *q, uv_loop_t *loop)
{
	start(q, loop, EVENT_KERNEL, 0);
}

/* --- chronyd --- */

static void on_chrony(struct exchange *x, const struct stamp *at, const void *bytes, size_t size)
{
	struct clock_question *q = x->arg;
	struct event e = {.at = *at};
	if (chrony_reply(bytes, size, q->sequence, &e.u.chrony.tracking) != VERDICT_DONE)
		return;
	e.u.chrony.answered = true;
	answer(q, &e);
}

static const struct exchange_callbacks chrony_callbacks = {
    .packet = on_chrony, .error = on_error, .closed = on_exchange_closed};

/* A second time it is the same packet: the answer to either is welcome. */
static void send_chrony(struct clock_question *q)
{
	uint8_t packet[CHRONY_PACKET_SIZE];
	chrony_request(q->sequence, packet);
	for (int i = 0; i < 2; i++)
		send_to(q, i, packet, sizeof packet);
	q->n_sent++;
}

void clock_question_chrony(struct clock_question *q, uv_loop_t *loop, uint16_t port)
{
	static const char *const hosts[2] = {"127.0.0.1", "::1"};
	start(q, loop, EVENT_CHRONY, TIMEOUT_MS / CHRONY_SENDS);
	bool fine = getrandom(&q->sequence, sizeof q->sequence, GRND_NONBLOCK) > 0;
	for (int i = 0; i < 2 && fine; i++) {
		struct sockaddr_storage to;
		if (resolve_numeric(hosts[i], port, &to))
			(void)open_to(q, i, (const struct sockaddr *)&to, &chrony_callbacks);
	}
	send_chrony(q);
	if (!any_open(q))
		give_up_soon(q);
}

/* --- SNTP --- */

/* A reading of the wall clock before and one after: were they on the same scale? */
static bool clock_was_set(const struct stamp *before, const struct stamp *after)
{
	nsec moved = (after->wall - after->boot) - (before->wall - before->boot);
	nsec slack = before->spread + after->spread + NOT_SET_WITHIN;
	return moved > slack || moved < -slack;
}

static void on_sntp(struct exchange *x, const struct stamp *at, const void *bytes, size_t size)
{
	struct clock_question *q = x->arg;
	struct ntp_packet p;
	struct event e = {.at = *at};
	enum ntp_flaw flaw = NTP_NOT_A_REPLY;
	if (ntp_decode(bytes, size, &p) == VERDICT_DONE)
		flaw = ntp_check(&p, q->transmit);
	if (flaw == NTP_NOT_A_REPLY || flaw == NTP_WRONG_ORIGIN) {
		/* Anyone may send such: it must not keep us from the true answer. */
		q->flawed = true;
		q->flaw = flaw;
		return;
	}
	e.u.sntp.server = q->server;
	e.u.sntp.stratum = p.stratum;
	e.u.sntp.answered = true;
	if (flaw == NTP_FINE && clock_was_set(&x->sent, at))
		e.u.sntp.answered = false;
	else if (flaw == NTP_FINE)
		flaw = ntp_measure(&p, x->sent.wall, at->wall, &e.u.sntp.measurement);
	e.u.sntp.flaw = flaw;
	answer(q, &e);
}

static const struct exchange_callbacks sntp_callbacks = {
    .packet = on_sntp, .error = on_error, .closed = on_exchange_closed};

void clock_question_sntp(struct clock_question *q, uv_loop_t *loop, unsigned server)
{
	q->server = server;
	start(q, loop, EVENT_SNTP, SNTP_TIMEOUT_MS);
}

void clock_question_sntp_to(struct clock_question *q, const struct sockaddr *to)
{
	uint8_t packet[NTP_PACKET_SIZE];
	if (q->ended || q->n_sent > 0)
		return;
	q->n_sent++;
	/* The transmit stamp is random, not the time: what comes back with it answers us, and the
	 * packet tells nothing of this machine (draft-ietf-ntp-data-minimization). */
	if (to != NULL && getrandom(&q->transmit, sizeof q->transmit, GRND_NONBLOCK) > 0 &&
	    open_to(q, 0, to, &sntp_callbacks)) {
		ntp_request(q->transmit, packet);
		send_to(q, 0, packet, sizeof packet);
	}
	if (!any_open(q))
		give_up_soon(q);
}

static void on_timer(uv_timer_t *timer)
{
	struct clock_question *q = timer->data;
	if (q->kind == EVENT_KERNEL) {
		ask_kernel(q);
		return;
	}
	if (q->kind == EVENT_CHRONY && any_open(q) && q->n_sent < CHRONY_SENDS) {
		send_chrony(q);
		if (any_open(q)) {
			uv_timer_start(timer, on_timer, TIMEOUT_MS / CHRONY_SENDS, 0);
			return;
		}
	}
	give_up(q);
}
