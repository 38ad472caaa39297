/* SPDX-License-Identifier: MIT */
#include "io/prober.h"
#include "io/exchange.h"
#include "io/resolve.h"
#include "io/stamp_now.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define IN_FLIGHT_MAX	16
#define LIFE_MS		((uint64_t)3000)  /* an answer that takes longer says little of the clock */
#define LOOKUP_AGAIN_MS ((uint64_t)60000) /* a server that does not answer may have moved */

enum probe_state {
	PROBE_WAITING, /* for the server's address */
	PROBE_SENT,
	PROBE_ENDED,   /* its outcome is known and will be told by the timer */
	PROBE_CLOSING, /* nothing comes of it any more */
};

struct probe {
	struct exchange exchange;
	struct prober *owner;
	struct probe *next;
	enum probe_state state;
	unsigned id;
	uint64_t made;	   /* the prober's count when it was made */
	uint64_t deadline; /* of the loop, ms */
	uint8_t session[CONTROL_SESSION_SIZE];
	struct stamp sent;
	bool bad_mac;		    /* an answer under another key came; a right one still may */
	enum probe_outcome outcome; /* PROBE_ENDED */
	char reason[160];
};

struct prober {
	uv_loop_t *loop;
	uv_timer_t timer; /* the earliest deadline of all probes */
	bool timer_closed;
	struct resolver resolver;
	struct control_key key;
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
	bool closing;
	bool missed;	      /* the last probe had no answer */
	uint64_t lookup_next; /* loop, ms */
	uint64_t made;	      /* probes so far */
	struct probe *probes;
};

static void prober_free_when_closed(struct prober *p)
{
	if (!p->closing || !p->timer_closed || p->probes != NULL)
		return;
	explicit_bzero(&p->key, sizeof p->key);
	free(p);
}

static void probe_free(struct probe *d)
{
	struct prober *p = d->owner;
	struct probe **at = &p->probes;
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	free(d);
	prober_free_when_closed(p);
}

static void on_closed(struct exchange *x)
{
	probe_free(x->arg);
}

/* Frees it, now if it has no socket. Neither the probe nor (while closing) its prober may be used
 * after this. */
static void probe_close(struct probe *d)
{
	if (d->state == PROBE_CLOSING)
		return;
	d->state = PROBE_CLOSING;
	if (d->exchange.open)
		exchange_close(&d->exchange);
	else
		probe_free(d);
}

static void on_timer(uv_timer_t *timer);

static void arm(struct prober *p)
{
	uint64_t now = uv_now(p->loop), first = UINT64_MAX;
	for (const struct probe *d = p->probes; d != NULL; d = d->next)
		if (d->state != PROBE_CLOSING && d->deadline < first)
			first = d->deadline;
	if (first == UINT64_MAX)
		uv_timer_stop(&p->timer);
	else
		uv_timer_start(&p->timer, on_timer, first > now ? first - now : 0, 0);
}

/* Reports a probe and lets go of it. The sink comes last: it may call us again. */
static void tell(struct probe *d, struct event *e)
{
	struct prober *p = d->owner;
	char reason[sizeof d->reason];
	memcpy(reason, d->reason, sizeof reason);
	e->kind = EVENT_PROBE;
	e->tunnel = p->tunnel;
	e->u.probe.id = d->id;
	e->u.probe.sent = d->sent;
	e->u.probe.reason = reason[0] != '\0' ? reason : NULL;
	p->missed = e->u.probe.outcome != PROBE_ANSWERED;
	probe_close(d);
	arm(p);
	p->sink(p->arg, e);
}

/* The outcome is known within somebody's call: the timer tells it. */
static void end_later(struct probe *d, enum probe_outcome outcome, const char *reason)
{
	d->state = PROBE_ENDED;
	d->outcome = outcome;
	snprintf(d->reason, sizeof d->reason, "%s", reason);
	d->deadline = uv_now(d->owner->loop);
	arm(d->owner);
}

/* What an error of the network means. `local`: the kernel said it when we sent, where EACCES is a
 * firewall of this machine; later it is ICMPv6 "administratively prohibited". */
