/* SPDX-License-Identifier: MIT
 *
 * The server's management interface, against a fake server on virtual time whose system clock and
 * whose OpenVPN can differ.
 */
#include "core/peer_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define MS   NSEC_PER_MSEC
#define SEC  NSEC_PER_SEC
#define WALL (1795500000 * SEC)

static struct peer_session p;
static struct peer_time server;
static struct actions out;
static struct peer_session_told told;
static enum session_news news;
static nsec now_offset, system_offset;
static nsec zone; /* of the server */

static struct stamp at(nsec t)
{
	return (struct stamp){.mono = t, .boot = t, .ruler = 5 * SEC + t, .wall = WALL + t};
}

static int setup(void **state)
{
	(void)state;
	struct stamp now = at(0);
	now_offset = system_offset = 0;
	zone = 20700 * SEC; /* Kathmandu */
	peer_time_init(&server);
	peer_session_init(&p, true, false, 1, &now);
	return 0;
}

static void run_time(nsec t)
{
	struct stamp now = at(t);
	out.n_actions = 0;
	news = peer_session_time(&p, &now, &server, NULL, &out);
}

static void say(nsec t, const char *text)
{
	struct event e = {.kind = EVENT_PEER_LINE, .at = at(t), .u.line = slice_from(text)};
	out.n_actions = 0;
	peer_session_line(&p, &e, NULL, &out, &news, &told);
	for (unsigned i = 0; i < told.n; i++)
		(void)peer_time_told(&server, &told.told[i]);
}

/* A civil time of the day, which is all that the test needs: within one day. */
static void civil(nsec seconds, char *text, size_t size)
{
	long long s = (long long)(seconds / SEC), day = s / 86400;
	/* 1795500000 is on 2026-11-24 */
	snprintf(text, size, "2026-11-%02lld %02lld:%02lld:%02lld", 24 + day - 1795500000 / 86400,
		 s % 86400 / 3600, s % 3600 / 60, s % 60);
}

static void answer_1(nsec t)
{
	char text[64], line[96];
	civil(WALL + t + system_offset + zone, text, sizeof text);
	say(t + 2 * MS, "OpenVPN CLIENT LIST");
	snprintf(line, sizeof line, "Updated,%s", text);
	say(t + 2 * MS, line);
	say(t + 2 * MS, "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since");
}

static void answer_3(nsec t)
{
	char text[64], line[128];
	nsec now = WALL + t + now_offset;
	civil(now + zone, text, sizeof text);
	snprintf(line, sizeof line, "TIME\t%s\t%lld", text, (long long)(now / SEC));
	say(t + 2 * MS, "TITLE\tOpenVPN 2.6.14");
	say(t + 2 * MS, line);
}

