/* SPDX-License-Identifier: MIT
 *
 * What the hands of a tunnel turn to, on loopback: where its echo requests go, which remote is
 * another, and whether the route is watched. (Links and probes: test_app.c, test_link.c.)
 */
#include "core/tunnel.h"
#include "io/hands.h"

#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "unit/loop_fixture.h"

#include <stdio.h>

static struct event seen[64];
static unsigned n_seen, n_routes, n_echoes, n_others;
static struct tunnel client;
static struct hands hands;
static struct profile profile;
static const struct control_key key = {.wrap = WRAP_TLS_AUTH, .digest = "SHA1"};
static bool in_call;

static void sink(void *arg, const struct event *e)
{
	assert_ptr_equal(arg, seen);
	assert_false(in_call);
	assert_ptr_equal(e->tunnel, &client);
	assert_true(n_seen < 64);
	seen[n_seen++] = *e;
	n_routes += e->kind == EVENT_ROUTE;
	n_echoes += e->kind == EVENT_ECHO;
	n_others += e->kind == EVENT_OTHER_REMOTE;
}

static int begin(void **state)
{
	memset(&client, 0, sizeof client);
	memset(&hands, 0, sizeof hands);
	memset(&profile, 0, sizeof profile);
	n_seen = n_routes = n_echoes = n_others = 0;
	loop_begin(state);
	loop_clock_begin();
	return 0;
}

static int end(void **state)
{
	loop_clock_end();
	return loop_end(state);
}

static void remote(const char *host, uint16_t port)
{
	struct profile_remote *r = &profile.remotes[profile.n_remotes++];
	r->port = port;
	snprintf(r->host, sizeof r->host, "%s", host);
}

/* With a profile if that has a remote. */
static void open_hands(void)
{
	struct app_tunnel t = {.tunnel = &client};
	if (profile.n_remotes > 0) {
		t.remote = &profile.remotes[0];
		t.key = &key;
		t.follow = &profile;
	}
	assert_int_equal(hands_open(&hands, &loop, &t, sink, seen), 0);
}

static void close_hands(void)
{
	unsigned before = n_seen;
	hands_close(&hands);
	hands_close(&hands);
	loop_drain();
	hands_done(&hands);
	assert_int_equal(n_seen, before);
}

static void connected_to(const char *ip, int port)
{
	client.state = STATE_CONNECTED;
	snprintf(client.remote_ip, sizeof client.remote_ip, "%s", ip);
	snprintf(client.local_ip, sizeof client.local_ip, "10.8.0.42");
	client.remote_port = port;
	in_call = true;
	hands_follow(&hands);
	in_call = false;
}

static void act(enum action_kind kind, unsigned id)
{
	const struct action a = {.kind = kind, .tunnel = &client, .id = id};
	in_call = true;
	hands_do(&hands, &a);
	in_call = false;
}

/* What becomes of an echo request; its reason or, if it was answered, "". */
static const char *echo(unsigned id)
{
	unsigned n = n_seen;
	act(ACTION_ECHO, id);
	loop_until(&n_echoes, n_echoes + 1);
	while (seen[n].kind != EVENT_ECHO)
		n++;
	assert_int_equal(seen[n].u.echo.id, id);
	assert_int_equal(seen[n].u.echo.outcome == ECHO_ANSWERED, seen[n].u.echo.reason == NULL);
	return seen[n].u.echo.reason != NULL ? seen[n].u.echo.reason : "";
}

#define UNKNOWN	    "the server's address is not known yet"
#define NOT_ALLOWED "this user may not send echo requests"

/* It went to 127.0.0.1, if this user may. */
static void echo_went_out(unsigned id)
{
	const char *said = echo(id);
	if (strcmp(said, NOT_ALLOWED) != 0)
		assert_string_equal(said, "");
}

static void echo_where_the_daemon_says(void **state)
{
	(void)state;
	open_hands();
	assert_string_equal(echo(1), UNKNOWN);
	client.state = STATE_CONNECTED;
	hands_follow(&hands); /* it did not say where */
	assert_string_equal(echo(2), UNKNOWN);
	connected_to("\x1b[2J", 1194);
	assert_string_equal(echo(3), UNKNOWN);
	connected_to("127.0.0.1", -1);
	echo_went_out(4);
	client.state = STATE_RECONNECTING; /* it was there last */
	hands_follow(&hands);
	echo_went_out(5);
	close_hands();
}

static void echo_where_the_profile_says(void **state)
{
	(void)state;
	remote("127.0.0.1", 9);
	open_hands();
	echo_went_out(1);
	close_hands();
}

static void route_where_the_daemon_runs(void **state)
{
	(void)state;
	open_hands();
	connected_to("127.0.0.1", 1194); /* it runs elsewhere */
	assert_null(hands.route);
	close_hands();

	memset(&hands, 0, sizeof hands);
	client.config.same_machine = true;
	open_hands();
	client.state = STATE_CONNECTING;
	hands_follow(&hands);
	assert_null(hands.route);
	connected_to("127.0.0.1", 1194);
	if (hands.route != NULL) {
		loop_until(&n_routes, 1);
		assert_int_equal(n_routes, 1);
	}
	connected_to("127.0.0.1", 1194);
	close_hands();
}

static void another_remote(void **state)
{
	struct fake_server here = {.answer = NULL}, there = {.answer = NULL};
	(void)state;
	open_hands();
	act(ACTION_PROBE_OTHER, 1); /* no profile, no other */
	close_hands();

	assert_true(fake_open(&here, "127.0.0.1", 0));
	assert_true(fake_open(&there, "127.0.0.2", 0));
	memset(&hands, 0, sizeof hands);
	remote("127.0.0.1", here.port);
	remote("127.0.0.2", there.port);
	open_hands();
	act(ACTION_PROBE_OTHER, 1);
	loop_until(&there.heard, 1);
	connected_to("127.0.0.2", there.port);
	act(ACTION_PROBE_OTHER, 2);
	loop_until(&here.heard, 1);
	act(ACTION_PROBE, 3);
	loop_until(&there.heard, 2);
	fake_close(&here);
	uv_run(&loop, UV_RUN_NOWAIT);
	act(ACTION_PROBE_OTHER, 4);
	loop_until(&n_others, 1);
	assert_int_equal(seen[0].u.other_remote.id, 4);
	assert_int_equal(seen[0].u.other_remote.outcome, PROBE_REFUSED);
	assert_non_null(strstr(seen[0].u.other_remote.remote, "127.0.0.1:"));
	fake_close(&there);
	close_hands();
}

#define HANDS_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HANDS_TEST(echo_where_the_daemon_says),
	    HANDS_TEST(echo_where_the_profile_says),
	    HANDS_TEST(route_where_the_daemon_runs),
	    HANDS_TEST(another_remote),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
