/* SPDX-License-Identifier: MIT */
#include "io/relay_server_parts.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define QUEUE_MIN 4096

/* --- what it is to read ---------------------------------------------------------------------- */

static void free_bytes(char *bytes, size_t n)
{
	if (bytes != NULL)
		explicit_bzero(bytes, n); /* a token, a password of a VPN server's client */
	free(bytes);
}

static bool make_room(struct relay_connection *c, size_t n)
{
	size_t size = c->queue.size > 0 ? c->queue.size : QUEUE_MIN;
	while (size < c->queue.n + n)
		size *= 2;
	if (size == c->queue.size)
		return true;
	char *bytes = malloc(size);
	if (bytes == NULL)
		return false;
	if (c->queue.n > 0)
		memcpy(bytes, c->queue.bytes, c->queue.n);
	free_bytes(c->queue.bytes, c->queue.n);
	c->queue.bytes = bytes;
	c->queue.size = size;
	return true;
}

void relay_connection_say(struct relay_connection *c, struct slice bytes)
{
	relay_server_stir(c->server);
	if (c->ended || c->dropped)
		return;
	if (c->n_flying + c->queue.n + bytes.n > RELAY_BACKLOG_MAX || !make_room(c, bytes.n)) {
		c->dropped = true;
		return;
	}
	memcpy(c->queue.bytes + c->queue.n, bytes.p, bytes.n);
	c->queue.n += bytes.n;
}

static void on_written(uv_write_t *write, int status)
{
	struct relay_connection *c = write->data;
	free_bytes(c->flying, c->n_flying);
	c->flying = NULL;
	c->n_flying = 0;
	if (uv_is_closing(&c->u.handle))
		return;
	if (status < 0)
		relay_server_lost(c->server, c);
	else if (c->queue.n > 0 || c->ended)
		relay_server_stir(c->server);
}

static void write_queue(struct relay_connection *c)
{
	if (c->flying != NULL || c->queue.n == 0)
		return;
	uv_buf_t buf = {.base = c->queue.bytes, .len = c->queue.n};
	c->flying = c->queue.bytes;
	c->n_flying = c->queue.n;
	memset(&c->queue, 0, sizeof c->queue);
	c->write.data = c;
	if (uv_write(&c->write, &c->u.stream, &buf, 1, on_written) == 0)
		return;
	free_bytes(c->flying, c->n_flying);
	c->flying = NULL;
	c->n_flying = 0;
	c->dropped = true;
}

/* --- what it says ---------------------------------------------------------------------------- */

/* One loop, and every piece is copied before the next is read. */
static char receive_buffer[RELAY_INPUT_MAX];

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct relay_connection *c = handle->data;
	(void)suggested;
	*buf = uv_buf_init(receive_buffer, (unsigned)relay_client_room(&c->client));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct relay_connection *c = stream->data;
	struct relay *relay = relay_server_relay(c->server);
	if (n == UV_ENOBUFS || n == 0)
		return; /* no room: settled at the end of the turn */
	if (n == UV_EOF) {
		uv_read_stop(stream);
		relay_client_end_of_input(relay, &c->client);
	} else if (n < 0) {
		relay_server_lost(c->server, c);
		return;
	} else {
		relay_client_bytes(relay, &c->client,
				   (struct slice){.p = buf->base, .n = (size_t)n},
				   (nsec)uv_hrtime());
		explicit_bzero(buf->base, (size_t)n);
		if (relay_client_room(&c->client) == 0) {
			uv_read_stop(stream);
			c->reading = false;
		}
	}
	relay_server_stir(c->server);
}

/* OpenVPN does not read ahead of what it has answered either. */
static void read_on(struct relay_connection *c)
{
	if (c->reading || c->ended || relay_client_room(&c->client) == 0)
		return;
	c->reading = true;
	if (uv_read_start(&c->u.stream, on_alloc, on_read) != 0)
		c->dropped = true;
}

bool relay_connection_settle(struct relay_connection *c, uint64_t now_ms)
{
	if (c->dropped)
		return true;
	write_queue(c);
	read_on(c);
	return c->dropped ||
	       (c->ended && ((c->flying == NULL && c->queue.n == 0) || now_ms >= c->patience));
}

/* --- coming and going ------------------------------------------------------------------------ */

static void name_it(struct relay_connection *c)
{
	struct sockaddr_storage at;
	int size = sizeof at;
	uv_os_fd_t fd;
	struct ucred who;
	socklen_t who_size = sizeof who;
	char host[INET6_ADDRSTRLEN] = "?";
	if (c->u.handle.type == UV_TCP &&
	    uv_tcp_getpeername(&c->u.tcp, (struct sockaddr *)&at, &size) == 0) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at;
		if (at.ss_family == AF_INET)
			uv_ip4_name(v4, host, sizeof host);
		else
			uv_ip6_name((const struct sockaddr_in6 *)&at, host, sizeof host);
		/* The port is at the same place in both families. */
		snprintf(c->name, sizeof c->name, "the client %s port %u", host,
			 ntohs(v4->sin_port));
	} else if (uv_fileno(&c->u.handle, &fd) == 0 &&
		   getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &who_size) == 0) {
		snprintf(c->name, sizeof c->name, "the client of process %ld", (long)who.pid);
	} else {
		snprintf(c->name, sizeof c->name, "a client");
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct relay_connection *c = handle->data;
	struct relay_server *server = c->server;
	assert(c->flying == NULL); /* libuv has called its writes back */
	free_bytes(c->queue.bytes, c->queue.n);
	free(c);
	relay_server_freed(server);
}

static void on_unused_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int relay_connection_take(struct relay_connection **out, struct relay_server *server,
			  struct listener *at)
{
	struct relay_connection *c = calloc(1, sizeof *c);
	if (c == NULL)
		return UV_ENOMEM;
	int rc = listener_accept(at, &c->u);
	c->u.handle.data = c;
	if (rc == 0) {
		c->server = server;
		name_it(c);
		*out = c;
	} else if (c->u.handle.loop != NULL) {
		uv_close(&c->u.handle, on_unused_closed);
	} else {
		free(c);
	}
	return rc;
}

void relay_connection_close(struct relay_connection *c)
{
	uv_close(&c->u.handle, on_closed);
}
