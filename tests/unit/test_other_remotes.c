/* SPDX-License-Identifier: MIT
 *
 * Other remotes of a profile, and fake OpenVPN servers in the same loop.
 */
#include "io/other_remotes.h"

#include <netdb.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "io/resolve.h"
#include "unit/prober_fixture.h"

/* --- the name service: getaddrinfo() of this program, which other threads call --- */

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **out)
{
	/* "a.example" is 127.0.0.1, "b.example" 127.0.0.2, … */
	char ip[] = "127.0.0.0";
	(void)service;
	(void)hints;
	if (strcmp(node + 1, ".example") != 0)
		return EAI_NONAME;
	ip[8] = (char)('1' + node[0] - 'a');
	struct addrinfo *a = calloc(1, sizeof *a);
	struct sockaddr_storage *at = calloc(1, sizeof *at);
	assert_true(resolve_numeric(ip, 0, at));
	a->ai_family = at->ss_family;
	a->ai_addr = (struct sockaddr *)at;
	a->ai_addrlen = sizeof *at;
	*out = a;
	return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
	if (a != NULL)
		free(a->ai_addr);
	free(a);
}

/* --- the servers and the profile --- */

static struct control_key key;
static struct profile profile;
static struct other_remotes *others;
static struct fake_server servers[2]; /* at 127.0.0.1 and 127.0.0.2, the same port */
static uint16_t port;

static void answers(struct fake_server *s, const uint8_t *bytes, size_t n,
		    const struct sockaddr *from)
{
	uint8_t out[256];
	assert_int_equal(n, 42);
	fake_send(s, out, reply_to(&key, bytes + 1, out), from);
}

static void open_servers(void)
{
	key = key_of(WRAP_TLS_AUTH, "SHA1");
	for (int i = 0; i < 2; i++)
		servers[i].answer = answers;
	assert_true(fake_open(&servers[0], "127.0.0.1", 0));
	port = servers[0].port;
	assert_true(fake_open(&servers[1], "127.0.0.2", port));
	profile = (struct profile){.n_remotes = 0};
}

static void close_servers(void)
{
	fake_close(&servers[0]);
	fake_close(&servers[1]);
}

static void remote(const char *host, unsigned at, enum profile_proto proto)
{
	struct profile_remote *r = &profile.remotes[profile.n_remotes++];
	*r = (struct profile_remote){.port = (uint16_t)at, .proto = proto};
	snprintf(r->host, sizeof r->host, "%s", host);
}

static void other_sink(void *arg, const struct event *e)
{
	assert_ptr_equal(arg, seen);
	assert_false(in_send);
	assert_int_equal(e->kind, EVENT_OTHER_REMOTE);
	assert_ptr_equal(e->tunnel, tunnel);
	assert_true(n_seen < 64);
	seen[n_seen++] = *e;
	if (then != NULL)
		then(e);
}

static void open_others(void)
{
	n_seen = 0;
	then = NULL;
	assert_int_equal(other_remotes_open(&others, &loop, &profile, &profile.remotes[0], &key,
					    tunnel, other_sink, seen),
			 0);
}

/* What was named stays while it is closed. */
static void close_others(void)
{
	unsigned before = n_seen;
	char first[64];
	snprintf(first, sizeof first, "%s", n_seen > 0 ? seen[0].u.other_remote.remote : "");
	other_remotes_close(others);
	loop_drain();
	assert_int_equal(n_seen, before);
	if (n_seen > 0)
		assert_string_equal(seen[0].u.other_remote.remote, first);
	other_remotes_free(others);
}

static void send_other(unsigned id)
{
	in_send = true;
	other_remotes_send(others, id);
	in_send = false;
}

static void use(const char *ip)
{
	struct sockaddr_storage used;
	assert_true(resolve_numeric(ip, port, &used));
	other_remotes_use(others, &used);
}

/* The next probe goes there, and this becomes of it. */
static void next_is(const char *host, unsigned at, const char *proto, enum probe_outcome outcome)
{
	char name[64];
	unsigned id = 100 + n_seen;
	const struct event *e = &seen[n_seen];
	snprintf(name, sizeof name, "%s:%u/%s", host, at, proto);
	send_other(id);
	loop_until(&n_seen, n_seen + 1);
	assert_string_equal(e->u.other_remote.remote, name);
	assert_int_equal(e->u.other_remote.id, id);
	assert_int_equal(e->u.other_remote.outcome, outcome);
	assert_true(e->u.other_remote.sent.mono > 0);
	assert_true(e->at.mono >= e->u.other_remote.sent.mono);
}

/* --- */

/* By UDP first, each in its turn; the same server by TCP is no other. */
static void each_in_its_turn(void **state)
{
	(void)state;
	open_servers();
	unsigned closed = closed_port();
	remote("127.0.0.1", port, PROTO_UDP);
	remote("127.0.0.1", closed, PROTO_TCP);
	remote("127.0.0.1", port, PROTO_TCP);
	remote("127.0.0.2", port, PROTO_UDP4);
	remote("127.0.0.3", port, PROTO_UDP);
	remote("127.0.0.2", port, PROTO_UDP);
	open_others();
	for (int i = 0; i < 2; i++) {
		next_is("127.0.0.2", port, "udp", PROBE_ANSWERED);
		next_is("127.0.0.3", port, "udp", PROBE_REFUSED);
		next_is("127.0.0.1", closed, "tcp", PROBE_REFUSED);
	}
	assert_int_equal(servers[0].heard, 0);
	close_servers();
	close_others();
}

