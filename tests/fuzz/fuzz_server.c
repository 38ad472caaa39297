/* SPDX-License-Identifier: MIT
 *
 * A hostile server, or hostile clients of one: what its management interface may say of them, at
 * whatever times, to what the core makes of it. The input is a script of lines:
 *
 *     T MILLISECONDS   time passes
 *     H                the management interface comes up anew
 *     L TEXT           it says a line
 *     F TEXT           a line of a log file
 *
 * After each: the count of those connected and of those not told is that of the table, and the core
 * has nothing more to say at the same instant after so many steps.
 */
#include "core/server_book.h"
#include "core/watch.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static struct watch watch;
static struct tunnel tunnel;
static struct actions out;
static struct stamp now;

static void check(void)
{
	unsigned connected = 0, untold = 0;
	if (tunnel.server.book == NULL)
		return;
	const struct server_clients *c = tunnel.server.book->clients;
	MUST(c->n <= SERVER_CLIENTS_MAX);
	for (size_t i = 0; i < c->n; i++) {
		connected += c->list[i].ended == NSEC_UNKNOWN;
		untold += c->list[i].news != CLIENT_CHANGE_NONE;
	}
	MUST(connected == c->connected);
	MUST(untold == c->untold);
}

static void step(struct event e)
{
	e.at = now;
	watch_step(&watch, &e, &out);
	MUST(out.n_notices <= NOTICES_MAX && out.n_actions <= ACTIONS_MAX);
	check();
}

static void settle(void)
{
	for (unsigned i = 0; watch_deadline(&watch) <= now.mono; i++) {
		MUST(i < 2 * SERVER_CLIENTS_MAX);
		step((struct event){.kind = EVENT_TIME});
	}
}

static void say(const char *text, size_t n)
{
	step((struct event){
	    .kind = EVENT_LINE, .tunnel = &tunnel, .since = now, .u.line = {.p = text, .n = n}});
}

static void come_up(void)
{
	struct event e = {.kind = EVENT_LINK, .tunnel = &tunnel};
	e.u.link.change = LINK_CLOSED;
	e.u.link.reason = "closed";
	step(e);
	now.mono += 60 * NSEC_PER_SEC;
	settle();
	e.u.link.change = LINK_UP;
	step(e);
	say(">INFO:OpenVPN Management Interface Version 5", 44);
	for (int i = 0; i < 7; i++) /* refused, but for the status */
		say(i < 6 ? "ERROR: no" : "TITLE", i < 6 ? 9 : 5);
}

static void pass_time(const char *text, size_t n)
{
	uint64_t ms = 0;
	if (!slice_to_u64((struct slice){.p = text, .n = n}, &ms) || ms > 3600000)
		return;
	now.mono += (nsec)ms * NSEC_PER_MSEC;
	now.boot = now.ruler = now.mono;
	settle();
}

static void act(const char *line, size_t n)
{
	const char *text = n > 2 ? line + 2 : line + n;
	size_t left = n > 2 ? n - 2 : 0;
	if (n == 0)
		return;
	if (line[0] == 'T')
		pass_time(text, left);
	else if (line[0] == 'H')
		come_up();
	else if (line[0] == 'L')
		say(text, left);
	else if (line[0] == 'F')
		step((struct event){
		    .kind = EVENT_LOG, .tunnel = &tunnel, .u.line = {.p = text, .n = left}});
	settle();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct watch_config config = {.offset_limit_s = 1};
	/* The first byte: with a management interface, or a log alone. */
	struct tunnel_config t = {.name = "t",
				  .address = size > 0 && data[0] == '!' ? NULL : "127.0.0.1:7505",
				  .ping = -1,
				  .ping_restart = -1,
				  .reneg_sec = -1,
				  .seed = 1};
	now = (struct stamp){.wall = 1795500000 * NSEC_PER_SEC};
	watch_init(&watch, &config, &now);
	watch_add(&watch, &tunnel, &t, &now);
	settle();
	if (t.address != NULL)
		come_up();
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end != NULL ? (size_t)(end - data) : size;
		act((const char *)data, n);
		n += end != NULL;
		data += n;
		size -= n;
	}
	tunnel_done(&tunnel);
	return 0;
}
