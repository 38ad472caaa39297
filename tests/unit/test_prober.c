/* SPDX-License-Identifier: MIT
 *
 * A prober, and a fake OpenVPN server in the same loop.
 */
#include "io/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <sys/syscall.h>
#include <unistd.h>

#include "unit/prober_fixture.h"

/* --- the name service: getaddrinfo() of this program, which other threads call --- */

static pthread_mutex_t names = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t names_changed = PTHREAD_COND_INITIALIZER;
static bool names_hang;	   /* the name service does not answer */
static bool names_entered; /* somebody waits for it */
static bool names_fail;
static unsigned names_asked;
static const char *names_tell[6] = {"127.0.0.1"};

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **out)
{
	(void)node;
	(void)service;
	pthread_mutex_lock(&names);
	names_asked++;
	names_entered = true;
	pthread_cond_broadcast(&names_changed);
	while (names_hang)
		pthread_cond_wait(&names_changed, &names);
	bool fail = names_fail;
	pthread_mutex_unlock(&names);
	if (fail || hints->ai_family == AF_INET6)
		return EAI_NONAME;
	*out = NULL;
	for (int i = 5; i >= 0; i--) {
		if (names_tell[i] == NULL)
			continue;
		struct addrinfo *a = calloc(1, sizeof *a);
		struct sockaddr_storage *at = calloc(1, sizeof *at);
		assert_true(resolve_numeric(names_tell[i], 0, at));
		a->ai_family = at->ss_family;
		a->ai_addr = (struct sockaddr *)at;
		a->ai_addrlen = sizeof *at;
		a->ai_next = *out;
		*out = a;
	}
	return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
	while (a != NULL) {
		struct addrinfo *next = a->ai_next;
		free(a->ai_addr);
		free(a);
		a = next;
	}
}

/* --- the kernel: connect() of this program, which libuv calls too. 2001:db8::/32 has no route. */

int connect(int fd, const struct sockaddr *to, socklen_t size)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)to;
	if (to->sa_family == AF_INET6 && memcmp(&v6->sin6_addr, "\x20\x01\x0d\xb8", 4) == 0) {
		errno = ENETUNREACH;
		return -1;
	}
	return (int)syscall(SYS_connect, fd, to, size);
}

static void names_set(bool hang, bool fail)
{
	pthread_mutex_lock(&names);
	names_hang = hang;
	names_fail = fail;
	names_entered = false;
	pthread_cond_broadcast(&names_changed);
	pthread_mutex_unlock(&names);
}

static void names_wait_entered(void)
{
	pthread_mutex_lock(&names);
	while (!names_entered)
		pthread_cond_wait(&names_changed, &names);
	pthread_mutex_unlock(&names);
}

/* --- the server: answers a reset under its own key, as mudp.c does --- */

static struct control_key server_key;
static enum { ANSWER_RIGHT, ANSWER_WRONG_MAC, ANSWER_OTHER_SESSION, ANSWER_JUNK_FIRST } manner;

static void server_answers(struct fake_server *s, const uint8_t *bytes, size_t n,
			   const struct sockaddr *from)
{
	uint8_t out[256], session[8];
	assert_int_equal(n, server_key.wrap == WRAP_TLS_AUTH ? 42 : 14);
	assert_int_equal(bytes[0], 7 << 3);
	memcpy(session, bytes + 1, 8);
	if (manner == ANSWER_OTHER_SESSION)
		session[0] ^= 1;
	size_t size = reply_to(&server_key, session, out);
	if (manner == ANSWER_JUNK_FIRST) {
		uint8_t junk[4096] = {0};
		out[12] ^= 1; /* a wrong MAC */
		fake_send(s, out, size, from);
		out[12] ^= 1;
		fake_send(s, junk, sizeof junk, from);
		fake_send(s, junk, 0, from);
		fake_send(s, junk, 1, from);
		fake_send(s, out, size - 1, from);
	}
	if (manner == ANSWER_WRONG_MAC)
		out[12] ^= 1;
	fake_send(s, out, size, from);
}

static struct fake_server server = {.answer = server_answers};

static void answers_at(const char *ip, enum control_wrap wrap)
{
	server_key = key_of(wrap, "SHA1");
	manner = ANSWER_RIGHT;
	if (!fake_open(&server, ip, 0))
		skip();
	open_prober(ip, server.port, &server_key);
	for (unsigned id = 1; id <= 3; id++)
		probe(id);
	loop_until(&n_seen, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct event *e = &seen[i];
		assert_int_equal(e->u.probe.outcome, PROBE_ANSWERED);
		assert_int_equal(e->u.probe.has_time, wrap == WRAP_TLS_AUTH);
		if (wrap == WRAP_TLS_AUTH)
			assert_int_equal(e->u.probe.server_time, SERVER_TIME);
		assert_true(e->at.mono >= e->u.probe.sent.mono);
		assert_true(e->u.probe.sent.mono > 0);
		assert_null(e->u.probe.reason);
	}
	assert_true((1u << seen[0].u.probe.id | 1u << seen[1].u.probe.id |
		     1u << seen[2].u.probe.id) == 0xe);
	fake_close(&server);
	close_prober();
}

