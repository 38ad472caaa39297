/* SPDX-License-Identifier: MIT
 *
 * A daemon's management interface as a model: OpenVPN's rules (manage.c of 2.6.14), for as many
 * clients as one likes, each with its own connection. What a real daemon says to its only client is
 * what the model says to each of its own, so a relay has to make the two the same.
 *
 * For tests it has one command more: `ask TOKEN N` is answered by N lines that begin with TOKEN,
 * for 0 by none.
 */
#ifndef OVPNWATCH_TESTS_RELAY_MODEL_H
#define OVPNWATCH_TESTS_RELAY_MODEL_H

#include "proto/management_input.h"
#include "proto/profile_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_ENTRIES 512
#define MODEL_TOPICS  3

struct model_end {
	bool on[MODEL_TOPICS]; /* state, log, echo */
	int bytecount;
	bool in_extra; /* after client-auth, until END */
	struct management_input input;
	char *out; /* said, and not taken yet; terminated */
	size_t n, size;
};

struct model {
	char history[MODEL_TOPICS][MODEL_ENTRIES][48];
	unsigned n_history[MODEL_TOPICS];
	bool hold;
	unsigned serial;
	struct model_end *ends;
	unsigned n_ends;
};

static const char *const model_topics[] = {"state", "log", "echo"};
static const char *const model_prefixes[] = {">STATE:", ">LOG:", ">ECHO:"};

