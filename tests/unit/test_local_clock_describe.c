/* SPDX-License-Identifier: MIT
 *
 * Who contradicts whom about this machine's clock, and how it is said.
 */
#include "core/tell.h"
#include "unit/local_clock_world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void assert_says(nsec t, const char *expected)
{
	char text[NOTICE_TEXT_MAX];
	struct local_clock_reading r = read_at(t);
	say_local_clock(&r, text, sizeof text);
	assert_string_equal(text, expected);
}

static void one_server(void **state)
{
	(void)state;
	start(3);
	sntp(0, 1, -12 * MS, 21 * MS);
	struct local_clock_reading r = read_at(0);
	assert_int_equal(r.servers, 1);
	assert_int_equal(r.n_falsetickers, 0);
	assert_says(0, "this machine's clock is 0.012 s ahead of UTC (+/- 21 ms, by sntp: one "
		       "server, and nobody vouches for it)");
	/* of other sources there is no such count */
	struct chrony_tracking t = tracking(0);
	t.correction_s = -0.01;
	chrony(0, &t);
	assert_int_equal(read_at(0).servers, -1);
	assert_says(0, "this machine's clock is 0.010 s ahead of UTC (+/- 30 ms, by chrony)");
}

static void falsetickers(void **state)
{
	(void)state;
	start(5);
	sntp(0, 0, 7 * SEC, 20 * MS);
	for (unsigned i = 1; i < 4; i++)
		sntp(0, i, (nsec)i * MS, 20 * MS);
	struct local_clock_reading r = read_at(0);
	assert_int_equal(r.servers, 3);
	assert_int_equal(r.n_falsetickers, 1);
	assert_string_equal(r.falsetickers[0], "a.example");
	assert_says(0, "this machine's clock is 0.002 s behind UTC (+/- 19 ms, by sntp: 3 of 4 "
		       "servers; a.example is a falseticker)");
	sntp(0, 4, -7 * SEC, 20 * MS);
	assert_says(0, "this machine's clock is 0.002 s behind UTC (+/- 19 ms, by sntp: 3 of 5 "
		       "servers; a.example and e.example are falsetickers)");
	/* it comes to reason */
	sntp(64 * SEC, 0, 2 * MS, 20 * MS);
	sntp(64 * SEC, 4, 2 * MS, 20 * MS);
	assert_int_equal(read_at(64 * SEC).n_falsetickers, 0);
	assert_int_equal(read_at(64 * SEC).servers, 5);
	/* two that contradict each other: nobody is believed, and nobody is accused */
	start(2);
	sntp(0, 0, 0, MS);
	sntp(0, 1, SEC, MS);
	r = read_at(0);
	assert_int_equal(r.source, LOCAL_SOURCE_NONE);
	assert_int_equal(r.n_falsetickers, 0);
	assert_int_equal(r.servers, -1);
}

/* A server that does not answer any more is believed while there is another, less and less. */
static void servers_that_are_lost(void **state)
{
	(void)state;
	start(2);
	kernel(0, true, true, 0.1);
	sntp(0, 0, 0, 20 * MS);
	sntp(0, 1, 10 * MS, 20 * MS);
	for (int i = 0; i < 3; i++)
		sntp_flaw(SEC, 0, NTP_UNSYNCHRONIZED);
	assert_int_equal(read_at(SEC).source, LOCAL_SOURCE_SNTP);
	assert_int_equal(read_at(SEC).servers, 2);
	for (int i = 0; i < 3; i++)
		sntp_flaw(SEC, 1, NTP_UNSYNCHRONIZED);
	/* that is what was known of the offset */
	struct chrony_tracking t = tracking(0);
	chrony(SEC, &t);
	assert_int_equal(read_at(SEC).source, LOCAL_SOURCE_CHRONY);
	assert_false(read_at(SEC).disagrees.present);
}

