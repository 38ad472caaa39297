/* SPDX-License-Identifier: MIT */
#include "core/reach.h"

#include <limits.h>
#include <stdio.h>

static const struct {
	unsigned echo, other;
} bursts[] = {
    [REACH_UP] = {1, 0},
    [REACH_SILENT] = {4, 2},
    [REACH_RESTART] = {2, 0},
};

static void asked_init(struct reach_asked *a)
{
	*a = (struct reach_asked){.next_id = 1, .next = NSEC_NEVER};
}

void reach_init(struct reach *r, bool enabled, bool others)
{
	*r = (struct reach){
	    .enabled = enabled, .others = others, .lost = NSEC_UNKNOWN, .back = NSEC_UNKNOWN};
	asked_init(&r->echo);
	asked_init(&r->other);
}

void reach_another(struct reach *r)
{
	asked_init(&r->echo);
	asked_init(&r->other);
	r->other_remote = NULL;
}

static void record(struct reach_asked *a, unsigned slot, enum reach_result result)
{
	unsigned at = a->n_history++ % REACH_HISTORY;
	a->history[at].sent = a->pending[slot].sent;
	a->history[at].result = result;
	a->pending[slot].id = 0;
}

static unsigned slot_of(const struct reach_asked *a, unsigned id)
{
	unsigned slot = 0;
	while (slot < REACH_PENDING && (id == 0 || a->pending[slot].id != id))
		slot++;
	return slot;
}

static void answered(struct reach_asked *a, unsigned id, enum reach_result result)
{
	unsigned slot = slot_of(a, id);
	if (slot == REACH_PENDING)
		return; /* too late, or twice */
	record(a, slot, result);
}

static void dropped(struct reach_asked *a, unsigned id)
{
	unsigned slot = slot_of(a, id);
	if (slot < REACH_PENDING)
		a->pending[slot].id = 0;
}

static void route(struct reach *r, const struct event *e)
{
	bool was = !r->route_known || (r->route_there && r->link_up);
	bool is = e->u.route.there && e->u.route.up;
	r->route_known = true;
	r->route_there = e->u.route.there;
	r->link_up = e->u.route.up;
	if (e->u.route.interface[0] != '\0')
		snprintf(r->interface, sizeof r->interface, "%s", e->u.route.interface);
	if (was && !is) {
		r->lost = e->at.mono;
		r->back = NSEC_UNKNOWN;
		r->lost_link = r->route_there;
	} else if (!was && is) {
		r->back = e->at.mono;
	}
}

static void other_remote(struct reach *r, const struct event *e)
{
	r->other_remote = e->u.other_remote.remote;
	switch (e->u.other_remote.outcome) {
	case PROBE_ANSWERED:
	case PROBE_BAD_MAC:
	case PROBE_REJECTED:
		answered(&r->other, e->u.other_remote.id, REACH_ANSWERED);
		return;
	case PROBE_REFUSED:
		answered(&r->other, e->u.other_remote.id, REACH_REFUSED);
		return;
	case PROBE_UNREACHABLE:
		answered(&r->other, e->u.other_remote.id, REACH_UNREACHABLE);
		return;
	case PROBE_FAILED:
		dropped(&r->other, e->u.other_remote.id);
		return;
	case PROBE_REPEATED:
		return;
	}
}

void reach_event(struct reach *r, const struct event *e)
{
	if (e->kind == EVENT_ROUTE) {
		route(r, e);
	} else if (e->kind == EVENT_OTHER_REMOTE) {
		other_remote(r, e);
	} else if (e->kind == EVENT_ECHO && e->u.echo.outcome == ECHO_FAILED) {
		r->barred = true;
		dropped(&r->echo, e->u.echo.id);
	} else if (e->kind == EVENT_ECHO) {
		answered(&r->echo, e->u.echo.id,
			 e->u.echo.outcome == ECHO_ANSWERED ? REACH_ANSWERED : REACH_UNREACHABLE);
	}
}

static void start(struct reach_asked *a, unsigned size, nsec mono)
{
	if (size <= a->left)
		return;
	if (a->left == 0)
		a->next = mono;
	a->left = size;
}

void reach_burst(struct reach *r, enum reach_burst why, const struct stamp *now)
{
	if (!r->enabled)
		return;
	if (why == REACH_UP)
		r->barred = false;
	if (!r->barred)
		start(&r->echo, bursts[why].echo, now->mono);
	if (r->others)
		start(&r->other, bursts[why].other, now->mono);
}

static void ask(struct reach_asked *a, enum action_kind kind, nsec mono, struct tunnel *t,
		struct actions *out)
{
	unsigned slot = 0;
	for (unsigned i = 0; i < REACH_PENDING; i++)
		if (a->pending[i].id != 0 && mono - a->pending[i].sent >= ECHO_TIMEOUT)
			record(a, i, REACH_NONE);
	if (a->left == 0 || a->next > mono || out->n_actions >= ACTIONS_MAX)
		return;
	while (slot < REACH_PENDING && a->pending[slot].id != 0)
		slot++;
	if (slot == REACH_PENDING)
		return; /* cannot be: ECHO_GAP and ECHO_TIMEOUT leave three under way */
	unsigned id = a->next_id;
	a->next_id = id == UINT_MAX ? 1 : id + 1;
	a->pending[slot].id = id;
	a->pending[slot].sent = mono;
	out->actions[out->n_actions++] = (struct action){.kind = kind, .tunnel = t, .id = id};
	a->left--;
	a->next = a->left > 0 ? mono + ECHO_GAP : NSEC_NEVER;
}

void reach_time(struct reach *r, const struct stamp *now, struct tunnel *t, struct actions *out)
{
	if (r->barred)
		r->echo.left = 0;
	ask(&r->echo, ACTION_ECHO, now->mono, t, out);
	ask(&r->other, ACTION_PROBE_OTHER, now->mono, t, out);
}

static nsec asked_deadline(const struct reach_asked *a)
{
	nsec at = a->left > 0 ? a->next : NSEC_NEVER;
	for (unsigned i = 0; i < REACH_PENDING; i++)
		if (a->pending[i].id != 0)
			at = nsec_min(at, a->pending[i].sent + ECHO_TIMEOUT);
	return at;
}

nsec reach_deadline(const struct reach *r)
{
	return nsec_min(asked_deadline(&r->echo), asked_deadline(&r->other));
}

static bool asked_busy(const struct reach_asked *a)
{
	bool busy = a->left > 0;
	for (unsigned i = 0; i < REACH_PENDING; i++)
		busy |= a->pending[i].id != 0;
	return busy;
}

bool reach_busy(const struct reach *r)
{
	return asked_busy(&r->echo) || asked_busy(&r->other);
}

struct reach_tally reach_tally(const struct reach_asked *a, nsec from, nsec until)
{
	struct reach_tally tally = {0};
	for (unsigned i = 0; i < REACH_HISTORY && i < a->n_history; i++) {
		if (a->history[i].sent < from || a->history[i].sent >= until)
			continue;
		switch (a->history[i].result) {
		case REACH_ANSWERED:
			tally.answered++;
			break;
		case REACH_NONE:
			tally.unanswered++;
			break;
		case REACH_UNREACHABLE:
			tally.unreachable++;
			break;
		case REACH_REFUSED:
			tally.refused++;
			break;
		}
	}
	return tally;
}
