/* SPDX-License-Identifier: MIT */
#include "io/prober.h"
#include "io/carrier.h"
#include "io/in_flight.h"
#include "io/stamp_now.h"
#include "io/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define IN_FLIGHT_MAX 16
#define LIFE_MS	      ((uint64_t)3000) /* an answer that takes longer says little of the clock */
/* After an answer under another key the right one may still come, so long. Sooner than the core
 * gives a probe up (PROBE_TIMEOUT), or it would hear of it too late. */
#define BAD_MAC_MS     ((uint64_t)1500)
#define BAD_MAC_REASON "the answer's MAC is not right"

/* A server that keeps state sends its reset again when nobody acknowledged it: after 2 s, OpenVPN's
 * default (tls-timeout), which it counts in whole seconds of its clock and looks at about once a
 * second: after 1 s to 3 s. What comes sooner is a duplicate that the network made. */
#define REPEAT_WAIT_MS ((uint64_t)3200)	     /* after the probe was sent */
#define REPEAT_GAP     (900 * NSEC_PER_MSEC) /* from the first answer to the second */
#define REPEAT_ENOUGH  2		     /* so many answered once only: it keeps no state */
#define LINGERING_MAX  4

enum probe_state {
	PROBE_WAITING, /* for the server's address */
	PROBE_SENT,
	PROBE_ENDED,	 /* its outcome is known and will be told by the timer */
	PROBE_LINGERING, /* answered, and that was told: will the answer come again? */
	PROBE_CLOSING,	 /* nothing comes of it any more */
};

struct probe {
	struct in_flight_request request;
	struct carrier carrier;
	enum probe_state state;
	unsigned id;
	uint64_t started; /* of the loop, ms: when it was sent, or had to wait */
	unsigned turn;	  /* the target's when it was sent */
	unsigned destination;
	uint8_t session[CONTROL_SESSION_SIZE];
	struct stamp sent;
	nsec answered;			      /* mono; PROBE_LINGERING */
	uint8_t server[CONTROL_SESSION_SIZE]; /* its session; PROBE_LINGERING */
	bool bad_mac;		    /* an answer under another key came; a right one still may */
	enum probe_outcome outcome; /* PROBE_ENDED */
	char reason[160];
};

struct prober {
	struct in_flight in_flight; /* of struct probe */
	struct target target;
	struct sockaddr_storage last; /* where the last probe went */
	bool last_tcp;
	unsigned destination; /* so many so far; `last` is that one */
	struct control_key key;
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
	bool decided;	 /* it is known whether answers come again */
	unsigned n_once; /* how many in all of REPEAT_WAIT_MS did not */
};

static struct prober *owner(const struct probe *d)
{
	return (struct prober *)d->request.owner;
}

static struct probe *next_of(const struct probe *d)
{
	return (struct probe *)d->request.next;
}

static struct probe *first_of(const struct prober *p)
{
	return (struct probe *)p->in_flight.first;
}

static void on_closed(struct carrier *c)
{
	struct probe *d = c->arg;
	in_flight_gone(&d->request);
}

/* Frees it, now if it has no socket. Neither the probe nor (while closing) its prober may be used
 * after this. */
static void probe_close(struct probe *d)
{
	if (d->state == PROBE_CLOSING)
		return;
	d->state = PROBE_CLOSING;
	d->request.deadline = IN_FLIGHT_NEVER;
	if (d->carrier.open)
		carrier_close(&d->carrier);
	else
		in_flight_gone(&d->request);
}

static unsigned count(const struct prober *p, enum probe_state state)
{
	unsigned n = 0;
	for (const struct probe *d = first_of(p); d != NULL; d = next_of(d))
		n += d->state == state;
	return n;
}

/* It is known whether answers come again, or does not matter any more. */
static void stop_lingering(struct prober *p)
{
	for (struct probe *d = first_of(p), *next; d != NULL; d = next) {
		next = next_of(d);
		if (d->state == PROBE_LINGERING)
			probe_close(d);
	}
}

/* Waits for a second answer, or closes it. */
static void linger(struct probe *d, nsec mono)
{
	struct prober *p = owner(d);
	if (p->decided || d->carrier.tcp || d->turn != p->target.turn ||
	    count(p, PROBE_LINGERING) >= LINGERING_MAX) {
		probe_close(d);
		return;
	}
	d->state = PROBE_LINGERING;
	d->answered = mono;
	d->request.deadline = d->started + REPEAT_WAIT_MS;
}

