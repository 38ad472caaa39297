/* SPDX-License-Identifier: MIT
 *
 * What each source's answer is worth, and which source is believed.
 */
#include "unit/local_clock_world.h"

#include <math.h>

static void nothing_known(void **state)
{
	(void)state;
	start(2);
	struct local_clock_reading r = read_at(0);
	assert_int_equal(r.state, LOCAL_CLOCK_UNKNOWN);
	assert_int_equal(r.source, LOCAL_SOURCE_NONE);
	assert_true(isnan(r.offset_s) && isnan(r.max_error_s) && isnan(r.age_s));
	assert_int_equal(r.stratum, -1);
	/* refused by seccomp, no chronyd, no reply: still nothing */
	kernel(SEC, false, true, 0.1);
	chrony(SEC, NULL);
	sntp_flaw(SEC, 0, NTP_UNSYNCHRONIZED);
	sntp_flaw(SEC, 7, NTP_FINE); /* a server that there is not */
	sntp(SEC, UINT32_MAX, 0, 0);
	assert_reading(SEC, LOCAL_SOURCE_NONE, LOCAL_CLOCK_UNKNOWN, (double)NAN, (double)NAN);
}

static void chrony_synchronized(void **state)
{
	(void)state;
	start(0);
	struct chrony_tracking t = tracking(SEC);
	chrony(SEC, &t);
	/* the bound is of the offset: without the correction itself */
	assert_reading(SEC, LOCAL_SOURCE_CHRONY, LOCAL_CLOCK_SYNCHRONIZED, 7.0, 0.03);
	struct local_clock_reading r = read_at(SEC);
	assert_int_equal(r.stratum, 3);
	assert_near(r.age_s, 10); /* by the clock that chronyd follows */
	/* 15 ppm a second since it was heard, and 100 by which chronyd may be correcting it */
	assert_reading(101 * SEC, LOCAL_SOURCE_CHRONY, LOCAL_CLOCK_SYNCHRONIZED, 7.0,
		       0.0315 + 0.01);
	assert_near(read_at(101 * SEC).age_s, 110);
	/* an update from the future has no negative age */
	t.ref_time += 3600 * SEC;
	chrony(102 * SEC, &t);
	assert_near(read_at(102 * SEC).age_s, 0);
}

