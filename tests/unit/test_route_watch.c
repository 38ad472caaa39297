/* SPDX-License-Identifier: MIT
 *
 * A route watch, and real kernels: loopback; and, where a network namespace may be made, routes
 * that come and go.
 */
#include "io/route_watch.h"

#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "io/resolve.h"
#include "unit/tun_fixture.h"

#include <dlfcn.h>
#include <ifaddrs.h>
#include <sys/syscall.h>

struct told {
	bool there, up;
	char interface[IF_NAMESIZE];
};

static struct told told[64];
static unsigned n_told, n_read; /* by the watch, and by tells() */
static struct route_watch *watch;
static struct tunnel *const tunnel = (struct tunnel *)(uintptr_t)0x1234;
static bool in_call, close_in_sink;

/* --- the kernel: socket() and getifaddrs() of this program ------------------------------------ */

static int netlink_error, datagram_error; /* not 0: there is no such socket */
static int list_error;			  /* not 0: of getifaddrs() */
static unsigned looks;			  /* UDP sockets, of which each look makes one */

int socket(int family, int type, int protocol)
{
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	looks += watch != NULL && kind == SOCK_DGRAM;
	errno = family == AF_NETLINK ? netlink_error : kind == SOCK_DGRAM ? datagram_error : 0;
	return errno != 0 ? -1 : (int)syscall(SYS_socket, family, type, protocol);
}

int getifaddrs(struct ifaddrs **out)
{
	int (*real)(struct ifaddrs **);
	*(void **)&real = dlsym(RTLD_NEXT, "getifaddrs");
	errno = list_error;
	return list_error != 0 ? -1 : real(out);
}

/* --- */

static void sink(void *arg, const struct event *e)
{
	assert_ptr_equal(arg, told);
	assert_false(in_call);
	assert_int_equal(e->kind, EVENT_ROUTE);
	assert_ptr_equal(e->tunnel, tunnel);
	assert_true(e->at.mono > 0);
	assert_true(n_told < 64);
	told[n_told] = (struct told){.there = e->u.route.there, .up = e->u.route.up};
	snprintf(told[n_told].interface, IF_NAMESIZE, "%s", e->u.route.interface);
	n_told++;
	if (close_in_sink) {
		route_watch_close(watch);
		watch = NULL;
	}
}

static void target(const char *ip, const char *local_ip)
{
	struct sockaddr_storage to;
	assert_true(resolve_numeric(ip, 1194, &to));
	in_call = true;
	route_watch_target(watch, &to, local_ip);
	in_call = false;
}

static void open_watch(const char *ip, const char *local_ip)
{
	n_told = n_read = 0;
	assert_int_equal(route_watch_open(&watch, &loop, tunnel, sink, told), 0);
	target(ip, local_ip);
}

static void close_watch(void)
{
	unsigned before = n_told;
	route_watch_close(watch);
	watch = NULL;
	loop_drain();
	assert_int_equal(n_told, before);
}

/* The next that is told. */
static void tells(bool there, bool up, const char *interface)
{
	const struct told *t = &told[n_read++];
	loop_until(&n_told, n_read);
	assert_int_equal(n_told, n_read);
	assert_int_equal(t->there, there);
	assert_int_equal(t->up, up);
	assert_string_equal(t->interface, interface);
}

