/* SPDX-License-Identifier: MIT
 *
 * A log beside the management interface: whoever tells first, each event counts once. (Scenarios
 * log_*.scn have the common ways; here are the seams.)
 */
#include "core/hear_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define S      NSEC_PER_SEC
#define WALL   ((nsec)1795500000 * S)
#define DAEMON 1795500000ll /* the daemon's time when we begin */

static struct watch watch;
static struct tunnel tunnel;
static struct actions actions;
static struct stamp now;
static unsigned restarts, states, ups, stops; /* that were told */
static char last_state[32];

static void step(struct event *e)
{
	e->at = now;
	e->tunnel = &tunnel;
	watch_step(&watch, e, &actions);
	for (size_t i = 0; i < actions.n_notices; i++) {
		const struct notice *n = &actions.notices[i];
		if (n->type == NOTICE_STATE) {
			states++;
			ups += strcmp(n->state.name, "CONNECTED") == 0;
			restarts += strcmp(n->state.name, "RECONNECTING") == 0;
			memcpy(last_state, n->state.name, sizeof last_state);
		}
		stops += n->type == NOTICE_MONITOR && n->monitor.kind == MONITOR_STOPPED;
	}
}

static void pass(nsec d)
{
	now.mono += d;
	now.boot += d;
	now.ruler += d;
	now.wall += d;
}

static void management(const char *line)
{
	step(&(struct event){.kind = EVENT_LINE, .since = now, .u.line = slice_from(line)});
}

static void logged_at(nsec written, bool history, const char *line)
{
	struct event e = {.kind = EVENT_LOG, .u.line = slice_from(line)};
	e.log.history = history;
	e.log.written = written;
	e.log.pid = -1;
	step(&e);
}

static void logged(const char *line)
{
	logged_at(now.wall, false, line);
}

static void file(enum log_file_change change)
{
	struct event e = {.kind = EVENT_LOG_FILE};
	e.u.log_file.change = change;
	step(&e);
}

/* A state at a second of the daemon's; in the log, and from the interface. */
#define STATE(s, rest) "MANAGEMENT: >STATE:" #s "," rest
#define CONNECTED      "CONNECTED,SUCCESS,10.8.0.2,203.0.113.7,1194,,"
#define RESTARTED      "RECONNECTING,ping-restart,,,,,"
#define WAITS	       "WAIT,,,,,,"

/* Up to the point where the history of the states comes. */
static void begin_attach(void)
{
	struct event up = {.kind = EVENT_LINK};
	step(&(struct event){.kind = EVENT_TIME});
	up.u.link.change = LINK_UP;
	step(&up);
	management(">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info");
	management("OpenVPN Version: OpenVPN 2.6.14 x86_64-pc-linux-gnu");
	management("END");
	management("SUCCESS: pid=4711");
	management("SUCCESS: real-time log notification set to ON");
	management("END");
	management("SUCCESS: real-time state notification set to ON");
}

static void attach(const char *const *history, size_t n)
{
	begin_attach();
	for (size_t i = 0; i < n; i++)
		management(history[i]);
	management("END");
}

#define ATTACH(...)                                                   \
	do {                                                          \
		static const char *const history_[] = {__VA_ARGS__};  \
		attach(history_, sizeof history_ / sizeof *history_); \
	} while (0)

static void detach(void)
{
	struct event down = {.kind = EVENT_LINK};
	down.u.link.change = LINK_CLOSED;
	down.u.link.reason = "OpenVPN closed the connection";
	step(&down);
	pass(S);
}

static void watch_it(const char *address, bool same_machine)
{
	const struct watch_config config = {.offset_limit_s = 1.0};
	const struct tunnel_config c = {.name = "a",
					.address = address,
					.log = "/var/log/openvpn.log",
					.no_probe = "no",
					.same_machine = same_machine,
					.ping = -1,
					.ping_restart = -1,
					.reneg_sec = -1};
	now = (struct stamp){.mono = 1000 * S, .boot = 1000 * S, .ruler = 1000 * S, .wall = WALL};
	restarts = states = ups = stops = 0;
	last_state[0] = '\0';
	watch_init(&watch, &config, &now);
	watch_add(&watch, &tunnel, &c, &now);
}

static int setup(void **state)
{
	(void)state;
	watch_it("127.0.0.1:7505", true);
	return 0;
}

