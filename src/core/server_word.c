/* SPDX-License-Identifier: MIT */
#include "core/server_word.h"
#include "proto/log_client.h"

struct server_drops server_drops_none(void)
{
	return (struct server_drops){.duplicate = NSEC_UNKNOWN,
				     .gave_up = NSEC_UNKNOWN,
				     .others_gave_up = NSEC_UNKNOWN,
				     .lost = NSEC_UNKNOWN};
}

void server_word_init(struct server_word *w)
{
	*w = (struct server_word){.refused = NSEC_UNKNOWN, .drops = server_drops_none()};
}

void server_word_lost(struct server_word *w, nsec mono)
{
	w->drops.lost = mono;
	w->no_keepalive = false; /* it may come back with another configuration */
}

static void learn(struct server_word *w, struct slice ip, struct slice name)
{
	unsigned at = w->n_learned++ % SERVER_LEARNED;
	slice_copy(ip, w->learned[at].ip, sizeof w->learned[at].ip);
	slice_copy(name, w->learned[at].name, sizeof w->learned[at].name);
}

/* Who has our address, by the last word of it. */
static void find_ours(struct server_word *w, const char *our_ip)
{
	for (unsigned i = 0; i < SERVER_LEARNED && i < w->n_learned && our_ip[0] != '\0'; i++) {
		unsigned at = (w->n_learned - 1 - i) % SERVER_LEARNED;
		if (strcmp(w->learned[at].ip, our_ip) != 0)
			continue;
		memcpy(w->name, w->learned[at].name, sizeof w->name);
		return;
	}
}

static bool is_ours(const struct server_word *w, struct slice name)
{
	return w->name[0] != '\0' && slice_is(name, w->name);
}

/* A certificate is refused before the client has a name: its subject has it, "…: CN=alice,
 * serial=1". */
static bool is_our_subject(const struct server_word *w, struct slice text)
{
	static const char cn[] = "CN=";
	size_t at = slice_find(text, cn), n = strlen(w->name);
	if (n == 0 || at == SIZE_MAX)
		return false;
	text = slice_skip(text, at + sizeof cn - 1);
	return slice_starts(text, w->name) && (text.n == n || text.p[n] == ',' || text.p[n] == '/');
}

static void refused(struct server_word *w, const struct log_fact *fact, nsec mono)
{
	w->refused = mono;
	w->refused_kind = fact->kind;
	slice_copy(fact->text, w->text, sizeof w->text);
}

void server_word_log(struct server_word *w, const struct log_fact *fact, bool live,
		     const char *our_ip, nsec mono)
{
	struct slice name, address;
	log_client_split(fact->client, &name, &address);
	if (fact->kind == LOG_LEARNED)
		learn(w, fact->text, name);
	find_ours(w, our_ip);
	bool ours = is_ours(w, name);
	if (fact->kind == LOG_KEEPALIVE_MISSING)
		w->no_keepalive = true;
	if (!live)
		return;
	if (fact->kind == LOG_DUPLICATE && is_ours(w, fact->text))
		w->drops.duplicate = mono;
	else if (fact->kind == LOG_INACTIVITY && ours)
		w->drops.gave_up = mono;
	else if (fact->kind == LOG_INACTIVITY && name.n > 0)
		w->drops.others_gave_up = mono;
	else if (fact->kind == LOG_VERIFY_ERROR && (ours || is_our_subject(w, fact->text)))
		refused(w, fact, mono);
	else if (fact->kind == LOG_REPLAY && ours)
		refused(w, fact, mono);
}
