/* SPDX-License-Identifier: MIT
 *
 * What is learned of a tunnel from states, counts and log lines, on a virtual clock.
 */
#include "core/tunnel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define WALL ((nsec)1795500000 * NSEC_PER_SEC)
#define S    NSEC_PER_SEC

static struct tunnel t;
static struct stamp now;

static int setup(void **state)
{
	(void)state;
	static const struct tunnel_config config = {
	    .name = "t", .same_machine = true, .ping = -1, .ping_restart = -1};
	now = (struct stamp){.mono = 0, .boot = 0, .wall = WALL};
	tunnel_init(&t, &config, &now);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tunnel_done(&t);
	return 0;
}

static void pass(nsec d)
{
	now.mono += d;
	now.boot += d;
	now.ruler += d;
	now.wall += d;
}

static struct state_change state_line(const char *payload)
{
	struct management_state s;
	assert_int_equal(management_parse_state(slice_from(payload), &s), VERDICT_DONE);
	return tunnel_state(&t, &s, &now, &now);
}

static void log_line(const char *text, bool live)
{
	struct log_fact fact;
	log_text_parse(slice_from(text), &fact);
	tunnel_log(&t, &fact, live, &now);
}

#define CONNECTED "1795500000,CONNECTED,SUCCESS,10.8.0.2,203.0.113.7,1194,,"
#define RESTARTED "1795500000,RECONNECTING,ping-restart,,,,,"

static void durations_are_monotonic(void **state)
{
	(void)state;
	state_line(CONNECTED);
	pass(100 * S);
	now.wall -= 3600 * S; /* the wall clock is set: no duration may show it */
	struct state_change c = state_line(RESTARTED);
	assert_true(c.changed && c.restarted);
	assert_string_equal(c.previous, "CONNECTED");
	assert_true(c.previous_lasted == 100 * S);
	assert_true(t.episode.connected == 100 * S);
}

static void a_state_that_comes_twice_counts_once(void **state)
{
	(void)state;
	state_line(CONNECTED);
	pass(10 * S);
	assert_true(state_line(RESTARTED).restarted);
	pass(S / 1000);
	assert_false(state_line(RESTARTED).changed);
	assert_int_equal(t.restarts, 1);
}

static void one_episode_until_it_is_up_again(void **state)
{
	(void)state;
	state_line(CONNECTED);
	pass(10 * S);
	state_line(RESTARTED);
	struct stamp began = now;
	state_line("1795500001,WAIT,,,,,,");
	pass(60 * S);
	state_line("1795500061,RECONNECTING,tls-error,,,,,");
	state_line("1795500062,WAIT,,,,,,");
	assert_true(t.episode.open && !t.episode.ended);
	assert_true(t.episode.began.mono == began.mono);
	assert_int_equal(t.episode.reason, REASON_PING_RESTART);
	assert_int_equal(t.episode.attempts, 2);
	assert_int_equal(t.restarts, 2);
	assert_true(state_line(CONNECTED).came_up);
	assert_true(t.episode.ended);
}

static void timers_from_the_best_place(void **state)
{
	(void)state;
	assert_int_equal(t.timers.ping_restart, PING_RESTART_DEFAULT);
	assert_int_equal(t.timers.from, TIMERS_DEFAULT);
	log_line(
	    "PUSH: Received control message: 'PUSH_REPLY,ping 5,ping-restart 30,ifconfig 10.8.0.2 "
	    "255.255.255.0'",
	    false);
	assert_int_equal(t.timers.ping, 5);
	assert_int_equal(t.timers.ping_restart, 30);
	assert_int_equal(t.timers.from, TIMERS_PUSHED);
	log_line("Timers: ping 2, ping-restart 8", true);
	assert_int_equal(t.timers.ping, 2);
	assert_int_equal(t.timers.ping_restart, 8);
	assert_int_equal(t.timers.from, TIMERS_LOGGED);

	struct tunnel_config config = {.name = "p", .ping = 10, .ping_restart = 60};
	tunnel_done(&t);
	tunnel_init(&t, &config, &now);
	assert_int_equal(t.timers.ping_restart, 60);
	assert_int_equal(t.timers.from, TIMERS_PROFILE);
}

