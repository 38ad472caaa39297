/* SPDX-License-Identifier: MIT */
#include "io/echo.h"
#include "io/echo_socket.h"
#include "io/in_flight.h"
#include "io/stamp_now.h"

#include <stdlib.h>

#define IN_FLIGHT_MAX 8

enum echo_state {
	ECHO_REQUEST_SENT,
	ECHO_REQUEST_ENDED,   /* its outcome is known and will be told by the timer */
	ECHO_REQUEST_CLOSING, /* nothing comes of it any more */
};

struct echo_request {
	struct in_flight_request request;
	enum echo_state state;
	unsigned id;
	struct stamp sent;
	struct echo_socket socket;
	uv_poll_t poll;
	bool polled;		   /* `socket` and `poll` are open */
	enum echo_outcome outcome; /* ECHO_REQUEST_ENDED */
	const char *reason;
};

struct echoer {
	struct in_flight in_flight; /* of struct echo_request */
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
};

static struct echoer *owner(const struct echo_request *r)
{
	return (struct echoer *)r->request.owner;
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct echo_request *r = handle->data;
	echo_socket_close(&r->socket);
	in_flight_gone(&r->request);
}

/* Frees it, now if it has no socket. Neither the request nor (while closing) its echoer may be used
 * after this. */
static void request_close(struct in_flight_request *request)
{
	struct echo_request *r = (struct echo_request *)request;
	if (r->state == ECHO_REQUEST_CLOSING)
		return;
	r->state = ECHO_REQUEST_CLOSING;
	request->deadline = IN_FLIGHT_NEVER;
	if (r->polled)
		uv_close((uv_handle_t *)&r->poll, on_poll_closed);
	else
		in_flight_gone(request);
}

/* Reports a request and lets go of it. The sink comes last: it may call us again. */
static void tell(struct echo_request *r, const struct stamp *at, enum echo_outcome outcome,
		 const char *reason)
{
	struct echoer *e = owner(r);
	struct event told = {.kind = EVENT_ECHO, .at = *at, .tunnel = e->tunnel};
	told.u.echo.id = r->id;
	told.u.echo.outcome = outcome;
	told.u.echo.sent = r->sent;
	told.u.echo.reason = reason;
	request_close(&r->request);
	in_flight_arm(&e->in_flight);
	e->sink(e->arg, &told);
}

/* The outcome is known within somebody's call: the timer tells it. */
static void end_later(struct echo_request *r, enum echo_outcome outcome, const char *reason)
{
	r->state = ECHO_REQUEST_ENDED;
	r->outcome = outcome;
	r->reason = reason;
	r->request.deadline = uv_now(r->request.owner->loop);
	in_flight_arm(r->request.owner);
}

static void fail_later(struct echo_request *r, int error)
{
	bool no_route = error == UV_ENETUNREACH || error == UV_EHOSTUNREACH;
	end_later(r, no_route ? ECHO_UNREACHABLE : ECHO_FAILED, uv_strerror(error));
}

static void on_readable(uv_poll_t *poll, int status, int events);

/* libuv stops at an error, and one may be about somebody else's packet. */
static bool listen_on(struct echo_request *r)
{
	return uv_poll_start(&r->poll, UV_READABLE, on_readable) == 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	const struct stamp at = stamp_now(); /* before anything else */
	struct echo_request *r = poll->data;
	int error = 0;
	(void)events;
	if (r->state != ECHO_REQUEST_SENT)
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

static void due(struct in_flight_request *request)
{
	struct echo_request *r = (struct echo_request *)request;
	const struct stamp at = stamp_now();
	if (r->state == ECHO_REQUEST_ENDED)
		tell(r, &at, r->outcome, r->reason);
	else
		request_close(request); /* it had its time */
}

static unsigned count_sent(const struct echoer *e)
{
	unsigned n = 0;
	for (const struct in_flight_request *r = e->in_flight.first; r != NULL; r = r->next)
		n += ((const struct echo_request *)r)->state == ECHO_REQUEST_SENT;
	return n;
}

/* NULL: no memory, and nothing comes of it, as if it had been lost on the way. */
static struct echo_request *request_new(struct echoer *e, unsigned id)
{
	struct echo_request *r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	r->state = ECHO_REQUEST_ENDED;
	r->id = id;
	r->sent = stamp_now();
	in_flight_add(&e->in_flight, &r->request, uv_now(e->in_flight.loop) + ECHO_LIFE_MS);
	return r;
}

static int send_it(struct echo_request *r)
{
	int rc = uv_poll_init(r->request.owner->loop, &r->poll, r->socket.fd);
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
	unsigned others = count_sent(e);
	struct echo_request *r = request_new(e, id);
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
	r->state = ECHO_REQUEST_SENT;
	in_flight_arm(&e->in_flight);
}

void echoer_decline(struct echoer *e, unsigned id, const char *reason)
{
	struct echo_request *r = request_new(e, id);
	if (r != NULL)
		end_later(r, ECHO_FAILED, reason);
}

static void free_owner(struct in_flight *f)
{
	free(f);
}

int echoer_open(struct echoer **out, uv_loop_t *loop, struct tunnel *tunnel, event_sink sink,
		void *arg)
{
	struct echoer *e = calloc(1, sizeof *e);
	if (e == NULL)
		return UV_ENOMEM;
	*e = (struct echoer){
	    .in_flight = {.due = due, .close = request_close, .free_owner = free_owner},
	    .tunnel = tunnel,
	    .sink = sink,
	    .arg = arg};
	in_flight_open(&e->in_flight, loop);
	*out = e;
	return 0;
}

void echoer_close(struct echoer *e)
{
	in_flight_close(&e->in_flight);
}
