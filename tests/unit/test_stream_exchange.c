/* SPDX-License-Identifier: MIT
 *
 * What a stream exchange promises whoever uses it. (What a prober makes of it is in
 * test_prober_tcp.c.)
 */
#include "io/stream_exchange.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "unit/loop_fixture.h"

static uv_tcp_t listener, peer;
static struct sockaddr_in at;
static const char *answer;
static size_t answer_size;

static unsigned packets, errors, closed, heard;
static int last_error;
static char first[64];
static bool close_at_the_first;

static void on_packet(struct stream_exchange *x, const struct stamp *when, const void *bytes,
		      size_t size)
{
	assert_true(x->open);
	assert_ptr_equal(x->arg, first);
	assert_true(when->mono >= x->sent.mono && x->sent.mono >= x->begun.mono);
	assert_true(size < sizeof first);
	if (packets++ == 0)
		memcpy(first, bytes, size);
	if (close_at_the_first)
		stream_exchange_close(x);
}

static void on_error(struct stream_exchange *x, const struct stamp *when, int error)
{
	assert_true(x->open);
	assert_true(when->mono >= x->begun.mono);
	errors++;
	last_error = error;
	stream_exchange_close(x);
	stream_exchange_close(x); /* harmless */
}

static void on_closed(struct stream_exchange *x)
{
	assert_false(x->open);
	closed++;
}

static const struct stream_exchange_callbacks callbacks = {
    .packet = on_packet, .error = on_error, .closed = on_closed};

static void on_heard(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	if (n == UV_EOF) {
		uv_close((uv_handle_t *)s, NULL);
		return;
	}
	assert_int_equal(n, 5);
	assert_memory_equal(buf->base, "\0\3abc", 5);
	heard++;
	uv_buf_t out = uv_buf_init((char *)(uintptr_t)answer, (unsigned)answer_size);
	if (answer_size > 0)
		assert_int_equal(uv_try_write(s, &out, 1), answer_size);
	else
		uv_close((uv_handle_t *)s, NULL);
}

static void on_connection(uv_stream_t *s, int status)
{
	assert_int_equal(status, 0);
	uv_tcp_init(&loop, &peer);
	assert_int_equal(uv_accept(s, (uv_stream_t *)&peer), 0);
	uv_read_start((uv_stream_t *)&peer, fake_alloc, on_heard);
}

static void begin(struct stream_exchange *x, const char *text, size_t n, bool close_first)
{
	int size = sizeof at;
	answer = text;
	answer_size = n;
	close_at_the_first = close_first;
	packets = errors = closed = heard = 0;
	uv_tcp_init(&loop, &listener);
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &at), 0);
	assert_int_equal(uv_tcp_bind(&listener, (const struct sockaddr *)&at, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&listener, 4, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(&listener, (struct sockaddr *)&at, &size), 0);
	stream_exchange_open(x, &loop, &callbacks, first);
	assert_int_equal(stream_exchange_send(x, (const struct sockaddr *)&at, "abc", 3), 0);
	assert_int_equal(packets + errors + closed, 0);
	assert_true(x->sent.mono == x->begun.mono);
}

static void end(struct stream_exchange *x)
{
	stream_exchange_close(x);
	uv_close((uv_handle_t *)&listener, NULL);
	loop_drain();
	assert_int_equal(closed, 1);
}

static void packets_until_it_is_closed(void **state)
{
	static const char two[] = "\0\2hi\0\5world";
	(void)state;
	struct stream_exchange x;
	begin(&x, two, sizeof two - 1, false);
	loop_until(&packets, 2);
	assert_memory_equal(first, "hi", 2);
	end(&x);
	begin(&x, two, sizeof two - 1, true);
	loop_until(&packets, 1);
	end(&x);
	assert_int_equal(packets, 1);
	assert_int_equal(errors, 0);
}

static void garbage_after_a_packet(void **state)
{
	static const char text[] = "\0\2hi\0\0\0\0";
	(void)state;
	struct stream_exchange x;
	begin(&x, text, sizeof text - 1, false);
	loop_until(&errors, 1);
	assert_int_equal(last_error, STREAM_EXCHANGE_GARBAGE);
	assert_int_equal(packets, 1);
	end(&x);
	assert_int_equal(errors, 1);
}

static void closed_by_the_server(void **state)
{
	(void)state;
	struct stream_exchange x;
	begin(&x, NULL, 0, false);
	loop_until(&errors, 1);
	assert_int_equal(last_error, UV_EOF);
	assert_int_equal(heard, 1);
	end(&x);
}

/* Before anything was sent, and before it stood. */
static void closed_while_connecting(void **state)
{
	(void)state;
	struct stream_exchange x;
	begin(&x, "", 1, false);
	stream_exchange_close(&x);
	end(&x);
	assert_int_equal(packets + errors + heard, 0);
}

static void refused(void **state)
{
	(void)state;
	struct stream_exchange x;
	begin(&x, "", 1, false);
	end(&x); /* nobody listens there now */
	closed = 0;
	stream_exchange_open(&x, &loop, &callbacks, first);
	assert_int_equal(stream_exchange_send(&x, (const struct sockaddr *)&at, "abc", 3), 0);
	loop_until(&errors, 1);
	assert_int_equal(last_error, UV_ECONNREFUSED);
	loop_drain();
	assert_int_equal(closed, 1);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, loop_begin, loop_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(packets_until_it_is_closed),
	    LOOP_TEST(garbage_after_a_packet),
	    LOOP_TEST(closed_by_the_server),
	    LOOP_TEST(closed_while_connecting),
	    LOOP_TEST(refused),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	uv_library_shutdown();
	return failed;
}
