/* SPDX-License-Identifier: MIT */
#include "io/echo.h"
#include "io/echo_socket.h"
#include "io/stamp_now.h"

#include <assert.h>
#include <stdlib.h>

#define IN_FLIGHT_MAX 8

enum request_state {
	REQUEST_SENT,
	REQUEST_ENDED,	 /* its outcome is known and will be told by the timer */
	REQUEST_CLOSING, /* nothing comes of it any more */
};

struct request {
	struct echoer *owner;
	struct request *next;
	enum request_state state;
	unsigned id;
	uint64_t made;	   /* the echoer's count when it was made */
	uint64_t deadline; /* of the loop, ms */
	struct stamp sent;
	struct echo_socket socket;
	uv_poll_t poll;
	bool polled;		   /* `socket` and `poll` are open */
	enum echo_outcome outcome; /* REQUEST_ENDED */
	const char *reason;
};

struct echoer {
	uv_loop_t *loop;
	uv_timer_t timer; /* the earliest deadline of all requests */
	bool timer_closed;
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
	bool closing;
	uint64_t made; /* requests so far */
	struct request *requests;
};

static void free_when_closed(struct echoer *e)
{
	if (e->closing && e->timer_closed && e->requests == NULL)
		free(e);
}

static void request_free(struct request *r)
{
	struct echoer *e = r->owner;
	struct request **at = &e->requests;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	free(r);
	free_when_closed(e);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct request *r = handle->data;
	echo_socket_close(&r->socket);
	request_free(r);
}

/* Frees it, now if it has no socket. Neither the request nor (while closing) its echoer may be used
 * after this. */
static void request_close(struct request *r)
{
	if (r->state == REQUEST_CLOSING)
		return;
	r->state = REQUEST_CLOSING;
	if (r->polled)
		uv_close((uv_handle_t *)&r->poll, on_poll_closed);
	else
		request_free(r);
}

static void on_timer(uv_timer_t *timer);

static void arm(struct echoer *e)
{
	uint64_t now = uv_now(e->loop), first = UINT64_MAX;
	for (const struct request *r = e->requests; r != NULL; r = r->next)
		if (r->state != REQUEST_CLOSING && r->deadline < first)
			first = r->deadline;
	if (first == UINT64_MAX)
		uv_timer_stop(&e->timer);
	else
		uv_timer_start(&e->timer, on_timer, first > now ? first - now : 0, 0);
}

/* Reports a request and lets go of it. The sink comes last: it may call us again. */
static void tell(struct request *r, const struct stamp *at, enum echo_outcome outcome,
		 const char *reason)
{
	struct echoer *e = r->owner;
	struct event told = {.kind = EVENT_ECHO, .at = *at, .tunnel = e->tunnel};
	told.u.echo.id = r->id;
	told.u.echo.outcome = outcome;
	told.u.echo.sent = r->sent;
	told.u.echo.reason = reason;
	request_close(r);
	arm(e);
	e->sink(e->arg, &told);
}

/* The outcome is known within somebody's call: the timer tells it. */
static void end_later(struct request *r, enum echo_outcome outcome, const char *reason)
{
	r->state = REQUEST_ENDED;
	r->outcome = outcome;
	r->reason = reason;
	r->deadline = uv_now(r->owner->loop);
	arm(r->owner);
}

static void fail_later(struct request *r, int error)
{
	bool no_route = error == UV_ENETUNREACH || error == UV_EHOSTUNREACH;
	end_later(r, no_route ? ECHO_UNREACHABLE : ECHO_FAILED, uv_strerror(error));
}

static void on_readable(uv_poll_t *poll, int status, int events);

/* libuv stops at an error, and one may be about somebody else's packet. */
static bool listen_on(struct request *r)
{
	return uv_poll_start(&r->poll, UV_READABLE, on_readable) == 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	const struct stamp at = stamp_now(); /* before anything else */
	struct request *r = poll->data;
	int error = 0;
	(void)events;
	if (r->state != REQUEST_SENT)
		return;
	switch (echo_socket_hear(&r->socket, &error)) {
	case ECHO_WORD_NONE:
		if (status != 0)
			(void)listen_on(r);
		return;
	case ECHO_WORD_ANSWER:
		tell(r, &at, ECHO_ANSWERED, NULL);
		return;
	case ECHO_WORD_NO_WAY:
		tell(r, &at, ECHO_UNREACHABLE, uv_strerror(error));
		return;
	}
}

