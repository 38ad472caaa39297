/* SPDX-License-Identifier: MIT
 *
 * What the prober makes of the answers, against a world of virtual time. When it asks:
 * test_peer_clock_pace.c.
 */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "unit/peer_clock_fixture.h"

static void measures_the_offset(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	assert_int_equal(run(0, 15 * SEC, true), 8);
	assert_false(peer_clock_busy(&p));
	struct peer_clock_reading r = read_at(15 * SEC);
	assert_true(r.present);
	assert_int_equal(r.source, PEER_SOURCE_OPENVPN_CONTROL);
	assert_int_equal(r.samples, 8);
	assert_true(fabs(r.offset_s - 7) <= r.max_error_s && r.max_error_s < 0.0115);
	assert_true(r.age_s > 0 && r.age_s < 15);
	assert_true(isnan(r.drift_ppm) && isnan(r.vs_utc_s) && isnan(r.vs_utc_max_error_s));
	/* the wall clock is set: the server's offset to it changes, and nothing else does */
	set = -30 * SEC;
	struct peer_clock_reading after = read_at(15 * SEC);
	assert_true(fabs(after.offset_s - r.offset_s - 30) < 1e-9);
	assert_true(fabs(after.max_error_s - r.max_error_s) < 1e-9);
	assert_int_equal(run(peer_clock_deadline(&p), 200 * SEC, true), 3);
	assert_false(p.time.stepped);
	assert_int_equal(p.time.face[PEER_OPENVPN].estimator.samples, 11);
}

static void against_utc(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	(void)run(0, 15 * SEC, true);
	/* this clock is 3 s slow, so the server is 4 s ahead of UTC */
	struct local_clock_reading local = {.present = true, .offset_s = 3, .max_error_s = 0.5};
	struct peer_clock_reading r;
	struct stamp now = at(15 * SEC);
	peer_time_read(&p.time, &now, &local, 1.0, &r);
	assert_true(fabs(r.vs_utc_s - (r.offset_s - 3)) < 1e-9);
	assert_true(fabs(r.vs_utc_max_error_s - (r.max_error_s + 0.5)) < 1e-9);
	local.state = LOCAL_CLOCK_STALE;
	peer_time_read(&p.time, &now, &local, 1.0, &r);
	assert_true(isnan(r.vs_utc_s) && isnan(r.vs_utc_max_error_s));
	local.state = LOCAL_CLOCK_UNSYNCHRONIZED;
	local.max_error_s = (double)NAN;
	peer_time_read(&p.time, &now, &local, 1.0, &r);
	assert_true(isnan(r.vs_utc_s) && isnan(r.vs_utc_max_error_s));
	local = (struct local_clock_reading){.present = true, .offset_s = (double)NAN};
	peer_time_read(&p.time, &now, &local, 1.0, &r);
	assert_true(isnan(r.vs_utc_s) && isnan(r.vs_utc_max_error_s));
	/* the three clocks read 10 ms apart */
	double exact = r.max_error_s;
	now.spread = 10 * MS;
	peer_time_read(&p.time, &now, NULL, 1.0, &r);
	assert_true(fabs(r.max_error_s - exact - 0.01) < 1e-9);
}

static void sees_the_server_step(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	(void)run(0, 15 * SEC, true);
	server_offset -= 30 * SEC;
	nsec last = p.last_sent + there + back;
	nsec t = peer_clock_deadline(&p);
	unsigned id = probe_at(t);
	struct peer_change change = answer(id, t);
	assert_true(change.measured && change.stepped);
	assert_int_equal(change.estimate, ESTIMATE_STEPPED);
	struct clock_step step;
	peer_time_read_step(&p.time, &step);
	assert_true(step.present);
	assert_int_equal(step.clock, STEP_PEER);
	assert_true(fabs(step.size_s + 30) <= step.max_error_s && step.max_error_s < 0.6);
	assert_int_equal(step.at, WALL + t + there + back);
	assert_int_equal(p.time.step_after.mono, last);
	assert_int_equal(p.time.step_before.mono, t + there + back);
	/* a burst of its own accord makes it exact */
	assert_true(peer_clock_busy(&p));
	assert_int_equal(run(t, t + 15 * SEC, true), 8);
	peer_time_read_step(&p.time, &step);
	assert_true(fabs(step.size_s + 30) <= step.max_error_s && step.max_error_s < 0.03);
	assert_int_equal(step.at, WALL + t + there + back);
	assert_true(fabs(read_at(t + 15 * SEC).offset_s + 23) < 0.01);
}

