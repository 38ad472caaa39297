/* SPDX-License-Identifier: MIT
 *
 * The conversation with the management interface on a virtual clock: what is sent, when, and what
 * is never sent.
 */
#include "core/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct fixture {
	struct session s;
	struct tunnel_config config;
	struct stamp now;
	struct actions out;
	struct management_message m;
	enum session_news news;
} f;

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof f);
	f.now = (struct stamp){.mono = NSEC_PER_SEC,
			       .boot = NSEC_PER_SEC,
			       .ruler = NSEC_PER_SEC,
			       .wall = 1795500000 * NSEC_PER_SEC};
	f.config.address = "127.0.0.1:7505";
	session_init(&f.s, false, false, 7, &f.now);
	return 0;
}

static void clear(void)
{
	f.out.n_actions = f.out.n_notices = 0;
}

static enum session_line line(const char *text)
{
	struct event e = {.kind = EVENT_LINE, .at = f.now, .u.line = slice_from(text)};
	return session_line(&f.s, &e, NULL, &f.out, &f.m, &f.news);
}

static enum session_news link_event(enum link_change change, const char *reason)
{
	struct event e = {.kind = EVENT_LINK, .at = f.now};
	e.u.link.change = change;
	e.u.link.reason = reason;
	return session_link(&f.s, &e);
}

static enum session_news wait_until(nsec mono)
{
	f.now.mono = mono;
	return session_time(&f.s, &f.now, false, NULL, &f.out);
}

static void assert_only(enum action_kind kind)
{
	assert_int_equal(f.out.n_actions, 1);
	assert_int_equal(f.out.actions[0].kind, kind);
	clear();
}

static void come_up(void)
{
	(void)wait_until(f.now.mono);
	assert_only(ACTION_CONNECT);
	assert_int_equal(link_event(LINK_UP, NULL), SESSION_NO_NEWS);
	assert_int_equal(f.out.n_actions, 0); /* nothing is sent before the banner */
	assert_int_equal(line(">INFO:OpenVPN Management Interface Version 5 -- type 'help'"),
			 LINE_NOTIFICATION);
	assert_int_equal(f.news, SESSION_NEWS_UP);
}

static void subscribes_after_the_banner(void **state)
{
	(void)state;
	come_up();
	static const enum management_command order[] = {
	    COMMAND_VERSION, COMMAND_PID,	COMMAND_LOG_ON_ALL, COMMAND_STATE_ON_ALL,
	    COMMAND_ECHO_ON, COMMAND_BYTECOUNT, COMMAND_STATUS_3};
	assert_int_equal(f.out.n_actions, 7);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(f.out.actions[i].kind, ACTION_SEND);
		assert_int_equal(f.out.actions[i].command, order[i]);
	}
}

/* Replies in order, notifications anywhere between their lines. */
static void takes_replies_apart(void **state)
{
	(void)state;
	come_up();
	assert_int_equal(line("OpenVPN Version: OpenVPN 2.6.14 x86_64-pc-linux-gnu"), LINE_VERSION);
	assert_int_equal(line(">BYTECOUNT:1,2"), LINE_NOTIFICATION);
	assert_int_equal(line("Management Version: 5"), LINE_NOTHING);
	assert_int_equal(line("END"), LINE_NOTHING);
	assert_int_equal(line("SUCCESS: pid=12"), LINE_PID);
	assert_true(slice_is(f.m.text, "pid=12"));
	assert_int_equal(line("SUCCESS: real-time log notification set to ON"), LINE_NOTHING);
	assert_int_equal(line("1795499999,,Timers: ping 2, ping-restart 8"), LINE_LOG_HISTORY);
	assert_int_equal(line(">STATE:1795500000,WAIT,,,,,,"), LINE_NOTIFICATION);
	assert_int_equal(line("1795499999,D,MANAGEMENT: CMD 'state on all'"), LINE_LOG_HISTORY);
	assert_int_equal(line("END"), LINE_NOTHING);
	assert_int_equal(line("SUCCESS: real-time state notification set to ON"), LINE_NOTHING);
	assert_int_equal(line("1795499990,CONNECTED,SUCCESS,10.8.0.2,1.2.3.4,1194,,"),
			 LINE_STATE_HISTORY);
	assert_int_equal(line("END"), LINE_HISTORY_END);
	assert_int_equal(line("SUCCESS: real-time echo notification set to ON"), LINE_NOTHING);
	assert_int_equal(line("SUCCESS: bytecount interval changed"), LINE_NOTHING);
	assert_int_equal(line("OpenVPN STATISTICS"), LINE_STATUS_3);
	assert_int_equal(line(">BYTECOUNT:1,2"), LINE_NOTIFICATION);
	assert_int_equal(line("END"), LINE_STATUS_END);
	assert_int_equal(f.s.n_ahead, 0);
	assert_int_equal(line("a line that nobody asked for"), LINE_NOTHING);
}

