/* SPDX-License-Identifier: MIT
 *
 * The server's two clocks as every source tells them, on virtual time.
 */
#include "core/peer_time.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS   NSEC_PER_MSEC
#define SEC  NSEC_PER_SEC
#define WALL (1795500000 * SEC)

static struct peer_time p;
static nsec system_offset, openvpn_offset; /* the server's clocks minus true time */
static nsec tick;			   /* of the timer that OpenVPN's is read from */
static nsec wall_offset;		   /* this machine's */

static struct stamp at(nsec t)
{
	return (struct stamp){.mono = t,
			      .boot = 900 * SEC + t,
			      .ruler = 77 * SEC + t,
			      .wall = WALL + t + wall_offset};
}

static int setup(void **state)
{
	(void)state;
	system_offset = openvpn_offset = wall_offset = tick = 0;
	peer_time_init(&p);
	return 0;
}

/* A round trip of 10 ms whose answer was made in its middle. */
static struct peer_change probe(nsec t)
{
	struct stamp sent = at(t), received = at(t + 10 * MS);
	nsec shown = WALL + t + 5 * MS + openvpn_offset;
	if (tick > 0)
		shown -= shown % tick;
	return peer_time_probe(&p, &sent, &received, shown / SEC);
}

static struct peer_change ntp(nsec t)
{
	nsec shown = WALL + t + 5 * MS + system_offset;
	struct peer_told told = {.source = PEER_SOURCE_SNTP,
				 .face = PEER_SYSTEM,
				 .earliest = at(t),
				 .latest = at(t + 10 * MS),
				 .clock_lo = shown,
				 .clock_hi = shown,
				 .exchange = true};
	return peer_time_told(&p, &told);
}

static struct peer_clock_reading read_at(nsec t)
{
	struct peer_clock_reading r;
	struct stamp now = at(t);
	peer_time_read(&p, &now, NULL, 1.0, &r);
	return r;
}

static void near(double is, double should_be, double within)
{
	if (fabs(is - should_be) > within)
		fail_msg("%f is not %f", is, should_be);
}

/* Aimed as the prober does, 12 probes. */
static void burst(nsec from)
{
	nsec t = from;
	for (int i = 0; i < 12; i++) {
		(void)probe(t);
		nsec ruler = at(t + 750 * MS).ruler;
		t = t + 750 * MS + offset_estimator_aim(peer_time_aim(&p), ruler, 0) - ruler;
	}
}

static void nothing_is_known_at_first(void **state)
{
	(void)state;
	struct clock_step step;
	assert_false(read_at(0).present);
	peer_time_read_step(&p, &step);
	assert_false(step.present);
}

static void one_exchange_is_as_good_as_half_its_round_trip(void **state)
{
	(void)state;
	system_offset = 7 * SEC + 250 * MS;
	assert_true(ntp(SEC).measured);
	struct peer_clock_reading r = read_at(SEC + 10 * MS);
	assert_true(r.present);
	assert_int_equal(r.source, PEER_SOURCE_SNTP);
	near(r.offset_s, 7.25, 1e-6);
	near(r.max_error_s, 0.005, 1e-4);
	assert_int_equal(r.samples, 1);
	near(r.age_s, 0, 1e-6);
	assert_int_equal(r.verdict, CLOCK_AHEAD);
	assert_false(r.disagrees.present);
}

/* OpenVPN's second turns over with the first tick of its timer that comes after the clock's. */
static void a_tick_late_is_within_the_bound(void **state)
{
	static const nsec ticks[] = {MS, 4 * MS, 3760 * NSEC_PER_USEC, 7800 * NSEC_PER_USEC,
				     PEER_TICK};
	for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
		(void)setup(state);
		tick = ticks[i];
		openvpn_offset = system_offset = 123456 * NSEC_PER_USEC;
		burst(0);
		struct peer_clock_reading r = read_at(15 * SEC);
		near(r.offset_s, 0.123456, r.max_error_s);
		assert_true(r.max_error_s < 0.015);
		/* the system's own clock, exact, is no other one */
		(void)ntp(15 * SEC);
		assert_false(read_at(16 * SEC).disagrees.present);
	}
}

