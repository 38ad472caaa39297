/* SPDX-License-Identifier: MIT
 *
 * When the prober asks, and when it does not, against a world of virtual time.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "unit/peer_clock_fixture.h"

static void nothing_unasked(void **state)
{
	(void)state;
	start(true, true);
	assert_true(peer_clock_deadline(&p) == NSEC_NEVER);
	assert_int_equal(probe_at(0), 0);
	assert_false(peer_clock_busy(&p));
	assert_false(read_at(0).present);
	struct clock_step step;
	peer_time_read_step(&p.time, &step);
	assert_false(step.present);
	/* nor ever, if the user said so */
	start(false, true);
	struct stamp now = at(0);
	for (int i = BURST_START; i <= BURST_UP; i++)
		burst((enum probe_burst)i, 0);
	peer_clock_burst_of(&p, 12, 750 * MS, &now);
	assert_false(peer_clock_busy(&p));
	assert_true(peer_clock_deadline(&p) == NSEC_NEVER);
	assert_int_equal(probe_at(0), 0);
	assert_int_equal(probe_at(100 * SEC), 0);
}

/* Size, first probe at once, spacing, and one a minute afterwards; answered or not. */
static void bursts(void **state)
{
	(void)state;
	static const struct {
		enum probe_burst why;
		unsigned size;
		nsec spacing;
	} rows[] = {{BURST_START, 8, 750 * MS},
		    {BURST_SILENT, 3, 400 * MS},
		    {BURST_RESTART, 4, 400 * MS},
		    {BURST_UP, 8, 750 * MS}};
	for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
		size_t row = i / 2;
		bool answered = i % 2;
		nsec t = 3 * SEC, last = NSEC_UNKNOWN;
		unsigned n = 0;
		start(true, true);
		burst(rows[row].why, t);
		assert_int_equal(peer_clock_deadline(&p), t);
		while (n < rows[row].size) {
			assert_true(peer_clock_busy(&p));
			unsigned id = probe_at(t);
			if (id != 0) {
				assert_int_equal(id, ++n);
				if (last != NSEC_UNKNOWN) {
					assert_true(t - last >= rows[row].spacing);
					assert_true(t - last <=
						    rows[row].spacing + (answered ? SEC : 0));
				}
				last = t;
				if (answered)
					(void)answer(id, t);
			}
			t = peer_clock_deadline(&p);
		}
		nsec quiet = last;
		while (probe_at(t) == 0) /* time-outs */
			t = peer_clock_deadline(&p);
		assert_true(t - quiet >= PROBE_QUIET && t - quiet <= PROBE_QUIET + SEC);
		struct probe_tally tally = peer_clock_tally(&p, 0, NSEC_NEVER);
		assert_int_equal(tally.answered, answered ? n : 0);
		assert_int_equal(tally.unanswered, answered ? 0 : n);
		assert_int_equal(tally.pending, 1);
		assert_true(tally.best_rtt == (answered ? there + back : NSEC_UNKNOWN));
		assert_int_equal(peer_clock_tally(&p, quiet + 1, NSEC_NEVER).answered, 0);
		assert_int_equal(peer_clock_tally(&p, 0, 3 * SEC).answered, 0);
		assert_int_equal(peer_clock_tally(&p, 0, 3 * SEC + 1).answered, answered);
		assert_int_equal(peer_clock_tally(&p, 0, t).pending, 0);
	}
}

static void bursts_do_not_add_up(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	assert_int_equal(probe_at(0), 1);
	assert_int_equal(p.burst_left, 7);
	burst(BURST_RESTART, 0); /* smaller than what is left */
	assert_int_equal(p.burst_left, 7);
	assert_int_equal(probe_at(0), 0);
	burst(BURST_UP, 0);
	assert_int_equal(p.burst_left, 8);
	/* and never two within PROBE_GAP_MIN, however often one is asked for */
	start(true, true);
	unsigned n = 0;
	for (nsec t = 0; t < 10 * SEC; t += 10 * MS) {
		burst(BURST_RESTART, t);
		n += probe_at(t) != 0;
	}
	assert_int_equal(n, 25); /* one in 400 ms */
}

/* "At once" holds against an answer that comes just then and would have the probe aimed. */
static void first_of_a_burst_is_not_aimed(void **state)
{
	(void)state;
	start(true, true);
	there = back = 300 * MS;
	struct stamp now = at(0);
	peer_clock_burst_of(&p, 1, 750 * MS, &now);
	unsigned id = probe_at(0);
	burst(BURST_SILENT, SEC / 2);
	assert_int_equal(peer_clock_deadline(&p), SEC / 2);
	assert_true(answer(id, 0).measured);
	assert_int_equal(peer_clock_deadline(&p), SEC / 2);
	assert_int_not_equal(probe_at(3 * SEC / 4), 0);
}

