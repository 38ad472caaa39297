/* SPDX-License-Identifier: MIT
 *
 * The relay over real sockets, with a daemon and its clients in the same loop.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/link_fixture.h"

#include "io/relay_server.h"
#include "io/relay_connection.h"

#define BANNER "INFO:hello\r\n"

static struct relay_config config;
static struct relay_server *server;
static char path[2][sizeof((struct address *)0)->path];

/* A daemon whose banner has come, and a relay at path[0] and, read-only, at path[1]. */
static struct bench *bench_relay(const char *password_file)
{
	struct bench *b = bench_new();
	listen_tcp(b);
	bench_link(b, NULL);
	config = (struct relay_config){.n_addresses = 2, .password_file = password_file};
	for (unsigned i = 0; i < 2; i++) {
		struct relay_address *a = &config.addresses[i];
		snprintf(path[i], sizeof path[i], "%s/relay%u", b->folder, i);
		a->address = (struct address){.kind = ADDRESS_UNIX, .loopback = true};
		a->readonly = i == 1;
		memcpy(a->address.path, path[i], sizeof path[i]);
	}
	assert_int_equal(relay_server_open(&server, &b->loop, &config, b->link, "office"), 0);
	bench_connect(b);
	daemon_says(b, ">INFO:hello\r\n");
	await(b, 2);
	return b;
}

static void end(struct bench *b)
{
	relay_server_close(server);
	server = NULL;
	bench_free(b);
}

