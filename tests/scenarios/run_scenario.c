/* SPDX-License-Identifier: MIT
 *
 * Plays a scenario file against the core on a virtual clock and prints the trace of what ovpnwatch
 * would have said, one line an event. The trace is compared with the .trace file beside the
 * scenario (OVPNWATCH_ACCEPT=1 writes it anew: read the difference before you commit it).
 *
 * The world is in world.h. A scenario is a list of commands, one a line:
 *
 *   ping P W          the pushed timers (Timers: line); 2 8 unless said
 *   no-probe          the server cannot be probed
 *   at T              run until T seconds
 *   attach STATE      the daemon is there, in this state (its history has it)
 *   link REASON       the next connections fail with REASON; `link ok` ends it
 *   silent-link       the next connections are accepted, and nothing is said (busy)
 *   prompt            the daemon asks for a password
 *   hang-up REASON    the management connection breaks
 *   mute | unmute     the daemon answers nothing, not even the heartbeat
 *   < LINE            the daemon says LINE; %T is its time in seconds
 *   up                >STATE: CONNECTED with addresses
 *   restart REASON    >STATE: RECONNECTING with the reason, then WAIT
 *   stopped on|off    the daemon counts no bytes, as while it waits at a prompt
 *   rx on|off | tx on|off   received (sent) bytes grow each second, or stand still
 *   release-hold      --release-hold was given
 *   no-ping           this end sends no pings: nothing is sent after the handshake
 *   truth CAUSE|none  what is the matter: see honesty.h
 *   server offset S | step S | answer | silent | refuse | unreachable | rtt S
 *   server lossy N    every Nth probe and echo request gets no answer; 0: none is lost
 *   host, other, route: see host_world.h
 *   as-server, client, server-forward: see client_world.h
 *   server-log TEXT   the server's log, where its management interface is watched; to it we are
 *                     alice/192.0.2.1:1194, 10.8.0.2
 *   log, log-only, past, logged, journal, log-file: see log_world.h
 *   peer-ntp, peer-management, server-system, echo: see peer_world.h
 *   local step S | sleep S | slew PPM   slew: this machine's clocks run so much faster
 *   chrony, ntpd, timesyncd, ntp, kernel: see local_sources.h
 */
#include "scenarios/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

static void say_template(const char *text)
{
	char out[256];
	size_t n = 0;
	for (const char *p = text; *p != '\0' && n < sizeof out - 24; p++) {
		if (p[0] == '%' && p[1] == 'T') {
			n += (size_t)snprintf(out + n, sizeof out - n, "%lld", world_epoch(&world));
			p++;
		} else {
			out[n++] = *p;
		}
	}
	out[n] = '\0';
	world_line(&world, out);
}

static void set_server(const char *what, double value)
{
	if (strcmp(what, "offset") == 0)
		world.server_offset = nsec_from_s(value);
	else if (strcmp(what, "step") == 0)
		world.server_offset += nsec_from_s(value);
	else if (strcmp(what, "rtt") == 0)
		world.rtt = nsec_from_s(value);
	else if (strcmp(what, "lossy") == 0)
		world.lossy = (unsigned)value;
	else if (strcmp(what, "answer") == 0)
		world.path = PATH_ANSWER;
	else if (strcmp(what, "silent") == 0)
		world.path = PATH_SILENT;
	else if (strcmp(what, "refuse") == 0)
		world.path = PATH_REFUSE;
	else if (strcmp(what, "unreachable") == 0)
		world.path = PATH_UNREACHABLE;
	else
		world_die("server %s?", what);
}

static void set_clock(const char *what, double value)
{
	if (strcmp(what, "slew") == 0) {
		world.slew_ppm = value;
		return;
	}
	world.now.wall += nsec_from_s(value);
	if (strcmp(what, "sleep") == 0) { /* the monotonic clock stands still */
		world.now.boot += nsec_from_s(value);
		world.now.ruler += nsec_from_s(value);
	}
}

static void link_command(const char *verb, const char *rest)
{
	if (strcmp(verb, "attach") == 0) {
		snprintf(world.state, sizeof world.state, "%s", rest);
		world.link_ok = world.attached = true;
	} else if (strcmp(verb, "link") == 0) {
		world.link_ok = strcmp(rest, "ok") == 0;
		snprintf(world.link_reason, sizeof world.link_reason, "%s", rest);
	} else if (strcmp(verb, "silent-link") == 0) {
		world.link_ok = world.silent_link = true;
	} else if (strcmp(verb, "prompt") == 0) {
		world.link_ok = world.prompt = true;
	} else if (strcmp(verb, "hang-up") == 0) {
		struct event e = {.kind = EVENT_LINK, .tunnel = &world.tunnel};
		e.u.link.change = LINK_CLOSED;
		e.u.link.reason = rest;
		world.next_count = NSEC_NEVER;
		world.age = 1; /* it is another daemon that we meet again */
		world_step(&world, &e);
	} else {
		world.mute = strcmp(verb, "mute") == 0;
	}
}

static void tunnel_command(const char *verb, const char *rest)
{
	if (strcmp(verb, "<") == 0) {
		say_template(rest);
	} else if (strcmp(verb, "up") == 0) {
		char timers[64];
		if (world.no_ping)
			snprintf(timers, sizeof timers, ">LOG:%%T,,Timers: ping-restart %d",
				 world.window);
		else
			snprintf(timers, sizeof timers,
				 ">LOG:%%T,,Timers: ping %d, ping-restart %d", world.ping,
				 world.window);
		say_template(">STATE:%T,CONNECTED,SUCCESS,10.8.0.2,203.0.113.7,1194,,");
		say_template(timers);
		world.rx = true;
	} else {
		char state[128];
		snprintf(state, sizeof state, ">STATE:%%T,RECONNECTING,%s,,,,,", rest);
		say_template(state);
		say_template(">STATE:%T,WAIT,,,,,,");
		world.rx = false;
	}
}