/* CONNECTED a hundred seconds ago, says the log, which is followed. */
static void follow(void)
{
	logged_at(now.wall - 100 * S, true, STATE(1795499900, CONNECTED));
	file(LOG_FILE_FOLLOWED);
	assert_int_equal(states, 1);
	assert_true(tunnel_is_up(&tunnel));
}

static void attached_later(void **state)
{
	(void)state;
	follow();
	pass(50 * S);
	ATTACH("1795499899,WAIT,,,,,,", "1795499899," RESTARTED, "1795499900," CONNECTED);
	assert_int_equal(states, 1); /* told already */
	assert_int_equal(restarts, 0);
	assert_true(tunnel_is_up(&tunnel));
	assert_false(tunnel.episode.open);
}

/* The log told of the restart and its end before we attached. */
static void a_restart_before(void **state)
{
	(void)state;
	follow();
	pass(10 * S);
	logged("[server] Inactivity timeout (--ping-restart), restarting");
	logged(STATE(1795500010, RESTARTED));
	logged(STATE(1795500010, WAITS));
	assert_int_equal(restarts, 1);
	ATTACH("1795499900," CONNECTED, "1795500010," RESTARTED, "1795500010," WAITS);
	assert_int_equal(restarts, 1);
	assert_int_equal(tunnel.restarts, 1);
	assert_string_equal(tunnel.state_name, "WAIT");
	assert_true(tunnel.episode.open);
	assert_false(tunnel.episode.ended); /* the CONNECTED in the history is from before it */
	pass(2 * S);
	management(">STATE:1795500012," CONNECTED);
	logged("Initialization Sequence Completed");
	logged(STATE(1795500012, CONNECTED));
	assert_int_equal(ups, 2);
	assert_true(tunnel.episode.ended);
}

/* We attach, and the restart is in the history: the log brings it a moment later. */
static void the_log_is_late(void **state)
{
	(void)state;
	follow();
	pass(10 * S);
	ATTACH("1795499900," CONNECTED, "1795500010," RESTARTED, "1795500010," WAITS);
	assert_int_equal(restarts, 1); /* it is news, though it comes as history */
	assert_true(tunnel.episode.open);
	assert_true(tunnel.episode.connected_before);
	assert_string_equal(tunnel.state_name, "WAIT"); /* the last of that second */
	pass(S / 4);
	logged("[server] Inactivity timeout (--ping-restart), restarting");
	logged("SIGUSR1[soft,ping-restart] received, process restarting");
	logged(STATE(1795500010, RESTARTED));
	logged(STATE(1795500010, WAITS));
	assert_int_equal(restarts, 1);
	assert_int_equal(tunnel.restarts, 1);
	/* What the interface has as history only counts from the log. */
	assert_int_equal(tunnel.log.words[LOG_INACTIVITY].count, 1);
}

/* The same, of several states in one second: none is lost. */
static void the_log_is_late_for_many(void **state)
{
	(void)state;
	follow();
	pass(10 * S);
	ATTACH("1795499900," CONNECTED, "1795500008," RESTARTED, "1795500009," WAITS,
	       "1795500009,AUTH,,,,,,", "1795500009,RECONNECTING,tls-error,,,,,",
	       "1795500010," WAITS, "1795500010," CONNECTED);
	assert_int_equal(restarts, 2);
	assert_int_equal(tunnel.restarts, 2);
	assert_int_equal(ups, 2);
	assert_true(tunnel_is_up(&tunnel));
	logged(STATE(1795500008, RESTARTED));
	logged(STATE(1795500010, CONNECTED));
	assert_int_equal(restarts, 2);
	/* And it is known for the next time. */
	detach();
	ATTACH("1795499900," CONNECTED, "1795500008," RESTARTED, "1795500009," WAITS,
	       "1795500009,AUTH,,,,,,", "1795500009,RECONNECTING,tls-error,,,,,",
	       "1795500010," WAITS, "1795500010," CONNECTED);
	assert_int_equal(restarts, 2);
	assert_int_equal(ups, 2);
}

