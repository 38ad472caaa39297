/* SPDX-License-Identifier: MIT */
#include "core/relay_parts.h"

#include <assert.h>

/* Answered by one line at once, in every state of the daemon, and never logged. */
#define BARRIER SLICE("load-stats\n")

void relay_init(struct relay *r, const struct relay_wires *wires)
{
	*r = (struct relay){.wires = *wires};
}

/* --- asking ---------------------------------------------------------------------------------- */

void relay_take_off(struct relay *r, struct slice text)
{
	assert(r->flight.owner != RELAY_NOBODY);
	r->wires.to_daemon(r->wires.arg, text);
	if (r->flight.word != RELAY_WORD_LOAD_STATS) /* it is its own barrier */
		r->wires.to_daemon(r->wires.arg, BARRIER);
}

static void ask_for_ourselves(struct relay *r)
{
	struct slice text = slice_from(management_command_text(r->own[0]));
	struct relay_command cmd;
	r->n_own--;
	memmove(r->own, r->own + 1, r->n_own * sizeof *r->own);
	relay_command_read(&cmd, text);
	relay_wants_learn(r, &cmd);
	r->flight = (struct relay_flight){.owner = RELAY_OWN, .word = cmd.word};
	relay_prompt_fly(r, &cmd);
	relay_take_off(r, text);
}

/* Who has waited longest, and goes to the end of the line. */
static struct relay_client *next_client(struct relay *r)
{
	struct relay_client **at = &r->clients;
	while (*at != NULL && !relay_client_ready(r, *at))
		at = &(*at)->next;
	struct relay_client *c = *at;
	if (c == NULL)
		return NULL;
	*at = c->next;
	while (*at != NULL)
		at = &(*at)->next;
	*at = c;
	c->next = NULL;
	return c;
}

void relay_pump(struct relay *r)
{
	while (r->up && r->flight.owner == RELAY_NOBODY) {
		if (r->n_own > 0) {
			ask_for_ourselves(r);
			continue;
		}
		if (relay_wants_restore(r))
			continue;
		struct relay_client *c = next_client(r);
		if (c == NULL)
			return;
		relay_execute(r, c);
		relay_client_feed(r, c);
	}
}

void relay_own_command(struct relay *r, enum management_command c)
{
	assert(r->n_own < RELAY_OWN_MAX);
	r->own[r->n_own++] = c;
	relay_pump(r);
}

void relay_leave(struct relay *r)
{
	for (unsigned i = 0; r->up && i < r->n_own; i++)
		r->wires.to_daemon(r->wires.arg, slice_from(management_command_text(r->own[i])));
	r->n_own = 0;
}

/* --- hearing --------------------------------------------------------------------------------- */

/* manage.c man_load_stats; the reply to `nclients` begins in the same way. */
static bool is_load_stats(struct slice line)
{
	return slice_starts(line, "SUCCESS: nclients=") &&
	       slice_find(line, ",bytesin=") != SIZE_MAX;
}

static void land(struct relay *r)
{
	struct relay_client *c = r->flight.client;
	if (c != NULL) {
		if (r->flight.after[0] != '\0')
			relay_tell(r, c, slice_from(r->flight.after));
		if (r->flight.after_off)
			c->hears[r->flight.topic] = false;
	}
	r->flight = (struct relay_flight){.owner = RELAY_NOBODY};
	if (c != NULL)
		relay_client_answered(r, c);
}

/* The end of the reply. The daemon takes a signature from the line, goes on reading, and says
 * what became of it when it is back in its own loop: the barrier may come before (manage.c
 * management_query_multiline). */
static bool is_over(const struct relay_flight *f)
{
	bool late = f->word == RELAY_WORD_SIGN || f->word == RELAY_WORD_CERTIFICATE;
	return f->barrier_seen && (f->verdict_seen || !late);
}

static void tell_reply(struct relay *r, struct slice line)
{
	char room[128];
	struct relay_client *c = r->flight.client;
	if (c != NULL && relay_wants_reply(r, c, &line, room, sizeof room))
		relay_tell_line(r, c, line);
}

/* A line that is not a notification. True: it is ovpnwatch's own. */
static bool hear_reply(struct relay *r, struct slice line)
{
	struct relay_flight *f = &r->flight;
	enum relay_owner owner = f->owner;
	if (owner == RELAY_NOBODY)
		return true; /* nobody's: the session passes over it */
	bool barrier = !f->barrier_seen && is_load_stats(line);
	bool reply = !barrier || f->word == RELAY_WORD_LOAD_STATS;
	f->barrier_seen = f->barrier_seen || barrier;
	if (reply) {
		f->verdict_seen = f->verdict_seen || relay_is_verdict(line);
		relay_prompt_reply(r, line);
		if (owner == RELAY_CLIENT)
			tell_reply(r, line);
	}
	if (is_over(f)) {
		land(r);
		relay_pump(r);
	}
	return reply && owner == RELAY_OWN;
}

static void hear_banner(struct relay *r, struct slice line)
{
	r->up = true;
	r->banner_n = line.n < sizeof r->banner ? line.n : sizeof r->banner;
	memcpy(r->banner, line.p, r->banner_n);
	for (struct relay_client *c = r->clients; c != NULL; c = c->next)
		relay_client_greet(r, c);
	relay_pump(r);
}

bool relay_daemon_line(struct relay *r, struct slice line, nsec now)
{
	r->now = now;
	if (!r->up) {
		if (slice_starts(line, ">INFO:"))
			hear_banner(r, line);
		return true;
	}
	if (!slice_starts(line, ">"))
		return hear_reply(r, line);
	relay_prompt_note(r, line);
	relay_route(r, line);
	relay_pump(r); /* a block may have kept a client from being answered */
	return true;
}

void relay_daemon_down(struct relay *r)
{
	r->up = false;
	r->n_own = 0;
	r->flight = (struct relay_flight){.owner = RELAY_NOBODY};
	r->prompt = (struct relay_prompt){.kind = RELAY_PROMPT_NONE};
	r->own_wants = r->daemon = (struct relay_wants){0};
	r->version = 0;
	r->in_block = false;
	for (struct relay_client *c = r->clients; c != NULL; c = c->next)
		if (c->state != RELAY_CLIENT_WAITING)
			relay_hang_up(r, c, NULL);
}
