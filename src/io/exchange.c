/* SPDX-License-Identifier: MIT */
#include "io/exchange.h"
#include "io/stamp_now.h"

#include <assert.h>
#include <netinet/in.h>

/* One for all: libuv asks for it and hands it back within one call (uv__udp_recvmsg), and nobody
 * keeps it. */
static char buffer[EXCHANGE_PACKET_MAX];

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	(void)handle;
	(void)suggested; /* always 64 KiB */
	*out = uv_buf_init(buffer, sizeof buffer);
}

static void on_receive(uv_udp_t *socket, ssize_t n, const uv_buf_t *buf,
		       const struct sockaddr *from, unsigned flags)
{
	const struct stamp at = stamp_now(); /* before anything else */
	struct exchange *x = socket->data;
	if (!x->open)
		return;
	if (n < 0)
		x->callbacks->error(x, &at, (int)n);
	else if (from != NULL && (flags & UV_UDP_PARTIAL) == 0)
		x->callbacks->packet(x, &at, buf->base, (size_t)n);
	/* else: nothing (more) to read, or longer than any answer is */
}

void exchange_open(struct exchange *x, uv_loop_t *loop, const struct exchange_callbacks *callbacks,
		   void *arg)
{
	int rc = uv_udp_init(loop, &x->socket); /* no system call: the socket is made by bind */
	assert(rc == 0);
	(void)rc;
	x->socket.data = x;
	x->callbacks = callbacks;
	x->arg = arg;
	x->sent = (struct stamp){0};
	x->open = true;
}

int exchange_connect(struct exchange *x, const struct sockaddr *to)
{
	assert(x->open);
	/* Bound first, because libuv sets IP_RECVERR there: without it the kernel keeps "host
	 * unreachable" to itself. */
	const struct sockaddr_in any4 = {.sin_family = AF_INET};
	const struct sockaddr_in6 any6 = {.sin6_family = AF_INET6};
	const void *any = to->sa_family == AF_INET6 ? (const void *)&any6 : (const void *)&any4;
	int rc = uv_udp_bind(&x->socket, any, UV_UDP_LINUX_RECVERR);
	if (rc == 0)
		rc = uv_udp_connect(&x->socket, to);
	if (rc == 0)
		rc = uv_udp_recv_start(&x->socket, on_alloc, on_receive);
	return rc;
}

int exchange_send(struct exchange *x, const void *bytes, size_t size)
{
	assert(x->open && size <= EXCHANGE_PACKET_MAX);
	uv_buf_t out = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)size);
	x->sent = stamp_now(); /* after everything else */
	int rc = uv_udp_try_send(&x->socket, &out, 1, NULL);
	return rc < 0 ? rc : 0;
}

static void on_close(uv_handle_t *handle)
{
	struct exchange *x = handle->data;
	x->callbacks->closed(x);
}

void exchange_close(struct exchange *x)
{
	if (!x->open)
		return;
	x->open = false;
	uv_close((uv_handle_t *)&x->socket, on_close);
}