/* The log is ahead: its state is not in the history yet, and comes as a notification. */
static void the_log_is_ahead(void **state)
{
	(void)state;
	follow();
	pass(10 * S);
	begin_attach();
	logged(STATE(1795500010, RESTARTED));
	management("1795499900," CONNECTED);
	management("END");
	assert_string_equal(tunnel.state_name, "RECONNECTING");
	management(">LOG:1795500010,,MANAGEMENT: >STATE:1795500010," RESTARTED);
	management(">STATE:1795500010," RESTARTED);
	assert_int_equal(restarts, 1);
	assert_int_equal(tunnel.restarts, 1);
}

/* The states of a log at verb 1 have other words and no stamp of the daemon's. */
static void other_words(void **state)
{
	(void)state;
	logged_at(now.wall - 100 * S, true, "Initialization Sequence Completed");
	file(LOG_FILE_FOLLOWED);
	assert_int_equal(ups, 1);
	pass(10 * S);
	logged("SIGUSR1[soft,ping-restart] received, process restarting");
	assert_int_equal(restarts, 1);
	pass(3 * S);
	ATTACH("1795499900," CONNECTED, "1795500009," RESTARTED, "1795500011," WAITS);
	assert_int_equal(restarts, 1);
	assert_int_equal(tunnel.restarts, 1);
	assert_string_equal(tunnel.state_name, "WAIT");
	assert_int_equal(tunnel.openvpn_time, 1795500011);
}

/* Of a daemon elsewhere they cannot be compared: what is history stays history. */
static void other_words_from_elsewhere(void **state)
{
	(void)state;
	watch_it("192.0.2.1:7505", false);
	logged_at(0, true, "Initialization Sequence Completed");
	file(LOG_FILE_FOLLOWED);
	pass(10 * S);
	ATTACH("1795503600," RESTARTED, "1795503601," CONNECTED);
	assert_int_equal(restarts, 0);
	assert_int_equal(tunnel.restarts, 0);
}

static void lost_and_late(void **state)
{
	(void)state;
	ATTACH("1795499900," CONNECTED);
	follow();
	pass(10 * S);
	management(">LOG:1795500010,I,[server] Inactivity timeout (--ping-restart), restarting");
	management(">LOG:1795500010,I,SIGUSR1[soft,ping-restart] received, process restarting");
	management(">STATE:1795500010," RESTARTED);
	management(">STATE:1795500010," WAITS);
	detach();
	logged("[server] Inactivity timeout (--ping-restart), restarting");
	logged("SIGUSR1[soft,ping-restart] received, process restarting");
	logged(STATE(1795500010, RESTARTED));
	logged(STATE(1795500010, WAITS));
	assert_int_equal(restarts, 1);
	assert_int_equal(tunnel.restarts, 1);
	assert_int_equal(tunnel.log.words[LOG_INACTIVITY].count, 1);
	assert_string_equal(tunnel.state_name, "WAIT");
	/* And on with the log alone. */
	pass(2 * S);
	logged(STATE(1795500013, CONNECTED));
	assert_true(tunnel_is_up(&tunnel));
	pass(20 * S);
	logged("[server] Inactivity timeout (--ping-restart), restarting");
	logged(STATE(1795500033, RESTARTED));
	assert_int_equal(restarts, 2);
	assert_int_equal(tunnel.log.words[LOG_INACTIVITY].count, 1); /* of a new session */
	/* Back at the interface: all of it is known. */
	ATTACH("1795499900," CONNECTED, "1795500010," RESTARTED, "1795500010," WAITS,
	       "1795500013," CONNECTED, "1795500033," RESTARTED);
	assert_int_equal(restarts, 2);
	assert_int_equal(tunnel.restarts, 2);
}

/* The daemon ends; its log says so a moment after the interface. */
static void it_ends(void **state)
{
	(void)state;
	ATTACH("1795499900," CONNECTED);
	follow();
	pass(10 * S);
	management(">STATE:1795500010,EXITING,SIGTERM,,,,,");
	detach();
	logged(STATE(1795500010, "EXITING,SIGTERM,,,,,"));
	logged("SIGTERM[hard,] received, process exiting");
	assert_int_equal(states, 2);
	assert_string_equal(last_state, "EXITING");
	/* It is started again; nobody attaches. */
	pass(5 * S);
	logged("OpenVPN 2.6.14 x86_64-pc-linux-gnu");
	logged(STATE(1795500016, WAITS));
	logged(STATE(1795500017, CONNECTED));
	assert_string_equal(last_state, "CONNECTED");
	assert_true(tunnel_is_up(&tunnel));
}

