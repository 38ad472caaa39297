/* SPDX-License-Identifier: MIT
 *
 * A world of virtual time for the prober: a server with an offset and a path. The including test
 * has cmocka.h before this.
 */
#ifndef OVPNWATCH_TESTS_PEER_CLOCK_FIXTURE_H
#define OVPNWATCH_TESTS_PEER_CLOCK_FIXTURE_H

#include "core/peer_clock.h"

#define MS   NSEC_PER_MSEC
#define SEC  NSEC_PER_SEC
#define WALL (1705361803 * SEC)
#define BOOT (5000 * SEC)

static struct peer_clock p;
static struct actions out;
static nsec slept, set; /* what happened to this machine's clocks */

/* The server: its clock minus this machine's wall clock at the start. */
static nsec server_offset, there, back;

static inline struct stamp at(nsec t)
{
	return (struct stamp){.mono = t,
			      .wall = WALL + t + slept + set,
			      .boot = BOOT + t + slept,
			      .ruler = BOOT + t + slept};
}

static inline void start(bool enabled, bool has_time)
{
	slept = set = 0;
	server_offset = 7 * SEC;
	there = back = 200 * NSEC_PER_USEC;
	peer_clock_init(&p, enabled, has_time, false);
}

/* The id of the probe that is sent now, or 0. */
static inline unsigned probe_at(nsec t)
{
	struct stamp now = at(t);
	out.n_actions = 0;
	peer_clock_time(&p, &now, NULL, &out);
	assert_true(out.n_actions <= 1);
	assert_true(peer_clock_deadline(&p) > t);
	if (out.n_actions == 0)
		return 0;
	assert_int_equal(out.actions[0].kind, ACTION_PROBE);
	assert_int_not_equal(out.actions[0].id, 0);
	return out.actions[0].id;
}

static inline struct event outcome(unsigned id, enum probe_outcome what, nsec sent, nsec received)
{
	struct event e = {.kind = EVENT_PROBE, .at = at(received)};
	e.u.probe.id = id;
	e.u.probe.outcome = what;
	e.u.probe.sent = at(sent);
	if (what == PROBE_ANSWERED) {
		nsec arrived = WALL + sent + slept + there;
		e.u.probe.has_time = true;
		e.u.probe.server_time = (arrived + server_offset) / SEC;
	}
	return e;
}

static inline struct peer_change answer(unsigned id, nsec sent)
{
	struct event e = outcome(id, PROBE_ANSWERED, sent, sent + there + back);
	return peer_clock_event(&p, &e);
}

static inline void burst(enum probe_burst why, nsec t)
{
	struct stamp now = at(t);
	peer_clock_burst(&p, why, &now);
}

/* Lets the clock run to its deadlines until `end`, each probe answered; returns how many. */
static inline unsigned run(nsec from, nsec end, bool answered)
{
	unsigned n = 0;
	for (nsec t = from; t <= end; t = peer_clock_deadline(&p)) {
		unsigned id = probe_at(t);
		n += id != 0;
		if (id != 0 && answered)
			(void)answer(id, t);
	}
	return n;
}

static inline struct peer_clock_reading read_at(nsec t)
{
	struct peer_clock_reading r;
	struct stamp now = at(t);
	peer_time_read(&p.time, &now, NULL, 1.0, &r);
	return r;
}

#endif
