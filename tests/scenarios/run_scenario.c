/* SPDX-License-Identifier: MIT
 *
 * Plays a scenario file against the core on a virtual clock and prints the trace of what ovpnwatch
 * would have said, one line an event. The trace is compared with the .trace file beside the
 * scenario (OVPNWATCH_ACCEPT=1 writes it anew: read the difference before you commit it).
 *
 * The world is a daemon that answers commands, a server whose clock and path can be set, and the
 * sources of time of this machine. A scenario is a list of commands, one a line:
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
 *   rx on|off | tx on|off   received (sent) bytes grow each second, or stand still
 *   no-ping           this end sends no pings: nothing is sent after the handshake
 *   truth CAUSE|none  what is the matter: see honesty.h
 *   server offset S | step S | answer | silent | refuse | unreachable | rtt S
 *   server lossy N    every Nth probe and echo request gets no answer; 0: none is lost
 *   host, other, route: see host_world.h
 *   server-log TEXT   the server's log, where its management interface is watched; to it we are
 *                     alice/192.0.2.1:1194, 10.8.0.2
 *   peer-ntp, peer-management, server-system, echo: see peer_world.h
 *   local step S | sleep S | slew PPM   slew: this machine's clocks run so much faster
 *   chrony, ntpd, timesyncd, ntp, kernel: see local_sources.h
 */
#include "scenarios/honesty.h"
#include "scenarios/host_world.h"
#include "scenarios/local_sources.h"
#include "scenarios/peer_world.h"
#include "scenarios/trace.h"
#include "core/watch.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL_START (INT64_C(1795500000) * NSEC_PER_SEC)

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
	char text[256];
	unsigned id;
	enum action_kind question;
	struct stamp sent;
	int64_t server_time;
	enum probe_outcome outcome;
	enum link_change change;
};

#define PENDING_MAX 256

static struct world {
	struct watch watch;
	struct tunnel tunnel;
	struct actions actions;
	struct stamp now;
	struct pending pending[PENDING_MAX];
	unsigned n_pending;
	bool link_ok, silent_link, prompt, mute, rx, no_tx, no_ping, attached, added, has_probe;
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
	struct honesty honesty;
	struct stamp last_line;
	struct trace trace;
} world;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

/* --- the world ------------------------------------------------------------------------------- */

static struct pending *later(nsec in, enum pending_kind kind)
{
	if (world.n_pending == PENDING_MAX)
		die("too much at once");
	struct pending *p = &world.pending[world.n_pending++];
	*p = (struct pending){.due = world.now.mono + in, .kind = kind};
	return p;
}