/* The log appears while we are attached: what is in it happened before. */
static void a_log_appears(void **state)
{
	(void)state;
	ATTACH("1795499900," CONNECTED);
	assert_int_equal(states, 1);
	logged_at(now.wall - 200 * S, true, STATE(1795499800, CONNECTED));
	logged_at(now.wall - 150 * S, true, STATE(1795499850, RESTARTED));
	file(LOG_FILE_FOLLOWED);
	assert_int_equal(states, 1);
	assert_true(tunnel_is_up(&tunnel));
	logged("Restart pause, 1 second(s)"); /* within the overlap */
	pass(10 * S);
	logged(STATE(1795500010, RESTARTED)); /* the interface is believed */
	assert_int_equal(restarts, 0);
	management(">STATE:1795500010," RESTARTED);
	assert_int_equal(restarts, 1);
}

/* A daemon of another time: its whole history is older than what we know. */
static void a_history_of_before(void **state)
{
	(void)state;
	follow();
	ATTACH("1795400000,CONNECTING,,,,,,", "1795400001," CONNECTED);
	assert_int_equal(states, 1);
	assert_true(tunnel_is_up(&tunnel));
	management(">STATE:1795400002," RESTARTED);
	assert_int_equal(restarts, 1);
}

/* Nothing was known from the log: the history is learned as ever. */
static void a_silent_log(void **state)
{
	(void)state;
	file(LOG_FILE_FOLLOWED);
	assert_int_equal(states, 0);
	ATTACH("1795499890," CONNECTED, "1795499895," RESTARTED, "1795499900," CONNECTED);
	assert_int_equal(states, 1);
	assert_int_equal(tunnel.restarts, 0);
	assert_true(tunnel_is_up(&tunnel));
}

/* The history had begun when the log was there: it is no news from its middle on. */
static void followed_in_the_middle(void **state)
{
	(void)state;
	begin_attach();
	management("1795499800," CONNECTED);
	logged_at(now.wall - 200 * S, true, STATE(1795499800, CONNECTED));
	file(LOG_FILE_FOLLOWED);
	management("1795499895," RESTARTED);
	management("1795499900," CONNECTED);
	management("END");
	assert_int_equal(tunnel.restarts, 0);
	assert_int_equal(restarts, 0);
	assert_int_equal(states, 1);
	assert_true(tunnel_is_up(&tunnel));
}

static void killed(void **state)
{
	(void)state;
	watch_it(NULL, true);
	follow();
	pass(10 * S);
	logged("OpenVPN 2.6.14 x86_64-pc-linux-gnu");
	assert_false(tunnel_is_up(&tunnel));
	assert_true(tunnel.episode.open);
	assert_int_equal(tunnel.episode.alert, ALERT_TUNNEL_DOWN);
	pass(S);
	logged("UDPv4 link remote: [AF_INET]203.0.113.9:1195");
	logged("PUSH: Received control message: 'PUSH_REPLY,ping 2,ifconfig-ipv6 fd00::2/64 "
	       "fd00::1,ifconfig 10.8.0.9 255.255.255.0'");
	logged("Initialization Sequence Completed");
	assert_string_equal(tunnel.remote_ip, "203.0.113.9");
	assert_int_equal(tunnel.remote_port, 1195);
	assert_string_equal(tunnel.local_ip, "10.8.0.9");
}

/* A journal says where it was written; a management interface elsewhere says so too. */
static void whose_journal(void **state)
{
	(void)state;
	struct event e = {.kind = EVENT_LOG, .u.line = SLICE("Initialization Sequence Completed")};
	e.log.here = true;
	watch_it("192.0.2.1:7505", false);
	step(&e);
	assert_false(tunnel.config.same_machine);
	watch_it(NULL, false);
	logged("Restart pause, 1 second(s)");
	assert_false(tunnel.config.same_machine);
	step(&e);
	assert_true(tunnel.config.same_machine);
}

/* What a server's log says of its clients is not this tunnel's. */
static void a_servers_log(void **state)
{
	(void)state;
	watch_it(NULL, true);
	logged_at(now.wall, true, "cn/192.0.2.9:1194 Initialization Sequence Completed");
	file(LOG_FILE_FOLLOWED);
	logged("192.0.2.9:1194 [cn] Peer Connection Initiated with [AF_INET]192.0.2.9:1194");
	logged("cn/192.0.2.9:1194 SIGUSR1[soft,ping-restart] received, client-instance restarting");
	assert_int_equal(states, 0);
	assert_string_equal(tunnel.logged.remote_ip, "");
}

