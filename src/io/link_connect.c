/* SPDX-License-Identifier: MIT
 *
 * How a link and a daemon meet: the link calls, at each address of the name in turn; or (listen:)
 * it waits to be called, and the socket stays open between two calls, because OpenVPN gives up when
 * nobody takes its own (manage.c man_connect: SIGTERM, management-connect-failed).
 */
#include "io/link_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *link_why(const struct link *l, int error)
{
	bool file = l->address.kind == ADDRESS_UNIX;
	switch (error) {
	case UV_ECONNREFUSED:
		return file ? "connection refused: the socket file is left over from an OpenVPN "
			      "that is gone"
			    : "connection refused: nothing listens there (is OpenVPN running?)";
	case UV_ENOENT:
		return "no such socket file (is OpenVPN running?)";
	case UV_EACCES:
	case UV_EPERM:
		return "permission denied: be root, or the user whom OpenVPN's "
		       "management-client-user names";
	case UV_EAGAIN:
		return "other programs wait in its queue already, and it is full";
	case UV_ENOTSOCK:
	case UV_EPROTOTYPE:
		return "that is not a stream socket";
	case UV_ENETUNREACH:
	case UV_EHOSTUNREACH:
		return "no route to it";
	case UV_ETIMEDOUT:
		return "no answer";
	case UV_ECONNRESET:
		return "connection reset";
	case UV_EOF:
		return "OpenVPN closed the connection";
	default:
		return uv_strerror(error);
	}
}

/* --- calling ------------------------------------------------------------------------------ */

static void on_connect(uv_connect_t *req, int status)
{
	struct wire *w = req->data;
	struct link *l = w->link;
	if (l == NULL)
		return;
	if (status == 0)
		status = link_begin(l);
	if (status < 0) {
		link_drop_wire(l);
		snprintf(l->reason, sizeof l->reason, "%s", link_why(l, status));
		link_try_next(l);
	}
}

/* A wire with a handle that is set up, or NULL and *error. */
static struct wire *new_wire(struct link *l, int *error)
{
	struct wire *w = calloc(1, sizeof *w);
	*error = UV_ENOMEM;
	if (w == NULL)
		return NULL;
	*error = l->address.kind == ADDRESS_UNIX ? uv_pipe_init(l->loop, &w->u.pipe, 0)
						 : uv_tcp_init(l->loop, &w->u.tcp);
	if (*error != 0) {
		free(w);
		return NULL;
	}
	w->u.handle.data = w;
	w->connect.data = w;
	w->link = l;
	return w;
}

/* Returns 0 if on_connect() will be called. */
static int connect_wire(struct link *l)
{
	int rc;
	l->wire = new_wire(l, &rc);
	if (l->wire == NULL)
		return rc;
	if (l->address.kind == ADDRESS_UNIX) {
		uv_pipe_connect(&l->wire->connect, &l->wire->u.pipe, l->address.path, on_connect);
		return 0;
	}
	unsigned n;
	const struct sockaddr_storage *to = resolver_all(&l->resolver, &n);
	rc = uv_tcp_connect(&l->wire->connect, &l->wire->u.tcp,
			    (const struct sockaddr *)&to[l->next++], on_connect);
	if (rc != 0)
		link_drop_wire(l);
	return rc;
}

void link_try_next(struct link *l)
{
	unsigned n;
	for (resolver_all(&l->resolver, &n); l->next < n;) {
		int rc = connect_wire(l);
		if (rc == 0) {
			link_start_timer(l, LINK_CONNECT_TIMEOUT_MS);
			return;
		}
		snprintf(l->reason, sizeof l->reason, "%s", link_why(l, rc));
	}
	link_end_later(l, LINK_FAILED, l->reason);
}

void link_on_resolved(void *arg, int status)
{
	struct link *l = arg;
	unsigned n;
	if (!l->wanted || l->late)
		return;
	resolver_all(&l->resolver, &n);
	if (n == 0)
		snprintf(l->reason, sizeof l->reason, "its name cannot be resolved: %s",
			 uv_strerror(status));
	link_try_next(l);
}

/* --- being called ---------------------------------------------------------------------------- */

static void on_unused_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* True: somebody had called, and is the other end now. */
static bool take_call(struct link *l)
{
	struct wire *w = calloc(1, sizeof *w);
	int rc = w != NULL ? listener_accept(l->listener, &w->u) : UV_ENOMEM;
	if (rc == 0) {
		w->u.handle.data = w;
		w->link = l;
		l->wire = w;
		rc = link_begin(l);
		if (rc != 0)
			link_drop_wire(l);
	} else if (w != NULL && w->u.handle.loop != NULL) {
		w->u.handle.data = w;
		uv_close(&w->u.handle, on_unused_closed);
	} else {
		free(w);
	}
	return rc == 0;
}

/* One daemon at a time; another waits in the listener. */
static void on_called(void *arg)
{
	struct link *l = arg;
	if (l->wanted && !l->late && l->wire == NULL)
		take_call(l);
}

static void wait_for_call(struct link *l)
{
	if (l->listener == NULL && listener_open(&l->listener, l->loop, &l->address, NULL,
						 on_called, l, l->reason, sizeof l->reason) != 0) {
		link_end_later(l, LINK_FAILED, l->reason);
		return;
	}
	l->patient = false;
	link_start_timer(l, 0); /* there may be one already, but not from within this call */
}

static void look_for_call(struct link *l)
{
	if (take_call(l))
		return;
	if (l->patient)
		link_tell(l, LINK_WAITING,
			  "it waits for OpenVPN to call: start it with management-client and "
			  "this address as its management");
	else
		link_start_timer(l, LINK_CALL_PATIENCE_MS);
	l->patient = true;
}

void link_out_of_patience(struct link *l)
{
	if (l->address.listen) {
		look_for_call(l);
	} else if (l->wire == NULL) {
		link_end(l, LINK_FAILED, "its name could not be resolved within 5 s");
	} else {
		link_drop_wire(l);
		snprintf(l->reason, sizeof l->reason, "no answer within 5 s");
		link_try_next(l);
	}
}

/* --- either ---------------------------------------------------------------------------------- */

static void call_unix(struct link *l)
{
	int rc = connect_wire(l);
	if (rc == 0)
		link_start_timer(l, LINK_CONNECT_TIMEOUT_MS);
	else
		link_end_later(l, LINK_FAILED, link_why(l, rc));
}

static void call_tcp(struct link *l)
{
	int rc = resolver_look_up(&l->resolver);
	if (rc > 0)
		link_try_next(l);
	else if (rc == 0)
		link_start_timer(l, LINK_CONNECT_TIMEOUT_MS);
	else
		link_end_later(l, LINK_FAILED, uv_strerror(rc));
}

void link_connect(struct link *l)
{
	link_close(l);
	l->wanted = true;
	l->next = 0;
	if (l->address.listen)
		wait_for_call(l);
	else if (l->address.kind == ADDRESS_UNIX)
		call_unix(l);
	else
		call_tcp(l);
}
