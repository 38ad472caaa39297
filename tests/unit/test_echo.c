/* SPDX-License-Identifier: MIT
 *
 * An echoer, and real kernels: loopback; and, where a network namespace may be made, hosts that are
 * not there, hosts that refuse, and each kind of socket.
 */
#include "io/echo.h"

#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "io/resolve.h"
#include "unit/loop_fixture.h"
#include "unit/tun_fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/syscall.h>

static struct event seen[64];
static unsigned n_seen;
static struct echoer *echoer;
static struct tunnel *const tunnel = (struct tunnel *)(uintptr_t)0x1234;
static bool in_send;
static void (*then)(const struct event *e); /* what the sink does besides */

/* --- the kernel: socket() of this program ----------------------------------------------------- */

static int datagram_error, raw_error; /* not 0: there is no such socket */
static unsigned raw_sockets;

int socket(int family, int type, int protocol)
{
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	bool icmp = protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
	if (icmp && kind == SOCK_DGRAM && datagram_error != 0) {
		errno = datagram_error;
		return -1;
	}
	if (icmp && kind == SOCK_RAW && raw_error != 0) {
		errno = raw_error;
		return -1;
	}
	raw_sockets += icmp && kind == SOCK_RAW;
	return (int)syscall(SYS_socket, family, type, protocol);
}

/* --- */

static void sink(void *arg, const struct event *e)
{
	assert_ptr_equal(arg, seen);
	assert_false(in_send);
	assert_int_equal(e->kind, EVENT_ECHO);
	assert_ptr_equal(e->tunnel, tunnel);
	assert_true(n_seen < 64);
	seen[n_seen++] = *e;
	if (then != NULL)
		then(e);
}

static void open_echoer(void)
{
	n_seen = 0;
	then = NULL;
	assert_int_equal(echoer_open(&echoer, &loop, tunnel, sink, seen), 0);
}

static void close_echoer(void)
{
	unsigned before = n_seen;
	echoer_close(echoer);
	loop_drain();
	assert_int_equal(n_seen, before);
}

static void ask(unsigned id, const char *ip)
{
	struct sockaddr_storage to;
	assert_true(resolve_numeric(ip, 1194, &to));
	in_send = true;
	echoer_send(echoer, id, &to);
	in_send = false;
}

static int begin(void **state)
{
	datagram_error = raw_error = 0;
	raw_sockets = 0;
	return loop_begin(state);
}

static int end(void **state)
{
	tun_close();
	namespace_leave();
	return loop_end(state);
}

static bool has_ipv6(void)
{
	struct fake_server s = {.answer = NULL};
	bool has = fake_open(&s, "::1", 0);
	if (has)
		fake_close(&s);
	uv_run(&loop, UV_RUN_NOWAIT);
	return has;
}

/* One echo; skips where this user may send none. */
static const struct event *one(const char *ip)
{
	open_echoer();
	ask(1, ip);
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.echo.id, 1);
	if (seen[0].u.echo.outcome == ECHO_FAILED) {
		print_message("%s: %s\n", ip, seen[0].u.echo.reason);
		close_echoer();
		skip();
	}
	close_echoer();
	assert_int_equal(n_seen, 1);
	return &seen[0];
}

static void answers_at(const char *ip)
{
	const struct event *e = one(ip);
	assert_int_equal(e->u.echo.outcome, ECHO_ANSWERED);
	assert_null(e->u.echo.reason);
	assert_true(e->u.echo.sent.mono > 0);
	assert_true(e->at.mono >= e->u.echo.sent.mono);
}

static void loopback_answers(void **state)
{
	(void)state;
	answers_at("127.0.0.1");
}

static void loopback_answers_over_ipv6(void **state)
{
	(void)state;
	if (!has_ipv6()) {
		print_message("there is no IPv6 here\n");
		skip();
	}
	answers_at("::1");
}

/* Each has a token of its own: no request takes the answer of another. */
static void several_at_once(void **state)
{
	unsigned ids = 0;
	(void)state;
	(void)one("127.0.0.1");
	open_echoer();
	for (unsigned id = 1; id <= 8; id++)
		ask(id, "127.0.0.1");
	ask(9, "127.0.0.1"); /* one more than there may be */
	loop_until(&n_seen, 9);
	for (unsigned i = 0; i < 9; i++) {
		ids |= 1u << seen[i].u.echo.id;
		assert_int_equal(seen[i].u.echo.outcome,
				 seen[i].u.echo.id == 9 ? ECHO_FAILED : ECHO_ANSWERED);
	}
	assert_int_equal(ids, 0x3fe);
	close_echoer();
}

/* --- what this user may not do, or this machine cannot --------------------------------------- */

static void fails_with(const char *reason)
{
	open_echoer();
	ask(1, "127.0.0.1");
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.echo.outcome, ECHO_FAILED);
	assert_string_equal(seen[0].u.echo.reason, reason);
	close_echoer();
}

