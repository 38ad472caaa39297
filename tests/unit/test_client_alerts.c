/* SPDX-License-Identifier: MIT
 *
 * When evictions are two machines with one certificate, and when losses are many at once.
 */
#include "core/client_alerts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define S NSEC_PER_SEC

static struct evictions evictions;

static struct eviction_verdict evict(const char *name, const char *loser, const char *winner,
				     nsec mono)
{
	struct client_eviction e = {.evicted = true};
	snprintf(e.name, sizeof e.name, "%s", name);
	snprintf(e.loser, sizeof e.loser, "%s", loser);
	snprintf(e.winner, sizeof e.winner, "%s", winner);
	return evictions_add(&evictions, &e, mono);
}

static int setup(void **state)
{
	(void)state;
	memset(&evictions, 0, sizeof evictions);
	return 0;
}

static void hosts(void **state)
{
	(void)state;
	assert_true(slice_is(client_host("192.0.2.1:1194"), "192.0.2.1"));
	assert_true(slice_is(client_host("udp4:192.0.2.1:1194"), "192.0.2.1"));
	assert_true(slice_is(client_host("2001:db8::1"), "2001:db8::1"));
	assert_true(slice_is(client_host("tcp6:2001:db8::1"), "2001:db8::1"));
	assert_true(slice_is(client_host(""), ""));
	assert_true(slice_is(client_host("udp"), ""));
}

static void two_that_take_turns(void **state)
{
	(void)state;
	assert_false(evict("alice", "192.0.2.1:1", "192.0.2.7:1", 100 * S).duplicate);
	assert_false(evict("alice", "192.0.2.7:1", "192.0.2.1:2", 340 * S).duplicate);
	assert_false(evict("bob", "192.0.2.9:1", "192.0.2.8:2", 400 * S).duplicate);
	struct eviction_verdict v = evict("alice", "192.0.2.1:2", "192.0.2.7:3", 580 * S);
	assert_true(v.duplicate && v.turns);
	assert_int_equal(v.count, 3);
	assert_int_equal(v.span, 480 * S);
}

/* One machine between two networks, and one that moves on. */
static void one_that_moves(void **state)
{
	(void)state;
	assert_false(evict("alice", "192.0.2.1:1", "192.0.2.7:1", 100 * S).duplicate);
	assert_false(evict("alice", "192.0.2.7:1", "192.0.2.1:2", 200 * S).duplicate);
	assert_false(evict("alice", "192.0.2.1:2", "192.0.2.44:1", 300 * S).duplicate);
	assert_false(evict("alice", "192.0.2.44:1", "192.0.2.45:1", 400 * S).duplicate);
}

static void seldom_is_not_often(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++)
		assert_false(evict("alice", i % 2 ? "192.0.2.1:1" : "192.0.2.7:1",
				   i % 2 ? "192.0.2.7:1" : "192.0.2.1:1",
				   i * (EVICTION_WINDOW / 2 + S))
				 .duplicate);
}

/* Behind one address the two cannot be told apart from one that restarts. */
static void behind_one_address(void **state)
{
	(void)state;
	for (int i = 1; i < EVICTIONS_MANY; i++)
		assert_false(evict("alice", "192.0.2.1:1", "192.0.2.1:2", i * 20 * S).duplicate);
	struct eviction_verdict v = evict("alice", "192.0.2.1:1", "192.0.2.1:2", 100 * S);
	assert_true(v.duplicate);
	assert_false(v.turns);
}

static void more_than_are_kept(void **state)
{
	(void)state;
	struct eviction_verdict v = {0};
	for (int i = 0; i < 5 * EVICTIONS_KEPT; i++)
		v = evict("alice", "192.0.2.1:1", "192.0.2.1:2", i * S);
	assert_int_equal(v.count, EVICTIONS_KEPT);
}

static void lost_together(void **state)
{
	(void)state;
	struct losses l = {0};
	struct stamp at = {.mono = 100 * S};
	assert_false(losses_add(&l, 1, 6, &at));
	assert_false(losses_add(&l, 1, 5, &at));
	assert_true(losses_add(&l, 1, 4, &at));
	assert_int_equal(l.before, 6);
	/* Of twenty, three are not many. */
	l = (struct losses){0};
	for (unsigned i = 0; i < 9; i++)
		assert_false(losses_add(&l, 1, 20 - i, &at));
	assert_true(losses_add(&l, 1, 11, &at));
	/* One by one they have their own reasons. */
	l = (struct losses){0};
	for (unsigned i = 0; i < 6; i++) {
		at.mono += LOST_WITHIN / 2 + S;
		assert_false(losses_add(&l, 1, 6 - i, &at));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hosts),
	    cmocka_unit_test_setup(two_that_take_turns, setup),
	    cmocka_unit_test_setup(one_that_moves, setup),
	    cmocka_unit_test_setup(seldom_is_not_often, setup),
	    cmocka_unit_test_setup(behind_one_address, setup),
	    cmocka_unit_test_setup(more_than_are_kept, setup),
	    cmocka_unit_test(lost_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
