/* SPDX-License-Identifier: MIT
 *
 * The route to a server, in a network namespace of the test's own where that may be made: its
 * loopback is the only interface, and can be set up and down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "io/route_watch.h"
#include "unit/loop_fixture.h"

#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct event seen[16];
static char interfaces[16][32];
static unsigned n_seen;
static struct route_watch *watch;
static struct tunnel *const tunnel = (struct tunnel *)(uintptr_t)0x1234;
static bool own_namespace;

static void sink(void *arg, const struct event *e)
{
	assert_ptr_equal(arg, seen);
	assert_int_equal(e->kind, EVENT_ROUTE);
	assert_ptr_equal(e->tunnel, tunnel);
	assert_true(n_seen < 16);
	snprintf(interfaces[n_seen], sizeof interfaces[0], "%s", e->u.route.interface);
	seen[n_seen++] = *e;
}

static int begin(void **state)
{
	n_seen = 0;
	loop_begin(state);
	return route_watch_open(&watch, &loop, sink, seen);
}

static int end(void **state)
{
	route_watch_close(watch);
	loop_drain();
	return loop_end(state);
}

/* Not UV_RUN_ONCE, which sleeps after the timers that it ran. */
static void wait_for(unsigned events)
{
	while (n_seen < events && !loop_hung) {
		uv_run(&loop, UV_RUN_NOWAIT);
		poll(NULL, 0, 1);
	}
	assert_false(loop_hung);
}

static void loopback(bool up)
{
	struct ifreq r = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(r.ifr_name, sizeof r.ifr_name, "lo");
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &r), 0);
	r.ifr_flags = (short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
	close(fd);
}

static void the_first_look_is_told(void **state)
{
	(void)state;
	if (own_namespace)
		loopback(true);
	route_watch_target(watch, tunnel, "127.0.0.1", 1194);
	assert_int_equal(n_seen, 0);
	wait_for(1);
	assert_true(seen[0].u.route.there && seen[0].u.route.up);
	assert_string_equal(interfaces[0], "lo");
	/* the same again is no news; what is no address is nothing */
	route_watch_target(watch, tunnel, "127.0.0.1", 1194);
	route_watch_target(watch, tunnel, "server.example", 1194);
	for (int i = 0; i < 20; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(n_seen, 1);
}

static void it_goes_and_comes(void **state)
{
	(void)state;
	if (!own_namespace) {
		printf("skipped: a network namespace may not be made\n");
		return;
	}
	loopback(true);
	route_watch_target(watch, tunnel, "127.0.0.1", 1194);
	wait_for(1);
	loopback(false);
	wait_for(2);
	assert_false(seen[1].u.route.there && seen[1].u.route.up);
	loopback(true);
	wait_for(3);
	assert_true(seen[n_seen - 1].u.route.there && seen[n_seen - 1].u.route.up);
}

static void there_is_no_route(void **state)
{
	(void)state;
	if (!own_namespace) {
		printf("skipped: a network namespace may not be made\n");
		return;
	}
	route_watch_target(watch, tunnel, "198.51.100.1", 1194);
	wait_for(1);
	assert_false(seen[0].u.route.there);
	assert_string_equal(interfaces[0], "");
}

static void closing_before_the_first_look(void **state)
{
	(void)state;
	route_watch_target(watch, tunnel, "127.0.0.1", 1194);
}

int main(void)
{
	own_namespace = unshare(CLONE_NEWNET) == 0;
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_first_look_is_told, begin, end),
	    cmocka_unit_test_setup_teardown(it_goes_and_comes, begin, end),
	    cmocka_unit_test_setup_teardown(there_is_no_route, begin, end),
	    cmocka_unit_test_setup_teardown(closing_before_the_first_look, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
