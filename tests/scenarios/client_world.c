/* SPDX-License-Identifier: MIT */
#include "scenarios/client_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool change(struct client_world *c, const char *rest, long long now)
{
	char sign, name[32], address[48], ip[32] = "";
	int n = sscanf(rest, "%c %31s %47s %31s", &sign, name, address, ip);
	if (n < 3)
		return false;
	unsigned i = 0;
	while (i < c->n &&
	       (strcmp(c->list[i].name, name) != 0 || strcmp(c->list[i].address, address) != 0))
		i++;
	if (sign == '-' && i < c->n) {
		c->list[i] = c->list[--c->n];
	} else if (sign == '+' && i == c->n && c->n < WORLD_CLIENTS_MAX) {
		c->n++;
		memcpy(c->list[i].name, name, sizeof name);
		memcpy(c->list[i].address, address, sizeof address);
		memcpy(c->list[i].ip, ip, sizeof ip);
		c->list[i].id = c->ids++;
		c->list[i].since = now + c->forward;
	} else {
		return false;
	}
	return true;
}

bool client_world_command(struct client_world *c, const char *verb, const char *rest, long long now)
{
	if (strcmp(verb, "as-server") == 0)
		return c->server = true;
	if (strcmp(verb, "server-forward") == 0) {
		c->forward += atoll(rest);
		return true;
	}
	return strcmp(verb, "client") == 0 && change(c, rest, now);
}

const char *client_world_status(const struct client_world *c, unsigned line, long long now)
{
	static char text[256];
	if (!c->server)
		return line == 0   ? "OpenVPN STATISTICS"
		       : line == 1 ? "TUN/TAP read bytes,0"
		       : line == 2 ? "END"
				   : NULL;
	if (line == 0)
		return "TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu";
	if (line == 1) {
		snprintf(text, sizeof text, "TIME\t2026-11-24 00:00:00\t%lld", now + c->forward);
		return text;
	}
	if (line == 2)
		return "HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual "
		       "IPv6 Address\tBytes Received\tBytes Sent\tConnected Since\tConnected Since "
		       "(time_t)\tUsername\tClient ID\tPeer ID\tData Channel Cipher";
	if (line < 3 + c->n) {
		unsigned i = line - 3;
		snprintf(text, sizeof text,
			 "CLIENT_LIST\t%s\t%s\t%s\t\t1924\t1974\t2026-11-24 "
			 "00:00:00\t%lld\tUNDEF\t%u\t%u\tAES-256-GCM",
			 c->list[i].name, c->list[i].address, c->list[i].ip, c->list[i].since,
			 c->list[i].id, i);
		return text;
	}
	return line == 3 + c->n ? "END" : NULL;
}