/* A server whose clock is at random does not make us probe for ever. */
static void mad_clock_is_no_flood(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	unsigned n = 0, steps = 0;
	for (nsec t = 0; t < 3600 * SEC; t = peer_clock_deadline(&p)) {
		unsigned id = probe_at(t);
		server_offset = (nsec)((n * 2654435761U) % 100000) * SEC;
		if (id != 0) {
			n++;
			steps += answer(id, t).stepped;
		}
	}
	assert_true(steps > n / 2);
	assert_in_range(n, 60, 60 * 10);
}

static void outcomes_are_counted(void **state)
{
	(void)state;
	static const enum probe_outcome outcomes[] = {PROBE_REFUSED, PROBE_UNREACHABLE,
						      PROBE_FAILED, PROBE_BAD_MAC, PROBE_ANSWERED};
	start(true, true);
	struct stamp now = at(0);
	peer_clock_burst_of(&p, 6, 750 * MS, &now);
	unsigned n = 0;
	for (nsec t = 0; n < 6; t = peer_clock_deadline(&p)) {
		unsigned id = probe_at(t);
		if (id == 0)
			continue;
		if (n < 5) {
			struct event e = outcome(id, outcomes[n], t, t + 10 * MS);
			assert_int_equal(peer_clock_event(&p, &e).measured, n == 4);
		}
		n++;
	}
	struct probe_tally tally = peer_clock_tally(&p, 0, NSEC_NEVER);
	assert_int_equal(tally.refused, 1);
	assert_int_equal(tally.unreachable, 1);
	assert_int_equal(tally.failed, 1);
	assert_int_equal(tally.bad_mac, 1);
	assert_int_equal(tally.answered, 1);
	assert_int_equal(tally.unanswered, 0);
	assert_int_equal(tally.pending, 1);
	assert_int_equal(tally.best_rtt, 10 * MS);
	assert_true(peer_clock_busy(&p));
	(void)probe_at(30 * SEC);
	assert_int_equal(peer_clock_tally(&p, 0, NSEC_NEVER).unanswered, 1);
	assert_false(peer_clock_busy(&p));
}

static void answers_without_time(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		start(true, i == 0);
		burst(BURST_START, 0);
		unsigned id = probe_at(0);
		struct event e = outcome(id, PROBE_ANSWERED, 0, 10 * MS);
		e.u.probe.has_time = i == 1; /* and of a server that is not believed to have any */
		assert_false(peer_clock_event(&p, &e).measured);
		assert_int_equal(peer_clock_tally(&p, 0, NSEC_NEVER).answered, 1);
		assert_true(p.last_answer == BOOT + 10 * MS);
		assert_false(read_at(10 * MS).present);
	}
}

static void strange_events_change_nothing(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	unsigned id = probe_at(0);
	struct peer_clock before = p;
	static const unsigned ids[] = {0, 2, 17, UINT_MAX};
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct event e = outcome(ids[i], PROBE_ANSWERED, 0, MS);
		assert_false(peer_clock_event(&p, &e).measured);
		assert_memory_equal(&p, &before, sizeof p);
	}
	/* too late, though nobody has looked at the time since */
	struct event late = outcome(id, PROBE_ANSWERED, 0, PROBE_TIMEOUT);
	assert_false(peer_clock_event(&p, &late).measured);
	assert_memory_equal(&p, &before, sizeof p);
	/* the answer of another server, whose probe had the same id before the prober began anew */
	burst(BURST_START, 0);
	id = probe_at(peer_clock_deadline(&p));
	before = p;
	struct event other = outcome(id, PROBE_ANSWERED, 1, 760 * MS);
	assert_false(peer_clock_event(&p, &other).measured);
	assert_memory_equal(&p, &before, sizeof p);
	/* twice */
	assert_true(answer(id, 750 * MS).measured);
	before = p;
	assert_false(answer(id, 750 * MS).measured);
	assert_memory_equal(&p, &before, sizeof p);
}

static void hostile_times_are_no_reading(void **state)
{
	(void)state;
	static const int64_t times[] = {INT64_MIN, -1, (INT64_C(1) << 33) + 1, INT64_MAX};
	start(true, true);
	struct stamp now = at(0);
	peer_clock_burst_of(&p, 4, 750 * MS, &now);
	for (unsigned i = 0; i < 4; i++) {
		struct event e = outcome(probe_at((nsec)i * SEC), PROBE_ANSWERED, (nsec)i * SEC,
					 (nsec)i * SEC + MS);
		e.u.probe.server_time = times[i];
		assert_false(peer_clock_event(&p, &e).measured);
	}
	assert_int_equal(peer_clock_tally(&p, 0, NSEC_NEVER).answered, 4);
	assert_false(read_at(4 * SEC).present);
}

