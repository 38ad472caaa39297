/* SPDX-License-Identifier: MIT */
#include "io/clock_asker.h"
#include "io/address.h"
#include "io/clock_question.h"
#include "io/clock_set.h"
#include "io/resolve.h"
#include "io/stamp_now.h"

#include <assert.h>
#include <stdlib.h>

#define LOOKUP_AGAIN_MS ((uint64_t)60000) /* a server that does not answer may have moved */

struct ntp_server {
	struct ntp_server *next; /* of the peers */
	struct clock_asker *asker;
	unsigned index;	       /* of --ntp */
	struct tunnel *tunnel; /* of a peer, else NULL */
	struct resolver resolver;
	bool missed; /* the last question had no answer */
	uint64_t lookup_next;
};

struct clock_asker {
	uv_loop_t *loop;
	event_sink sink;
	void *arg;
	uint16_t chrony_port, ntp_port;
	const char *chrony_socket;
	bool closing, watching; /* watching: `set` is open or being closed */
	struct clock_set set;
	struct clock_question *questions;
	struct ntp_server *peers;
	unsigned n_servers;
	struct ntp_server servers[];
};

static void free_when_closed(struct clock_asker *a)
{
	if (!a->closing || a->watching || a->questions != NULL)
		return;
	while (a->peers != NULL) {
		struct ntp_server *s = a->peers;
		a->peers = s->next;
		free(s);
	}
	free(a);
}

/* --- questions --- */

static void on_question_closed(struct clock_question *q)
{
	struct clock_asker *a = q->owner;
	struct clock_question **at = &a->questions;
	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	free(q);
	free_when_closed(a);
}

static void on_answered(struct clock_question *q, const struct event *e)
{
	struct clock_asker *a = q->owner;
	struct ntp_server *s = q->about;
	if (s != NULL)
		s->missed = e->kind == EVENT_SNTP ? !e->u.sntp.answered : !e->u.peer_sntp.answered;
	a->sink(a->arg, e);
}

/* NULL where there is no memory: then the question is as good as not asked. */
static struct clock_question *question_new(struct clock_asker *a)
{
	assert(!a->closing);
	struct clock_question *q = calloc(1, sizeof *q);
	if (q == NULL)
		return NULL;
	q->owner = a;
	q->answered = on_answered;
	q->closed = on_question_closed;
	q->next = a->questions;
	a->questions = q;
	return q;
}

void clock_asker_chrony(struct clock_asker *a)
{
	struct clock_question *q = question_new(a);
	if (q != NULL)
		clock_question_chrony(q, a->loop, a->chrony_port, a->chrony_socket);
}

void clock_asker_ntp_control(struct clock_asker *a)
{
	struct clock_question *q = question_new(a);
	if (q != NULL)
		clock_question_control(q, a->loop, a->ntp_port);
}

void clock_asker_timesync(struct clock_asker *a)
{
	struct clock_question *q = question_new(a);
	if (q != NULL)
		clock_question_timesync(q, a->loop);
}

void clock_asker_kernel(struct clock_asker *a)
{
	struct clock_question *q = question_new(a);
	if (q != NULL)
		clock_question_kernel(q, a->loop);
}

/* Whatever became of the lookup, the questions that wait for it can go on. */
static void on_resolved(void *arg, int status)
{
	struct ntp_server *s = arg;
	struct sockaddr_storage to;
	bool known = resolver_address(&s->resolver, &to);
	(void)status;
	for (struct clock_question *q = s->asker->questions; q != NULL; q = q->next)
		if (q->about == s)
			clock_question_sntp_to(q, known ? (const struct sockaddr *)&to : NULL);
}

static void ask_server(struct ntp_server *s)
{
	struct clock_asker *a = s->asker;
	struct sockaddr_storage to;
	bool known = resolver_address(&s->resolver, &to);
	uint64_t now = uv_now(a->loop);
	int rc = 0;
	if (!known || (s->missed && now >= s->lookup_next)) {
		s->lookup_next = now + LOOKUP_AGAIN_MS;
		rc = resolver_look_up(&s->resolver);
	}
	struct clock_question *q = question_new(a);
	if (q == NULL)
		return;
	q->about = s;
	q->server = s->index;
	q->tunnel = s->tunnel;
	clock_question_sntp(q, a->loop, s->tunnel != NULL ? EVENT_PEER_SNTP : EVENT_SNTP);
	if (known)
		clock_question_sntp_to(q, (const struct sockaddr *)&to);
	else if (rc < 0)
		clock_question_sntp_to(q, NULL);
}

