/* SPDX-License-Identifier: MIT */
#include "io/carrier.h"

/* --- by UDP ---------------------------------------------------------------------------------- */

static void on_datagram(struct exchange *x, const struct stamp *at, const void *bytes, size_t size)
{
	struct carrier *c = x->arg;
	c->callbacks->packet(c, at, bytes, size);
}

static void on_datagram_error(struct exchange *x, const struct stamp *at, int error)
{
	struct carrier *c = x->arg;
	c->callbacks->error(c, at, error);
}

static void on_datagram_closed(struct exchange *x)
{
	struct carrier *c = x->arg;
	c->callbacks->closed(c);
}

static const struct exchange_callbacks datagram_callbacks = {
    .packet = on_datagram, .error = on_datagram_error, .closed = on_datagram_closed};

/* --- by TCP ---------------------------------------------------------------------------------- */

static void on_stream(struct stream_exchange *x, const struct stamp *at, const void *bytes,
		      size_t size)
{
	struct carrier *c = x->arg;
	c->callbacks->packet(c, at, bytes, size);
}

static void on_stream_error(struct stream_exchange *x, const struct stamp *at, int error)
{
	struct carrier *c = x->arg;
	c->callbacks->error(c, at, error);
}

static void on_stream_closed(struct stream_exchange *x)
{
	struct carrier *c = x->arg;
	c->callbacks->closed(c);
}

static const struct stream_exchange_callbacks stream_callbacks = {
    .packet = on_stream, .error = on_stream_error, .closed = on_stream_closed};

/* --- by either ------------------------------------------------------------------------------- */

void carrier_open(struct carrier *c, uv_loop_t *loop, bool tcp,
		  const struct carrier_callbacks *callbacks, void *arg)
{
	c->callbacks = callbacks;
	c->arg = arg;
	c->tcp = tcp;
	c->open = true;
	if (tcp)
		stream_exchange_open(&c->by.stream, loop, &stream_callbacks, c);
	else
		exchange_open(&c->by.datagram, loop, &datagram_callbacks, c);
}

int carrier_send(struct carrier *c, const struct sockaddr *to, const void *packet, size_t size)
{
	if (c->tcp)
		return stream_exchange_send(&c->by.stream, to, packet, size);
	int rc = exchange_connect(&c->by.datagram, to);
	return rc == 0 ? exchange_send(&c->by.datagram, packet, size) : rc;
}

struct stamp carrier_sent(const struct carrier *c, bool from_connecting)
{
	if (!c->tcp)
		return c->by.datagram.sent;
	return from_connecting ? c->by.stream.begun : c->by.stream.sent;
}

void carrier_close(struct carrier *c)
{
	if (!c->open)
		return;
	c->open = false;
	if (c->tcp)
		stream_exchange_close(&c->by.stream);
	else
		exchange_close(&c->by.datagram);
}

/* EACCES and the like: when we send, a firewall of this machine; later, ICMPv6 "administratively
 * prohibited" and its kin. */
enum probe_outcome carrier_outcome(int error, bool local)
{
	switch (error) {
	case UV_ECONNREFUSED:
		return PROBE_REFUSED;
	case UV_EHOSTUNREACH:
	case UV_ENETUNREACH:
	case UV_EHOSTDOWN:
		return PROBE_UNREACHABLE;
	case UV_EACCES:
	case UV_ENOPROTOOPT:
	case UV_EPROTO:
		return local ? PROBE_FAILED : PROBE_UNREACHABLE;
	case UV_EOF:
	case UV_ECONNRESET:
	case UV_ECONNABORTED:
	case UV_EPIPE:
	case STREAM_EXCHANGE_GARBAGE:
		return PROBE_REJECTED;
	default:
		return PROBE_FAILED;
	}
}

const char *carrier_reason(int error)
{
	switch (error) {
	case UV_EOF:
	case UV_ECONNRESET:
	case UV_ECONNABORTED:
	case UV_EPIPE:
		return "it took the connection and closed it without an answer: another key, or no "
		       "OpenVPN";
	case STREAM_EXCHANGE_GARBAGE:
		return "it took the connection and answered, but not as OpenVPN does";
	default:
		return uv_strerror(error);
	}
}
