/* SPDX-License-Identifier: MIT
 *
 * A link that is called: by a daemon under --management-client, by none, by two.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/link_fixture.h"

static struct bench *bench_listening(void)
{
	struct bench *b = bench_new();
	b->address = (struct address){.kind = ADDRESS_UNIX, .listen = true, .loopback = true};
	snprintf(b->address.path, sizeof b->address.path, "%s/sock", b->folder);
	bench_link(b, NULL);
	link_connect(b->link);
	assert_int_equal(b->n_seen, 0);
	return b;
}

static int daemon_calls(const struct bench *b)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof a.sun_path, "%s", b->address.path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void a_daemon_calls(void **state)
{
	struct bench *b = bench_listening();
	(void)state;
	b->peer = daemon_calls(b);
	await(b, 1);
	expect_change(b, 0, LINK_UP, "");
	daemon_says(b, ">INFO:hello\r\n");
	await(b, 2);
	expect_line(b, 1, ">INFO:hello");
	link_send(b->link, COMMAND_PID);
	daemon_hears(b, "pid\n");
	hang_up(&b->peer);
	await(b, 3);
	expect_change(b, 2, LINK_CLOSED, "closed");
	link_connect(b->link);
	b->peer = daemon_calls(b); /* and again */
	await(b, 4);
	expect_change(b, 3, LINK_UP, "");
	bench_free(b);
}

/* It is not turned away, because it would give up for good. */
static void another_waits(void **state)
{
	struct bench *b = bench_listening();
	(void)state;
	b->peer = daemon_calls(b);
	await(b, 1);
	int second = daemon_calls(b);
	assert_int_equal(write(second, ">INFO:two\r\n", 11), 11);
	loop_turn(&b->loop, 10);
	await(b, 1);
	hang_up(&b->peer);
	await(b, 2);
	expect_change(b, 1, LINK_CLOSED, "closed");
	loop_turn(&b->loop, 10);
	await(b, 2); /* not before the core wants it */
	link_connect(b->link);
	await(b, 4);
	expect_change(b, 2, LINK_UP, "");
	expect_line(b, 3, ">INFO:two");
	close(second);
	bench_free(b);
}

/* The link was given up between two calls: the socket stays, whoever calls waits. */
static void who_calls_meanwhile_waits(void **state)
{
	struct bench *b = bench_listening();
	(void)state;
	loop_turn(&b->loop, 3);
	link_close(b->link);
	b->peer = daemon_calls(b);
	loop_turn(&b->loop, 10);
	await(b, 0);
	link_connect(b->link);
	await(b, 1);
	expect_change(b, 0, LINK_UP, "");
	bench_free(b);
}

static void an_address_that_cannot_be_had(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	b->address = (struct address){.kind = ADDRESS_TCP, .listen = true, .port = 7505};
	snprintf(b->address.host, sizeof b->address.host, "192.0.2.1");
	bench_link(b, NULL);
	link_connect(b->link);
	await(b, 1);
	expect_change(b, 0, LINK_FAILED, "this machine does not have that address");
	bench_free(b);
}

static void over_tcp(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	listen_tcp(b); /* a free port */
	hang_up(&b->listener);
	b->address.listen = true;
	bench_link(b, NULL);
	link_connect(b->link);
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(b->address.port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	b->peer = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(b->peer, (struct sockaddr *)&a, sizeof a), 0);
	await(b, 1);
	expect_change(b, 0, LINK_UP, "");
	bench_free(b);
}

static void the_socket_is_gone_at_the_end(void **state)
{
	struct bench *b = bench_listening();
	char path[120];
	(void)state;
	snprintf(path, sizeof path, "%s", b->address.path);
	assert_int_equal(access(path, F_OK), 0);
	bench_free(b);
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_daemon_calls),
	    cmocka_unit_test(another_waits),
	    cmocka_unit_test(who_calls_meanwhile_waits),
	    cmocka_unit_test(an_address_that_cannot_be_had),
	    cmocka_unit_test(over_tcp),
	    cmocka_unit_test(the_socket_is_gone_at_the_end),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
