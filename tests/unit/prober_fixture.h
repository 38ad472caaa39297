/* SPDX-License-Identifier: MIT
 *
 * A prober in a test's loop: what it reports, and what a server would answer. The including test
 * has cmocka.h before this.
 */
#ifndef OVPNWATCH_TESTS_PROBER_FIXTURE_H
#define OVPNWATCH_TESTS_PROBER_FIXTURE_H

#include "io/prober.h"
#include "support/control_server.h"

#include <stdio.h>

#include "unit/loop_fixture.h"

#define SERVER_TIME 1795496580u

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

static inline void probe(unsigned id)
{
	in_send = true;
	prober_send(prober, id);
	in_send = false;
}

static inline struct control_key key_of(enum control_wrap wrap, const char *digest)
{
	struct control_key k = {.wrap = wrap, .direction = KEY_INVERSE};
	if (wrap == WRAP_TLS_CRYPT_V2)
		k.wrapped.size = WRAPPED_KEY_MIN;
	for (size_t i = 0; i < sizeof k.key.bytes; i++)
		k.key.bytes[i] = (uint8_t)(i * 7 + 3);
	snprintf(k.digest, sizeof k.digest, "%s", digest);
	return k;
}

static inline void open_prober_by(enum profile_proto proto, const char *host, uint16_t port,
				  const struct control_key *k)
{
	struct profile_remote remote = {.port = port, .proto = proto};
	snprintf(remote.host, sizeof remote.host, "%s", host);
	n_seen = 0;
	then = NULL;
	assert_int_equal(prober_open(&prober, &loop, &remote, k, tunnel, sink, seen), 0);
}

static inline void open_prober(const char *host, uint16_t port, const struct control_key *k)
{
	open_prober_by(PROTO_UDP, host, port, k);
}

static inline void close_prober(void)
{
	unsigned before = n_seen;
	prober_close(prober);
	loop_drain();
	assert_int_equal(n_seen, before);
}

/* Values of `then`: what a sink may do while it is called. */
static inline void send_again(const struct event *e)
{
	if (e->u.probe.id < 10)
		prober_send(prober, e->u.probe.id + 1);
}

static inline void close_in_sink(const struct event *e)
{
	(void)e;
	prober_close(prober);
	prober = NULL;
}

/* The server's answer to the reset of this session, at SERVER_TIME. */
static inline size_t reply_to(const struct control_key *k, const uint8_t *session, uint8_t *out)
{
	uint8_t body[1 + 4 + 8 + 4] = {1};
	memcpy(body + 5, session, 8);
	return control_server_reply(k, SERVER_TIME, body, sizeof body, out);
}

#endif
