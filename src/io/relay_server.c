/* SPDX-License-Identifier: MIT
 *
 * The relay's words are only taken down while it speaks, and carried out at the end of the loop's
 * turn (settle): so nothing that happens to a socket can call the relay while it is at work.
 */
#include "io/relay_server.h"
#include "io/link.h"
#include "io/password_file.h"
#include "io/relay_server_parts.h"
#include "sink/escape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
	struct relay_server *server;
	struct listener *listener;
	bool readonly;
};

struct relay_server {
	uv_loop_t *loop;
	const struct relay_config *config;
	struct link *link;
	char name[256]; /* harmless to a terminal */
	struct relay relay;
	struct place places[RELAY_ADDRESSES_MAX];
	struct relay_connection *connections;
	unsigned n_connections;
	bool crowded; /* somebody was sent away, and that was said */
	bool stirred, closing;
	uv_prepare_t turn;
	uv_timer_t farewell;
	unsigned handles; /* not closed yet */
};

static void say(const struct relay_server *s, const char *who, const char *what)
{
	char safe[1024];
	escape_text(what, safe, sizeof safe);
	fprintf(stderr, "ovpnwatch: %s: relay: %s%s%s\n", s->name, who, *who != '\0' ? " " : "",
		safe);
}

/* --- what the relay says --------------------------------------------------------------------- */

static void to_daemon(void *arg, struct slice bytes)
{
	struct relay_server *s = arg;
	link_send_text(s->link, bytes);
}

static void to_client(void *arg, void *owner, struct slice bytes)
{
	(void)arg;
	relay_connection_say(owner, bytes);
}

static void hang_up(void *arg, void *owner, const char *reason)
{
	struct relay_server *s = arg;
	struct relay_connection *c = owner;
	c->ended = true;
	c->patience = uv_now(s->loop) + RELAY_FAREWELL_MS;
	if (reason != NULL)
		say(s, c->name, reason);
	relay_server_stir(s);
}

/* --- what is said to it ---------------------------------------------------------------------- */

static bool on_line(void *arg, struct slice line)
{
	struct relay_server *s = arg;
	return relay_daemon_line(&s->relay, line, (nsec)uv_hrtime());
}

static void on_down(void *arg)
{
	struct relay_server *s = arg;
	relay_daemon_down(&s->relay);
}

void relay_server_own(struct relay_server *s, enum management_command c)
{
	relay_own_command(&s->relay, c);
}

struct relay *relay_server_relay(struct relay_server *s)
{
	return &s->relay;
}

/* --- the end of a turn ----------------------------------------------------------------------- */

void relay_server_lost(struct relay_server *s, struct relay_connection *c)
{
	struct relay_connection **at = &s->connections;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	s->n_connections--;
	if (c->dropped)
		say(s, c->name, "does not read what it is sent: dropped");
	relay_connection_close(c);
	relay_client_left(&s->relay, &c->client);
}

static void on_farewell(uv_timer_t *timer)
{
	relay_server_stir(timer->data);
}

/* Of one that has to be closed, the rest of the list may be another afterwards. */
static struct relay_connection *first_over(struct relay_server *s, bool *waits)
{
	for (struct relay_connection *c = s->connections; c != NULL; c = c->next) {
		if (relay_connection_settle(c, uv_now(s->loop)))
			return c;
		*waits = *waits || c->ended;
	}
	return NULL;
}

static void on_turn(uv_prepare_t *turn)
{
	struct relay_server *s = turn->data;
	struct relay_connection *over;
	bool waits = false;
	s->stirred = false;
	while ((over = first_over(s, &waits)) != NULL)
		relay_server_lost(s, over);
	if (s->n_connections < RELAY_CONNECTIONS_MAX)
		s->crowded = false;
	if (waits)
		uv_timer_start(&s->farewell, on_farewell, RELAY_FAREWELL_MS, 0);
	if (!s->stirred)
		uv_prepare_stop(turn);
}

void relay_server_stir(struct relay_server *s)
{
	if (s->closing)
		return;
	s->stirred = true;
	uv_prepare_start(&s->turn, on_turn);
}

/* --- who comes ------------------------------------------------------------------------------- */