/* Where both may be one clock, the figure is what both leave, and the better one's name is said. */
static void what_agrees_is_intersected(void **state)
{
	(void)state;
	burst(0);
	struct peer_clock_reading alone = read_at(20 * SEC);
	assert_int_equal(alone.source, PEER_SOURCE_OPENVPN_CONTROL);
	(void)ntp(20 * SEC);
	struct peer_clock_reading both = read_at(20 * SEC + 10 * MS);
	assert_false(both.disagrees.present);
	assert_true(both.max_error_s <= alone.max_error_s + 1e-6);
	assert_true(both.max_error_s <= 0.005 + 1e-4);
	near(both.offset_s, 0, both.max_error_s);
	assert_int_equal(both.source, PEER_SOURCE_SNTP);
	assert_int_equal(both.verdict, CLOCK_FINE);
}

/* The system's clock is set back by 20 s; OpenVPN's goes on. */
static void a_damped_clock_is_named(void **state)
{
	(void)state;
	burst(0);
	(void)ntp(15 * SEC);
	system_offset = -20 * SEC;
	struct peer_change change = ntp(30 * SEC);
	assert_true(change.stepped);
	assert_int_equal(p.step_face, PEER_SYSTEM);
	struct clock_step step;
	peer_time_read_step(&p, &step);
	assert_int_equal(step.clock, STEP_PEER);
	near(step.size_s, -20, step.max_error_s + 1e-6);
	assert_true(step.max_error_s < 0.05);

	struct peer_clock_reading r = read_at(31 * SEC);
	near(r.offset_s, -20, r.max_error_s + 1e-6);
	assert_int_equal(r.source, PEER_SOURCE_SNTP);
	assert_int_equal(r.verdict, CLOCK_BEHIND);
	assert_true(r.disagrees.present);
	assert_int_equal(r.disagrees.source, PEER_SOURCE_OPENVPN_CONTROL);
	near(r.disagrees.offset_s, 0, r.disagrees.max_error_s + 1e-6);

	/* OpenVPN is restarted and shows the system's time again: nobody set a clock. */
	openvpn_offset = -20 * SEC;
	change = probe(60 * SEC);
	assert_int_equal(change.estimate, ESTIMATE_STEPPED);
	assert_false(change.stepped);
	r = read_at(61 * SEC);
	assert_false(r.disagrees.present);
	near(r.offset_s, -20, r.max_error_s + 1e-6);
}

/* Forward, OpenVPN's clock goes with the system's: what was known of the other is of before. */
static void a_step_forward_takes_both_along(void **state)
{
	(void)state;
	burst(0);
	(void)ntp(15 * SEC);
	system_offset = openvpn_offset = 60 * SEC;
	assert_true(ntp(30 * SEC).stepped);
	struct peer_clock_reading r = read_at(31 * SEC);
	assert_false(r.disagrees.present);
	near(r.offset_s, 60, r.max_error_s + 1e-6);
	assert_false(probe(40 * SEC).stepped); /* one step is one step */
	assert_false(read_at(41 * SEC).disagrees.present);

	system_offset = openvpn_offset = 3660 * SEC;
	assert_true(probe(50 * SEC).stepped);
	r = read_at(51 * SEC);
	assert_false(r.disagrees.present);
	assert_int_equal(r.source, PEER_SOURCE_OPENVPN_CONTROL);
	near(r.offset_s, 3660, r.max_error_s + 1e-6);
}

/* Neither clock was set, but both are slewed by 500 ppm: the one that was not heard of lately says
 * nothing against the other. */
static void a_slew_takes_both_along(void **state)
{
	(void)state;
	burst(0);
	(void)ntp(15 * SEC);
	for (int minute = 1; minute <= 5; minute++) {
		nsec t = minute * 64 * SEC;
		system_offset = openvpn_offset = (t - 15 * SEC) / 1000000 * 500;
		assert_false(ntp(t).stepped);
		assert_false(read_at(t + 10 * MS).disagrees.present);
	}
}

/* Of a step back that OpenVPN may have sat out nothing is known of its clock. */
static void a_step_back_that_is_sat_out(void **state)
{
	(void)state;
	burst(0);
	(void)ntp(15 * SEC);
	system_offset = openvpn_offset = -10400 * MS; /* ten whole seconds, by the luck of it */
	assert_true(ntp(30 * SEC).stepped);
	assert_false(read_at(31 * SEC).disagrees.present);
	assert_false(probe(40 * SEC).stepped);
	assert_false(read_at(41 * SEC).disagrees.present);
}

/* The clock was set back and OpenVPN restarted, and it is OpenVPN's that shows it first. */
static void a_step_back_and_a_restart(void **state)
{
	(void)state;
	burst(0);
	(void)ntp(15 * SEC);
	system_offset = openvpn_offset = -3600 * SEC;
	assert_true(probe(30 * SEC).stepped);
	struct peer_clock_reading r = read_at(31 * SEC);
	assert_false(r.disagrees.present);
	near(r.offset_s, -3600, r.max_error_s + 1e-6);
	assert_false(ntp(40 * SEC).stepped); /* one step is one step */
	assert_false(read_at(41 * SEC).disagrees.present);
}

