/* SPDX-License-Identifier: MIT
 *
 * A connection (struct wire) lives from its first handle until libuv has closed it; the link only
 * points at the present one. A wire that was given up points at no link, and whatever libuv still
 * has to say about it is heard by nobody.
 */
#include "io/link.h"
#include "io/password_file.h"
#include "io/resolve.h"
#include "io/stamp_now.h"
#include "proto/management.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than the core ever has unanswered; when all are taken, OpenVPN does not read. */
#define WRITES_MAX 16

struct wire {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} u;
	uv_connect_t connect;
	struct link *link; /* NULL: given up */
	struct {
		uv_write_t req;
		bool busy;
	} writes[WRITES_MAX];
	char secret[sizeof((struct password *)0)->text + 1]; /* the password on its way */
};

struct link {
	uv_loop_t *loop;
	struct address address;
	const char *password_file;
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
	bool wanted; /* between link_connect() and its end */
	bool up;
	struct wire *wire;
	struct resolver resolver; /* of a TCP address */
	unsigned next;		  /* of its addresses, to be tried */
	uv_timer_t timer; /* patience, or (late_change) news that must not come from within a call
			   */
	bool late;
	enum link_change late_change;
	char reason[160];
	uint64_t overlong;
	struct stamp reading; /* right before the last read */
	struct stamp drained; /* all that was there at this instant has been read */
	bool of_server;	      /* its events are EVENT_PEER_… */
	struct management_framer framer;
	char *line; /* MANAGEMENT_LINE_MAX: pages that no torn line needs are never touched */
};

static void try_next(struct link *l);

/* One loop, and every piece is used up before the next is read: one buffer will do. Not larger,
 * because libuv reads 32 times before it looks at anything else. */
static char receive_buffer[16384];
static bool receive_buffer_in_use;

static void tell(struct link *l, enum link_change change, const char *reason)
{
	struct event e = {.kind = l->of_server ? EVENT_PEER_LINK : EVENT_LINK,
			  .at = stamp_now(),
			  .tunnel = l->tunnel};
	e.u.link.change = change;
	e.u.link.reason = reason;
	l->sink(l->arg, &e);
}

static void on_wire_closed(uv_handle_t *handle)
{
	struct wire *w = handle->data;
	explicit_bzero(w->secret, sizeof w->secret);
	free(w);
}

static void drop_wire(struct link *l)
{
	struct wire *w = l->wire;
	l->wire = NULL;
	l->up = false;
	if (w == NULL)
		return;
	w->link = NULL;
	uv_close(&w->u.handle, on_wire_closed);
}

/* The end of what link_connect() began. */
static void end(struct link *l, enum link_change change, const char *reason)
{
	link_close(l);
	tell(l, change, reason);
}

static void on_timer(uv_timer_t *timer)
{
	struct link *l = timer->data;
	char reason[sizeof l->reason];
	if (l->late) {
		memcpy(reason, l->reason, sizeof reason);
		end(l, l->late_change, reason);
	} else if (l->wire == NULL) {
		end(l, LINK_FAILED, "its name could not be resolved within 5 s");
	} else {
		drop_wire(l);
		snprintf(l->reason, sizeof l->reason, "no answer within 5 s");
		try_next(l);
	}
}

static void start_timer(struct link *l, uint64_t ms)
{
	int rc = uv_timer_start(&l->timer, on_timer, ms, 0);
	assert(rc == 0); /* only on a handle that is closing */
	(void)rc;
}

/* As end(), but from within a call of the core's. */
static void end_later(struct link *l, enum link_change change, const char *reason)
{
	link_close(l);
	l->wanted = true;
	l->late = true;
	l->late_change = change;
	if (reason != l->reason)
		snprintf(l->reason, sizeof l->reason, "%s", reason);
	start_timer(l, 0);
}

static const char *why(const struct link *l, int error)
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

/* --- reading and writing --------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct wire *w = handle->data;
	(void)suggested;
	assert(!receive_buffer_in_use);
	if (w->link != NULL) /* libuv reads next */
		w->link->reading = stamp_now();
	receive_buffer_in_use = true;
	*buf = uv_buf_init(receive_buffer, sizeof receive_buffer);
}

static void tell_lines(struct link *l, struct wire *w, struct slice in)
{
	struct event e = {.kind = l->of_server ? EVENT_PEER_LINE : EVENT_LINE,
			  .at = stamp_now(),
			  .since = l->drained,
			  .tunnel = l->tunnel};
	bool all = in.n < sizeof receive_buffer;
	while (w->link == l && management_framer_next(&l->framer, &in, &e.u.line) == VERDICT_DONE)
		l->sink(l->arg, &e);
	if (w->link == l && l->framer.dropped > l->overlong) {
		l->overlong = l->framer.dropped;
		tell(l, LINK_OVERLONG, "a line of more than 64 KiB was dropped");
	}
	/* What comes next was not there yet, unless its beginning was, or the buffer was too small
	 * to hold all that was. */
	if (w->link == l && all && management_framer_empty(&l->framer))
		l->drained = l->reading;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct wire *w = stream->data;
	struct link *l = w->link;
	if (n > 0 && l != NULL)
		tell_lines(l, w, (struct slice){.p = buf->base, .n = (size_t)n});
	receive_buffer_in_use = false;
	if (n < 0 && l != NULL)
		end(l, LINK_CLOSED, why(l, (int)n));
}

