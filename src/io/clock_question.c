/* SPDX-License-Identifier: MIT */
#include "io/clock_question.h"
#include "io/clock_question_parts.h"
#include "io/stamp_now.h"

#include <assert.h>
#include <sys/timex.h>

void clock_question_handle_closed(struct clock_question *q)
{
	assert(q->n_handles > 0);
	if (--q->n_handles == 0)
		q->closed(q);
}

static void on_timer_closed(uv_handle_t *handle)
{
	clock_question_handle_closed(handle->data);
}

void clock_question_on_closed(struct exchange *x)
{
	clock_question_handle_closed(x->arg);
}

static void on_timer(uv_timer_t *timer)
{
	struct clock_question *q = timer->data;
	q->manner->due(q);
}

void clock_question_start(struct clock_question *q, uv_loop_t *loop, enum event_kind kind,
			  const struct clock_question_manner *manner, uint64_t timeout_ms)
{
	q->kind = kind;
	q->manner = manner;
	int rc = uv_timer_init(loop, &q->timer);
	assert(rc == 0);
	(void)rc;
	q->timer.data = q;
	q->n_handles = 1;
	clock_question_again(q, timeout_ms);
}

void clock_question_again(struct clock_question *q, uint64_t timeout_ms)
{
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
	unix_exchange_close(&q->local);
	if (q->bus != NULL)
		timesync_bus_close(q->bus);
}

void clock_question_answer(struct clock_question *q, struct event *e)
{
	e->kind = q->kind;
	e->tunnel = q->tunnel;
	clock_question_drop(q);
	q->answered(q, e);
}

void clock_question_give_up(struct clock_question *q)
{
	struct event e = {.at = stamp_now(), .kind = q->kind};
	q->manner->unanswered(q, &e);
	clock_question_answer(q, &e);
}

void clock_question_resend(struct clock_question *q)
{
	if (clock_question_any_open(q) && q->n_sent < CLOCK_QUESTION_SENDS) {
		q->manner->send(q);
		if (clock_question_any_open(q)) {
			clock_question_again(q, CLOCK_QUESTION_RESEND_MS);
			return;
		}
	}
	clock_question_give_up(q);
}

/* --- its exchanges --- */

bool clock_question_any_open(const struct clock_question *q)
{
	return q->exchanges[0].open || q->exchanges[1].open || q->local.open;
}

enum clock_outcome clock_question_outcome(const struct clock_question *q)
{
	if (q->flawed)
		return CLOCK_FLAWED;
	if (q->exchanges[0].open || q->exchanges[1].open)
		return CLOCK_SILENT;
	return q->refused && !q->failed ? CLOCK_REFUSED : CLOCK_FAILED;
}

static void note_error(struct clock_question *q, int error)
{
	if (error == UV_ECONNREFUSED)
		q->refused = true;
	else
		q->failed = true;
}

/* ICMP: nothing listens on this one of its addresses, or the NTP server is not there. */
void clock_question_on_error(struct exchange *x, const struct stamp *at, int error)
{
	struct clock_question *q = x->arg;
	(void)at;
	note_error(q, error);
	exchange_close(x);
	if (!clock_question_any_open(q))
		clock_question_give_up(q);
}

bool clock_question_open(struct clock_question *q, int i, const struct sockaddr *to,
			 const struct exchange_callbacks *callbacks)
{
	exchange_open(&q->exchanges[i], q->timer.loop, callbacks, q);
	q->n_handles++;
	bool fine = exchange_connect(&q->exchanges[i], to) == 0;
	if (!fine)
		exchange_close(&q->exchanges[i]);
	return fine;
}

void clock_question_open_loopback(struct clock_question *q, uint16_t port,
				  const struct exchange_callbacks *callbacks)
{
	static const char *const hosts[2] = {"127.0.0.1", "::1"};
	for (int i = 0; i < 2; i++) {
		struct sockaddr_storage to;
		/* That there is no IPv6 is no failure. */
		if (resolve_numeric(hosts[i], port, &to) &&
		    !clock_question_open(q, i, (const struct sockaddr *)&to, callbacks) && i == 0)
			q->failed = true;
	}
}

void clock_question_send(struct clock_question *q, int i, const void *packet, size_t size)
{
	if (!q->exchanges[i].open)
		return;
	int rc = exchange_send(&q->exchanges[i], packet, size);
	if (rc == 0)
		return;
	note_error(q, rc);
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
	clock_question_answer(q, &e);
}

void clock_question_kernel(struct clock_question *q, uv_loop_t *loop)
{
	static const struct clock_question_manner manner = {.due = ask_kernel}; /* never in vain */
	clock_question_start(q, loop, EVENT_KERNEL, &manner, 0);
}

/* --- systemd-timesyncd --- */

static void on_message(void *arg, const struct timesync_message *m)
{
	struct event e = {.at = stamp_now()};
	e.u.timesync.answered = true;
	e.u.timesync.message = *m;
	clock_question_answer(arg, &e);
}

static void on_failed(void *arg, const char *reason)
{
	struct clock_question *q = arg;
	q->reason = reason;
	clock_question_give_up(q);
}

static void on_bus_closed(void *arg)
{
	clock_question_handle_closed(arg);
}

static void timesync_unanswered(struct clock_question *q, struct event *e)
{
	e->u.timesync.reason = q->reason != NULL ? q->reason : "no answer on the system bus";
}

void clock_question_timesync(struct clock_question *q, uv_loop_t *loop)
{
	static const struct timesync_bus_callbacks callbacks = {
	    .message = on_message, .failed = on_failed, .closed = on_bus_closed};
	static const struct clock_question_manner manner = {.due = clock_question_give_up,
							    .unanswered = timesync_unanswered};
	clock_question_start(q, loop, EVENT_TIMESYNC, &manner, CLOCK_ASKER_TIMEOUT / NSEC_PER_MSEC);
	q->bus = timesync_bus_ask(loop, &callbacks, q, &q->reason);
	if (q->bus != NULL)
		q->n_handles++;
	else
		clock_question_again(q, 0);
}
