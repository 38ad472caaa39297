/* SPDX-License-Identifier: MIT
 *
 * What the parts of the relay know of each other. Each part is one concern:
 *   relay.c          the conversation with the daemon: whose turn it is, whose reply a line is
 *   relay_client.c   a client from its coming to its leaving: password, lines, hanging up
 *   relay_command.c  what becomes of a client's command
 *   relay_words.c    which commands there are
 *   relay_wants.c    state, log, echo, bytecount, version: the union of what all want
 *   relay_prompt.c   what the daemon waits for, and who answers it
 *   relay_route.c    who is told a notification, and in which words
 */
#ifndef OVPNWATCH_CORE_RELAY_PARTS_H
#define OVPNWATCH_CORE_RELAY_PARTS_H

#include "core/relay.h"
#include "proto/profile_words.h"

/* A command, read as OpenVPN does. */
struct relay_command {
	struct slice line;
	enum relay_word word; /* RELAY_WORD_OTHER also if it cannot be split */
	enum relay_topic topic;
	bool split;	    /* `words` is valid */
	struct words words; /* words.word[0] is the command */
};

void relay_command_read(struct relay_command *cmd, struct slice line);

/* The word behind the command, the first is 1; empty with p == NULL if there is none. */
struct slice relay_command_word(const struct relay_command *cmd, unsigned i);

/* As C's atoi(), but bounded: OpenVPN reads its numbers so. */
int relay_number(struct slice s);

/* --- relay.c --------------------------------------------------------------------------------- */

/* Sends a text (whole lines) and its barrier; the flight has been filled in but for what this
 * does. Nothing may be under way. */
void relay_take_off(struct relay *r, struct slice text);

/* Lets whoever's turn it is speak. */
void relay_pump(struct relay *r);

/* --- relay_client.c -------------------------------------------------------------------------- */

void relay_tell(struct relay *r, struct relay_client *c, struct slice bytes);
/* The same with the end of the line. */
void relay_tell_line(struct relay *r, struct relay_client *c, struct slice line);

/* The daemon is there: the password prompt, or the banner. */
void relay_client_greet(struct relay *r, struct relay_client *c);

/* Reads its next command, if it may have one. */
void relay_client_feed(struct relay *r, struct relay_client *c);

/* Its last command has been answered. */
void relay_client_answered(struct relay *r, struct relay_client *c);

/* There is a command, and the client may be answered now. */
bool relay_client_ready(const struct relay *r, const struct relay_client *c);

void relay_hang_up(struct relay *r, struct relay_client *c, const char *reason);

/* --- relay_command.c ------------------------------------------------------------------------- */

/* Does the client's next command: answers it, sends it, or begins to collect its lines. */
void relay_execute(struct relay *r, struct relay_client *c);

/* Takes a line of a command of several; false: it does not fit any more. */
bool relay_collect(struct relay_client *c, struct slice line);

/* Sends a constant-shaped text of the relay's for this client; the reply is the client's. */
void relay_send_for(struct relay *r, struct relay_client *c, const struct relay_command *cmd,
		    struct slice text);

/* --- relay_wants.c --------------------------------------------------------------------------- */

void relay_topic_execute(struct relay *r, struct relay_client *c, const struct relay_command *cmd);
void relay_bytecount_execute(struct relay *r, struct relay_client *c,
			     const struct relay_command *cmd);
void relay_version_execute(struct relay *r, struct relay_client *c,
			   const struct relay_command *cmd);

/* What a line of the reply says about the topic, and the line as this client is to see it (in
 * `room`, or `line` itself). False: it is not for this client. */
bool relay_wants_reply(struct relay *r, struct relay_client *c, struct slice *line, char *room,
		       size_t size);

/* An own command may change what ovpnwatch wants. */
void relay_wants_learn(struct relay *r, const struct relay_command *cmd);

/* Tells the daemon what it need not do any more. True: a command is under way for it. */
bool relay_wants_restore(struct relay *r);

/* Is it time for the client to be told the count? `cid`: NULL, or of the server's client. */
bool relay_bytecount_is_due(struct relay *r, struct relay_client *c, const uint64_t *cid);

/* --- relay_prompt.c -------------------------------------------------------------------------- */

/* A notification: it may be a prompt, or end one. */
void relay_prompt_note(struct relay *r, struct slice line);

/* May this client answer with that command? Otherwise it has been told why not. */
bool relay_prompt_may_answer(struct relay *r, struct relay_client *c,
			     const struct relay_command *cmd);

/* Fills in what the flight answers. */
void relay_prompt_fly(struct relay *r, const struct relay_command *cmd);

/* A line of the reply to the flight. */
void relay_prompt_reply(struct relay *r, struct slice line);

/* A client is gone. */
void relay_prompt_release(struct relay *r, const struct relay_client *c);

/* --- relay_route.c --------------------------------------------------------------------------- */

void relay_route(struct relay *r, struct slice line);

/* Tells one client a notification in the words that are meant for it, if it is meant for it. */
void relay_route_to(struct relay *r, struct relay_client *c, struct slice line);

/* What a read-only client may see of a line of the log. */
struct slice relay_censor_log(struct slice line);

static inline bool relay_is_verdict(struct slice line)
{
	return slice_starts(line, "SUCCESS:") || slice_starts(line, "ERROR:");
}

#endif
