/* SPDX-License-Identifier: MIT */
#include "core/server_clients.h"
#include "proto/log_client.h"
#include "proto/server_status.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16
/* A session of more than a year is a broken stamp. */
#define LASTS_MAX (366 * 24 * 3600)
/* A client's rejected packets come in bursts. */
#define REPLAYED_EVERY (60 * NSEC_PER_SEC)
/* The log and a log file may say the same of one moment. */
#define SAID_TWICE (2 * NSEC_PER_SEC)

struct server_clients *server_clients_new(void)
{
	struct server_clients *c = calloc(1, sizeof *c);
	if (c != NULL)
		c->time = -1;
	return c;
}

void server_clients_free(struct server_clients *c)
{
	if (c != NULL)
		free(c->list);
	free(c);
}

static bool is_connected(const struct server_client *e)
{
	return e->ended == NSEC_UNKNOWN;
}

/* --- the table ------------------------------------------------------------------------------- */

/* Forgets those that left before `before` (mono) and of whom all was told. */
static void purge(struct server_clients *c, nsec before)
{
	size_t kept = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct server_client *e = &c->list[i];
		if (is_connected(e) || e->news != CLIENT_CHANGE_NONE || e->ended >= before)
			c->list[kept++] = c->list[i];
	}
	c->n = kept;
	c->next = 0;
}

static struct server_client *add(struct server_clients *c)
{
	if (c->n == SERVER_CLIENTS_MAX)
		purge(c, NSEC_NEVER);
	if (c->n == c->room) {
		size_t room = c->room == 0 ? ROOM_FIRST : 2 * c->room;
		struct server_client *list =
		    c->n < SERVER_CLIENTS_MAX ? realloc(c->list, room * sizeof *list) : NULL;
		if (list == NULL) {
			c->left_out++;
			return NULL;
		}
		c->list = list;
		c->room = room;
	}
	struct server_client *e = &c->list[c->n++];
	*e = (struct server_client){.id = UINT64_MAX,
				    .received = -1,
				    .sent = -1,
				    .since = NSEC_UNKNOWN,
				    .ended = NSEC_UNKNOWN,
				    .replayed = NSEC_UNKNOWN,
				    .lasted = NSEC_UNKNOWN,
				    .away = NSEC_UNKNOWN};
	return e;
}

/* The texts are kept cut to what the table holds, and compared so. */
static bool same(const char *kept, size_t size, struct slice text)
{
	size_t n = strlen(kept);
	if (text.n >= size)
		text.n = size - 1;
	return n == text.n && memcmp(kept, text.p, n) == 0;
}

static bool is_it(const struct server_client *e, struct slice name, struct slice address,
		  uint64_t id)
{
	if (!is_connected(e))
		return false;
	if (id != UINT64_MAX && e->id != UINT64_MAX)
		return e->id == id && same(e->name, sizeof e->name, name);
	return same(e->name, sizeof e->name, name) && same(e->address, sizeof e->address, address);
}

static struct server_client *find(struct server_clients *c, struct slice name, struct slice address,
				  uint64_t id)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t at = (c->next + i) % c->n;
		if (!is_it(&c->list[at], name, address, id))
			continue;
		c->next = at + 1;
		return &c->list[at];
	}
	return NULL;
}

/* The last session under this name that ended and was not continued; NULL also where the name is
 * in use: then it is not told apart from the others of that name. */
static struct server_client *last_session(struct server_clients *c, const char *name)
{
	struct server_client *last = NULL;
	for (size_t i = 0; i < c->n; i++) {
		struct server_client *e = &c->list[i];
		if (strcmp(e->name, name) != 0)
			continue;
		if (is_connected(e))
			return NULL;
		if (!e->back && (last == NULL || e->ended > last->ended))
			last = e;
	}
	return last;
}

/* --- changes --------------------------------------------------------------------------------- */

static void news(struct server_clients *c, struct server_client *e, enum client_change change,
		 const struct stamp *at)
{
	if (!c->known)
		return;
	c->untold += e->news == CLIENT_CHANGE_NONE;
	e->news = change;
	e->at = *at;
}