static void not_permitted(void **state)
{
	(void)state;
	datagram_error = EACCES;
	raw_error = EPERM;
	fails_with("this user may not send echo requests");
	raw_error = EACCES; /* an LSM or seccomp may say it so */
	fails_with("this user may not send echo requests");
}

static void no_descriptors_left(void **state)
{
	(void)state;
	datagram_error = EMFILE;
	fails_with("too many open files");
	assert_int_equal(raw_sockets, 0);
}

static void no_such_family(void **state)
{
	(void)state;
	datagram_error = raw_error = EAFNOSUPPORT;
	fails_with("address family not supported");
}

static void declined(void **state)
{
	(void)state;
	open_echoer();
	in_send = true;
	echoer_decline(echoer, 7, "the server's address is not known yet");
	in_send = false;
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.echo.id, 7);
	assert_int_equal(seen[0].u.echo.outcome, ECHO_FAILED);
	assert_string_equal(seen[0].u.echo.reason, "the server's address is not known yet");
	assert_true(seen[0].u.echo.sent.mono > 0);
	close_echoer();
}

/* --- what the sink may do -------------------------------------------------------------------- */

static void ask_again(const struct event *e)
{
	if (e->u.echo.id < 10)
		echoer_decline(echoer, e->u.echo.id + 1, "again");
}

static void close_in_sink(const struct event *e)
{
	(void)e;
	echoer_close(echoer);
	echoer = NULL;
}

static void sink_may_ask_and_close(void **state)
{
	(void)state;
	open_echoer();
	then = ask_again;
	echoer_decline(echoer, 1, "first");
	loop_until(&n_seen, 10);
	close_echoer();

	open_echoer();
	then = close_in_sink;
	for (unsigned id = 1; id <= 3; id++)
		echoer_decline(echoer, id, "none after the first");
	for (unsigned id = 4; id <= 6; id++)
		ask(id, "127.0.0.1");
	loop_until(&n_seen, 1);
	loop_drain();
	assert_int_equal(n_seen, 1);
}

static void close_in_answer(const struct event *e)
{
	if (e->u.echo.outcome == ECHO_ANSWERED)
		close_in_sink(e);
}

static void sink_may_close_with_an_answer(void **state)
{
	(void)state;
	(void)one("127.0.0.1");
	open_echoer();
	then = close_in_answer;
	for (unsigned id = 1; id <= 6; id++)
		ask(id, "127.0.0.1");
	loop_until(&n_seen, 1);
	loop_drain();
	assert_int_equal(n_seen, 1);
}

static void closed_with_requests_in_flight(void **state)
{
	(void)state;
	open_echoer();
	for (unsigned id = 1; id <= 12; id++)
		ask(id, "127.0.0.1");
	close_echoer();
	assert_int_equal(n_seen, 0);
}

/* --- in a network of our own ----------------------------------------------------------------- */

/* With each kind of socket: on which a user depends. */
static void with_each_socket(void (*check)(void))
{
	namespace_enter();
	interface_set("lo", true);
	tun_open();
	raw_error = EPERM;
	if (namespace_sysctl("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"))
		check();
	assert_int_equal(raw_sockets, 0);
	raw_error = 0;
	datagram_error = EACCES;
	check();
	assert_true(raw_sockets > 0);
}

static void check_loopback(void)
{
	answers_at("127.0.0.1");
	if (has_ipv6())
		answers_at("::1");
}

static void loopback_of_each_socket(void **state)
{
	(void)state;
	with_each_socket(check_loopback);
}

static void check_no_route(void)
{
	assert_int_equal(one("192.0.2.1")->u.echo.outcome, ECHO_UNREACHABLE);
	assert_string_equal(seen[0].u.echo.reason, "network is unreachable");
	if (has_ipv6())
		assert_int_equal(one("2001:db8::1")->u.echo.outcome, ECHO_UNREACHABLE);
}

static void no_route(void **state)
{
	(void)state;
	with_each_socket(check_no_route);
}

/* What the host or a router answers: error type 0 is an echo reply. */
struct answer {
	uint8_t from, v4[2], v6[2]; /* type and code */
	uint8_t quoted;
	enum echo_outcome outcome;
};

#define ROUTER 254

static const struct answer *answer;
static unsigned asked;

static void play_answer(bool v6, const uint8_t *packet, size_t n)
{
	const uint8_t *error = v6 ? answer->v6 : answer->v4;
	asked++;
	if (error[0] == 0)
		tun_reply(v6, packet, n, 0);
	else
		tun_error(v6, packet, answer->from, error[0], error[1], answer->quoted);
}

