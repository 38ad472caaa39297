/* SPDX-License-Identifier: MIT */
#include "io/hands.h"
#include "core/tunnel.h"
#include "io/connected_by.h"
#include "io/echoer.h"
#include "io/link.h"
#include "io/other_remotes.h"
#include "io/prober.h"
#include "io/resolve.h"

#include <stdio.h>
#include <string.h>

int hands_open(struct hands *h, uv_loop_t *loop, const struct app_tunnel *tunnel, event_sink sink,
	       void *arg)
{
	int rc = 0;
	h->tunnel = tunnel->tunnel;
	h->follow = tunnel->follow;
	h->peer_ntp = (struct named_source){.option = "--peer-ntp", .name = tunnel->peer_ntp};
	if (tunnel->management != NULL)
		rc = link_new(&h->link, loop, tunnel->management, tunnel->password_file,
			      tunnel->tunnel, false, sink, arg);
	if (rc == 0 && tunnel->peer_management != NULL)
		rc = link_new(&h->peer_link, loop, tunnel->peer_management,
			      tunnel->peer_password_file, tunnel->tunnel, true, sink, arg);
	if (rc == 0 && tunnel->remote != NULL)
		rc = prober_open(&h->prober, loop, tunnel->remote, tunnel->key, tunnel->tunnel,
				 sink, arg);
	if (rc == 0 && tunnel->remote != NULL && tunnel->follow != NULL)
		rc = other_remotes_open(&h->others, loop, tunnel->follow, tunnel->remote,
					tunnel->key, tunnel->tunnel, sink, arg);
	if (rc == 0 && tunnel->ask_host)
		rc = echoer_open(&h->echoer, loop, tunnel->tunnel, sink, arg);
	return rc;
}

/* The host is that of the daemon's server, or before it says which, of the server that is probed.
 */
static void echo(struct hands *h, unsigned id)
{
	struct sockaddr_storage to;
	const struct tunnel *t = h->tunnel;
	if (h->echoer == NULL)
		return;
	bool known = t->remote_ip[0] != '\0' && resolve_numeric(t->remote_ip, 0, &to);
	if (!known && h->prober != NULL)
		known = prober_address(h->prober, &to);
	echoer_send(h->echoer, known ? &to : NULL, id);
}

void hands_carry_out(struct hands *h, const struct action *a)
{
	switch (a->kind) {
	case ACTION_CONNECT:
		link_connect(h->link);
		return;
	case ACTION_CLOSE:
		link_close(h->link);
		return;
	case ACTION_SEND:
		link_send(h->link, a->command);
		return;
	case ACTION_SEND_PASSWORD:
		link_send_password(h->link);
		return;
	case ACTION_PROBE:
		prober_send(h->prober, a->id);
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
	case ACTION_ECHO:
		echo(h, a->id);
		return;
	case ACTION_PROBE_OTHER:
		if (h->others != NULL)
			other_remotes_probe(h->others, a->id);
		return;
	case ACTION_ASK_CHRONY:
	case ACTION_ASK_NTP_CONTROL:
	case ACTION_ASK_TIMESYNC:
	case ACTION_ASK_SNTP:
	case ACTION_ASK_KERNEL:
	case ACTION_ASK_PEER_SNTP:
		return; /* the clock asker's */
	}
}

/* The profile may name several servers, and a name may have several addresses: the daemon says
 * which one it uses. If the protocol cannot be told, the one that is probed goes on being probed: a
 * UDP server and a TCP server at one address are two. */
static void redirect(struct hands *h, const char *ip, uint16_t port)
{
	if (h->follow == NULL || h->prober == NULL)
		return;
	enum connected_by by = connected_by(h->follow, ip, port);
	if (by != CONNECTED_BY_UNKNOWN)
		prober_redirect(h->prober, ip, port, by == CONNECTED_BY_TCP);
	if (h->others != NULL)
		other_remotes_in_use(h->others, ip, port);
}

void hands_follow(struct hands *h, struct route_watch *routes)
{
	const struct tunnel *t = h->tunnel;
	if (t->state != STATE_CONNECTED || t->remote_ip[0] == '\0' || t->remote_port <= 0)
		return;
	if (strcmp(h->followed_ip, t->remote_ip) == 0 && h->followed_port == t->remote_port)
		return;
	snprintf(h->followed_ip, sizeof h->followed_ip, "%s", t->remote_ip);
	h->followed_port = t->remote_port;
	redirect(h, t->remote_ip, (uint16_t)t->remote_port);
	if (routes != NULL && t->config.same_machine)
		route_watch_target(routes, h->tunnel, t->remote_ip, (uint16_t)t->remote_port);
}

void hands_close(struct hands *h)
{
	link_free(h->link);
	link_free(h->peer_link);
	if (h->prober != NULL)
		prober_close(h->prober);
	if (h->others != NULL)
		other_remotes_close(h->others);
	if (h->echoer != NULL)
		echoer_close(h->echoer);
	h->link = h->peer_link = NULL;
	h->prober = NULL;
	h->others = NULL;
	h->echoer = NULL;
}
