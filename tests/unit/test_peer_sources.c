/* SPDX-License-Identifier: MIT
 *
 * What is pushed, logged or asked for, and what it says of the server's clock: always an interval
 * that holds.
 */
#include "core/peer_sources.h"

#include "support/line_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS   NSEC_PER_MSEC
#define SEC  NSEC_PER_SEC
#define WALL (1795500000 * SEC)

static struct handshake h;
static struct peer_told told;
static struct peer_ntp ntp;
static struct actions out;

static struct stamp at(nsec t)
{
	return (struct stamp){.mono = t, .boot = t, .ruler = t, .wall = WALL + t};
}

static int setup(void **state)
{
	(void)state;
	h = (struct handshake){0};
	return 0;
}

static void enter(enum openvpn_state s, nsec t)
{
	struct stamp since = at(t);
	handshake_state(&h, s, &since);
}

static bool echo(const char *text, nsec t)
{
	struct stamp now = at(t);
	return peer_told_by_echo(&h, slice_from(text), &now, &told);
}

/* Between AUTH, which comes before the server runs a script, and the line itself. */
static void an_echo_lies_in_the_handshake(void **state)
{
	(void)state;
	enter(STATE_WAIT, SEC);
	enter(STATE_AUTH, 2 * SEC);
	enter(STATE_GET_CONFIG, 3 * SEC); /* the server may have spoken by now */
	assert_true(echo("srvtime 1795500009.25", 4 * SEC));
	assert_int_equal(told.source, PEER_SOURCE_ECHO);
	assert_int_equal(told.face, PEER_SYSTEM);
	assert_true(told.earliest.ruler <= 2 * SEC && told.earliest.ruler > SEC);
	assert_true(told.latest.ruler == 4 * SEC);
	assert_true(told.clock_lo == WALL + 9 * SEC + 250 * MS);
	assert_true(told.clock_hi == told.clock_lo + 10 * MS);
	assert_false(told.exchange);
	assert_false(echo("forget-passwords", 4 * SEC));
	assert_false(echo("srvtime", 4 * SEC));
}

static void without_a_handshake_nothing_is_said(void **state)
{
	(void)state;
	assert_false(echo("srvtime 1795500009", SEC));
	struct stamp unknown = at(0), now = at(SEC);
	unknown.mono = NSEC_UNKNOWN;
	handshake_state(&h, STATE_AUTH, &unknown);
	assert_false(echo("srvtime 1795500009", SEC));
	assert_false(peer_told_by_replay(&h, 1795500000, &now, 0, &told));
	/* a later one is known */
	enter(STATE_RECONNECTING, 2 * SEC);
	assert_true(echo("srvtime 1795500009", 3 * SEC));
}

/* A real one, of 2.6.14, and its renewal; the seconds in them are 0x6b064928 and 0x6b064932. */
static void a_token(void **state)
{
	(void)state;
	struct stamp now = at(5 * SEC), since = at(5 * SEC - 10 * MS);
	struct slice token = line_fixture("auth_token_2.6.14.txt", ">PASSWORD:Auth-Token:", 0);
	assert_false(peer_told_by_token(&h, token, false, &since, &now, &told));
	enter(STATE_AUTH, 4 * SEC);
	assert_true(peer_told_by_token(&h, token, false, &since, &now, &told));
	assert_int_equal(told.source, PEER_SOURCE_AUTH_TOKEN);
	assert_int_equal(told.face, PEER_OPENVPN);
	assert_true(told.clock_lo == INT64_C(0x6b064928) * SEC);
	assert_true(told.clock_hi == told.clock_lo + SEC);
	assert_true(told.earliest.ruler > 3 * SEC && told.latest.ruler == 5 * SEC);
	/* at a renegotiation no state tells when it began: not longer ago than one may last */
	token = line_fixture("auth_token_2.6.14.txt", ">PASSWORD:Auth-Token:", 1);
	assert_true(peer_told_by_token(&h, token, true, &since, &now, &told));
	assert_true(told.clock_lo == INT64_C(0x6b064932) * SEC);
	assert_true(since.ruler - told.earliest.ruler == 120 * SEC);
	assert_true(told.latest.ruler == now.ruler);
	/* this process was stopped for an hour: the token may have lain there all the time */
	since = at(0);
	now = at(3600 * SEC);
	assert_true(peer_told_by_token(&h, token, true, &since, &now, &told));
	assert_true(told.earliest.ruler == -120 * SEC);
	since.mono = NSEC_UNKNOWN;
	assert_false(peer_told_by_token(&h, token, true, &since, &now, &told));
	since = at(0);
	assert_false(peer_told_by_token(&h, slice_from("SESS_ID_AT_x"), true, &since, &now, &told));
	assert_false(
	    peer_told_by_token(&h, slice_from("a script's own"), true, &since, &now, &told));
}

