/* SPDX-License-Identifier: MIT */
#include "io/route_watch.h"
#include "io/resolve.h"
#include "io/stamp_now.h"

#include <assert.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DAMP_MS	  ((uint64_t)50)
#define DRAIN_MAX 64 /* messages in one turn of the loop */

struct way {
	bool there, up;
	char interface[IF_NAMESIZE];
};

struct target {
	struct target *next;
	struct tunnel *tunnel;
	struct sockaddr_storage to;
	bool told;
	struct way way; /* as told */
};

struct route_watch {
	uv_loop_t *loop;
	uv_poll_t bell;
	uv_timer_t timer;
	int fd;
	unsigned handles;
	bool closing;
	struct target *targets;
	event_sink sink;
	void *arg;
};

/* --- looking --------------------------------------------------------------------------------- */

static socklen_t size_of(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static bool same_address(const struct sockaddr *a, const struct sockaddr_storage *b)
{
	if (a == NULL || a->sa_family != b->ss_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		      &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

/* 1: there is a route, and *from is our end of it; 0: there is none; -1: it cannot be said. */
static int own_end(const struct sockaddr_storage *to, struct sockaddr_storage *from)
{
	socklen_t size = sizeof *from;
	int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int answer = 1;
	if (connect(fd, (const struct sockaddr *)to, size_of(to)) != 0)
		answer = errno == ENETUNREACH || errno == EHOSTUNREACH || errno == EADDRNOTAVAIL
			     ? 0
			     : -1;
	else if (getsockname(fd, (struct sockaddr *)from, &size) != 0)
		answer = -1;
	close(fd);
	return answer;
}

static bool find_interface(const struct sockaddr_storage *address, struct way *out)
{
	struct ifaddrs *all;
	bool found = false;
	if (getifaddrs(&all) != 0)
		return false;
	for (const struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next) {
		if (!same_address(i->ifa_addr, address))
			continue;
		found = true;
		out->up = (i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_RUNNING) != 0;
		snprintf(out->interface, sizeof out->interface, "%s", i->ifa_name);
	}
	freeifaddrs(all);
	return found;
}

static bool look(const struct sockaddr_storage *to, struct way *out)
{
	struct sockaddr_storage from = {0};
	int route = own_end(to, &from);
	*out = (struct way){.there = route > 0};
	return route == 0 || (route > 0 && find_interface(&from, out));
}

static void tell(struct route_watch *r, struct target *t, const struct way *way)
{
	struct event e = {.kind = EVENT_ROUTE, .at = stamp_now(), .tunnel = t->tunnel};
	t->told = true;
	t->way = *way;
	e.u.route.there = way->there;
	e.u.route.up = way->up;
	e.u.route.interface = t->way.interface;
	r->sink(r->arg, &e);
}

static void on_timer(uv_timer_t *timer)
{
	struct route_watch *r = timer->data;
	for (struct target *t = r->targets; t != NULL && !r->closing; t = t->next) {
		struct way way;
		if (!look(&t->to, &way))
			continue;
		if (!t->told || way.there != t->way.there || way.up != t->way.up ||
		    strcmp(way.interface, t->way.interface) != 0)
			tell(r, t, &way);
	}
}

static void look_soon(struct route_watch *r, uint64_t ms)
{
	if (!uv_is_active((const uv_handle_t *)&r->timer))
		uv_timer_start(&r->timer, on_timer, ms, 0);
}

/* --- the bell -------------------------------------------------------------------------------- */

static void on_bell(uv_poll_t *poll, int status, int events)
{
	struct route_watch *r = poll->data;
	char dull[8192];
	(void)events;
	if (status < 0) {
		uv_poll_stop(poll);
		return;
	}
	/* ENOBUFS says that something was lost, which is as good a ring as any. */
	for (int i = 0; i < DRAIN_MAX; i++)
		if (recv(r->fd, dull, sizeof dull, MSG_DONTWAIT) < 0 && errno != ENOBUFS)
			break;
	look_soon(r, DAMP_MS);
}

static int open_bell(void)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK,
				 .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE |
					      RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int route_watch_open(struct route_watch **out, uv_loop_t *loop, event_sink sink, void *arg)
{
	struct route_watch *r = calloc(1, sizeof *r);
	if (r == NULL)
		return UV_ENOMEM;
	r->loop = loop;
	r->sink = sink;
	r->arg = arg;
	r->fd = open_bell();
	int rc = r->fd < 0 ? r->fd : uv_poll_init_socket(loop, &r->bell, r->fd);
	if (rc != 0) {
		if (r->fd >= 0)
			close(r->fd);
		free(r);
		return rc;
	}
	r->bell.data = r->timer.data = r;
	r->handles = 2;
	uv_timer_init(loop, &r->timer);
	r->timer.data = r;
	uv_poll_start(&r->bell, UV_READABLE, on_bell);
	*out = r;
	return 0;
}

void route_watch_target(struct route_watch *r, struct tunnel *tunnel, const char *ip, uint16_t port)
{
	struct sockaddr_storage to;
	struct target *t = r->targets;
	if (!resolve_numeric(ip, port, &to))
		return;
	while (t != NULL && t->tunnel != tunnel)
		t = t->next;
	if (t == NULL && (t = calloc(1, sizeof *t)) == NULL)
		return; /* not watched, for want of memory */
	if (t->tunnel == NULL) {
		t->tunnel = tunnel;
		t->next = r->targets;
		r->targets = t;
	}
	if (memcmp(&t->to, &to, sizeof to) != 0)
		t->told = false;
	t->to = to;
	look_soon(r, 0);
}

static void on_closed(uv_handle_t *handle)
{
	struct route_watch *r = handle->data;
	if (--r->handles > 0)
		return;
	close(r->fd);
	while (r->targets != NULL) {
		struct target *t = r->targets;
		r->targets = t->next;
		free(t);
	}
	free(r);
}

void route_watch_close(struct route_watch *r)
{
	assert(!r->closing);
	r->closing = true;
	uv_close((uv_handle_t *)&r->bell, on_closed);
	uv_close((uv_handle_t *)&r->timer, on_closed);
}
