/* SPDX-License-Identifier: MIT
 *
 * A history that is followed by news has neither gap nor double: the daemon answers `state on all`
 * in one go, so what it said before the reply is in the history, and what it says after is not. A
 * client is passed the news from the reply's own "set to ON" onwards.
 */
#include "core/relay_parts.h"

#include <stdio.h>

static const char *const topics[] = {
    [RELAY_STATE] = "state", [RELAY_LOG] = "log", [RELAY_ECHO] = "echo"};

/* --- the union ------------------------------------------------------------------------------- */

static bool is_wanted(const struct relay *r, enum relay_topic t, const struct relay_client *but)
{
	bool wanted = r->own_wants.on[t];
	for (const struct relay_client *c = r->clients; c != NULL; c = c->next)
		wanted = wanted || (c != but && c->wants.on[t]);
	return wanted;
}

static int shortest_interval(const struct relay *r)
{
	int least = r->own_wants.bytecount;
	for (const struct relay_client *c = r->clients; c != NULL; c = c->next) {
		int its = c->wants.bytecount;
		if (its > 0 && (least == 0 || its < least))
			least = its;
	}
	return least;
}

static void tell_daemon(struct relay *r, const char *text)
{
	r->flight = (struct relay_flight){.owner = RELAY_ITSELF};
	relay_take_off(r, slice_from(text));
}

bool relay_wants_restore(struct relay *r)
{
	char text[32];
	for (unsigned t = 0; t < RELAY_TOPICS; t++) {
		bool wanted = is_wanted(r, (enum relay_topic)t, NULL);
		if (wanted == r->daemon.on[t])
			continue;
		r->daemon.on[t] = wanted;
		snprintf(text, sizeof text, "%s %s\n", topics[t], wanted ? "on" : "off");
		tell_daemon(r, text);
		return true;
	}
	int interval = shortest_interval(r);
	if (interval == r->daemon.bytecount)
		return false;
	r->daemon.bytecount = interval;
	snprintf(text, sizeof text, "bytecount %d\n", interval);
	tell_daemon(r, text);
	return true;
}

void relay_wants_learn(struct relay *r, const struct relay_command *cmd)
{
	if (cmd->word == RELAY_WORD_BYTECOUNT) {
		int n = relay_number(relay_command_word(cmd, 1));
		r->own_wants.bytecount = r->daemon.bytecount = n > 0 ? n : 0;
	}
	for (unsigned i = 1; cmd->word == RELAY_WORD_TOPIC && i <= 2; i++) {
		struct slice word = relay_command_word(cmd, i);
		if (slice_is(word, "on") || slice_is(word, "off"))
			r->own_wants.on[cmd->topic] = r->daemon.on[cmd->topic] =
			    slice_is(word, "on");
	}
}

/* --- state, log, echo ------------------------------------------------------------------------ */

/* Adds a word to what the daemon is asked, or what the relay says to it to one of two replies. */
struct asking {
	char text[64]; /* for the daemon; "" if it need not be asked */
	char before[192], after[192];
	bool off_before, off_after;
};

static void append(char *text, size_t size, const char *more)
{
	size_t n = strlen(text);
	snprintf(text + n, size - n, "%s", more);
}

static void say(struct asking *a, const char *before, const char *topic, const char *after)
{
	char *text = a->text[0] != '\0' ? a->after : a->before;
	append(text, sizeof a->after, before);
	append(text, sizeof a->after, topic);
	append(text, sizeof a->after, after);
}

static void say_off(struct asking *a, const char *topic)
{
	say(a, "SUCCESS: real-time ", topic, " notification set to OFF\r\n");
	if (a->text[0] != '\0')
		a->off_after = true;
	else
		a->off_before = true;
}

static void ask(struct asking *a, const char *topic, const char *word)
{
	if (a->text[0] == '\0')
		append(a->text, sizeof a->text, topic);
	append(a->text, sizeof a->text, " ");
	append(a->text, sizeof a->text, word);
}

static void take_word(struct relay *r, struct relay_client *c, struct asking *a, enum relay_topic t,
		      struct slice word)
{
	char number[16];
	int n = relay_number(word);
	if (slice_is(word, "on")) {
		ask(a, topics[t], "on");
		c->wants.on[t] = r->daemon.on[t] = true;
	} else if (slice_is(word, "off")) {
		c->wants.on[t] = false;
		if (is_wanted(r, t, c)) {
			say_off(a, topics[t]);
		} else {
			ask(a, topics[t], "off");
			r->daemon.on[t] = false;
		}
	} else if (slice_is(word, "all")) {
		ask(a, topics[t], "all");
	} else if (n > 0) {
		snprintf(number, sizeof number, "%d", n);
		ask(a, topics[t], number);
	} else {
		say(a, "ERROR: ", topics[t],
		    " parameter must be 'on' or 'off' or some number n or 'all'\r\n");
	}
}

