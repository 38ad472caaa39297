/* SPDX-License-Identifier: MIT */
#include "core/server_watch.h"
#include "core/server_book.h"
#include "core/watch.h"

#include <stdlib.h>
#include <string.h>

/* `status` says whole seconds, and so does what it is compared with. */
#define STEP_LEAST (3 * NSEC_PER_SEC)

struct server_book *server_book_new(void)
{
	struct server_book *b = calloc(1, sizeof *b);
	if (b == NULL)
		return NULL;
	b->clock = NSEC_UNKNOWN;
	b->clients = server_clients_new();
	if (b->clients != NULL)
		return b;
	free(b);
	return NULL;
}

void server_book_free(struct server_book *b)
{
	if (b != NULL)
		server_clients_free(b->clients);
	free(b);
}

void server_watch_init(struct server_watch *s)
{
	*s = (struct server_watch){.next_stats = NSEC_NEVER,
				   .next_status = NSEC_NEVER,
				   .last_status = NSEC_UNKNOWN,
				   .number = -1};
}

void server_watch_done(struct server_watch *s)
{
	server_book_free(s->book);
	s->book = NULL;
}

void server_watch_detached(struct server_watch *s)
{
	server_watch_done(s);
	server_watch_init(s);
}

/* Something may have changed: what it is, the status says. */
static void hint(struct server_watch *s, const struct stamp *at)
{
	nsec soonest =
	    s->last_status != NSEC_UNKNOWN ? s->last_status + SERVER_STATUS_GAP : at->mono;
	if (s->role == ROLE_SERVER)
		s->next_status = nsec_min(s->next_status, nsec_max(soonest, at->mono));
}

/* --- the status ------------------------------------------------------------------------------ */

/* A clock that runs on keeps its distance from the ruler. */
static void compare_clocks(struct server_book *b, int64_t time, const struct stamp *at)
{
	nsec clock = nsec_sub(time * NSEC_PER_SEC, at->ruler);
	nsec step = b->clock != NSEC_UNKNOWN ? clock - b->clock : 0;
	if (step >= STEP_LEAST || step <= -STEP_LEAST) {
		b->step = step;
		b->step_at = at->mono;
		b->lost_untold = b->lost_untold || b->losses.n > 0;
	}
	b->clock = clock;
}

void server_watch_status(struct tunnel *t, struct slice line, const struct stamp *at)
{
	struct server_watch *s = &t->server;
	if (s->role == ROLE_UNKNOWN && slice_is(line, "OpenVPN STATISTICS"))
		s->role = ROLE_CLIENT;
	if (s->role == ROLE_CLIENT)
		return;
	if (s->book == NULL)
		s->book = server_book_new();
	if (s->book == NULL)
		return;
	int64_t before = s->book->clients->time;
	if (server_clients_status(s->book->clients, line, at))
		s->role = ROLE_SERVER;
	if (s->book->clients->time != before)
		compare_clocks(s->book, s->book->clients->time, at);
}

void server_watch_status_end(struct tunnel *t, bool whole, const struct stamp *at)
{
	struct server_watch *s = &t->server;
	s->last_status = at->mono;
	if (s->book == NULL)
		return;
	server_clients_status_end(s->book->clients, whole, at);
	if (s->role != ROLE_SERVER) /* a client, or it cannot say yet */
		server_watch_done(s);
	else if (s->next_stats == NSEC_NEVER)
		s->counting = true;
	if (s->role == ROLE_SERVER) {
		s->next_stats = at->mono + SERVER_STATS_EVERY;
		s->next_status = at->mono + SERVER_STATUS_EVERY;
	}
}

void server_watch_load(struct tunnel *t, struct slice text, const struct stamp *at)
{
	struct server_watch *s = &t->server;
	uint64_t number;
	if (!slice_starts(text, "nclients="))
		return;
	text = slice_skip(text, strlen("nclients="));
	if (!slice_to_u64(slice_cut(&text, ','), &number) || number > INT32_MAX)
		return;
	if (s->number != (int64_t)number && s->number >= 0)
		hint(s, at);
	s->number = (int64_t)number;
}