/* Lets it look at what was just done, and more than once. */
static void looks_and_tells_nothing(void)
{
	unsigned before = n_told, looked = looks;
	loop_until(&looks, looked + 1);
	for (int i = 0; i < 10; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(n_told, before);
}

static int begin(void **state)
{
	netlink_error = datagram_error = list_error = 0;
	n_told = n_read = looks = 0;
	close_in_sink = false;
	watch = NULL;
	loop_begin(state);
	loop_clock_begin();
	return 0;
}

static int end(void **state)
{
	if (watch != NULL)
		route_watch_close(watch);
	watch = NULL;
	tun_close();
	namespace_leave();
	loop_clock_end();
	return loop_end(state);
}

static bool ipv6_is_off(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool off = fd < 0 || bind(fd, (const struct sockaddr *)&here, sizeof here) != 0;
	close(fd);
	return off;
}

static void loopback_is_there_and_up(void **state)
{
	(void)state;
	open_watch("127.0.0.1", "");
	tells(true, true, "lo");
	target("127.0.0.1", "");
	looks_and_tells_nothing();
	close_watch();
	if (ipv6_is_off())
		return;
	open_watch("::1", "");
	tells(true, true, "lo");
	close_watch();
}

static void nothing_without_a_target(void **state)
{
	(void)state;
	assert_int_equal(route_watch_open(&watch, &loop, tunnel, sink, told), 0);
	for (int i = 0; i < 10; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	close_watch();
	assert_int_equal(looks, 0);
	open_watch("127.0.0.1", ""); /* closed before it has looked */
	close_watch();
	assert_int_equal(n_told, 0);
}

static void no_netlink(void **state)
{
	(void)state;
	netlink_error = EPERM;
	assert_int_equal(route_watch_open(&watch, &loop, tunnel, sink, told), UV_EPERM);
	watch = NULL;
}

/* What cannot be looked at is not told, neither as it was nor as gone. */
static void no_descriptors_left(void **state)
{
	(void)state;
	datagram_error = EMFILE;
	open_watch("127.0.0.1", "");
	looks_and_tells_nothing();
	datagram_error = 0;
	list_error = EMFILE;
	target("127.0.0.1", "");
	looks_and_tells_nothing();
	list_error = 0;
	target("127.0.0.1", "");
	tells(true, true, "lo");
	datagram_error = EMFILE;
	target("127.0.0.1", "");
	looks_and_tells_nothing();
	close_watch();
}

static void sink_may_close(void **state)
{
	(void)state;
	close_in_sink = true;
	open_watch("127.0.0.1", "");
	loop_until(&n_told, 1);
	loop_drain();
	assert_int_equal(n_told, 1);
}

/* --- in a network of our own ------------------------------------------------------------------ */

static void loopback_down_and_up(void **state)
{
	(void)state;
	namespace_enter();
	open_watch("127.0.0.1", "");
	tells(false, false, "");
	for (int i = 0; i < 3; i++) {
		interface_set("lo", true);
		tells(true, true, "lo");
		interface_set("lo", false);
		tells(true, false, "lo"); /* its address stays, and so does the route to that */
	}
	close_watch();
}

static void address_without_a_route(void **state)
{
	(void)state;
	namespace_enter();
	interface_set("lo", true);
	open_watch("192.0.2.1", "");
	tells(false, false, "");
	target("127.0.0.1", ""); /* another server */
	tells(true, true, "lo");
	target("2001:db8::1", "");
	if (ipv6_is_off())
		looks_and_tells_nothing();
	else
		tells(false, false, "");
	close_watch();
}

/* The cable is pulled, plugged in again, and then the interface is gone. */
static void carrier(void **state)
{
	int on = 1, off = 0;
	(void)state;
	namespace_enter();
	tun_open();
	open_watch("10.9.0.2", "");
	tells(true, true, "tun9");
	assert_int_equal(ioctl(tun, TUNSETCARRIER, &off), 0);
	tells(true, false, "tun9");
	assert_int_equal(ioctl(tun, TUNSETCARRIER, &on), 0);
	tells(true, true, "tun9");
	interface_address("tun9", 0, 0);
	tells(false, false, "");
	interface_address("tun9", 0x0a090001, 0xffffff00);
	tells(true, true, "tun9");
	tun_close();
	tells(false, false, "");
	close_watch();
}

/* The way to the server through the tunnel itself is none. */
static void through_the_tunnel_itself(void **state)
{
	(void)state;
	namespace_enter();
	interface_set("lo", true);
	tun_open();
	open_watch("10.9.0.2", "10.9.0.1");
	tells(false, false, "");
	target("10.9.0.2", "10.8.0.42"); /* the tunnel has another address now */
	tells(true, true, "tun9");
	target("10.9.0.2", "no address");
	looks_and_tells_nothing();
	target("127.0.0.1", "10.9.0.1");
	tells(true, true, "lo");
	if (!ipv6_is_off()) {
		target("fd09::2", "10.9.0.1"); /* of the other family, and the same interface */
		tells(false, false, "");
	}
	close_watch();
}

static void two_interfaces_with_the_address(void **state)
{
	(void)state;
	namespace_enter();
	interface_set("lo", true);
	tun_open();
	interface_address("lo", 0x0a090001, 0xffffffff);
	open_watch("10.9.0.2", "");
	looks_and_tells_nothing();
	interface_address("lo", 0x7f000001, 0xff000000);
	tells(true, true, "tun9");
	close_watch();
}

/* More messages than are drained at once, and than the socket can keep: few looks, and the last
 * one sees how it is. */
static void flood(void **state)
{
	(void)state;
	namespace_enter();
	interface_set("lo", true);
	open_watch("127.0.0.1", "");
	tells(true, true, "lo");
	for (int i = 0; i < 2000; i++) {
		interface_set("lo", false);
		interface_set("lo", true);
	}
	interface_set("lo", false);
	unsigned before = looks;
	tells(true, false, "lo");
	assert_true(looks - before < 4);
	interface_set("lo", true);
	tells(true, true, "lo");
	interface_set("lo", false);
	tells(true, false, "lo");
	close_watch();
}

#define WATCH_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WATCH_TEST(loopback_is_there_and_up),
	    WATCH_TEST(nothing_without_a_target),
	    WATCH_TEST(no_netlink),
	    WATCH_TEST(no_descriptors_left),
	    WATCH_TEST(sink_may_close),
	    WATCH_TEST(loopback_down_and_up),
	    WATCH_TEST(address_without_a_route),
	    WATCH_TEST(carrier),
	    WATCH_TEST(through_the_tunnel_itself),
	    WATCH_TEST(two_interfaces_with_the_address),
	    WATCH_TEST(flood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
