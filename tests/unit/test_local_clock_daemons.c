/* SPDX-License-Identifier: MIT
 *
 * What ntpd and systemd-timesyncd say of this machine's clock, and what of it may be believed.
 */
#include "support/hex_fixture.h"
#include "unit/local_clock_world.h"

#define UNKNOWN ((double)NAN)

/* --- ntpd ------------------------------------------------------------------------------------ */

static struct ntp_control_system captured(const char *fixture)
{
	struct ntp_control_reply r;
	struct ntp_control_system v;
	struct hex_bytes p = hex_fixture(fixture, "RPY", 0);
	ntp_control_reply_init(&r, 0x1234);
	assert_int_equal(ntp_control_add(&r, p.b, p.n), VERDICT_DONE);
	assert_int_equal(ntp_control_parse(&r, &v), VERDICT_DONE);
	return v;
}

/* A healthy ntpd, which updated 10 s before `t`. */
static struct ntp_control_system variables(nsec t)
{
	return (struct ntp_control_system){.stratum = 3,
					   .offset_s = 0.002,
					   .jitter_s = 0.001,
					   .root_delay_s = 0.04,
					   .root_dispersion_s = 0.01,
					   .refid = "192.0.2.1",
					   .reftime = ntp_from_nsec(WALL + t - 10 * SEC),
					   .tc = 6,
					   .frequency_ppm = UNKNOWN};
}

static void ntpd_synchronized(void **state)
{
	(void)state;
	start(0);
	struct ntp_control_system v = captured("ntpsec_mode6_sys_named.txt");
	/* taken 8 s after the update, which was at 279.567 s of this test's time */
	ntp_control(288 * SEC, &v);
	assert_reading(288 * SEC, LOCAL_SOURCE_NTP_CONTROL, LOCAL_CLOCK_SYNCHRONIZED, 17.316e-6,
		       0.062679 + 0.0000275 + 17.316e-6);
	assert_int_equal(read_at(288 * SEC).stratum, 3);
	assert_true(fabs(read_at(288 * SEC).age_s - 8.433) < 0.001);
	/* 15 ppm a second since it was heard; the offset may be corrected by now, but no more */
	start(0);
	v = variables(0);
	ntp_control(0, &v);
	assert_reading(0, LOCAL_SOURCE_NTP_CONTROL, LOCAL_CLOCK_SYNCHRONIZED, 0.002, 0.033);
	assert_reading(100 * SEC, LOCAL_SOURCE_NTP_CONTROL, LOCAL_CLOCK_SYNCHRONIZED, 0.002,
		       0.0365);
}

