/* SPDX-License-Identifier: MIT
 *
 * chronyd, by every way that it may listen on at once: UDP on 127.0.0.1 and ::1 (any user; absent
 * with `cmdport 0`), and its Unix socket (root and its own user). The first valid answer wins.
 */
#include "io/clock_question_parts.h"

#include <sys/random.h>

enum local_outcome {
	LOCAL_ABSENT,
	LOCAL_DENIED,
	LOCAL_REFUSED,
	LOCAL_SILENT,
	LOCAL_FAILED,
	LOCAL_OUTCOMES
};

#define UDP   "127.0.0.1:323 and [::1]:323"
#define LOCAL "; " CHRONY_SOCKET ": "
#define WITH_LOCAL(udp)                                                               \
	{                                                                             \
		[LOCAL_ABSENT] = udp, [LOCAL_DENIED] = udp LOCAL "permission denied", \
		[LOCAL_REFUSED] = udp LOCAL "nothing listens",                        \
		[LOCAL_SILENT] = udp LOCAL "no valid answer",                         \
		[LOCAL_FAILED] = udp LOCAL "cannot be asked",                         \
	}

static const char *const reasons[CLOCK_OUTCOMES][LOCAL_OUTCOMES] = {
    [CLOCK_SILENT] = WITH_LOCAL("no answer at " UDP),
    [CLOCK_REFUSED] = WITH_LOCAL("nothing listens at " UDP),
    [CLOCK_FAILED] = WITH_LOCAL(UDP " cannot be asked"),
    [CLOCK_FLAWED] = WITH_LOCAL("no valid answer at " UDP),
};

static enum local_outcome local_outcome(const struct clock_question *q)
{
	switch (q->local_error) {
	case 0:
		return LOCAL_SILENT;
	case UV_ENOENT:
	case UV_ENOTDIR:
		return LOCAL_ABSENT;
	case UV_EACCES:
	case UV_EPERM:
		return LOCAL_DENIED;
	case UV_ECONNREFUSED:
		return LOCAL_REFUSED;
	default:
		return LOCAL_FAILED;
	}
}

static void unanswered(struct clock_question *q, struct event *e)
{
	e->u.chrony.reason = reasons[clock_question_outcome(q)][local_outcome(q)];
}

/* --- what comes back --- */

static bool take(struct clock_question *q, const struct stamp *at, const void *bytes, size_t size)
{
	struct event e = {.at = *at};
	if (chrony_reply(bytes, size, q->sequence, &e.u.chrony.tracking) != VERDICT_DONE)
		return false;
	e.u.chrony.answered = true;
	clock_question_answer(q, &e);
	return true;
}

static void on_packet(struct exchange *x, const struct stamp *at, const void *bytes, size_t size)
{
	struct clock_question *q = x->arg;
	if (!take(q, at, bytes, size))
		q->flawed = true;
}

static void on_local_packet(struct unix_exchange *x, const struct stamp *at, const void *bytes,
			    size_t size)
{
	(void)take(x->arg, at, bytes, size);
}

static void on_local_error(struct unix_exchange *x, int error)
{
	struct clock_question *q = x->arg;
	q->local_error = error;
	unix_exchange_close(x);
	if (!clock_question_any_open(q))
		clock_question_give_up(q);
}

static void on_local_closed(struct unix_exchange *x)
{
	clock_question_handle_closed(x->arg);
}

/* --- the question --- */

/* A second time it is the same packet: the answer to either is welcome. */
static void send_all(struct clock_question *q)
{
	uint8_t packet[CHRONY_PACKET_SIZE];
	chrony_request(q->sequence, packet);
	for (int i = 0; i < 2; i++)
		clock_question_send(q, i, packet, sizeof packet);
	if (q->local.open) {
		q->local_error = unix_exchange_send(&q->local, packet, sizeof packet);
		if (q->local_error != 0)
			unix_exchange_close(&q->local);
	}
	q->n_sent++;
}

void clock_question_chrony(struct clock_question *q, uv_loop_t *loop, uint16_t port,
			   const char *socket)
{
	static const struct exchange_callbacks callbacks = {.packet = on_packet,
							    .error = clock_question_on_error,
							    .closed = clock_question_on_closed};
	static const struct unix_exchange_callbacks local_callbacks = {
	    .packet = on_local_packet, .error = on_local_error, .closed = on_local_closed};
	static const struct clock_question_manner manner = {
	    .due = clock_question_resend, .send = send_all, .unanswered = unanswered};
	clock_question_start(q, loop, EVENT_CHRONY, &manner, CLOCK_QUESTION_RESEND_MS);
	q->local_error = UV_EAGAIN;
	if (getrandom(&q->sequence, sizeof q->sequence, GRND_NONBLOCK) > 0) {
		clock_question_open_loopback(q, port, &callbacks);
		q->local_error = unix_exchange_open(&q->local, loop, socket, &local_callbacks, q);
		if (q->local_error == 0)
			q->n_handles++;
		send_all(q);
	}
	if (!clock_question_any_open(q))
		clock_question_again(q, 0);
}
