/* SPDX-License-Identifier: MIT
 *
 * One prompt at a time: the daemon stands still until it is answered (manage.c
 * management_query_user_pass and its like; init.c for >REMOTE and >PROXY). It is over when the
 * daemon accepts an answer, asks something else, or moves on.
 */
#include "core/relay_parts.h"

#include <stdio.h>

static const struct {
	const char *prefix;
	enum relay_prompt_kind kind;
} prompts[] = {
    {">HOLD:", RELAY_PROMPT_HOLD},
    {">PASSWORD:Need ", RELAY_PROMPT_PASSWORD},
    {">NEED-OK:", RELAY_PROMPT_NEED_OK},
    {">NEED-STR:", RELAY_PROMPT_NEED_STR},
    {">NEED-CERTIFICATE:", RELAY_PROMPT_CERTIFICATE},
    {">REMOTE:", RELAY_PROMPT_REMOTE},
    {">PROXY:", RELAY_PROMPT_PROXY},
    {">PK_SIGN:", RELAY_PROMPT_SIGN},
    {">RSA_SIGN:", RELAY_PROMPT_SIGN},
};

static void clear(struct relay *r)
{
	r->prompt.kind = RELAY_PROMPT_NONE;
	r->prompt.owner = NULL;
	r->prompt.serial = 0;
}

/* ">PASSWORD:Need 'T' username/password", "… username" (after 2.6), "… password" */
static void note_wanted(struct relay_prompt *p, struct slice line)
{
	size_t at = slice_find(line, "' ");
	struct slice wanted = slice_skip(line, at != SIZE_MAX ? at + 2 : line.n);
	struct slice word = slice_cut(&wanted, ' ');
	p->needs_user = slice_starts(word, "username");
	p->needs_password = !slice_is(word, "username");
}

void relay_prompt_note(struct relay *r, struct slice line)
{
	enum relay_prompt_kind kind = RELAY_PROMPT_NONE;
	if (slice_starts(line, ">STATE:"))
		clear(r);
	for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++)
		if (slice_starts(line, prompts[i].prefix))
			kind = prompts[i].kind;
	if (kind == RELAY_PROMPT_NONE)
		return;
	clear(r);
	if (line.n > sizeof r->prompt.line)
		return; /* no line of OpenVPN's */
	r->prompt.kind = kind;
	r->prompt.serial = ++r->prompts;
	r->prompt.n = line.n;
	memcpy(r->prompt.line, line.p, line.n);
	if (kind == RELAY_PROMPT_PASSWORD)
		note_wanted(&r->prompt, line);
}

/* Two clients' answers must not be mixed: a user name of one, a password of the other. */
bool relay_prompt_may_answer(struct relay *r, struct relay_client *c,
			     const struct relay_command *cmd)
{
	struct relay_prompt *p = &r->prompt;
	char text[96];
	if (p->kind != RELAY_PROMPT_PASSWORD)
		return true; /* the daemon knows what to say */
	if (p->owner == NULL || p->owner == c) {
		p->owner = c;
		return true;
	}
	snprintf(text, sizeof text, "ERROR: no %s is currently needed at this time",
		 cmd->word == RELAY_WORD_USERNAME ? "username" : "password");
	relay_tell_line(r, c, slice_from(text));
	return false;
}

/* manage.c man_up_finalize: an empty word is taken, but is no answer, but for a password. */
static enum relay_prompt_kind answered_by(const struct relay_command *cmd)
{
	switch (cmd->word) {
	case RELAY_WORD_HOLD:
		return slice_is(relay_command_word(cmd, 1), "release") ? RELAY_PROMPT_HOLD
								       : RELAY_PROMPT_NONE;
	case RELAY_WORD_USERNAME:
		return relay_command_word(cmd, 2).n > 0 ? RELAY_PROMPT_PASSWORD : RELAY_PROMPT_NONE;
	case RELAY_WORD_PASSWORD:
		return RELAY_PROMPT_PASSWORD;
	case RELAY_WORD_NEED_OK:
		return relay_command_word(cmd, 2).n > 0 ? RELAY_PROMPT_NEED_OK : RELAY_PROMPT_NONE;
	case RELAY_WORD_NEED_STR:
		return relay_command_word(cmd, 2).n > 0 ? RELAY_PROMPT_NEED_STR : RELAY_PROMPT_NONE;
	case RELAY_WORD_REMOTE:
		return RELAY_PROMPT_REMOTE;
	case RELAY_WORD_PROXY:
		return RELAY_PROMPT_PROXY;
	case RELAY_WORD_SIGN:
		return RELAY_PROMPT_SIGN;
	case RELAY_WORD_CERTIFICATE:
		return RELAY_PROMPT_CERTIFICATE;
	case RELAY_WORD_OTHER:
	case RELAY_WORD_QUERY:
	case RELAY_WORD_SHOW:
	case RELAY_WORD_EXIT:
	case RELAY_WORD_TOPIC:
	case RELAY_WORD_BYTECOUNT:
	case RELAY_WORD_VERSION:
	case RELAY_WORD_LOAD_STATS:
	case RELAY_WORD_SIGNAL:
	case RELAY_WORD_CLIENT_AUTH:
	case RELAY_WORD_CLIENT_PF:
	case RELAY_WORD_PKCS11:
		return RELAY_PROMPT_NONE;
	}
	return RELAY_PROMPT_NONE;
}

void relay_prompt_fly(struct relay *r, const struct relay_command *cmd)
{
	enum relay_prompt_kind kind = answered_by(cmd);
	r->flight.answers = kind == r->prompt.kind ? kind : RELAY_PROMPT_NONE;
	r->flight.prompt = r->prompt.serial;
}

static void answered(struct relay *r)
{
	struct relay_prompt *p = &r->prompt;
	if (p->kind == RELAY_PROMPT_PASSWORD) {
		if (r->flight.word == RELAY_WORD_USERNAME)
			p->needs_user = false;
		else
			p->needs_password = false;
		if (p->needs_user || p->needs_password)
			return;
	}
	clear(r);
}

/* A wrong type was named, or so: whoever wants may try. */
static void rejected(struct relay *r)
{
	/* init.c management_callback_proxy_cmd: it goes on without a proxy. */
	if (r->prompt.kind == RELAY_PROMPT_PROXY || r->prompt.kind == RELAY_PROMPT_SIGN ||
	    r->prompt.kind == RELAY_PROMPT_CERTIFICATE)
		clear(r);
	r->prompt.owner = NULL;
}

void relay_prompt_reply(struct relay *r, struct slice line)
{
	if (r->flight.answers == RELAY_PROMPT_NONE || r->flight.prompt != r->prompt.serial)
		return;
	if (slice_starts(line, "SUCCESS:"))
		answered(r);
	else if (slice_starts(line, "ERROR:"))
		rejected(r);
}

void relay_prompt_release(struct relay *r, const struct relay_client *c)
{
	if (r->prompt.owner == c)
		r->prompt.owner = NULL;
}
