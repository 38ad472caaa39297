/* SPDX-License-Identifier: MIT
 *
 * The link and a daemon in the same loop: every way to meet it, to miss it and to lose it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/link_fixture.h"

static void test_end_of_file(void **state)
{
	struct bench *b = bench_connected();
	(void)state;
	daemon_says(b, ">FATAL:no memory\r\nhalf a li");
	hang_up(&b->peer);
	await(b, 3);
	expect_line(b, 1, ">FATAL:no memory");
	expect_change(b, 2, LINK_CLOSED, "closed");
	/* and again, with a new framer */
	bench_connect(b);
	daemon_says(b, "ne\r\n");
	await(b, 5);
	expect_line(b, 4, "ne");
	bench_free(b);
}

static void test_reset(void **state)
{
	struct bench *b = bench_connected();
	struct linger hard = {.l_onoff = 1};
	(void)state;
	assert_int_equal(setsockopt(b->peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
	hang_up(&b->peer);
	await(b, 2);
	expect_change(b, 1, LINK_CLOSED, "reset");
	bench_free(b);
}

static void test_refused(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	listen_tcp(b);
	hang_up(&b->listener);
	bench_link(b, NULL);
	for (unsigned i = 1; i <= 3; i++) {
		link_connect(b->link);
		await(b, i);
		expect_change(b, i - 1, LINK_FAILED, "connection refused: nothing listens there");
	}
	bench_free(b);
}

/* "localhost" is ::1 first; the daemon listens on 127.0.0.1. */
static void test_name(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	listen_tcp(b);
	snprintf(b->address.host, sizeof b->address.host, "localhost");
	bench_link(b, NULL);
	bench_connect(b);
	daemon_says(b, ">INFO:hello\r\n");
	await(b, 2);
	bench_free(b);
}

static void test_name_that_is_none(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	b->address = (struct address){.kind = ADDRESS_TCP, .port = 1};
	memset(b->address.host, 'x', 100); /* a label has at most 63 bytes */
	bench_link(b, NULL);
	link_connect(b->link);
	await(b, 1);
	expect_change(b, 0, LINK_FAILED, "name cannot be resolved");
	bench_free(b);
}

static void test_free_while_a_name_is_looked_up(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	listen_tcp(b);
	snprintf(b->address.host, sizeof b->address.host, "localhost");
	bench_link(b, NULL);
	link_connect(b->link);
	link_close(b->link);
	link_connect(b->link);
	bench_free(b);
}

static void test_unix_socket(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	listen_unix(b, true);
	bench_link(b, NULL);
	bench_connect(b);
	daemon_says(b, ">INFO:hello\r\n");
	await(b, 2);
	/* The daemon goes, and its file with it. */
	hang_up(&b->peer);
	hang_up(&b->listener);
	unlink(b->address.path);
	await(b, 3);
	expect_change(b, 2, LINK_CLOSED, "closed");
	link_connect(b->link);
	await(b, 4);
	expect_change(b, 3, LINK_FAILED, "no such socket file");
	bench_free(b);
}

static void test_unix_socket_left_over(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	listen_unix(b, false);
	hang_up(&b->listener);
	bench_link(b, NULL);
	link_connect(b->link);
	await(b, 1);
	expect_change(b, 0, LINK_FAILED, "left over");
	bench_free(b);
}

static void test_unix_path_that_is_a_file(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	b->address = (struct address){.kind = ADDRESS_UNIX};
	snprintf(b->address.path, sizeof b->address.path, "%s/sock", b->folder);
	write_file(b->address.path, "x", 0600);
	bench_link(b, NULL);
	link_connect(b->link);
	await(b, 1);
	expect_change(b, 0, LINK_FAILED, "");
	bench_free(b);
}

/* Whatever the core does in an event, later bytes of the old connection are not heard. */
static void test_close_from_within_an_event(void **state)
{
	struct bench *b = bench_connected();
	(void)state;
	b->close_on_event = true;
	daemon_says(b, "one\r\ntwo\r\nthree\r\n");
	await(b, 2);
	expect_line(b, 1, "one");
	loop_turn(&b->loop, 10);
	b->close_on_event = false;
	hang_up(&b->peer);
	bench_connect(b);
	daemon_says(b, "four\r\n");
	await(b, 4);
	expect_line(b, 3, "four");
	bench_free(b);
}

static void test_close_while_connecting(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	listen_tcp(b);
	bench_link(b, NULL);
	link_connect(b->link);
	link_close(b->link);
	loop_turn(&b->loop, 10);
	assert_int_equal(b->n_seen, 0);
	link_connect(b->link);
	bench_free(b);
	link_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_end_of_file),
	    cmocka_unit_test(test_reset),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_name),
	    cmocka_unit_test(test_name_that_is_none),
	    cmocka_unit_test(test_free_while_a_name_is_looked_up),
	    cmocka_unit_test(test_unix_socket),
	    cmocka_unit_test(test_unix_socket_left_over),
	    cmocka_unit_test(test_unix_path_that_is_a_file),
	    cmocka_unit_test(test_close_from_within_an_event),
	    cmocka_unit_test(test_close_while_connecting),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