static void on_written(uv_write_t *req, int status)
{
	struct wire *w = req->data;
	for (unsigned i = 0; i < WRITES_MAX; i++)
		if (req == &w->writes[i].req)
			w->writes[i].busy = false;
	if (status < 0 && w->link != NULL)
		end(w->link, LINK_CLOSED, why(w->link, status));
}

/* `text` stays valid until it is written. */
static void write_text(struct link *l, const char *text)
{
	struct wire *w = l->wire;
	uv_buf_t buf = {.base = (char *)(uintptr_t)text, .len = strlen(text)};
	unsigned i = 0;
	while (i < WRITES_MAX && w->writes[i].busy)
		i++;
	if (i == WRITES_MAX) {
		end_later(l, LINK_CLOSED, "OpenVPN does not read what is sent to it");
		return;
	}
	w->writes[i].req.data = w;
	int rc = uv_write(&w->writes[i].req, &w->u.stream, &buf, 1, on_written);
	if (rc == 0)
		w->writes[i].busy = true;
	else
		end_later(l, LINK_CLOSED, why(l, rc));
}

void link_send(struct link *l, enum management_command command)
{
	if (l->up)
		write_text(l, management_command_text(command));
}

void link_send_password(struct link *l)
{
	struct password password;
	char error[sizeof l->reason];
	if (!l->up)
		return;
	if (l->password_file == NULL ||
	    !password_read(l->password_file, &password, error, sizeof error)) {
		end_later(l, LINK_UNAVAILABLE,
			  l->password_file != NULL ? error : "no password file was given");
		return;
	}
	assert(password.n + 2 <= sizeof l->wire->secret);
	memcpy(l->wire->secret, password.text, password.n);
	memcpy(l->wire->secret + password.n, "\n", 2);
	password_wipe(&password);
	write_text(l, l->wire->secret);
}

/* --- connecting ------------------------------------------------------------------------------ */

static void on_connect(uv_connect_t *req, int status)
{
	struct wire *w = req->data;
	struct link *l = w->link;
	if (l == NULL)
		return;
	if (status == 0)
		status = uv_read_start(&w->u.stream, on_alloc, on_read);
	if (status < 0) {
		drop_wire(l);
		snprintf(l->reason, sizeof l->reason, "%s", why(l, status));
		try_next(l);
		return;
	}
	uv_timer_stop(&l->timer);
	if (l->address.kind == ADDRESS_TCP)
		uv_tcp_nodelay(&w->u.tcp, 1);
	l->up = true;
	l->overlong = 0;
	l->drained.mono = NSEC_UNKNOWN;
	management_framer_init(&l->framer, l->line, MANAGEMENT_LINE_MAX);
	tell(l, LINK_UP, NULL);
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
		drop_wire(l);
	return rc;
}

/* Goes on with the addresses that are left; without any, `reason` says what became of the last. */
static void try_next(struct link *l)
{
	unsigned n;
	for (resolver_all(&l->resolver, &n); l->next < n;) {
		int rc = connect_wire(l);
		if (rc == 0) {
			start_timer(l, LINK_CONNECT_TIMEOUT_MS);
			return;
		}
		snprintf(l->reason, sizeof l->reason, "%s", why(l, rc));
	}
	end_later(l, LINK_FAILED, l->reason);
}

static void on_resolved(void *arg, int status)
{
	struct link *l = arg;
	unsigned n;
	if (!l->wanted || l->late)
		return;
	resolver_all(&l->resolver, &n);
	if (n == 0)
		snprintf(l->reason, sizeof l->reason, "its name cannot be resolved: %s",
			 uv_strerror(status));
	try_next(l);
}

void link_connect(struct link *l)
{
	link_close(l);
	l->wanted = true;
	l->next = 0;
	if (l->address.kind == ADDRESS_UNIX) {
		int rc = connect_wire(l);
		if (rc == 0)
			start_timer(l, LINK_CONNECT_TIMEOUT_MS);
		else
			end_later(l, LINK_FAILED, why(l, rc));
		return;
	}
	int rc = resolver_look_up(&l->resolver);
	if (rc > 0)
		try_next(l);
	else if (rc == 0)
		start_timer(l, LINK_CONNECT_TIMEOUT_MS);
	else
		end_later(l, LINK_FAILED, uv_strerror(rc));
}

void link_close(struct link *l)
{
	drop_wire(l);
	uv_timer_stop(&l->timer);
	l->wanted = l->late = false;
}

/* --- the link -------------------------------------------------------------------------------- */

int link_new(struct link **out, uv_loop_t *loop, const struct address *address,
	     const char *password_file, struct tunnel *tunnel, bool of_server, event_sink sink,
	     void *arg)
{
	struct link *l = calloc(1, sizeof *l);
	char *line = malloc(MANAGEMENT_LINE_MAX);
	if (l == NULL || line == NULL) {
		free(l);
		free(line);
		return UV_ENOMEM;
	}
	l->line = line;
	l->loop = loop;
	l->address = *address;
	l->password_file = password_file;
	l->tunnel = tunnel;
	l->of_server = of_server;
	l->sink = sink;
	l->arg = arg;
	resolver_init(&l->resolver, loop, address->host, address->port, AF_UNSPEC, on_resolved, l);
	uv_timer_init(loop, &l->timer); /* cannot fail */
	l->timer.data = l;
	*out = l;
	return 0;
}

static void on_link_closed(uv_handle_t *handle)
{
	struct link *l = handle->data;
	free(l->line);
	free(l);
}

void link_free(struct link *l)
{
	if (l == NULL)
		return;
	link_close(l);
	resolver_done(&l->resolver);
	uv_close((uv_handle_t *)&l->timer, on_link_closed);
}
