/* SPDX-License-Identifier: MIT */
#include "core/relay_parts.h"

#include <assert.h>

#define PASSWORD_TRIES 3 /* manage.h MANAGEMENT_N_PASSWORD_RETRIES */

void relay_tell(struct relay *r, struct relay_client *c, struct slice bytes)
{
	if (c->state != RELAY_CLIENT_ENDED && bytes.n > 0)
		r->wires.to_client(r->wires.arg, c->owner, bytes);
}

void relay_tell_line(struct relay *r, struct relay_client *c, struct slice line)
{
	relay_tell(r, c, line);
	relay_tell(r, c, SLICE("\r\n"));
}

/* --- coming ---------------------------------------------------------------------------------- */

/* manage.c man_welcome */
static void welcome(struct relay *r, struct relay_client *c)
{
	c->state = RELAY_CLIENT_UP;
	c->skips_block = r->in_block;
	relay_tell_line(r, c, (struct slice){.p = r->banner, .n = r->banner_n});
	if (r->prompt.kind != RELAY_PROMPT_NONE)
		relay_route_to(r, c, (struct slice){.p = r->prompt.line, .n = r->prompt.n});
}

static void ask_password(struct relay *r, struct relay_client *c)
{
	relay_tell(r, c, SLICE("ENTER PASSWORD:"));
}

void relay_client_greet(struct relay *r, struct relay_client *c)
{
	if (c->state != RELAY_CLIENT_WAITING)
		return;
	if (c->has_password) {
		c->state = RELAY_CLIENT_PASSWORD;
		ask_password(r, c);
	} else {
		welcome(r, c);
	}
	relay_client_feed(r, c);
}

void relay_client_came(struct relay *r, struct relay_client *c, bool readonly,
		       struct slice password, void *owner)
{
	assert(password.n <= RELAY_PASSWORD_MAX);
	explicit_bzero(c, sizeof *c);
	c->owner = owner;
	c->readonly = readonly;
	c->version = 1;
	c->has_password = password.p != NULL;
	c->password_n = password.n;
	if (password.n > 0)
		memcpy(c->password, password.p, password.n);
	struct relay_client **end = &r->clients;
	while (*end != NULL)
		end = &(*end)->next;
	*end = c;
	if (r->up)
		relay_client_greet(r, c);
}

/* --- going ----------------------------------------------------------------------------------- */

/* It wants nothing any more, and nothing of it is waited for. */
static void forget(struct relay *r, struct relay_client *c)
{
	c->state = RELAY_CLIENT_ENDED;
	c->wants = (struct relay_wants){0};
	c->under_way = false;
	c->line = (struct slice){0};
	c->collecting = RELAY_NO_BLOCK;
	if (r->flight.client == c)
		r->flight.client = NULL;
	relay_prompt_release(r, c);
}

void relay_hang_up(struct relay *r, struct relay_client *c, const char *reason)
{
	if (c->state == RELAY_CLIENT_ENDED)
		return;
	forget(r, c);
	r->wires.hang_up(r->wires.arg, c->owner, reason);
}

void relay_client_left(struct relay *r, struct relay_client *c)
{
	struct relay_client **at = &r->clients;
	while (*at != c) {
		assert(*at != NULL);
		at = &(*at)->next;
	}
	*at = c->next;
	forget(r, c);
	explicit_bzero(c, sizeof *c);
	relay_pump(r); /* the daemon need not tell any more what only this one wanted */
}

/* --- the password ---------------------------------------------------------------------------- */

/* How long it takes says nothing of where they differ. */
static bool is_password(const struct relay_client *c, struct slice given)
{
	unsigned char differs = given.n != c->password_n;
	for (size_t i = 0; i < given.n; i++)
		differs |= (unsigned char)(given.p[i] ^ c->password[i % (RELAY_PASSWORD_MAX + 1)]);
	return differs == 0;
}

/* manage.c man_check_password: the error itself is never shown, the prompt comes again. */
static void check_password(struct relay *r, struct relay_client *c, struct slice line)
{
	if (is_password(c, line)) {
		explicit_bzero(c->password, sizeof c->password);
		relay_tell(r, c, SLICE("SUCCESS: password is correct\r\n"));
		welcome(r, c);
	} else if (++c->tries >= PASSWORD_TRIES) {
		relay_hang_up(r, c, "gave a wrong password three times");
	} else {
		ask_password(r, c);
	}
}

