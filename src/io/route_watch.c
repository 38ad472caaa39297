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

/* One for all watches of a loop: a thousand sockets would each be rung by every change. */
struct bell {
	int fd; /* a netlink socket */
	uv_poll_t poll;
	uv_timer_t timer; /* active: a look is due, and the bell is not listened to */
	unsigned n_open;  /* handles */
	uint64_t next;	  /* of the loop, ms: no look before */
	bool rang;	  /* all are to look */
	bool deaf;	  /* it broke: nothing more is told */
	bool looking;	  /* the list is gone through: who leaves it is freed afterwards */
	struct route_watch *watches;
};

struct route_watch {
	struct route_watch *next;
	struct bell *bell;
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
	bool has_target, closing;
	bool due; /* it is to look */
	struct sockaddr_storage to, local;
	bool told;
	struct route_look last; /* what was told */
};

/* Of the one loop that is run; NULL: nobody watches. */
static struct bell *bell_in_use;

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

static void look_soon(struct bell *b)
{
	uint64_t now = uv_now(b->timer.loop);
	if (!b->deaf && !uv_is_active((uv_handle_t *)&b->timer))
		uv_timer_start(&b->timer, on_timer, b->next > now ? b->next - now : 0, 0);
}

/* The look will be after all that is in the socket by then: until then it may fill up. */
static void on_bell(uv_poll_t *poll, int status, int events)
{
	struct bell *b = poll->data;
	(void)status; /* ENOBUFS, as far as is known: drain_bell() sees */
	(void)events;
	uv_poll_stop(poll);
	b->rang = true;
	look_soon(b);
}

static void listen_on(struct bell *b)
{
	b->deaf = !drain_bell(b->fd) || uv_poll_start(&b->poll, UV_READABLE, on_bell) != 0;
}

static void look(struct route_watch *w)
{
	struct route_look l;
	struct event e = {.kind = EVENT_ROUTE, .at = stamp_now(), .tunnel = w->tunnel};
	w->due = false;
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

static void on_bell_closed(uv_handle_t *handle)
{
	struct bell *b = handle->data;
	if (--b->n_open > 0)
		return;
	close(b->fd);
	free(b);
}

/* Those that were closed go; without any left, the bell does. */
static void sweep(struct bell *b)
{
	for (struct route_watch **at = &b->watches; *at != NULL;) {
		struct route_watch *w = *at;
		if (!w->closing) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
	if (b->watches != NULL)
		return;
	bell_in_use = NULL;
	uv_close((uv_handle_t *)&b->poll, on_bell_closed);
	uv_close((uv_handle_t *)&b->timer, on_bell_closed);
}

/* First the bell, then the look: a change after it rings again. */
static void on_timer(uv_timer_t *timer)
{
	struct bell *b = timer->data;
	bool all = b->rang;
	b->rang = false;
	b->next = uv_now(timer->loop) + ROUTE_WATCH_PAUSE_MS;
	listen_on(b);
	b->looking = true;
	for (struct route_watch *w = b->watches; w != NULL; w = w->next)
		if (!w->closing && (all || w->due))
			look(w); /* the sink may close it, or another */
	b->looking = false;
	sweep(b);
}

/* --- beginning and end ----------------------------------------------------------------------- */

static int hang_bell(struct bell **out, uv_loop_t *loop)
{
	struct bell *b = calloc(1, sizeof *b);
	int rc = b != NULL ? open_bell() : UV_ENOMEM;
	if (rc >= 0) {
		b->fd = rc;
		rc = uv_poll_init(loop, &b->poll, b->fd);
		if (rc != 0)
			close(b->fd);
	}
	if (rc != 0) {
		free(b);
		return rc;
	}
	rc = uv_timer_init(loop, &b->timer);
	assert(rc == 0);
	b->n_open = 2;
	b->poll.data = b->timer.data = b;
	listen_on(b);
	*out = b;
	return 0;
}

int route_watch_open(struct route_watch **out, uv_loop_t *loop, struct tunnel *tunnel,
		     event_sink sink, void *arg)
{
	struct route_watch *w = calloc(1, sizeof *w);
	int rc = w == NULL ? UV_ENOMEM : bell_in_use == NULL ? hang_bell(&bell_in_use, loop) : 0;
	if (rc != 0) {
		free(w);
		return rc;
	}
	assert(bell_in_use->timer.loop == loop);
	w->bell = bell_in_use;
	w->tunnel = tunnel;
	w->sink = sink;
	w->arg = arg;
	w->next = w->bell->watches;
	w->bell->watches = w;
	*out = w;
	return 0;
}

void route_watch_target(struct route_watch *w, const struct sockaddr_storage *to,
			const char *local_ip)
{
	w->to = *to;
	w->has_target = true;
	w->due = true;
	if (!resolve_numeric(local_ip, 0, &w->local))
		w->local = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	look_soon(w->bell);
}

void route_watch_close(struct route_watch *w)
{
	assert(!w->closing);
	w->closing = true;
	if (!w->bell->looking)
		sweep(w->bell);
}