/* Reports a probe and lets go of it. The sink comes last: it may call us again. */
static void tell(struct probe *d, struct event *e)
{
	struct prober *p = owner(d);
	char reason[sizeof d->reason];
	memcpy(reason, d->reason, sizeof reason);
	/* Under tls-crypt-v2 over TCP the server looks at its clock when it accepts. */
	if (d->state == PROBE_SENT)
		d->sent = carrier_sent(&d->carrier, p->key.wrap == WRAP_TLS_CRYPT_V2);
	e->kind = EVENT_PROBE;
	e->tunnel = p->tunnel;
	e->u.probe.id = d->id;
	e->u.probe.tcp = d->carrier.tcp;
	e->u.probe.destination = d->destination;
	e->u.probe.sent = d->sent;
	e->u.probe.reason = reason[0] != '\0' ? reason : NULL;
	if (e->u.probe.outcome == PROBE_ANSWERED) {
		target_answered(&p->target, d->turn);
		linger(d, e->at.mono);
	} else {
		target_missed(&p->target, d->turn);
		probe_close(d);
	}
	in_flight_arm(&p->in_flight);
	p->sink(p->arg, e);
}

/* The answer came again. Told once. */
static void tell_repetition(struct probe *d, const struct stamp *at)
{
	struct prober *p = owner(d);
	struct event e = {.kind = EVENT_PROBE, .at = *at, .tunnel = p->tunnel};
	e.u.probe.outcome = PROBE_REPEATED;
	e.u.probe.id = d->id;
	e.u.probe.sent = d->sent;
	p->decided = true;
	stop_lingering(p);
	in_flight_arm(&p->in_flight);
	p->sink(p->arg, &e);
}

/* The outcome is known within somebody's call: the timer tells it. */
static void end_later(struct probe *d, enum probe_outcome outcome, const char *reason)
{
	d->state = PROBE_ENDED;
	d->outcome = outcome;
	snprintf(d->reason, sizeof d->reason, "%s", reason);
	d->request.deadline = uv_now(d->request.owner->loop);
	in_flight_arm(d->request.owner);
}

static void on_error(struct carrier *c, const struct stamp *at, int error)
{
	struct probe *d = c->arg;
	if (d->state == PROBE_LINGERING) {
		probe_close(d);
		return;
	}
	if (d->state != PROBE_SENT)
		return;
	struct event e = {.at = *at, .u.probe.outcome = carrier_outcome(error, false)};
	snprintf(d->reason, sizeof d->reason, "%s", carrier_reason(error));
	tell(d, &e);
}

/* A packet that is not the answer. By UDP anybody may have sent it, and the answer may still come;
 * by TCP it is what stands in the answer's place. */
static void on_other(struct probe *d, const struct stamp *at, enum control_flaw flaw)
{
	struct event e = {.at = *at};
	if (d->carrier.tcp && flaw == CONTROL_BAD_MAC) {
		snprintf(d->reason, sizeof d->reason, BAD_MAC_REASON);
		e.u.probe.outcome = PROBE_BAD_MAC;
		tell(d, &e);
	} else if (d->carrier.tcp) {
		snprintf(d->reason, sizeof d->reason, "%s",
			 carrier_reason(STREAM_EXCHANGE_GARBAGE));
		e.u.probe.outcome = PROBE_REJECTED;
		tell(d, &e);
	} else if (flaw == CONTROL_BAD_MAC && !d->bad_mac) {
		d->bad_mac = true;
		d->request.deadline = d->started + BAD_MAC_MS;
		in_flight_arm(d->request.owner);
	}
}

/* Before 2.6 it acknowledges nothing: it has done so once. Its session tells that it is the same
 * server's same reset. */
static void on_repetition(struct probe *d, const struct stamp *at, enum control_flaw flaw,
			  const uint8_t *session)
{
	bool right = flaw == CONTROL_FINE || flaw == CONTROL_NOT_OURS;
	if (right && memcmp(session, d->server, sizeof d->server) == 0 &&
	    at->mono - d->answered >= REPEAT_GAP)
		tell_repetition(d, at);
}

static void on_packet(struct carrier *c, const struct stamp *at, const void *bytes, size_t size)
{
	struct probe *d = c->arg;
	struct control_reply reply;
	if (d->state != PROBE_SENT && d->state != PROBE_LINGERING)
		return;
	enum control_flaw flaw =
	    control_reset_reply(&owner(d)->key, d->session, bytes, size, &reply);
	const uint8_t *session = control_session(bytes, size);
	if (d->state == PROBE_LINGERING) {
		on_repetition(d, at, flaw, session);
		return;
	}
	if (flaw != CONTROL_FINE) {
		on_other(d, at, flaw);
		return;
	}
	memcpy(d->server, session, sizeof d->server);
	struct event e = {.at = *at, .u.probe.outcome = PROBE_ANSWERED};
	e.u.probe.has_time = reply.has_time;
	e.u.probe.server_time = reply.has_time ? (int64_t)reply.time : 0;
	tell(d, &e);
}

static const struct carrier_callbacks callbacks = {
    .packet = on_packet, .error = on_error, .closed = on_closed};

/* The daemon says where it is connected to, a name is looked up again, an address gives way: the
 * core has to know that it is not the same any more. */
static unsigned destination(struct prober *p, const struct sockaddr_storage *to)
{
	if (p->destination == 0 || p->last_tcp != p->target.tcp ||
	    memcmp(&p->last, to, sizeof *to) != 0)
		p->destination++;
	p->last = *to;
	p->last_tcp = p->target.tcp;
	return p->destination;
}