/* --- lines ----------------------------------------------------------------------------------- */

static void collect(struct relay *r, struct relay_client *c, struct slice line)
{
	if (!relay_collect(c, line))
		relay_hang_up(r, c, "sent a command of more than 64 KiB");
}

/* What a line is for depends on where the client stands. */
static void take_line(struct relay *r, struct relay_client *c, struct slice line)
{
	struct relay_command cmd;
	if (c->state == RELAY_CLIENT_PASSWORD) {
		check_password(r, c, line);
	} else if (c->collecting == RELAY_COLLECTING) {
		collect(r, c, line);
	} else {
		relay_command_read(&cmd, line);
		if (cmd.word == RELAY_WORD_EXIT)
			relay_hang_up(r, c, NULL);
		else if (!cmd.split || cmd.words.n > 0) /* OpenVPN says nothing to an empty line */
			c->line = line;
		explicit_bzero(&cmd, sizeof cmd);
	}
}

static bool wants_line(const struct relay_client *c)
{
	return c->state == RELAY_CLIENT_PASSWORD ||
	       (c->state == RELAY_CLIENT_UP && !c->under_way && c->line.p == NULL &&
		c->collecting != RELAY_COLLECTED);
}

void relay_client_feed(struct relay *r, struct relay_client *c)
{
	struct slice in = {.p = c->in, .n = c->in_n};
	struct slice line;
	enum verdict v = VERDICT_DONE;
	while (v == VERDICT_DONE && wants_line(c)) {
		v = management_input_next(&c->input, &in, &line);
		if (v == VERDICT_DONE)
			take_line(r, c, line);
		else if (v == VERDICT_INVALID)
			relay_hang_up(r, c, "spoke HTTP");
	}
	size_t used = c->in_n - in.n;
	memmove(c->in, in.p, in.n);
	explicit_bzero(c->in + in.n, used);
	c->in_n = in.n;
	if (c->end_of_input && wants_line(c))
		relay_hang_up(r, c, NULL);
}

void relay_client_end_of_input(struct relay *r, struct relay_client *c)
{
	c->end_of_input = true;
	if (c->state == RELAY_CLIENT_WAITING)
		relay_hang_up(r, c, NULL);
	relay_client_feed(r, c);
	relay_pump(r);
}

size_t relay_client_room(const struct relay_client *c)
{
	return c->state != RELAY_CLIENT_ENDED ? sizeof c->in - c->in_n : 0;
}

/* A browser does not have to wait for the daemon to be sent away. */
static bool begins_with_http(const struct relay_client *c)
{
	struct management_input look = {0};
	struct slice in = {.p = c->in, .n = c->in_n}, line;
	bool http = management_input_next(&look, &in, &line) == VERDICT_INVALID;
	management_input_wipe(&look);
	return http;
}

void relay_client_bytes(struct relay *r, struct relay_client *c, struct slice bytes, nsec now)
{
	r->now = now;
	if (c->state == RELAY_CLIENT_ENDED)
		return;
	assert(bytes.n <= relay_client_room(c));
	if (bytes.n > 0)
		memcpy(c->in + c->in_n, bytes.p, bytes.n);
	c->in_n += bytes.n;
	if (c->state == RELAY_CLIENT_WAITING && begins_with_http(c))
		relay_hang_up(r, c, "spoke HTTP");
	relay_client_feed(r, c);
	relay_pump(r);
}

void relay_client_answered(struct relay *r, struct relay_client *c)
{
	c->under_way = false;
	relay_client_feed(r, c);
}

bool relay_client_ready(const struct relay *r, const struct relay_client *c)
{
	/* Nothing of the relay's own gets between the lines of a block. */
	bool in_block = r->in_block && !c->skips_block;
	return c->state == RELAY_CLIENT_UP && !c->under_way && !in_block &&
	       (c->line.p != NULL || c->collecting == RELAY_COLLECTED);
}