static void an_error_ends_a_reply_too(void **state)
{
	(void)state;
	come_up();
	assert_int_equal(line("ERROR: unknown command, enter 'help' for more options"),
			 LINE_NOTHING);
	assert_int_equal(line("ERROR: unknown command, enter 'help' for more options"),
			 LINE_NOTHING);
	assert_int_equal(f.s.n_ahead, 5);
	assert_int_equal(f.s.ahead[0], COMMAND_LOG_ON_ALL);
}

/* A server's is asked its version and what its owner asks, over actions of its own. */
static void asks_a_server_for_its_status(void **state)
{
	(void)state;
	session_init(&f.s, true, false, 7, &f.now);
	(void)wait_until(f.now.mono);
	assert_only(ACTION_PEER_CONNECT);
	(void)link_event(LINK_UP, NULL);
	assert_int_equal(line(">INFO:OpenVPN Management Interface Version 5"), LINE_NOTIFICATION);
	assert_int_equal(f.out.n_actions, 2);
	assert_int_equal(f.out.actions[0].kind, ACTION_PEER_SEND);
	assert_int_equal(f.out.actions[0].command, COMMAND_VERSION);
	assert_int_equal(f.out.actions[1].command, COMMAND_LOG_ON_ALL);
	assert_int_equal(line("OpenVPN Version: OpenVPN 2.5.11 x86_64-pc-linux-gnu"), LINE_VERSION);
	assert_int_equal(line("END"), LINE_NOTHING);
	assert_int_equal(line("SUCCESS: real-time log notification set to ON"), LINE_NOTHING);
	assert_int_equal(line("1795519233,I,Initialization Sequence Completed"), LINE_LOG_HISTORY);
	assert_int_equal(line("END"), LINE_NOTHING);
	clear();
	session_ask(&f.s, COMMAND_STATUS_3, NULL, &f.out);
	assert_int_equal(f.out.actions[0].command, COMMAND_STATUS_3);
	assert_int_equal(line("TITLE\tOpenVPN 2.5.11"), LINE_STATUS_3);
	assert_int_equal(line(">CLIENT:ESTABLISHED,0"), LINE_NOTIFICATION);
	assert_int_equal(line("TIME\t2026-11-24 11:20:33\t1795519233"), LINE_STATUS_3);
	assert_true(slice_starts(f.m.text, "TIME"));
	assert_int_equal(line("END"), LINE_STATUS_END);
	session_ask(&f.s, COMMAND_STATUS_1, NULL, &f.out);
	assert_int_equal(line("Updated,2026-11-24 11:20:33"), LINE_STATUS_1);
	assert_int_equal(line("ERROR: no"), LINE_STATUS_END);
}

/* Half a second, doubled to half a minute, jittered by a quarter, for ever. */
static void backs_off(void **state)
{
	(void)state;
	nsec expected = SESSION_BACKOFF_MIN;
	for (int i = 0; i < 12; i++) {
		(void)wait_until(f.s.deadline);
		assert_only(ACTION_CONNECT);
		enum session_news news = link_event(LINK_FAILED, "connection refused");
		assert_int_equal(news, i == 0 ? SESSION_NEWS_PROBLEM : SESSION_NO_NEWS);
		nsec wait = f.s.deadline - f.now.mono;
		assert_true(wait >= expected * 3 / 4 && wait <= expected * 5 / 4);
		expected = nsec_min(2 * expected, SESSION_BACKOFF_MAX);
	}
	assert_true(expected == SESSION_BACKOFF_MAX);
}

