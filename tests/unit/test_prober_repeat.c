/* SPDX-License-Identifier: MIT
 *
 * A server that answers a second time, because nobody acknowledged its first answer, and one that
 * does not. The one thing here that takes real time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/prober_fixture.h"

/* Sooner than a network's duplicate would be told apart, and later. */
#define SOON_MS 300
#define LATE_MS 1150

/* The first reset is answered at once; after SOON_MS by what is right but comes too soon; at
 * LATE_MS by what is not right; and then, or not, by the server's reset again, which acknowledges
 * nothing any more (as OpenVPN 2.5 sends it). */
static struct control_key key;
static struct sockaddr_storage client;
static uint8_t session[CONTROL_SESSION_SIZE];
static uv_timer_t soon, late, later;
static bool repeats, forges, sent_again;

static void put(struct fake_server *s, const uint8_t *bytes, size_t n)
{
	fake_send(s, bytes, n, (const struct sockaddr *)&client);
}

static void on_soon(uv_timer_t *t)
{
	uint8_t out[256];
	put(t->data, out, reply_to(&key, session, out));
}

/* Its last byte is under the MAC; a plain one has none, but is of another session. */
static void on_late(uv_timer_t *t)
{
	uint8_t out[256];
	size_t n = reply_to(&key, session, out);
	out[key.wrap == WRAP_PLAIN ? 1 : n - 1] ^= 1;
	put(t->data, out, n);
	put(t->data, out, 0);
	put(t->data, out, 1);
	put(t->data, out, 9);
}

static void on_later(uv_timer_t *t)
{
	static const uint8_t body[1 + 4]; /* no acknowledgement; the packet's number */
	uint8_t out[256];
	sent_again = true;
	put(t->data, out, control_server_reply(&key, SERVER_TIME, body, sizeof body, out));
}

static void on_reset(struct fake_server *s, const uint8_t *bytes, size_t n,
		     const struct sockaddr *from)
{
	uint8_t out[256];
	assert_true(n > 9);
	if (s->heard == 1 && repeats) {
		memcpy(&client, from, sizeof(struct sockaddr_in));
		memcpy(session, bytes + 1, sizeof session);
		uv_timer_start(&soon, on_soon, SOON_MS, 0);
		uv_timer_start(&late, on_late, LATE_MS, 0);
		if (!forges)
			uv_timer_start(&later, on_later, LATE_MS + 50, 0);
	}
	n = reply_to(&key, bytes + 1, out);
	fake_send(s, out, n, from);
}

static struct fake_server server = {.answer = on_reset};

static void begin(bool repeat, bool forged)
{
	uv_timer_t *timers[] = {&soon, &late, &later};
	key = key_of(forged ? WRAP_PLAIN : WRAP_TLS_AUTH, "SHA1");
	repeats = repeat;
	sent_again = false;
	forges = forged;
	assert_true(fake_open(&server, "127.0.0.1", 0));
	for (int i = 0; i < 3; i++) {
		uv_timer_init(&loop, timers[i]);
		timers[i]->data = &server;
	}
	open_prober("127.0.0.1", server.port, &key);
}

static void end(void)
{
	fake_close(&server);
	uv_close((uv_handle_t *)&soon, NULL);
	uv_close((uv_handle_t *)&late, NULL);
	uv_close((uv_handle_t *)&later, NULL);
	close_prober();
}

static void count_socket(uv_handle_t *h, void *count)
{
	*(unsigned *)count += h->type == UV_UDP && !uv_is_closing(h);
}

/* Those of the prober. */
static unsigned sockets(void)
{
	unsigned n = 0;
	uv_walk(&loop, count_socket, &n);
	return n - 1;
}

static void told_once_and_then_known(void **state)
{
	(void)state;
	begin(true, false);
	probe(7);
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.probe.outcome, PROBE_ANSWERED);
	probe(8);
	loop_until(&n_seen, 2);
	assert_int_equal(seen[1].u.probe.outcome, PROBE_ANSWERED);
	assert_int_equal(sockets(), 2);
	loop_until(&n_seen, 3);
	assert_true(sent_again);
	assert_int_equal(seen[2].u.probe.outcome, PROBE_REPEATED);
	assert_int_equal(seen[2].u.probe.id, 7);
	assert_int_equal(seen[2].u.probe.sent.mono, seen[0].u.probe.sent.mono);
	assert_true(seen[2].at.mono - seen[0].at.mono >= NSEC_PER_SEC);
	assert_int_equal(sockets(), 0); /* neither is needed any more */
	probe(9);
	loop_until(&n_seen, 4);
	assert_int_equal(seen[3].u.probe.outcome, PROBE_ANSWERED);
	assert_int_equal(sockets(), 0);

	/* Of another server nothing is known. */
	prober_redirect(prober, "127.0.0.1", server.port, false);
	probe(10);
	loop_until(&n_seen, 5);
	assert_int_equal(sockets(), 0); /* it is the same */
	struct fake_server other = {.answer = on_reset};
	assert_true(fake_open(&other, "127.0.0.1", 0));
	repeats = false;
	prober_redirect(prober, "127.0.0.1", other.port, false);
	probe(11);
	loop_until(&n_seen, 6);
	assert_int_equal(sockets(), 2); /* with the other server's own */
	fake_close(&other);
	end();
}

/* Another session's reset is no repetition. */
static void stateless_after_two(void **state)
{
	(void)state;
	begin(true, true);
	for (unsigned id = 1; id <= 8; id++) {
		probe(id);
		loop_until(&n_seen, id);
	}
	assert_int_equal(sockets(), 4); /* no more than these */
	while (sockets() > 0 && !loop_hung)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(n_seen, 8);
	probe(9);
	loop_until(&n_seen, 9);
	assert_int_equal(seen[8].u.probe.outcome, PROBE_ANSWERED);
	assert_int_equal(sockets(), 0);
	end();
}

static void closed_while_waiting(void **state)
{
	(void)state;
	begin(true, false);
	probe(1);
	loop_until(&n_seen, 1);
	assert_int_equal(sockets(), 1);
	end();
	assert_int_equal(n_seen, 1);
}

static void close_on_repeat(const struct event *e)
{
	if (e->u.probe.outcome != PROBE_REPEATED)
		return;
	prober_close(prober);
	prober = NULL;
}

static void closed_by_the_sink(void **state)
{
	(void)state;
	begin(true, false);
	then = close_on_repeat;
	probe(1);
	loop_until(&n_seen, 2);
	assert_int_equal(seen[1].u.probe.outcome, PROBE_REPEATED);
	fake_close(&server);
	uv_close((uv_handle_t *)&soon, NULL);
	uv_close((uv_handle_t *)&late, NULL);
	uv_close((uv_handle_t *)&later, NULL);
	loop_drain();
	assert_int_equal(n_seen, 2);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, loop_begin, loop_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(told_once_and_then_known),
	    LOOP_TEST(stateless_after_two),
	    LOOP_TEST(closed_while_waiting),
	    LOOP_TEST(closed_by_the_sink),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	uv_library_shutdown();
	return failed;
}