static bool is_one_of(const char *verb, const char *list)
{
	char word[32];
	snprintf(word, sizeof word, " %.28s ", verb);
	return strstr(list, word) != NULL;
}

static void run_line(char *text)
{
	char *verb = strtok(text, " ");
	char *rest = strtok(NULL, "");
	if (verb == NULL || verb[0] == '#')
		return;
	rest = rest != NULL ? rest : verb + strlen(verb);
	char what[32] = "";
	double value = 0;
	struct event e = {0};
	bool route, said;
	sscanf(rest, "%31s %lf", what, &value);

	if (strcmp(verb, "no-probe") == 0) {
		world.has_probe = false;
		return;
	}
	if (strcmp(verb, "no-ping") == 0) {
		world.no_ping = world.no_tx = true;
		return;
	}
	if (client_world_command(&world.clients, verb, rest, world_epoch(&world)))
		return;
	if (strcmp(verb, "release-hold") == 0) {
		world.release_hold = true;
		return;
	}
	if (strcmp(verb, "truth") == 0) {
		if (!honesty_truth(&world.honesty, rest))
			world_die("no cause %s", rest);
		return;
	}
	if (strcmp(verb, "ping") == 0) {
		if (sscanf(rest, "%d %d", &world.ping, &world.window) != 2)
			world_die("ping P W");
		return;
	}
	if (!world.added &&
	    !is_one_of(verb,
		       " server chrony ntpd timesyncd ntp kernel attach link silent-link "
		       "prompt peer-ntp peer-management server-system host other log log-only "))
		world_add_tunnel(&world);
	if (strcmp(verb, "at") == 0)
		world_run_until(&world, nsec_from_s(atof(rest)));
	else if (strcmp(verb, "rx") == 0)
		world.rx = strcmp(rest, "on") == 0;
	else if (strcmp(verb, "stopped") == 0)
		world.stopped = strcmp(rest, "on") == 0;
	else if (strcmp(verb, "tx") == 0)
		world.no_tx = strcmp(rest, "on") != 0;
	else if (host_world_command(&world.host, verb, rest, &e, &route)) {
		e.tunnel = &world.tunnel;
		if (route)
			world_step(&world, &e);
	} else if (log_world_command(&world.log, verb, rest, world.now.wall, &e, &said)) {
		e.tunnel = &world.tunnel;
		if (said)
			world_step(&world, &e);
	} else if (strcmp(verb, "server") == 0)
		set_server(what, value);
	else if (strcmp(verb, "local") == 0)
		set_clock(what, value);
	else if (strcmp(verb, "echo") == 0)
		world_line(&world, peer_world_echo(&world.peer,
						   world_true_time(&world) + world.server_offset));
	else if (strcmp(verb, "server-log") == 0) {
		char log[300];
		snprintf(log, sizeof log, ">LOG:%lld,,%s", world_epoch(&world), rest);
		e.kind = EVENT_PEER_LINE;
		e.tunnel = &world.tunnel;
		e.u.line = slice_from(log);
		world_step(&world, &e);
	} else if (peer_world_command(&world.peer, verb, rest))
		return;
	else if (local_sources_command(&world.sources, verb, rest, &world.now,
				       world_true_time(&world)))
		return;
	else if (is_one_of(verb, " attach link silent-link prompt hang-up mute unmute "))
		link_command(verb, rest);
	else if (is_one_of(verb, " < up restart "))
		tunnel_command(verb, rest);
	else
		world_die("what is `%s`?", verb);
}

static char *read_whole(const char *path)
{
	static char buf[1 << 20];
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return NULL;
	size_t n = fread(buf, 1, sizeof buf - 1, f);
	fclose(f);
	buf[n] = '\0';
	return buf;
}

static int compare(const char *scenario, const char *got)
{
	char path[4096];
	snprintf(path, sizeof path, "%.*s.trace", (int)(strlen(scenario) - strlen(".scn")),
		 scenario);
	if (getenv("OVPNWATCH_ACCEPT") != NULL) {
		FILE *f = fopen(path, "w");
		if (f == NULL || fputs(got, f) < 0 || fclose(f) != 0)
			world_die("%s: cannot write", path);
		return 0;
	}
	const char *want = read_whole(path);
	if (want != NULL && strcmp(want, got) == 0)
		return 0;
	fprintf(stderr, "%s: the trace is another; this is what was said now:\n%s", path, got);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc != 2 || strlen(argv[1]) < 5)
		world_die("usage: run_scenario FILE.scn");
	FILE *f = fopen(argv[1], "r");
	if (f == NULL)
		world_die("%s: cannot read", argv[1]);
	world_init(&world);
	char *got = NULL;
	size_t size = 0;
	world.trace.text = open_memstream(&got, &size);
	const char *lines = getenv("OVPNWATCH_LINES");
	if (lines != NULL) {
		char path[4096];
		const char *base = strrchr(argv[1], '/');
		snprintf(path, sizeof path, "%s/scenario-%s.ndjson", lines,
			 base != NULL ? base + 1 : argv[1]);
		world.trace.json = fopen(path, "w");
	}
	char text[512];
	while (fgets(text, sizeof text, f) != NULL) {
		text[strcspn(text, "\n")] = '\0';
		run_line(text);
	}
	fclose(f);
	if (!watch_over(&world.watch)) /* it would have ended */
		world_step(&world, &(struct event){.kind = EVENT_STOP});
	tunnel_done(&world.tunnel);
	fclose(world.trace.text);
	if (world.trace.json != NULL)
		fclose(world.trace.json);
	int rc = compare(argv[1], got);
	free(got);
	return rc;
}
