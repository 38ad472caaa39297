/* SPDX-License-Identifier: MIT
 *
 * What the link and a daemon in the same loop say to each other: lines, commands and passwords. How
 * they meet and part: test_link_connect.c.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/link_fixture.h"

static void test_lines_however_torn(void **state)
{
	static const char text[] =
	    ">INFO:OpenVPN Management Interface Version 5\r\n"
	    ">STATE:1705361803,CONNECTED,SUCCESS,10.8.0.42,1.2.3.4,1194,,\r\n"
	    "END\r\n";
	struct bench *b = bench_connected();
	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i++) {
		assert_int_equal(write(b->peer, text + i, 1), 1);
		loop_turn(&b->loop, 2);
	}
	await(b, 4);
	daemon_says(b, text);
	await(b, 7);
	for (unsigned i = 1; i < 7; i += 3) {
		expect_line(b, i, ">INFO:OpenVPN Management Interface Version 5");
		expect_line(b, i + 1,
			    ">STATE:1705361803,CONNECTED,SUCCESS,10.8.0.42,1.2.3.4,1194,,");
		expect_line(b, i + 2, "END");
	}
	bench_free(b);
}

/* Before what the lines of event i were read with, but after those of event `before`. */
static void expect_drained(const struct bench *b, const struct stamp *since, unsigned before,
			   unsigned i)
{
	assert_true(since->mono > b->seen[before].at.mono && since->mono < b->seen[i].at.mono);
	assert_true(since->ruler > b->seen[before].at.ruler && since->ruler < b->seen[i].at.ruler);
}

/* A line was not there yet when reading all before it began; of one whose beginning was there,
 * nothing newer is said than of what stood before it. */
static void test_since_when_a_line_is_there(void **state)
{
	struct bench *b = bench_connected();
	(void)state;
	daemon_says(b, ">INFO:1\r\n>INFO:2\r\n");
	await(b, 3);
	daemon_says(b, ">INFO:3\r\n>INF");
	await(b, 4);
	daemon_says(b, "O:4\r\n");
	await(b, 5);
	daemon_says(b, ">INFO:5\r\n");
	await(b, 6);
	assert_true(b->seen[1].since.mono == NSEC_UNKNOWN);
	assert_true(b->seen[2].since.mono == NSEC_UNKNOWN);
	expect_drained(b, &b->seen[3].since, 0, 2);
	expect_drained(b, &b->seen[4].since, 0, 2);
	expect_drained(b, &b->seen[5].since, 3, 4);
	bench_free(b);
}

static void test_prompt_without_a_newline(void **state)
{
	struct bench *b = bench_connected();
	(void)state;
	daemon_says(b, "ENTER PASSWORD:");
	await(b, 2);
	expect_line(b, 1, "ENTER PASSWORD:");
	bench_free(b);
}