/* Half the window, but not before two pings could have come. */
static void when_silence_is_news(void **state)
{
	(void)state;
	t.timers = (struct ping_timers){.ping = 10, .ping_restart = 120};
	assert_true(tunnel_stall_after(&t) == 60 * S);
	t.timers = (struct ping_timers){.ping = 4, .ping_restart = 8};
	assert_true(tunnel_stall_after(&t) == 6 * S);
	t.timers = (struct ping_timers){.ping = 10, .ping_restart = 0};
	assert_true(tunnel_stall_after(&t) == NSEC_NEVER);
	t.timers = (struct ping_timers){.ping = 10, .ping_restart = INT64_MAX};
	assert_true(tunnel_window(&t) == NSEC_NEVER);
}

static void history_is_learned(void **state)
{
	(void)state;
	struct management_state s;
	assert_int_equal(management_parse_state(
			     SLICE("1795499900,CONNECTED,SUCCESS,10.8.0.2,1.2.3.4,1194,,"), &s),
			 VERDICT_DONE);
	tunnel_state_history(&t, &s, &now);
	assert_true(tunnel_is_up(&t));
	assert_false(t.episode.open);
	pass(40 * S);
	state_line(RESTARTED);
	/* 100 s before we came, by the daemon's stamp, and 40 s since. */
	assert_true(t.episode.connected == 140 * S);
}

static void history_of_a_daemon_elsewhere_is_not_dated(void **state)
{
	(void)state;
	struct management_state s;
	t.config.same_machine = false;
	assert_int_equal(management_parse_state(SLICE("1795499900,CONNECTED,SUCCESS,,,,,"), &s),
			 VERDICT_DONE);
	tunnel_state_history(&t, &s, &now);
	pass(40 * S);
	state_line(RESTARTED);
	assert_true(t.episode.connected == NSEC_UNKNOWN);
}

static void history_line(const char *payload)
{
	struct management_state s;
	assert_int_equal(management_parse_state(slice_from(payload), &s), VERDICT_DONE);
	tunnel_state_history(&t, &s, &now);
}

#define TO_A "1795499700,CONNECTED,SUCCESS,10.8.0.2,192.0.2.1,1194,,"
#define TO_B "1795499900,CONNECTED,SUCCESS,10.8.0.2,192.0.2.2,1194,,"

/* The daemon was connected to another remote before: its history, which comes again each time that
 * we attach, is not why the server of today is not probed any more. */
static void a_history_of_several_servers(void **state)
{
	(void)state;
	struct tunnel_config config = t.config;
	config.probe = config.probe_has_time = true;
	tunnel_done(&t);
	tunnel_init(&t, &config, &now);
	history_line(TO_A);
	history_line(TO_B);
	tunnel_attached(&t, &now);
	assert_true(peer_clock_deadline(t.peer) == now.mono);
	struct stamp sent = now, received = now;
	received.ruler += S / 100;
	assert_true(peer_time_probe(&t.peer->time, &sent, &received, WALL / S).measured);

	/* attached again: nothing has changed */
	history_line(TO_A);
	history_line(TO_B);
	tunnel_attached(&t, &now);
	assert_int_equal(peer_time_aim(&t.peer->time)->samples, 1);
	assert_true(peer_clock_deadline(t.peer) == now.mono);

	/* meanwhile it went to the first: that is another clock, and is probed */
	history_line(TO_B);
	history_line(TO_A);
	tunnel_attached(&t, &now);
	assert_int_equal(peer_time_aim(&t.peer->time)->samples, 0);
	assert_true(peer_clock_deadline(t.peer) == now.mono);
}

