/* SPDX-License-Identifier: MIT
 *
 * A prober, and a fake OpenVPN server by TCP in the same loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/resolve.h"
#include "proto/control_stream.h"
#include "unit/prober_fixture.h"

/* --- the server --- */

static enum manner {
	ANSWER,
	ANSWER_TORN, /* a byte a time */
	ANSWER_AND_MORE,
	WRONG_MAC,
	OTHER_SESSION,
	NOT_A_RESET,
	SILENT,
	HALF,
	HALF_AND_CLOSE,
	CLOSE, /* once the reset has come */
	CLOSE_AT_ONCE,
	RESET,
	HTTP,
	HUGE_LENGTH,
	NO_LENGTH,
} manner;

static struct control_key key;
static uv_tcp_t listener;
static uint16_t port;
static unsigned accepted, heard, gone;
static nsec accepted_at, heard_at;

struct peer {
	uv_tcp_t socket;
	uv_prepare_t turn;
	struct control_stream in;
	uint8_t out[CONTROL_STREAM_MAX + 64];
	size_t have, sent;
	unsigned n_closed;
};

static void on_peer_closed(uv_handle_t *h)
{
	struct peer *p = h->data;
	if (++p->n_closed == 2)
		free(p);
}

static void peer_close(struct peer *p)
{
	if (uv_is_closing((uv_handle_t *)&p->turn))
		return;
	uv_close((uv_handle_t *)&p->turn, on_peer_closed);
	if (manner == RESET)
		assert_int_equal(uv_tcp_close_reset(&p->socket, on_peer_closed), 0);
	else
		uv_close((uv_handle_t *)&p->socket, on_peer_closed);
}

static void peer_write(struct peer *p, size_t n)
{
	uv_buf_t out = uv_buf_init((char *)p->out + p->sent, (unsigned)n);
	assert_int_equal(uv_try_write((uv_stream_t *)&p->socket, &out, 1), n);
	p->sent += n;
}

static void on_turn(uv_prepare_t *turn)
{
	struct peer *p = turn->data;
	if (p->sent < p->have)
		peer_write(p, 1);
	else
		uv_prepare_stop(turn);
}

static void put(struct peer *p, const void *bytes, size_t n)
{
	memcpy(p->out + p->have, bytes, n);
	p->have += n;
}

static void put_reply(struct peer *p, const uint8_t *session)
{
	uint8_t packet[256], frame[CONTROL_STREAM_MAX], mine[CONTROL_SESSION_SIZE];
	memcpy(mine, session, sizeof mine);
	mine[0] ^= manner == OTHER_SESSION;
	size_t n = reply_to(&key, mine, packet);
	if (manner == WRONG_MAC)
		packet[n - 1] ^= 1;
	if (manner == NOT_A_RESET)
		packet[0] = 5 << 3; /* an acknowledgement */

	n = control_stream_frame(packet, n, frame);
	put(p, frame, n);
}

static void react(struct peer *p, const uint8_t *reset)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	switch (manner) {
	case SILENT:
	case CLOSE_AT_ONCE:
		return;
	case CLOSE:
	case RESET:
		peer_close(p);
		return;
	case HTTP:
		put(p, http, sizeof http - 1);
		break;
	case HUGE_LENGTH:
		put(p, "\xff\xff\x40", 3);
		break;
	case NO_LENGTH:
		put(p, "\0\0\x40", 3);
		break;
	case ANSWER_TORN:
		put_reply(p, reset + 1);
		uv_prepare_start(&p->turn, on_turn);
		return;
	case HALF:
	case HALF_AND_CLOSE:
		put_reply(p, reset + 1);
		p->have /= 2;
		break;
	case ANSWER_AND_MORE:
		put_reply(p, reset + 1);
		put_reply(p, reset + 1);
		put(p, "\0\3\x28", 3);
		break;
	case ANSWER:
	case WRONG_MAC:
	case OTHER_SESSION:
	case NOT_A_RESET:
		put_reply(p, reset + 1);
		break;
	}
	peer_write(p, p->have);
	if (manner == HALF_AND_CLOSE)
		peer_close(p);
}

static void on_reset(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct peer *p = stream->data;
	struct slice in = {.p = buf->base, .n = n > 0 ? (size_t)n : 0}, packet;
	if (n < 0) {
		gone++;
		peer_close(p);
		return;
	}
	if (control_stream_next(&p->in, &in, &packet) != VERDICT_DONE)
		return;
	assert_int_equal(in.n, 0); /* one packet, and no more */
	assert_int_equal((uint8_t)packet.p[0] >> 3, key.wrap == WRAP_TLS_CRYPT_V2 ? 10 : 7);
	heard++;
	heard_at = (nsec)uv_hrtime();
	react(p, (const uint8_t *)packet.p);
}

