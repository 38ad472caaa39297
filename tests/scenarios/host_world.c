/* SPDX-License-Identifier: MIT */
#include "scenarios/host_world.h"

#include <string.h>

bool host_world_command(struct host_world *h, const char *verb, const char *rest, struct event *e,
			bool *route)
{
	*route = false;
	if (strcmp(verb, "host") == 0) {
		h->host = strcmp(rest, "answer") == 0	? HOST_ANSWER
			  : strcmp(rest, "silent") == 0 ? HOST_SILENT
			  : strcmp(rest, "barred") == 0 ? HOST_BARRED
							: HOST_AS_PATH;
		return true;
	}
	if (strcmp(verb, "other") == 0) {
		h->other = strcmp(rest, "answer") == 0 ? OTHER_ANSWER : OTHER_SILENT;
		return true;
	}
	if (strcmp(verb, "route") != 0)
		return false;
	*route = true;
	e->kind = EVENT_ROUTE;
	e->u.route.there = strcmp(rest, "lost") != 0;
	e->u.route.up = strcmp(rest, "link-lost") != 0;
	e->u.route.interface = e->u.route.there ? "wlan0" : "";
	return true;
}

bool host_world_echo(const struct host_world *h, bool path_answers, struct event *e)
{
	e->kind = EVENT_ECHO;
	e->u.echo.outcome = ECHO_ANSWERED;
	if (h->host == HOST_BARRED) {
		e->u.echo.outcome = ECHO_FAILED;
		e->u.echo.reason = "this user may not send echo requests";
		return true;
	}
	return h->host == HOST_ANSWER || (h->host == HOST_AS_PATH && path_answers);
}

bool host_world_other(const struct host_world *h, struct event *e)
{
	e->kind = EVENT_OTHER_REMOTE;
	e->u.other_remote.outcome = PROBE_ANSWERED;
	e->u.other_remote.remote = "192.0.2.9:1194/udp";
	return h->other == OTHER_ANSWER;
}