static struct server_client *connected(struct server_clients *c, struct slice name,
				       struct slice address, const struct stamp *at)
{
	char cut[CLIENT_NAME_MAX];
	slice_copy(name, cut, sizeof cut);
	struct server_client before = {.left = true};
	struct server_client *last = c->known ? last_session(c, cut) : NULL;
	if (last != NULL) {
		last->back = true;
		before = *last; /* the table may move */
	}
	struct server_client *e = add(c);
	if (e == NULL)
		return NULL;
	c->connected++;
	memcpy(e->name, cut, sizeof e->name);
	slice_copy(address, e->address, sizeof e->address);
	if (!before.left && at->mono - before.ended <= SERVER_CLIENT_KEPT) {
		e->away = at->mono - before.ended;
		memcpy(e->reason, before.reason, sizeof e->reason);
		news(c, e, CLIENT_RESTARTED, at);
	} else {
		news(c, e, CLIENT_CONNECTED, at);
	}
	return e;
}

static void end(struct server_clients *c, struct server_client *e, enum client_change change,
		struct slice reason, const struct stamp *at)
{
	e->ended = at->mono;
	e->lasted = e->since != NSEC_UNKNOWN ? nsec_max(at->mono - e->since, 0) : NSEC_UNKNOWN;
	e->away = NSEC_UNKNOWN;
	slice_copy(reason, e->reason, sizeof e->reason);
	c->connected--;
	news(c, e, change, at);
}

void server_clients_dropped(struct server_clients *c, const char *reason, const struct stamp *at)
{
	for (size_t i = 0; i < c->n; i++)
		if (is_connected(&c->list[i]))
			end(c, &c->list[i], CLIENT_DISCONNECTED, slice_from(reason), at);
}

struct server_client *server_clients_untold(struct server_clients *c, size_t *at)
{
	for (; c->untold > 0 && *at < c->n; ++*at)
		if (c->list[*at].news != CLIENT_CHANGE_NONE)
			return &c->list[*at];
	return NULL;
}

void server_clients_told(struct server_clients *c, struct server_client *client)
{
	c->untold -= client->news != CLIENT_CHANGE_NONE;
	client->news = CLIENT_CHANGE_NONE;
}

/* --- the status ------------------------------------------------------------------------------ */

static void begin_list(struct server_clients *c)
{
	c->has_columns = true;
	c->left_out = 0;
	for (size_t i = 0; i < c->n; i++)
		c->list[i].listed = false;
	c->next = 0;
}

static void row(struct server_clients *c, const struct client_row *r, const struct stamp *at)
{
	if (slice_is(r->name, "UNDEF"))
		return; /* a handshake that goes on */
	struct server_client *e = find(c, r->name, r->address, r->id);
	if (e == NULL)
		e = connected(c, r->name, r->address, at);
	if (e == NULL)
		return;
	e->listed = true;
	e->id = r->id;
	e->received = r->received;
	e->sent = r->sent;
	slice_copy(r->address, e->address, sizeof e->address); /* it may float */
	slice_copy(r->virtual_ip, e->virtual_ip, sizeof e->virtual_ip);
	int64_t lasts = c->time - r->since;
	if (e->since == NSEC_UNKNOWN && c->time >= 0 && r->since >= 0 && lasts >= 0 &&
	    lasts <= LASTS_MAX)
		e->since = at->mono - lasts * NSEC_PER_SEC;
}

bool server_clients_status(struct server_clients *c, struct slice line, const struct stamp *at)
{
	struct client_row r;
	struct server_time time;
	if (server_status_time(line, &time) == VERDICT_DONE) {
		c->time = time.now;
		return true;
	}
	if (client_list_header(line, &c->columns) == VERDICT_DONE) {
		begin_list(c);
		return true;
	}
	if (!c->has_columns || !slice_starts(line, "CLIENT_LIST"))
		return false;
	if (client_list_row(line, &c->columns, &r) == VERDICT_DONE)
		row(c, &r, at);
	else
		c->broken = true;
	return true;
}

