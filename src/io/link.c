/* SPDX-License-Identifier: MIT
 *
 * A connection (struct wire) lives from its first handle until libuv has closed it; the link only
 * points at the present one. A wire that was given up points at no link, and whatever libuv still
 * has to say about it is heard by nobody.
 */
#include "io/link_parts.h"
#include "io/stamp_now.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One loop, and every piece is used up before the next is read: one buffer will do. Not larger,
 * because libuv reads 32 times before it looks at anything else. */
static char receive_buffer[16384];
static bool receive_buffer_in_use;

void link_tell(struct link *l, enum link_change change, const char *reason)
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
	free(handle->data);
}

void link_drop_wire(struct link *l)
{
	struct wire *w = l->wire;
	bool was_up = l->up;
	l->wire = NULL;
	l->up = false;
	if (w == NULL)
		return;
	w->link = NULL;
	uv_close(&w->u.handle, on_wire_closed);
	if (was_up && l->tap.down != NULL)
		l->tap.down(l->tap.arg);
}

static void on_link_closed(uv_handle_t *handle)
{
	struct link *l = handle->data;
	free(l->line);
	free(l);
}

/* Nothing is on its way any more. */
static void free_now(struct link *l)
{
	link_close(l);
	uv_close((uv_handle_t *)&l->timer, on_link_closed);
}

void link_end(struct link *l, enum link_change change, const char *reason)
{
	if (l->freed) {
		free_now(l);
		return;
	}
	link_close(l);
	link_tell(l, change, reason);
}

static void on_timer(uv_timer_t *timer)
{
	struct link *l = timer->data;
	char reason[sizeof l->reason];
	if (l->freed) {
		free_now(l);
	} else if (l->late) {
		memcpy(reason, l->reason, sizeof reason);
		link_end(l, l->late_change, reason);
	} else {
		link_out_of_patience(l);
	}
}

void link_start_timer(struct link *l, uint64_t ms)
{
	int rc = uv_timer_start(&l->timer, on_timer, ms, 0);
	assert(rc == 0); /* only on a handle that is closing */
	(void)rc;
}

void link_end_later(struct link *l, enum link_change change, const char *reason)
{
	link_close(l);
	l->wanted = true;
	l->late = true;
	l->late_change = change;
	if (reason != l->reason)
		snprintf(l->reason, sizeof l->reason, "%s", reason);
	link_start_timer(l, 0);
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

/* A line in pieces needs a place; lines nearly always come whole, and thousands of links have none.
 */
static bool make_place(struct link *l, struct slice in)
{
	if (l->line != NULL || in.p[in.n - 1] == '\n')
		return true;
	l->line = malloc(MANAGEMENT_LINE_MAX);
	management_framer_lend(&l->framer, l->line);
	return l->line != NULL;
}

static void give_place_back(struct link *l)
{
	management_framer_lend(&l->framer, NULL);
	free(l->line);
	l->line = NULL;
}

static void tell_lines(struct link *l, struct wire *w, struct slice in)
{
	struct event e = {.kind = l->of_server ? EVENT_PEER_LINE : EVENT_LINE,
			  .at = stamp_now(),
			  .since = l->drained,
			  .tunnel = l->tunnel};
	bool all = in.n < sizeof receive_buffer;
	if (!make_place(l, in)) {
		link_end(l, LINK_CLOSED, uv_strerror(UV_ENOMEM));
		return;
	}
	while (w->link == l && management_framer_next(&l->framer, &in, &e.u.line) == VERDICT_DONE)
		if (l->tap.line == NULL || l->tap.line(l->tap.arg, e.u.line))
			l->sink(l->arg, &e);
	if (w->link == l && l->framer.dropped > l->overlong) {
		l->overlong = l->framer.dropped;
		link_tell(l, LINK_OVERLONG, "a line of more than 64 KiB was dropped");
	}
	if (w->link != l || !management_framer_empty(&l->framer))
		return;
	give_place_back(l);
	/* What comes next was not there yet, unless its beginning was, or the buffer was too small
	 * to hold all that was. */
	if (all)
		l->drained = l->reading;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct wire *w = stream->data;
	struct link *l = w->link;
	if (n > 0 && l != NULL && !l->freed)
		tell_lines(l, w, (struct slice){.p = buf->base, .n = (size_t)n});
	receive_buffer_in_use = false;
	if (n < 0 && l != NULL)
		link_end(l, LINK_CLOSED, link_why(l, (int)n));
}

/* What OpenVPN has not taken yet. */
struct text {
	uv_write_t req;
	size_t n;
	char bytes[];
};

static void on_written(uv_write_t *req, int status)
{
	struct text *t = req->data;
	(void)status; /* reading says it too */
	explicit_bzero(t->bytes, t->n);
	free(t);
}

static int write_later(struct wire *w, struct slice text)
{
	struct text *t = malloc(sizeof *t + text.n);
	if (t == NULL)
		return UV_ENOMEM;
	uv_buf_t buf = uv_buf_init(t->bytes, (unsigned)text.n);
	t->req.data = t;
	t->n = text.n;
	memcpy(t->bytes, text.p, text.n);
	int rc = uv_write(&t->req, &w->u.stream, &buf, 1, on_written);
	if (rc != 0)
		free(t);
	return rc;
}

/* Nearly always all is gone at once, and nothing has to be kept. */
static void write_text(struct link *l, struct slice text)
{
	struct wire *w = l->wire;
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)text.p, (unsigned)text.n);
	if (uv_stream_get_write_queue_size(&w->u.stream) + text.n > LINK_QUEUE_MAX) {
		link_end_later(l, LINK_CLOSED, "OpenVPN does not read what is sent to it");
		return;
	}
	int rc = uv_try_write(&w->u.stream, &buf, 1);
	size_t gone = rc > 0 ? (size_t)rc : 0;
	if (rc == UV_EAGAIN || (rc >= 0 && gone < text.n))
		rc = write_later(w, slice_skip(text, gone));
	if (rc < 0)
		link_end_later(l, LINK_CLOSED, link_why(l, rc));
}