/* --- the log and the states ------------------------------------------------------------------ */

static void judge_eviction(struct server_book *b, const struct client_eviction *eviction,
			   const struct stamp *at)
{
	struct eviction_verdict v = evictions_add(&b->evictions, eviction, at->mono);
	if (!v.duplicate)
		return;
	b->duplicate = v;
	b->eviction = *eviction;
	b->evicted = *at;
	b->duplicate_untold = true;
}

/* Without a management interface the log alone says that it is a server's, in words that no client
 * has. */
static struct server_book *book_of(struct watch *w, struct tunnel *t, enum log_fact_kind kind)
{
	struct server_watch *s = &t->server;
	bool log_alone = t->config.address == NULL || w->config.replay;
	if (s->book == NULL && log_alone && (kind == LOG_LEARNED || kind == LOG_DUPLICATE)) {
		s->book = server_book_new();
		if (s->book != NULL) {
			s->role = ROLE_SERVER;
			s->book->clients->known = s->book->told_present = true;
		}
	}
	return s->role == ROLE_SERVER ? s->book : NULL;
}

bool server_watch_log(struct watch *w, struct tunnel *t, const struct log_fact *fact,
		      const struct stamp *at)
{
	struct client_eviction eviction;
	struct client_end end;
	if (fact->client.n == 0 && fact->kind != LOG_DUPLICATE)
		return false;
	struct server_book *b = book_of(w, t, fact->kind);
	if (b == NULL)
		return true;
	server_clients_log(b->clients, fact, at, &end, &eviction);
	if (end.ended && losses_add(&b->losses, 1, end.before, at))
		b->lost_untold = true;
	if (eviction.evicted)
		judge_eviction(b, &eviction, at);
	if (fact->kind == LOG_LEARNED || fact->kind == LOG_DUPLICATE || fact->kind == LOG_SIGNAL)
		hint(&t->server, at);
	return true;
}

void server_watch_state(struct tunnel *t, const struct stamp *at)
{
	struct server_watch *s = &t->server;
	if (t->state == STATE_CONNECTED) {
		s->ask = s->role == ROLE_UNKNOWN;
		hint(s, at);
	}
	if (t->state != STATE_RECONNECTING && t->state != STATE_EXITING)
		return;
	if (s->book != NULL)
		server_clients_dropped(s->book->clients, t->detail, at);
	/* It has nobody to tell of until it is CONNECTED again. */
	s->next_status = s->next_stats = NSEC_NEVER;
}

/* --- what is due ----------------------------------------------------------------------------- */

static bool may_ask(const struct tunnel *t, const struct actions *out)
{
	const struct session *s = &t->session;
	return s->state == SESSION_UP && s->subscribed && s->n_ahead == 0 &&
	       out->n_actions < ACTIONS_MAX;
}

void server_watch_apply(struct watch *w, struct tunnel *t, const struct stamp *now,
			struct actions *out)
{
	struct server_watch *s = &t->server;
	if (s->counting && session_say(&t->session, COMMAND_BYTECOUNT_OFF, t, out))
		s->counting = false;
	if ((s->ask || s->role == ROLE_SERVER) && may_ask(t, out)) {
		if (s->ask || now->mono >= s->next_status) {
			session_ask(&t->session, COMMAND_STATUS_3, t, out);
			s->ask = false;
			s->next_status = now->mono + SERVER_STATUS_EVERY;
		} else if (now->mono >= s->next_stats) {
			session_ask(&t->session, COMMAND_LOAD_STATS, t, out);
			s->next_stats = now->mono + SERVER_STATS_EVERY;
		}
	}
	server_tell(w, t, now, out);
}

nsec server_watch_deadline(const struct tunnel *t)
{
	const struct server_watch *s = &t->server;
	nsec at = s->book != NULL ? server_tell_deadline(t) : NSEC_NEVER;
	/* With something ahead its answer comes first, and is an event. */
	const struct session *c = &t->session;
	if (s->role != ROLE_SERVER || c->state != SESSION_UP || !c->subscribed || c->n_ahead > 0)
		return at;
	return nsec_min(at, nsec_min(s->next_stats, s->next_status));
}