static void a_replayed_packet(void **state)
{
	(void)state;
	struct stamp now = at(100 * SEC);
	/* it had begun to send before the client entered AUTH, by TCP before WAIT */
	enter(STATE_AUTH, 9 * SEC);
	assert_false(peer_told_by_replay(&h, 1795500011, &now, SEC, &told));
	enter(STATE_WAIT, 11 * SEC);
	enter(STATE_AUTH, 12 * SEC);
	assert_true(peer_told_by_replay(&h, 1795500011, &now, SEC, &told));
	assert_true(told.earliest.ruler <= 11 * SEC && told.earliest.ruler > 10 * SEC);
	enter(STATE_TCP_CONNECT, 10 * SEC);
	enter(STATE_WAIT, 11 * SEC);
	enter(STATE_AUTH, 12 * SEC);
	assert_true(peer_told_by_replay(&h, 1795500011, &now, SEC, &told));
	assert_int_equal(told.source, PEER_SOURCE_REPLAY_LOG);
	assert_true(told.latest.ruler == 101 * SEC);
	assert_true(told.earliest.ruler <= 10 * SEC);
	assert_true(told.clock_lo == WALL + 11 * SEC);
	assert_false(peer_told_by_replay(&h, -1, &now, SEC, &told));
	assert_false(peer_told_by_replay(&h, 0, &now, SEC, &told));
	assert_false(peer_told_by_replay(&h, INT64_MAX, &now, SEC, &told));
}

/* --- the server's NTP service --- */

static unsigned asked(nsec t)
{
	struct stamp now = at(t);
	out.n_actions = 0;
	peer_ntp_time(&ntp, &now, NULL, &out);
	if (out.n_actions == 1)
		assert_int_equal(out.actions[0].kind, ACTION_ASK_PEER_SNTP);
	return (unsigned)out.n_actions;
}

static bool answer(bool answered, enum ntp_flaw flaw, nsec t)
{
	struct event e = {.kind = EVENT_PEER_SNTP, .at = at(t)};
	e.u.peer_sntp.answered = answered;
	e.u.peer_sntp.flaw = flaw;
	e.u.peer_sntp.sent = at(t - 10 * MS);
	e.u.peer_sntp.receive = WALL + t;
	e.u.peer_sntp.transmit = WALL + t + MS;
	e.u.peer_sntp.reason = answered ? NULL : "no answer";
	return peer_ntp_event(&ntp, &e, &told);
}

static void polls_like_a_good_guest(void **state)
{
	(void)state;
	struct stamp start = at(0);
	peer_ntp_init(&ntp, false, &start);
	assert_int_equal(asked(0), 0);
	assert_true(ntp.next == NSEC_NEVER);

	peer_ntp_init(&ntp, true, &start);
	unsigned n = 0;
	nsec last = 0, t = 0;
	for (; t < 1000 * SEC; t = ntp.next) {
		assert_int_equal(asked(t), 1);
		if (n >= 4)
			assert_true(t - last >= 64 * SEC);
		last = t;
		n++;
	}
	assert_int_equal(n, 4 + (1000 - 6) / 64);
	assert_true(answer(true, NTP_FINE, t));
	assert_true(told.exchange);
	assert_int_equal(told.source, PEER_SOURCE_SNTP);
	assert_true(told.clock_hi - told.clock_lo == MS);
	/* about its clock, not about the truth */
	assert_true(answer(true, NTP_UNSYNCHRONIZED, t));
	assert_false(answer(false, NTP_FINE, t));
	assert_string_equal(ntp.reason, "no answer");
}

static void obeys_a_kiss(void **state)
{
	(void)state;
	struct stamp start = at(0);
	peer_ntp_init(&ntp, true, &start);
	assert_int_equal(asked(0), 1);
	assert_false(answer(true, NTP_KISS_RATE, MS));
	assert_true(ntp.next >= 128 * SEC);
	for (int i = 0; i < 20; i++)
		assert_false(answer(true, NTP_KISS_RATE, MS));
	assert_true(ntp.interval == 1024 * SEC);
	assert_false(answer(true, NTP_KISS_DENY, MS));
	assert_true(ntp.next == NSEC_NEVER);
	peer_ntp_init(&ntp, true, &start);
	assert_false(answer(true, NTP_KISS_RSTR, MS));
	assert_int_equal(asked(100000 * SEC), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(an_echo_lies_in_the_handshake, setup),
	    cmocka_unit_test_setup(without_a_handshake_nothing_is_said, setup),
	    cmocka_unit_test_setup(a_token, setup),
	    cmocka_unit_test_setup(a_replayed_packet, setup),
	    cmocka_unit_test_setup(polls_like_a_good_guest, setup),
	    cmocka_unit_test_setup(obeys_a_kiss, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
