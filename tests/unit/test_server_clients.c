/* SPDX-License-Identifier: MIT
 *
 * The table of a server's clients. What is made of it is in tests/scenarios/server_*.scn.
 */
#include "core/server_clients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define S NSEC_PER_SEC

static struct server_clients *c;
static struct stamp now;
static struct client_end ended;
static struct client_eviction eviction;

static int setup(void **state)
{
	(void)state;
	c = server_clients_new();
	assert_non_null(c);
	now = (struct stamp){.mono = 1000 * S};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_clients_free(c);
	return 0;
}

static void line(const char *text)
{
	(void)server_clients_status(c, slice_from(text), &now);
}

static void begin(void)
{
	line("TITLE\tOpenVPN 2.6.14");
	line("TIME\t2026-11-24 04:17:15\t1795493835");
	line("HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tBytes "
	     "Received\tBytes Sent\tConnected Since (time_t)\tClient ID");
}

static void lists(const char *name, const char *address, unsigned id)
{
	char text[256];
	snprintf(text, sizeof text, "CLIENT_LIST\t%s\t%s\t10.8.0.2\t1\t2\t1795493805\t%u", name,
		 address, id);
	line(text);
}

static void done(void)
{
	server_clients_status_end(c, true, &now);
}

static void log_line(const char *text)
{
	struct log_fact fact;
	log_text_parse(slice_from(text), &fact);
	server_clients_log(c, &fact, &now, &ended, &eviction);
}

/* The next news is this, of this one. */
static struct server_client *news(enum client_change change, const char *name)
{
	static struct server_client told;
	size_t at = 0;
	struct server_client *e = server_clients_untold(c, &at);
	assert_non_null(e);
	assert_int_equal(e->news, change);
	assert_string_equal(e->name, name);
	told = *e;
	server_clients_told(c, e);
	return &told;
}

static void no_news(void)
{
	size_t at = 0;
	assert_null(server_clients_untold(c, &at));
	assert_int_equal(c->untold, 0);
}

static void who_is_there_is_no_news(void **state)
{
	(void)state;
	begin();
	lists("alice", "192.0.2.1:1194", 0);
	lists("UNDEF", "192.0.2.66:1194", 1);
	done();
	assert_int_equal(c->connected, 1);
	no_news();
	begin();
	lists("alice", "192.0.2.1:1194", 0);
	done();
	no_news();
	begin();
	done();
	struct server_client *e = news(CLIENT_DISCONNECTED, "alice");
	assert_int_equal(e->lasted, 30 * S);
	assert_string_equal(e->reason, "");
	assert_int_equal(e->received, 1);
	no_news();
}

static void the_log_and_the_status_are_one(void **state)
{
	(void)state;
	begin();
	done();
	log_line("alice/192.0.2.1:1194 MULTI: Learn: 10.8.0.2 -> alice/192.0.2.1:1194");
	(void)news(CLIENT_CONNECTED, "alice");
	log_line("alice/192.0.2.1:1194 MULTI: Learn: 10.9.0.0/24 -> alice/192.0.2.1:1194");
	begin();
	lists("alice", "192.0.2.1:1194", 7);
	done();
	no_news();
	now.mono += 10 * S;
	log_line("alice/192.0.2.1:1194 SIGUSR1[soft,ping-restart] received, client-instance "
		 "restarting");
	assert_true(ended.ended);
	assert_int_equal(ended.before, 1);
	log_line("alice/192.0.2.1:1194 SIGUSR1[soft,ping-restart] received, client-instance "
		 "restarting");
	assert_false(ended.ended);
	struct server_client *e = news(CLIENT_DISCONNECTED, "alice");
	assert_string_equal(e->reason, "ping-restart");
	assert_string_equal(e->virtual_ip, "10.8.0.2");
	assert_int_equal(e->lasted, 10 * S);
	begin();
	done();
	no_news();
}

static void another_session_at_the_same_address(void **state)
{
	(void)state;
	begin();
	lists("alice", "192.0.2.1:1194", 3);
	done();
	begin();
	lists("alice", "192.0.2.1:1194", 4);
	done();
	assert_int_equal(c->connected, 1);
	(void)news(CLIENT_DISCONNECTED, "alice");
	(void)news(CLIENT_CONNECTED, "alice"); /* both at once: it is not known which came first */
	no_news();
}

static void a_client_that_floats(void **state)
{
	(void)state;
	begin();
	lists("alice", "192.0.2.1:1194", 3);
	done();
	begin();
	lists("alice", "198.51.100.7:4000", 3);
	done();
	no_news();
	log_line("alice/198.51.100.7:4000 SIGTERM[soft,remote-exit] received, client-instance "
		 "exiting");
	assert_false(ended.ended); /* it left by itself */
	(void)news(CLIENT_DISCONNECTED, "alice");
}

