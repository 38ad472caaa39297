/* SPDX-License-Identifier: MIT
 *
 * What is known of the way to the server, apart from its OpenVPN: this machine's route and link,
 * whether the server's host answers echo requests (ICMP), and whether another remote of the profile
 * answers. Together with the probes they tell a dead path from a dead OpenVPN.
 *
 * Happy path: reach_burst() when something is to be learned, reach_event() for what comes of it,
 * reach_time() sends what is due. One echo request when the tunnel is up, to learn whether the host
 * answers them at all; a few while it is silent. Failure modes: this user may not send echo
 * requests (then none is tried until the tunnel is up again), the host never answers them (then its
 * silence says nothing), nothing comes of it at all (no answer within ECHO_TIMEOUT).
 */
#ifndef OVPNWATCH_CORE_REACH_H
#define OVPNWATCH_CORE_REACH_H

#include "core/action.h"
#include "core/event.h"

#define ECHO_TIMEOUT  (2 * NSEC_PER_SEC)
#define ECHO_GAP      (700 * NSEC_PER_MSEC)
#define REACH_PENDING 8
#define REACH_HISTORY 16

/* The tunnel is up (does the host answer at all?), is silent, or restarted. */
enum reach_burst { REACH_UP, REACH_SILENT, REACH_RESTART };

enum reach_result { REACH_ANSWERED, REACH_NONE, REACH_UNREACHABLE, REACH_REFUSED };

struct reach_tally {
	unsigned answered, unanswered, unreachable, refused;
};

/* Questions of one kind: echo requests, or probes of other remotes. */
struct reach_asked {
	unsigned next_id;
	struct {
		unsigned id; /* 0: free */
		nsec sent;   /* mono */
	} pending[REACH_PENDING];
	struct {
		nsec sent; /* mono */
		enum reach_result result;
	} history[REACH_HISTORY]; /* a ring */
	unsigned n_history;
	unsigned left; /* of the burst */
	nsec next;     /* mono: the next of it */
};

struct reach {
	bool enabled; /* false: nothing is sent (--no-probe, a recording) */
	bool others;  /* the profile has other remotes */
	bool barred;  /* echo requests cannot be sent: not tried again before the tunnel is up */
	/* the route */
	bool route_known, route_there, link_up;
	char interface[16]; /* through which the server is, or was last, reached */
	nsec lost, back;    /* mono: the last time that there was no way; NSEC_UNKNOWN: never, not
			       back yet */
	bool lost_link;	    /* its interface went down, rather than its route away */
	struct reach_asked echo, other;
	const char *other_remote; /* "host:port/udp": who was probed last; NULL */
};

/* `others`: the profile has other remotes, and they can be probed. */
void reach_init(struct reach *r, bool enabled, bool others);

/* Takes EVENT_ECHO, EVENT_ROUTE, EVENT_OTHER_REMOTE. */
void reach_event(struct reach *r, const struct event *e);

/* Asks for some questions: see the enumerators. A burst under way that is larger stays. */
void reach_burst(struct reach *r, enum reach_burst why, const struct stamp *now);

/* Time-outs, and what is due. The deadline is on the monotonic clock. */
void reach_time(struct reach *r, const struct stamp *now, struct tunnel *t, struct actions *out);
nsec reach_deadline(const struct reach *r);
/* An answer is still awaited. */
bool reach_busy(const struct reach *r);

/* Of those that left at or after `from` and before `until` (mono). */
struct reach_tally reach_tally(const struct reach_asked *a, nsec from, nsec until);

/* The server is another one: what its host answered is forgotten. */
void reach_another(struct reach *r);

#endif
