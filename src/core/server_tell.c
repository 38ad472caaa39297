/* SPDX-License-Identifier: MIT */
#include "core/diagnose.h"
#include "core/phrases.h"
#include "core/server_book.h"
#include "core/tell.h"

#include <stdio.h>
#include <string.h>

/* A burst goes on for a while; it is told as it grows, not with each. */
#define LOST_TOLD_EVERY (5 * NSEC_PER_SEC)
/* A step this long ago has nothing to do with what is lost now. */
#define STEP_COUNTS (300 * NSEC_PER_SEC)

/* --- one client ------------------------------------------------------------------------------ */

static void say_start(struct notice *n, const struct server_client *e)
{
	const char *as = e->virtual_ip[0] != '\0' ? " as " : "";
	if (e->news == CLIENT_CONNECTED)
		SAY(n, "%s connected from %s%s%s", e->name, e->address, as, e->virtual_ip);
	else if (e->away == NSEC_UNKNOWN)
		SAY(n, "%s began anew from where it is connected (%s)", e->name, e->address);
	else
		SAY(n, "%.64s is back after %.40s, from %.80s%s%s (its last session ended%s%s)",
		    e->name, phrase_duration(e->away).text, e->address, as, e->virtual_ip,
		    e->reason[0] != '\0' ? ": " : "", e->reason);
}

static void say_end(struct notice *n, const struct server_client *e)
{
	struct phrase lasted = {.text = ""};
	if (e->lasted != NSEC_UNKNOWN)
		lasted = phrase_duration(e->lasted);
	const char *after = e->lasted != NSEC_UNKNOWN ? " after " : "";
	if (e->news == CLIENT_EVICTED)
		SAY(n, "%s at %s was dropped%s%s: a new connection under its name came from %s",
		    e->name, e->address, after, lasted.text,
		    e->other_address[0] != '\0' ? e->other_address : "elsewhere");
	else if (strcmp(e->reason, "ping-restart") == 0)
		SAY(n, "%s at %s was given up%s%s: the server received nothing from it", e->name,
		    e->address, after, lasted.text);
	else
		SAY(n, "%s at %s is gone%s%s%s%s", e->name, e->address, after, lasted.text,
		    e->reason[0] != '\0' ? ": " : "", e->reason);
}

static bool deserves_a_look(const struct server_client *e)
{
	if (e->news == CLIENT_DISCONNECTED)
		return !e->left && e->reason[0] != '\0';
	return e->news == CLIENT_EVICTED || e->news == CLIENT_REPLAYED;
}

static void fill(struct notice_client *c, const struct server_client *e)
{
	c->present = true;
	c->change = e->news;
	snprintf(c->name, sizeof c->name, "%s", e->name);
	snprintf(c->address, sizeof c->address, "%s", e->address);
	snprintf(c->virtual_ip, sizeof c->virtual_ip, "%s", e->virtual_ip);
	snprintf(c->reason, sizeof c->reason, "%s", e->reason);
	c->received_bytes = e->received;
	c->sent_bytes = e->sent;
	if (e->news == CLIENT_EVICTED)
		snprintf(c->other_address, sizeof c->other_address, "%s", e->other_address);
	if (e->news == CLIENT_RESTARTED)
		c->away_s = e->away;
	else if (e->news != CLIENT_CONNECTED)
		c->connected_s = e->lasted;
}

static void tell_client(struct actions *out, const struct tunnel *t, const struct server_client *e,
			unsigned connected)
{
	enum severity severity = deserves_a_look(e) ? SEVERITY_WARNING : SEVERITY_INFO;
	struct notice *n = tell(out, NOTICE_CLIENT, severity, &e->at, t);
	fill(&n->client, e);
	n->client.clients = (int)connected;
	if (e->news == CLIENT_CONNECTED || e->news == CLIENT_RESTARTED)
		say_start(n, e);
	else if (e->news == CLIENT_REPLAYED)
		SAY(n, "%s at %s: the server rejects packets of it as replayed", e->name,
		    e->address);
	else
		say_end(n, e);
}

/* --- all of them ----------------------------------------------------------------------------- */

static void tell_present(struct server_book *b, const struct tunnel *t, const struct stamp *now,
			 struct actions *out)
{
	const struct server_clients *c = b->clients;
	if (!c->known || (b->told_present && c->left_out <= b->told_left_out) || !tell_room(out))
		return;
	struct notice *n = tell(out, NOTICE_MONITOR, SEVERITY_INFO, now, t);
	n->monitor.kind = MONITOR_SERVER;
	n->monitor.count = (int64_t)c->connected + c->left_out;
	if (c->left_out > 0)
		SAY(n, "a server with more clients than are followed: %u are left out",
		    c->left_out);
	else
		SAY(n, "it is a server: %u client%s connected", c->connected,
		    c->connected == 1 ? " is" : "s are");
	b->told_present = true;
	b->told_left_out = c->left_out;
}