static void on_connection(uv_stream_t *s, int status)
{
	struct peer *p = calloc(1, sizeof *p);
	assert_int_equal(status, 0);
	assert_non_null(p);
	accepted_at = (nsec)uv_hrtime();
	accepted++;
	p->socket.data = p->turn.data = p;
	uv_tcp_init(&loop, &p->socket);
	uv_prepare_init(&loop, &p->turn);
	assert_int_equal(uv_accept(s, (uv_stream_t *)&p->socket), 0);
	uv_tcp_nodelay(&p->socket, 1);
	if (manner == CLOSE_AT_ONCE)
		peer_close(p);
	else
		uv_read_start((uv_stream_t *)&p->socket, fake_alloc, on_reset);
}

/* On a free port, and a prober of it. False: there is no IPv6 here. */
static bool begin_at(const char *ip, enum control_wrap wrap)
{
	struct sockaddr_storage at;
	int size = sizeof at;
	key = key_of(wrap, "SHA1");
	accepted = heard = gone = 0;
	assert_true(resolve_numeric(ip, 0, &at));
	uv_tcp_init(&loop, &listener);
	if (uv_tcp_bind(&listener, (const struct sockaddr *)&at, 0) != 0) {
		uv_close((uv_handle_t *)&listener, NULL);
		return false;
	}
	assert_int_equal(uv_listen((uv_stream_t *)&listener, 64, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(&listener, (struct sockaddr *)&at, &size), 0);
	port = ntohs(((struct sockaddr_in *)&at)->sin_port);
	open_prober_by(PROTO_TCP, ip, port, &key);
	return true;
}

static void begin(enum control_wrap wrap)
{
	assert_true(begin_at("127.0.0.1", wrap));
}

/* The prober closes all its connections, and the server sees each of them end. */
static void end(void)
{
	uv_close((uv_handle_t *)&listener, NULL);
	close_prober();
}

/* --- what is answered --- */

static void assert_answered(unsigned i)
{
	assert_int_equal(seen[i].u.probe.outcome, PROBE_ANSWERED);
	assert_true(seen[i].u.probe.has_time);
	assert_int_equal(seen[i].u.probe.server_time, SERVER_TIME);
	assert_null(seen[i].u.probe.reason);
}

static void answered(void **state)
{
	static const enum control_wrap wraps[] = {WRAP_TLS_AUTH, WRAP_TLS_CRYPT, WRAP_TLS_CRYPT_V2};
	(void)state;
	manner = ANSWER;
	for (unsigned i = 0; i < 3; i++) {
		begin(wraps[i]);
		nsec before = (nsec)uv_hrtime();
		probe(3);
		nsec called = (nsec)uv_hrtime();
		loop_until(&n_seen, 1);
		assert_answered(0);
		assert_int_equal(seen[0].u.probe.id, 3);
		nsec sent = seen[0].u.probe.sent.mono;
		/* Sent once the connection stands; under tls-crypt-v2 the server's clock may have
		 * been read when it accepted, and the stamp is from before that. */
		assert_true(sent >= before && sent <= heard_at && heard_at <= seen[0].at.mono);
		if (wraps[i] == WRAP_TLS_CRYPT_V2)
			assert_true(sent <= called && sent <= accepted_at);
		else
			assert_true(sent >= called);
		loop_until(&gone, 1); /* closed without being told */
		assert_int_equal(accepted, 1);
		end();
		assert_int_equal(n_seen, 1);
	}
}

static void answered_without_time(void **state)
{
	(void)state;
	manner = ANSWER;
	begin(WRAP_PLAIN);
	probe(1);
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.probe.outcome, PROBE_ANSWERED);
	assert_false(seen[0].u.probe.has_time);
	end();
}

static void answered_over_ipv6(void **state)
{
	(void)state;
	manner = ANSWER;
	if (!begin_at("::1", WRAP_TLS_CRYPT))
		skip();
	probe(1);
	loop_until(&n_seen, 1);
	assert_answered(0);
	end();
}

static void torn_and_followed_by_more(void **state)
{
	(void)state;
	manner = ANSWER_TORN;
	begin(WRAP_TLS_AUTH);
	probe(1);
	loop_until(&n_seen, 1);
	assert_answered(0);
	manner = ANSWER_AND_MORE;
	probe(2);
	loop_until(&n_seen, 2);
	assert_answered(1);
	end();
	assert_int_equal(n_seen, 2);
}

/* --- what is not --- */

static void told(enum manner how, enum probe_outcome outcome, const char *reason)
{
	manner = how;
	begin(WRAP_TLS_AUTH);
	probe(9);
	assert_int_equal(n_seen, 0);
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.probe.outcome, outcome);
	assert_int_equal(seen[0].u.probe.id, 9);
	assert_true(seen[0].u.probe.sent.mono > 0);
	if (strstr(reasons[0], reason) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", reason, reasons[0]);
	end();
	assert_int_equal(n_seen, 1);
}

