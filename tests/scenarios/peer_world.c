/* SPDX-License-Identifier: MIT */
#include "scenarios/peer_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ZONE (2 * 3600) /* of the server, east of Greenwich */

bool peer_world_command(struct peer_world *p, const char *verb, const char *rest)
{
	bool on = strcmp(rest, "on") == 0;
	if (strcmp(verb, "peer-ntp") == 0) {
		p->ntp = true;
		p->ntp_silent = !on;
	} else if (strcmp(verb, "peer-management") == 0) {
		p->management = on;
	} else if (strcmp(verb, "server-system") == 0) {
		p->system = nsec_from_s(atof(rest));
	} else {
		return false;
	}
	return true;
}

void peer_world_ask(struct peer_world *p, enum action_kind question,
		    enum management_command command, const struct stamp *sent, nsec openvpn)
{
	p->question = question;
	p->command = command;
	p->sent = *sent;
	p->openvpn = openvpn;
	p->next = 0;
}

static const char *civil(nsec wall, char out[32])
{
	time_t seconds = (time_t)(wall / NSEC_PER_SEC) + ZONE;
	struct tm tm;
	gmtime_r(&seconds, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
	return out;
}

/* The lines of an answer, one a call; NULL: that was all. */
static const char *answer(struct peer_world *p)
{
	char when[32];
	unsigned line = p->next++;
	if (p->command == COMMAND_VERSION && line < 2)
		return line == 0 ? "OpenVPN Version: OpenVPN 2.6.14 x86_64-pc-linux-gnu" : "END";
	if (p->command == COMMAND_LOG_ON_ALL && line < 3)
		return line == 0   ? "SUCCESS: real-time log notification set to ON"
		       : line == 1 ? "1795499000,,MULTI: Learn: 10.8.0.2 -> alice/192.0.2.1:1194"
				   : "END";
	if (p->command == COMMAND_LOAD_STATS && line < 1)
		return "SUCCESS: nclients=1,bytesin=1,bytesout=1";
	if (p->command != COMMAND_STATUS_1 && p->command != COMMAND_STATUS_3)
		return NULL;
	if (line == 1)
		return "END";
	if (line > 1)
		return NULL;
	if (p->command == COMMAND_STATUS_1)
		snprintf(p->text, sizeof p->text, "Updated,%s",
			 civil(p->openvpn + p->system, when));
	else
		snprintf(p->text, sizeof p->text, "TIME\t%s\t%lld", civil(p->openvpn, when),
			 (long long)(p->openvpn / NSEC_PER_SEC));
	return p->text;
}

static bool next_of_ntp(struct peer_world *p, struct event *e)
{
	if (p->next++ > 0)
		return false;
	e->kind = EVENT_PEER_SNTP;
	e->u.peer_sntp.answered = !p->ntp_silent;
	e->u.peer_sntp.reason = p->ntp_silent ? "no answer" : NULL;
	e->u.peer_sntp.flaw = NTP_FINE;
	e->u.peer_sntp.sent = p->sent;
	e->u.peer_sntp.receive = e->u.peer_sntp.transmit = p->openvpn + p->system;
	return true;
}

bool peer_world_next(struct peer_world *p, struct event *e)
{
	if (p->question == ACTION_ASK_PEER_SNTP)
		return next_of_ntp(p, e);
	if (p->question == ACTION_PEER_CONNECT && p->next < 2) {
		bool first = p->next++ == 0;
		e->kind = first ? EVENT_PEER_LINK : EVENT_PEER_LINE;
		if (first) {
			e->u.link.change = LINK_UP;
			e->u.link.reason = NULL;
		} else {
			e->u.line = SLICE(">INFO:OpenVPN Management Interface Version 5");
		}
		return true;
	}
	const char *text = p->question == ACTION_PEER_SEND ? answer(p) : NULL;
	e->kind = EVENT_PEER_LINE;
	e->u.line = slice_from(text);
	return text != NULL;
}

const char *peer_world_echo(struct peer_world *p, nsec openvpn)
{
	nsec now = openvpn + p->system;
	snprintf(p->text, sizeof p->text, ">ECHO:%lld,srvtime %lld.%09lld",
		 (long long)(openvpn / NSEC_PER_SEC), (long long)(now / NSEC_PER_SEC),
		 (long long)(now % NSEC_PER_SEC));
	return p->text;
}
