/* SPDX-License-Identifier: MIT
 *
 * A prober, and a fake OpenVPN server in the same loop.
 */
#include "io/prober.h"
#include "proto/wire.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "unit/loop_fixture.h"

/* --- the name service: getaddrinfo() of this program, which libuv's threads call --- */

static pthread_mutex_t names = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t names_changed = PTHREAD_COND_INITIALIZER;
static bool names_hang;	   /* the name service does not answer */
static bool names_entered; /* somebody waits for it */
static bool names_fail;
static unsigned names_asked;

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
	struct addrinfo *a = calloc(1, sizeof *a);
	struct sockaddr_in *in = calloc(1, sizeof *in);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a->ai_family = AF_INET;
	a->ai_addr = (struct sockaddr *)in;
	a->ai_addrlen = sizeof *in;
	*out = a;
	return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
	if (a != NULL)
		free(a->ai_addr);
	free(a);
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

/* --- what the prober reports --- */

static struct event seen[64];
static char reasons[64][200];
static unsigned n_seen;
static struct prober *prober;
static struct tunnel *const tunnel = (struct tunnel *)(uintptr_t)0x1234;
static bool in_send;
static void (*then)(const struct event *e); /* what the sink does besides */

static void sink(void *arg, const struct event *e)
{
	assert_ptr_equal(arg, seen);
	assert_false(in_send);
	assert_int_equal(e->kind, EVENT_PROBE);
	assert_ptr_equal(e->tunnel, tunnel);
	assert_true(n_seen < 64);
	seen[n_seen] = *e;
	snprintf(reasons[n_seen], sizeof reasons[0], "%s",
		 e->u.probe.reason != NULL ? e->u.probe.reason : "");
	n_seen++;
	if (then != NULL)
		then(e);
}

static void probe(unsigned id)
{
	in_send = true;
	prober_send(prober, id);
	in_send = false;
}

static struct control_key key_of(enum control_wrap wrap, const char *digest)
{
	struct control_key k = {.wrap = wrap, .direction = KEY_INVERSE};
	for (size_t i = 0; i < sizeof k.key.bytes; i++)
		k.key.bytes[i] = (uint8_t)(i * 7 + 3);
	snprintf(k.digest, sizeof k.digest, "%s", digest);
	return k;
}

static void open_prober(const char *host, uint16_t port, const struct control_key *k)
{
	struct profile_remote remote = {.port = port, .proto = PROTO_UDP};
	snprintf(remote.host, sizeof remote.host, "%s", host);
	n_seen = 0;
	then = NULL;
	assert_int_equal(prober_open(&prober, &loop, &remote, k, tunnel, sink, seen), 0);
}

static void close_prober(void)
{
	unsigned before = n_seen;
	prober_close(prober);
	loop_drain();
	assert_int_equal(n_seen, before);
}

/* --- the server: answers a reset under its own key, as mudp.c does --- */

#define SERVER_TIME 1795496580u

static struct control_key server_key;
static enum { ANSWER_RIGHT, ANSWER_WRONG_MAC, ANSWER_OTHER_SESSION, ANSWER_JUNK_FIRST } manner;

static size_t build_reply(const uint8_t *session, uint8_t *out)
{
	bool auth = server_key.wrap == WRAP_TLS_AUTH;
	size_t mac_size = auth ? 20 : 0, stamp_size = auth ? 8 : 0;
	uint8_t body[1 + 4 + 8 + 4] = {1};
	memcpy(body + 5, session, 8);
	out[0] = 8 << 3;
	memset(out + 1, 0x77, 8);
	uint8_t *stamp = out + 9 + mac_size;
	if (auth) {
		wire_put(stamp, 1, 4);
		wire_put(stamp + 4, SERVER_TIME, 4);
	}
	memcpy(stamp + stamp_size, body, sizeof body);
	if (auth) {
		uint8_t text[8 + 9 + sizeof body];
		memcpy(text, stamp, 8);
		memcpy(text + 8, out, 9);
		memcpy(text + 17, body, sizeof body);
		/* The server sends with what the client (inverse) receives with. */
		const uint8_t *k = static_key_hmac(&server_key.key, KEY_INVERSE, false);
		unsigned n = 0;
		assert_non_null(HMAC(EVP_sha1(), k, 20, text, sizeof text, out + 9, &n));
		assert_int_equal(n, 20);
	}
	return 9 + mac_size + stamp_size + sizeof body;
}

static void server_answers(struct fake_server *s, const uint8_t *bytes, size_t n,
			   const struct sockaddr *from)
{
	uint8_t out[256], session[8];
	assert_int_equal(n, server_key.wrap == WRAP_TLS_AUTH ? 42 : 14);
	assert_int_equal(bytes[0], 7 << 3);
	memcpy(session, bytes + 1, 8);
	if (manner == ANSWER_OTHER_SESSION)
		session[0] ^= 1;
	size_t size = build_reply(session, out);
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

static void wrong_mac_is_told_in_the_end(void **state)
{
	(void)state;
	server_key = key_of(WRAP_TLS_AUTH, "SHA1");
	manner = ANSWER_WRONG_MAC;
	assert_true(fake_open(&server, "127.0.0.1", 0));
	open_prober("127.0.0.1", server.port, &server_key);
	probe(9);
	loop_until(&n_seen, 1);
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

static void send_again(const struct event *e)
{
	if (e->u.probe.id < 10)
		prober_send(prober, e->u.probe.id + 1);
}

static void close_in_sink(const struct event *e)
{
	(void)e;
	prober_close(prober);
	prober = NULL;
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
	    LOOP_TEST(closed_while_resolving),
	    LOOP_TEST(hanging_names_do_not_hold_up_probes),
	    LOOP_TEST(sink_may_send_and_close),
	    LOOP_TEST(closed_with_probes_in_flight),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	uv_library_shutdown();
	return failed;
}