static void connect_at(nsec t)
{
	struct event e = {.kind = EVENT_PEER_LINK, .at = at(t)};
	run_time(t);
	assert_int_equal(out.actions[0].kind, ACTION_PEER_CONNECT);
	e.u.link.change = LINK_UP;
	(void)peer_session_link(&p, &e);
	say(t, ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info");
	assert_int_equal(news, SESSION_NEWS_UP);
	assert_int_equal(out.actions[0].command, COMMAND_VERSION);
	run_time(t);
	assert_int_equal(out.n_actions, 0); /* one question at a time */
	say(t, "OpenVPN Version: OpenVPN 2.6.14 x86_64-pc-linux-gnu");
	say(t, "END");
	say(t, "SUCCESS: real-time log notification set to ON");
	say(t, "1795519000,,MULTI: Learn: 10.8.0.2 -> alice/192.0.2.1:1194");
	assert_true(told.has_log && !told.log_live && told.log.kind == LOG_LEARNED);
	say(t, "END");
	assert_false(told.has_log);
}

/* One pair of questions; returns when it was over. */
static nsec pair(nsec t)
{
	run_time(t);
	if (out.n_actions == 1 && out.actions[0].command == COMMAND_LOAD_STATS) {
		say(t, "SUCCESS: nclients=0,bytesin=0,bytesout=0");
		run_time(t);
	}
	if (out.n_actions == 0) { /* it is aimed */
		t = peer_session_deadline(&p);
		run_time(t);
	}
	assert_int_equal(out.n_actions, 1);
	assert_int_equal(out.actions[0].kind, ACTION_PEER_SEND);
	assert_int_equal(out.actions[0].command, COMMAND_STATUS_1);
	answer_1(t + MS);
	say(t + 3 * MS, "END");
	assert_int_equal(out.actions[0].command, COMMAND_STATUS_3);
	answer_3(t + 4 * MS);
	say(t + 6 * MS, "END");
	assert_int_equal(out.n_actions, 0);
	return t + 6 * MS;
}

static void reads(double *system_s, double *openvpn_s, nsec t)
{
	nsec lo, hi;
	struct stamp now = at(t);
	assert_true(offset_estimator_at(&server.face[PEER_SYSTEM].estimator, now.ruler, &lo, &hi));
	*system_s = nsec_to_s(lo + (hi - lo) / 2 + now.ruler - now.wall);
	assert_true(hi - lo < 3 * SEC);
	assert_true(offset_estimator_at(&server.face[PEER_OPENVPN].estimator, now.ruler, &lo, &hi));
	*openvpn_s = nsec_to_s(lo + (hi - lo) / 2 + now.ruler - now.wall);
}

static void both_clocks_are_told(void **state)
{
	(void)state;
	double system_s, openvpn_s;
	system_offset = -13 * SEC;
	now_offset = 16 * SEC; /* 29 s were taken out */
	connect_at(10 * SEC);
	nsec t = pair(10 * SEC);
	reads(&system_s, &openvpn_s, t);
	assert_true(system_s > -14.1 && system_s < -11.9);
	assert_true(openvpn_s > 14.9 && openvpn_s < 17.1);
	for (int i = 1; i < PEER_STATUS_BURST; i++)
		t = pair(nsec_max(peer_session_deadline(&p), t));
	reads(&system_s, &openvpn_s, t);
	/* aimed: eight pairs leave some hundredths of a second */
	assert_true(system_s > -13.05 && system_s < -12.95);
	/* and then there is peace, but for the heartbeat */
	for (nsec end = t + 250 * SEC; t < end; t = nsec_max(peer_session_deadline(&p), t + SEC)) {
		run_time(t);
		for (size_t i = 0; i < out.n_actions; i++)
			assert_int_equal(out.actions[i].command, COMMAND_LOAD_STATS);
		if (out.n_actions > 0)
			say(t, "SUCCESS: nclients=0,bytesin=0,bytesout=0");
	}
	(void)pair(t + 60 * SEC);
}

static void an_old_server_is_known_by_its_version(void **state)
{
	(void)state;
	connect_at(0);
	assert_false(p.pre_26);
	say(SEC, "OpenVPN Version: OpenVPN 2.5.11 x86_64-pc-linux-gnu"); /* nobody asked */
	assert_false(p.pre_26);
	struct event e = {.kind = EVENT_PEER_LINK, .at = at(2 * SEC)};
	e.u.link.change = LINK_CLOSED;
	e.u.link.reason = "gone";
	assert_int_equal(peer_session_link(&p, &e), SESSION_NEWS_LOST);
	run_time(20 * SEC);
	e.u.link.change = LINK_UP;
	(void)peer_session_link(&p, &e);
	say(20 * SEC, ">INFO:OpenVPN Management Interface Version 3");
	say(20 * SEC, "OpenVPN Version: OpenVPN 2.5.11 x86_64-pc-linux-gnu");
	assert_true(p.pre_26);
}

/* A client's daemon has no TIME, and a zone of 20 minutes is none. */
static void what_is_no_server_tells_nothing(void **state)
{
	(void)state;
	connect_at(0);
	run_time(0);
	say(1 * MS, "OpenVPN STATISTICS");
	say(1 * MS, "Updated,2026-11-24 08:00:00");
	say(1 * MS, "END");
	say(2 * MS, "OpenVPN STATISTICS");
	say(2 * MS, "Updated,2026-11-24 08:00:00");
	say(2 * MS, "END");
	assert_int_equal(server.face[PEER_SYSTEM].estimator.samples, 0);
	assert_int_equal(server.face[PEER_OPENVPN].estimator.samples, 0);
	run_time(2 * SEC);
	say(2 * SEC, "Updated,2026-11-24 08:20:00");
	say(2 * SEC, "END");
	say(2 * SEC, "TIME\t2026-11-24 08:00:00\t1795506000");
	assert_int_equal(told.n, 1); /* its `now` needs no zone */
	assert_int_equal(told.told[0].face, PEER_OPENVPN);
}

/* Half a pair is no pair, and the next one begins anew. */
static void a_break_in_the_middle(void **state)
{
	(void)state;
	connect_at(0);
	run_time(0);
	answer_1(MS);
	struct event e = {.kind = EVENT_PEER_LINK, .at = at(SEC)};
	e.u.link.change = LINK_CLOSED;
	e.u.link.reason = "gone";
	assert_int_equal(peer_session_link(&p, &e), SESSION_NEWS_LOST);
	assert_int_equal(p.pair, PAIR_NONE);
	connect_at(30 * SEC);
	(void)pair(30 * SEC);
	assert_int_equal(server.face[PEER_SYSTEM].estimator.samples, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(both_clocks_are_told, setup),
	    cmocka_unit_test_setup(an_old_server_is_known_by_its_version, setup),
	    cmocka_unit_test_setup(what_is_no_server_tells_nothing, setup),
	    cmocka_unit_test_setup(a_break_in_the_middle, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