void clock_asker_sntp(struct clock_asker *a, unsigned server)
{
	assert(server < a->n_servers);
	ask_server(&a->servers[server]);
}

void clock_asker_peer(struct clock_asker *a, const struct tunnel *tunnel)
{
	struct ntp_server *s = a->peers;
	while (s != NULL && s->tunnel != tunnel)
		s = s->next;
	assert(s != NULL);
	ask_server(s);
}

/* --- life --- */

static void on_clock_set(void *arg)
{
	struct clock_asker *a = arg;
	if (a->closing)
		return;
	const struct event e = {.kind = EVENT_TIME, .at = stamp_now()};
	a->sink(a->arg, &e);
}

static int server_init(struct ntp_server *s, struct clock_asker *a, const char *host)
{
	struct address at;
	char error[8];
	if (!address_parse_server(host, NTP_PORT, &at, error, sizeof error))
		return UV_EINVAL;
	s->asker = a;
	resolver_init(&s->resolver, a->loop, at.host, at.port, AF_UNSPEC, on_resolved, s);
	return 0;
}

int clock_asker_open(struct clock_asker **out, uv_loop_t *loop, const char *const *servers,
		     unsigned n_servers, event_sink sink, void *arg)
{
	struct clock_asker *a = calloc(1, sizeof *a + n_servers * sizeof a->servers[0]);
	if (a == NULL)
		return UV_ENOMEM;
	a->loop = loop;
	a->sink = sink;
	a->arg = arg;
	a->chrony_port = CHRONY_PORT;
	a->chrony_socket = CHRONY_SOCKET;
	a->ntp_port = NTP_PORT;
	a->n_servers = n_servers;
	for (unsigned i = 0; i < n_servers; i++) {
		struct ntp_server *s = &a->servers[i];
		s->index = i;
		int rc = server_init(s, a, servers[i]);
		if (rc != 0) {
			free(a);
			return rc;
		}
	}
	/* Where there is none (an old kernel, a sandbox), the look each second has to do. */
	a->watching = clock_set_open(&a->set, loop, on_clock_set, a) == 0;
	*out = a;
	return 0;
}

int clock_asker_add_peer(struct clock_asker *a, struct tunnel *tunnel, const char *host)
{
	assert(!a->closing && tunnel != NULL);
	struct ntp_server *s = calloc(1, sizeof *s);
	int rc = s != NULL ? server_init(s, a, host) : UV_ENOMEM;
	if (rc != 0) {
		free(s);
		return rc;
	}
	s->tunnel = tunnel;
	s->next = a->peers;
	a->peers = s;
	return 0;
}

void clock_asker_remove_peer(struct clock_asker *a, const struct tunnel *tunnel)
{
	struct ntp_server **at = &a->peers;
	while (*at != NULL && (*at)->tunnel != tunnel)
		at = &(*at)->next;
	struct ntp_server *s = *at;
	if (s == NULL)
		return;
	*at = s->next;
	for (struct clock_question *q = a->questions; q != NULL; q = q->next) {
		if (q->about != s)
			continue;
		q->about = NULL;
		clock_question_drop(q);
	}
	resolver_done(&s->resolver);
	free(s);
}

void clock_asker_chrony_port(struct clock_asker *a, uint16_t port)
{
	a->chrony_port = port;
}

void clock_asker_chrony_socket(struct clock_asker *a, const char *path)
{
	a->chrony_socket = path;
}

void clock_asker_ntp_port(struct clock_asker *a, uint16_t port)
{
	a->ntp_port = port;
}

static void on_set_closed(void *arg)
{
	struct clock_asker *a = arg;
	a->watching = false;
	free_when_closed(a);
}

void clock_asker_close(struct clock_asker *a)
{
	assert(!a->closing);
	a->closing = true;
	for (unsigned i = 0; i < a->n_servers; i++)
		resolver_done(&a->servers[i].resolver);
	for (struct ntp_server *s = a->peers; s != NULL; s = s->next)
		resolver_done(&s->resolver);
	for (struct clock_question *q = a->questions; q != NULL; q = q->next)
		clock_question_drop(q);
	if (a->watching)
		clock_set_close(&a->set, on_set_closed);
	else
		free_when_closed(a);
}
