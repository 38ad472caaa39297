/* SPDX-License-Identifier: MIT
 *
 * A real loop for a test: bounded, and closed without leftovers; and a UDP server on loopback that
 * lives in it. The including test has cmocka.h before this.
 */
#ifndef OVPNWATCH_TESTS_LOOP_FIXTURE_H
#define OVPNWATCH_TESTS_LOOP_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <uv.h>

#define LOOP_GUARD_MS 30000 /* a hang is a failure, not a time-out of ctest */

static uv_loop_t loop;
static uv_timer_t loop_guard;
static bool loop_hung;

static void on_loop_guard(uv_timer_t *t)
{
	loop_hung = true;
	uv_stop(t->loop);
}

static int loop_begin(void **state)
{
	(void)state;
	loop_hung = false;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(uv_timer_init(&loop, &loop_guard), 0);
	assert_int_equal(uv_timer_start(&loop_guard, on_loop_guard, LOOP_GUARD_MS, 0), 0);
	uv_unref((uv_handle_t *)&loop_guard);
	return 0;
}

/* Runs until *count is `wanted` or more. */
static inline void loop_until(const unsigned *count, unsigned wanted)
{
	while (*count < wanted && !loop_hung && uv_run(&loop, UV_RUN_ONCE) != 0)
		;
	assert_false(loop_hung);
	assert_true(*count >= wanted);
}

/* Runs until nothing is left to do. */
static inline void loop_drain(void)
{
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_false(loop_hung);
}

static void loop_close_leftover(uv_handle_t *h, void *count)
{
	if (uv_is_closing(h))
		return;
	++*(unsigned *)count;
	uv_close(h, NULL);
}

/* Everything has been closed by the test. (What a failed test left is closed here, or it would keep
 * the loop for ever.) */
static int loop_end(void **state)
{
	unsigned leftovers = 0;
	(void)state;
	uv_close((uv_handle_t *)&loop_guard, NULL);
	uv_walk(&loop, loop_close_leftover, &leftovers);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(leftovers, 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	return 0;
}

/* Ends a turn of the loop (UV_RUN_ONCE) in which there was nothing but timers: libuv (1.44) would
 * go on to wait for a packet that may never come. */
static uv_timer_t loop_clock;

static inline void on_loop_clock(uv_timer_t *t)
{
	(void)t;
}

static inline void loop_clock_begin(void)
{
	assert_int_equal(uv_timer_init(&loop, &loop_clock), 0);
	assert_int_equal(uv_timer_start(&loop_clock, on_loop_clock, 1, 1), 0);
	uv_unref((uv_handle_t *)&loop_clock);
}

static inline void loop_clock_end(void)
{
	uv_close((uv_handle_t *)&loop_clock, NULL);
}

struct fake_server {
	uv_udp_t socket;
	uint16_t port;
	unsigned heard;
	void (*answer)(struct fake_server *s, const uint8_t *bytes, size_t n,
		       const struct sockaddr *from); /* NULL: silent */
};

static void fake_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
	static char room[65536];
	(void)h;
	(void)suggested;
	*out = uv_buf_init(room, sizeof room);
}

static void fake_receive(uv_udp_t *h, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
			 unsigned flags)
{
	struct fake_server *s = h->data;
	(void)flags;
	if (n < 0 || from == NULL)
		return;
	s->heard++;
	if (s->answer != NULL)
		s->answer(s, (const uint8_t *)buf->base, (size_t)n, from);
}

/* On a free port of 127.0.0.1 or ::1. False: there is no IPv6 here. */
static inline bool fake_open(struct fake_server *s, const char *ip, uint16_t port)
{
	struct sockaddr_storage at = {0};
	int size = sizeof at;
	if (strchr(ip, ':') != NULL)
		assert_int_equal(uv_ip6_addr(ip, port, (struct sockaddr_in6 *)&at), 0);
	else
		assert_int_equal(uv_ip4_addr(ip, port, (struct sockaddr_in *)&at), 0);
	assert_int_equal(uv_udp_init(&loop, &s->socket), 0);
	s->socket.data = s;
	s->heard = 0;
	if (uv_udp_bind(&s->socket, (const struct sockaddr *)&at, 0) != 0) {
		uv_close((uv_handle_t *)&s->socket, NULL);
		return false;
	}
	assert_int_equal(uv_udp_getsockname(&s->socket, (struct sockaddr *)&at, &size), 0);
	/* The port is at the same place in both families. */
	s->port = ntohs(((struct sockaddr_in *)&at)->sin_port);
	assert_int_equal(uv_udp_recv_start(&s->socket, fake_alloc, fake_receive), 0);
	return true;
}

static inline void fake_send(struct fake_server *s, const void *bytes, size_t n,
			     const struct sockaddr *to)
{
	uv_buf_t out = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)n);
	assert_int_equal(uv_udp_try_send(&s->socket, &out, 1, to), n);
}

static inline void fake_close(struct fake_server *s)
{
	uv_close((uv_handle_t *)&s->socket, NULL);
}

/* A port where nobody listens: just closed, so it is not given out again soon. */
static inline uint16_t closed_port(void)
{
	struct fake_server s;
	assert_true(fake_open(&s, "127.0.0.1", 0));
	fake_close(&s);
	uv_run(&loop, UV_RUN_NOWAIT);
	return s.port;
}

#endif
