/* SPDX-License-Identifier: MIT */
#include "io/echoer.h"
#include "io/stamp_now.h"
#include "proto/icmp_echo.h"

#include <assert.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUTSTANDING 8
#define LIFE_MS	    ((uint64_t)3000)
/* Of a packet that arrives no more is looked at: a reply of ours is shorter, and what a router
 * quotes is. */
#define PACKET_MAX 1024
/* A raw socket hears all of the machine's ICMP; no turn of the loop reads more than so much. */
#define READ_MAX 64

struct asked {
	bool used, ended; /* ended: its outcome is known and will be told by the timer */
	unsigned id;
	uint64_t deadline; /* of the loop, ms */
	struct stamp sent;
	uint8_t token[ICMP_ECHO_TOKEN];
	enum echo_outcome outcome;
	const char *reason;
};

/* One address family. */
struct wire {
	struct echoer *owner;
	bool v6, open, raw;
	int fd;
	uv_poll_t poll;
};

struct echoer {
	uv_loop_t *loop;
	uv_timer_t timer;
	unsigned handles; /* not closed yet */
	struct wire wires[2];
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
	bool closing;
	uint16_t sequence;
	struct asked asked[OUTSTANDING];
};

static void arm(struct echoer *e);

static void tell(struct echoer *e, struct asked *a, enum echo_outcome outcome, const char *reason,
		 const struct stamp *at)
{
	struct event event = {.kind = EVENT_ECHO, .at = *at, .tunnel = e->tunnel};
	event.u.echo.id = a->id;
	event.u.echo.outcome = outcome;
	event.u.echo.sent = a->sent;
	event.u.echo.reason = reason;
	a->used = false;
	arm(e);
	e->sink(e->arg, &event);
}

static void on_timer(uv_timer_t *timer)
{
	struct echoer *e = timer->data;
	uint64_t now = uv_now(e->loop);
	struct stamp at = stamp_now();
	for (size_t i = 0; i < OUTSTANDING && !e->closing; i++) {
		struct asked *a = &e->asked[i];
		if (!a->used || a->deadline > now)
			continue;
		if (a->ended)
			tell(e, a, a->outcome, a->reason, &at);
		else
			a->used = false; /* nobody waits for it any more */
	}
	if (!e->closing)
		arm(e);
}

static void arm(struct echoer *e)
{
	uint64_t now = uv_now(e->loop), first = UINT64_MAX;
	for (size_t i = 0; i < OUTSTANDING; i++)
		if (e->asked[i].used && e->asked[i].deadline < first)
			first = e->asked[i].deadline;
	if (first == UINT64_MAX)
		uv_timer_stop(&e->timer);
	else
		uv_timer_start(&e->timer, on_timer, first > now ? first - now : 0, 0);
}

static void end_later(struct echoer *e, struct asked *a, enum echo_outcome outcome,
		      const char *reason)
{
	a->ended = true;
	a->outcome = outcome;
	a->reason = reason;
	a->deadline = uv_now(e->loop);
	arm(e);
}

/* --- what arrives ---------------------------------------------------------------------------- */

static struct asked *asked_with(struct echoer *e, const uint8_t *token)
{
	for (size_t i = 0; i < OUTSTANDING; i++)
		if (e->asked[i].used && !e->asked[i].ended &&
		    memcmp(e->asked[i].token, token, ICMP_ECHO_TOKEN) == 0)
			return &e->asked[i];
	return NULL;
}

static void take(struct wire *w, const uint8_t *bytes, size_t n, bool error, const struct stamp *at)
{
	const uint8_t *token;
	enum icmp_echo_kind kind = icmp_echo_parse(w->v6, bytes, n, &token);
	/* A raw socket hears our own requests on loopback: they are nobody's answer. */
	bool answer = error ? kind == ICMP_ECHO_REQUEST
			    : kind == ICMP_ECHO_REPLY || kind == ICMP_ECHO_UNREACHABLE;
	struct asked *a = answer ? asked_with(w->owner, token) : NULL;
	if (a != NULL && kind == ICMP_ECHO_REPLY)
		tell(w->owner, a, ECHO_ANSWERED, NULL, at);
	else if (a != NULL)
		tell(w->owner, a, ECHO_UNREACHABLE, "a router says that it is unreachable", at);
}

/* A datagram socket gives back the request that a router could not deliver (IP_RECVERR, ip(7)). */
static bool read_error(struct wire *w, const struct stamp *at)
{
	uint8_t packet[PACKET_MAX], control[256];
	struct iovec part = {.iov_base = packet, .iov_len = sizeof packet};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof control};
	ssize_t n = recvmsg(w->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
	if (n < 0)
		return false;
	take(w, packet, (size_t)n, true, at);
	return true;
}

static bool read_packet(struct wire *w, const struct stamp *at)
{
	uint8_t packet[PACKET_MAX];
	const uint8_t *bytes = packet;
	ssize_t got = recv(w->fd, packet, sizeof packet, MSG_DONTWAIT);
	if (got < 0)
		return errno == EINTR;
	size_t n = (size_t)got;
	if (w->raw && !w->v6 && !icmp_echo_skip_ipv4(&bytes, &n))
		return true;
	take(w, bytes, n, false, at);
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct wire *w = poll->data;
	struct stamp at = stamp_now();
	(void)events;
	if (status < 0) /* the socket is broken: as if it were not there */
		uv_poll_stop(poll);
	/* The sink may close us, but we are freed in a later round of the loop only. */
	for (int i = 0; i < READ_MAX && !w->owner->closing; i++)
		if (!read_packet(w, &at))
			break;
	for (int i = 0; i < READ_MAX && !w->owner->closing && !w->raw; i++)
		if (!read_error(w, &at))
			break;
}