static void answered_with_the_time(void **state)
{
	(void)state;
	answers_at("127.0.0.1", WRAP_TLS_AUTH);
}

static void answered_over_ipv6(void **state)
{
	(void)state;
	answers_at("::1", WRAP_TLS_AUTH);
}

static void answered_without_time(void **state)
{
	(void)state;
	answers_at("127.0.0.1", WRAP_PLAIN);
}

static void true_answer_wins_over_junk(void **state)
{
	(void)state;
	server_key = key_of(WRAP_TLS_AUTH, "SHA1");
	manner = ANSWER_JUNK_FIRST;
	assert_true(fake_open(&server, "127.0.0.1", 0));
	open_prober("127.0.0.1", server.port, &server_key);
	probe(1);
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.probe.outcome, PROBE_ANSWERED);
	assert_int_equal(seen[0].u.probe.server_time, SERVER_TIME);
	fake_close(&server);
	close_prober();
	assert_int_equal(n_seen, 1);
}

static void count_socket(uv_handle_t *h, void *count)
{
	*(unsigned *)count += h->type == UV_UDP && !uv_is_closing(h);
}

/* But before a probe's time is over, or it would be too late for the core: the silent one's is
 * not. */
static void wrong_mac_is_told_in_the_end(void **state)
{
	(void)state;
	unsigned sockets = 0;
	struct fake_server silent = {.answer = NULL};
	server_key = key_of(WRAP_TLS_AUTH, "SHA1");
	manner = ANSWER_WRONG_MAC;
	assert_true(fake_open(&server, "127.0.0.1", 0));
	assert_true(fake_open(&silent, "127.0.0.1", 0));
	open_prober("127.0.0.1", silent.port, &server_key);
	probe(8);
	prober_redirect(prober, "127.0.0.1", server.port, false);
	probe(9);
	loop_until(&n_seen, 1);
	uv_walk(&loop, count_socket, &sockets);
	assert_int_equal(sockets, 3); /* the servers' own, and the silent probe's */
	fake_close(&silent);
	assert_int_equal(seen[0].u.probe.outcome, PROBE_BAD_MAC);
	assert_int_equal(seen[0].u.probe.id, 9);
	assert_non_null(strstr(reasons[0], "MAC"));
	fake_close(&server);
	close_prober();
}

/* A silent server and one that answers somebody else are the same: no event, and the sockets are
 * closed in the end (the loop runs out of things to do). */
static void no_answer_is_no_event(void **state)
{
	(void)state;
	struct fake_server silent = {.answer = NULL};
	server_key = key_of(WRAP_TLS_AUTH, "SHA1");
	manner = ANSWER_OTHER_SESSION;
	assert_true(fake_open(&server, "127.0.0.1", 0));
	assert_true(fake_open(&silent, "127.0.0.1", 0));
	open_prober("127.0.0.1", server.port, &server_key);
	probe(1);
	prober_redirect(prober, "127.0.0.1", silent.port, false);
	probe(2);
	loop_until(&server.heard, 1);
	loop_until(&silent.heard, 1);
	fake_close(&server);
	fake_close(&silent);
	loop_drain();
	assert_int_equal(n_seen, 0);
	close_prober();
}

static void refused(void **state)
{
	(void)state;
	struct control_key k = key_of(WRAP_TLS_AUTH, "SHA1");
	open_prober("127.0.0.1", closed_port(), &k);
	probe(5);
	assert_int_equal(n_seen, 0);
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.probe.outcome, PROBE_REFUSED);
	assert_int_equal(seen[0].u.probe.id, 5);
	assert_true(seen[0].u.probe.sent.mono > 0);
	assert_non_null(strstr(reasons[0], "refused"));
	close_prober();
}

/* Errors that the kernel has at once are told later, too: 255.255.255.255 is not permitted without
 * SO_BROADCAST. */
