/* SPDX-License-Identifier: MIT
 *
 * What is told unasked. A client that may not act is not shown what it could act with: no
 * credential, no answer of a user, nothing to sign; and nothing of a kind that is not known here.
 */
#include "core/relay_parts.h"

#include <stdio.h>

enum route {
	TO_TOPIC, /* who asked for it */
	TO_BYTECOUNT,
	TO_BYTECOUNT_CLI,
	TO_BLOCK, /* to everyone, in one piece */
	TO_ALL,
	TO_FULL,  /* to who may act */
	TO_ASKER, /* the reply to a command, in disguise */
};

static const struct {
	const char *prefix;
	enum route route;
	enum relay_topic topic;
} routes[] = {
    {">STATE:", TO_TOPIC, RELAY_STATE},
    {">LOG:", TO_TOPIC, RELAY_LOG},
    {">ECHO:", TO_TOPIC, RELAY_ECHO},
    {">BYTECOUNT:", TO_BYTECOUNT, 0},
    {">BYTECOUNT_CLI:", TO_BYTECOUNT_CLI, 0},
    {">CLIENT:", TO_BLOCK, 0},
    {">UPDOWN:", TO_BLOCK, 0},
    {">PKCS11ID-", TO_ASKER, 0},
    {">PASSWORD:Auth-Token:", TO_FULL, 0}, /* before the shorter */
    {">PASSWORD:", TO_ALL, 0},
    {">HOLD:", TO_ALL, 0},
    {">NEED-OK:", TO_ALL, 0},
    {">NEED-STR:", TO_ALL, 0},
    {">NEED-CERTIFICATE:", TO_ALL, 0},
    {">REMOTE:", TO_ALL, 0},
    {">PROXY:", TO_ALL, 0},
    {">INFO:", TO_ALL, 0},
    {">NOTIFY:", TO_ALL, 0},
    {">FATAL:", TO_ALL, 0},
};

struct way {
	enum route route;
	enum relay_topic topic;
	bool has_cid;
	uint64_t cid;
};

static struct way way_of(struct slice line)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		if (!slice_starts(line, routes[i].prefix))
			continue;
		struct way w = {.route = routes[i].route, .topic = routes[i].topic};
		struct slice rest = slice_skip(line, strlen(routes[i].prefix));
		if (w.route == TO_BYTECOUNT_CLI)
			w.has_cid = slice_to_u64(slice_cut(&rest, ','), &w.cid);
		return w;
	}
	return (struct way){.route = TO_FULL}; /* a kind to come */
}

/* --- words for whom -------------------------------------------------------------------------- */

static struct slice cut_at(struct slice s, const char *needle)
{
	size_t at = slice_find(s, needle);
	if (at != SIZE_MAX)
		s.n = at;
	return s;
}

struct slice relay_censor_log(struct slice line)
{
	line = cut_at(line, "auth-token ");
	line = cut_at(line, "password=");
	/* manage.c man_process_command logs what clients send, all but `password`. */
	size_t at = slice_find(line, "MANAGEMENT: CMD '");
	if (at != SIZE_MAX) {
		struct slice command = slice_skip(line, at + 17);
		size_t word = slice_find(command, " ");
		if (word != SIZE_MAX)
			line.n -= command.n - word;
	}
	return line;
}

/* Cut after the second comma: ">CLIENT:CR_RESPONSE,cid,kid,answer". */
static struct slice cut_response(struct slice line)
{
	struct slice rest = line;
	for (int i = 0; i < 3 && rest.p != NULL; i++)
		(void)slice_cut(&rest, ',');
	if (rest.p != NULL)
		line.n -= rest.n + 1;
	return line;
}