static int call(const char *at)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	assert_true(strlen(at) < sizeof a.sun_path);
	memcpy(a.sun_path, at, strlen(at));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void says(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

struct reading {
	int fd;
	const char *expected;
	char text[4096];
	size_t n;
	bool over;
};

static bool read_enough(void *arg)
{
	struct reading *r = arg;
	ssize_t n = recv(r->fd, r->text + r->n, sizeof r->text - 1 - r->n, MSG_DONTWAIT);
	r->n += n > 0 ? (size_t)n : 0;
	r->text[r->n] = '\0';
	r->over = n == 0 || (n < 0 && errno != EAGAIN);
	return r->over || (r->expected != NULL && r->n >= strlen(r->expected));
}

static void hears(struct bench *b, int fd, const char *text)
{
	struct reading r = {.fd = fd, .expected = text};
	assert_true(loop_until(&b->loop, read_enough, &r));
	assert_string_equal(r.text, text);
}

static void hears_the_end(struct bench *b, int fd)
{
	struct reading r = {.fd = fd};
	assert_true(loop_until(&b->loop, read_enough, &r));
	assert_true(r.over);
	assert_string_equal(r.text, "");
	close(fd);
}

/* --- conversations --------------------------------------------------------------------------- */

static void two_clients(void **state)
{
	struct bench *b = bench_relay(NULL);
	(void)state;
	int one = call(path[0]), two = call(path[1]);
	hears(b, one, ">" BANNER);
	hears(b, two, ">" BANNER);
	says(one, "pid\n");
	daemon_hears(b, "pid\nload-stats\n");
	says(two, "hold release\n");
	daemon_says(b, "SUCCESS: pid=7\r\nSUCCESS: nclients=0,bytesin=1,bytesout=2\r\n");
	hears(b, one, "SUCCESS: pid=7\r\n");
	hears(b, two,
	      "ERROR: the 'hold' command is not permitted here: this relay is read-only\r\n");
	assert_int_equal(b->n_seen, 2); /* none of it was ours */
	says(one, "exit\n");
	hears_the_end(b, one);
	close(two);
	loop_turn(&b->loop, 5);
	end(b);
}

static void own_commands_and_their_replies(void **state)
{
	struct bench *b = bench_relay(NULL);
	(void)state;
	relay_server_own(server, COMMAND_PID);
	daemon_hears(b, "pid\nload-stats\n");
	daemon_says(b, "SUCCESS: pid=7\r\nSUCCESS: nclients=0,bytesin=1,bytesout=2\r\n");
	await(b, 3);
	expect_line(b, 2, "SUCCESS: pid=7");
	end(b);
}

static void the_daemon_ends(void **state)
{
	struct bench *b = bench_relay(NULL);
	(void)state;
	int one = call(path[0]);
	hears(b, one, ">" BANNER);
	daemon_says(b, ">FATAL:no more\r\n");
	hang_up(&b->peer);
	await(b, 4);
	hears(b, one, ">FATAL:no more\r\n"); /* what it said last is still told */
	hears_the_end(b, one);
	int two = call(path[0]); /* waits for the next one */
	loop_turn(&b->loop, 5);
	bench_connect(b);
	daemon_says(b, ">INFO:hello\r\n");
	hears(b, two, ">" BANNER);
	close(two);
	end(b);
}

static void half_closed(void **state)
{
	struct bench *b = bench_relay(NULL);
	(void)state;
	int one = call(path[0]); /* echo pid | nc -N */
	says(one, "pid\n");
	shutdown(one, SHUT_WR);
	hears(b, one, ">" BANNER);
	daemon_hears(b, "pid\nload-stats\n");
	daemon_says(b, "SUCCESS: pid=7\r\nSUCCESS: nclients=0,bytesin=1,bytesout=2\r\n");
	hears(b, one, "SUCCESS: pid=7\r\n");
	hears_the_end(b, one);
	end(b);
}

static void passwords(void **state)
{
	char file[80];
	snprintf(file, sizeof file, "/tmp/ovpnwatch-test-%d", (int)getpid());
	write_file(file, "correct horse\n", 0600);
	struct bench *b = bench_relay(file);
	(void)state;
	int one = call(path[0]);
	hears(b, one, "ENTER PASSWORD:");
	says(one, "wrong\nwrong\n");
	hears(b, one, "ENTER PASSWORD:ENTER PASSWORD:");
	says(one, "wrong\n");
	hears_the_end(b, one);
	one = call(path[0]);
	says(one, "correct horse\n");
	hears(b, one, "ENTER PASSWORD:SUCCESS: password is correct\r\n>" BANNER);
	unlink(file); /* nobody gets in by that */
	int two = call(path[0]);
	hears_the_end(b, two);
	close(one);
	end(b);
}

static void browsers(void **state)
{
	struct bench *b = bench_relay(NULL);
	char byte;
	(void)state;
	int one = call(path[0]);
	hears(b, one, ">" BANNER);
	says(one, "POST / HTTP/1.1\r\n\r\nsignal SIGTERM\r\n");
	hears_the_end(b, one);
	assert_int_equal(recv(b->peer, &byte, 1, MSG_DONTWAIT), -1);
	end(b);
}

/* --- who does not keep up -------------------------------------------------------------------- */

static char flood[16384];

static bool flooded(void *arg)
{
	struct reading *r = arg; /* the slow one */
	ssize_t n = send(r->fd, flood, sizeof flood - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	r->n += n > 0 ? (size_t)n : 0;
	return r->n > 4 * RELAY_BACKLOG_MAX;
}

struct drain {
	int fd;
	size_t n;
};

static bool drained(void *arg)
{
	char text[65536];
	struct drain *d = arg;
	ssize_t n = recv(d->fd, text, sizeof text, MSG_DONTWAIT);
	d->n += n > 0 ? (size_t)n : 0;
	return n == 0;
}

static void a_slow_client_is_dropped(void **state)
{
	struct bench *b = bench_relay(NULL);
	(void)state;
	int slow = call(path[0]);
	hears(b, slow, ">" BANNER);
	struct drain slow_end = {.fd = slow}, fast = {.fd = call(path[0])};
	for (size_t i = 0; i < sizeof flood - 1; i++)
		flood[i] = i % 128 == 0 ? '>' : i % 128 == 127 ? '\n' : 'x';
	b->deaf = true;
	struct reading r = {.fd = b->peer};
	while (!flooded(&r)) {
		uv_run(&b->loop, UV_RUN_NOWAIT);
		drained(&fast);
	}
	for (int i = 0; i < 1000 && fast.n < r.n; i++) {
		uv_run(&b->loop, UV_RUN_NOWAIT);
		drained(&fast);
	}
	assert_true(fast.n > r.n); /* all of it, with its line ends, and the banner */
	assert_true(loop_until(&b->loop, drained, &slow_end));
	assert_true(slow_end.n < r.n);
	close(slow);
	close(fast.fd);
	end(b);
}

/* It sends and never reads; when what waits of it is full, it is not read any more. */
static bool stuffed(void *arg)
{
	struct reading *r = arg;
	ssize_t n = send(r->fd, "pid\n", 4, MSG_DONTWAIT | MSG_NOSIGNAL);
	r->over = n < 0;
	return r->over;
}

static void a_talkative_client_waits(void **state)
{
	struct bench *b = bench_relay(NULL);
	(void)state;
	struct reading r = {.fd = call(path[0])};
	for (int i = 0; i < 200000 && !stuffed(&r); i++)
		if (i % 64 == 0)
			uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_true(r.over); /* the kernel's buffer is full, not our memory */
	daemon_hears(b, "pid\nload-stats\n");
	int two = call(path[0]);
	says(two, "verb\n");
	hears(b, two, ">" BANNER);
	daemon_says(b, "SUCCESS: nclients=0,bytesin=1,bytesout=2\r\n");
	daemon_hears(b, "pid\nload-stats\n"); /* it came first */
	daemon_says(b, "SUCCESS: nclients=0,bytesin=1,bytesout=2\r\n");
	daemon_hears(b, "verb\nload-stats\n"); /* by turns */
	close(two);
	close(r.fd);
	end(b);
}

static void too_many_clients(void **state)
{
	struct bench *b = bench_relay(NULL);
	static int fds[RELAY_CONNECTIONS_MAX];
	(void)state;
	for (unsigned i = 0; i < RELAY_CONNECTIONS_MAX; i++) {
		fds[i] = call(path[0]);
		loop_turn(&b->loop, 2);
	}
	hears(b, fds[RELAY_CONNECTIONS_MAX - 1], ">" BANNER);
	hears_the_end(b, call(path[0]));
	close(fds[0]);
	loop_turn(&b->loop, 5);
	int one = call(path[1]);
	hears(b, one, ">" BANNER);
	close(one);
	for (unsigned i = 1; i < RELAY_CONNECTIONS_MAX; i++)
		close(fds[i]);
	end(b);
}

/* --- what may be served ---------------------------------------------------------------------- */

static void what_may_be_served(void **state)
{
	struct relay_config c = {.n_addresses = 1};
	struct address *a = &c.addresses[0].address;
	char error[400];
	(void)state;
	assert_true(address_parse("127.0.0.1:7505", a, error, sizeof error));
	assert_true(relay_config_check(&c, error, sizeof error));
	assert_true(address_parse("listen:127.0.0.1:7505", a, error, sizeof error));
	assert_false(relay_config_check(&c, error, sizeof error));
	assert_non_null(strstr(error, "leave \"listen:\" out"));
	assert_true(address_parse("192.0.2.1:7505", a, error, sizeof error));
	assert_false(relay_config_check(&c, error, sizeof error));
	assert_non_null(strstr(error, "--relay 192.0.2.1:7505: other machines"));
	assert_non_null(strstr(error, "--relay-allow-remote"));
	c.allow_remote = true;
	c.addresses[0].readonly = true;
	assert_false(relay_config_check(&c, error, sizeof error));
	assert_non_null(strstr(error, "--relay-readonly 192.0.2.1:7505: other machines"));
	c.password_file = "x";
	assert_true(relay_config_check(&c, error, sizeof error));
}

static void an_address_that_is_taken(void **state)
{
	struct bench *b = bench_relay(NULL), *other = bench_new();
	struct relay_server *second;
	(void)state;
	listen_tcp(other);
	bench_link(other, NULL);
	assert_int_equal(
	    relay_server_open(&second, &other->loop, &config, other->link, "office\033[0m"),
	    UV_EADDRINUSE);
	bench_free(other);
	int one = call(path[0]); /* and the first goes on */
	hears(b, one, ">" BANNER);
	close(one);
	end(b);
	assert_int_equal(access(path[0], F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(two_clients),
	    cmocka_unit_test(own_commands_and_their_replies),
	    cmocka_unit_test(the_daemon_ends),
	    cmocka_unit_test(half_closed),
	    cmocka_unit_test(passwords),
	    cmocka_unit_test(browsers),
	    cmocka_unit_test(a_slow_client_is_dropped),
	    cmocka_unit_test(a_talkative_client_waits),
	    cmocka_unit_test(too_many_clients),
	    cmocka_unit_test(what_may_be_served),
	    cmocka_unit_test(an_address_that_is_taken),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