void relay_topic_execute(struct relay *r, struct relay_client *c, const struct relay_command *cmd)
{
	struct asking a = {.text = ""};
	enum relay_topic t = cmd->topic;
	if (cmd->words.n == 1 && t == RELAY_STATE)
		append(a.text, sizeof a.text, "state"); /* the present one */
	else if (cmd->words.n == 1)
		say(&a, "ERROR: the '", topics[t], "' command requires at least 1 parameter\r\n");
	for (unsigned i = 1; i < cmd->words.n && i <= 2; i++)
		take_word(r, c, &a, t, cmd->words.word[i]);
	if (a.off_before)
		c->hears[t] = false;
	relay_tell(r, c, slice_from(a.before));
	if (a.text[0] == '\0')
		return;
	append(a.text, sizeof a.text, "\n");
	relay_send_for(r, c, cmd, slice_from(a.text));
	memcpy(r->flight.after, a.after, sizeof a.after);
	r->flight.after_off = a.off_after;
}

/* --- bytecount ------------------------------------------------------------------------------- */

void relay_bytecount_execute(struct relay *r, struct relay_client *c,
			     const struct relay_command *cmd)
{
	char text[32];
	if (cmd->words.n == 1) {
		relay_tell(r, c, SLICE("ERROR: the 'bytecount' command requires 1 parameter\r\n"));
		return;
	}
	int n = relay_number(cmd->words.word[1]);
	c->wants.bytecount = n > 0 ? n : 0;
	c->bytecount_due = r->now + c->wants.bytecount * NSEC_PER_SEC;
	memset(c->cids, 0, sizeof c->cids);
	int interval = shortest_interval(r);
	if (interval == r->daemon.bytecount) {
		relay_tell(r, c, SLICE("SUCCESS: bytecount interval changed\r\n"));
		return;
	}
	r->daemon.bytecount = interval;
	snprintf(text, sizeof text, "bytecount %d\n", interval);
	relay_send_for(r, c, cmd, slice_from(text));
}

/* The daemon counts at the pace of the most eager one. The count that is nearest to the client's
 * own moment is its; in the long run its interval is kept. */
static bool is_due(const struct relay *r, const struct relay_client *c, nsec *due)
{
	nsec interval = c->wants.bytecount * NSEC_PER_SEC;
	nsec slack = r->daemon.bytecount * NSEC_PER_SEC / 2;
	if (r->now < *due - slack)
		return false;
	*due += interval;
	if (*due < r->now)
		*due = r->now + interval;
	return true;
}

bool relay_bytecount_is_due(struct relay *r, struct relay_client *c, const uint64_t *cid)
{
	if (c->wants.bytecount == 0)
		return false;
	if (cid == NULL)
		return is_due(r, c, &c->bytecount_due);
	unsigned i = (unsigned)(*cid % RELAY_CIDS);
	if (c->cids[i].due == 0 || c->cids[i].cid != *cid) {
		/* New, or the place was taken by another: told too often rather than not at all. */
		c->cids[i].cid = *cid;
		c->cids[i].due = r->now;
	}
	return is_due(r, c, &c->cids[i].due);
}

/* --- version --------------------------------------------------------------------------------- */

#define VERSION_SET "SUCCESS: Management client version set to "

/* The daemon has one version for all, and is told the largest. It confirms those above 3, if it is
 * new enough (manage.c set_client_version); whether it is can only be learned by asking. */
void relay_version_execute(struct relay *r, struct relay_client *c, const struct relay_command *cmd)
{
	char text[32];
	c->version = relay_number(cmd->words.word[1]);
	if (c->version <= 3 && c->version <= r->version)
		return;
	if (c->version > r->version)
		r->version = c->version;
	snprintf(text, sizeof text, "version %d\n", r->version);
	relay_send_for(r, c, cmd, slice_from(text));
}

/* --- replies --------------------------------------------------------------------------------- */

bool relay_wants_reply(struct relay *r, struct relay_client *c, struct slice *line, char *room,
		       size_t size)
{
	const struct relay_flight *f = &r->flight;
	if (f->word == RELAY_WORD_TOPIC && slice_starts(*line, "SUCCESS:")) {
		char last = line->n > 0 ? line->p[line->n - 1] : '\0';
		c->hears[f->topic] = last == 'N'; /* "… set to ON", or "… OFF" */
	} else if (f->word == RELAY_WORD_TOPIC && f->topic == RELAY_LOG && c->readonly) {
		*line = relay_censor_log(*line);
	} else if (f->word == RELAY_WORD_VERSION && slice_starts(*line, VERSION_SET)) {
		snprintf(room, size, VERSION_SET "%d", c->version);
		*line = slice_from(room);
	}
	return true;
}
