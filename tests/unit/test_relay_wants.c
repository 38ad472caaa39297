/* SPDX-License-Identifier: MIT
 *
 * What is each client's own: state, log, echo, bytecount and version, and what of it the daemon is
 * told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/relay_fixture.h"

#define ON(topic)  "SUCCESS: real-time " topic " notification set to ON"
#define OFF(topic) "SUCCESS: real-time " topic " notification set to OFF"
#define CHANGED	   "SUCCESS: bytecount interval changed"
#define BAD(topic) "ERROR: " topic " parameter must be 'on' or 'off' or some number n or 'all'"

/* Before the reply it is history, after it is news: neither gap nor double. */
static void history_and_news_meet(void **state)
{
	(void)state;
	met(0);
	says(0, "state on all\n");
	assert_true(daemon_says(">STATE:1,WAIT,,,,,,")); /* on its way already */
	expect_daemon("state on all\n" BARRIER);
	assert_false(daemon_says(ON("state")));
	assert_false(daemon_says("1,WAIT,,,,,,"));
	assert_false(daemon_says("END"));
	assert_true(daemon_says(">STATE:2,AUTH,,,,,,"));
	assert_false(daemon_says(BARRIER_REPLY));
	assert_true(daemon_says(">STATE:3,GET_CONFIG,,,,,,"));
	expect(0, ON("state") "\r\n1,WAIT,,,,,,\r\nEND\r\n>STATE:2,AUTH,,,,,,\r\n"
			      ">STATE:3,GET_CONFIG,,,,,,\r\n");
}

static void each_is_told_what_it_asked_for(void **state)
{
	(void)state;
	static const char *const lines[] = {">STATE:1,WAIT,,,,,,", ">LOG:1,I,text", ">ECHO:1,x"};
	static const char *const words[] = {"state", "log", "echo"};
	for (unsigned i = 0; i < 3; i++) {
		char text[64], reply[64];
		met(i);
		snprintf(text, sizeof text, "%s on", words[i]);
		snprintf(reply, sizeof reply, "SUCCESS: real-time %s notification set to ON",
			 words[i]);
		says(i, text);
		says(i, "\n");
		answered(text, reply);
		ends[i].n = 0;
		ends[i].text[0] = '\0';
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(daemon_says(lines[i]));
	for (unsigned i = 0; i < 3; i++) {
		char line[64];
		snprintf(line, sizeof line, "%s\r\n", lines[i]);
		expect(i, line);
	}
}

/* ovpnwatch hears all of them: off is said by the relay, and nobody else is robbed. */
static void off_is_for_one_alone(void **state)
{
	(void)state;
	met(0);
	says(0, "log on\n");
	answered("log on", ON("log"));
	says(0, "log off\n");
	expect_daemon("");
	assert_true(daemon_says(">LOG:1,I,text"));
	expect(0, ON("log") "\r\n" OFF("log") "\r\n");
}

/* Nobody else hears it: the daemon need not say it any more. */
static void the_daemon_is_told_the_union(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "state on\n");
	answered("state on", ON("state"));
	says(1, "state on\n");
	answered("state on", ON("state"));
	says(0, "state off\n");
	expect_daemon("");
	says(1, "state off\n");
	answered("state off", OFF("state"));
	expect(1, ON("state") "\r\n" OFF("state") "\r\n");
	says(1, "echo on\n");
	answered("echo on", ON("echo"));
	left(1);
	answered("echo off", OFF("echo"));
	expect(0, ON("state") "\r\n" OFF("state") "\r\n");
}

/* It asked for it and left before the answer came. */
static void what_a_lost_client_wanted_is_taken_back(void **state)
{
	(void)state;
	met(0);
	says(0, "state on all\n");
	left(0);
	answered("state on all", ON("state") "\nEND");
	answered("state off", OFF("state"));
	expect_daemon("");
}

static void both_orders_and_odd_ones(void **state)
{
	(void)state;
	met(0);
	says(0, "echo all on\n");
	answered("echo all on", "1,a\nEND\n" ON("echo"));
	assert_true(daemon_says(">ECHO:2,b"));
	expect(0, "1,a\r\nEND\r\n" ON("echo") "\r\n>ECHO:2,b\r\n");
	says(0, "log 007x\n"); /* atoi() */
	answered("log 7", "END");
	says(0, "state\n");
	answered("state", "1,WAIT,,,,,,\nEND");
	says(0, "state 3 all\n");
	answered("state 3 all", "END\nEND");
	expect(0, "END\r\n1,WAIT,,,,,,\r\nEND\r\nEND\r\nEND\r\n");
	/* What the relay says comes before or after, as it would. */
	says(0, "echo off all\n");
	answered("echo all", "END");
	expect(0, OFF("echo") "\r\nEND\r\n");
	says(0, "echo on off\n");
	answered("echo on", ON("echo"));
	expect(0, ON("echo") "\r\n" OFF("echo") "\r\n");
	says(0, "echo all off\n");
	answered("echo all", "END");
	expect(0, "END\r\n" OFF("echo") "\r\n");
	says(0, "log\necho x 0\nlog -1 on\n");
	answered("log on", ON("log"));
	expect(0, "ERROR: the 'log' command requires at least 1 parameter\r\n" BAD(
		      "echo") "\r\n" BAD("echo") "\r\n" BAD("log") "\r\n" ON("log") "\r\n");
}

