/* SPDX-License-Identifier: MIT */
#include "io/other_remotes.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct candidate {
	struct other_remotes *owner;
	struct profile_remote remote;
	struct prober *prober;
	char name[PROFILE_NAME_MAX + 16]; /* "host:port/udp" */
};

struct other_remotes {
	event_sink sink;
	void *arg;
	struct candidate candidates[OTHER_REMOTES_MAX]; /* the first one is in use at first */
	unsigned n, next;
	bool used_known; /* the address of the one in use */
	struct sockaddr_storage used;
};

/* --- which is another ------------------------------------------------------------------------ */

static bool has_address_in_use(const struct other_remotes *o, const struct candidate *c)
{
	return o->used_known && prober_has(c->prober, &o->used);
}

/* It is a name that was not looked up yet, with the right port. */
static bool may_be_in_use(const struct other_remotes *o, const struct candidate *c)
{
	struct sockaddr_storage known;
	/* The port is at the same place in both families. */
	uint16_t port = ntohs(((const struct sockaddr_in *)&o->used)->sin_port);
	return !prober_address(c->prober, &known) && c->remote.port == port;
}

/* If several names may be it, none is taken for it: the address that a name is found to have
 * decides, in on_probe(). */
static bool is_in_use(const struct other_remotes *o, const struct candidate *c)
{
	unsigned n_maybe = 0;
	if (!o->used_known)
		return c == &o->candidates[0];
	if (has_address_in_use(o, c))
		return true;
	for (unsigned i = 0; i < o->n; i++) {
		if (has_address_in_use(o, &o->candidates[i]))
			return false;
		n_maybe += may_be_in_use(o, &o->candidates[i]);
	}
	return n_maybe == 1 && may_be_in_use(o, c);
}

/* --- probing --------------------------------------------------------------------------------- */

static void on_probe(void *arg, const struct event *e)
{
	struct candidate *c = arg;
	struct other_remotes *o = c->owner;
	struct event told = {.kind = EVENT_OTHER_REMOTE, .at = e->at, .tunnel = e->tunnel};
	/* That an answer came again says nothing more of the way to there. */
	if (e->u.probe.outcome == PROBE_REPEATED || has_address_in_use(o, c))
		return;
	told.u.other_remote.id = e->u.probe.id;
	told.u.other_remote.outcome = e->u.probe.outcome;
	told.u.other_remote.sent = e->u.probe.sent;
	told.u.other_remote.remote = c->name;
	o->sink(o->arg, &told);
}

void other_remotes_send(struct other_remotes *o, unsigned id)
{
	for (unsigned i = 0; i < o->n; i++) {
		const struct candidate *c = &o->candidates[o->next++ % o->n];
		if (is_in_use(o, c))
			continue;
		prober_send(c->prober, id);
		return;
	}
}

void other_remotes_use(struct other_remotes *o, const struct sockaddr_storage *used)
{
	o->used = *used;
	o->used_known = true;
}

/* --- beginning and end ----------------------------------------------------------------------- */

static bool is_among(const struct other_remotes *o, const struct profile_remote *r)
{
	for (unsigned i = 0; i < o->n; i++) {
		const struct profile_remote *c = &o->candidates[i].remote;
		if (c->port == r->port && strcasecmp(c->host, r->host) == 0)
			return true;
	}
	return false;
}

static void add(struct other_remotes *o, const struct profile_remote *r)
{
	struct candidate *c = &o->candidates[o->n++];
	bool number = strchr(r->host, ':') != NULL;
	c->owner = o;
	c->remote = *r;
	snprintf(c->name, sizeof c->name, "%s%s%s:%u/%s", number ? "[" : "", r->host,
		 number ? "]" : "", r->port, profile_proto_is_tcp(r->proto) ? "tcp" : "udp");
}

static void choose(struct other_remotes *o, const struct profile *p,
		   const struct profile_remote *used)
{
	add(o, used);
	for (int tcp = 0; tcp <= 1; tcp++)
		for (size_t i = 0; i < p->n_remotes && o->n < OTHER_REMOTES_MAX; i++)
			if (profile_proto_is_tcp(p->remotes[i].proto) == (tcp != 0) &&
			    !is_among(o, &p->remotes[i]))
				add(o, &p->remotes[i]);
}

int other_remotes_open(struct other_remotes **out, uv_loop_t *loop, const struct profile *profile,
		       const struct profile_remote *used, const struct control_key *key,
		       struct tunnel *tunnel, event_sink sink, void *arg)
{
	struct other_remotes *o = calloc(1, sizeof *o);
	int rc = 0;
	if (o == NULL)
		return UV_ENOMEM;
	o->sink = sink;
	o->arg = arg;
	o->next = 1;
	choose(o, profile, used);
	for (unsigned i = 0; i < o->n && rc == 0; i++) {
		struct candidate *c = &o->candidates[i];
		rc = prober_open(&c->prober, loop, &c->remote, key, tunnel, on_probe, c);
	}
	if (rc == 0) {
		*out = o;
		return 0;
	}
	other_remotes_close(o);
	other_remotes_free(o);
	return rc;
}

void other_remotes_close(struct other_remotes *o)
{
	for (unsigned i = 0; i < o->n; i++) {
		if (o->candidates[i].prober != NULL)
			prober_close(o->candidates[i].prober);
		o->candidates[i].prober = NULL;
	}
	o->n = 0;
}

void other_remotes_free(struct other_remotes *o)
{
	free(o);
}