/* What a restart of OpenVPN looks like is not told for the step that was before it. */
static void a_restart_is_not_the_size_of_a_step(void **state)
{
	(void)state;
	struct clock_step step;
	openvpn_offset = 100 * SEC;
	burst(0);
	(void)ntp(15 * SEC);
	assert_true(read_at(16 * SEC).disagrees.present);
	system_offset += 5 * SEC;
	openvpn_offset += 5 * SEC;
	assert_true(probe(30 * SEC).stepped);
	(void)ntp(40 * SEC);
	assert_true(read_at(41 * SEC).disagrees.present);
	openvpn_offset -= 100 * SEC;
	assert_false(probe(50 * SEC).stepped);
	peer_time_read_step(&p, &step);
	assert_true(!step.present || fabs(step.size_s - 5) <= step.max_error_s);
}

/* A statement whose time was taken before the step was seen says nothing of the clock after it. */
static void what_began_before_the_step_is_too_old(void **state)
{
	(void)state;
	burst(0);
	(void)ntp(15 * SEC);
	struct peer_told token = {.source = PEER_SOURCE_AUTH_TOKEN,
				  .face = PEER_OPENVPN,
				  .earliest = at(20 * SEC),
				  .latest = at(31 * SEC),
				  .clock_lo = WALL + 21 * SEC,
				  .clock_hi = WALL + 22 * SEC};
	system_offset = openvpn_offset = 60 * SEC;
	assert_true(ntp(30 * SEC).stepped);
	assert_false(peer_time_told(&p, &token).measured);
	assert_false(read_at(32 * SEC).disagrees.present);
}

/* After it slept, this machine's ruler is another: nothing holds that was known, and a reading that
 * was under way says nothing. */
static void sleep_begins_anew(void **state)
{
	(void)state;
	burst(0);
	(void)ntp(15 * SEC);
	struct stamp woke = at(30 * SEC);
	peer_time_slept(&p, &woke);
	assert_false(read_at(30 * SEC).present);
	assert_false(ntp(30 * SEC - MS).measured);
	assert_false(read_at(31 * SEC).present);
	system_offset = openvpn_offset = -600 * MS; /* what the ruler is wrong by */
	struct peer_change change = ntp(40 * SEC);
	assert_true(change.measured && !change.stepped);
	assert_false(probe(50 * SEC).stepped);
	struct peer_clock_reading r = read_at(51 * SEC);
	assert_false(r.disagrees.present);
	near(r.offset_s, -0.6, r.max_error_s);
}

/* Whole seconds that came of themselves, some time in a handshake of 2 s. */
static void a_pushed_time_is_as_good_as_the_handshake_was_quick(void **state)
{
	(void)state;
	struct peer_told told = {.source = PEER_SOURCE_AUTH_TOKEN,
				 .face = PEER_OPENVPN,
				 .earliest = at(10 * SEC),
				 .latest = at(12 * SEC),
				 .clock_lo = WALL + 11 * SEC,
				 .clock_hi = WALL + 12 * SEC};
	assert_true(peer_time_told(&p, &told).measured);
	struct peer_clock_reading r = read_at(12 * SEC);
	near(r.offset_s, 0.505, 1e-6); /* OpenVPN's clock may be 10 ms late */
	near(r.max_error_s, 1.505, 1e-2);
	assert_int_equal(r.verdict, CLOCK_INCONCLUSIVE);
	assert_int_equal(r.source, PEER_SOURCE_AUTH_TOKEN);
	/* a window of more than an hour says nothing */
	told.earliest = at(0);
	told.latest = at(3601 * SEC);
	assert_false(peer_time_told(&p, &told).measured);
}

static struct local_clock_reading utc_known(double offset_s, double max_error_s)
{
	struct local_clock_reading l = local_clock_unknown();
	l.present = true;
	l.state = LOCAL_CLOCK_SYNCHRONIZED;
	l.source = LOCAL_SOURCE_CHRONY;
	l.offset_s = offset_s;
	l.max_error_s = max_error_s;
	return l;
}