/* --- bytecount ------------------------------------------------------------------------------- */

static unsigned counts(unsigned i)
{
	unsigned n = 0;
	for (const char *at = ends[i].text; (at = strstr(at, ">BYTECOUNT")) != NULL; at++)
		n++;
	ends[i].n = 0;
	ends[i].text[0] = '\0';
	return n;
}

static void each_at_its_own_pace(void **state)
{
	(void)state;
	static const int paces[CLIENTS] = {1, 5, 60, 0};
	for (unsigned i = 0; i < CLIENTS; i++) {
		char text[32];
		met(i);
		snprintf(text, sizeof text, "bytecount %d\n", paces[i]);
		says(i, text);
		expect(i, CHANGED "\r\n");
	}
	expect_daemon(""); /* it counts every second for ovpnwatch already */
	for (int second = 1; second <= 600; second++) {
		now += NSEC_PER_SEC + (second % 7 - 3) * NSEC_PER_MSEC; /* it jitters */
		assert_true(daemon_says(">BYTECOUNT:1,2"));
	}
	assert_int_equal(counts(0), 600);
	assert_int_equal(counts(1), 120);
	assert_int_equal(counts(2), 10);
	assert_int_equal(counts(3), 0);
}

static void the_daemon_counts_for_the_most_eager(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "bytecount 10\n");
	answered("bytecount 10", CHANGED);
	says(1, "bytecount 4\n");
	answered("bytecount 4", CHANGED);
	expect(0, CHANGED "\r\n");
	expect(1, CHANGED "\r\n");
	for (int i = 0; i < 100; i++) {
		now += 4 * NSEC_PER_SEC;
		assert_true(daemon_says(">BYTECOUNT:1,2"));
	}
	assert_int_equal(counts(1), 100);
	assert_in_range(counts(0), 39, 41);
	says(1, "bytecount 30\n"); /* 10 will do now */
	answered("bytecount 10", CHANGED);
	left(0);
	answered("bytecount 30", CHANGED);
	left(1);
	answered("bytecount 0", CHANGED);
	met(2);
	says(2, "bytecount\nbytecount x\n");
	expect_daemon("");
	expect(2, "ERROR: the 'bytecount' command requires 1 parameter\r\n" CHANGED "\r\n");
}

static void a_servers_clients_are_counted_one_by_one(void **state)
{
	(void)state;
	met(0);
	says(0, "bytecount 5\n");
	expect(0, CHANGED "\r\n");
	for (int second = 0; second < 50; second++) {
		for (unsigned cid = 0; cid < 3; cid++) {
			char line[64];
			snprintf(line, sizeof line, ">BYTECOUNT_CLI:%u,1,2", cid);
			assert_true(daemon_says(line));
		}
		assert_true(daemon_says(">BYTECOUNT_CLI:x,1,2")); /* no number: told at the pace */
		now += NSEC_PER_SEC;
	}
	assert_in_range(counts(0), 39, 41);
}

/* --- version --------------------------------------------------------------------------------- */

static void the_largest_version_is_told(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "version 3\n");
	answered("version 3", "");
	says(1, "version 2\n");
	expect_daemon("");
	says(0, "version 5\n");
	answered("version 5", "SUCCESS: Management client version set to 5");
	says(1, "version 4\n");
	answered("version 5", "SUCCESS: Management client version set to 5");
	expect(0, "SUCCESS: Management client version set to 5\r\n");
	expect(1, "SUCCESS: Management client version set to 4\r\n");
	says(1, "version\n");
	answered("version", "OpenVPN Version: x\nEND");
}

/* manage.c management_query_pk_sig: the word of version 2, the algorithm of version 3. */
static void signatures_are_asked_for_in_each_ones_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		met(i);
	says(2, "version 3\n");
	answered("version 3", "");
	says(1, "version 2\n");
	assert_true(daemon_says(">PK_SIGN:AAAA,RSA_PKCS1_PADDING"));
	expect(0, ">RSA_SIGN:AAAA\r\n");
	expect(1, ">PK_SIGN:AAAA\r\n");
	expect(2, ">PK_SIGN:AAAA,RSA_PKCS1_PADDING\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(history_and_news_meet, relay_begin_watched, relay_end),
	    cmocka_unit_test_setup_teardown(each_is_told_what_it_asked_for, relay_begin_watched,
					    relay_end),
	    cmocka_unit_test_setup_teardown(off_is_for_one_alone, relay_begin_watched, relay_end),
	    cmocka_unit_test_setup_teardown(the_daemon_is_told_the_union, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(what_a_lost_client_wanted_is_taken_back, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(both_orders_and_odd_ones, relay_begin_watched,
					    relay_end),
	    cmocka_unit_test_setup_teardown(each_at_its_own_pace, relay_begin_watched, relay_end),
	    cmocka_unit_test_setup_teardown(the_daemon_counts_for_the_most_eager, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(a_servers_clients_are_counted_one_by_one,
					    relay_begin_watched, relay_end),
	    cmocka_unit_test_setup_teardown(the_largest_version_is_told, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(signatures_are_asked_for_in_each_ones_words,
					    relay_begin_up, relay_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