void link_send(struct link *l, enum management_command command)
{
	l->leaving = command == COMMAND_PUT_BACK || command == COMMAND_LOG_OFF;
	if (l->up)
		write_text(l, slice_from(management_command_text(command)));
}

void link_send_password(struct link *l)
{
	struct password password;
	char error[sizeof l->reason];
	if (!l->up)
		return;
	if (l->password_file == NULL ||
	    !password_read(l->password_file, &password, error, sizeof error)) {
		link_end_later(l, LINK_UNAVAILABLE,
			       l->password_file != NULL ? error : "no password file was given");
		return;
	}
	char line[sizeof password.text + 1];
	memcpy(line, password.text, password.n);
	line[password.n] = '\n';
	write_text(l, (struct slice){.p = line, .n = password.n + 1});
	explicit_bzero(line, sizeof line);
	password_wipe(&password);
}

void link_send_text(struct link *l, struct slice text)
{
	if (l->up)
		write_text(l, text);
}

int link_begin(struct link *l)
{
	int rc = uv_read_start(&l->wire->u.stream, on_alloc, on_read);
	if (rc != 0)
		return rc;
	uv_timer_stop(&l->timer);
	if (l->address.kind == ADDRESS_TCP)
		uv_tcp_nodelay(&l->wire->u.tcp, 1);
	l->up = true;
	l->overlong = 0;
	l->drained.mono = NSEC_UNKNOWN;
	free(l->line);
	l->line = NULL;
	management_framer_init(&l->framer, NULL, MANAGEMENT_LINE_MAX);
	link_tell(l, LINK_UP, NULL);
	return 0;
}

void link_close(struct link *l)
{
	link_drop_wire(l);
	uv_timer_stop(&l->timer);
	l->wanted = l->late = false;
}

/* --- the link -------------------------------------------------------------------------------- */

int link_new(struct link **out, uv_loop_t *loop, const struct address *address,
	     const char *password_file, struct tunnel *tunnel, bool of_server, event_sink sink,
	     void *arg)
{
	struct link *l = calloc(1, sizeof *l);
	if (l == NULL)
		return UV_ENOMEM;
	l->loop = loop;
	l->address = *address;
	l->password_file = password_file;
	l->tunnel = tunnel;
	l->of_server = of_server;
	l->sink = sink;
	l->arg = arg;
	resolver_init(&l->resolver, loop, address->host, address->port, AF_UNSPEC, link_on_resolved,
		      l);
	uv_timer_init(loop, &l->timer); /* cannot fail */
	l->timer.data = l;
	*out = l;
	return 0;
}

void link_set_tap(struct link *l, const struct link_tap *tap)
{
	l->tap = *tap;
}

/* libuv wants one. */
static void on_farewell(uv_shutdown_t *req, int status)
{
	(void)req;
	(void)status;
}

/* OpenVPN closes its end when it has carried out what was written before ours was closed. It is
 * read on: closed with bytes unread, the kernel would reset the connection. */
static bool part(struct link *l)
{
	if (!l->up || !l->leaving ||
	    uv_shutdown(&l->wire->farewell, &l->wire->u.stream, on_farewell) != 0)
		return false;
	if (l->tap.down != NULL)
		l->tap.down(l->tap.arg);
	l->tap = (struct link_tap){0};
	l->freed = true;
	link_start_timer(l, LINK_PART_MS);
	return true;
}

void link_free(struct link *l)
{
	if (l == NULL)
		return;
	listener_close(l->listener);
	resolver_done(&l->resolver);
	if (!part(l))
		free_now(l);
}
