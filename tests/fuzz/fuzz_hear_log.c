/* SPDX-License-Identifier: MIT
 *
 * The core with a tunnel whose log is followed beside its management interface, both of which say
 * anything in any order. Each line of the input is an event; its first byte says which: L a line of
 * the log, P one of its past, M of the management interface; F A G E what becomes of the log; U D
 * the connection; T time passes, tenths of a second. There are never
 * more restarts than lines that name one.
 */
#include "core/watch.h"
#include "fuzz/check.h"
#include "proto/log_line.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct watch watch;
static struct tunnel tunnel;
static struct actions actions;
static struct stamp now;

static void step(struct event *e)
{
	e->at = now;
	watch_step(&watch, e, &actions);
	for (size_t i = 0; i < actions.n_notices; i++) {
		CHECK(actions.notices[i].message[0] != '\0');
		CHECK(memchr(actions.notices[i].message, '\0', NOTICE_TEXT_MAX) != NULL);
	}
}

static void log_line(struct slice text, bool past)
{
	struct log_line l;
	struct event e = {.kind = EVENT_LOG, .tunnel = &tunnel};
	log_line_parse(text, &l);
	if (l.text.n == 0)
		return;
	e.log.history = past;
	e.log.written = l.stamped && l.time > 0 ? l.time : 0;
	e.log.ident = l.ident;
	e.log.pid = l.pid;
	e.u.line = l.text;
	e.since.mono = NSEC_UNKNOWN;
	step(&e);
}

static void connection(enum link_change change)
{
	struct event e = {.kind = EVENT_LINK, .tunnel = &tunnel};
	e.u.link.change = change;
	e.u.link.reason = "so";
	step(&(struct event){.kind = EVENT_TIME});
	step(&e);
}

static void log_file(enum log_file_change change)
{
	struct event e = {.kind = EVENT_LOG_FILE, .tunnel = &tunnel};
	e.u.log_file.change = change;
	e.u.log_file.reason = change == LOG_FILE_FOLLOWED ? NULL : "so";
	step(&e);
}

static void pass(struct slice tenths)
{
	uint64_t n = 0;
	if (!slice_to_u64(tenths, &n) || n > 100000)
		n = 1;
	nsec d = (nsec)n * 100 * NSEC_PER_MSEC;
	now.mono += d;
	now.boot += d;
	now.ruler += d;
	now.wall += d;
	step(&(struct event){.kind = EVENT_TIME});
}

static void happen(struct slice line)
{
	char op = line.n > 0 ? line.p[0] : 'T';
	struct slice rest = slice_skip(line, 1);
	switch (op) {
	case 'L':
	case 'P':
		log_line(rest, op == 'P');
		return;
	case 'M':
		step(&(struct event){
		    .kind = EVENT_LINE, .tunnel = &tunnel, .since = now, .u.line = rest});
		return;
	case 'F':
		log_file(LOG_FILE_FOLLOWED);
		return;
	case 'A':
		log_file(LOG_FILE_ABSENT);
		return;
	case 'G':
		log_file(LOG_FILE_GONE);
		return;
	case 'E':
		log_file(LOG_FILE_ENDED);
		return;
	case 'U':
		connection(LINK_UP);
		return;
	case 'D':
		connection(LINK_CLOSED);
		return;
	default:
		pass(rest);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {.p = (const char *)data, .n = size};
	const bool alone = size > 0 && data[0] == '!', there = size > 0 && data[0] != '?';
	const struct watch_config config = {.offset_limit_s = 1.0};
	const struct tunnel_config c = {.name = "a",
					.address = alone ? NULL : "127.0.0.1:7505",
					.log = "-",
					.no_probe = "no",
					.same_machine = there,
					.ping = -1,
					.ping_restart = -1,
					.reneg_sec = -1,
					.seed = 1};
	unsigned restarts = 0;
	now = (struct stamp){.mono = NSEC_PER_SEC,
			     .boot = NSEC_PER_SEC,
			     .ruler = NSEC_PER_SEC,
			     .wall = INT64_C(1795500000) * NSEC_PER_SEC};
	watch_init(&watch, &config, &now);
	watch_add(&watch, &tunnel, &c, &now);
	while (rest.n > 0) {
		/* The bytes of their own, so that one too far is seen. */
		struct slice line = slice_cut(&rest, '\n');
		char *exact = malloc(line.n + 1);
		CHECK(exact != NULL);
		if (line.n > 0)
			memcpy(exact, line.p, line.n);
		restarts += slice_find(line, "RECONNECTING") != SIZE_MAX ||
			    slice_find(line, "SIG") != SIZE_MAX;
		happen((struct slice){.p = exact, .n = line.n});
		free(exact);
		CHECK(tunnel.restarts <= restarts);
	}
	watch_step(&watch, &(struct event){.kind = EVENT_STOP, .at = now}, &actions);
	return 0;
}
