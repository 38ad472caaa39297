/* SPDX-License-Identifier: MIT
 *
 * Silence, pauses and idleness out of byte counts.
 */
#include "core/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define S NSEC_PER_SEC

static void silence_is_since_received_bytes_grew(void **state)
{
	(void)state;
	struct traffic t;
	traffic_init(&t);
	assert_true(traffic_silence(&t, 0) == NSEC_UNKNOWN);
	traffic_connected(&t, 0);
	assert_true(traffic_silence(&t, S) == NSEC_UNKNOWN); /* nobody counts */
	traffic_count(&t, 100, 50, S);
	traffic_count(&t, 100, 60, 4 * S);
	assert_true(traffic_silence(&t, 4 * S) == 3 * S);
	assert_true(t.heard);
	traffic_count(&t, 101, 60, 5 * S);
	assert_true(traffic_silence(&t, 5 * S) == 0);
	traffic_stop(&t);
	traffic_count(&t, 101, 60, 5 * S);
	assert_false(t.heard); /* it may have been silent for long */
	traffic_stop(&t);
	assert_true(traffic_silence(&t, 6 * S) == NSEC_UNKNOWN);
}

static void the_longest_pause_that_ended_is_usual(void **state)
{
	(void)state;
	struct traffic t;
	traffic_init(&t);
	traffic_count(&t, 1, 1, 0);
	traffic_count(&t, 2, 1, 2 * S);
	traffic_count(&t, 3, 1, 3 * S);
	traffic_count(&t, 3, 1, 9 * S); /* this one goes on */
	assert_true(t.usual_gap == 2 * S);
	traffic_connected(&t, 10 * S);
	assert_true(t.usual_gap == 0);
}

static void idle_is_how_long_nothing_was_sent_when_bytes_stopped(void **state)
{
	(void)state;
	struct traffic t;
	traffic_init(&t);
	assert_true(traffic_idle(&t) == NSEC_UNKNOWN);
	traffic_count(&t, 1, 1, 0);
	traffic_connected(&t, S);
	traffic_count(&t, 50, 60, 2 * S); /* of the handshake */
	for (int i = 3; i <= 6; i++)
		traffic_count(&t, (uint64_t)i + 50, 60, i * S);
	traffic_count(&t, 56, 60, 9 * S);
	assert_true(traffic_idle(&t) == 5 * S);
	traffic_count(&t, 56, 61, 10 * S); /* something was sent since */
	assert_true(traffic_idle(&t) == NSEC_UNKNOWN);
}

/* Bytes between the handshake and a first count that comes late are not all of the handshake. */
static void a_late_count_is_not_of_the_handshake(void **state)
{
	(void)state;
	struct traffic t;
	traffic_init(&t);
	traffic_count(&t, 1, 1, 0);
	traffic_connected(&t, S);
	traffic_count(&t, 9, 9, 5 * S);
	assert_true(traffic_silence(&t, 5 * S) == 0);
}

/* A daemon that was restarted counts from 0. */
static void a_count_that_shrinks_is_news_too(void **state)
{
	(void)state;
	struct traffic t;
	traffic_init(&t);
	traffic_count(&t, UINT64_MAX, UINT64_MAX, 0);
	traffic_count(&t, 0, 0, 5 * S);
	assert_true(traffic_silence(&t, 5 * S) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(silence_is_since_received_bytes_grew),
	    cmocka_unit_test(the_longest_pause_that_ended_is_usual),
	    cmocka_unit_test(idle_is_how_long_nothing_was_sent_when_bytes_stopped),
	    cmocka_unit_test(a_late_count_is_not_of_the_handshake),
	    cmocka_unit_test(a_count_that_shrinks_is_news_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