static void who_comes_back(void **state)
{
	(void)state;
	begin();
	lists("alice", "192.0.2.1:1", 0);
	lists("bob", "192.0.2.2:1", 1);
	done();
	log_line(
	    "alice/192.0.2.1:1 SIGUSR1[soft,ping-restart] received, client-instance restarting");
	log_line("bob/192.0.2.2:1 SIGTERM[soft,remote-exit] received, client-instance exiting");
	(void)news(CLIENT_DISCONNECTED, "alice");
	(void)news(CLIENT_DISCONNECTED, "bob");
	now.mono += 12 * S;
	log_line("MULTI: Learn: 10.8.0.2 -> alice/192.0.2.1:2");
	struct server_client *e = news(CLIENT_RESTARTED, "alice");
	assert_int_equal(e->away, 12 * S);
	assert_string_equal(e->reason, "ping-restart");
	log_line("MULTI: Learn: 10.8.0.3 -> bob/192.0.2.2:2");
	(void)news(CLIENT_CONNECTED, "bob");
	/* With duplicate-cn it is another one. */
	log_line("MULTI: Learn: 10.8.0.4 -> alice/192.0.2.9:9");
	(void)news(CLIENT_CONNECTED, "alice");
	assert_int_equal(c->connected, 3);
	/* After a while nobody remembers. */
	log_line("bob/192.0.2.2:2 SIGUSR1[soft,ping-restart] received, client-instance restarting");
	(void)news(CLIENT_DISCONNECTED, "bob");
	now.mono += SERVER_CLIENT_KEPT + 1;
	log_line("MULTI: Learn: 10.8.0.3 -> bob/192.0.2.2:3");
	(void)news(CLIENT_CONNECTED, "bob");
}

static void evicted(void **state)
{
	(void)state;
	begin();
	lists("alice", "192.0.2.1:1", 0);
	lists("bob", "192.0.2.2:1", 1);
	done();
	log_line("alice/192.0.2.7:2 MULTI: new connection by client 'alice' will cause previous "
		 "active sessions by this client to be dropped.");
	assert_true(eviction.evicted);
	assert_string_equal(eviction.loser, "192.0.2.1:1");
	assert_string_equal(eviction.winner, "192.0.2.7:2");
	struct server_client *e = news(CLIENT_EVICTED, "alice");
	assert_string_equal(e->other_address, "192.0.2.7:2");
	log_line("MULTI: Learn: 10.8.0.2 -> alice/192.0.2.7:2");
	(void)news(CLIENT_CONNECTED, "alice");
	/* OpenVPN 2.6 does not say by whom, but who came just before. */
	log_line("192.0.2.8:3 [alice] Peer Connection Initiated with [AF_INET]192.0.2.8:3");
	log_line("MULTI: new connection by client 'alice' will cause previous active sessions");
	assert_string_equal(eviction.winner, "192.0.2.8:3");
	assert_string_equal(eviction.loser, "192.0.2.7:2");
	(void)news(CLIENT_EVICTED, "alice");
	log_line("192.0.2.9:3 [carol] Peer Connection Initiated with [AF_INET]192.0.2.9:3");
	log_line("MULTI: new connection by client 'bob' will cause previous active sessions");
	assert_string_equal(eviction.winner, "");
	(void)news(CLIENT_EVICTED, "bob");
	log_line("MULTI: new connection by client 'nobody' will cause previous active sessions");
	assert_false(eviction.evicted);
}

static void a_status_that_is_cut_judges_nobody(void **state)
{
	(void)state;
	begin();
	lists("alice", "192.0.2.1:1", 0);
	done();
	begin();
	line("CLIENT_LIST\tali");
	done();
	no_news();
	begin();
	server_clients_status_end(c, false, &now);
	no_news();
	server_clients_status_end(c, true, &now); /* an END of its own */
	no_news();
	assert_int_equal(c->connected, 1);
}

static void no_more_than_the_table_holds(void **state)
{
	char address[64];
	(void)state;
	begin();
	for (unsigned i = 0; i < SERVER_CLIENTS_MAX + 3; i++) {
		snprintf(address, sizeof address, "192.0.2.%u:%u", i / 256, i % 256);
		lists("alice", address, i);
	}
	done();
	assert_int_equal(c->connected, SERVER_CLIENTS_MAX);
	assert_int_equal(c->left_out, 3);
	begin();
	lists("alice", "192.0.2.0:0", 0);
	done();
	assert_int_equal(c->connected, 1);
	assert_int_equal(c->left_out, 0);
	assert_int_equal(c->untold, SERVER_CLIENTS_MAX - 1);
	/* What was not told is not forgotten for somebody new. */
	log_line("MULTI: Learn: 10.8.0.3 -> bob/192.0.2.2:3");
	assert_int_equal(c->left_out, 1);
}

static void dropped_and_forgotten(void **state)
{
	(void)state;
	begin();
	lists("alice", "192.0.2.1:1", 0);
	done();
	server_clients_dropped(c, "SIGHUP", &now);
	assert_string_equal(news(CLIENT_DISCONNECTED, "alice")->reason, "SIGHUP");
	assert_int_equal(c->connected, 0);
	lists("bob", "192.0.2.2:1", 0); /* out of any list */
	assert_int_equal(c->connected, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(who_is_there_is_no_news, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_log_and_the_status_are_one, setup, teardown),
	    cmocka_unit_test_setup_teardown(another_session_at_the_same_address, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_client_that_floats, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_comes_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(evicted, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_status_that_is_cut_judges_nobody, setup, teardown),
	    cmocka_unit_test_setup_teardown(no_more_than_the_table_holds, setup, teardown),
	    cmocka_unit_test_setup_teardown(dropped_and_forgotten, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