static void tell_duplicate(struct server_book *b, struct tunnel *t, struct actions *out)
{
	const struct client_eviction *of = &b->eviction;
	if (!b->duplicate_untold || !tell_room(out))
		return;
	struct notice *n =
	    tell(out, NOTICE_ALERT, alert_severity(ALERT_DUPLICATE_CLIENT), &b->evicted, t);
	alert_raise(&t->alerts, ALERT_DUPLICATE_CLIENT, &b->evicted, n);
	n->client.present = true;
	snprintf(n->client.name, sizeof n->client.name, "%s", of->name);
	snprintf(n->client.address, sizeof n->client.address, "%s", of->winner);
	snprintf(n->client.other_address, sizeof n->client.other_address, "%s", of->loser);
	SAY(n,
	    "%s called %.40s evict each other: %u times in %.32s, now %.56s by %.56s; give each a "
	    "certificate "
	    "of its own",
	    b->duplicate.turns ? "two machines" : "connections", of->name, b->duplicate.count,
	    phrase_duration(b->duplicate.span).text, of->loser, of->winner);
	b->duplicate_untold = false;
}

static void explain_loss(const struct watch *w, const struct tunnel *t, const struct stamp *now,
			 struct notice *n)
{
	const struct server_book *b = t->server.book;
	bool local = w->changed && t->config.same_machine && w->last_change.step > 0 &&
		     now->mono - w->last_change_at.mono < STEP_COUNTS;
	bool there = b->step > 0 && now->mono - b->step_at < STEP_COUNTS;
	if (!local && !there)
		return;
	struct cause *c = &n->causes[0];
	*c = (struct cause){.name = local ? CAUSE_LOCAL_CLOCK_STEP : CAUSE_PEER_CLOCK_STEP,
			    .confidence = CONFIDENCE_LIKELY};
	cause_because(c,
		      "%s clock was set forward by about %s at that time, and OpenVPN's timers "
		      "run on it: it counted that as silence of every client",
		      local ? "this machine's" : "the server's",
		      phrase_duration(local ? w->last_change.step : b->step).text);
	cause_remedy(c, "Let a time service keep the server's clock (chrony), and let nothing else "
			"set it.");
	n->n_causes = 1;
}

static void tell_lost(const struct watch *w, struct server_book *b, struct tunnel *t,
		      const struct stamp *now, struct actions *out)
{
	const struct losses *l = &b->losses;
	bool firing = alert_firing(&t->alerts, ALERT_CLIENTS_LOST);
	if (!b->lost_untold || !tell_room(out) ||
	    (firing && now->mono - b->lost_told < LOST_TOLD_EVERY))
		return;
	struct notice *n = tell(out, NOTICE_ALERT, alert_severity(ALERT_CLIENTS_LOST), now, t);
	if (firing)
		alert_update(&t->alerts, ALERT_CLIENTS_LOST, n);
	else
		alert_raise(&t->alerts, ALERT_CLIENTS_LOST, &l->first, n);
	n->scope = SCOPE_SERVER;
	nsec within = nsec_max(l->last - l->first.mono, NSEC_PER_SEC);
	SAY(n,
	    "%u of %u clients were lost within %s: whatever it is, it is the server's or its "
	    "network's",
	    l->n, l->before, phrase_duration(within).text);
	explain_loss(w, t, now, n);
	b->lost_untold = false;
	b->lost_told = now->mono;
}

static nsec calm_at(const struct tunnel *t, enum alert_name name)
{
	const struct server_book *b = t->server.book;
	if (!alert_firing(&t->alerts, name))
		return NSEC_NEVER;
	if (b == NULL)
		return 0;
	return name == ALERT_DUPLICATE_CLIENT ? b->evicted.mono + EVICTION_WINDOW
					      : b->losses.last + LOST_CALM;
}

static void tell_calm(struct tunnel *t, enum alert_name name, const struct stamp *now,
		      struct actions *out)
{
	if (now->mono < calm_at(t, name) || !tell_room(out))
		return;
	struct notice *n = tell(out, NOTICE_ALERT, SEVERITY_INFO, now, t);
	alert_resolve(&t->alerts, name, now, n);
	if (t->server.book == NULL)
		SAY(n, "it is not known any more: the connection to the server's management "
		       "interface is lost");
	else if (name == ALERT_DUPLICATE_CLIENT)
		SAY(n, "nobody evicts anybody any more, for %s",
		    phrase_duration(EVICTION_WINDOW).text);
	else
		SAY(n, "no more clients are lost; %u are connected",
		    t->server.book->clients->connected);
}

void server_tell(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out)
{
	struct server_book *b = t->server.book;
	if (b != NULL) {
		size_t at = 0, most = out->n_notices + SERVER_TOLD_AT_ONCE;
		struct server_client *e;
		tell_present(b, t, now, out);
		while (out->n_notices < most && tell_room(out) &&
		       (e = server_clients_untold(b->clients, &at)) != NULL) {
			tell_client(out, t, e, b->clients->connected);
			server_clients_told(b->clients, e);
		}
		tell_duplicate(b, t, out);
		tell_lost(w, b, t, now, out);
	}
	tell_calm(t, ALERT_DUPLICATE_CLIENT, now, out);
	tell_calm(t, ALERT_CLIENTS_LOST, now, out);
}

nsec server_tell_deadline(const struct tunnel *t)
{
	const struct server_book *b = t->server.book;
	nsec at = nsec_min(calm_at(t, ALERT_DUPLICATE_CLIENT), calm_at(t, ALERT_CLIENTS_LOST));
	if (b == NULL)
		return at;
	if (b->clients->untold > 0 || b->duplicate_untold)
		return 0;
	if (b->lost_untold && !alert_firing(&t->alerts, ALERT_CLIENTS_LOST))
		return 0;
	return b->lost_untold ? nsec_min(at, b->lost_told + LOST_TOLD_EVERY) : at;
}