void server_clients_status_end(struct server_clients *c, bool whole, const struct stamp *at)
{
	if (whole && c->has_columns && !c->broken)
		for (size_t i = 0; i < c->n; i++) {
			struct server_client *e = &c->list[i];
			if (is_connected(e) && !e->listed)
				end(c, e, CLIENT_DISCONNECTED, (struct slice){0}, at);
		}
	c->known = c->known || (whole && c->has_columns);
	c->has_columns = c->broken = false;
	c->time = -1;
	purge(c, at->mono - SERVER_CLIENT_KEPT);
}

/* --- the log --------------------------------------------------------------------------------- */

static void evict(struct server_clients *c, struct slice name, struct slice winner,
		  const struct stamp *at, struct client_eviction *eviction)
{
	for (size_t i = 0; i < c->n; i++) {
		struct server_client *e = &c->list[i];
		if (!is_connected(e) || !same(e->name, sizeof e->name, name) ||
		    (winner.n > 0 && same(e->address, sizeof e->address, winner)))
			continue;
		slice_copy(winner, e->other_address, sizeof e->other_address);
		e->left = true;
		end(c, e, CLIENT_EVICTED, SLICE("duplicate"), at);
		eviction->evicted = true;
		memcpy(eviction->name, e->name, sizeof eviction->name);
		memcpy(eviction->loser, e->address, sizeof eviction->loser);
		memcpy(eviction->winner, e->other_address, sizeof eviction->winner);
	}
}

/* It begins anew from where it is connected: to OpenVPN that is the same client still. */
static void began_anew(struct server_clients *c, struct server_client *e, const struct stamp *at)
{
	if (e->since != NSEC_UNKNOWN && at->mono - e->since < SAID_TWICE)
		return;
	e->lasted = e->since != NSEC_UNKNOWN ? at->mono - e->since : NSEC_UNKNOWN;
	e->away = NSEC_UNKNOWN;
	e->reason[0] = '\0';
	e->since = at->mono;
	news(c, e, CLIENT_RESTARTED, at);
}

static void replayed(struct server_clients *c, struct server_client *e, const struct stamp *at)
{
	if (e->news != CLIENT_CHANGE_NONE ||
	    (e->replayed != NSEC_UNKNOWN && at->mono - e->replayed < REPLAYED_EVERY))
		return;
	e->replayed = at->mono;
	news(c, e, CLIENT_REPLAYED, at);
}

static void left(struct server_clients *c, struct server_client *e, const struct log_fact *fact,
		 const struct stamp *at, struct client_end *counted)
{
	e->left = slice_is(fact->signal, "SIGTERM");
	counted->ended = !e->left;
	counted->before = c->connected;
	end(c, e, CLIENT_DISCONNECTED, fact->text, at);
}

void server_clients_log(struct server_clients *c, const struct log_fact *fact,
			const struct stamp *at, struct client_end *counted,
			struct client_eviction *eviction)
{
	struct slice name, address;
	*counted = (struct client_end){0};
	*eviction = (struct client_eviction){0};
	log_client_split(fact->client, &name, &address);
	if (fact->kind == LOG_REMOTE && name.n == 0) {
		slice_copy(fact->name, c->newcomer, sizeof c->newcomer);
		slice_copy(address, c->newcomer_address, sizeof c->newcomer_address);
	}
	if (fact->kind == LOG_DUPLICATE) {
		if (address.n == 0 && same(c->newcomer, sizeof c->newcomer, fact->text))
			address = slice_from(c->newcomer_address);
		evict(c, fact->text, address, at, eviction);
		return;
	}
	if (name.n == 0)
		return;
	struct server_client *e = find(c, name, address, UINT64_MAX);
	if (e == NULL && fact->kind == LOG_LEARNED)
		e = connected(c, name, address, at);
	if (e == NULL)
		return;
	if (fact->kind == LOG_LEARNED && e->virtual_ip[0] == '\0') {
		slice_copy(fact->text, e->virtual_ip, sizeof e->virtual_ip);
		e->since = e->since == NSEC_UNKNOWN ? at->mono : e->since;
	} else if (fact->kind == LOG_SIGNAL) {
		left(c, e, fact, at, counted);
	} else if (fact->kind == LOG_REPLAY) {
		replayed(c, e, at);
	} else if (fact->kind == LOG_INITIAL_PACKET) {
		began_anew(c, e, at);
	}
}