static void disagreement(void **state)
{
	(void)state;
	start(1);
	struct chrony_tracking t = tracking(0);
	t.correction_s = 0.0;
	chrony(0, &t); /* +/- 30 ms */
	sntp(0, 0, 50 * MS, 20 * MS);
	assert_false(read_at(0).disagrees.present); /* they touch */
	sntp(10 * SEC, 0, 52 * MS, 20 * MS);
	struct local_clock_reading r = read_at(10 * SEC);
	assert_int_equal(r.source, LOCAL_SOURCE_CHRONY);
	assert_true(r.disagrees.present);
	assert_int_equal(r.disagrees.source, LOCAL_SOURCE_SNTP);
	assert_near(r.disagrees.offset_s, 0.052);
	assert_near(r.disagrees.max_error_s, 0.02);
	assert_says(10 * SEC,
		    "this machine's clock is 0.000 s ahead of UTC (+/- 31 ms, by chrony); "
		    "but by sntp it is 0.052 s behind UTC (+/- 20 ms)");
	/* with time both know less: 115 ppm of the two bounds */
	assert_true(read_at(26 * SEC).disagrees.present);
	assert_false(read_at(27 * SEC).disagrees.present);
	/* the first of the others is named */
	struct ntp_control_system v = {.stratum = 2, .offset_s = 0.3, .refid = "192.0.2.1"};
	v.root_dispersion_s = v.jitter_s = v.root_delay_s = 0;
	ntp_control(10 * SEC, &v);
	assert_false(read_at(10 * SEC).disagrees.source == LOCAL_SOURCE_NTP_CONTROL);
	v.offset_s = 0.01;
	ntp_control(10 * SEC, &v);
	assert_int_equal(read_at(10 * SEC).disagrees.source, LOCAL_SOURCE_SNTP);
}

/* Who knows no offset, knows it no longer or is gone contradicts nobody. */
static void no_disagreement(void **state)
{
	(void)state;
	start(1);
	struct chrony_tracking t = tracking(0);
	chrony(0, &t);
	kernel(0, true, false, 16); /* chronyd without rtcsync */
	assert_false(read_at(0).disagrees.present);
	assert_int_equal(read_at(0).state, LOCAL_CLOCK_SYNCHRONIZED);
	kernel(0, true, true, 0.1);
	assert_false(read_at(0).disagrees.present);
	sntp(0, 0, 0, MS);
	assert_true(read_at(0).disagrees.present);
	for (int i = 0; i < 3; i++)
		sntp_flaw(SEC, 0, NTP_NO_TIME);
	assert_false(read_at(SEC).disagrees.present);
	/* nor does anybody contradict what is stale */
	start(1);
	t.ref_time -= 3600 * SEC;
	chrony(0, &t);
	sntp(0, 0, 0, MS);
	assert_int_equal(read_at(0).source, LOCAL_SOURCE_SNTP);
	assert_false(read_at(0).disagrees.present);
}

static void slewed(void **state)
{
	(void)state;
	char text[NOTICE_TEXT_MAX];
	start(1);
	kernel(0, true, false, 16);
	struct local_clock_reading r = read_at(0);
	r.slew_ppm = -500.2;
	say_local_clock(&r, text, sizeof text);
	assert_string_equal(text, "no time service keeps this machine's clock (by kernel); it is "
				  "being slewed by -500 ppm");
	sntp(0, 0, -12 * MS, 21 * MS);
	r = read_at(0);
	r.slew_ppm = 500;
	say_local_clock(&r, text, sizeof text);
	assert_string_equal(text,
			    "this machine's clock is 0.012 s ahead of UTC (+/- 21 ms, by sntp: one "
			    "server, and nobody vouches for it) and is being slewed by +500 ppm");
	/* it fits, or is cut off */
	for (size_t size = 1; size < sizeof text; size++) {
		memset(text, '#', sizeof text);
		say_local_clock(&r, text, size);
		assert_true(strlen(text) < size);
		assert_true(text[size] == '#');
	}
}

/* --- one source a line ------------------------------------------------------------------------ */

static struct local_clock_line lines[LOCAL_CLOCK_LINES_MAX];