/* How many probes leave in the ten minutes from t on. */
static unsigned in_ten_minutes(nsec t)
{
	return run(nsec_max(peer_clock_deadline(&p), t), t + 600 * SEC, true);
}

/* A server that keeps a session for each probe gets a tenth of them. */
static void an_old_server_is_spared(void **state)
{
	(void)state;
	start(true, true);
	burst(BURST_START, 0);
	unsigned id = probe_at(0);
	(void)answer(id, 0);
	struct event again = outcome(id, PROBE_REPEATED, 0, 2 * SEC);
	assert_false(peer_clock_event(&p, &again).measured);
	assert_true(peer_clock_deadline(&p) >= 7500 * MS); /* of the burst, too */
	nsec last = 0;
	unsigned n = 1;
	for (nsec t = peer_clock_deadline(&p); p.burst_left > 0; t = peer_clock_deadline(&p)) {
		id = probe_at(t);
		if (id == 0)
			continue;
		assert_true(t - last >= 7500 * MS);
		(void)answer(id, t);
		last = t;
		n++;
	}
	assert_int_equal(n, 8);
	assert_in_range(in_ten_minutes(last + SEC), 1, 2);
}

static void by_tcp_and_back(void **state)
{
	(void)state;
	start(true, true);
	peer_clock_init(&p, true, true, true);
	burst(BURST_SILENT, 0);
	unsigned id = probe_at(0);
	struct event e = outcome(id, PROBE_ANSWERED, 0, MS);
	e.u.probe.tcp = true;
	(void)peer_clock_event(&p, &e);
	assert_true(peer_clock_deadline(&p) >= 4 * SEC);
	/* the daemon goes over to UDP: the next answer says so */
	nsec t = peer_clock_deadline(&p);
	id = probe_at(t);
	assert_int_not_equal(id, 0);
	(void)answer(id, t);
	assert_in_range(in_ten_minutes(t + SEC), 9, 12);
	/* and back; a probe that could not leave says nothing of how */
	t += 700 * SEC;
	burst(BURST_RESTART, t);
	id = probe_at(t);
	e = outcome(id, PROBE_FAILED, t, t + MS);
	e.u.probe.tcp = true;
	(void)peer_clock_event(&p, &e);
	assert_false(p.by_tcp);
	t = peer_clock_deadline(&p);
	id = probe_at(t);
	e = outcome(id, PROBE_REJECTED, t, t + MS);
	e.u.probe.tcp = true;
	(void)peer_clock_event(&p, &e);
	assert_true(p.by_tcp);
	assert_int_equal(peer_clock_tally(&p, t, NSEC_NEVER).rejected, 1);
	assert_true(peer_clock_deadline(&p) >= t + 2 * SEC);
}

/* Whoever asks for so many so far apart knows what they cost. */
static void the_users_pace_is_kept(void **state)
{
	(void)state;
	start(true, true);
	struct stamp now = at(0);
	peer_clock_burst_of(&p, 3, 500 * MS, &now);
	unsigned id = probe_at(0);
	struct event e = outcome(id, PROBE_ANSWERED, 0, MS);
	e.u.probe.tcp = true;
	(void)peer_clock_event(&p, &e);
	assert_true(p.by_tcp);
	assert_true(peer_clock_deadline(&p) < 3 * SEC);
}

/* A connection is made first: the probe leaves so much later, and is aimed so much earlier. */
static void the_lead_is_learned(void **state)
{
	(void)state;
	start(true, true);
	struct stamp now = at(0);
	server_offset = 0;
	there = back = 20 * MS;
	peer_clock_burst_of(&p, 12, 750 * MS, &now);
	for (nsec t = 0; p.burst_left > 0; t = peer_clock_deadline(&p)) {
		unsigned id = probe_at(t);
		if (id == 0)
			continue;
		struct event e =
		    outcome(id, PROBE_ANSWERED, t + 40 * MS, t + 40 * MS + there + back);
		e.u.probe.tcp = true;
		(void)peer_clock_event(&p, &e);
	}
	assert_true(p.lead == 40 * MS);
	struct peer_clock_reading r = read_at(30 * SEC);
	assert_true(fabs(r.offset_s) <= r.max_error_s);
	/* half of RTT + 2^-11 s + the tick, and what it ages */
	assert_true(r.max_error_s < 0.031);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_unasked),
	    cmocka_unit_test(bursts),
	    cmocka_unit_test(bursts_do_not_add_up),
	    cmocka_unit_test(first_of_a_burst_is_not_aimed),
	    cmocka_unit_test(an_old_server_is_spared),
	    cmocka_unit_test(by_tcp_and_back),
	    cmocka_unit_test(the_users_pace_is_kept),
	    cmocka_unit_test(the_lead_is_learned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
