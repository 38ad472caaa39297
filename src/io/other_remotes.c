/* SPDX-License-Identifier: MIT */
#include "io/other_remotes.h"
#include "io/prober.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct other {
	struct other_remotes *owner;
	const struct profile_remote *remote;
	struct prober *prober; /* NULL until it is asked */
	char name[PROFILE_NAME_MAX + 16];
};

struct other_remotes {
	uv_loop_t *loop;
	const struct control_key *key;
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
	char in_use[48]; /* numeric */
	uint16_t in_use_port;
	struct other others[OTHER_REMOTES_MAX];
	size_t n, turn;
};

static void relay(void *arg, const struct event *probe)
{
	struct other *o = arg;
	struct event e = {.kind = EVENT_OTHER_REMOTE, .at = probe->at, .tunnel = o->owner->tunnel};
	e.u.other_remote.id = probe->u.probe.id;
	e.u.other_remote.outcome = probe->u.probe.outcome;
	e.u.other_remote.sent = probe->u.probe.sent;
	e.u.other_remote.remote = o->name;
	if (probe->u.probe.outcome != PROBE_REPEATED)
		o->owner->sink(o->owner->arg, &e);
}

static bool same(const struct profile_remote *a, const struct profile_remote *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0 &&
	       profile_proto_is_tcp(a->proto) == profile_proto_is_tcp(b->proto);
}

/* By UDP first: there a probe costs a server nothing. */
static void collect(struct other_remotes *o, const struct profile *p,
		    const struct profile_remote *used, bool tcp)
{
	for (size_t i = 0; i < p->n_remotes && o->n < OTHER_REMOTES_MAX; i++) {
		const struct profile_remote *r = &p->remotes[i];
		if (profile_proto_is_tcp(r->proto) != tcp || same(r, used))
			continue;
		struct other *other = &o->others[o->n++];
		*other = (struct other){.owner = o, .remote = r};
		snprintf(other->name, sizeof other->name, "%.*s:%u/%s", PROFILE_NAME_MAX - 1,
			 r->host, r->port, tcp ? "tcp" : "udp");
	}
}

int other_remotes_open(struct other_remotes **out, uv_loop_t *loop, const struct profile *profile,
		       const struct profile_remote *used, const struct control_key *key,
		       struct tunnel *tunnel, event_sink sink, void *arg)
{
	struct other_remotes *o = calloc(1, sizeof *o);
	if (o == NULL)
		return UV_ENOMEM;
	o->loop = loop;
	o->key = key;
	o->tunnel = tunnel;
	o->sink = sink;
	o->arg = arg;
	collect(o, profile, used, false);
	collect(o, profile, used, true);
	*out = o;
	return 0;
}

void other_remotes_in_use(struct other_remotes *o, const char *ip, uint16_t port)
{
	snprintf(o->in_use, sizeof o->in_use, "%s", ip);
	o->in_use_port = port;
}

void other_remotes_probe(struct other_remotes *o, unsigned id)
{
	for (size_t tries = 0; tries < o->n; tries++) {
		struct other *other = &o->others[o->turn++ % o->n];
		if (strcmp(other->remote->host, o->in_use) == 0 &&
		    other->remote->port == o->in_use_port)
			continue;
		if (other->prober == NULL && prober_open(&other->prober, o->loop, other->remote,
							 o->key, o->tunnel, relay, other) != 0)
			return;
		prober_send(other->prober, id);
		return;
	}
}

void other_remotes_close(struct other_remotes *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->others[i].prober != NULL)
			prober_close(o->others[i].prober);
	free(o);
}
