/* SPDX-License-Identifier: MIT
 *
 * The relay's conversation with the daemon: whose turn it is, and whose a line is. What becomes of
 * single commands: test_relay_wants.c, test_relay_prompt.c, test_relay_readonly.c. Everything at
 * once, against a model of the daemon: test_relay_model.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/relay_fixture.h"

static void a_reply_is_the_askers(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "pid\n");
	says(1, "status\n");
	answered("pid", "SUCCESS: pid=7");
	expect(0, "SUCCESS: pid=7\r\n");
	answered("status", "OpenVPN STATISTICS\nEND");
	expect(1, "OpenVPN STATISTICS\r\nEND\r\n");
	expect(0, "");
	expect_daemon("");
}

static void replies_of_every_form(void **state)
{
	(void)state;
	met(0);
	says(0, "version 3\npid\n"); /* no reply at all, whatever its number is */
	answered("version 3", "");
	answered("pid", "SUCCESS: pid=7");
	says(0, "test 2\n");
	answered("test 2", "[0] a\n[1] END");
	says(0, "nclients\n"); /* begins like the barrier's */
	answered("nclients", "SUCCESS: nclients=3");
	says(0, "no such thing\n");
	answered("no such thing", "ERROR: unknown command, enter 'help' for more options");
	expect(0, "SUCCESS: pid=7\r\n[0] a\r\n[1] END\r\nSUCCESS: nclients=3\r\n"
		  "ERROR: unknown command, enter 'help' for more options\r\n");
}

static void load_stats_is_its_own_barrier(void **state)
{
	(void)state;
	met(0);
	says(0, "load-stats\n");
	expect_daemon("load-stats\n");
	assert_false(daemon_says(BARRIER_REPLY));
	expect(0, BARRIER_REPLY "\r\n");
	own(COMMAND_LOAD_STATS);
	expect_daemon("load-stats\n");
	assert_true(daemon_says(BARRIER_REPLY));
	expect(0, "");
}

/* One after another, ovpnwatch's own first, and the clients by turns. */
static void turns(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "pid\nmute\n");
	says(1, "verb\n");
	own(COMMAND_VERSION);
	own(COMMAND_PID);
	answered("pid", "SUCCESS: pid=7");
	expect_daemon("version\n" BARRIER);
	assert_true(daemon_says("OpenVPN Version: OpenVPN 2.6.14"));
	assert_true(daemon_says("END"));
	assert_false(daemon_says(BARRIER_REPLY));
	expect_daemon("pid\n" BARRIER);
	assert_true(daemon_says("SUCCESS: pid=7"));
	assert_false(daemon_says(BARRIER_REPLY));
	answered("verb", "SUCCESS: verb=3");
	answered("mute", "SUCCESS: mute=0");
	expect(0, "SUCCESS: pid=7\r\nSUCCESS: mute=0\r\n");
	expect(1, "SUCCESS: verb=3\r\n");
}

static void notifications_fall_anywhere(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "status\n");
	expect_daemon("status\n" BARRIER);
	assert_false(daemon_says("OpenVPN STATISTICS"));
	assert_true(daemon_says(">NOTIFY:info,remote-exit,EXIT"));
	assert_false(daemon_says("END"));
	assert_true(daemon_says(">FATAL:x"));
	assert_false(daemon_says(BARRIER_REPLY));
	expect(0, "OpenVPN STATISTICS\r\n>NOTIFY:info,remote-exit,EXIT\r\nEND\r\n>FATAL:x\r\n");
	expect(1, ">NOTIFY:info,remote-exit,EXIT\r\n>FATAL:x\r\n");
}

static void who_leaves_leaves_its_reply_to_nobody(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "status\npid\n");
	says(1, "pid\n");
	left(0);
	came(0); /* another, at the same place */
	answered("status", "OpenVPN STATISTICS\nEND");
	answered("pid", "SUCCESS: pid=7");
	expect(0, BANNER "\r\n");
	expect(1, "SUCCESS: pid=7\r\n");
	expect_daemon("");
}

static void empty_lines_and_comments_are_no_commands(void **state)
{
	(void)state;
	met(0);
	says(0, "\r\n   \n# pid\n;\n");
	expect_daemon("");
	says(0, " 'pid' \n");
	answered(" 'pid' ", "SUCCESS: pid=7");
	expect(0, "SUCCESS: pid=7\r\n");
}