/* The address is known: send. Calls no sink. */
static void dispatch(struct probe *d, const struct sockaddr_storage *to)
{
	struct prober *p = owner(d);
	uint8_t packet[CONTROL_PACKET_MAX];
	d->sent = stamp_now();
	d->turn = p->target.turn;
	if (count(p, PROBE_SENT) >= IN_FLIGHT_MAX) {
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
	carrier_open(&d->carrier, p->in_flight.loop, p->target.tcp, &callbacks, d);
	int rc = carrier_send(&d->carrier, (const struct sockaddr *)to, packet, size);
	if (rc != 0) {
		end_later(d, carrier_outcome(rc, true), carrier_reason(rc));
		return;
	}
	d->state = PROBE_SENT;
	d->destination = destination(p, to);
	d->started = uv_now(p->in_flight.loop);
	d->request.deadline = d->started + LIFE_MS;
	in_flight_arm(&p->in_flight);
}

/* Something became of the lookup: what waits for it can go. */
static void dispatch_waiting(struct prober *p, const char *error)
{
	struct sockaddr_storage to;
	bool known = target_address(&p->target, &to);
	for (struct probe *d = first_of(p); d != NULL; d = next_of(d)) {
		if (d->state != PROBE_WAITING)
			continue;
		if (known) {
			dispatch(d, &to);
			continue;
		}
		char reason[sizeof d->reason];
		snprintf(reason, sizeof reason, "cannot resolve %.80s: %.60s",
			 p->target.resolver.host, error);
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
	struct prober *p = owner(d);
	struct event e = {.at = stamp_now()};
	switch (d->state) {
	case PROBE_WAITING:
		snprintf(d->reason, sizeof d->reason,
			 "cannot resolve %.80s: the name service does not answer",
			 p->target.resolver.host);
		e.u.probe.outcome = PROBE_FAILED;
		break;
	case PROBE_ENDED:
		e.u.probe.outcome = d->outcome;
		break;
	case PROBE_LINGERING:
		p->decided = ++p->n_once >= REPEAT_ENOUGH;
		probe_close(d);
		if (p->decided)
			stop_lingering(p);
		return;
	case PROBE_SENT:
		if (!d->bad_mac) {
			target_missed(&p->target, d->turn);
			probe_close(d);
			return;
		}
		snprintf(d->reason, sizeof d->reason, BAD_MAC_REASON);
		e.u.probe.outcome = PROBE_BAD_MAC;
		break;
	case PROBE_CLOSING:
		return;
	}
	tell(d, &e);
}

static void free_owner(struct in_flight *f)
{
	struct prober *p = (struct prober *)f;
	explicit_bzero(&p->key, sizeof p->key);
	free(p);
}

static void on_due(struct in_flight_request *r)
{
	due((struct probe *)r);
}

static void on_close(struct in_flight_request *r)
{
	probe_close((struct probe *)r);
}

int prober_open(struct prober **out, uv_loop_t *loop, const struct profile_remote *remote,
		const struct control_key *key, struct tunnel *tunnel, event_sink sink, void *arg)
{
	struct prober *p = calloc(1, sizeof *p);
	if (p == NULL)
		return UV_ENOMEM;
	p->in_flight =
	    (struct in_flight){.due = on_due, .close = on_close, .free_owner = free_owner};
	p->key = *key;
	p->tunnel = tunnel;
	p->sink = sink;
	p->arg = arg;
	target_init(&p->target, loop, remote, on_resolved, p);
	in_flight_open(&p->in_flight, loop);
	*out = p;
	return 0;
}

void prober_redirect(struct prober *p, const char *ip, uint16_t port, bool tcp)
{
	unsigned turn = p->target.turn;
	if (!target_move(&p->target, ip, port, tcp))
		return;
	if (p->target.turn != turn) {
		p->decided = false;
		p->n_once = 0;
		stop_lingering(p);
	}
	dispatch_waiting(p, "");
}

bool prober_address(const struct prober *p, struct sockaddr_storage *out)
{
	return target_address(&p->target, out);
}

bool prober_has(const struct prober *p, const struct sockaddr_storage *address)
{
	return resolver_has(&p->target.resolver, address);
}

void prober_send(struct prober *p, unsigned id)
{
	struct sockaddr_storage to;
	struct probe *d = calloc(1, sizeof *d);
	if (d == NULL)
		return; /* like a probe that was lost, for want of memory to say more */
	d->state = PROBE_WAITING;
	d->id = id;
	d->started = uv_now(p->in_flight.loop);
	d->turn = p->target.turn;
	d->sent = stamp_now();
	in_flight_add(&p->in_flight, &d->request, d->started + LIFE_MS);
	int rc = target_look_up(&p->target);
	if (target_address(&p->target, &to))
		dispatch(d, &to);
	else if (rc < 0)
		end_later(d, PROBE_FAILED, uv_strerror(rc));
	else
		in_flight_arm(&p->in_flight);
}

void prober_close(struct prober *p)
{
	target_done(&p->target);
	in_flight_close(&p->in_flight);
}
