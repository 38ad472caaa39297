/* SPDX-License-Identifier: MIT */
#include "core/relay_parts.h"

#include <assert.h>
#include <stdio.h>

/* --- sending --------------------------------------------------------------------------------- */

static void fly(struct relay *r, struct relay_client *c, const struct relay_command *cmd)
{
	assert(r->flight.owner == RELAY_NOBODY);
	r->flight = (struct relay_flight){
	    .owner = RELAY_CLIENT, .client = c, .word = cmd->word, .topic = cmd->topic};
	c->under_way = true;
	relay_prompt_fly(r, cmd);
}

void relay_send_for(struct relay *r, struct relay_client *c, const struct relay_command *cmd,
		    struct slice text)
{
	fly(r, c, cmd);
	relay_take_off(r, text);
}

/* As the client wrote it. */
static void forward(struct relay *r, struct relay_client *c, const struct relay_command *cmd)
{
	char text[MANAGEMENT_COMMAND_MAX + 1];
	memcpy(text, cmd->line.p, cmd->line.n);
	text[cmd->line.n] = '\n';
	relay_send_for(r, c, cmd, (struct slice){.p = text, .n = cmd->line.n + 1});
	explicit_bzero(text, sizeof text);
}

static void refuse(struct relay *r, struct relay_client *c, const char *before, struct slice word,
		   const char *after)
{
	relay_tell(r, c, slice_from(before));
	relay_tell(r, c, word);
	relay_tell_line(r, c, slice_from(after));
}

/* --- commands of several lines --------------------------------------------------------------- */

/* The daemon gets the block whole or not at all: while it waits for the END, no other's command
 * would reach it. So a block must be begun wherever the daemon might begin one; where it does not,
 * it answers each line with an error, and those are the reply. */
static void begin_block(struct relay_client *c, const struct relay_command *cmd, uint64_t prompt)
{
	c->collecting = RELAY_COLLECTING;
	c->prompt = prompt;
	c->block_n = 0;
	bool fits = relay_collect(c, cmd->line);
	assert(fits);
	(void)fits;
}

bool relay_collect(struct relay_client *c, struct slice line)
{
	if (line.n + 1 > sizeof c->block - c->block_n)
		return false;
	if (line.n > 0)
		memcpy(c->block + c->block_n, line.p, line.n);
	c->block_n += line.n;
	c->block[c->block_n++] = '\n';
	if (slice_is(line, "END"))
		c->collecting = RELAY_COLLECTED;
	return true;
}

static void send_block(struct relay *r, struct relay_client *c)
{
	struct relay_command cmd;
	struct slice rest = {.p = c->block, .n = c->block_n};
	struct slice block = rest;
	relay_command_read(&cmd, slice_cut(&rest, '\n'));
	c->collecting = RELAY_NO_BLOCK;
	if (c->prompt != 0 && c->prompt != r->prompt.serial)
		refuse(r, c, "ERROR: The ", relay_command_word(&cmd, 0),
		       " command is not currently available");
	else if (c->prompt == 0 || relay_prompt_may_answer(r, c, &cmd))
		relay_send_for(r, c, &cmd, block);
	explicit_bzero(c->block, c->block_n);
	explicit_bzero(&cmd, sizeof cmd);
	c->block_n = 0;
}

#define ANSWERED_ALREADY UINT64_MAX

/* manage.c man_pk_sig, man_certificate: only if it was asked for. Whoever was asked sends its lines
 * also if another was faster; they are not commands then. */
static void sign(struct relay *r, struct relay_client *c, const struct relay_command *cmd)
{
	bool key = cmd->word == RELAY_WORD_SIGN;
	bool *owes = key ? &c->owes_signature : &c->owes_certificate;
	if (r->prompt.kind == (key ? RELAY_PROMPT_SIGN : RELAY_PROMPT_CERTIFICATE))
		begin_block(c, cmd, r->prompt.serial);
	else if (*owes)
		begin_block(c, cmd, ANSWERED_ALREADY);
	else
		refuse(r, c, "ERROR: The ", relay_command_word(cmd, 0),
		       " command is not currently available");
	*owes = false;
}

/* A password of one line, or in base64 on several, which is for clients of version 5 and daemons
 * after 2.7 (manage.c man_query_password_base64). The daemon knows the largest version only, so
 * another client's short password must not get there. */
static void password(struct relay *r, struct relay_client *c, const struct relay_command *cmd)
{
	if (cmd->words.n >= 3 || cmd->words.n == 1) {
		if (relay_prompt_may_answer(r, c, cmd))
			forward(r, c, cmd);
	} else if (c->version < 5) {
		relay_tell(r, c, SLICE("ERROR: the 'password' command requires 2 parameters\r\n"));
	} else if (r->prompt.kind == RELAY_PROMPT_PASSWORD && r->prompt.needs_password) {
		begin_block(c, cmd, r->prompt.serial);
	} else {
		relay_tell(r, c, SLICE("ERROR: no password is currently needed at this time\r\n"));
	}
}

