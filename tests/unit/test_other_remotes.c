/* SPDX-License-Identifier: MIT
 *
 * Probes of a profile's other remotes: servers on loopback that answer, or do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "io/other_remotes.h"
#include "support/control_server.h"
#include "unit/loop_fixture.h"

#include <stdio.h>

static struct event seen[16];
static char names[16][300];
static unsigned n_seen;
static struct other_remotes *others;
static struct profile profile;
static const struct control_key key = {.wrap = WRAP_PLAIN};
static struct tunnel *const tunnel = (struct tunnel *)(uintptr_t)0x1234;

static void sink(void *arg, const struct event *e)
{
	assert_ptr_equal(arg, seen);
	assert_int_equal(e->kind, EVENT_OTHER_REMOTE);
	assert_ptr_equal(e->tunnel, tunnel);
	snprintf(names[n_seen], sizeof names[0], "%s", e->u.other_remote.remote);
	seen[n_seen++] = *e;
}

static void remote(uint16_t port, enum profile_proto proto)
{
	struct profile_remote *r = &profile.remotes[profile.n_remotes++];
	*r = (struct profile_remote){.port = port, .proto = proto};
	snprintf(r->host, sizeof r->host, "127.0.0.1");
}

static int begin(void **state)
{
	n_seen = 0;
	memset(&profile, 0, sizeof profile);
	return loop_begin(state);
}

static void open_others(void)
{
	assert_int_equal(other_remotes_open(&others, &loop, &profile, &profile.remotes[0], &key,
					    tunnel, sink, seen),
			 0);
}

static int end(void **state)
{
	other_remotes_close(others);
	loop_drain();
	return loop_end(state);
}

/* Each in turn, never the one in use. */
static void in_turn(void **state)
{
	(void)state;
	char name[64];
	uint16_t first = closed_port(), second = closed_port(), third = closed_port();
	remote(first, PROTO_UDP);
	remote(second, PROTO_UDP);
	remote(third, PROTO_UDP);
	open_others();
	other_remotes_in_use(others, "127.0.0.1", first);
	for (unsigned id = 1; id <= 3; id++) {
		other_remotes_probe(others, id);
		loop_until(&n_seen, id);
		assert_int_equal(seen[id - 1].u.other_remote.id, id);
		assert_int_equal(seen[id - 1].u.other_remote.outcome, PROBE_REFUSED);
		snprintf(name, sizeof name, "127.0.0.1:%u/udp", id == 2 ? third : second);
		assert_string_equal(names[id - 1], name);
	}
	/* the daemon has moved on to the second */
	other_remotes_in_use(others, "127.0.0.1", second);
	for (unsigned id = 4; id <= 5; id++) {
		other_remotes_probe(others, id);
		loop_until(&n_seen, id);
		snprintf(name, sizeof name, "127.0.0.1:%u/udp", third);
		assert_string_equal(names[id - 1], name);
	}
}

static void none_is_no_event(void **state)
{
	(void)state;
	remote(1194, PROTO_UDP);
	remote(1194, PROTO_UDP); /* the same twice is one */
	open_others();
	other_remotes_probe(others, 1);
	for (int i = 0; i < 20; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(n_seen, 0);
}

static void by_udp_first(void **state)
{
	(void)state;
	uint16_t port = closed_port();
	remote(1194, PROTO_UDP);
	remote(443, PROTO_TCP);
	remote(port, PROTO_UDP);
	open_others();
	other_remotes_probe(others, 1);
	loop_until(&n_seen, 1);
	assert_non_null(strstr(names[0], "/udp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(in_turn, begin, end),
	    cmocka_unit_test_setup_teardown(none_is_no_event, begin, end),
	    cmocka_unit_test_setup_teardown(by_udp_first, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
