/* SPDX-License-Identifier: MIT */
#include "io/hands.h"
#include "core/tunnel.h"
#include "io/connected_by.h"
#include "io/echo.h"
#include "io/link.h"
#include "io/log_follow.h"
#include "io/other_remotes.h"
#include "io/relay_server.h"
#include "io/resolve.h"
#include "io/route_watch.h"

#include <stdio.h>
#include <string.h>

/* --- carrying out ---------------------------------------------------------------------------- */

static void ask_for_echo(struct hands *h, unsigned id)
{
	struct sockaddr_storage to = h->server;
	if (h->server_known || (h->prober != NULL && prober_address(h->prober, &to)))
		echoer_send(h->echoer, id, &to);
	else
		echoer_decline(h->echoer, id, "the server's address is not known yet");
}

void hands_do(struct hands *h, const struct action *a)
{
	switch (a->kind) {
	case ACTION_CONNECT:
		link_connect(h->link);
		return;
	case ACTION_CLOSE:
		link_close(h->link);
		return;
	case ACTION_SEND:
		/* The last words are not for the relay: nothing comes after them. */
		if (h->relay != NULL && a->command != COMMAND_PUT_BACK)
			relay_server_own(h->relay, a->command);
		else
			link_send(h->link, a->command);
		return;
	case ACTION_SEND_PASSWORD:
		link_send_password(h->link);
		return;
	case ACTION_PROBE:
		prober_send(h->prober, a->id);
		return;
	case ACTION_ECHO:
		ask_for_echo(h, a->id);
		return;
	case ACTION_PROBE_OTHER:
		if (h->others != NULL)
			other_remotes_send(h->others, a->id);
		return;
	case ACTION_PEER_CONNECT:
		link_connect(h->peer_link);
		return;
	case ACTION_PEER_CLOSE:
		link_close(h->peer_link);
		return;
	case ACTION_PEER_SEND:
		link_send(h->peer_link, a->command);
		return;
	case ACTION_PEER_SEND_PASSWORD:
		link_send_password(h->peer_link);
		return;
	case ACTION_ASK_CHRONY:
	case ACTION_ASK_NTP_CONTROL:
	case ACTION_ASK_TIMESYNC:
	case ACTION_ASK_SNTP:
	case ACTION_ASK_KERNEL:
	case ACTION_ASK_PEER_SNTP:
		return; /* of the machine, or of its clock asker */
	}
}

/* --- following ------------------------------------------------------------------------------- */

/* How this machine reaches the server says something of the tunnel only if the daemon is here. */
static void watch_route(struct hands *h, const struct tunnel *t)
{
	if (!t->config.same_machine)
		return;
	if (h->route == NULL &&
	    route_watch_open(&h->route, h->loop, h->tunnel, h->sink, h->arg) != 0)
		return; /* it cannot be known here */
	route_watch_target(h->route, &h->server, h->local_ip);
}

/* The profile may name several servers, and a name may have several addresses: the daemon says
 * which one it uses. If the protocol cannot be told, the one that is probed goes on being probed: a
 * UDP server and a TCP server at one address are two. */
static void probe_there(struct hands *h, uint16_t port)
{
	if (h->others != NULL)
		other_remotes_use(h->others, &h->server);
	if (h->follow == NULL || h->prober == NULL)
		return;
	enum connected_by by = connected_by(h->follow, h->server_ip, port);
	if (by != CONNECTED_BY_UNKNOWN)
		prober_redirect(h->prober, h->server_ip, port, by == CONNECTED_BY_TCP);
}

void hands_follow(struct hands *h)
{
	const struct tunnel *t = h->tunnel;
	if (t->state != STATE_CONNECTED || t->remote_ip[0] == '\0')
		return;
	if (strcmp(h->server_ip, t->remote_ip) == 0 && h->server_port == t->remote_port &&
	    strcmp(h->local_ip, t->local_ip) == 0)
		return;
	bool moved = strcmp(h->server_ip, t->remote_ip) != 0 || h->server_port != t->remote_port;
	uint16_t port = t->remote_port > 0 ? (uint16_t)t->remote_port : 0;
	snprintf(h->server_ip, sizeof h->server_ip, "%s", t->remote_ip);
	snprintf(h->local_ip, sizeof h->local_ip, "%s", t->local_ip);
	h->server_port = t->remote_port;
	h->server_known = resolve_numeric(h->server_ip, port, &h->server);
	if (!h->server_known)
		return;
	if (moved && port != 0)
		probe_there(h, port);
	watch_route(h, t);
}

/* --- beginning and end ----------------------------------------------------------------------- */

/* Whom to probe, of a profile: the server and the others. */
static int open_probers(struct hands *h, const struct app_tunnel *tunnel)
{
	int rc = prober_open(&h->prober, h->loop, tunnel->remote, tunnel->key, h->tunnel, h->sink,
			     h->arg);
	if (rc == 0 && h->follow != NULL)
		rc = other_remotes_open(&h->others, h->loop, h->follow, tunnel->remote, tunnel->key,
					h->tunnel, h->sink, h->arg);
	return rc;
}

int hands_open(struct hands *h, uv_loop_t *loop, const struct app_tunnel *tunnel, event_sink sink,
	       void *arg)
{
	h->loop = loop;
	h->sink = sink;
	h->arg = arg;
	h->tunnel = tunnel->tunnel;
	h->follow = tunnel->follow;
	h->peer_ntp = (struct named_source){.option = "--peer-ntp", .name = tunnel->peer_ntp};
	int rc = echoer_open(&h->echoer, loop, h->tunnel, sink, arg);
	if (rc == 0 && tunnel->management != NULL)
		rc = link_new(&h->link, loop, tunnel->management, tunnel->password_file, h->tunnel,
			      false, sink, arg);
	if (rc == 0 && tunnel->management != NULL && tunnel->relay != NULL)
		rc = relay_server_open(&h->relay, loop, tunnel->relay, h->link,
				       h->tunnel->config.name);
	if (rc == 0 && tunnel->peer_management != NULL)
		rc = link_new(&h->peer_link, loop, tunnel->peer_management,
			      tunnel->peer_password_file, h->tunnel, true, sink, arg);
	if (rc == 0 && tunnel->log != NULL)
		rc = log_follow_open(&h->log, loop, tunnel->log, h->tunnel, sink, arg);
	if (rc == 0 && tunnel->remote != NULL)
		rc = open_probers(h, tunnel);
	return rc;
}

void hands_close(struct hands *h)
{
	if (h->closed)
		return;
	h->closed = true;
	relay_server_close(h->relay); /* before the link that it shares */
	link_free(h->link);
	link_free(h->peer_link);
	log_follow_close(h->log);
	if (h->prober != NULL)
		prober_close(h->prober);
	if (h->others != NULL)
		other_remotes_close(h->others);
	if (h->echoer != NULL)
		echoer_close(h->echoer);
	if (h->route != NULL)
		route_watch_close(h->route);
}

void hands_done(struct hands *h)
{
	if (h->others != NULL)
		other_remotes_free(h->others);
	h->others = NULL;
}