static void there_is_none(void **state)
{
	(void)state;
	open_servers();
	remote("127.0.0.1", port, PROTO_UDP);
	remote("127.0.0.1", port, PROTO_TCP);
	open_others();
	send_other(1);
	use("127.0.0.1");
	send_other(2);
	close_servers();
	loop_drain();
	assert_int_equal(n_seen, 0);
	assert_int_equal(servers[0].heard, 0);
	close_others();
}

static void another_is_in_use_now(void **state)
{
	(void)state;
	open_servers();
	remote("127.0.0.1", port, PROTO_UDP);
	remote("127.0.0.2", port, PROTO_UDP);
	open_others();
	next_is("127.0.0.2", port, "udp", PROBE_ANSWERED);
	use("127.0.0.2");
	next_is("127.0.0.1", port, "udp", PROBE_ANSWERED);
	next_is("127.0.0.1", port, "udp", PROBE_ANSWERED);
	use("127.0.0.9"); /* the profile does not name it: both are another */
	next_is("127.0.0.2", port, "udp", PROBE_ANSWERED);
	next_is("127.0.0.1", port, "udp", PROBE_ANSWERED);
	close_servers();
	close_others();
}

/* Which of two names has the address in use, only the name service knows. */
static void names(void **state)
{
	(void)state;
	open_servers();
	remote("a.example", port, PROTO_UDP);
	remote("b.example", port, PROTO_UDP);
	open_others();
	use("127.0.0.2");
	send_other(1); /* b: it is found to be the one in use, and nothing is told */
	loop_until(&servers[1].heard, 1);
	next_is("a.example", port, "udp", PROBE_ANSWERED);
	next_is("a.example", port, "udp", PROBE_ANSWERED);
	assert_int_equal(servers[1].heard, 1);
	assert_int_equal(n_seen, 2);
	use("127.0.0.1");
	next_is("b.example", port, "udp", PROBE_ANSWERED);
	close_servers();
	close_others();
}

/* One name with the port can be the one in use, so it is. */
static void the_only_name_that_fits(void **state)
{
	(void)state;
	open_servers();
	remote("127.0.0.9", 1, PROTO_UDP);
	remote("b.example", port, PROTO_UDP);
	open_others();
	use("127.0.0.2");
	next_is("127.0.0.9", 1, "udp", PROBE_REFUSED);
	next_is("127.0.0.9", 1, "udp", PROBE_REFUSED);
	assert_int_equal(servers[1].heard, 0);
	close_servers();
	close_others();
}

static void four_at_most(void **state)
{
	(void)state;
	open_servers();
	remote("127.0.0.1", port, PROTO_UDP);
	remote("127.0.0.4", 1, PROTO_TCP);
	for (unsigned i = 1; i <= 8; i++)
		remote("127.0.0.3", i, PROTO_UDP);
	open_others();
	for (unsigned i = 0; i < 8; i++)
		next_is("127.0.0.3", 1 + i % 4, "udp", PROBE_REFUSED);
	close_servers();
	close_others();
}

static void over_ipv6(void **state)
{
	struct fake_server v6 = {.answer = answers};
	(void)state;
	open_servers();
	close_servers();
	if (!fake_open(&v6, "::1", 0)) {
		loop_drain();
		skip();
	}
	remote("127.0.0.1", port, PROTO_UDP);
	remote("::1", v6.port, PROTO_UDP6);
	open_others();
	next_is("[::1]", v6.port, "udp", PROBE_ANSWERED);
	fake_close(&v6);
	close_others();
}

static void close_in_other_sink(const struct event *e)
{
	(void)e;
	other_remotes_close(others);
}

static void sink_may_close(void **state)
{
	(void)state;
	open_servers();
	remote("127.0.0.1", port, PROTO_UDP);
	remote("127.0.0.2", port, PROTO_UDP);
	remote("b.example", port, PROTO_UDP);
	open_others();
	then = close_in_other_sink;
	for (unsigned id = 1; id <= 6; id++)
		send_other(id);
	loop_until(&n_seen, 1);
	close_servers();
	loop_drain();
	assert_int_equal(n_seen, 1);
	send_other(7); /* after the end: nothing */
	close_others();
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, loop_begin, loop_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(each_in_its_turn),
	    LOOP_TEST(there_is_none),
	    LOOP_TEST(another_is_in_use_now),
	    LOOP_TEST(names),
	    LOOP_TEST(the_only_name_that_fits),
	    LOOP_TEST(four_at_most),
	    LOOP_TEST(over_ipv6),
	    LOOP_TEST(sink_may_close),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	uv_library_shutdown();
	return failed;
}