/* The first request that is due and was there when the timer fired: a sink that answers each
 * failure with a new request that fails must not keep us here. */
static struct request *first_due(const struct echoer *e, uint64_t made_before, uint64_t now)
{
	for (struct request *r = e->requests; r != NULL; r = r->next)
		if (r->state != REQUEST_CLOSING && r->made < made_before && r->deadline <= now)
			return r;
	return NULL;
}

static void on_timer(uv_timer_t *timer)
{
	struct echoer *e = timer->data;
	uint64_t now = uv_now(e->loop), made = e->made;
	struct request *r;
	/* The sink may close the echoer, but it is freed in a later round of the loop only. */
	while (!e->closing && (r = first_due(e, made, now)) != NULL) {
		const struct stamp at = stamp_now();
		if (r->state == REQUEST_ENDED)
			tell(r, &at, r->outcome, r->reason);
		else
			request_close(r); /* it had its time */
	}
	if (!e->closing)
		arm(e);
}

static unsigned in_flight(const struct echoer *e)
{
	unsigned n = 0;
	for (const struct request *r = e->requests; r != NULL; r = r->next)
		n += r->state == REQUEST_SENT;
	return n;
}

/* NULL: no memory, and nothing comes of it, as if it had been lost on the way. */
static struct request *request_new(struct echoer *e, unsigned id)
{
	struct request *r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	*r = (struct request){.owner = e,
			      .next = e->requests,
			      .state = REQUEST_ENDED,
			      .id = id,
			      .made = e->made++,
			      .deadline = uv_now(e->loop) + ECHO_LIFE_MS,
			      .sent = stamp_now()};
	e->requests = r;
	return r;
}

static int send_it(struct request *r)
{
	int rc = uv_poll_init(r->owner->loop, &r->poll, r->socket.fd);
	if (rc != 0) {
		echo_socket_close(&r->socket);
		return rc;
	}
	r->poll.data = r;
	r->polled = true;
	rc = listen_on(r) ? 0 : UV_EINVAL;
	r->sent = stamp_now(); /* after everything else */
	return rc == 0 ? echo_socket_send(&r->socket) : rc;
}

void echoer_send(struct echoer *e, unsigned id, const struct sockaddr_storage *to)
{
	unsigned others = in_flight(e);
	struct request *r = request_new(e, id);
	if (r == NULL)
		return;
	if (others >= IN_FLIGHT_MAX) {
		end_later(r, ECHO_FAILED, "8 echo requests wait for an answer already");
		return;
	}
	int rc = echo_socket_open(&r->socket, to);
	if (rc == UV_EPERM) {
		end_later(r, ECHO_FAILED, "this user may not send echo requests");
		return;
	}
	if (rc == 0)
		rc = send_it(r);
	if (rc != 0) {
		fail_later(r, rc);
		return;
	}
	r->state = REQUEST_SENT;
	arm(e);
}

void echoer_decline(struct echoer *e, unsigned id, const char *reason)
{
	struct request *r = request_new(e, id);
	if (r != NULL)
		end_later(r, ECHO_FAILED, reason);
}

int echoer_open(struct echoer **out, uv_loop_t *loop, struct tunnel *tunnel, event_sink sink,
		void *arg)
{
	struct echoer *e = calloc(1, sizeof *e);
	if (e == NULL)
		return UV_ENOMEM;
	e->loop = loop;
	e->tunnel = tunnel;
	e->sink = sink;
	e->arg = arg;
	int rc = uv_timer_init(loop, &e->timer);
	assert(rc == 0);
	(void)rc;
	e->timer.data = e;
	*out = e;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct echoer *e = handle->data;
	e->timer_closed = true;
	free_when_closed(e);
}

void echoer_close(struct echoer *e)
{
	assert(!e->closing);
	e->closing = true;
	uv_close((uv_handle_t *)&e->timer, on_timer_closed);
	for (struct request *r = e->requests, *next; r != NULL; r = next) {
		next = r->next;
		request_close(r);
	}
}