static void assert_lines(nsec t, const char *const *expected, unsigned n)
{
	struct stamp now = at(t);
	assert_int_equal(local_clock_describe(&c, &now, lines), n);
	for (unsigned i = 0; i < n; i++) {
		char got[512];
		snprintf(got, sizeof got, "%s%s%s: %s", name_local_clock_source(lines[i].source),
			 lines[i].server != NULL ? " " : "",
			 lines[i].server != NULL ? lines[i].server : "", lines[i].text);
		assert_string_equal(got, expected[i]);
	}
}

#define LINES(t, ...)                                                            \
	do {                                                                     \
		static const char *const expected[] = {__VA_ARGS__};             \
		assert_lines(t, expected, sizeof expected / sizeof expected[0]); \
	} while (0)

static void fails(enum event_kind kind, const char *reason)
{
	struct event e = {.kind = kind, .at = at(MS)};
	if (kind == EVENT_CHRONY)
		e.u.chrony.reason = reason;
	else if (kind == EVENT_NTP_CONTROL)
		e.u.ntp_control.reason = reason;
	else if (kind == EVENT_TIMESYNC)
		e.u.timesync.reason = reason;
	else
		e.u.sntp.reason = reason;
	local_clock_event(&c, &e);
}

static void nothing_answers(void **state)
{
	(void)state;
	start(1);
	assert_int_equal(local_clock_describe(&c, &(struct stamp){0}, lines), 0);
	(void)asked_at(0);
	LINES(MS, "chrony: no answer yet", "ntp_control: no answer yet", "timesyncd: no answer yet",
	      "sntp a.example: no answer yet", "kernel: no answer yet");
	fails(EVENT_CHRONY, "nothing listens at 127.0.0.1:323 or [::1]:323");
	fails(EVENT_NTP_CONTROL, NULL);
	fails(EVENT_TIMESYNC, "there is no system bus");
	fails(EVENT_SNTP, "its name cannot be resolved");
	kernel(MS, false, false, 0);
	LINES(MS, "chrony: nothing listens at 127.0.0.1:323 or [::1]:323",
	      "ntp_control: did not answer", "timesyncd: there is no system bus",
	      "sntp a.example: its name cannot be resolved", "kernel: this process may not ask it");
}

static void everything_answers(void **state)
{
	(void)state;
	start(4);
	(void)asked_at(0);
	struct chrony_tracking t = tracking(0);
	t.correction_s = 0.012;
	t.root_delay_s = 0.002;
	t.root_dispersion_s = 0.002;
	t.ref_time = WALL - 12 * SEC;
	chrony(0, &t);
	struct ntp_control_system v = {.stratum = 16, .leap = 3};
	ntp_control(0, &v);
	struct timesync_message m = {0};
	timesync(0, &m);
	sntp(0, 0, 12 * MS, 5 * MS);
	sntp(0, 1, 7 * SEC, 5 * MS);
	sntp(0, 2, 13 * MS, 5 * MS);
	kernel(0, true, true, 0.02);
	sntp_flaw(0, 3, NTP_KISS_RATE);
	LINES(0,
	      "chrony: synchronised, UTC is 0.012 s ahead of this clock (+/- 3 ms), stratum 3, "
	      "12.0 s ago",
	      "ntp_control: not synchronised", "timesyncd: not synchronised",
	      "sntp a.example: synchronised, UTC is 0.012 s ahead of this clock (+/- 5 ms), "
	      "stratum 2",
	      "sntp b.example: synchronised, UTC is 7.000 s ahead of this clock (+/- 5 ms), "
	      "stratum 2; a falseticker: 2 of 3 servers refute it",
	      "sntp c.example: synchronised, UTC is 0.013 s ahead of this clock (+/- 5 ms), "
	      "stratum 2",
	      "sntp d.example: a kiss-o'-death (RATE): asked less often",
	      "kernel: synchronised (+/- 20 ms by its own account)");
}