static void closed_without_an_answer(void **state)
{
	static const char reason[] = "it took the connection and closed it without an answer";
	(void)state;
	told(CLOSE, PROBE_REJECTED, reason);
	told(CLOSE_AT_ONCE, PROBE_REJECTED, reason);
	told(RESET, PROBE_REJECTED, reason);
	told(HALF_AND_CLOSE, PROBE_REJECTED, reason);
}

static void no_openvpn(void **state)
{
	static const char reason[] = "not as OpenVPN does";
	(void)state;
	told(HTTP, PROBE_REJECTED, reason);
	told(HUGE_LENGTH, PROBE_REJECTED, reason);
	told(NO_LENGTH, PROBE_REJECTED, reason);
	told(NOT_A_RESET, PROBE_REJECTED, reason);
	told(OTHER_SESSION, PROBE_REJECTED, reason);
}

static void another_key(void **state)
{
	(void)state;
	told(WRONG_MAC, PROBE_BAD_MAC, "MAC");
}

/* A server that says nothing, one that never ends its packet: as by UDP, no event, and in the end
 * the connection is closed. */
static void silence_is_no_event(void **state)
{
	(void)state;
	manner = SILENT;
	begin(WRAP_TLS_AUTH);
	probe(1);
	loop_until(&heard, 1);
	manner = HALF;
	probe(2);
	loop_until(&gone, 2);
	end();
	assert_int_equal(n_seen, 0);
}

static void refused(void **state)
{
	(void)state;
	struct control_key k = key_of(WRAP_TLS_AUTH, "SHA1");
	manner = ANSWER;
	begin(WRAP_TLS_AUTH); /* and nobody listens there any more */
	end();
	open_prober_by(PROTO_TCP4, "127.0.0.1", port, &k);
	probe(5);
	assert_int_equal(n_seen, 0);
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.probe.outcome, PROBE_REFUSED);
	assert_true(seen[0].u.probe.sent.mono > 0);
	assert_non_null(strstr(reasons[0], "refused"));
	close_prober();
}

/* --- how many, and when it ends --- */

static void at_most_16_in_flight(void **state)
{
	(void)state;
	manner = SILENT;
	begin(WRAP_TLS_AUTH);
	for (unsigned id = 1; id <= 20; id++)
		probe(id);
	loop_until(&n_seen, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(seen[i].u.probe.id >= 17);
		assert_int_equal(seen[i].u.probe.outcome, PROBE_FAILED);
	}
	loop_until(&heard, 16);
	assert_int_equal(accepted, 16);
	end(); /* with all of them in flight */
	assert_int_equal(n_seen, 4);
}

static void closed_while_connecting(void **state)
{
	(void)state;
	manner = ANSWER;
	begin(WRAP_TLS_AUTH);
	for (unsigned id = 1; id <= 20; id++)
		probe(id);
	end();
	assert_int_equal(n_seen, 0);
}

static void sink_may_send_and_close(void **state)
{
	static const enum manner manners[] = {ANSWER, ANSWER_AND_MORE, CLOSE, HTTP};
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		manner = manners[i];
		begin(WRAP_TLS_AUTH);
		then = send_again;
		probe(1);
		loop_until(&n_seen, 10);
		end();

		begin(WRAP_TLS_AUTH);
		then = close_in_sink;
		probe(1);
		probe(2);
		loop_until(&n_seen, 1);
		uv_close((uv_handle_t *)&listener, NULL);
		loop_drain();
		assert_int_equal(n_seen, 1);
	}
}

/* The daemon went over to TCP, and back. */
static void redirected(void **state)
{
	(void)state;
	struct fake_server silent = {.answer = NULL};
	manner = ANSWER;
	begin(WRAP_TLS_AUTH);
	assert_true(fake_open(&silent, "127.0.0.1", 0));
	prober_redirect(prober, "127.0.0.1", silent.port, false);
	probe(1);
	loop_until(&silent.heard, 1);
	prober_redirect(prober, "127.0.0.1", port, true);
	probe(2);
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.probe.id, 2);
	assert_answered(0);
	assert_int_equal(seen[0].u.probe.destination, 2);
	prober_redirect(prober, "127.0.0.1", port, true);
	probe(3);
	loop_until(&n_seen, 2);
	assert_int_equal(seen[1].u.probe.destination, 2);
	fake_close(&silent);
	end();
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, loop_begin, loop_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(answered),
	    LOOP_TEST(answered_without_time),
	    LOOP_TEST(answered_over_ipv6),
	    LOOP_TEST(torn_and_followed_by_more),
	    LOOP_TEST(closed_without_an_answer),
	    LOOP_TEST(no_openvpn),
	    LOOP_TEST(another_key),
	    LOOP_TEST(silence_is_no_event),
	    LOOP_TEST(refused),
	    LOOP_TEST(at_most_16_in_flight),
	    LOOP_TEST(closed_while_connecting),
	    LOOP_TEST(sink_may_send_and_close),
	    LOOP_TEST(redirected),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	uv_library_shutdown();
	return failed;
}
