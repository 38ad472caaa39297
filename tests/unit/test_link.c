/* SPDX-License-Identifier: MIT
 *
 * The link against a daemon in the same loop: what it sends and how, and every way to lose it.
 */
#include "io/link.h"
#include "loop.h"
#include "proto/management.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* A tunnel is a name to the link, no more. */
#define TUNNEL ((struct tunnel *)0x7e57)

#define EVENTS_MAX 64

struct bench {
	uv_loop_t loop;
	struct link *link;
	struct address address;
	char folder[40];
	int listener, peer; /* the daemon's; -1: closed */
	struct {
		enum event_kind kind;
		enum link_change change;
		char text[200]; /* the line, or the reason */
		size_t n;
		struct stamp at, since;
	} seen[EVENTS_MAX];
	unsigned n_seen, wanted;
	bool close_on_event;
};

static void on_event(void *arg, const struct event *e)
{
	struct bench *b = arg;
	assert_ptr_equal(e->tunnel, TUNNEL);
	assert_true(b->n_seen < EVENTS_MAX);
	b->seen[b->n_seen].kind = e->kind;
	b->seen[b->n_seen].at = e->at;
	b->seen[b->n_seen].since = e->since;
	if (e->kind == EVENT_LINE) {
		b->seen[b->n_seen].n = e->u.line.n;
		slice_copy(e->u.line, b->seen[b->n_seen].text, sizeof b->seen[0].text);
	} else {
		assert_int_equal(e->kind, EVENT_LINK);
		b->seen[b->n_seen].change = e->u.link.change;
		snprintf(b->seen[b->n_seen].text, sizeof b->seen[0].text, "%s",
			 e->u.link.reason != NULL ? e->u.link.reason : "");
	}
	b->n_seen++;
	if (b->close_on_event)
		link_close(b->link);
}

static bool enough(void *arg)
{
	struct bench *b = arg;
	return b->n_seen >= b->wanted;
}

/* Turns the loop until `n` events in all were seen, and makes sure that there are no more. */
static void await(struct bench *b, unsigned n)
{
	b->wanted = n;
	assert_true(loop_until(&b->loop, enough, b));
	loop_turn(&b->loop, 5);
	assert_int_equal(b->n_seen, n);
}

static void expect_change(const struct bench *b, unsigned i, enum link_change change,
			  const char *reason)
{
	assert_int_equal(b->seen[i].kind, EVENT_LINK);
	assert_int_equal(b->seen[i].change, change);
	if (strstr(b->seen[i].text, reason) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", reason, b->seen[i].text);
}

static void expect_line(const struct bench *b, unsigned i, const char *line)
{
	assert_int_equal(b->seen[i].kind, EVENT_LINE);
	assert_string_equal(b->seen[i].text, line);
}

/* --- the daemon ------------------------------------------------------------------------------ */

static void listen_tcp(struct bench *b)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;
	b->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(b->listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(b->listener, 1), 0);
	assert_int_equal(getsockname(b->listener, (struct sockaddr *)&a, &size), 0);
	b->address = (struct address){.kind = ADDRESS_TCP, .port = ntohs(a.sin_port)};
	snprintf(b->address.host, sizeof b->address.host, "127.0.0.1");
}

static void listen_unix(struct bench *b, bool really)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	b->address = (struct address){.kind = ADDRESS_UNIX};
	snprintf(b->address.path, sizeof b->address.path, "%s/sock", b->folder);
	memcpy(a.sun_path, b->address.path, sizeof a.sun_path);
	b->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(b->listener, (struct sockaddr *)&a, sizeof a), 0);
	if (really)
		assert_int_equal(listen(b->listener, 1), 0);
}

static bool accepted(void *arg)
{
	struct bench *b = arg;
	b->peer = accept(b->listener, NULL, NULL);
	return b->peer >= 0;
}

static void hang_up(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void daemon_says(struct bench *b, const char *text)
{
	assert_int_equal(write(b->peer, text, strlen(text)), strlen(text));
}

struct hearing {
	struct bench *b;
	const char *expected;
	char heard[512];
	size_t n;
};

static bool heard_enough(void *arg)
{
	struct hearing *h = arg;
	ssize_t n = recv(h->b->peer, h->heard + h->n, sizeof h->heard - h->n, MSG_DONTWAIT);
	h->n += n > 0 ? (size_t)n : 0;
	return h->n >= strlen(h->expected);
}

static void daemon_hears(struct bench *b, const char *expected)
{
	struct hearing h = {.b = b, .expected = expected};
	assert_true(loop_until(&b->loop, heard_enough, &h));
	assert_int_equal(h.n, strlen(expected));
	assert_memory_equal(h.heard, expected, h.n);
}

/* --- the bench ------------------------------------------------------------------------------- */

static struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof *b);
	assert_non_null(b);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->listener = b->peer = -1;
	snprintf(b->folder, sizeof b->folder, "/tmp/ovpnwatch-test-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	return b;
}

static void bench_link(struct bench *b, const char *password_file)
{
	assert_int_equal(
	    link_new(&b->link, &b->loop, &b->address, password_file, TUNNEL, false, on_event, b),
	    0);
}

static void bench_connect(struct bench *b)
{
	unsigned before = b->n_seen;
	link_connect(b->link);
	assert_int_equal(b->n_seen, before); /* never from within the call */
	assert_true(loop_until(&b->loop, accepted, b));
	await(b, before + 1);
	expect_change(b, before, LINK_UP, "");
}

static struct bench *bench_connected(void)
{
	struct bench *b = bench_new();
	listen_tcp(b);
	bench_link(b, NULL);
	bench_connect(b);
	return b;
}

static void bench_free(struct bench *b)
{
	unsigned seen = b->n_seen;
	link_free(b->link);
	assert_true(loop_ends(&b->loop));
	assert_int_equal(b->n_seen, seen);
	hang_up(&b->peer);
	hang_up(&b->listener);
	if (b->address.kind == ADDRESS_UNIX)
		unlink(b->address.path);
	rmdir(b->folder);
	free(b);
}

/* --- tests ----------------------------------------------------------------------------------- */

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

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
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
	    cmocka_unit_test(test_lines_however_torn),
	    cmocka_unit_test(test_since_when_a_line_is_there),
	    cmocka_unit_test(test_prompt_without_a_newline),
	    cmocka_unit_test(test_nothing_is_said_unasked),
	    cmocka_unit_test(test_commands),
	    cmocka_unit_test(test_commands_to_nobody),
	    cmocka_unit_test(test_daemon_that_does_not_read),
	    cmocka_unit_test(test_password),
	    cmocka_unit_test(test_password_without_a_file),
	    cmocka_unit_test(test_end_of_file),
	    cmocka_unit_test(test_reset),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_name),
	    cmocka_unit_test(test_name_that_is_none),
	    cmocka_unit_test(test_free_while_a_name_is_looked_up),
	    cmocka_unit_test(test_unix_socket),
	    cmocka_unit_test(test_unix_socket_left_over),
	    cmocka_unit_test(test_unix_path_that_is_a_file),
	    cmocka_unit_test(test_line_without_end),
	    cmocka_unit_test(test_close_from_within_an_event),
	    cmocka_unit_test(test_close_while_connecting),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
