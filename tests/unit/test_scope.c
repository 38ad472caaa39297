/* SPDX-License-Identifier: MIT
 *
 * Several tunnels: all clients at once points at the server, one client points at that client.
 */
#include "core/evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define S	NSEC_PER_SEC
#define WALL	((nsec)1795500000 * S)
#define TUNNELS 4

static struct watch watch;
static struct tunnel tunnels[TUNNELS];
static const char *const names[TUNNELS] = {"a", "b", "c", "d"};
static struct actions actions;
static struct stamp now;
static struct notice last; /* the last alert about a restart */

static void line(struct tunnel *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void step(struct event *e)
{
	e->at = now;
	watch_step(&watch, e, &actions);
	for (size_t i = 0; i < actions.n_notices; i++)
		if (actions.notices[i].type == NOTICE_ALERT && actions.notices[i].n_causes > 0)
			last = actions.notices[i];
}

static void line(struct tunnel *t, const char *format, ...)
{
	char text[200];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	step(&(struct event){
	    .kind = EVENT_LINE, .tunnel = t, .since = now, .u.line = slice_from(text)});
}

static void pass(nsec d)
{
	now.mono += d;
	now.boot += d;
	now.ruler += d;
	now.wall += d;
}

static void connected(struct tunnel *t, const char *server)
{
	struct event up = {.kind = EVENT_LINK, .tunnel = t};
	up.u.link.change = LINK_UP;
	step(&up);
	line(t, ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info");
	line(t, ">LOG:1795500000,,Timers: ping 2, ping-restart 8");
	line(t, ">STATE:1795500000,CONNECTED,SUCCESS,10.8.0.2,%s,1194,,", server);
}

/* A second's counts: the tunnels of the mask receive, all send. */
static void second(unsigned receiving)
{
	static unsigned long long bytes[TUNNELS], sent;
	pass(S);
	sent++;
	for (unsigned i = 0; i < TUNNELS; i++) {
		bytes[i] += receiving >> i & 1;
		line(&tunnels[i], ">BYTECOUNT:%llu,%llu", bytes[i], sent);
	}
	step(&(struct event){.kind = EVENT_TIME});
}

/* a, b and c go to one server, d to another. */
static int setup(void **state)
{
	(void)state;
	const struct watch_config config = {.offset_limit_s = 1.0};
	now = (struct stamp){.mono = 0, .boot = 0, .wall = WALL};
	watch_init(&watch, &config, &now);
	for (unsigned i = 0; i < TUNNELS; i++) {
		const struct tunnel_config c = {.name = names[i],
						.address = "127.0.0.1:7505",
						.same_machine = true,
						.ping = -1,
						.ping_restart = -1,
						.reneg_sec = -1};
		watch_add(&watch, &tunnels[i], &c, &now);
	}
	step(&(struct event){.kind = EVENT_TIME});
	for (unsigned i = 0; i < TUNNELS; i++)
		connected(&tunnels[i], i < 3 ? "203.0.113.7" : "203.0.113.8");
	for (int i = 0; i < 5; i++)
		second(0xf);
	memset(&last, 0, sizeof last);
	return 0;
}

static void restart(unsigned i)
{
	line(&tunnels[i], ">STATE:1795500000,RECONNECTING,ping-restart,,,,,");
}

static void one_alone(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		second(0xf & ~1u);
	restart(0);
	assert_string_equal(last.tunnel, "a");
	assert_int_equal(last.scope, SCOPE_THIS_TUNNEL);
}

static void all_of_one_server(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		second(1u << 3);
	restart(1); /* the first; the others are silent, and restart a moment later */
	assert_int_equal(last.scope, SCOPE_SERVER);
	pass(S);
	restart(2);
	assert_int_equal(last.scope, SCOPE_SERVER);
	assert_string_equal(last.tunnel, "c");
}

static void all_of_this_machine(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		second(0);
	restart(3);
	assert_int_equal(last.scope, SCOPE_THIS_MACHINE);
	restart(0);
	assert_int_equal(last.scope, SCOPE_THIS_MACHINE);
}

/* Alone with its server, it cannot be said. */
static void a_lonely_one(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		second(0xf & ~8u);
	restart(3);
	assert_string_equal(last.tunnel, "d");
	assert_int_equal(last.scope, SCOPE_NONE);
}

/* The scope is news: the first alert knows less than the next. */
static void others_follow(void **state)
{
	(void)state;
	second(0xf);
	for (int i = 0; i < 3; i++)
		second(0xf & ~1u);
	restart(0);
	assert_int_equal(last.scope, SCOPE_THIS_TUNNEL);
	pass(S);
	restart(1);
	assert_int_equal(last.scope, SCOPE_SERVER);
	second(0xc);
	assert_string_equal(last.tunnel, "a");
	assert_int_equal(last.scope, SCOPE_SERVER);
	assert_int_equal(last.alert.status, ALERT_UPDATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(one_alone, setup),
	    cmocka_unit_test_setup(all_of_one_server, setup),
	    cmocka_unit_test_setup(all_of_this_machine, setup),
	    cmocka_unit_test_setup(a_lonely_one, setup),
	    cmocka_unit_test_setup(others_follow, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