/* A sleep while the probe is under way spoils it; a wall clock that is set does not. */
static void sleep_under_way(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	unsigned id = probe_at(0);
	struct event e = outcome(id, PROBE_ANSWERED, 0, 10 * MS);
	slept = 3600 * SEC;
	e.at = at(10 * MS);
	assert_false(peer_clock_event(&p, &e).measured);
	assert_int_equal(peer_clock_tally(&p, 0, NSEC_NEVER).answered, 1);
	assert_true(peer_clock_tally(&p, 0, NSEC_NEVER).best_rtt == NSEC_UNKNOWN);
	nsec t = peer_clock_deadline(&p);
	e = outcome(probe_at(t), PROBE_ANSWERED, t, t + 10 * MS);
	set = -100 * SEC;
	e.at = at(t + 10 * MS);
	assert_true(peer_clock_event(&p, &e).measured);
	assert_true(fabs(read_at(t + 10 * MS).offset_s - 107) < 0.6);
	/* stamps in the wrong order are no reading either */
	t = peer_clock_deadline(&p);
	e = outcome(probe_at(t), PROBE_ANSWERED, t + 20 * MS, t + 10 * MS);
	assert_false(peer_clock_event(&p, &e).measured);
}

/* A sleep whose length is known does not touch the estimate: it stands on the ruler. */
static void sleep_between_probes(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	(void)run(0, 15 * SEC, true);
	slept = 3600 * SEC + 300 * MS;
	nsec t = peer_clock_deadline(&p);
	struct peer_change change = answer(probe_at(t), t);
	assert_true(change.measured && !change.stepped);
	struct peer_clock_reading r = read_at(t);
	assert_true(fabs(r.offset_s - 7) <= r.max_error_s && r.max_error_s < 0.8);
}

/* The daemon went to another remote, or its name to another address: nobody set a clock. */
static void another_destination_is_another_clock(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	nsec t = 0;
	unsigned id = probe_at(t);
	for (unsigned n = 0; n < 5; n++) {
		server_offset = n < 3 ? 7 * SEC : -30 * SEC;
		struct event e = outcome(id, PROBE_ANSWERED, t, t + there + back);
		e.u.probe.destination = n < 3 ? 1 : 2;
		t = peer_clock_deadline(&p);
		id = probe_at(t);
		struct peer_change change = peer_clock_event(&p, &e);
		assert_true(change.measured && !change.stepped);
	}
	struct peer_clock_reading r = read_at(t);
	assert_int_equal(r.samples, 2);
	assert_true(fabs(r.offset_s + 30) <= r.max_error_s);
	/* an answer of the first one comes late */
	server_offset = 7 * SEC;
	struct event e = outcome(id, PROBE_ANSWERED, t, t + MS);
	e.u.probe.destination = 1;
	assert_int_not_equal(id, 0);
	assert_false(peer_clock_event(&p, &e).measured);
	assert_int_equal(read_at(t).samples, 2);
}

static void ids_and_history_wrap(void **state)
{
	(void)state;
	start(true, true);
	p.next_id = UINT_MAX;
	burst(BURST_START, 0);
	assert_int_equal(probe_at(0), UINT_MAX);
	assert_int_equal(probe_at(750 * MS), 1);
	assert_int_equal(run(2 * SEC, 6000 * SEC, false), 6 + 99);
	assert_int_equal(peer_clock_tally(&p, 0, NSEC_NEVER).unanswered, PROBE_HISTORY);
}

static void no_room_for_actions(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	struct stamp now = at(0);
	out.n_actions = ACTIONS_MAX;
	peer_clock_time(&p, &now, NULL, &out);
	assert_int_equal(out.n_actions, ACTIONS_MAX);
	assert_int_equal(probe_at(0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(measures_the_offset),
	    cmocka_unit_test(against_utc),
	    cmocka_unit_test(sees_the_server_step),
	    cmocka_unit_test(mad_clock_is_no_flood),
	    cmocka_unit_test(outcomes_are_counted),
	    cmocka_unit_test(answers_without_time),
	    cmocka_unit_test(strange_events_change_nothing),
	    cmocka_unit_test(hostile_times_are_no_reading),
	    cmocka_unit_test(sleep_under_way),
	    cmocka_unit_test(sleep_between_probes),
	    cmocka_unit_test(another_destination_is_another_clock),
	    cmocka_unit_test(ids_and_history_wrap),
	    cmocka_unit_test(no_room_for_actions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