static void failed_to_send(void **state)
{
	(void)state;
	struct control_key k = key_of(WRAP_TLS_AUTH, "SHA1");
	open_prober("255.255.255.255", 1194, &k);
	probe(1);
	assert_int_equal(n_seen, 0);
	loop_until(&n_seen, 1);
	assert_true(seen[0].u.probe.outcome == PROBE_FAILED ||
		    seen[0].u.probe.outcome == PROBE_UNREACHABLE);
	assert_true(reasons[0][0] != '\0');
	close_prober();

	struct control_key odd = key_of(WRAP_TLS_AUTH, "no-such-digest");
	open_prober("127.0.0.1", 1194, &odd);
	probe(2);
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.probe.outcome, PROBE_FAILED);
	assert_non_null(strstr(reasons[0], "digest"));
	close_prober();
}

static void at_most_16_in_flight(void **state)
{
	(void)state;
	struct fake_server silent = {.answer = NULL};
	struct control_key k = key_of(WRAP_PLAIN, "");
	assert_true(fake_open(&silent, "127.0.0.1", 0));
	open_prober("127.0.0.1", silent.port, &k);
	for (unsigned id = 1; id <= 20; id++)
		probe(id);
	loop_until(&n_seen, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(seen[i].u.probe.id >= 17);
		assert_int_equal(seen[i].u.probe.outcome, PROBE_FAILED);
	}
	loop_until(&silent.heard, 16);
	fake_close(&silent);
	loop_drain();
	assert_int_equal(n_seen, 4);
	/* They are gone: there is room again. */
	probe(21);
	loop_until(&n_seen, 5);
	assert_int_equal(seen[4].u.probe.outcome, PROBE_REFUSED);
	close_prober();
}

static void names_are_resolved(void **state)
{
	(void)state;
	server_key = key_of(WRAP_TLS_AUTH, "SHA1");
	manner = ANSWER_RIGHT;
	names_asked = 0;
	names_set(false, true);
	assert_true(fake_open(&server, "127.0.0.1", 0));
	open_prober("vpn.example", server.port, &server_key);
	probe(1);
	probe(2);
	loop_until(&n_seen, 2);
	assert_int_equal(seen[0].u.probe.outcome, PROBE_FAILED);
	assert_int_equal(seen[1].u.probe.outcome, PROBE_FAILED);
	assert_non_null(strstr(reasons[0], "cannot resolve vpn.example"));
	assert_int_equal(names_asked, 1); /* one lookup for both */
	names_set(false, false);
	probe(3);
	loop_until(&n_seen, 3);
	assert_int_equal(seen[2].u.probe.outcome, PROBE_ANSWERED);
	assert_int_equal(names_asked, 2);
	names_set(false, true); /* it is known now: nobody asks */
	probe(4);
	loop_until(&n_seen, 4);
	assert_int_equal(seen[3].u.probe.outcome, PROBE_ANSWERED);
	assert_int_equal(names_asked, 2);
	fake_close(&server);
	close_prober();
}

/* An address without a route is passed over, at once. */
static void a_name_with_an_address_that_has_no_route(void **state)
{
	(void)state;
	server_key = key_of(WRAP_TLS_AUTH, "SHA1");
	manner = ANSWER_RIGHT;
	names_set(false, false);
	names_tell[0] = "2001:db8::1";
	names_tell[1] = "127.0.0.1";
	assert_true(fake_open(&server, "127.0.0.1", 0));
	open_prober("vpn.example", server.port, &server_key);
	for (unsigned id = 1; id <= 3; id++) {
		probe(id);
		loop_until(&n_seen, id);
		assert_int_equal(seen[id - 1].u.probe.outcome, PROBE_ANSWERED);
	}
	fake_close(&server);
	close_prober();

	names_tell[1] = NULL; /* none has one */
	open_prober("vpn.example", 1194, &server_key);
	probe(1);
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.probe.outcome, PROBE_UNREACHABLE);
	close_prober();
	names_tell[0] = "127.0.0.1";
}

/* One that never answered gives way to the next; one that has stays. */
static void a_name_with_an_address_that_does_not_answer(void **state)
{
	static const enum probe_outcome outcomes[] = {PROBE_REFUSED,  PROBE_REFUSED,
						      PROBE_ANSWERED, PROBE_ANSWERED,
						      PROBE_REFUSED,  PROBE_ANSWERED};
	(void)state;
	server_key = key_of(WRAP_TLS_AUTH, "SHA1");
	manner = ANSWER_RIGHT;
	names_set(false, false);
	names_tell[0] = "127.0.0.2";
	names_tell[1] = "127.0.0.3";
	names_tell[2] = "127.0.0.1";
	names_tell[3] = names_tell[4] = names_tell[5] = "127.0.0.4"; /* more than are kept */
	assert_true(fake_open(&server, "127.0.0.1", 0));
	open_prober("vpn.example", server.port, &server_key);
	for (unsigned id = 1; id <= 6; id++) {
		if (id == 5) {
			fake_close(&server);
			uv_run(&loop, UV_RUN_NOWAIT);
		} else if (id == 6) {
			assert_true(fake_open(&server, "127.0.0.1", server.port));
		}
		probe(id);
		loop_until(&n_seen, id);
		assert_int_equal(seen[id - 1].u.probe.outcome, outcomes[id - 1]);
	}
	fake_close(&server);
	close_prober();
	memset(names_tell, 0, sizeof names_tell);
	names_tell[0] = "127.0.0.1";
}