static void ntpd_traps(void **state)
{
	(void)state;
	static const struct {
		int status_leap, leap, stratum;
		const char *refid;
		enum local_clock_state expected;
	} rows[] = {
	    {0, 0, 3, "192.0.2.1", LOCAL_CLOCK_SYNCHRONIZED},
	    {1, 1, 3, "192.0.2.1", LOCAL_CLOCK_SYNCHRONIZED}, /* a leap second is to come */
	    {2, -1, 15, "192.0.2.1", LOCAL_CLOCK_SYNCHRONIZED},
	    {0, 0, 1, "GPS", LOCAL_CLOCK_SYNCHRONIZED},
	    {0, 3, 3, "STEP", LOCAL_CLOCK_UNSYNCHRONIZED},
	    {3, 0, 3, "STEP", LOCAL_CLOCK_UNSYNCHRONIZED},
	    {3, -1, 3, "192.0.2.1", LOCAL_CLOCK_UNSYNCHRONIZED},
	    {0, 0, 16, "192.0.2.1", LOCAL_CLOCK_UNSYNCHRONIZED},
	    {0, 0, 255, "192.0.2.1", LOCAL_CLOCK_UNSYNCHRONIZED},
	    {0, 0, 0, "INIT", LOCAL_CLOCK_UNSYNCHRONIZED},
	    {0, 0, -1, "", LOCAL_CLOCK_UNSYNCHRONIZED},
	    {0, 0, 6, "127.127.1.0", LOCAL_CLOCK_SELF_REFERENCED},
	    {0, 0, 6, "127.127.1.3", LOCAL_CLOCK_SELF_REFERENCED},
	    {0, 0, 5, "LOCL", LOCAL_CLOCK_SELF_REFERENCED},
	    {0, 0, 6, "76.79.67.76", LOCAL_CLOCK_SELF_REFERENCED},
	    {0, 0, 6, "127.0.0.1", LOCAL_CLOCK_SELF_REFERENCED}, /* orphan mode */
	    {0, 0, 6, "127.127.20.0", LOCAL_CLOCK_SYNCHRONIZED}, /* a GPS receiver */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(0);
		struct ntp_control_system v = variables(0);
		v.status_leap = rows[i].status_leap;
		v.leap = rows[i].leap;
		v.stratum = rows[i].stratum;
		snprintf(v.refid, sizeof v.refid, "%s", rows[i].refid);
		ntp_control(0, &v);
		bool fine = rows[i].expected == LOCAL_CLOCK_SYNCHRONIZED;
		assert_reading(0, LOCAL_SOURCE_NTP_CONTROL, rows[i].expected,
			       fine ? 0.002 : UNKNOWN, fine ? 0.033 : UNKNOWN);
	}
	/* as it was caught: a refused step of 7 s says leap 3 and offset=0.000000 */
	start(0);
	struct ntp_control_system v = captured("ntpsec_mode6_sys_step_refused.txt");
	assert_true(v.offset_s == 0);
	ntp_control(0, &v);
	assert_reading(0, LOCAL_SOURCE_NTP_CONTROL, LOCAL_CLOCK_UNSYNCHRONIZED, UNKNOWN, UNKNOWN);
	assert_int_equal(read_at(0).stratum, -1);
}

static void ntpd_lacks_something(void **state)
{
	(void)state;
	static const double bad[] = {(double)NAN, (double)INFINITY, -1.1e9, 1.1e9};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		for (int field = 0; field < 3; field++) {
			start(0);
			struct ntp_control_system v = variables(0);
			double *fields[] = {&v.offset_s, &v.root_delay_s, &v.root_dispersion_s};
			*fields[field] = bad[i];
			ntp_control(0, &v);
			assert_int_equal(read_at(0).state, LOCAL_CLOCK_UNKNOWN);
		}
	/* the jitter, the time and how often it polls can be done without */
	start(0);
	struct ntp_control_system v = variables(0);
	v.jitter_s = UNKNOWN;
	v.reftime = 0;
	v.tc = -1;
	ntp_control(0, &v);
	assert_reading(0, LOCAL_SOURCE_NTP_CONTROL, LOCAL_CLOCK_SYNCHRONIZED, 0.002, 0.032);
	assert_true(isnan(read_at(0).age_s));
}

/* Since it measured the offset ntpd has been correcting it, and does not say how far it is. */
static void ntpd_may_have_corrected(void **state)
{
	(void)state;
	static const struct {
		double offset_s;
		bool dated;
		double max_error_s; /* beyond 0.031 */
	} rows[] = {
	    {0.1, true, 0.1},  {-0.1, true, 0.1},
	    {0.5, true, 0.5},  {7, true, 0.505}, /* 500 ppm of 10 s, and a kernel that was quick */
	    {-7, true, 0.505}, {7, false, 7},
	    {-7, false, 7},    {0.501, true, 0.501},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(0);
		struct ntp_control_system v = variables(0);
		v.offset_s = rows[i].offset_s;
		v.reftime = rows[i].dated ? v.reftime : 0;
		ntp_control(0, &v);
		assert_reading(0, LOCAL_SOURCE_NTP_CONTROL, LOCAL_CLOCK_SYNCHRONIZED,
			       rows[i].offset_s, 0.031 + rows[i].max_error_s);
	}
}

