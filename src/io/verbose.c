/* SPDX-License-Identifier: MIT */
#include "io/verbose.h"
#include "sink/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What follows one of these is for OpenVPN and whoever answers it: a token (log and notification),
 * a client's password in the environment of a >CLIENT: block, its answer to a challenge. */
static const char *const before_secrets[] = {
    "auth-token ", ">PASSWORD:Auth-Token:", "password=", ">CLIENT:CR_RESPONSE,"};

/* The line up to the first secret in it. */
static struct slice without_secrets(struct slice line)
{
	struct slice shown = line;
	for (size_t i = 0; i < sizeof before_secrets / sizeof *before_secrets; i++) {
		size_t at = slice_find(shown, before_secrets[i]);
		if (at != SIZE_MAX)
			shown.n = at + strlen(before_secrets[i]);
	}
	return shown;
}

static void show_line(const char *whose, struct slice line)
{
	char raw[512], safe[4 * sizeof raw];
	struct slice shown = without_secrets(line);
	slice_copy(shown, raw, sizeof raw);
	escape_text(raw, safe, sizeof safe);
	fprintf(stderr, "ovpnwatch: %s< %s%s\n", whose, safe,
		shown.n < line.n ? "(not shown)" : "");
}

static const char *const probe_outcomes[] = {[PROBE_ANSWERED] = "answered",
					     [PROBE_REFUSED] = "refused",
					     [PROBE_UNREACHABLE] = "unreachable",
					     [PROBE_FAILED] = "failed",
					     [PROBE_BAD_MAC] = "answered under another key",
					     [PROBE_REJECTED] = "rejected",
					     [PROBE_REPEATED] = "answered again"};

static void show_probe(const struct event *e)
{
	fprintf(stderr, "ovpnwatch: probe %u %s after %.6f s\n", e->u.probe.id,
		probe_outcomes[e->u.probe.outcome], nsec_to_s(e->at.mono - e->u.probe.sent.mono));
}

static void show_echo(const struct event *e)
{
	static const char *const outcomes[] = {[ECHO_ANSWERED] = "answered",
					       [ECHO_UNREACHABLE] = "unreachable",
					       [ECHO_FAILED] = "failed"};
	const char *reason = e->u.echo.reason;
	fprintf(stderr, "ovpnwatch: echo request %u %s after %.6f s%s%s\n", e->u.echo.id,
		outcomes[e->u.echo.outcome], nsec_to_s(e->at.mono - e->u.echo.sent.mono),
		reason != NULL ? ": " : "", reason != NULL ? reason : "");
}

static void show_route(const struct event *e)
{
	char name[256];
	escape_text(e->u.route.interface, name, sizeof name);
	if (e->u.route.there)
		fprintf(stderr, "ovpnwatch: the route to the server is through %s, which is %s\n",
			name, e->u.route.up ? "up" : "down");
	else
		fprintf(stderr, "ovpnwatch: there is no route to the server\n");
}

static void show_other_remote(const struct event *e)
{
	char name[1200];
	escape_text(e->u.other_remote.remote, name, sizeof name);
	fprintf(stderr, "ovpnwatch: probe %u of %s %s after %.6f s\n", e->u.other_remote.id, name,
		probe_outcomes[e->u.other_remote.outcome],
		nsec_to_s(e->at.mono - e->u.other_remote.sent.mono));
}

static void show_unanswered(const char *who, bool answered, const char *reason)
{
	if (!answered)
		fprintf(stderr, "ovpnwatch: %s: %s\n", who, reason != NULL ? reason : "no answer");
}

void verbose_event(const struct event *e)
{
	if (e->kind == EVENT_LINE)
		show_line("", e->u.line);
	else if (e->kind == EVENT_PEER_LINE)
		show_line("server ", e->u.line);
	else if (e->kind == EVENT_LOG)
		show_line(e->log.history ? "past log " : "log ", e->u.line);
	else if (e->kind == EVENT_PROBE)
		show_probe(e);
	else if (e->kind == EVENT_ECHO)
		show_echo(e);
	else if (e->kind == EVENT_ROUTE)
		show_route(e);
	else if (e->kind == EVENT_OTHER_REMOTE)
		show_other_remote(e);
	else if (e->kind == EVENT_CHRONY)
		show_unanswered("chronyd", e->u.chrony.answered, e->u.chrony.reason);
	else if (e->kind == EVENT_NTP_CONTROL)
		show_unanswered("NTP daemon", e->u.ntp_control.answered, e->u.ntp_control.reason);
	else if (e->kind == EVENT_TIMESYNC)
		show_unanswered("timesyncd", e->u.timesync.answered, e->u.timesync.reason);
	else if (e->kind == EVENT_SNTP)
		show_unanswered("NTP server", e->u.sntp.answered, e->u.sntp.reason);
	else if (e->kind == EVENT_PEER_SNTP)
		show_unanswered("the server's NTP service", e->u.peer_sntp.answered,
				e->u.peer_sntp.reason);
}

void verbose_action(const struct action *a)
{
	static const char *const what[] = {
	    [ACTION_CONNECT] = "connect to the management interface",
	    [ACTION_CLOSE] = "close the management interface",
	    [ACTION_SEND] = "> ",
	    [ACTION_SEND_PASSWORD] = "> (the management password)",
	    [ACTION_PROBE] = "probe the server",
	    [ACTION_ASK_CHRONY] = "ask chronyd",
	    [ACTION_ASK_NTP_CONTROL] = "ask the NTP daemon of this machine",
	    [ACTION_ASK_TIMESYNC] = "ask systemd-timesyncd",
	    [ACTION_ASK_SNTP] = "ask an NTP server",
	    [ACTION_ASK_KERNEL] = "ask the kernel about the clock",
	    [ACTION_ASK_PEER_SNTP] = "ask the server's NTP service",
	    [ACTION_ECHO] = "send an echo request to the server's host",
	    [ACTION_PROBE_OTHER] = "probe another remote",
	    [ACTION_PEER_CONNECT] = "connect to the server's management interface",
	    [ACTION_PEER_CLOSE] = "close the server's management interface",
	    [ACTION_PEER_SEND] = "server > ",
	    [ACTION_PEER_SEND_PASSWORD] = "server > (the management password)",
	};
	fprintf(stderr, "ovpnwatch: %s%s", what[a->kind],
		a->kind == ACTION_SEND || a->kind == ACTION_PEER_SEND
		    ? management_command_text(a->command)
		    : "\n");
}