static bool censor(struct slice *line, enum route route)
{
	if (route == TO_FULL || route == TO_ASKER)
		return false;
	if (slice_starts(*line, ">LOG:") || slice_starts(*line, ">FATAL:"))
		*line = relay_censor_log(*line);
	else if (slice_starts(*line, ">CLIENT:CR_RESPONSE,"))
		*line = cut_response(*line);
	else if (slice_starts(*line, ">PASSWORD:Verification Failed: "))
		*line = cut_at(*line, " ['"); /* a dynamic challenge holds the session's id */
	else if (slice_starts(*line, ">CLIENT:ENV,") || slice_starts(*line, ">UPDOWN:ENV,"))
		return slice_find(*line, "password") == SIZE_MAX &&
		       slice_find(*line, "auth_token") == SIZE_MAX;
	return true;
}

/* For a client of an older version than the daemon was told of another
 * (manage.c management_query_pk_sig): the algorithm is of version 3, the word of version 2. */
static void tell_sign(struct relay *r, struct relay_client *c, struct slice line)
{
	struct slice data = slice_skip(line, strlen(">PK_SIGN:"));
	if (c->version <= 2)
		data = slice_cut(&data, ',');
	relay_tell(r, c, c->version <= 1 ? SLICE(">RSA_SIGN:") : SLICE(">PK_SIGN:"));
	relay_tell_line(r, c, data);
}

static bool is_for(struct relay *r, struct relay_client *c, const struct way *w)
{
	switch (w->route) {
	case TO_TOPIC:
		return c->hears[w->topic];
	case TO_BYTECOUNT:
		return relay_bytecount_is_due(r, c, NULL);
	case TO_BYTECOUNT_CLI:
		return relay_bytecount_is_due(r, c, w->has_cid ? &w->cid : NULL);
	case TO_BLOCK:
		return !c->skips_block;
	case TO_ASKER:
		return r->flight.client == c && r->flight.word == RELAY_WORD_PKCS11;
	case TO_ALL:
	case TO_FULL:
		return true;
	}
	return true;
}

static void tell_one(struct relay *r, struct relay_client *c, struct slice line,
		     const struct way *w)
{
	if (c->state != RELAY_CLIENT_UP || !is_for(r, c, w))
		return;
	if (c->readonly && !censor(&line, w->route))
		return;
	c->owes_signature = c->owes_signature || slice_starts(line, ">PK_SIGN:") ||
			    slice_starts(line, ">RSA_SIGN:");
	c->owes_certificate = c->owes_certificate || slice_starts(line, ">NEED-CERTIFICATE:");
	if (slice_starts(line, ">PK_SIGN:") && c->version < r->version)
		tell_sign(r, c, line);
	else
		relay_tell_line(r, c, line);
}

void relay_route_to(struct relay *r, struct relay_client *c, struct slice line)
{
	struct way w = way_of(line);
	tell_one(r, c, line, &w);
}

/* --- routing --------------------------------------------------------------------------------- */

/* A block has several lines, but ">CLIENT:ADDRESS,…" is one in itself. */
static void begin_block(struct relay *r, struct slice line)
{
	if (!slice_starts(line, ">CLIENT:ADDRESS,") && !slice_starts(line, ">CLIENT:ENV,") &&
	    !slice_starts(line, ">UPDOWN:ENV,"))
		r->in_block = true;
}

static void end_block(struct relay *r, struct slice line)
{
	if (!slice_is(line, ">CLIENT:ENV,END") && !slice_is(line, ">UPDOWN:ENV,END"))
		return;
	r->in_block = false;
	for (struct relay_client *c = r->clients; c != NULL; c = c->next)
		c->skips_block = false;
}

/* manage.c man_signal tells who sent a signal in vain once more what the daemon waits for. */
static bool is_reminder(const struct relay *r, struct slice line)
{
	return r->flight.owner == RELAY_CLIENT && r->flight.word == RELAY_WORD_SIGNAL &&
	       r->flight.verdict_seen && slice_starts(line, ">HOLD:");
}

void relay_route(struct relay *r, struct slice line)
{
	struct way w = way_of(line);
	bool reminder = is_reminder(r, line);
	if (w.route == TO_BLOCK)
		begin_block(r, line);
	for (struct relay_client *c = r->clients; c != NULL; c = c->next)
		if (!reminder || c == r->flight.client)
			tell_one(r, c, line, &w);
	if (w.route == TO_BLOCK)
		end_block(r, line);
}
