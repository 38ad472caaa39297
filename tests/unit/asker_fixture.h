/* SPDX-License-Identifier: MIT
 *
 * A clock asker in the loop of loop_fixture.h, what it reports, and nothing of this machine's own:
 * who is not faked is not there. The including test has cmocka.h before this.
 */
#ifndef OVPNWATCH_TESTS_ASKER_FIXTURE_H
#define OVPNWATCH_TESTS_ASKER_FIXTURE_H

#include "io/clock_asker.h"

#include "unit/loop_fixture.h"

/* A tunnel is a name to the asker, no more. */
#define TUNNEL ((struct tunnel *)0x7e57)
#define OTHER  ((struct tunnel *)0x07e2)

static struct event seen[64];
static unsigned n_seen;
static bool asking;
static bool close_in_sink;
static struct clock_asker *asker;

static void sink(void *arg, const struct event *e)
{
	assert_ptr_equal(arg, seen);
	assert_false(asking);
	assert_true(n_seen < 64);
	seen[n_seen++] = *e;
	if (close_in_sink) {
		clock_asker_close(asker);
		close_in_sink = false;
	}
}

static inline void open_asker(const char *server)
{
	n_seen = 0;
	close_in_sink = false;
	assert_int_equal(
	    clock_asker_open(&asker, &loop, &server, server != NULL ? 1 : 0, sink, seen), 0);
	clock_asker_chrony_socket(asker, "/nonexistent/chronyd.sock");
}

static inline void close_asker(void)
{
	unsigned before = n_seen;
	clock_asker_close(asker);
	loop_drain();
	assert_int_equal(n_seen, before);
}

/* Nothing is reported before the call returns. */
#define ASK(call)               \
	do {                    \
		asking = true;  \
		call;           \
		asking = false; \
	} while (0)

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, loop_begin, loop_end)

#endif