static inline void model_say(struct model_end *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void model_say(struct model_end *e, const char *format, ...)
{
	va_list list;
	if (e->size - e->n < 2048) {
		e->size = 2 * e->size + 4096;
		e->out = realloc(e->out, e->size);
		if (e->out == NULL)
			abort();
	}
	va_start(list, format);
	e->n += (size_t)vsnprintf(e->out + e->n, e->size - e->n - 2, format, list);
	va_end(list);
	memcpy(e->out + e->n, "\r\n", 3);
	e->n += 2;
}

/* Wipes a connection: a new client. */
static inline void model_reset(struct model_end *e)
{
	free(e->out);
	memset(e, 0, sizeof *e);
}

static inline void model_welcome(struct model_end *e)
{
	model_say(e, ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info");
}

/* --- commands -------------------------------------------------------------------------------- */

static inline void model_history(struct model *m, struct model_end *e, unsigned t,
				 struct slice word)
{
	char parm[32];
	slice_copy(word, parm, sizeof parm);
	int n = atoi(parm);
	if (strcmp(parm, "on") == 0 || strcmp(parm, "off") == 0) {
		e->on[t] = strcmp(parm, "on") == 0;
		model_say(e, "SUCCESS: real-time %s notification set to %s", model_topics[t],
			  e->on[t] ? "ON" : "OFF");
	} else if (strcmp(parm, "all") == 0 || n > 0) {
		unsigned have = m->n_history[t];
		unsigned first = n > 0 && (unsigned)n < have ? have - (unsigned)n : 0;
		for (unsigned i = first; i < have; i++)
			model_say(e, "%s", m->history[t][i]);
		model_say(e, "END");
	} else {
		model_say(e, "ERROR: %s parameter must be 'on' or 'off' or some number n or 'all'",
			  model_topics[t]);
	}
}

static inline void model_topic(struct model *m, struct model_end *e, unsigned t,
			       const struct words *w)
{
	if (w->n == 1 && t == 0)
		model_history(m, e, t, SLICE("1"));
	else if (w->n == 1)
		model_say(e, "ERROR: the '%s' command requires at least 1 parameter",
			  model_topics[t]);
	for (unsigned i = 1; i < w->n && i <= 2; i++)
		model_history(m, e, t, w->word[i]);
}

static inline void model_hold(struct model *m, struct model_end *e, const struct words *w)
{
	if (w->n == 1) {
		model_say(e, "SUCCESS: hold=%d", m->hold);
	} else if (slice_is(w->word[1], "on") || slice_is(w->word[1], "off")) {
		m->hold = slice_is(w->word[1], "on");
		model_say(e, "SUCCESS: hold flag set to %s", m->hold ? "ON" : "OFF");
	} else {
		model_say(e, "ERROR: bad hold command parameter");
	}
}

static inline void model_command(struct model *m, struct model_end *e, struct slice line)
{
	struct words w;
	char word[32], second[64] = "", third[16] = "";
	if (words_split(line, &w) != NULL) {
		model_say(e, "ERROR: Options error");
		return;
	}
	if (w.n == 0)
		return;
	slice_copy(w.word[0], word, sizeof word);
	if (w.n > 1)
		slice_copy(w.word[1], second, sizeof second);
	if (w.n > 2)
		slice_copy(w.word[2], third, sizeof third);
	for (unsigned t = 0; t < MODEL_TOPICS; t++) {
		if (strcmp(word, model_topics[t]) == 0) {
			model_topic(m, e, t, &w);
			return;
		}
	}
	if (strcmp(word, "hold") == 0) {
		model_hold(m, e, &w);
	} else if (strcmp(word, "pid") == 0) {
		model_say(e, "SUCCESS: pid=7");
	} else if (strcmp(word, "bytecount") == 0) {
		if (w.n == 1) {
			model_say(e, "ERROR: the 'bytecount' command requires 1 parameter");
			return;
		}
		e->bytecount = atoi(second) > 0 ? atoi(second) : 0;
		model_say(e, "SUCCESS: bytecount interval changed");
	} else if (strcmp(word, "load-stats") == 0) {
		model_say(e, "SUCCESS: nclients=0,bytesin=1,bytesout=2");
	} else if (strcmp(word, "nclients") == 0) {
		model_say(e, "SUCCESS: nclients=0");
	} else if (strcmp(word, "status") == 0) {
		model_say(e, "OpenVPN STATISTICS");
		model_say(e, "TUN/TAP read bytes,1");
		model_say(e, "END");
	} else if (strcmp(word, "version") == 0 && w.n == 1) {
		model_say(e, "OpenVPN Version: OpenVPN 2.6.14");
		model_say(e, "END");
	} else if (strcmp(word, "version") == 0) {
		return; /* no word about it */
	} else if (strcmp(word, "client-auth") == 0 && w.n >= 3) {
		e->in_extra = true;
	} else if (strcmp(word, "client-auth") == 0) {
		model_say(e, "ERROR: the 'client-auth' command requires 2 parameters");
	} else if (strcmp(word, "ask") == 0) {
		for (int i = 1; i <= atoi(third); i++)
			model_say(e, "%s line %d", second, i);
	} else {
		model_say(e, "ERROR: unknown command, enter 'help' for more options");
	}
}

/* Does one line of what the connection's client has sent. */
static inline void model_line(struct model *m, struct model_end *e, struct slice line)
{
	if (!e->in_extra) {
		model_command(m, e, line);
	} else if (slice_is(line, "END")) {
		e->in_extra = false;
		model_say(e, "SUCCESS: client-auth command succeeded");
	}
}

/* --- what happens ---------------------------------------------------------------------------- */

static inline void model_event(struct model *m, unsigned t)
{
	char *entry = m->history[t][m->n_history[t]];
	if (m->n_history[t] == MODEL_ENTRIES)
		return;
	m->n_history[t]++;
	snprintf(entry, sizeof m->history[0][0], "%u,%s,entry", ++m->serial, model_topics[t]);
	for (unsigned i = 0; i < m->n_ends; i++)
		if (m->ends[i].on[t])
			model_say(&m->ends[i], "%s%s", model_prefixes[t], entry);
}

/* A notification to everybody, and one of several lines. */
static inline void model_notify(struct model *m, unsigned lines)
{
	m->serial++;
	for (unsigned i = 0; i < m->n_ends; i++) {
		struct model_end *e = &m->ends[i];
		if (lines == 0) {
			model_say(e, ">NOTIFY:info,test,%u", m->serial);
			continue;
		}
		model_say(e, ">CLIENT:CONNECT,%u,0", m->serial);
		for (unsigned k = 1; k < lines; k++)
			model_say(e, ">CLIENT:ENV,of=%u", m->serial);
		model_say(e, ">CLIENT:ENV,END");
	}
}

#endif