static void another_reason_is_news(void **state)
{
	(void)state;
	(void)wait_until(f.s.deadline);
	assert_int_equal(link_event(LINK_FAILED, "connection refused"), SESSION_NEWS_PROBLEM);
	(void)wait_until(f.s.deadline);
	assert_int_equal(link_event(LINK_FAILED, "permission denied"), SESSION_NEWS_PROBLEM);
	assert_string_equal(f.s.reason, "permission denied");
}

/* Where OpenVPN calls, that nobody does is said once, and the wait goes on. */
static void waits_to_be_called(void **state)
{
	(void)state;
	(void)wait_until(f.s.deadline);
	assert_int_equal(link_event(LINK_WAITING, "it waits"), SESSION_NEWS_PROBLEM);
	assert_int_equal(link_event(LINK_WAITING, "it waits"), SESSION_NO_NEWS);
	assert_int_equal(f.s.problem, SESSION_UNREACHABLE);
	assert_string_equal(f.s.reason, "it waits");
	assert_true(session_deadline(&f.s) == NSEC_NEVER);
	(void)link_event(LINK_UP, NULL);
	assert_int_equal(link_event(LINK_WAITING, "late"), SESSION_NO_NEWS);
	(void)line(">INFO:OpenVPN Management Interface Version 5");
	assert_int_equal(f.news, SESSION_NEWS_UP);
	assert_int_equal(f.s.problem, SESSION_FINE);
}

static void no_banner_is_busy(void **state)
{
	(void)state;
	(void)wait_until(f.now.mono);
	clear();
	(void)link_event(LINK_UP, NULL);
	assert_int_equal(wait_until(f.s.deadline - 1), SESSION_NO_NEWS);
	assert_int_equal(f.out.n_actions, 0);
	assert_int_equal(wait_until(f.s.deadline), SESSION_NEWS_PROBLEM);
	assert_int_equal(f.s.problem, SESSION_BUSY);
	assert_only(ACTION_CLOSE); /* or we would take the slot from a GUI that comes back */
}

static void a_password_that_we_do_not_have(void **state)
{
	(void)state;
	(void)wait_until(f.now.mono);
	clear();
	(void)link_event(LINK_UP, NULL);
	assert_int_equal(line("ENTER PASSWORD:"), LINE_NOTHING);
	assert_int_equal(f.news, SESSION_NEWS_PROBLEM);
	assert_int_equal(f.s.problem, SESSION_REFUSED);
	assert_only(ACTION_CLOSE);
}

static void a_right_and_a_wrong_password(void **state)
{
	(void)state;
	f.s.has_password = true;
	(void)wait_until(f.now.mono);
	clear();
	(void)link_event(LINK_UP, NULL);
	assert_int_equal(line("ENTER PASSWORD:"), LINE_NOTHING);
	assert_only(ACTION_SEND_PASSWORD);
	assert_int_equal(line("SUCCESS: password is correct"), LINE_NOTHING);
	assert_int_equal(f.out.n_actions, 0);
	assert_int_equal(line(">INFO:OpenVPN Management Interface Version 5"), LINE_NOTIFICATION);
	assert_int_equal(f.news, SESSION_NEWS_UP);

	(void)link_event(LINK_CLOSED, "end of file");
	clear();
	(void)wait_until(f.s.deadline);
	clear();
	(void)link_event(LINK_UP, NULL);
	(void)line("ENTER PASSWORD:");
	assert_only(ACTION_SEND_PASSWORD);
	(void)line("ENTER PASSWORD:"); /* the daemon says so, and nothing else */
	assert_int_equal(f.s.problem, SESSION_REFUSED);
	assert_only(ACTION_CLOSE);
	/* It is not tried again at the pace of a lost connection. */
	assert_true(f.s.deadline - f.now.mono >= SESSION_BACKOFF_MAX / 2);
}

static void half_open_is_found_by_the_heartbeat(void **state)
{
	(void)state;
	come_up();
	clear();
	f.s.n_ahead = 0;
	(void)wait_until(f.s.deadline);
	assert_int_equal(f.out.actions[0].command, COMMAND_LOAD_STATS);
	assert_only(ACTION_SEND);
	assert_int_equal(wait_until(f.s.deadline), SESSION_NEWS_LOST);
	assert_int_equal(f.s.problem, SESSION_UNREACHABLE);
	assert_only(ACTION_CLOSE);
}

