/* SPDX-License-Identifier: MIT */
#include "io/route_watch.h"
#include "io/resolve.h"
#include "io/route_look.h"
#include "io/stamp_now.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After the C library's own, which these make room for. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* So many messages at a time; what is left over rings the bell again. */
#define DRAIN_MAX 256

struct route_watch {
	int bell; /* a netlink socket */
	uv_poll_t poll;
	uv_timer_t timer; /* active: a look is due, and the bell is not listened to */
	unsigned n_open;  /* handles */
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
	bool has_target, closing;
	bool deaf; /* the bell broke: nothing more is told */
	struct sockaddr_storage to, local;
	uint64_t next; /* of the loop, ms: no look before */
	bool told;
	struct route_look last; /* what was told */
};

/* --- the bell -------------------------------------------------------------------------------- */

static int open_bell(void)
{
	const struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
					   .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE |
							RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR |
							RTMGRP_IPV6_IFADDR};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		return uv_translate_sys_error(errno);
	if (bind(fd, (const struct sockaddr *)&groups, sizeof groups) == 0)
		return fd;
	int rc = uv_translate_sys_error(errno);
	close(fd);
	return rc;
}

/* Silences it. False: it is broken, and would ring for ever. */
static bool drain_bell(int fd)
{
	for (int i = 0; i < DRAIN_MAX; i++) {
		char start[64]; /* the rest of a message is thrown away with it */
		if (recv(fd, start, sizeof start, 0) >= 0)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return true;
		/* ENOBUFS: there were more than the kernel could keep, which is news as well. */
		if (errno != EINTR && errno != ENOBUFS)
			return false;
	}
	return true;
}

/* --- looking --------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void look_soon(struct route_watch *w)
{
	uint64_t now = uv_now(w->timer.loop);
	if (!w->deaf && !uv_is_active((uv_handle_t *)&w->timer))
		uv_timer_start(&w->timer, on_timer, w->next > now ? w->next - now : 0, 0);
}

/* The look will be after all that is in the socket by then: until then it may fill up. */
static void on_bell(uv_poll_t *poll, int status, int events)
{
	(void)status; /* ENOBUFS, as far as is known: drain_bell() sees */
	(void)events;
	uv_poll_stop(poll);
	look_soon(poll->data);
}

static void listen_on(struct route_watch *w)
{
	w->deaf = !drain_bell(w->bell) || uv_poll_start(&w->poll, UV_READABLE, on_bell) != 0;
}

static void look(struct route_watch *w)
{
	struct route_look l;
	struct event e = {.kind = EVENT_ROUTE, .at = stamp_now(), .tunnel = w->tunnel};
	if (!w->has_target || !route_look(&w->to, &w->local, &l))
		return;
	if (w->told && l.there == w->last.there && l.up == w->last.up &&
	    strcmp(l.interface, w->last.interface) == 0)
		return;
	w->told = true;
	w->last = l;
	e.u.route.there = l.there;
	e.u.route.up = l.up;
	e.u.route.interface = l.interface;
	w->sink(w->arg, &e);
}

/* First the bell, then the look: a change after it rings again. */
static void on_timer(uv_timer_t *timer)
{
	struct route_watch *w = timer->data;
	w->next = uv_now(timer->loop) + ROUTE_WATCH_PAUSE_MS;
	listen_on(w);
	look(w); /* last: the sink may close us */
}

/* --- beginning and end ----------------------------------------------------------------------- */

int route_watch_open(struct route_watch **out, uv_loop_t *loop, struct tunnel *tunnel,
		     event_sink sink, void *arg)
{
	struct route_watch *w = calloc(1, sizeof *w);
	int rc = w != NULL ? open_bell() : UV_ENOMEM;
	if (rc >= 0) {
		w->bell = rc;
		rc = uv_poll_init(loop, &w->poll, w->bell);
		if (rc != 0)
			close(w->bell);
	}
	if (rc != 0) {
		free(w);
		return rc;
	}
	rc = uv_timer_init(loop, &w->timer);
	assert(rc == 0);
	w->n_open = 2;
	w->poll.data = w->timer.data = w;
	w->tunnel = tunnel;
	w->sink = sink;
	w->arg = arg;
	listen_on(w);
	*out = w;
	return 0;
}

void route_watch_target(struct route_watch *w, const struct sockaddr_storage *to,
			const char *local_ip)
{
	w->to = *to;
	w->has_target = true;
	if (!resolve_numeric(local_ip, 0, &w->local))
		w->local = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	look_soon(w);
}

static void on_closed(uv_handle_t *handle)
{
	struct route_watch *w = handle->data;
	if (--w->n_open > 0)
		return;
	close(w->bell);
	free(w);
}

void route_watch_close(struct route_watch *w)
{
	assert(!w->closing);
	w->closing = true;
	uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->timer, on_closed);
}