/* In the past, a process after another: the state is that of the last. */
static void processes_of_the_past(void **state)
{
	(void)state;
	watch_it(NULL, true);
	logged_at(now.wall - 300 * S, true, "OpenVPN 2.6.14 x86_64-pc-linux-gnu");
	logged_at(now.wall - 299 * S, true, "Initialization Sequence Completed");
	logged_at(now.wall - 100 * S, true, "OpenVPN 2.6.14 x86_64-pc-linux-gnu"); /* killed */
	assert_false(tunnel_is_up(&tunnel));
	/* The clock was set back in between; the order of the lines counts. */
	logged_at(now.wall - 400 * S, true, "Initialization Sequence Completed");
	assert_true(tunnel_is_up(&tunnel));
	assert_true(now.boot - tunnel.connected_since.boot == 400 * S);
	logged_at(now.wall - 10 * S, true, "OpenVPN 2.6.14 x86_64-pc-linux-gnu");
	file(LOG_FILE_FOLLOWED);
	assert_int_equal(states, 0); /* it has not said anything yet */
	pass(S);
	logged("Initialization Sequence Completed");
	assert_int_equal(ups, 1);
}

/* Without a log that is followed: the history has the session that the restart ended. */
static void attached_again_meanwhile(void **state)
{
	(void)state;
	ATTACH("1795499900," CONNECTED);
	pass(10 * S);
	management(">STATE:1795500010," RESTARTED);
	management(">STATE:1795500010," WAITS);
	detach();
	ATTACH("1795499900," CONNECTED, "1795500010," RESTARTED, "1795500010," WAITS);
	assert_true(tunnel.episode.open);
	assert_false(tunnel.episode.ended);
	detach();
	ATTACH("1795499900," CONNECTED, "1795500010," RESTARTED, "1795500010," CONNECTED);
	assert_true(!tunnel.episode.open || tunnel.episode.ended); /* in the same second */
	assert_int_equal(tunnel.restarts, 1);
}

/* A process that was given logs alone ends with the last of them, and says so once. */
static void the_end(void **state)
{
	(void)state;
	assert_false(watch_over(&watch));
	file(LOG_FILE_FOLLOWED);
	file(LOG_FILE_ENDED);
	assert_false(watch_over(&watch)); /* the management interface is left */
	assert_int_equal(stops, 0);

	static struct tunnel second;
	struct tunnel_config c;
	watch_it(NULL, true);
	c = tunnel.config;
	watch_add(&watch, &second, &c, &now);
	file(LOG_FILE_ENDED);
	assert_false(watch_over(&watch));
	assert_int_equal(stops, 0);
	second.logged.ended = true;
	file(LOG_FILE_ENDED);
	assert_true(watch_over(&watch));
	assert_int_equal(stops, 1);
	watch.config.open_ended = true;
	assert_false(watch_over(&watch));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(attached_later, setup),
	    cmocka_unit_test_setup(a_restart_before, setup),
	    cmocka_unit_test_setup(the_log_is_late, setup),
	    cmocka_unit_test_setup(the_log_is_late_for_many, setup),
	    cmocka_unit_test_setup(the_log_is_ahead, setup),
	    cmocka_unit_test_setup(other_words, setup),
	    cmocka_unit_test_setup(other_words_from_elsewhere, setup),
	    cmocka_unit_test_setup(lost_and_late, setup),
	    cmocka_unit_test_setup(it_ends, setup),
	    cmocka_unit_test_setup(a_log_appears, setup),
	    cmocka_unit_test_setup(a_history_of_before, setup),
	    cmocka_unit_test_setup(a_silent_log, setup),
	    cmocka_unit_test_setup(followed_in_the_middle, setup),
	    cmocka_unit_test_setup(killed, setup),
	    cmocka_unit_test_setup(whose_journal, setup),
	    cmocka_unit_test_setup(a_servers_log, setup),
	    cmocka_unit_test_setup(processes_of_the_past, setup),
	    cmocka_unit_test_setup(attached_again_meanwhile, setup),
	    cmocka_unit_test_setup(the_end, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