static void block_or_forward(struct relay *r, struct relay_client *c,
			     const struct relay_command *cmd, unsigned parameters)
{
	if (cmd->words.n > parameters)
		begin_block(c, cmd, 0);
	else
		forward(r, c, cmd);
}

/* --- who may what ---------------------------------------------------------------------------- */

static bool is_plain(struct slice word)
{
	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return word.n > 0 && word.n <= 32;
}

static bool only_asks(const struct relay_command *cmd)
{
	switch (cmd->word) {
	case RELAY_WORD_QUERY:
	case RELAY_WORD_LOAD_STATS:
		return true;
	case RELAY_WORD_SHOW:
	case RELAY_WORD_HOLD:
	case RELAY_WORD_VERSION:
		return cmd->words.n == 1;
	case RELAY_WORD_OTHER:
	case RELAY_WORD_EXIT:
	case RELAY_WORD_TOPIC:
	case RELAY_WORD_BYTECOUNT:
	case RELAY_WORD_SIGNAL:
	case RELAY_WORD_USERNAME:
	case RELAY_WORD_PASSWORD:
	case RELAY_WORD_NEED_OK:
	case RELAY_WORD_NEED_STR:
	case RELAY_WORD_REMOTE:
	case RELAY_WORD_PROXY:
	case RELAY_WORD_SIGN:
	case RELAY_WORD_CERTIFICATE:
	case RELAY_WORD_CLIENT_AUTH:
	case RELAY_WORD_CLIENT_PF:
	case RELAY_WORD_PKCS11:
		return false;
	}
	return false;
}

/* Nothing that a read-only client wrote is sent on: its words are those of the table, and what
 * follows them is letters, digits and '-'. */
static void execute_readonly(struct relay *r, struct relay_client *c,
			     const struct relay_command *cmd)
{
	char text[256];
	size_t n = 0;
	bool fine = only_asks(cmd) && cmd->words.n <= 4;
	for (unsigned i = 0; fine && i < cmd->words.n; i++) {
		fine = is_plain(cmd->words.word[i]);
		if (fine)
			n += (size_t)snprintf(text + n, sizeof text - n, "%.*s%c",
					      (int)cmd->words.word[i].n, cmd->words.word[i].p,
					      i + 1 < cmd->words.n ? ' ' : '\n');
	}
	if (fine)
		relay_send_for(r, c, cmd, (struct slice){.p = text, .n = n});
	else
		refuse(r, c, "ERROR: the '", relay_command_word(cmd, 0),
		       "' command is not permitted here: this relay is read-only");
}

static void execute_full(struct relay *r, struct relay_client *c, const struct relay_command *cmd)
{
	switch (cmd->word) {
	case RELAY_WORD_SIGN:
	case RELAY_WORD_CERTIFICATE:
		sign(r, c, cmd);
		return;
	case RELAY_WORD_PASSWORD:
		password(r, c, cmd);
		return;
	case RELAY_WORD_CLIENT_AUTH:
		block_or_forward(r, c, cmd, 2);
		return;
	case RELAY_WORD_CLIENT_PF:
		block_or_forward(r, c, cmd, 1);
		return;
	case RELAY_WORD_USERNAME:
		if (relay_prompt_may_answer(r, c, cmd))
			forward(r, c, cmd);
		return;
	case RELAY_WORD_OTHER:
	case RELAY_WORD_QUERY:
	case RELAY_WORD_SHOW:
	case RELAY_WORD_EXIT:
	case RELAY_WORD_TOPIC:
	case RELAY_WORD_BYTECOUNT:
	case RELAY_WORD_VERSION:
	case RELAY_WORD_LOAD_STATS:
	case RELAY_WORD_HOLD:
	case RELAY_WORD_SIGNAL:
	case RELAY_WORD_NEED_OK:
	case RELAY_WORD_NEED_STR:
	case RELAY_WORD_REMOTE:
	case RELAY_WORD_PROXY:
	case RELAY_WORD_PKCS11:
		forward(r, c, cmd);
		return;
	}
}

void relay_execute(struct relay *r, struct relay_client *c)
{
	struct relay_command cmd;
	if (c->collecting == RELAY_COLLECTED) {
		send_block(r, c);
		return;
	}
	relay_command_read(&cmd, c->line);
	if (cmd.word == RELAY_WORD_TOPIC)
		relay_topic_execute(r, c, &cmd);
	else if (cmd.word == RELAY_WORD_BYTECOUNT)
		relay_bytecount_execute(r, c, &cmd);
	else if (c->readonly)
		execute_readonly(r, c, &cmd);
	else if (cmd.word == RELAY_WORD_VERSION && cmd.words.n > 1)
		relay_version_execute(r, c, &cmd);
	else
		execute_full(r, c, &cmd);
	c->line = (struct slice){0};
	management_input_wipe(&c->input);
	explicit_bzero(&cmd, sizeof cmd);
}
