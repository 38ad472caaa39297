/* SPDX-License-Identifier: MIT
 *
 * Echo requests to this machine's own loopback, which answers by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "io/echoer.h"
#include "io/resolve.h"
#include "unit/loop_fixture.h"

#include <stdio.h>

static struct event seen[16];
static char reason[128];
static unsigned n_seen;
static struct echoer *echoer;
static struct tunnel *const tunnel = (struct tunnel *)(uintptr_t)0x1234;
static bool in_send;
static void (*then)(void);

static void sink(void *arg, const struct event *e)
{
	assert_ptr_equal(arg, seen);
	assert_false(in_send);
	assert_int_equal(e->kind, EVENT_ECHO);
	assert_ptr_equal(e->tunnel, tunnel);
	snprintf(reason, sizeof reason, "%s", e->u.echo.reason != NULL ? e->u.echo.reason : "");
	seen[n_seen++ % 16] = *e;
	if (then != NULL)
		then();
}

static int begin(void **state)
{
	n_seen = 0;
	then = NULL;
	loop_begin(state);
	return echoer_open(&echoer, &loop, tunnel, sink, seen);
}

static int end(void **state)
{
	if (echoer != NULL)
		echoer_close(echoer);
	loop_drain();
	return loop_end(state);
}

static void send_to(const char *ip, unsigned id)
{
	struct sockaddr_storage to;
	assert_true(resolve_numeric(ip, 1194, &to));
	in_send = true;
	echoer_send(echoer, &to, id);
	in_send = false;
}

/* Whether this machine has the socket and the address at all. */
static bool permitted(const char *ip)
{
	loop_until(&n_seen, n_seen + 1);
	const struct event *e = &seen[(n_seen - 1) % 16];
	if (e->u.echo.outcome == ECHO_ANSWERED)
		return true;
	printf("skipped: no echo from %s: %s\n", ip, reason);
	return false;
}

static void loopback_answers(void **state)
{
	(void)state;
	static const char *const ips[] = {"127.0.0.1", "::1"};
	for (unsigned i = 0; i < 2; i++) {
		send_to(ips[i], 7 + i);
		if (!permitted(ips[i]))
			continue;
		const struct event *e = &seen[(n_seen - 1) % 16];
		assert_int_equal(e->u.echo.id, 7 + i);
		assert_true(e->at.mono >= e->u.echo.sent.mono);
	}
}

static void several_at_once(void **state)
{
	(void)state;
	send_to("127.0.0.1", 1);
	if (!permitted("127.0.0.1"))
		return;
	n_seen = 0;
	for (unsigned id = 1; id <= 8; id++)
		send_to("127.0.0.1", id);
	send_to("127.0.0.1", 9); /* one too many is one that was lost */
	loop_until(&n_seen, 8);
	unsigned ids = 0;
	for (unsigned i = 0; i < 8; i++)
		ids |= 1u << seen[i].u.echo.id;
	assert_int_equal(ids, 0x1fe);
}

static void an_address_that_is_not_known(void **state)
{
	(void)state;
	in_send = true;
	echoer_send(echoer, NULL, 3);
	in_send = false;
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].u.echo.outcome, ECHO_FAILED);
	assert_string_equal(reason, "the server's address is not known yet");
}

static void close_in_sink(void)
{
	echoer_close(echoer);
	echoer = NULL;
}

static void closing_in_the_sink(void **state)
{
	(void)state;
	then = close_in_sink;
	send_to("127.0.0.1", 1);
	in_send = true;
	echoer_send(echoer, NULL, 2);
	in_send = false;
	loop_until(&n_seen, 1);
	loop_drain();
	assert_int_equal(n_seen, 1);
}

static void closing_with_one_under_way(void **state)
{
	(void)state;
	send_to("127.0.0.1", 1);
	echoer_close(echoer);
	echoer = NULL;
	loop_drain();
	assert_int_equal(n_seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(loopback_answers, begin, end),
	    cmocka_unit_test_setup_teardown(several_at_once, begin, end),
	    cmocka_unit_test_setup_teardown(an_address_that_is_not_known, begin, end),
	    cmocka_unit_test_setup_teardown(closing_in_the_sink, begin, end),
	    cmocka_unit_test_setup_teardown(closing_with_one_under_way, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
