/* SPDX-License-Identifier: MIT
 *
 * A relay between a daemon and clients that are all played by the test, line by line. The including
 * test has cmocka.h before this.
 */
#ifndef OVPNWATCH_TESTS_RELAY_FIXTURE_H
#define OVPNWATCH_TESTS_RELAY_FIXTURE_H

#include "core/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BANNER	      ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info"
#define BARRIER	      "load-stats\n"
#define BARRIER_REPLY "SUCCESS: nclients=0,bytesin=1,bytesout=2"

#define CLIENTS 4

struct end {
	char text[262144]; /* heard, and not yet looked at */
	size_t n;
	bool hung_up;
	const char *reason;
	struct relay_client *c;
};

static struct relay relay;
static struct end daemon_end, ends[CLIENTS];
static nsec now;
static bool in_relay; /* what comes out must not be asked for */

static void hear(struct end *e, struct slice bytes)
{
	assert_true(in_relay);
	assert_true(e->n + bytes.n < sizeof e->text);
	assert_true(bytes.n > 0);
	memcpy(e->text + e->n, bytes.p, bytes.n);
	e->n += bytes.n;
	e->text[e->n] = '\0';
}

static void to_daemon(void *arg, struct slice bytes)
{
	assert_ptr_equal(arg, &relay);
	hear(&daemon_end, bytes);
}

static void to_client(void *arg, void *owner, struct slice bytes)
{
	struct end *e = owner;
	assert_ptr_equal(arg, &relay);
	assert_false(e->hung_up);
	hear(e, bytes);
}

static void hang_up(void *arg, void *owner, const char *reason)
{
	struct end *e = owner;
	assert_ptr_equal(arg, &relay);
	assert_false(e->hung_up);
	e->hung_up = true;
	e->reason = reason;
}

static const struct relay_wires wires = {
    .arg = &relay, .to_daemon = to_daemon, .to_client = to_client, .hang_up = hang_up};

/* --- what happens ---------------------------------------------------------------------------- */

static inline void came_as(unsigned i, bool readonly, const char *password)
{
	struct end *e = &ends[i];
	assert_null(e->c);
	e->c = malloc(sizeof *e->c);
	assert_non_null(e->c);
	memset(e->c, 0x5a, sizeof *e->c);
	e->n = 0;
	e->text[0] = '\0';
	e->hung_up = false;
	in_relay = true;
	relay_client_came(&relay, e->c, readonly, slice_from(password), e);
	in_relay = false;
}

static inline void came(unsigned i)
{
	came_as(i, false, NULL);
}

static inline void left(unsigned i)
{
	in_relay = true;
	relay_client_left(&relay, ends[i].c);
	in_relay = false;
	for (size_t k = 0; k < sizeof *ends[i].c; k++) /* nothing of it is left */
		assert_int_equal(((const char *)ends[i].c)[k], 0);
	free(ends[i].c);
	ends[i].c = NULL;
}

static inline void says_bytes(unsigned i, struct slice bytes)
{
	in_relay = true;
	relay_client_bytes(&relay, ends[i].c, bytes, now);
	in_relay = false;
}

static inline void says(unsigned i, const char *text)
{
	says_bytes(i, slice_from(text));
}

static inline bool daemon_says(const char *line)
{
	in_relay = true;
	bool ours = relay_daemon_line(&relay, slice_from(line), now);
	in_relay = false;
	return ours;
}

static inline void daemon_down(void)
{
	in_relay = true;
	relay_daemon_down(&relay);
	in_relay = false;
}

static inline void own(enum management_command c)
{
	in_relay = true;
	relay_own_command(&relay, c);
	in_relay = false;
}

/* --- what comes of it ------------------------------------------------------------------------ */

static inline void expect_end(struct end *e, const char *text)
{
	assert_string_equal(e->text, text);
	e->n = 0;
	e->text[0] = '\0';
}

static inline void expect(unsigned i, const char *text)
{
	expect_end(&ends[i], text);
}

static inline void expect_daemon(const char *text)
{
	expect_end(&daemon_end, text);
}

static inline void expect_hung_up(unsigned i, const char *reason)
{
	assert_true(ends[i].hung_up);
	if (reason == NULL)
		assert_null(ends[i].reason);
	else
		assert_string_equal(ends[i].reason, reason);
}

/* The daemon was asked `command` and answers it with these lines ("" for none), each the client's
 * alone. */
static inline void answered(const char *command, const char *reply)
{
	char asked[512];
	snprintf(asked, sizeof asked, "%s\n" BARRIER, command);
	expect_daemon(asked);
	for (struct slice rest = slice_from(reply); rest.n > 0;) {
		struct slice line = slice_cut(&rest, '\n');
		in_relay = true;
		assert_false(relay_daemon_line(&relay, line, now));
		in_relay = false;
	}
	assert_false(daemon_says(BARRIER_REPLY));
}

/* --- beginning and end ----------------------------------------------------------------------- */

static inline int relay_begin(void **state)
{
	(void)state;
	memset(&daemon_end, 0, sizeof daemon_end);
	memset(ends, 0, sizeof ends);
	now = 1000 * NSEC_PER_SEC;
	relay_init(&relay, &wires);
	return 0;
}

/* With a daemon whose banner has come. */
static inline int relay_begin_up(void **state)
{
	relay_begin(state);
	assert_true(daemon_says(BANNER));
	return 0;
}

/* And with ovpnwatch's own wishes, as of a client's daemon. */
static inline int relay_begin_watched(void **state)
{
	static const enum management_command wishes[] = {COMMAND_LOG_ON_ALL, COMMAND_STATE_ON_ALL,
							 COMMAND_ECHO_ON, COMMAND_BYTECOUNT};
	relay_begin_up(state);
	for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
		own(wishes[i]);
		daemon_end.n = 0;
		daemon_end.text[0] = '\0';
		assert_true(daemon_says("SUCCESS: whatever it says"));
		assert_false(daemon_says(BARRIER_REPLY));
	}
	expect_daemon("");
	return 0;
}

static inline int relay_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CLIENTS; i++)
		if (ends[i].c != NULL)
			left(i);
	return 0;
}

/* Client i, greeted. */
static inline void met(unsigned i)
{
	came(i);
	expect(i, BANNER "\r\n");
}

#endif