static void any_line_is_a_sign_of_life(void **state)
{
	(void)state;
	come_up();
	f.s.n_ahead = 0;
	(void)wait_until(f.s.deadline);
	clear();
	f.now.mono += NSEC_PER_SEC;
	(void)line("SUCCESS: nclients=0,bytesin=1,bytesout=1");
	assert_int_equal(wait_until(f.s.deadline - 1), SESSION_NO_NEWS);
	assert_int_equal(f.out.n_actions, 0);
}

/* A daemon that looks a name up cannot answer for as long as its resolver takes. */
static void a_daemon_that_resolves_is_given_time(void **state)
{
	(void)state;
	come_up();
	f.s.n_ahead = 0;
	(void)wait_until(f.s.deadline);
	clear();
	for (int i = 0; i < 6; i++) {
		f.now.mono = f.s.deadline;
		assert_int_equal(session_time(&f.s, &f.now, true, NULL, &f.out), SESSION_NO_NEWS);
		assert_int_equal(f.out.n_actions, 0);
	}
}

static void lost_and_lines_of_an_old_connection(void **state)
{
	(void)state;
	come_up();
	clear();
	assert_int_equal(link_event(LINK_CLOSED, "end of file"), SESSION_NEWS_LOST);
	assert_int_equal(line(">STATE:1795500000,WAIT,,,,,,"), LINE_NOTHING);
	assert_int_equal(link_event(LINK_CLOSED, "end of file"), SESSION_NO_NEWS);
	assert_int_equal(f.out.n_actions, 0);
}

static void what_was_changed_is_put_back_once(void **state)
{
	(void)state;
	session_leave(&f.s, NULL, &f.out); /* nothing was changed yet */
	assert_int_equal(f.out.n_actions, 0);
	come_up();
	clear();
	session_leave(&f.s, NULL, &f.out);
	session_leave(&f.s, NULL, &f.out);
	assert_int_equal(f.out.actions[0].command, COMMAND_PUT_BACK);
	assert_only(ACTION_SEND);
	assert_string_equal(management_command_text(COMMAND_PUT_BACK),
			    "bytecount 0\nlog off\nstate off\necho off\n");
}

static void says_what_is_wanted_as_long_as_replies_come(void **state)
{
	(void)state;
	assert_false(session_say(&f.s, COMMAND_HOLD_RELEASE, NULL, &f.out));
	come_up();
	while (f.s.n_ahead < SESSION_COMMANDS_AHEAD)
		assert_true(session_say(&f.s, COMMAND_LOAD_STATS, NULL, &f.out));
	clear();
	assert_false(session_say(&f.s, COMMAND_HOLD_RELEASE, NULL, &f.out));
	assert_int_equal(f.out.n_actions, 0);
}

static void commands_are_constant_lines(void **state)
{
	(void)state;
	for (int c = COMMAND_STATE_ON_ALL; c <= COMMAND_LOAD_STATS; c++) {
		const char *text = management_command_text((enum management_command)c);
		assert_int_equal(text[strlen(text) - 1], '\n');
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		assert_null(strstr(text, "release"));
		assert_null(strstr(text, "signal"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(subscribes_after_the_banner, setup),
	    cmocka_unit_test_setup(takes_replies_apart, setup),
	    cmocka_unit_test_setup(asks_a_server_for_its_status, setup),
	    cmocka_unit_test_setup(an_error_ends_a_reply_too, setup),
	    cmocka_unit_test_setup(backs_off, setup),
	    cmocka_unit_test_setup(another_reason_is_news, setup),
	    cmocka_unit_test_setup(waits_to_be_called, setup),
	    cmocka_unit_test_setup(no_banner_is_busy, setup),
	    cmocka_unit_test_setup(a_password_that_we_do_not_have, setup),
	    cmocka_unit_test_setup(a_right_and_a_wrong_password, setup),
	    cmocka_unit_test_setup(half_open_is_found_by_the_heartbeat, setup),
	    cmocka_unit_test_setup(any_line_is_a_sign_of_life, setup),
	    cmocka_unit_test_setup(a_daemon_that_resolves_is_given_time, setup),
	    cmocka_unit_test_setup(lost_and_lines_of_an_old_connection, setup),
	    cmocka_unit_test_setup(what_was_changed_is_put_back_once, setup),
	    cmocka_unit_test_setup(says_what_is_wanted_as_long_as_replies_come, setup),
	    cmocka_unit_test_setup(commands_are_constant_lines, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
