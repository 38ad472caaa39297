/* SPDX-License-Identifier: MIT
 *
 * The daemon's answers, the server's, the path's and the machine's, each due at its time: see
 * world.h.
 */
#include "scenarios/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL_START (INT64_C(1795500000) * NSEC_PER_SEC)
#define MSEC	   NSEC_PER_MSEC

void world_die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

void world_init(struct world *w)
{
	*w = (struct world){.now = {.wall = WALL_START},
			    .ping = 2,
			    .window = 8,
			    .age = 60,
			    .rtt = 400 * NSEC_PER_USEC,
			    .next_count = NSEC_NEVER,
			    .has_probe = true,
			    .link_reason = "connection refused"};
	local_sources_init(&w->sources);
}

void world_add_tunnel(struct world *w)
{
	struct tunnel_config config = {.name = "lab",
				       .address = w->log.alone ? NULL : "127.0.0.1:7505",
				       .log = w->log.there ? "/var/log/openvpn.log" : NULL,
				       .profile = "client.ovpn",
				       .server = "203.0.113.7:1194/udp",
				       .same_machine = true,
				       .probe = w->has_probe,
				       .probe_has_time = w->has_probe,
				       .no_probe = w->has_probe ? NULL : "no --profile was given",
				       .ping = -1,
				       .ping_restart = -1,
				       .reneg_sec = -1,
				       .may_ask = w->has_probe,
				       .other_remotes = w->host.other != OTHER_NONE,
				       .peer_ntp = w->peer.ntp,
				       .peer_address =
					   w->peer.management ? "203.0.113.7:7506" : NULL,
				       .release_hold = w->release_hold,
				       .seed = 42};
	struct watch_config watch = {
	    .offset_limit_s = 1.0, .n_ntp = w->sources.n_ntp, .ntp_names = w->sources.ntp_names};
	watch_init(&w->watch, &watch, &w->now);
	watch_add(&w->watch, &w->tunnel, &config, &w->now);
	w->added = true;
}

static struct pending *later(struct world *w, nsec in, enum pending_kind kind)
{
	if (w->n_pending == PENDING_MAX)
		world_die("too much at once");
	struct pending *p = &w->pending[w->n_pending++];
	*p = (struct pending){.due = w->now.mono + in, .kind = kind};
	return p;
}