/* True: the client may stay; it has been greeted, or waits for it. */
static bool welcome(struct relay_server *s, const struct place *p, struct relay_connection *c)
{
	struct password password;
	struct slice wanted = {0};
	char error[512];
	if (s->config->password_file != NULL) {
		if (!password_read(s->config->password_file, &password, error, sizeof error)) {
			say(s, "no client can be let in:", error);
			return false;
		}
		wanted = (struct slice){.p = password.text, .n = password.n};
	}
	relay_client_came(&s->relay, &c->client, p->readonly, wanted, c);
	if (wanted.p != NULL)
		password_wipe(&password);
	return true;
}

static void take_in(struct relay_server *s, const struct place *p, struct relay_connection *c)
{
	s->handles++;
	if (s->n_connections >= RELAY_CONNECTIONS_MAX) {
		if (!s->crowded)
			say(s, "", "there are too many clients: new ones are sent away");
		s->crowded = true;
		relay_connection_close(c);
	} else if (!welcome(s, p, c)) {
		relay_connection_close(c);
	} else {
		c->next = s->connections;
		s->connections = c;
		s->n_connections++;
		relay_server_stir(s);
	}
}

static void on_called(void *arg)
{
	struct place *p = arg;
	struct relay_connection *c;
	while (!p->server->closing && relay_connection_take(&c, p->server, p->listener) == 0)
		take_in(p->server, p, c);
}

/* --- beginning and end ----------------------------------------------------------------------- */

static int open_places(struct relay_server *s)
{
	char error[256], what[640];
	if (!relay_config_check(s->config, what, sizeof what)) {
		say(s, "", what);
		return UV_EINVAL;
	}
	for (unsigned i = 0; i < s->config->n_addresses; i++) {
		const struct relay_address *a = &s->config->addresses[i];
		struct place *p = &s->places[i];
		p->server = s;
		p->readonly = a->readonly;
		int rc = listener_open(&p->listener, s->loop, &a->address, s->config->group,
				       on_called, p, error, sizeof error);
		if (rc == 0)
			continue;
		if (a->address.kind == ADDRESS_UNIX)
			snprintf(what, sizeof what, "%s: %s", a->address.path, error);
		else
			snprintf(what, sizeof what, "%s port %u: %s", a->address.host,
				 a->address.port, error);
		say(s, "", what);
		return rc;
	}
	return 0;
}

int relay_server_open(struct relay_server **out, uv_loop_t *loop, const struct relay_config *config,
		      struct link *link, const char *name)
{
	struct relay_server *s = calloc(1, sizeof *s);
	if (s == NULL)
		return UV_ENOMEM;
	s->loop = loop;
	s->config = config;
	s->link = link;
	escape_text(name, s->name, sizeof s->name);
	const struct relay_wires wires = {
	    .arg = s, .to_daemon = to_daemon, .to_client = to_client, .hang_up = hang_up};
	relay_init(&s->relay, &wires);
	uv_prepare_init(loop, &s->turn);   /* cannot fail */
	uv_timer_init(loop, &s->farewell); /* nor can that */
	s->turn.data = s->farewell.data = s;
	s->handles = 2;
	const struct link_tap tap = {.arg = s, .line = on_line, .down = on_down};
	link_set_tap(link, &tap);
	int rc = open_places(s);
	if (rc == 0)
		*out = s;
	else
		relay_server_close(s);
	return rc;
}

void relay_server_freed(struct relay_server *s)
{
	if (--s->handles == 0)
		free(s);
}

static void on_closed(uv_handle_t *handle)
{
	relay_server_freed(handle->data);
}

void relay_server_close(struct relay_server *s)
{
	if (s == NULL)
		return;
	s->closing = true;
	link_set_tap(s->link, &(struct link_tap){0});
	for (size_t i = 0; i < RELAY_ADDRESSES_MAX; i++)
		listener_close(s->places[i].listener);
	relay_leave(&s->relay);
	relay_daemon_down(&s->relay);
	while (s->connections != NULL) {
		s->connections->dropped = false;
		relay_server_lost(s, s->connections);
	}
	uv_close((uv_handle_t *)&s->turn, on_closed);
	uv_close((uv_handle_t *)&s->farewell, on_closed);
}