static void ntpd_grows_stale(void **state)
{
	(void)state;
	static const struct {
		int tc;
		nsec age;
		enum local_clock_state expected;
	} rows[] = {
	    {6, 3600 * SEC, LOCAL_CLOCK_SYNCHRONIZED},	      {6, 3601 * SEC, LOCAL_CLOCK_STALE},
	    {10, 8192 * SEC, LOCAL_CLOCK_SYNCHRONIZED},	      {10, 8193 * SEC, LOCAL_CLOCK_STALE},
	    {31, 8 * 131072 * SEC, LOCAL_CLOCK_SYNCHRONIZED}, /* no more than 2^17 s */
	    {31, 8 * 131073 * SEC, LOCAL_CLOCK_STALE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(0);
		struct ntp_control_system v = variables(0);
		v.tc = rows[i].tc;
		v.reftime = ntp_from_nsec(WALL - rows[i].age);
		ntp_control(0, &v);
		assert_int_equal(read_at(0).state, rows[i].expected);
	}
}

/* NTP's seconds begin anew on 2036-02-07 at 06:28:16. */
static void ntpd_over_the_era(void **state)
{
	(void)state;
	start(0);
	struct event e = {.kind = EVENT_NTP_CONTROL, .at = at(0)};
	e.at.wall = INT64_C(2085978496) * SEC + 5 * SEC;
	e.u.ntp_control.answered = true;
	e.u.ntp_control.system = variables(0);
	e.u.ntp_control.system.reftime = UINT64_C(0xfffffff600000000); /* 10 s before it */
	local_clock_event(&c, &e);
	assert_near(read_at(0).age_s, 15);
	assert_int_equal(read_at(0).state, LOCAL_CLOCK_SYNCHRONIZED);
}

/* --- systemd-timesyncd ----------------------------------------------------------------------- */

static uint64_t usec(nsec t)
{
	return (uint64_t)(t / NSEC_PER_USEC);
}

/* Its exchange at `t` showed that UTC is ahead by `offset`; the root distance is 10 ms. */
static struct timesync_message exchange(nsec t, nsec offset, uint64_t count)
{
	nsec server = WALL + t + offset;
	return (struct timesync_message){.version = 4,
					 .mode = 4,
					 .stratum = 2,
					 .precision = -30,
					 .root_delay_usec = 7999,
					 .root_dispersion_usec = 4998,
					 .origin_usec = usec(WALL + t - 2 * MS),
					 .receive_usec = usec(server - MS),
					 .transmit_usec = usec(server - MS),
					 .destination_usec = usec(WALL + t),
					 .packet_count = count};
}

#define DISTANCE 0.010001

static void assert_timesync(nsec t, enum local_clock_state state, double offset_s,
			    double max_error_s)
{
	struct local_clock_reading r = read_at(t);
	assert_int_equal(r.source, LOCAL_SOURCE_TIMESYNCD);
	assert_int_equal(r.state, state);
	if (fabs(r.offset_s - offset_s) > 1e-6 || fabs(r.max_error_s - max_error_s) > 2e-6)
		fail_msg("%.9f +/- %.9f, not %.9f +/- %.9f", r.offset_s, r.max_error_s, offset_s,
			 max_error_s);
}

enum kernel_word { NOT_ASKED, REFUSED, SYNC, UNSYNC, SYNC_BEFORE, UNSYNC_BEFORE };

/* The exchange was 100 s ago, so a free clock has 5 ms of drift. */
static void timesyncd_and_the_kernel(void **state)
{
	(void)state;
	static const struct {
		nsec offset;
		bool spike, watched; /* it happened before our eyes */
		enum kernel_word kernel;
		double offset_s, half_s; /* the bound beyond distance and drift */
	} rows[] = {
	    /* slewed: somewhere between all and nothing of it is left */
	    {300 * MS, false, false, SYNC, 0.15, 0.15},
	    {-300 * MS, false, false, SYNC, -0.15, 0.15},
	    {300 * MS, false, true, SYNC, 0.15, 0.15},
	    {399 * MS, false, false, SYNC, 0.1995, 0.1995},
	    {0, false, false, SYNC, 0, 0},
	    /* set at once */
	    {400 * MS, false, false, SYNC, 0, 0},
	    {7 * SEC, false, false, SYNC, 0, 0},
	    {-7 * SEC, false, false, SYNC, 0, 0},
	    /* but not before our eyes: that would have been a clock that was set */
	    {7 * SEC, false, true, SYNC, 3.5, 3.5},
	    /* not corrected at all */
	    {300 * MS, false, false, UNSYNC, 0.3, 0},
	    {7 * SEC, false, false, UNSYNC, 7, 0},
	    {-7 * SEC, true, false, UNSYNC, -7, 0},
	    /* not followed, this one; but the one before may still be under way */
	    {7 * SEC, true, false, SYNC, 3.5, 3.5},
	    /* nobody can say */
	    {7 * SEC, false, false, REFUSED, 3.5, 3.5},
	    {300 * MS, false, false, NOT_ASKED, 0.15, 0.15},
	    /* what the kernel said before the exchange is no word on what came of it */
	    {7 * SEC, false, true, SYNC_BEFORE, 3.5, 3.5},
	    {7 * SEC, false, true, UNSYNC_BEFORE, 3.5, 3.5},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		nsec when = rows[i].watched ? 50 * SEC : -100 * SEC;
		nsec t = when + 100 * SEC;
		enum kernel_word k = rows[i].kernel;
		start(0);
		if (k == SYNC_BEFORE || k == UNSYNC_BEFORE)
			kernel(20 * SEC, true, k == SYNC_BEFORE, 0.1);
		struct timesync_message m = exchange(when, rows[i].offset, 4);
		m.spike = rows[i].spike;
		timesync(t, &m);
		if (k == REFUSED || k == SYNC || k == UNSYNC)
			kernel(t, k != REFUSED, k == SYNC, 0.1);
		assert_timesync(t,
				k == UNSYNC ? LOCAL_CLOCK_UNSYNCHRONIZED : LOCAL_CLOCK_SYNCHRONIZED,
				rows[i].offset_s, DISTANCE + 0.010 + rows[i].half_s);
		assert_near(read_at(t).age_s, 100);
		assert_int_equal(read_at(t).stratum, 2);
		/* it may run free from then on */
		assert_timesync(t + 100 * SEC,
				k == UNSYNC ? LOCAL_CLOCK_UNSYNCHRONIZED : LOCAL_CLOCK_SYNCHRONIZED,
				rows[i].offset_s, DISTANCE + 0.020 + rows[i].half_s);
	}
}

static void timesyncd_traps(void **state)
{
	(void)state;
	/* it runs, and has heard from nobody */
	struct timesync_message m = {0};
	start(0);
	timesync(0, &m);
	assert_reading(0, LOCAL_SOURCE_TIMESYNCD, LOCAL_CLOCK_UNSYNCHRONIZED, UNKNOWN, UNKNOWN);
	/* its server was none to follow */
	m = exchange(0, SEC, 1);
	m.leap = 3;
	timesync(0, &m);
	assert_reading(0, LOCAL_SOURCE_TIMESYNCD, LOCAL_CLOCK_UNSYNCHRONIZED, UNKNOWN, UNKNOWN);
	/* figures that cannot be: no answer */
	m = exchange(0, SEC, 1);
	m.receive_usec -= 10000;
	m.transmit_usec += 10000;
	start(0);
	timesync(0, &m);
	assert_int_equal(read_at(0).state, LOCAL_CLOCK_UNKNOWN);
	/* the clock shows a time before the exchange: it was set back since */
	start(0);
	m = exchange(30 * SEC, 100 * MS, 1);
	timesync(0, &m);
	assert_reading(0, LOCAL_SOURCE_TIMESYNCD, LOCAL_CLOCK_STALE, UNKNOWN, UNKNOWN);
	/* eight polls are no more than four and a half hours */
	start(0);
	m = exchange(0, 100 * MS, 1);
	timesync(0, &m);
	assert_int_equal(read_at(16384 * SEC).state, LOCAL_CLOCK_SYNCHRONIZED);
	assert_int_equal(read_at(16385 * SEC).state, LOCAL_CLOCK_STALE);
}

/* --- a clock that is set ---------------------------------------------------------------------- */

static void set_at_second(nsec s)
{
	struct stamp now = at(s * SEC);
	local_clock_was_set(&c, &now);
}

/* The daemons go on telling what held before, until they have updated. */
static void daemons_update_after_a_step(void **state)
{
	(void)state;
	start(0);
	struct ntp_control_system v = variables(0);
	struct timesync_message m = exchange(-SEC, 100 * MS, 3);
	ntp_control(0, &v);
	timesync(0, &m);
	set_at_second(10);
	assert_int_equal(read_at(10 * SEC).state, LOCAL_CLOCK_UNKNOWN);
	for (nsec s = 10; s < 100; s += 16) {
		ntp_control(s * SEC, &v);
		assert_reading(s * SEC, LOCAL_SOURCE_NTP_CONTROL, LOCAL_CLOCK_STALE, UNKNOWN,
			       UNKNOWN);
	}
	v = variables(110 * SEC);
	ntp_control(110 * SEC, &v);
	assert_int_equal(read_at(110 * SEC).state, LOCAL_CLOCK_SYNCHRONIZED);
	/* and the other one */
	start(0);
	timesync(0, &m);
	set_at_second(10);
	/* After a step back the exchange from before can look as if it had been since. */
	m = exchange(10 * SEC + 40 * MS, 100 * MS, 3);
	for (nsec s = 11; s < 100; s += 16) {
		timesync(s * SEC, &m);
		assert_reading(s * SEC, LOCAL_SOURCE_TIMESYNCD, LOCAL_CLOCK_STALE, UNKNOWN,
			       UNKNOWN);
	}
	m = exchange(100 * SEC, 100 * MS, 4);
	timesync(101 * SEC, &m);
	assert_int_equal(read_at(101 * SEC).state, LOCAL_CLOCK_SYNCHRONIZED);
}

/* Asked before the clock was set, answered after: nobody knows of which clock it speaks. */
static void answers_that_straddle_a_step(void **state)
{
	(void)state;
	struct chrony_tracking t = tracking(11 * SEC);
	struct ntp_control_system v = variables(11 * SEC);
	struct timesync_message m = exchange(11 * SEC, 0, 3);
	start(0);
	(void)asked_at(10 * SEC);
	set_at_second(11);
	/* not asked again while the old question is under way: its answer would be taken for the
	 * new one's */
	assert_int_equal(asked_at(11 * SEC) & (DAEMONS | 3), 2);
	chrony(11 * SEC + MS, &t);
	ntp_control(11 * SEC + MS, &v);
	timesync(11 * SEC + MS, &m);
	assert_int_equal(read_at(11 * SEC + MS).source, LOCAL_SOURCE_NONE);
	/* but at once when that has ended */
	assert_int_equal(local_clock_deadline(&c), 11 * SEC + MS);
	assert_int_equal(asked_at(11 * SEC + MS), DAEMONS | 1);
	chrony(11 * SEC + 2 * MS, &t);
	assert_reading(11 * SEC + 2 * MS, LOCAL_SOURCE_CHRONY, LOCAL_CLOCK_STALE, UNKNOWN, UNKNOWN);
	/* a question of which nothing comes at all holds it up for 2 s, no longer */
	start(0);
	(void)asked_at(10 * SEC);
	set_at_second(11);
	assert_int_equal(asked_at(11 * SEC) & (DAEMONS | 1), 0);
	assert_int_equal(asked_at(12 * SEC) & (DAEMONS | 1), DAEMONS | 1);
	chrony(12 * SEC + MS, &t);
	assert_int_equal(read_at(12 * SEC + MS).source, LOCAL_SOURCE_CHRONY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ntpd_synchronized),
	    cmocka_unit_test(ntpd_traps),
	    cmocka_unit_test(ntpd_lacks_something),
	    cmocka_unit_test(ntpd_may_have_corrected),
	    cmocka_unit_test(ntpd_grows_stale),
	    cmocka_unit_test(ntpd_over_the_era),
	    cmocka_unit_test(timesyncd_and_the_kernel),
	    cmocka_unit_test(timesyncd_traps),
	    cmocka_unit_test(daemons_update_after_a_step),
	    cmocka_unit_test(answers_that_straddle_a_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
