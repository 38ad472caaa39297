/* SPDX-License-Identifier: MIT
 *
 * Echo requests, other remotes and this machine's route, on a virtual clock.
 */
#include "core/reach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define S NSEC_PER_SEC

static struct reach reach;
static struct actions actions;
static struct stamp now;

static int setup(void **state)
{
	(void)state;
	now = (struct stamp){.mono = 100 * S};
	reach_init(&reach, true, true);
	return 0;
}

/* The id of the question of this kind that is due now; 0: none. */
static unsigned asked(enum action_kind kind)
{
	actions.n_actions = 0;
	reach_time(&reach, &now, NULL, &actions);
	for (size_t i = 0; i < actions.n_actions; i++)
		if (actions.actions[i].kind == kind)
			return actions.actions[i].id;
	return 0;
}

static void echo(unsigned id, enum echo_outcome outcome)
{
	struct event e = {.kind = EVENT_ECHO, .at = now};
	e.u.echo.id = id;
	e.u.echo.outcome = outcome;
	reach_event(&reach, &e);
}

static void route(bool there, bool up, const char *interface)
{
	struct event e = {.kind = EVENT_ROUTE, .at = now};
	e.u.route.there = there;
	e.u.route.up = up;
	e.u.route.interface = interface;
	reach_event(&reach, &e);
}

static void nothing_is_asked_unless_it_may_be(void **state)
{
	(void)state;
	assert_true(reach_deadline(&reach) == NSEC_NEVER);
	reach_init(&reach, false, true);
	reach_burst(&reach, REACH_SILENT, &now);
	assert_int_equal(asked(ACTION_ECHO), 0);
	assert_false(reach_busy(&reach));
}

static void a_burst_is_spread_and_counted(void **state)
{
	(void)state;
	nsec from = now.mono;
	reach_burst(&reach, REACH_SILENT, &now);
	unsigned first = asked(ACTION_ECHO);
	assert_int_not_equal(first, 0);
	assert_int_equal(asked(ACTION_ECHO), 0); /* not at once */
	now.mono += S / 1000;
	echo(first, ECHO_ANSWERED);
	echo(first, ECHO_ANSWERED); /* twice counts once */
	now.mono += ECHO_GAP;
	unsigned second = asked(ACTION_ECHO);
	assert_int_not_equal(second, 0);
	echo(second, ECHO_UNREACHABLE);
	while (reach_busy(&reach)) {
		now.mono = reach_deadline(&reach);
		(void)asked(ACTION_ECHO);
	}
	echo(second + 1, ECHO_ANSWERED); /* too late */
	struct reach_tally t = reach_tally(&reach.echo, from, NSEC_NEVER);
	assert_int_equal(t.answered, 1);
	assert_int_equal(t.unreachable, 1);
	assert_int_equal(t.unanswered, 2);
	assert_int_equal(reach_tally(&reach.echo, from + 1, NSEC_NEVER).answered, 0);
	assert_int_equal(reach_tally(&reach.other, from, NSEC_NEVER).unanswered, 2);
}

/* Who may not send them is not asked again before the tunnel is up again. */
static void barred(void **state)
{
	(void)state;
	reach_burst(&reach, REACH_UP, &now);
	echo(asked(ACTION_ECHO), ECHO_FAILED);
	assert_false(reach_busy(&reach));
	reach_burst(&reach, REACH_SILENT, &now);
	assert_int_equal(asked(ACTION_ECHO), 0);
	reach_burst(&reach, REACH_UP, &now);
	assert_int_not_equal(asked(ACTION_ECHO), 0);
	assert_int_equal(reach_tally(&reach.echo, 0, NSEC_NEVER).unanswered, 0);
}

static void no_other_remote_is_not_asked(void **state)
{
	(void)state;
	reach_init(&reach, true, false);
	reach_burst(&reach, REACH_SILENT, &now);
	assert_int_equal(asked(ACTION_PROBE_OTHER), 0);
}

static void a_route_that_goes_and_comes(void **state)
{
	(void)state;
	route(true, true, "eth0");
	assert_true(reach.lost == NSEC_UNKNOWN && reach.back == NSEC_UNKNOWN);
	now.mono += S;
	route(true, false, "eth0");
	assert_true(reach.lost == now.mono && reach.lost_link);
	now.mono += S;
	route(false, false, "");
	assert_true(reach.lost == now.mono - S); /* it has been away since then */
	assert_string_equal(reach.interface, "eth0");
	now.mono += S;
	route(true, true, "wlan0");
	assert_true(reach.back == now.mono);
	assert_string_equal(reach.interface, "wlan0");
	now.mono += S;
	route(false, false, "");
	assert_true(reach.lost == now.mono && reach.back == NSEC_UNKNOWN && !reach.lost_link);
}

static void another_server_is_another_host(void **state)
{
	(void)state;
	reach_burst(&reach, REACH_UP, &now);
	unsigned id = asked(ACTION_ECHO);
	echo(id, ECHO_ANSWERED);
	reach_another(&reach);
	assert_int_equal(reach_tally(&reach.echo, 0, NSEC_NEVER).answered, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(nothing_is_asked_unless_it_may_be, setup),
	    cmocka_unit_test_setup(a_burst_is_spread_and_counted, setup),
	    cmocka_unit_test_setup(barred, setup),
	    cmocka_unit_test_setup(no_other_remote_is_not_asked, setup),
	    cmocka_unit_test_setup(a_route_that_goes_and_comes, setup),
	    cmocka_unit_test_setup(another_server_is_another_host, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