/* What every trap of chronyd's answer is worth. */
static void chrony_traps(void **state)
{
	(void)state;
	static const struct {
		uint16_t leap, stratum;
		uint32_t ref_id;
		nsec ref_time;
		enum local_clock_state expected;
	} rows[] = {
	    {3, 0, 0, 0, LOCAL_CLOCK_UNSYNCHRONIZED},
	    {3, 3, 0x7f000001, WALL, LOCAL_CLOCK_UNSYNCHRONIZED},
	    {0, 0, 0x7f000001, WALL, LOCAL_CLOCK_UNSYNCHRONIZED},
	    {0, 2, 0x7f7f0101, WALL, LOCAL_CLOCK_SELF_REFERENCED},
	    {3, 2, 0x7f7f0101, WALL, LOCAL_CLOCK_UNSYNCHRONIZED},
	    {0, 3, 0x7f000001, 0, LOCAL_CLOCK_UNSYNCHRONIZED}, /* never updated */
	    {0, 3, 0x7f000001, -1, LOCAL_CLOCK_UNSYNCHRONIZED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(0);
		struct chrony_tracking t = {.leap = rows[i].leap,
					    .stratum = rows[i].stratum,
					    .ref_id = rows[i].ref_id,
					    .ref_time = rows[i].ref_time,
					    .root_delay_s = 1,
					    .root_dispersion_s = 1};
		chrony(0, &t);
		assert_reading(0, LOCAL_SOURCE_CHRONY, rows[i].expected, (double)NAN, (double)NAN);
	}
	/* leap seconds to come are no fault */
	for (uint16_t leap = 1; leap <= 2; leap++) {
		struct chrony_tracking t = tracking(0);
		t.leap = leap;
		start(0);
		chrony(0, &t);
		assert_int_equal(read_at(0).state, LOCAL_CLOCK_SYNCHRONIZED);
	}
}

/* All sources lost: chronyd goes on saying leap 0, only its last update grows old. */
static void chrony_stale(void **state)
{
	(void)state;
	static const struct {
		double interval_s;
		nsec age;
		enum local_clock_state expected;
	} rows[] = {
	    {64, 3600 * SEC, LOCAL_CLOCK_SYNCHRONIZED},
	    {64, 3601 * SEC, LOCAL_CLOCK_STALE},
	    {1024, 8192 * SEC, LOCAL_CLOCK_SYNCHRONIZED},
	    {1024, 8193 * SEC, LOCAL_CLOCK_STALE},
	    {-1024, 8192 * SEC, LOCAL_CLOCK_SYNCHRONIZED},
	    {1e9, INT64_MAX, LOCAL_CLOCK_SYNCHRONIZED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(0);
		struct chrony_tracking t = tracking(0);
		t.update_interval_s = rows[i].interval_s;
		t.ref_time = nsec_max(WALL + 7 * SEC - rows[i].age, 1);
		chrony(0, &t);
		assert_reading(0, LOCAL_SOURCE_CHRONY, rows[i].expected, 7.0, 0.03);
	}
	/* or chronyd itself is gone */
	start(0);
	struct chrony_tracking t = tracking(0);
	chrony(0, &t);
	assert_int_equal(read_at(3589 * SEC).state, LOCAL_CLOCK_SYNCHRONIZED);
	assert_int_equal(read_at(3591 * SEC).state, LOCAL_CLOCK_STALE);
}

static void chrony_nonsense(void **state)
{
	(void)state;
	static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY,
				     1.1e9,	  -1.1e9,	    9.2e18};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		for (int field = 0; field < 4; field++) {
			start(0);
			struct chrony_tracking t = tracking(0);
			double *fields[] = {&t.correction_s, &t.root_delay_s, &t.root_dispersion_s,
					    &t.update_interval_s};
			*fields[field] = bad[i];
			chrony(0, &t);
			assert_int_equal(read_at(0).state, LOCAL_CLOCK_UNKNOWN);
		}
	/* at the ends of what is accepted nothing overflows, and no bound is negative */
	for (int sign = -1; sign <= 1; sign += 2) {
		start(0);
		struct chrony_tracking t = tracking(0);
		t.correction_s = t.root_delay_s = t.root_dispersion_s = t.update_interval_s =
		    sign * 1e9;
		t.ref_time = INT64_MAX;
		chrony(0, &t);
		assert_near(read_at(0).offset_s, sign * 1e9);
		assert_near(read_at(0).max_error_s, 1.5e9);
	}
}

static void kernel_knows_no_offset(void **state)
{
	(void)state;
	start(0);
	kernel(0, true, true, 0.25);
	assert_reading(0, LOCAL_SOURCE_KERNEL, LOCAL_CLOCK_SYNCHRONIZED, (double)NAN, 0.25);
	kernel(0, true, false, 16);
	assert_reading(0, LOCAL_SOURCE_KERNEL, LOCAL_CLOCK_UNSYNCHRONIZED, (double)NAN,
		       (double)NAN);
	kernel(0, true, true, -1);
	assert_reading(0, LOCAL_SOURCE_KERNEL, LOCAL_CLOCK_SYNCHRONIZED, (double)NAN, (double)NAN);
	kernel(0, true, true, (double)NAN);
	assert_reading(0, LOCAL_SOURCE_KERNEL, LOCAL_CLOCK_SYNCHRONIZED, (double)NAN, (double)NAN);
	kernel(0, false, true, 0.25);
	assert_reading(0, LOCAL_SOURCE_NONE, LOCAL_CLOCK_UNKNOWN, (double)NAN, (double)NAN);
}

static void order_of_sources(void **state)
{
	(void)state;
	struct chrony_tracking t = tracking(0);
	struct chrony_tracking lost = {.leap = 3};
	start(1);
	kernel(0, true, true, 0.25);
	assert_int_equal(read_at(0).source, LOCAL_SOURCE_KERNEL);
	/* chronyd answers, but knows nothing, and nobody else knows an offset */
	chrony(0, &lost);
	assert_reading(0, LOCAL_SOURCE_CHRONY, LOCAL_CLOCK_UNSYNCHRONIZED, (double)NAN,
		       (double)NAN);
	sntp(0, 0, -2 * SEC, 50 * MS);
	assert_reading(0, LOCAL_SOURCE_SNTP, LOCAL_CLOCK_SYNCHRONIZED, -2, 0.05);
	assert_int_equal(read_at(0).stratum, 2);
	/* measured from outside, on a clock that nobody keeps */
	kernel(0, true, false, 16);
	assert_reading(0, LOCAL_SOURCE_SNTP, LOCAL_CLOCK_UNSYNCHRONIZED, -2, 0.05);
	kernel(0, true, true, 0.25);
	chrony(0, &t);
	assert_int_equal(read_at(0).source, LOCAL_SOURCE_CHRONY);
	/* chronyd stops answering: SNTP, while it knows */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(read_at(0).source, LOCAL_SOURCE_CHRONY);
		chrony(0, NULL);
	}
	assert_int_equal(read_at(0).source, LOCAL_SOURCE_SNTP);
	/* an hour on that is stale, too, and chronyd's old word is the best there is */
	assert_reading(3601 * SEC, LOCAL_SOURCE_CHRONY, LOCAL_CLOCK_STALE, 7,
		       0.03 + 0.054015 + 0.3601);
}