static enum probe_outcome outcome_of(int error, bool local)
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
	default:
		return PROBE_FAILED;
	}
}

static void on_error(struct exchange *x, const struct stamp *at, int error)
{
	struct probe *d = x->arg;
	if (d->state != PROBE_SENT)
		return;
	struct event e = {.at = *at, .u.probe.outcome = outcome_of(error, false)};
	snprintf(d->reason, sizeof d->reason, "%s", uv_strerror(error));
	tell(d, &e);
}

static void on_packet(struct exchange *x, const struct stamp *at, const void *bytes, size_t size)
{
	struct probe *d = x->arg;
	struct control_reply reply;
	if (d->state != PROBE_SENT)
		return;
	enum control_flaw flaw =
	    control_reset_reply(&d->owner->key, d->session, bytes, size, &reply);
	if (flaw == CONTROL_BAD_MAC)
		d->bad_mac = true;
	if (flaw != CONTROL_FINE)
		return;
	struct event e = {.at = *at, .u.probe.outcome = PROBE_ANSWERED};
	e.u.probe.has_time = reply.has_time;
	e.u.probe.server_time = reply.has_time ? (int64_t)reply.time : 0;
	tell(d, &e);
}

static const struct exchange_callbacks callbacks = {
    .packet = on_packet, .error = on_error, .closed = on_closed};

static unsigned in_flight(const struct prober *p)
{
	unsigned n = 0;
	for (const struct probe *d = p->probes; d != NULL; d = d->next)
		n += d->state == PROBE_SENT;
	return n;
}

/* The address is known: send. Calls no sink. */
static void dispatch(struct probe *d, const struct sockaddr_storage *to)
{
	struct prober *p = d->owner;
	uint8_t packet[CONTROL_PACKET_MAX];
	d->sent = stamp_now();
	if (in_flight(p) >= IN_FLIGHT_MAX) {
		end_later(d, PROBE_FAILED, "16 probes wait for an answer already");
		return;
	}
	if (getrandom(d->session, sizeof d->session, GRND_NONBLOCK) != sizeof d->session) {
		end_later(d, PROBE_FAILED, "no random numbers");
		return;
	}
	size_t size =
	    control_reset(&p->key, d->session, (uint32_t)(d->sent.wall / NSEC_PER_SEC), packet);
	if (size == 0) {
		end_later(d, PROBE_FAILED, "the profile's auth digest is not known here");
		return;
	}
	exchange_open(&d->exchange, p->loop, &callbacks, d);
	int rc = exchange_connect(&d->exchange, (const struct sockaddr *)to);
	if (rc == 0)
		rc = exchange_send(&d->exchange, packet, size);
	if (rc != 0) {
		end_later(d, outcome_of(rc, true), uv_strerror(rc));
		return;
	}
	d->sent = d->exchange.sent;
	d->state = PROBE_SENT;
	d->deadline = uv_now(p->loop) + LIFE_MS;
	arm(p);
}

/* Something became of the lookup: what waits for it can go. */
static void dispatch_waiting(struct prober *p, const char *error)
{
	struct sockaddr_storage to;
	bool known = resolver_address(&p->resolver, &to);
	for (struct probe *d = p->probes; d != NULL; d = d->next) {
		if (d->state != PROBE_WAITING)
			continue;
		if (known) {
			dispatch(d, &to);
			continue;
		}
		char reason[sizeof d->reason];
		snprintf(reason, sizeof reason, "cannot resolve %.80s: %.60s", p->resolver.host,
			 error);
		end_later(d, PROBE_FAILED, reason);
	}
}

static void on_resolved(void *arg, int status)
{
	dispatch_waiting(arg, status != 0 ? uv_strerror(status) : "no address");
}

