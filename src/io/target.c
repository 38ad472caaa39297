/* SPDX-License-Identifier: MIT */
#include "io/target.h"

#include <string.h>

#define LOOKUP_AGAIN_MS ((uint64_t)60000)

static int family_of(enum profile_proto proto)
{
	switch (proto) {
	case PROTO_UDP4:
	case PROTO_TCP4:
		return AF_INET;
	case PROTO_UDP6:
	case PROTO_TCP6:
		return AF_INET6;
	case PROTO_UDP:
	case PROTO_TCP:
		break;
	}
	return AF_UNSPEC;
}

bool target_fits(const struct sockaddr_storage *address, enum profile_proto proto)
{
	int family = family_of(proto);
	return family == AF_UNSPEC || family == address->ss_family;
}

void target_init(struct target *t, uv_loop_t *loop, const struct profile_remote *remote,
		 resolved callback, void *arg)
{
	*t = (struct target){.tcp = profile_proto_is_tcp(remote->proto)};
	resolver_init(&t->resolver, loop, remote->host, remote->port, family_of(remote->proto),
		      callback, arg);
}

int target_look_up(struct target *t)
{
	struct sockaddr_storage known;
	uint64_t now = uv_now(t->resolver.loop);
	/* The old address serves meanwhile. */
	if (target_address(t, &known) && (!t->missed || now < t->lookup_next))
		return 0;
	t->lookup_next = now + LOOKUP_AGAIN_MS;
	int rc = resolver_look_up(&t->resolver);
	return rc < 0 ? rc : 0;
}

bool target_address(const struct target *t, struct sockaddr_storage *out)
{
	return resolver_address(&t->resolver, out);
}

void target_answered(struct target *t, unsigned turn)
{
	t->missed = false;
	if (turn == t->turn)
		t->heard = true;
}

void target_missed(struct target *t, unsigned turn)
{
	t->missed = true;
	if (t->heard || turn != t->turn)
		return;
	resolver_next(&t->resolver);
	t->turn++;
}

bool target_move(struct target *t, const char *ip, uint16_t port, bool tcp)
{
	struct sockaddr_storage to, before;
	if (!resolve_numeric(ip, port, &to))
		return false;
	bool same =
	    tcp == t->tcp && target_address(t, &before) && memcmp(&before, &to, sizeof to) == 0;
	t->tcp = tcp;
	resolver_pin(&t->resolver, &to);
	if (!same) {
		t->heard = false;
		t->turn++;
	}
	return true;
}

void target_done(struct target *t)
{
	resolver_done(&t->resolver);
}