/* OpenVPN itself has words for them. */
static void lines_that_cannot_be_split(void **state)
{
	(void)state;
	met(0);
	says(0, "needstr \"x\nexit now \\q\n");
	answered("needstr \"x", "ERROR: Options error: No closing quotation (\") in TCP:0");
	answered("exit now \\q", "ERROR: Options warning: Bad backslash");
	assert_false(ends[0].hung_up);
}

static void exit_and_quit(void **state)
{
	(void)state;
	static const char *const words[] = {"exit\n", "quit now\n", "\"exit\"\n"};
	for (unsigned i = 0; i < 3; i++) {
		met(i);
		says(i, "pid\n");
		says(i, words[i]);
		assert_false(ends[i].hung_up); /* first things first */
		answered("pid", "SUCCESS: pid=7");
		expect_hung_up(i, NULL);
		expect_daemon("");
	}
	expect(0, "SUCCESS: pid=7\r\n");
}

static void end_of_input(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "pid\nverb\nhalf");
	in_relay = true;
	relay_client_end_of_input(&relay, ends[0].c);
	relay_client_end_of_input(&relay, ends[1].c);
	in_relay = false;
	expect_hung_up(1, NULL);
	answered("pid", "SUCCESS: pid=7");
	assert_false(ends[0].hung_up);
	answered("verb", "SUCCESS: verb=3");
	expect_hung_up(0, NULL);
	expect(0, "SUCCESS: pid=7\r\nSUCCESS: verb=3\r\n");
}

/* The daemon's banner, in silence until it is there; what was said meanwhile comes after it. */
static void who_comes_too_early_waits(void **state)
{
	(void)state;
	came(0);
	says(0, "pid\n");
	expect(0, "");
	assert_true(daemon_says("ENTER PASSWORD:"));
	assert_true(daemon_says("SUCCESS: password is correct"));
	expect(0, "");
	expect_daemon("");
	assert_true(daemon_says(BANNER));
	expect(0, BANNER "\r\n");
	answered("pid", "SUCCESS: pid=7");
	expect(0, "SUCCESS: pid=7\r\n");
}

static void the_daemon_goes_away(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "status\n");
	expect_daemon("status\n" BARRIER);
	own(COMMAND_PID);
	daemon_down();
	expect_hung_up(0, NULL);
	expect_hung_up(1, NULL);
	says(0, "pid\n"); /* still on its way */
	came(2);
	assert_true(daemon_says(">INFO:another"));
	expect(2, ">INFO:another\r\n");
	expect_daemon(""); /* nothing is left of before */
	left(0);
	left(1);
	expect_daemon("");
	assert_false(ends[2].hung_up);
	daemon_down();
	expect_hung_up(2, NULL);
}

static void what_is_left_to_say(void **state)
{
	(void)state;
	met(0);
	says(0, "pid\n");
	expect_daemon("pid\n" BARRIER);
	own(COMMAND_PID);
	own(COMMAND_LOAD_STATS);
	in_relay = true;
	relay_leave(&relay);
	expect_daemon("pid\nload-stats\n");
	relay_daemon_down(&relay);
	relay_leave(&relay);
	in_relay = false;
	expect_daemon("");
}

static void input_is_bounded(void **state)
{
	(void)state;
	met(0);
	says(0, "pid\n");
	size_t room = relay_client_room(ends[0].c);
	assert_int_equal(room, RELAY_INPUT_MAX);
	for (size_t i = 0; i < RELAY_INPUT_MAX / 4; i++)
		says(0, "pid\n");
	assert_int_equal(relay_client_room(ends[0].c), 0);
	for (size_t i = 0; i <= RELAY_INPUT_MAX / 4; i++)
		answered("pid", "");
	assert_int_equal(relay_client_room(ends[0].c), RELAY_INPUT_MAX);
	expect_daemon("");
}

static void torn_at_every_byte(void **state)
{
	static const char text[] = "state on all\r\nclient-auth 1 2\npush \"x\"\nEND\npid\n";
	(void)state;
	for (size_t cut = 0; cut < sizeof text; cut++) {
		met(0);
		says_bytes(0, (struct slice){.p = text, .n = cut});
		says_bytes(0, (struct slice){.p = text + cut, .n = sizeof text - 1 - cut});
		answered("state on all", "SUCCESS: real-time state notification set to ON\nEND");
		answered("client-auth 1 2\npush \"x\"\nEND",
			 "SUCCESS: client-auth command succeeded");
		answered("pid", "SUCCESS: pid=7");
		expect(0, "SUCCESS: real-time state notification set to ON\r\nEND\r\n"
			  "SUCCESS: client-auth command succeeded\r\nSUCCESS: pid=7\r\n");
		left(0);
		answered("state off", "SUCCESS: real-time state notification set to OFF");
		expect_daemon("");
	}
}