static void check_answers(void)
{
	static const struct answer answers[] = {
	    {0, {0, 0}, {0, 0}, 0, ECHO_ANSWERED},
	    {ROUTER, {3, 1}, {1, 3}, 24, ECHO_UNREACHABLE},
	    {ROUTER, {3, 0}, {1, 0}, 8, ECHO_UNREACHABLE}, /* quotes the least it may */
	    {ROUTER, {3, 13}, {1, 1}, 24, ECHO_UNREACHABLE},
	    {ROUTER, {11, 0}, {3, 0}, 8, ECHO_UNREACHABLE},
	    {0, {3, 10}, {1, 1}, 24, ECHO_ANSWERED}, /* a firewall of the host itself */
	    {0, {3, 3}, {1, 4}, 8, ECHO_ANSWERED},
	    {0, {3, 1}, {1, 3}, 24, ECHO_UNREACHABLE}, /* a NAT before a dead host */
	};
	tun_host = play_answer;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		answer = &answers[i];
		assert_int_equal(one("10.9.0.2")->u.echo.outcome, answer->outcome);
		assert_int_equal(answer->outcome == ECHO_ANSWERED, seen[0].u.echo.reason == NULL);
		if (has_ipv6())
			assert_int_equal(one("fd09::2")->u.echo.outcome, answer->outcome);
	}
}

static void answers_of_hosts_and_routers(void **state)
{
	(void)state;
	with_each_socket(check_answers);
}

/* Everything that only looks like an answer, and once that has been heard, the answer: with the
 * numbers of the request but another token, about another request, about a packet that was too
 * large. */
static struct {
	uv_timer_t later;
	bool v6;
	uint8_t packet[2048];
	size_t n;
} impostor;

static void play_true_answer(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
	tun_reply(impostor.v6, impostor.packet, impostor.n - 1, 0);
	tun_reply(impostor.v6, impostor.packet, impostor.n, 0);
	tun_reply(impostor.v6, impostor.packet, impostor.n, 0); /* twice is once */
}

static void play_impostor(bool v6, const uint8_t *packet, size_t n)
{
	uint8_t other[2048];
	size_t header = v6 ? TUN_V6_HEADER : TUN_V4_HEADER;
	uint8_t no_way = v6 ? 1 : 3, no_host = v6 ? 3 : 1;
	asked++;
	tun_reply(v6, packet, n, 1);
	tun_say(v6, packet, 0, "\x00\x00\x00\x00", 4);
	tun_error(v6, packet, ROUTER, v6 ? 2 : 3, v6 ? 0 : 4, 24);
	memcpy(other, packet, n);
	other[header + 7] ^= 1; /* its number */
	tun_error(v6, other, ROUTER, no_way, no_host, 24);
	tun_error(v6, other, ROUTER, no_way, no_host, 8);
	memcpy(other, packet, n);
	other[header + 5] ^= 1; /* its identifier */
	tun_error(v6, other, ROUTER, no_way, no_host, 8);
	memcpy(other, packet, n);
	other[n - 1] ^= 1; /* its token */
	tun_error(v6, other, ROUTER, no_way, no_host, 24);
	impostor.v6 = v6;
	impostor.n = n;
	memcpy(impostor.packet, packet, n);
	assert_int_equal(uv_timer_init(&loop, &impostor.later), 0);
	assert_int_equal(uv_timer_start(&impostor.later, play_true_answer, 20, 0), 0);
}

static void check_impostors(void)
{
	tun_host = play_impostor;
	assert_int_equal(one("10.9.0.2")->u.echo.outcome, ECHO_ANSWERED);
	if (has_ipv6())
		assert_int_equal(one("fd09::2")->u.echo.outcome, ECHO_ANSWERED);
}

static void true_answer_wins(void **state)
{
	(void)state;
	with_each_socket(check_impostors);
}

static void play_dead(bool v6, const uint8_t *packet, size_t n)
{
	asked++;
	if (asked == 1) /* with another token */
		tun_reply(v6, packet, n, 1);
}

/* The request is forgotten, and the loop runs out of things to do. */
static void check_silence(void)
{
	tun_host = play_dead;
	asked = 0;
	open_echoer();
	for (unsigned id = 1; id <= 8; id++)
		ask(id, "10.9.0.2");
	loop_until(&asked, 8);
	ask(9, "10.9.0.2");
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.echo.id, 9);
	assert_int_equal(seen[0].u.echo.outcome, ECHO_FAILED);
	loop_drain();
	assert_int_equal(n_seen, 1);
	ask(10, "10.9.0.2"); /* there is room again */
	loop_until(&asked, 9);
	close_echoer();
}

static void no_answer_is_no_event(void **state)
{
	(void)state;
	with_each_socket(check_silence);
}

#define ECHO_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ECHO_TEST(loopback_answers),
	    ECHO_TEST(loopback_answers_over_ipv6),
	    ECHO_TEST(several_at_once),
	    ECHO_TEST(not_permitted),
	    ECHO_TEST(no_descriptors_left),
	    ECHO_TEST(no_such_family),
	    ECHO_TEST(declined),
	    ECHO_TEST(sink_may_ask_and_close),
	    ECHO_TEST(sink_may_close_with_an_answer),
	    ECHO_TEST(closed_with_requests_in_flight),
	    ECHO_TEST(loopback_of_each_socket),
	    ECHO_TEST(no_route),
	    ECHO_TEST(answers_of_hosts_and_routers),
	    ECHO_TEST(true_answer_wins),
	    ECHO_TEST(no_answer_is_no_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