static void say_after(nsec in, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say_after(nsec in, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(later(in, PENDING_LINE)->text, 256, format, args);
	va_end(args);
}

static long long epoch(void)
{
	return (long long)(world.now.wall / NSEC_PER_SEC);
}

#define MSEC NSEC_PER_MSEC

static void command(enum management_command c)
{
	if (world.mute)
		return;
	switch (c) {
	case COMMAND_VERSION:
		say_after(MSEC,
			  "OpenVPN Version: OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)]");
		say_after(MSEC, "Management Version: 5");
		say_after(MSEC, "END");
		return;
	case COMMAND_PID:
		say_after(MSEC, "SUCCESS: pid=4711");
		return;
	case COMMAND_LOG_ON_ALL:
		say_after(MSEC, "SUCCESS: real-time log notification set to ON");
		if (strcmp(world.state, "CONNECTED") == 0)
			say_after(MSEC, "%lld,,Timers: ping %d, ping-restart %d",
				  epoch() - world.age, world.ping, world.window);
		say_after(MSEC, "END");
		return;
	case COMMAND_STATE_ON_ALL:
		say_after(MSEC, "SUCCESS: real-time state notification set to ON");
		say_after(MSEC, "%lld,CONNECTING,,,,,,", epoch() - world.age - 1);
		if (strcmp(world.state, "CONNECTED") == 0)
			say_after(MSEC, "%lld,CONNECTED,SUCCESS,10.8.0.2,203.0.113.7,1194,,",
				  epoch() - world.age);
		say_after(MSEC, "END");
		return;
	case COMMAND_BYTECOUNT:
		say_after(MSEC, "SUCCESS: bytecount interval changed");
		world.next_count = world.now.mono + NSEC_PER_SEC;
		return;
	case COMMAND_ECHO_ON:
		say_after(MSEC, "SUCCESS: real-time echo notification set to ON");
		return;
	case COMMAND_STATUS_1:
	case COMMAND_STATUS_3:
		die("no client is asked for its status");
	case COMMAND_LOAD_STATS:
		say_after(MSEC, "SUCCESS: nclients=0,bytesin=1,bytesout=1");
		return;
	}
}

static void connect_link(void)
{
	struct pending *p = later(MSEC, PENDING_LINK);
	if (!world.link_ok) {
		p->change = LINK_FAILED;
		snprintf(p->text, sizeof p->text, "%s", world.link_reason);
		return;
	}
	p->change = LINK_UP;
	if (world.silent_link)
		return;
	if (world.prompt)
		say_after(2 * MSEC, "ENTER PASSWORD:");
	else
		say_after(
		    2 * MSEC,
		    ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info");
}

static nsec true_time(void)
{
	return WALL_START + world.now.ruler;
}

static bool is_lost(void)
{
	return world.lossy > 0 && ++world.asked % world.lossy == 0;
}

static void probe(unsigned id)
{
	struct pending *p = NULL;
	nsec back = world.rtt;
	if (is_lost())
		return;
	switch (world.path) {
	case PATH_SILENT:
		return;
	case PATH_ANSWER:
		p = later(back, PENDING_PROBE);
		p->outcome = PROBE_ANSWERED;
		p->server_time = (true_time() + world.rtt / 2 + world.server_offset) / NSEC_PER_SEC;
		break;
	case PATH_REFUSE:
	case PATH_UNREACHABLE:
		p = later(back, PENDING_PROBE);
		p->outcome = world.path == PATH_REFUSE ? PROBE_REFUSED : PROBE_UNREACHABLE;
		break;
	}
	p->id = id;
	p->sent = world.now;
}

static void ask(const struct action *a)
{
	struct pending *p = later(local_sources_delay(a->kind), PENDING_SOURCE);
	p->question = a->kind;
	p->id = a->id;
}

/* Whatever it is, the server's side answers after a round trip. */
static void ask_peer(const struct action *a)
{
	struct pending *p = later(world.rtt, PENDING_PEER);
	p->question = a->kind;
	p->id = (unsigned)a->command;
	p->sent = world.now;
}

static void ask_host(const struct action *a)
{
	struct event e;
	bool echo = a->kind == ACTION_ECHO;
	if (is_lost() || (echo ? !host_world_echo(&world.host, world.path == PATH_ANSWER, &e)
			       : !host_world_other(&world.host, &e)))
		return;
	struct pending *p = later(world.rtt, PENDING_HOST);
	p->question = a->kind;
	p->id = a->id;
	p->sent = world.now;
}

static void act(const struct action *a)
{
	switch (a->kind) {
	case ACTION_CONNECT:
		connect_link();
		return;
	case ACTION_CLOSE:
		world.next_count = NSEC_NEVER;
		return;
	case ACTION_SEND:
		command(a->command);
		return;
	case ACTION_SEND_PASSWORD:
		say_after(MSEC, "ENTER PASSWORD:");
		return;
	case ACTION_PROBE:
		probe(a->id);
		return;
	case ACTION_ECHO:
	case ACTION_PROBE_OTHER:
		ask_host(a);
		return;
	case ACTION_ASK_CHRONY:
	case ACTION_ASK_NTP_CONTROL:
	case ACTION_ASK_TIMESYNC:
	case ACTION_ASK_SNTP:
	case ACTION_ASK_KERNEL:
		ask(a);
		return;
	case ACTION_ASK_PEER_SNTP:
	case ACTION_PEER_CONNECT:
	case ACTION_PEER_CLOSE:
	case ACTION_PEER_SEND:
	case ACTION_PEER_SEND_PASSWORD:
		ask_peer(a);
		return;
	}
}

static void step(struct event *e)
{
	e->at = world.now;
	watch_step(&world.watch, e, &world.actions);
	for (size_t i = 0; i < world.actions.n_notices; i++)
		trace_notice(&world.trace, &world.actions.notices[i]);
	honesty_check(&world.honesty, &world.watch, &world.tunnel, &world.now);
	for (size_t i = 0; i < world.actions.n_actions; i++)
		act(&world.actions.actions[i]);
}

static void line(const char *text)
{
	struct event e = {.kind = EVENT_LINE,
			  .tunnel = &world.tunnel,
			  .since = world.last_line,
			  .u.line = slice_from(text)};
	world.last_line = world.now;
	step(&e);
}

/* What the server's NTP service or management interface answers: perhaps several events. */
static void peer_answers(const struct pending *p)
{
	struct event e = {.tunnel = &world.tunnel};
	const nsec there = true_time() - world.rtt / 2 + world.server_offset;
	peer_world_ask(&world.peer, p->question, (enum management_command)p->id, &p->sent, there);
	while (peer_world_next(&world.peer, &e))
		step(&e);
}

static void happen(const struct pending *p)
{
	struct event e = {.tunnel = &world.tunnel};
	switch (p->kind) {
	case PENDING_LINE:
		line(p->text);
		return;
	case PENDING_PEER:
		peer_answers(p);
		return;
	case PENDING_LINK:
		e.kind = EVENT_LINK;
		e.u.link.change = p->change;
		e.u.link.reason = p->text;
		break;
	case PENDING_PROBE:
		e.kind = EVENT_PROBE;
		e.u.probe.id = p->id;
		e.u.probe.outcome = p->outcome;
		e.u.probe.sent = p->sent;
		e.u.probe.has_time = p->outcome == PROBE_ANSWERED;
		e.u.probe.server_time = p->server_time;
		break;
	case PENDING_HOST:
		if (p->question == ACTION_ECHO) {
			(void)host_world_echo(&world.host, true, &e);
			e.u.echo.id = p->id;
			e.u.echo.sent = p->sent;
		} else {
			(void)host_world_other(&world.host, &e);
			e.u.other_remote.id = p->id;
			e.u.other_remote.sent = p->sent;
		}
		break;
	case PENDING_SOURCE:
		e.tunnel = NULL;
		if (!local_sources_answer(&world.sources, p->question, p->id, &world.now,
					  true_time(), &e))
			die("no question about the clock");
		break;
	}
	step(&e);
}

static void move_to(nsec mono)
{
	nsec d = mono - world.now.mono;
	assert(d >= 0);
	world.now.mono += d;
	world.now.boot += d;
	world.now.ruler += d - (nsec)((double)d * world.slew_ppm / 1e6);
	world.now.wall += d;
}

static unsigned next_pending(void)
{
	unsigned first = 0;
	for (unsigned i = 1; i < world.n_pending; i++)
		if (world.pending[i].due < world.pending[first].due)
			first = i;
	return first;
}

/* Plays what is due up to and including `until`, in order; at the same time, in the order made. */
static void run_until(nsec until)
{
	for (unsigned guard = 0; guard < 1000000; guard++) {
		nsec deadline = world.added ? watch_deadline(&world.watch) : NSEC_NEVER;
		nsec count = world.rx || world.attached ? world.next_count : NSEC_NEVER;
		unsigned i = next_pending();
		nsec due = world.n_pending > 0 ? world.pending[i].due : NSEC_NEVER;
		nsec at = nsec_min(due, nsec_min(deadline, count));
		if (at > until)
			break;
		move_to(nsec_max(at, world.now.mono));
		if (due <= at) {
			struct pending p = world.pending[i];
			world.n_pending--;
			memmove(&world.pending[i], &world.pending[i + 1],
				(world.n_pending - i) * sizeof p);
			happen(&p);
		} else if (count <= at) {
			char text[64];
			world.next_count = at + NSEC_PER_SEC;
			world.bytes += world.rx ? 80 : 0;
			world.sent_bytes += world.no_tx ? 0 : 80;
			snprintf(text, sizeof text, ">BYTECOUNT:%llu,%llu",
				 (unsigned long long)world.bytes,
				 (unsigned long long)world.sent_bytes);
			if (!world.mute)
				line(text);
		} else {
			step(&(struct event){.kind = EVENT_TIME});
		}
	}
	move_to(nsec_max(until, world.now.mono));
}

/* --- the file -------------------------------------------------------------------------------- */

static void add_tunnel(void)
{
	struct tunnel_config config = {
	    .name = "lab",
	    .address = "127.0.0.1:7505",
	    .profile = "client.ovpn",
	    .server = "203.0.113.7:1194/udp",
	    .same_machine = true,
	    .probe = world.has_probe,
	    .probe_has_time = world.has_probe,
	    .no_probe = world.has_probe ? NULL : "no --profile was given",
	    .ping = -1,
	    .ping_restart = -1,
	    .reneg_sec = -1,
	    .may_ask = world.has_probe,
	    .other_remotes = world.host.other != OTHER_NONE,
	    .peer_ntp = world.peer.ntp,
	    .peer_address = world.peer.management ? "203.0.113.7:7506" : NULL,
	    .seed = 42};
	struct watch_config w = {.offset_limit_s = 1.0,
				 .n_ntp = world.sources.n_ntp,
				 .ntp_names = world.sources.ntp_names};
	watch_init(&world.watch, &w, &world.now);
	watch_add(&world.watch, &world.tunnel, &config, &world.now);
	world.added = true;
}

static void say_template(const char *text)
{
	char out[256];
	size_t n = 0;
	for (const char *p = text; *p != '\0' && n < sizeof out - 24; p++) {
		if (p[0] == '%' && p[1] == 'T') {
			n += (size_t)snprintf(out + n, sizeof out - n, "%lld", epoch());
			p++;
		} else {
			out[n++] = *p;
		}
	}
	out[n] = '\0';
	line(out);
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
		die("server %s?", what);
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
		step(&e);
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
	bool route;
	sscanf(rest, "%31s %lf", what, &value);

	if (strcmp(verb, "no-probe") == 0) {
		world.has_probe = false;
		return;
	}
	if (strcmp(verb, "no-ping") == 0) {
		world.no_ping = world.no_tx = true;
		return;
	}
	if (strcmp(verb, "truth") == 0) {
		if (!honesty_truth(&world.honesty, rest))
			die("no cause %s", rest);
		return;
	}
	if (strcmp(verb, "ping") == 0) {
		if (sscanf(rest, "%d %d", &world.ping, &world.window) != 2)
			die("ping P W");
		return;
	}
	if (!world.added &&
	    !is_one_of(verb, " server chrony ntpd timesyncd ntp kernel attach link silent-link "
			     "prompt peer-ntp peer-management server-system host other "))
		add_tunnel();
	if (strcmp(verb, "at") == 0)
		run_until(nsec_from_s(atof(rest)));
	else if (strcmp(verb, "rx") == 0)
		world.rx = strcmp(rest, "on") == 0;
	else if (strcmp(verb, "tx") == 0)
		world.no_tx = strcmp(rest, "on") != 0;
	else if (host_world_command(&world.host, verb, rest, &e, &route)) {
		e.tunnel = &world.tunnel;
		if (route)
			step(&e);
	} else if (strcmp(verb, "server") == 0)
		set_server(what, value);
	else if (strcmp(verb, "local") == 0)
		set_clock(what, value);
	else if (strcmp(verb, "echo") == 0)
		line(peer_world_echo(&world.peer, true_time() + world.server_offset));
	else if (strcmp(verb, "server-log") == 0) {
		char log[300];
		snprintf(log, sizeof log, ">LOG:%lld,,%s", epoch(), rest);
		e.kind = EVENT_PEER_LINE;
		e.tunnel = &world.tunnel;
		e.u.line = slice_from(log);
		step(&e);
	} else if (peer_world_command(&world.peer, verb, rest))
		return;
	else if (local_sources_command(&world.sources, verb, rest, &world.now, true_time()))
		return;
	else if (is_one_of(verb, " attach link silent-link prompt hang-up mute unmute "))
		link_command(verb, rest);
	else if (is_one_of(verb, " < up restart "))
		tunnel_command(verb, rest);
	else
		die("what is `%s`?", verb);
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
			die("%s: cannot write", path);
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
		die("usage: run_scenario FILE.scn");
	FILE *f = fopen(argv[1], "r");
	if (f == NULL)
		die("%s: cannot read", argv[1]);
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
	world.now = (struct stamp){.mono = 0, .boot = 0, .wall = WALL_START};
	world.ping = 2;
	world.window = 8;
	world.age = 60;
	world.rtt = 400 * NSEC_PER_USEC;
	world.next_count = NSEC_NEVER;
	world.has_probe = true;
	local_sources_init(&world.sources);
	snprintf(world.link_reason, sizeof world.link_reason, "connection refused");

	char text[512];
	while (fgets(text, sizeof text, f) != NULL) {
		text[strcspn(text, "\n")] = '\0';
		run_line(text);
	}
	fclose(f);
	step(&(struct event){.kind = EVENT_STOP});
	fclose(world.trace.text);
	if (world.trace.json != NULL)
		fclose(world.trace.json);
	int rc = compare(argv[1], got);
	free(got);
	return rc;
}