/* The name service hangs; the prober goes away meanwhile; then the answer comes. */
static void closed_while_resolving(void **state)
{
	(void)state;
	struct control_key k = key_of(WRAP_PLAIN, "");
	names_set(true, false);
	open_prober("vpn.example", 1194, &k);
	probe(1);
	names_wait_entered();
	prober_close(prober);
	uv_run(&loop, UV_RUN_NOWAIT);
	names_set(false, false);
	loop_drain();
	assert_int_equal(n_seen, 0);
}

static void hanging_names_do_not_hold_up_probes(void **state)
{
	(void)state;
	server_key = key_of(WRAP_TLS_AUTH, "SHA1");
	manner = ANSWER_RIGHT;
	names_set(true, false);
	assert_true(fake_open(&server, "127.0.0.1", 0));
	open_prober("vpn.example", 1, &server_key);
	probe(1);
	names_wait_entered();
	loop_until(&n_seen, 1); /* its time is over */
	assert_int_equal(seen[0].u.probe.outcome, PROBE_FAILED);
	assert_non_null(strstr(reasons[0], "does not answer"));
	probe(2); /* OpenVPN knows the address: what waits goes there */
	prober_redirect(prober, "not a number", 1, false);
	prober_redirect(prober, "::ffff:127.0.0.1", server.port, false);
	probe(3);
	loop_until(&n_seen, 3);
	assert_int_equal(seen[1].u.probe.outcome, PROBE_ANSWERED);
	assert_int_equal(seen[2].u.probe.outcome, PROBE_ANSWERED);
	names_set(false, false);
	fake_close(&server);
	close_prober();
}

static void sink_may_send_and_close(void **state)
{
	(void)state;
	struct control_key k = key_of(WRAP_PLAIN, "");
	open_prober("127.0.0.1", closed_port(), &k);
	then = send_again;
	probe(1);
	loop_until(&n_seen, 10);
	assert_int_equal(seen[9].u.probe.id, 10);
	close_prober();

	struct control_key odd = key_of(WRAP_TLS_AUTH, "no-such-digest"); /* fails at once */
	open_prober("127.0.0.1", 1, &odd);
	then = send_again;
	probe(1);
	loop_until(&n_seen, 10);
	close_prober();

	open_prober("127.0.0.1", 1, &odd);
	then = close_in_sink;
	for (unsigned id = 1; id <= 3; id++)
		probe(id);
	loop_until(&n_seen, 1);
	loop_drain();
	assert_int_equal(n_seen, 1); /* none after prober_close() */

	open_prober("127.0.0.1", closed_port(), &k);
	then = close_in_sink;
	for (unsigned id = 1; id <= 3; id++)
		probe(id);
	loop_until(&n_seen, 1);
	loop_drain();
	assert_int_equal(n_seen, 1);
}

static void closed_with_probes_in_flight(void **state)
{
	(void)state;
	struct fake_server silent = {.answer = NULL};
	struct control_key k = key_of(WRAP_PLAIN, "");
	assert_true(fake_open(&silent, "127.0.0.1", 0));
	open_prober("127.0.0.1", silent.port, &k);
	for (unsigned id = 1; id <= 20; id++) /* in flight, and failures that wait to be told */
		probe(id);
	fake_close(&silent);
	close_prober();
	assert_int_equal(n_seen, 0);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, loop_begin, loop_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(answered_with_the_time),
	    LOOP_TEST(answered_over_ipv6),
	    LOOP_TEST(answered_without_time),
	    LOOP_TEST(true_answer_wins_over_junk),
	    LOOP_TEST(wrong_mac_is_told_in_the_end),
	    LOOP_TEST(no_answer_is_no_event),
	    LOOP_TEST(refused),
	    LOOP_TEST(failed_to_send),
	    LOOP_TEST(at_most_16_in_flight),
	    LOOP_TEST(names_are_resolved),
	    LOOP_TEST(a_name_with_an_address_that_has_no_route),
	    LOOP_TEST(a_name_with_an_address_that_does_not_answer),
	    LOOP_TEST(closed_while_resolving),
	    LOOP_TEST(hanging_names_do_not_hold_up_probes),
	    LOOP_TEST(sink_may_send_and_close),
	    LOOP_TEST(closed_with_probes_in_flight),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	uv_library_shutdown();
	return failed;
}
