/* SPDX-License-Identifier: MIT */
#include "io/stream_exchange.h"
#include "io/stamp_now.h"

#include <assert.h>

/* One for all: libuv asks for it and hands it back within one call (uv__read), and nobody keeps
 * it. */
static char buffer[CONTROL_STREAM_MAX];

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	(void)handle;
	(void)suggested; /* always 64 KiB */
	*out = uv_buf_init(buffer, sizeof buffer);
}

static void take(struct stream_exchange *x, const struct stamp *at, struct slice in)
{
	struct slice packet;
	enum verdict v = VERDICT_DONE;
	while (x->open && v == VERDICT_DONE) {
		v = control_stream_next(&x->in, &in, &packet);
		if (v == VERDICT_DONE)
			x->callbacks->packet(x, at, packet.p, packet.n);
		else if (v == VERDICT_INVALID)
			x->callbacks->error(x, at, STREAM_EXCHANGE_GARBAGE);
	}
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	const struct stamp at = stamp_now(); /* before anything else */
	struct stream_exchange *x = stream->data;
	if (!x->open)
		return;
	if (n > 0)
		take(x, &at, (struct slice){.p = buf->base, .n = (size_t)n});
	else if (n < 0)
		x->callbacks->error(x, &at, (int)n);
}

/* The socket is new and its buffer empty: all of the frame is taken, or the connection is gone. */
static int send_frame(struct stream_exchange *x)
{
	uv_buf_t out = uv_buf_init((char *)x->frame, (unsigned)x->frame_size);
	x->sent = stamp_now(); /* after everything else */
	int n = uv_try_write((uv_stream_t *)&x->socket, &out, 1);
	if (n < 0)
		return n;
	return (size_t)n == x->frame_size ? 0 : UV_EAGAIN;
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct stream_exchange *x = connect->data;
	if (!x->open)
		return;
	if (status == 0)
		status = send_frame(x);
	if (status == 0)
		status = uv_read_start((uv_stream_t *)&x->socket, on_alloc, on_read);
	if (status == 0)
		return;
	const struct stamp at = stamp_now();
	x->callbacks->error(x, &at, status);
}

void stream_exchange_open(struct stream_exchange *x, uv_loop_t *loop,
			  const struct stream_exchange_callbacks *callbacks, void *arg)
{
	int rc = uv_tcp_init(loop, &x->socket); /* no system call: connecting makes the socket */
	assert(rc == 0);
	(void)rc;
	x->socket.data = x;
	x->connect.data = x;
	x->callbacks = callbacks;
	x->arg = arg;
	x->begun = x->sent = (struct stamp){0};
	x->frame_size = 0;
	x->open = true;
	control_stream_init(&x->in);
}

int stream_exchange_send(struct stream_exchange *x, const struct sockaddr *to, const void *packet,
			 size_t size)
{
	assert(x->open && x->frame_size == 0);
	x->frame_size = control_stream_frame(packet, size, x->frame);
	assert(x->frame_size > 0);
	/* Remembered by libuv until there is a socket. */
	int rc = uv_tcp_nodelay(&x->socket, 1);
	x->begun = x->sent = stamp_now();
	if (rc == 0)
		rc = uv_tcp_connect(&x->connect, &x->socket, to, on_connect);
	return rc;
}

static void on_close(uv_handle_t *handle)
{
	struct stream_exchange *x = handle->data;
	x->callbacks->closed(x);
}

void stream_exchange_close(struct stream_exchange *x)
{
	if (!x->open)
		return;
	x->open = false;
	uv_close((uv_handle_t *)&x->socket, on_close);
}