/* --- blocks ---------------------------------------------------------------------------------- */

#define BLOCK_1 ">CLIENT:CONNECT,0,1"
#define BLOCK_2 ">CLIENT:ENV,common_name=a"
#define BLOCK_3 ">CLIENT:ENV,END"

static void blocks_come_whole_or_not_at_all(void **state)
{
	(void)state;
	met(0);
	assert_true(daemon_says(BLOCK_1));
	met(1);
	assert_true(daemon_says(BLOCK_2));
	assert_true(daemon_says(BLOCK_3));
	expect(0, BLOCK_1 "\r\n" BLOCK_2 "\r\n" BLOCK_3 "\r\n");
	expect(1, "");
	assert_true(daemon_says(">CLIENT:ADDRESS,0,10.8.0.2,1"));
	says(0, "bytecount x\n"); /* answered by the relay itself, at once */
	expect(0, ">CLIENT:ADDRESS,0,10.8.0.2,1\r\nSUCCESS: bytecount interval changed\r\n");
	assert_true(daemon_says(">UPDOWN:UP"));
	assert_true(daemon_says(">UPDOWN:ENV,END"));
	expect(1, ">CLIENT:ADDRESS,0,10.8.0.2,1\r\n>UPDOWN:UP\r\n>UPDOWN:ENV,END\r\n");
}

static void nothing_gets_between_the_lines_of_a_block(void **state)
{
	(void)state;
	met(0);
	assert_true(daemon_says(BLOCK_1));
	met(1); /* it is told nothing of the block, so it can be answered */
	says(0, "bytecount 0\n");
	says(1, "bytecount 0\n");
	expect(0, BLOCK_1 "\r\n");
	expect(1, "SUCCESS: bytecount interval changed\r\n");
	assert_true(daemon_says(BLOCK_2));
	assert_true(daemon_says(BLOCK_3));
	expect(0, BLOCK_2 "\r\n" BLOCK_3 "\r\nSUCCESS: bytecount interval changed\r\n");
}

/* --- commands of several lines --------------------------------------------------------------- */

static void commands_of_several_lines_are_kept_whole(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "client-auth 0 1\npush \"route 10.0.0.0\"\n");
	says(1, "client-auth 2 3\n\nexit\n"); /* anything may stand in there */
	says(1, "END\n");
	says(0, "END\n");
	answered("client-auth 2 3\n\nexit\nEND", "SUCCESS: client-auth command succeeded");
	answered("client-auth 0 1\npush \"route 10.0.0.0\"\nEND",
		 "ERROR: client-auth command failed");
	expect(0, "ERROR: client-auth command failed\r\n");
	expect(1, "SUCCESS: client-auth command succeeded\r\n");
	says(0, "client-auth 0\n"); /* too short: OpenVPN does not wait for more */
	answered("client-auth 0", "ERROR: the 'client-auth' command requires 2 parameters");
}

static void half_a_command_leaves_nothing_behind(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "client-pf 1\n[CLIENTS ACCEPT]\n");
	says(1, "pid\n");
	answered("pid", "SUCCESS: pid=7");
	left(0);
	expect_daemon("");
}

static void a_command_without_end(void **state)
{
	char line[1001];
	(void)state;
	memset(line, 'x', sizeof line);
	line[999] = '\n';
	line[1000] = '\0';
	met(0);
	says(0, "client-auth 0 1\n");
	for (int i = 0; i < 66 && !ends[0].hung_up; i++)
		says(0, line);
	expect_hung_up(0, "sent a command of more than 64 KiB");
	expect_daemon("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_reply_is_the_askers, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(replies_of_every_form, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(load_stats_is_its_own_barrier, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(turns, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(notifications_fall_anywhere, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(who_leaves_leaves_its_reply_to_nobody, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(empty_lines_and_comments_are_no_commands,
					    relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(lines_that_cannot_be_split, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(exit_and_quit, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(end_of_input, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(who_comes_too_early_waits, relay_begin, relay_end),
	    cmocka_unit_test_setup_teardown(the_daemon_goes_away, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(what_is_left_to_say, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(input_is_bounded, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(torn_at_every_byte, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(blocks_come_whole_or_not_at_all, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(nothing_gets_between_the_lines_of_a_block,
					    relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(commands_of_several_lines_are_kept_whole,
					    relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(half_a_command_leaves_nothing_behind, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(a_command_without_end, relay_begin_up, relay_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