/* Against UTC the bounds add up, and the verdict is of that. */
static void against_utc(void **state)
{
	(void)state;
	wall_offset = -7 * SEC; /* this machine is slow, the server is right */
	burst(0);
	struct local_clock_reading local = utc_known(7, 0.020);
	struct peer_clock_reading r;
	struct stamp now = at(20 * SEC);
	peer_time_read(&p, &now, &local, 1.0, &r);
	near(r.offset_s, 7, r.max_error_s + 1e-6);
	near(r.vs_utc_s, 0, r.vs_utc_max_error_s);
	near(r.vs_utc_max_error_s, r.max_error_s + 0.020, 1e-9);
	assert_int_equal(r.verdict, CLOCK_FINE);
	local.max_error_s = 5;
	peer_time_read(&p, &now, &local, 1.0, &r);
	assert_int_equal(r.verdict, CLOCK_INCONCLUSIVE);
	local.state = LOCAL_CLOCK_STALE;
	peer_time_read(&p, &now, &local, 1.0, &r);
	assert_true(isnan(r.vs_utc_s));
	assert_int_equal(r.verdict, CLOCK_AHEAD);
}

/* Drift is told after ten minutes, with its bound, and forgotten when a clock was set. */
static void drift_against_utc(void **state)
{
	(void)state;
	struct local_clock_reading local = utc_known(0, 0.001);
	for (nsec minute = 0; minute <= 30; minute++) {
		nsec t = minute * 60 * SEC;
		system_offset = t / 1000000 * 40; /* 40 ppm fast */
		(void)ntp(t);
		struct stamp now = at(t + 10 * MS);
		peer_time_learn_drift(&p, &now, &local);
		struct peer_clock_reading r = read_at(t + 10 * MS);
		if (minute < 10)
			assert_true(isnan(r.drift_ppm));
	}
	struct peer_clock_reading r = read_at(1801 * SEC);
	assert_true(!isnan(r.drift_ppm));
	near(r.drift_ppm, 40, r.drift_max_error_ppm);
	near(r.drift_ppm, 40, 2);
	assert_true(r.drift_max_error_ppm < 20);
	system_offset += 5 * SEC;
	assert_true(ntp(1860 * SEC).stepped);
	assert_true(isnan(read_at(1861 * SEC).drift_ppm));
	for (nsec minute = 32; minute <= 60; minute++) {
		(void)ntp(minute * 60 * SEC);
		struct stamp now = at(minute * 60 * SEC + 10 * MS);
		peer_time_learn_drift(&p, &now, &local);
	}
	assert_true(!isnan(read_at(3601 * SEC).drift_ppm));
	peer_time_restart_drift(&p);
	assert_true(isnan(read_at(3601 * SEC).drift_ppm));
}

/* OpenVPN's clock was known first, then the system's, which is another: that is no drift. */
static void from_one_clock_to_another_is_no_drift(void **state)
{
	(void)state;
	struct local_clock_reading local = utc_known(0, 0.001);
	openvpn_offset = 50 * SEC;
	burst(0);
	struct stamp now = at(10 * SEC);
	peer_time_learn_drift(&p, &now, &local);
	for (nsec t = 700 * SEC; t <= 1240 * SEC; t += 60 * SEC) {
		(void)ntp(t);
		now = at(t + 10 * MS);
		peer_time_learn_drift(&p, &now, &local);
		struct peer_clock_reading r = read_at(t + 10 * MS);
		assert_true(r.disagrees.present);
		assert_true(isnan(r.drift_ppm) || fabs(r.drift_ppm) <= r.drift_max_error_ppm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(nothing_is_known_at_first, setup),
	    cmocka_unit_test_setup(one_exchange_is_as_good_as_half_its_round_trip, setup),
	    cmocka_unit_test_setup(a_tick_late_is_within_the_bound, setup),
	    cmocka_unit_test_setup(what_agrees_is_intersected, setup),
	    cmocka_unit_test_setup(a_damped_clock_is_named, setup),
	    cmocka_unit_test_setup(a_step_forward_takes_both_along, setup),
	    cmocka_unit_test_setup(a_slew_takes_both_along, setup),
	    cmocka_unit_test_setup(a_step_back_that_is_sat_out, setup),
	    cmocka_unit_test_setup(a_step_back_and_a_restart, setup),
	    cmocka_unit_test_setup(a_restart_is_not_the_size_of_a_step, setup),
	    cmocka_unit_test_setup(what_began_before_the_step_is_too_old, setup),
	    cmocka_unit_test_setup(sleep_begins_anew, setup),
	    cmocka_unit_test_setup(a_pushed_time_is_as_good_as_the_handshake_was_quick, setup),
	    cmocka_unit_test_setup(against_utc, setup),
	    cmocka_unit_test_setup(drift_against_utc, setup),
	    cmocka_unit_test_setup(from_one_clock_to_another_is_no_drift, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