static void flaws_in_words(void **state)
{
	(void)state;
	for (int flaw = NTP_NOT_A_REPLY; flaw <= NTP_NEGATIVE_DELAY; flaw++) {
		start(1);
		(void)asked_at(0);
		sntp_flaw(0, 0, (enum ntp_flaw)flaw);
		struct stamp now = at(0);
		unsigned n = local_clock_describe(&c, &now, lines);
		assert_int_equal(n, 5);
		assert_int_equal(lines[3].source, LOCAL_SOURCE_SNTP);
		assert_non_null(strchr(lines[3].text, ' '));
		assert_string_not_equal(lines[3].text, "its answer has figures that cannot be");
		assert_string_not_equal(lines[3].text, "no answer yet");
	}
	/* a server that said something, and then no more */
	start(2);
	(void)asked_at(0);
	sntp(0, 0, 0, MS);
	sntp(0, 1, SEC, MS);
	sntp_flaw(SEC, 0, NTP_KISS_DENY);
	struct stamp now = at(SEC);
	(void)local_clock_describe(&c, &now, lines);
	assert_string_equal(lines[3].text,
			    "synchronised, UTC is 0.000 s ahead of this clock (+/- 2 ms), stratum "
			    "2, 1.0 s ago; when asked again: a kiss-o'-death (DENY): not asked any "
			    "more; the servers contradict each other, and no majority agrees");
}

/* Fine is what every word that counts allows; nothing that is not known is. */
static void verdicts(void **state)
{
	static const struct {
		enum local_clock_state state;
		double offset_s, max_error_s, disagrees_s; /* NAN: nobody does */
		enum clock_verdict verdict;
	} rows[] = {
	    {LOCAL_CLOCK_SYNCHRONIZED, 0.2, 0.1, NAN, CLOCK_FINE},
	    {LOCAL_CLOCK_SYNCHRONIZED, -0.95, 0.1, NAN, CLOCK_INCONCLUSIVE},
	    {LOCAL_CLOCK_SYNCHRONIZED, -1.2, 0.1, NAN, CLOCK_AHEAD},
	    {LOCAL_CLOCK_UNSYNCHRONIZED, 1.2, 0.1, NAN, CLOCK_BEHIND},
	    {LOCAL_CLOCK_UNSYNCHRONIZED, 0.2, 0.1, NAN, CLOCK_INCONCLUSIVE},
	    {LOCAL_CLOCK_STALE, 0.2, 0.1, NAN, CLOCK_INCONCLUSIVE},
	    {LOCAL_CLOCK_SYNCHRONIZED, NAN, 0.1, NAN, CLOCK_FINE},
	    {LOCAL_CLOCK_SYNCHRONIZED, NAN, 2, NAN, CLOCK_INCONCLUSIVE},
	    {LOCAL_CLOCK_SYNCHRONIZED, NAN, NAN, NAN, CLOCK_INCONCLUSIVE},
	    {LOCAL_CLOCK_UNKNOWN, NAN, NAN, NAN, CLOCK_INCONCLUSIVE},
	    {LOCAL_CLOCK_SYNCHRONIZED, 0.2, 0.1, 5, CLOCK_INCONCLUSIVE},
	    {LOCAL_CLOCK_SYNCHRONIZED, 0.2, 0.1, -0.5, CLOCK_FINE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct local_clock_reading r = local_clock_unknown();
		r.state = rows[i].state;
		r.offset_s = rows[i].offset_s;
		r.max_error_s = rows[i].max_error_s;
		r.disagrees.present = !isnan(rows[i].disagrees_s);
		r.disagrees.offset_s = rows[i].disagrees_s;
		r.disagrees.max_error_s = 0.01;
		assert_int_equal(local_clock_verdict(&r, 1), rows[i].verdict);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_server),
	    cmocka_unit_test(falsetickers),
	    cmocka_unit_test(servers_that_are_lost),
	    cmocka_unit_test(disagreement),
	    cmocka_unit_test(no_disagreement),
	    cmocka_unit_test(slewed),
	    cmocka_unit_test(nothing_answers),
	    cmocka_unit_test(everything_answers),
	    cmocka_unit_test(flaws_in_words),
	    cmocka_unit_test(verdicts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
