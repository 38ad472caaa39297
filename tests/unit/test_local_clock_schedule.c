/* SPDX-License-Identifier: MIT
 *
 * When local_clock asks which source, and when it does not.
 */
#include "unit/local_clock_world.h"

static void schedule(void **state)
{
	(void)state;
	start(2);
	assert_int_equal(local_clock_deadline(&c), 0);
	assert_int_equal(asked_at(0), 15 | DAEMONS); /* all at once */
	assert_int_equal(asked_at(0), 0);
	struct chrony_tracking t = tracking(0);
	chrony(100 * MS, &t);
	/* four polls 2 s apart, then every 64 s */
	assert_int_equal(local_clock_deadline(&c), 2 * SEC);
	assert_int_equal(asked_at(2 * SEC), 12);
	assert_int_equal(asked_at(4 * SEC), 12);
	assert_int_equal(asked_at(6 * SEC), 12);
	assert_int_equal(local_clock_deadline(&c), 16 * SEC);
	assert_int_equal(asked_at(16 * SEC), 2);
	assert_int_equal(local_clock_deadline(&c), 16 * SEC + 100 * MS);
	assert_int_equal(asked_at(17 * SEC), 1);
	chrony(17 * SEC, NULL); /* it is gone */
	assert_int_equal(asked_at(40 * SEC), 2);
	assert_int_equal(asked_at(70 * SEC), 14 | DAEMONS); /* those that are not there, too */
	assert_int_equal(asked_at(81 * SEC), 1);
	chrony(81 * SEC, &t); /* and back */
	assert_int_equal(asked_at(97 * SEC), 3);
}

static void hurry(void **state)
{
	(void)state;
	start(1);
	assert_int_equal(asked_at(0), 7 | DAEMONS);
	struct stamp now = at(SEC);
	local_clock_hurry(&c, &now);
	assert_int_equal(asked_at(SEC), 0);
	assert_int_equal(local_clock_deadline(&c), 2 * SEC);
	assert_int_equal(asked_at(2 * SEC), 7 | DAEMONS); /* the server's is the burst's */
	now = at(5 * SEC);
	local_clock_hurry(&c, &now);
	assert_int_equal(asked_at(5 * SEC) & 0x3003, 0x3003);
}

static void kisses(void **state)
{
	(void)state;
	start(3);
	assert_int_equal(asked_at(0), 31 | DAEMONS);
	sntp(0, 2, 5 * MS, MS);
	sntp_flaw(0, 0, NTP_KISS_RATE); /* ends the burst, too */
	sntp_flaw(0, 1, NTP_KISS_DENY);
	sntp_flaw(0, 2, NTP_KISS_RSTR);
	assert_int_equal(asked_at(127 * SEC) & 0xffc, 0);
	nsec t = 128 * SEC;
	for (nsec interval = 128; interval <= 1024; interval *= 2) {
		assert_int_equal(asked_at(t) & 0xffc, 4);
		sntp_flaw(t, 0, NTP_KISS_RATE);
		nsec wait = nsec_min(2 * interval, 1024) * SEC;
		assert_int_equal(asked_at(t + wait - 1) & 0xffc, 0);
		t += wait;
	}
	/* a clock that was set is no excuse */
	struct stamp now = at(t - 100 * SEC);
	local_clock_was_set(&c, &now);
	assert_int_equal(asked_at(t - 100 * SEC) & 0xffc, 0);
	/* nor does one who wanted no more questions give answers */
	sntp(t, 2, 5 * MS, MS);
	struct local_clock_reading r;
	now = at(t);
	local_clock_read(&c, &now, &r);
	assert_int_equal(r.source, LOCAL_SOURCE_NONE);
}

/* RATE ends the burst that it answers, too. */
static void rate_ends_the_burst(void **state)
{
	(void)state;
	start(1);
	assert_int_equal(asked_at(0), 7 | DAEMONS);
	sntp_flaw(0, 0, NTP_KISS_RATE);
	assert_int_equal(asked_at(128 * SEC) & 4, 4);
	assert_int_equal(asked_at(130 * SEC) & 4, 0);
	assert_int_equal(asked_at(255 * SEC) & 4, 0);
	assert_int_equal(asked_at(256 * SEC) & 4, 4);
}

/* NTP servers have their manners kept even if something sets the clock every second. */
static void set_again_and_again(void **state)
{
	(void)state;
	start(1);
	unsigned asked = 0;
	for (nsec s = 0; s < 640; s++) {
		struct stamp now = at(s * SEC);
		local_clock_was_set(&c, &now);
		asked += (asked_at(s * SEC) & 4) != 0;
	}
	assert_in_range(asked, 40, 45);
}

static void no_room_for_actions(void **state)
{
	(void)state;
	start(8);
	struct stamp now = at(0);
	out.n_actions = ACTIONS_MAX - 5;
	local_clock_ask(&c, &now, &out);
	assert_int_equal(out.n_actions, ACTIONS_MAX);
	assert_int_equal(local_clock_deadline(&c), 0);
	assert_int_equal(asked_at(0), 0x3f8); /* the rest */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(schedule),
	    cmocka_unit_test(hurry),
	    cmocka_unit_test(kisses),
	    cmocka_unit_test(rate_ends_the_burst),
	    cmocka_unit_test(set_again_and_again),
	    cmocka_unit_test(no_room_for_actions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