static void test_nothing_is_said_unasked(void **state)
{
	struct bench *b = bench_connected();
	char byte;
	(void)state;
	daemon_says(b, ">INFO:hello\r\n");
	await(b, 2);
	assert_int_equal(recv(b->peer, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	bench_free(b);
}

static void test_commands(void **state)
{
	struct bench *b = bench_connected();
	(void)state;
	link_send(b->link, COMMAND_STATE_ON_ALL);
	link_send(b->link, COMMAND_BYTECOUNT);
	link_send(b->link, COMMAND_LOAD_STATS);
	daemon_hears(b, "state on all\nbytecount 1\nload-stats\n");
	bench_free(b);
}

static void test_commands_to_nobody(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	listen_tcp(b);
	bench_link(b, NULL);
	link_send(b->link, COMMAND_PID);
	link_send_password(b->link);
	link_close(b->link);
	loop_turn(&b->loop, 5);
	assert_int_equal(b->n_seen, 0);
	bench_free(b);
}

/* A daemon that is stopped: what we send must not pile up. */
static void test_daemon_that_does_not_read(void **state)
{
	struct bench *b = bench_new();
	int small = 1;
	(void)state;
	listen_unix(b, true);
	assert_int_equal(setsockopt(b->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	bench_link(b, NULL);
	bench_connect(b);
	for (int i = 0; i < 1000000 && b->n_seen == 1; i++) {
		link_send(b->link, COMMAND_STATE_ON_ALL);
		if (i % 64 == 0)
			loop_turn(&b->loop, 1);
	}
	await(b, 2);
	expect_change(b, 1, LINK_CLOSED, "does not read");
	bench_free(b);
}

static void test_password(void **state)
{
	struct bench *b = bench_new();
	char path[64];
	(void)state;
	listen_tcp(b);
	snprintf(path, sizeof path, "%s/password", b->folder);
	write_file(path, "correct horse\nignored\n", 0600);
	bench_link(b, path);
	bench_connect(b);
	link_send_password(b->link);
	daemon_hears(b, "correct horse\n");
	unlink(path);
	link_send_password(b->link);
	await(b, 2);
	expect_change(b, 1, LINK_UNAVAILABLE, "password");
	bench_free(b);
}

static void test_password_without_a_file(void **state)
{
	struct bench *b = bench_connected();
	(void)state;
	link_send_password(b->link);
	await(b, 2);
	expect_change(b, 1, LINK_UNAVAILABLE, "no password file");
	bench_free(b);
}

static bool all_written(void *arg)
{
	struct hearing *h = arg;
	while (h->n < 2 * MANAGEMENT_LINE_MAX) {
		static const char junk[4096] = {'x'};
		ssize_t n = send(h->b->peer, junk, sizeof junk, MSG_DONTWAIT);
		if (n <= 0)
			return false;
		h->n += (size_t)n;
	}
	return true;
}

static void test_line_without_end(void **state)
{
	struct bench *b = bench_connected();
	struct hearing h = {.b = b};
	(void)state;
	assert_true(loop_until(&b->loop, all_written, &h));
	assert_int_equal(fcntl(b->peer, F_SETFL, 0), 0);
	daemon_says(b, "\r\n>INFO:still here\r\n");
	await(b, 3);
	bool line_first = b->seen[1].kind == EVENT_LINE;
	expect_line(b, line_first ? 1 : 2, ">INFO:still here");
	expect_change(b, line_first ? 2 : 1, LINK_OVERLONG, "64 KiB");
	bench_free(b);
}

static bool hung_up(void *arg)
{
	struct hearing *h = arg;
	ssize_t n = recv(h->b->peer, h->heard + h->n, sizeof h->heard - h->n, MSG_DONTWAIT);
	h->n += n > 0 ? (size_t)n : 0;
	return n == 0;
}

/* Nothing of the last words is lost, not even where the daemon has said more than was read. */
static void test_last_words(void **state)
{
	struct bench *b = bench_connected();
	struct hearing h = {.b = b};
	const char *last = management_command_text(COMMAND_PUT_BACK);
	(void)state;
	daemon_says(b, ">INFO:unread\r\n");
	link_send(b->link, COMMAND_PUT_BACK);
	link_free(b->link);
	b->link = NULL;
	assert_true(loop_until(&b->loop, hung_up, &h));
	assert_int_equal(h.n, strlen(last));
	assert_memory_equal(h.heard, last, h.n);
	assert_int_equal(b->n_seen, 1);
	daemon_says(b, "SUCCESS: bytecount interval changed\r\n"); /* it is still read */
	hang_up(&b->peer);
	uint64_t before = uv_hrtime();
	bench_free(b);
	assert_true(uv_hrtime() - before < LINK_PART_MS / 2 * UINT64_C(1000000));
}

static void test_last_words_to_the_deaf(void **state)
{
	struct bench *b = bench_connected();
	(void)state;
	link_send(b->link, COMMAND_PUT_BACK);
	link_free(b->link);
	b->link = NULL;
	bench_free(b); /* its loop ends though the daemon does not hang up */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines_however_torn),
	    cmocka_unit_test(test_since_when_a_line_is_there),
	    cmocka_unit_test(test_prompt_without_a_newline),
	    cmocka_unit_test(test_nothing_is_said_unasked),
	    cmocka_unit_test(test_commands),
	    cmocka_unit_test(test_commands_to_nobody),
	    cmocka_unit_test(test_daemon_that_does_not_read),
	    cmocka_unit_test(test_password),
	    cmocka_unit_test(test_password_without_a_file),
	    cmocka_unit_test(test_line_without_end),
	    cmocka_unit_test(test_last_words),
	    cmocka_unit_test(test_last_words_to_the_deaf),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