static void restarts_are_remembered_newest_first(void **state)
{
	(void)state;
	for (int i = 1; i <= 6; i++) {
		state_line(CONNECTED);
		pass(i * 10 * S);
		state_line(RESTARTED);
		pass(2 * S);
	}
	assert_int_equal(restart_history_count(&t.history), 6);
	assert_true(restart_history_at(&t.history, 0)->connected == 60 * S);
	assert_true(restart_history_at(&t.history, 3)->connected == 30 * S);
}

/* The daemon's history comes with each attachment; what is in it counts once. */
static void a_history_that_comes_again_counts_once(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		history_line("1795499600,CONNECTED,SUCCESS,10.8.0.2,192.0.2.1,1194,,");
		history_line("1795499700,RECONNECTING,ping-restart,,,,,");
		history_line("1795499705,CONNECTED,SUCCESS,10.8.0.2,192.0.2.1,1194,,");
		history_line("1795499805,RECONNECTING,ping-restart,,,,,");
		history_line("1795499810,CONNECTED,SUCCESS,10.8.0.2,192.0.2.1,1194,,");
	}
	assert_int_equal(restart_history_count(&t.history), 2);
	assert_true(restart_history_at(&t.history, 1)->connected == 100 * S);
}

static void an_end_is_an_episode_too(void **state)
{
	(void)state;
	state_line(CONNECTED);
	pass(10 * S);
	assert_true(state_line("1795500000,EXITING,SIGTERM,,,,,").restarted);
	assert_int_equal(t.episode.alert, ALERT_TUNNEL_DOWN);
	assert_true(t.episode.connected == 10 * S);
	assert_int_equal(t.restarts, 0);
	assert_int_equal(restart_history_count(&t.history), 0);
	pass(10 * S);
	state_line(CONNECTED);
	assert_true(t.episode.ended);
}

static void failures_in_a_row_are_counted(void **state)
{
	(void)state;
	state_line(CONNECTED);
	pass(10 * S);
	state_line(RESTARTED);
	assert_int_equal(t.failures, 0);
	for (unsigned i = 1; i <= 3; i++) {
		pass(5 * S);
		state_line("1795500000,WAIT,,,,,,");
		pass(5 * S);
		state_line("1795500000,RECONNECTING,tls-error,,,,,");
		assert_int_equal(t.failures, i);
	}
	state_line(CONNECTED);
	assert_int_equal(t.failures, 0);
}

static void the_server_s_word_counts_for_a_moment(void **state)
{
	(void)state;
	state_line(CONNECTED);
	log_line("Connection reset command was pushed by server ('')", true);
	pass(S);
	state_line("1795500000,RECONNECTING,SIGUSR1,,,,,");
	assert_true(t.episode.server_said_so);
	state_line(CONNECTED);
	pass(100 * S);
	state_line(RESTARTED);
	assert_false(t.episode.server_said_so);
}

static void a_stamp_from_the_far_end_of_time(void **state)
{
	(void)state;
	struct management_state s;
	assert_int_equal(management_parse_state(SLICE("4294967295,CONNECTED,SUCCESS,,,,,"), &s),
			 VERDICT_DONE);
	tunnel_state_history(&t, &s, &now);
	state_line("4294967295,RECONNECTING,ping-restart,,,,,");
	assert_true(t.episode.connected >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(durations_are_monotonic, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_state_that_comes_twice_counts_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_episode_until_it_is_up_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(timers_from_the_best_place, setup, teardown),
	    cmocka_unit_test_setup_teardown(when_silence_is_news, setup, teardown),
	    cmocka_unit_test_setup_teardown(history_is_learned, setup, teardown),
	    cmocka_unit_test_setup_teardown(history_of_a_daemon_elsewhere_is_not_dated, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_history_of_several_servers, setup, teardown),
	    cmocka_unit_test_setup_teardown(restarts_are_remembered_newest_first, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_history_that_comes_again_counts_once, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(an_end_is_an_episode_too, setup, teardown),
	    cmocka_unit_test_setup_teardown(failures_in_a_row_are_counted, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_server_s_word_counts_for_a_moment, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_stamp_from_the_far_end_of_time, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