static void say_after(struct world *w, nsec in, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say_after(struct world *w, nsec in, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(later(w, in, PENDING_LINE)->text, sizeof w->pending->text, format, args);
	va_end(args);
}

long long world_epoch(const struct world *w)
{
	return (long long)(w->now.wall / NSEC_PER_SEC);
}

static void command(struct world *w, enum management_command c)
{
	const char *line;
	if (w->mute)
		return;
	switch (c) {
	case COMMAND_VERSION:
		say_after(w, MSEC,
			  "OpenVPN Version: OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)]");
		say_after(w, MSEC, "Management Version: 5");
		say_after(w, MSEC, "END");
		return;
	case COMMAND_PID:
		say_after(w, MSEC, "SUCCESS: pid=4711");
		return;
	case COMMAND_LOG_ON_ALL:
		say_after(w, MSEC, "SUCCESS: real-time log notification set to ON");
		if (strcmp(w->state, "CONNECTED") == 0 && !w->clients.server)
			say_after(w, MSEC, "%lld,,Timers: ping %d, ping-restart %d",
				  world_epoch(w) - w->age, w->ping, w->window);
		say_after(w, MSEC, "END");
		return;
	case COMMAND_STATE_ON_ALL:
		say_after(w, MSEC, "SUCCESS: real-time state notification set to ON");
		say_after(w, MSEC, "%lld,CONNECTING,,,,,,", world_epoch(w) - w->age - 1);
		if (strcmp(w->state, "CONNECTED") == 0)
			say_after(w, MSEC, "%lld,CONNECTED,SUCCESS,%s", world_epoch(w) - w->age,
				  w->clients.server ? "10.8.0.1,,,,"
						    : "10.8.0.2,203.0.113.7,1194,,");
		say_after(w, MSEC, "END");
		return;
	case COMMAND_BYTECOUNT:
		say_after(w, MSEC, "SUCCESS: bytecount interval changed");
		w->next_count = w->now.mono + NSEC_PER_SEC;
		return;
	case COMMAND_ECHO_ON:
		say_after(w, MSEC, "SUCCESS: real-time echo notification set to ON");
		return;
	case COMMAND_STATUS_1:
		world_die("no daemon of ours is asked for that");
	case COMMAND_STATUS_3:
		for (unsigned i = 0;
		     (line = client_world_status(&w->clients, i, world_epoch(w))) != NULL; i++)
			say_after(w, MSEC, "%s", line);
		return;
	case COMMAND_LOAD_STATS:
		say_after(w, MSEC, "SUCCESS: nclients=%u,bytesin=1,bytesout=1", w->clients.n);
		return;
	case COMMAND_BYTECOUNT_OFF:
		say_after(w, MSEC, "SUCCESS: bytecount interval changed");
		w->next_count = NSEC_NEVER;
		return;
	case COMMAND_HOLD_RELEASE:
		say_after(w, MSEC, "SUCCESS: hold release succeeded");
		say_after(w, 2 * MSEC, ">STATE:%lld,WAIT,,,,,,", world_epoch(w));
		return;
	case COMMAND_PUT_BACK:
	case COMMAND_LOG_OFF:
		return;
	}
}

static void connect_link(struct world *w)
{
	struct pending *p = later(w, MSEC, PENDING_LINK);
	if (!w->link_ok) {
		p->change = LINK_FAILED;
		snprintf(p->text, sizeof p->text, "%s", w->link_reason);
		return;
	}
	p->change = LINK_UP;
	if (w->silent_link)
		return;
	if (w->prompt)
		say_after(w, 2 * MSEC, "ENTER PASSWORD:");
	else
		say_after(
		    w, 2 * MSEC,
		    ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info");
}

nsec world_true_time(const struct world *w)
{
	return WALL_START + w->now.ruler;
}

static bool is_lost(struct world *w)
{
	return w->lossy > 0 && ++w->asked % w->lossy == 0;
}

static void probe(struct world *w, unsigned id)
{
	struct pending *p = NULL;
	nsec back = w->rtt;
	if (is_lost(w))
		return;
	switch (w->path) {
	case PATH_SILENT:
		return;
	case PATH_ANSWER:
		p = later(w, back, PENDING_PROBE);
		p->outcome = PROBE_ANSWERED;
		p->server_time =
		    (world_true_time(w) + w->rtt / 2 + w->server_offset) / NSEC_PER_SEC;
		break;
	case PATH_REFUSE:
	case PATH_UNREACHABLE:
		p = later(w, back, PENDING_PROBE);
		p->outcome = w->path == PATH_REFUSE ? PROBE_REFUSED : PROBE_UNREACHABLE;
		break;
	}
	p->id = id;
	p->sent = w->now;
}

static void ask(struct world *w, const struct action *a)
{
	struct pending *p = later(w, local_sources_delay(a->kind), PENDING_SOURCE);
	p->question = a->kind;
	p->id = a->id;
}

/* Whatever it is, the server's side answers after a round trip. */
static void ask_peer(struct world *w, const struct action *a)
{
	struct pending *p = later(w, w->rtt, PENDING_PEER);
	p->question = a->kind;
	p->id = (unsigned)a->command;
	p->sent = w->now;
}

static void ask_host(struct world *w, const struct action *a)
{
	struct event e;
	bool echo = a->kind == ACTION_ECHO;
	if (is_lost(w) || (echo ? !host_world_echo(&w->host, w->path == PATH_ANSWER, &e)
				: !host_world_other(&w->host, &e)))
		return;
	struct pending *p = later(w, w->rtt, PENDING_HOST);
	p->question = a->kind;
	p->id = a->id;
	p->sent = w->now;
}

static void act(struct world *w, const struct action *a)
{
	switch (a->kind) {
	case ACTION_CONNECT:
		connect_link(w);
		return;
	case ACTION_CLOSE:
		w->next_count = NSEC_NEVER;
		return;
	case ACTION_SEND:
		command(w, a->command);
		return;
	case ACTION_SEND_PASSWORD:
		say_after(w, MSEC, "ENTER PASSWORD:");
		return;
	case ACTION_PROBE:
		probe(w, a->id);
		return;
	case ACTION_ECHO:
	case ACTION_PROBE_OTHER:
		ask_host(w, a);
		return;
	case ACTION_ASK_CHRONY:
	case ACTION_ASK_NTP_CONTROL:
	case ACTION_ASK_TIMESYNC:
	case ACTION_ASK_SNTP:
	case ACTION_ASK_KERNEL:
		ask(w, a);
		return;
	case ACTION_ASK_PEER_SNTP:
	case ACTION_PEER_CONNECT:
	case ACTION_PEER_CLOSE:
	case ACTION_PEER_SEND:
	case ACTION_PEER_SEND_PASSWORD:
		ask_peer(w, a);
		return;
	}
}

void world_step(struct world *w, struct event *e)
{
	e->at = w->now;
	watch_step(&w->watch, e, &w->actions);
	for (size_t i = 0; i < w->actions.n_notices; i++)
		trace_notice(&w->trace, &w->actions.notices[i]);
	honesty_check(&w->honesty, &w->watch, &w->tunnel, &w->now);
	for (size_t i = 0; i < w->actions.n_actions; i++)
		act(w, &w->actions.actions[i]);
}

void world_line(struct world *w, const char *text)
{
	struct event e = {.kind = EVENT_LINE,
			  .tunnel = &w->tunnel,
			  .since = w->last_line,
			  .u.line = slice_from(text)};
	w->last_line = w->now;
	world_step(w, &e);
}

/* What the server's NTP service or management interface answers: perhaps several events. */
static void peer_answers(struct world *w, const struct pending *p)
{
	struct event e = {.tunnel = &w->tunnel};
	const nsec there = world_true_time(w) - w->rtt / 2 + w->server_offset;
	peer_world_ask(&w->peer, p->question, (enum management_command)p->id, &p->sent, there);
	while (peer_world_next(&w->peer, &e))
		world_step(w, &e);
}

static void happen(struct world *w, const struct pending *p)
{
	struct event e = {.tunnel = &w->tunnel};
	switch (p->kind) {
	case PENDING_LINE:
		world_line(w, p->text);
		return;
	case PENDING_PEER:
		peer_answers(w, p);
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
			(void)host_world_echo(&w->host, true, &e);
			e.u.echo.id = p->id;
			e.u.echo.sent = p->sent;
		} else {
			(void)host_world_other(&w->host, &e);
			e.u.other_remote.id = p->id;
			e.u.other_remote.sent = p->sent;
		}
		break;
	case PENDING_SOURCE:
		e.tunnel = NULL;
		if (!local_sources_answer(&w->sources, p->question, p->id, &w->now,
					  world_true_time(w), &e))
			world_die("no question about the clock");
		break;
	}
	world_step(w, &e);
}

static void move_to(struct world *w, nsec mono)
{
	nsec d = mono - w->now.mono;
	assert(d >= 0);
	w->now.mono += d;
	w->now.boot += d;
	w->now.ruler += d - (nsec)((double)d * w->slew_ppm / 1e6);
	w->now.wall += d;
}

static unsigned next_pending(const struct world *w)
{
	unsigned first = 0;
	for (unsigned i = 1; i < w->n_pending; i++)
		if (w->pending[i].due < w->pending[first].due)
			first = i;
	return first;
}

void world_run_until(struct world *w, nsec until)
{
	for (unsigned guard = 0; guard < 1000000; guard++) {
		nsec deadline = w->added ? watch_deadline(&w->watch) : NSEC_NEVER;
		nsec count = w->rx || w->attached ? w->next_count : NSEC_NEVER;
		unsigned i = next_pending(w);
		nsec due = w->n_pending > 0 ? w->pending[i].due : NSEC_NEVER;
		nsec at = nsec_min(due, nsec_min(deadline, count));
		if (at > until)
			break;
		move_to(w, nsec_max(at, w->now.mono));
		if (due <= at) {
			struct pending p = w->pending[i];
			w->n_pending--;
			memmove(&w->pending[i], &w->pending[i + 1], (w->n_pending - i) * sizeof p);
			happen(w, &p);
		} else if (count <= at) {
			char text[64];
			w->next_count = at + NSEC_PER_SEC;
			w->bytes += w->rx ? 80 : 0;
			w->sent_bytes += w->no_tx ? 0 : 80;
			snprintf(text, sizeof text, ">BYTECOUNT:%llu,%llu",
				 (unsigned long long)w->bytes, (unsigned long long)w->sent_bytes);
			if (!w->mute && !w->stopped)
				world_line(w, text);
		} else {
			world_step(w, &(struct event){.kind = EVENT_TIME});
		}
	}
	move_to(w, nsec_max(until, w->now.mono));
}