/* One bad clock among several is outvoted; with no majority nobody is believed. */
static void several_servers(void **state)
{
	(void)state;
	static const struct {
		unsigned n;
		nsec offset[4], distance[4];
		double offset_s, max_error_s; /* NAN: nothing is known */
	} rows[] = {
	    {1, {5 * SEC}, {20 * MS}, 5, 0.02},
	    {2, {5 * SEC, 5 * SEC + MS}, {20 * MS, 10 * MS}, 5.001, 0.01},
	    {2, {5 * SEC, 6 * SEC}, {20 * MS, 10 * MS}, (double)NAN, (double)NAN},
	    {3, {0, 10 * MS, 7 * SEC}, {30 * MS, 20 * MS, MS}, 0.01, 0.02},
	    {3, {7 * SEC, 0, 10 * MS}, {MS, 30 * MS, 20 * MS}, 0.01, 0.02},
	    {3, {-7 * SEC, 0, 10 * MS}, {MS, 30 * MS, 20 * MS}, 0.01, 0.02},
	    {3, {0, SEC, 2 * SEC}, {MS, MS, MS}, (double)NAN, (double)NAN},
	    {4, {0, 0, SEC, SEC}, {MS, MS, MS, MS}, (double)NAN, (double)NAN},
	    {4, {0, 0, 0, SEC}, {3 * MS, 2 * MS, 4 * MS, MS}, 0, 0.002},
	    /* touching counts */
	    {2, {0, 30 * MS}, {10 * MS, 20 * MS}, 0.01, 0},
	    {2, {0, 30 * MS + 1}, {10 * MS, 20 * MS}, (double)NAN, (double)NAN},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(rows[i].n);
		for (unsigned k = 0; k < rows[i].n; k++)
			sntp(0, k, rows[i].offset[k], rows[i].distance[k]);
		bool known = !isnan(rows[i].offset_s);
		assert_reading(0, known ? LOCAL_SOURCE_SNTP : LOCAL_SOURCE_NONE,
			       known ? LOCAL_CLOCK_SYNCHRONIZED : LOCAL_CLOCK_UNKNOWN,
			       rows[i].offset_s, rows[i].max_error_s);
	}
}

static void sntp_samples(void **state)
{
	(void)state;
	start(1);
	sntp(0, 0, 5 * MS, 20 * MS);
	/* a worse poll of the same burst does not replace it, a better one does */
	sntp(2 * SEC, 0, 500 * MS, 900 * MS);
	assert_reading(0, LOCAL_SOURCE_SNTP, LOCAL_CLOCK_SYNCHRONIZED, 0.005, 0.02);
	sntp(4 * SEC, 0, 4 * MS, 10 * MS);
	assert_reading(4 * SEC, LOCAL_SOURCE_SNTP, LOCAL_CLOCK_SYNCHRONIZED, 0.004, 0.01);
	/* the clock may run free: 100 ppm */
	assert_reading(104 * SEC, LOCAL_SOURCE_SNTP, LOCAL_CLOCK_SYNCHRONIZED, 0.004, 0.02);
	/* a minute later the new one counts whatever its bound */
	sntp(68 * SEC, 0, 60 * MS, 90 * MS);
	assert_reading(68 * SEC, LOCAL_SOURCE_SNTP, LOCAL_CLOCK_SYNCHRONIZED, 0.06, 0.09);
	/* nonsense does not */
	sntp(69 * SEC, 0, INT64_MIN, 0);
	sntp(69 * SEC, 0, INT64_MAX, 0);
	sntp(69 * SEC, 0, 0, -1);
	sntp(69 * SEC, 0, 0, INT64_MAX);
	sntp_flaw(69 * SEC, 0, NTP_NEGATIVE_DELAY);
	assert_reading(68 * SEC, LOCAL_SOURCE_SNTP, LOCAL_CLOCK_SYNCHRONIZED, 0.06, 0.09);
}