/* A time-out of the probe, or what end_later() left. */
static void due(struct probe *d)
{
	struct prober *p = d->owner;
	struct event e = {.at = stamp_now()};
	switch (d->state) {
	case PROBE_WAITING:
		snprintf(d->reason, sizeof d->reason,
			 "cannot resolve %.80s: the name service does not answer",
			 p->resolver.host);
		e.u.probe.outcome = PROBE_FAILED;
		break;
	case PROBE_ENDED:
		e.u.probe.outcome = d->outcome;
		break;
	case PROBE_SENT:
		p->missed = true;
		if (!d->bad_mac) {
			probe_close(d);
			return;
		}
		snprintf(d->reason, sizeof d->reason, "the answer's MAC is not right");
		e.u.probe.outcome = PROBE_BAD_MAC;
		break;
	case PROBE_CLOSING:
		return;
	}
	tell(d, &e);
}

/* The first probe that is due and was there when the timer fired: a sink that answers each failure
 * with a new probe that fails must not keep us here. */
static struct probe *first_due(const struct prober *p, uint64_t made_before, uint64_t now)
{
	for (struct probe *d = p->probes; d != NULL; d = d->next)
		if (d->state != PROBE_CLOSING && d->made < made_before && d->deadline <= now)
			return d;
	return NULL;
}

static void on_timer(uv_timer_t *timer)
{
	struct prober *p = timer->data;
	uint64_t now = uv_now(p->loop), made = p->made;
	struct probe *d;
	/* The sink may close the prober, but it is freed in a later round of the loop only. */
	while (!p->closing && (d = first_due(p, made, now)) != NULL)
		due(d);
	if (!p->closing)
		arm(p);
}

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

int prober_open(struct prober **out, uv_loop_t *loop, const struct profile_remote *remote,
		const struct control_key *key, struct tunnel *tunnel, event_sink sink, void *arg)
{
	if (remote->proto != PROTO_UDP && remote->proto != PROTO_UDP4 &&
	    remote->proto != PROTO_UDP6)
		return UV_EPROTONOSUPPORT;
	struct prober *p = calloc(1, sizeof *p);
	if (p == NULL)
		return UV_ENOMEM;
	p->loop = loop;
	p->key = *key;
	p->tunnel = tunnel;
	p->sink = sink;
	p->arg = arg;
	resolver_init(&p->resolver, loop, remote->host, remote->port, family_of(remote->proto),
		      on_resolved, p);
	int rc = uv_timer_init(loop, &p->timer);
	assert(rc == 0);
	(void)rc;
	p->timer.data = p;
	*out = p;
	return 0;
}

void prober_redirect(struct prober *p, const char *ip, uint16_t port)
{
	struct sockaddr_storage to;
	if (!resolve_numeric(ip, port, &to))
		return;
	resolver_pin(&p->resolver, &to);
	dispatch_waiting(p, "");
}

/* A name is looked up for the first probe, and again where the last one had no answer; the old
 * address serves meanwhile. Returns what resolver_look_up() does. */
static int look_up(struct prober *p, bool known)
{
	uint64_t now = uv_now(p->loop);
	if (known && (!p->missed || now < p->lookup_next))
		return 0;
	p->lookup_next = now + LOOKUP_AGAIN_MS;
	return resolver_look_up(&p->resolver);
}

void prober_send(struct prober *p, unsigned id)
{
	struct sockaddr_storage to;
	struct probe *d = calloc(1, sizeof *d);
	if (d == NULL)
		return; /* like a probe that was lost, for want of memory to say more */
	*d = (struct probe){.owner = p,
			    .next = p->probes,
			    .state = PROBE_WAITING,
			    .id = id,
			    .made = p->made++,
			    .deadline = uv_now(p->loop) + LIFE_MS,
			    .sent = stamp_now()};
	p->probes = d;
	bool known = resolver_address(&p->resolver, &to);
	int rc = look_up(p, known);
	if (known)
		dispatch(d, &to);
	else if (rc < 0)
		end_later(d, PROBE_FAILED, uv_strerror(rc));
	else
		arm(p);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct prober *p = handle->data;
	p->timer_closed = true;
	prober_free_when_closed(p);
}

void prober_close(struct prober *p)
{
	assert(!p->closing);
	p->closing = true;
	resolver_done(&p->resolver);
	uv_close((uv_handle_t *)&p->timer, on_timer_closed);
	for (struct probe *d = p->probes, *next; d != NULL; d = next) {
		next = d->next;
		probe_close(d);
	}
}