/* --- what leaves ----------------------------------------------------------------------------- */

static int open_socket(struct wire *w)
{
	const int one = 1;
	int family = w->v6 ? AF_INET6 : AF_INET;
	int protocol = w->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
	w->raw = false;
	w->fd = socket(family, SOCK_DGRAM | flags, protocol);
	if (w->fd >= 0) {
		/* Without it, only what cannot be sent at all is known. */
		(void)setsockopt(w->fd, w->v6 ? IPPROTO_IPV6 : IPPROTO_IP,
				 w->v6 ? IPV6_RECVERR : IP_RECVERR, &one, sizeof one);
		return 0;
	}
	w->raw = true;
	w->fd = socket(family, SOCK_RAW | flags, protocol);
	return w->fd >= 0 ? 0 : -errno;
}

/* 0, or a negative UV_E…, which is -errno. */
static int open_wire(struct wire *w)
{
	if (w->open)
		return 0;
	int rc = open_socket(w);
	if (rc != 0)
		return rc;
	rc = uv_poll_init_socket(w->owner->loop, &w->poll, w->fd);
	if (rc != 0) {
		close(w->fd);
		return rc;
	}
	w->open = true;
	w->owner->handles++;
	w->poll.data = w;
	return uv_poll_start(&w->poll, UV_READABLE, on_readable);
}

static const char *barred(int rc)
{
	return rc == UV_EACCES || rc == UV_EPERM ? "this user may not send echo requests"
						 : "no socket for echo requests";
}

static void send_to(struct echoer *e, struct asked *a, const struct sockaddr_storage *to)
{
	bool v6 = to->ss_family == AF_INET6;
	struct wire *w = &e->wires[v6];
	struct sockaddr_storage where = *to;
	uint8_t packet[ICMP_ECHO_SIZE];
	int rc = open_wire(w);
	if (rc != 0) {
		end_later(e, a, ECHO_FAILED, barred(rc));
		return;
	}
	if (getrandom(a->token, sizeof a->token, GRND_NONBLOCK) != sizeof a->token) {
		end_later(e, a, ECHO_FAILED, "no random numbers");
		return;
	}
	icmp_echo_request(v6, (uint16_t)getpid(), ++e->sequence, a->token, packet);
	/* A raw IPv6 socket takes it for a protocol, a datagram one for nothing. */
	if (v6)
		((struct sockaddr_in6 *)&where)->sin6_port = 0;
	else
		((struct sockaddr_in *)&where)->sin_port = 0;
	socklen_t size = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	a->sent = stamp_now();
	ssize_t n;
	do
		n = sendto(w->fd, packet, sizeof packet, MSG_DONTWAIT,
			   (const struct sockaddr *)&where, size);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == ENETUNREACH || errno == EHOSTUNREACH || errno == ENETDOWN))
		end_later(e, a, ECHO_UNREACHABLE, "no route");
	else if (n < 0 && (errno == EPERM || errno == EACCES))
		end_later(e, a, ECHO_FAILED, "a firewall of this machine forbids it");
	/* Anything else is like a packet that was lost. */
}

void echoer_send(struct echoer *e, const struct sockaddr_storage *to, unsigned id)
{
	struct asked *a = NULL;
	for (size_t i = 0; i < OUTSTANDING && a == NULL; i++)
		if (!e->asked[i].used)
			a = &e->asked[i];
	if (a == NULL)
		return; /* like one that was lost */
	*a = (struct asked){
	    .used = true, .id = id, .deadline = uv_now(e->loop) + LIFE_MS, .sent = stamp_now()};
	if (to == NULL)
		end_later(e, a, ECHO_FAILED, "the server's address is not known yet");
	else
		send_to(e, a, to);
	arm(e);
}

/* --- beginning and end ----------------------------------------------------------------------- */

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
	for (int v6 = 0; v6 < 2; v6++)
		e->wires[v6] = (struct wire){.owner = e, .v6 = v6 != 0, .fd = -1};
	int rc = uv_timer_init(loop, &e->timer);
	assert(rc == 0);
	(void)rc;
	e->timer.data = e;
	e->handles = 1;
	*out = e;
	return 0;
}

static void handle_closed(struct echoer *e)
{
	if (--e->handles == 0)
		free(e);
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct wire *w = handle->data;
	close(w->fd); /* after the handle: libuv asks for it until then */
	handle_closed(w->owner);
}

void echoer_close(struct echoer *e)
{
	assert(!e->closing);
	e->closing = true;
	uv_close((uv_handle_t *)&e->timer, on_timer_closed);
	for (int v6 = 0; v6 < 2; v6++)
		if (e->wires[v6].open)
			uv_close((uv_handle_t *)&e->wires[v6].poll, on_poll_closed);
}