static void clock_was_set(void **state)
{
	(void)state;
	start(1);
	(void)asked_at(0);
	struct chrony_tracking t = tracking(0);
	chrony(0, &t);
	sntp(0, 0, SEC, MS);
	kernel(0, true, true, 0.1);
	struct stamp now = at(10 * SEC);
	local_clock_was_set(&c, &now);
	assert_int_equal(read_at(10 * SEC).source, LOCAL_SOURCE_NONE);
	assert_int_equal(asked_at(10 * SEC), 7 | DAEMONS);
	for (nsec s = 11; s < 14; s++) /* each of them sets the clock again */ {
		now = at(s * SEC);
		local_clock_was_set(&c, &now);
	}
	assert_int_equal(asked_at(13 * SEC) & 3, 3);
	/* chronyd still tells what held before: its last update is older than the setting */
	t = tracking(20 * SEC);
	chrony(20 * SEC, &t);
	assert_reading(20 * SEC, LOCAL_SOURCE_CHRONY, LOCAL_CLOCK_STALE, (double)NAN, (double)NAN);
	sntp(20 * SEC, 0, 2 * SEC, MS);
	assert_reading(20 * SEC, LOCAL_SOURCE_SNTP, LOCAL_CLOCK_SYNCHRONIZED, 2, 0.001);
	/* until it has updated since */
	t = tracking(23 * SEC);
	chrony(23 * SEC, &t);
	assert_reading(23 * SEC, LOCAL_SOURCE_CHRONY, LOCAL_CLOCK_SYNCHRONIZED, 7, 0.03);
}

/* Between two answers the clock is slewed: the offset moves with it, and the bound is that of the
 * ruler which shows it. */
static void clock_is_slewed(void **state)
{
	(void)state;
	static const struct {
		nsec slewed;
		double offset_s, max_error_s;
	} rows[] = {
	    {50 * MS, 6.95, 0.04},
	    {-50 * MS, 7.05, 0.04},
	    {10100 * NSEC_PER_USEC, 7, 0.0516}, /* what a crystal's correction makes of 100 s */
	    {-10100 * NSEC_PER_USEC, 7, 0.0516},
	    {10101 * NSEC_PER_USEC, 6.989899, 0.04},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct chrony_tracking t = tracking(0);
		struct local_clock_reading r;
		struct stamp now = at(100 * SEC);
		now.ruler -= rows[i].slewed;
		start(0);
		chrony(0, &t);
		local_clock_read(&c, &now, &r);
		assert_near(r.offset_s, rows[i].offset_s);
		assert_near(r.max_error_s, rows[i].max_error_s);
	}
	/* the stamps were too rough to tell */
	struct local_clock_reading r;
	struct stamp now = at(100 * SEC);
	now.ruler -= 50 * MS;
	now.spread = 40 * MS;
	local_clock_read(&c, &now, &r);
	assert_near(r.offset_s, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_known),	cmocka_unit_test(chrony_synchronized),
	    cmocka_unit_test(chrony_traps),	cmocka_unit_test(chrony_stale),
	    cmocka_unit_test(chrony_nonsense),	cmocka_unit_test(kernel_knows_no_offset),
	    cmocka_unit_test(order_of_sources), cmocka_unit_test(several_servers),
	    cmocka_unit_test(sntp_samples),	cmocka_unit_test(clock_was_set),
	    cmocka_unit_test(clock_is_slewed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
