/* SPDX-License-Identifier: MIT
 *
 * The world that a scenario plays in, on a virtual clock: a daemon that answers commands, a server
 * whose clock and path can be set, this machine and its sources of time. What the core asks for is
 * answered later, in order; run_scenario.c sets what the answers are.
 */
#ifndef OVPNWATCH_TESTS_SCENARIOS_WORLD_H
#define OVPNWATCH_TESTS_SCENARIOS_WORLD_H

#include "core/watch.h"
#include "scenarios/client_world.h"
#include "scenarios/honesty.h"
#include "scenarios/host_world.h"
#include "scenarios/local_sources.h"
#include "scenarios/log_world.h"
#include "scenarios/peer_world.h"
#include "scenarios/trace.h"

enum path { PATH_ANSWER, PATH_SILENT, PATH_REFUSE, PATH_UNREACHABLE };

enum pending_kind {
	PENDING_LINE,
	PENDING_LINK,
	PENDING_PROBE,
	PENDING_SOURCE,
	PENDING_PEER,
	PENDING_HOST
};

struct pending {
	nsec due; /* mono */
	enum pending_kind kind;
	char text[320];
	unsigned id;
	enum action_kind question;
	struct stamp sent;
	int64_t server_time;
	enum probe_outcome outcome;
	enum link_change change;
};

#define PENDING_MAX 256

struct world {
	struct watch watch;
	struct tunnel tunnel;
	struct actions actions;
	struct stamp now;
	struct pending pending[PENDING_MAX];
	unsigned n_pending;
	bool link_ok, silent_link, prompt, mute, rx, no_tx, no_ping, attached, added, has_probe;
	bool release_hold, stopped;
	char link_reason[64];
	char state[32];
	int ping, window;
	int age; /* of the daemon's history when we attach, seconds */
	uint64_t bytes, sent_bytes;
	unsigned lossy, asked;
	nsec next_count;
	nsec server_offset, rtt; /* the server against true time, which the ruler shows */
	enum path path;
	double slew_ppm;
	struct local_sources sources;
	struct peer_world peer;
	struct host_world host;
	struct log_world log;
	struct client_world clients;
	struct honesty honesty;
	struct stamp last_line;
	struct trace trace;
};

void world_init(struct world *w);
/* The one tunnel, set up as the scenario's commands have said by then. */
void world_add_tunnel(struct world *w);
/* Plays what is due up to and including `until` (mono), in order; at the same time, in the order
 * made. */
void world_run_until(struct world *w, nsec until);
/* Something that happens now: the core hears of it, and what it asks for is set in motion. */
void world_step(struct world *w, struct event *e);
/* The daemon says a line now. */
void world_line(struct world *w, const char *text);
/* The daemon's wall clock, Unix seconds. */
long long world_epoch(const struct world *w);
/* True time, Unix: the server's clock and the good local sources are told against it. */
nsec world_true_time(const struct world *w);
/* A mistake in the scenario: says it and ends the program with status 2. */
void world_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
