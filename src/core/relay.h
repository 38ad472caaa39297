/* SPDX-License-Identifier: MIT
 *
 * The relay: OpenVPN serves one management client at a time, and ovpnwatch holds that one
 * connection. Here it is shared: any number of clients talk to the daemon over it, each as if it
 * were alone, and ovpnwatch's own session is one of those who ask.
 *
 * Happy path: relay_init(); the daemon's lines go through relay_daemon_line(), which says what is
 * for ovpnwatch itself; its own commands through relay_own_command(). A client is greeted with the
 * daemon's banner (relay_client_came()), its bytes are commands (relay_client_bytes()), and what it
 * is to be told comes out of `wires`.
 *   - One command at a time is under way to the daemon. A `load-stats` follows each, and what comes
 *     before its answer is the reply: so no reply can be taken for another's, whatever its form is
 *     and whether there is one at all (manage.c: `version 3` has none, `test 3` has lines without
 *     an end). OpenVPN logs every command but that one.
 *   - state, log, echo and bytecount are each client's own. The daemon is told the union of what
 *     ovpnwatch and all clients want, and is told less when less is wanted.
 * Failure modes: a client that leaves in the middle (its reply is nobody's, its half command is
 * forgotten); the daemon's end goes away (all clients that were greeted are hung up on, as OpenVPN
 * would; later ones wait in silence, as in OpenVPN's queue); a wrong password, HTTP, a command that
 * does not fit (hung up on, with a reason).
 *
 * Not virtual, because OpenVPN has one of each for all: `hold`, `verb`, `mute`, `auth-retry`,
 * `env-filter`, and the queries that one client answers for all.
 */
#ifndef OVPNWATCH_CORE_RELAY_H
#define OVPNWATCH_CORE_RELAY_H

#include "core/action.h"
#include "proto/management_input.h"
#include "proto/nsec.h"
#include "proto/slice.h"

#define RELAY_INPUT_MAX	   8192	 /* of a client's bytes that wait for their turn */
#define RELAY_BLOCK_MAX	   65536 /* a command of several lines, `client-auth` … END */
#define RELAY_PROMPT_MAX   10240 /* OpenVPN's ERR_BUF_SIZE: no line of its own is longer */
#define RELAY_BANNER_MAX   256
#define RELAY_PASSWORD_MAX 255
#define RELAY_OWN_MAX	   32 /* more than the session ever has unanswered */
#define RELAY_CIDS	   256

/* Where the relay's words go. None of these calls the relay; the bytes are valid for the call. */
struct relay_wires {
	void *arg;
	void (*to_daemon)(void *arg, struct slice bytes);
	void (*to_client)(void *arg, void *owner, struct slice bytes);
	/* Nothing more comes for this client. `reason` is a constant for a person; NULL: it wanted
	 * to, or the daemon's end went away. relay_client_left() follows when the owner can. */
	void (*hang_up)(void *arg, void *owner, const char *reason);
};

/* The three that are alike: manage.c man_history. */
enum relay_topic { RELAY_STATE, RELAY_LOG, RELAY_ECHO, RELAY_TOPICS };

/* What somebody wants to be told. */
struct relay_wants {
	bool on[RELAY_TOPICS];
	int bytecount; /* seconds; 0: not */
};

enum relay_client_state {
	RELAY_CLIENT_WAITING,  /* for the daemon, in silence */
	RELAY_CLIENT_PASSWORD, /* was asked for the relay's own */
	RELAY_CLIENT_UP,
	RELAY_CLIENT_ENDED,
};

/* On the heap, because of its size. The owner's memory from relay_client_came() to
 * relay_client_left(), which wipes it; private in between. */
struct relay_client {
	struct relay_client *next;
	void *owner;
	bool readonly;
	enum relay_client_state state;
	char password[RELAY_PASSWORD_MAX + 1]; /* until it was given */
	size_t password_n;
	bool has_password;
	unsigned tries;
	struct relay_wants wants; /* what the daemon was asked to do for it */
	bool hears[RELAY_TOPICS]; /* what is passed on to it */
	nsec bytecount_due;	  /* mono */
	struct {
		uint64_t cid;
		nsec due;   /* 0: the place is free */
	} cids[RELAY_CIDS]; /* of >BYTECOUNT_CLI, by their last bits */
	int version;
	bool skips_block; /* it came in the middle of one */
	struct management_input input;
	struct slice line; /* of `input`: the next command; p == NULL: none yet */
	bool end_of_input;
	bool under_way; /* it waits for the reply to its last command */
	enum {
		RELAY_NO_BLOCK,
		RELAY_COLLECTING, /* a command of several lines */
		RELAY_COLLECTED,
	} collecting;
	uint64_t prompt; /* which one the block is the answer to; 0: to none */
	bool owes_signature, owes_certificate; /* it was asked for one, and has not answered */
	size_t block_n;
	char block[RELAY_BLOCK_MAX];
	size_t in_n;
	char in[RELAY_INPUT_MAX];
};

/* What the daemon waits for: manage.c, special_state_msg. */
enum relay_prompt_kind {
	RELAY_PROMPT_NONE,
	RELAY_PROMPT_HOLD,
	RELAY_PROMPT_PASSWORD,
	RELAY_PROMPT_NEED_OK,
	RELAY_PROMPT_NEED_STR,
	RELAY_PROMPT_CERTIFICATE,
	RELAY_PROMPT_REMOTE,
	RELAY_PROMPT_PROXY,
	RELAY_PROMPT_SIGN,
};

struct relay_prompt {
	enum relay_prompt_kind kind;
	uint64_t serial;		  /* 1, 2, 3 … */
	bool needs_user, needs_password;  /* still */
	const struct relay_client *owner; /* who has begun to answer; NULL: nobody */
	size_t n;
	char line[RELAY_PROMPT_MAX];
};

enum relay_owner { RELAY_NOBODY, RELAY_OWN, RELAY_ITSELF, RELAY_CLIENT };

/* What a command is to the relay; relay_words.c has the table. */
enum relay_word {
	RELAY_WORD_OTHER,
	RELAY_WORD_QUERY, /* asks and changes nothing */
	RELAY_WORD_SHOW,  /* the same, as long as nothing comes after it */
	RELAY_WORD_EXIT,
	RELAY_WORD_TOPIC,
	RELAY_WORD_BYTECOUNT,
	RELAY_WORD_VERSION,
	RELAY_WORD_LOAD_STATS,
	RELAY_WORD_HOLD,
	RELAY_WORD_SIGNAL,
	RELAY_WORD_USERNAME,
	RELAY_WORD_PASSWORD,
	RELAY_WORD_NEED_OK,
	RELAY_WORD_NEED_STR,
	RELAY_WORD_REMOTE,
	RELAY_WORD_PROXY,
	RELAY_WORD_SIGN,
	RELAY_WORD_CERTIFICATE,
	RELAY_WORD_CLIENT_AUTH,
	RELAY_WORD_CLIENT_PF,
	RELAY_WORD_PKCS11,
};

/* The command that is under way. */
struct relay_flight {
	enum relay_owner owner;
	struct relay_client *client; /* RELAY_CLIENT; NULL: it has left */
	enum relay_word word;
	enum relay_topic topic;
	enum relay_prompt_kind answers; /* RELAY_PROMPT_NONE: it is no answer */
	uint64_t prompt;		/* to which one */
	bool barrier_seen, verdict_seen;
	bool after_off;	 /* `after` ends the topic */
	char after[192]; /* what the relay itself has to add to the reply */
};

struct relay {
	struct relay_wires wires;
	struct relay_client *clients; /* in the order of their turns */
	bool up;		      /* the daemon's banner has come */
	char banner[RELAY_BANNER_MAX];
	size_t banner_n;
	enum management_command own[RELAY_OWN_MAX]; /* that wait for their turn */
	unsigned n_own;
	struct relay_wants own_wants, daemon; /* the daemon: what it was told */
	int version;			      /* the largest that the daemon was told; 0: none */
	struct relay_flight flight;
	struct relay_prompt prompt;
	uint64_t prompts;
	bool in_block; /* of >CLIENT: or >UPDOWN: */
	nsec now;      /* mono, of the last call that said it */
};

void relay_init(struct relay *r, const struct relay_wires *wires);

/* --- the daemon's end ------------------------------------------------------------------------ */

/* Takes a line of the daemon (without its CR LF). True: it is for ovpnwatch's own session, too; the
 * replies to a client's commands are not. `now`: mono. */
bool relay_daemon_line(struct relay *r, struct slice line, nsec now);

/* The connection has ended, whoever ended it. */
void relay_daemon_down(struct relay *r);

/* Sends a command of ovpnwatch's own session when its turn comes, which is the next. */
void relay_own_command(struct relay *r, enum management_command c);

/* Says at once what ovpnwatch still has to say, because it leaves and hears no reply. */
void relay_leave(struct relay *r);

/* --- the clients' ends ----------------------------------------------------------------------- */

/* A client came. `password` is copied: it has to give it first (p == NULL: none, n up to
 * RELAY_PASSWORD_MAX). `owner` names it in `wires`. */
void relay_client_came(struct relay *r, struct relay_client *c, bool readonly,
		       struct slice password, void *owner);

/* How many bytes it may send now. */
size_t relay_client_room(const struct relay_client *c);

/* Takes bytes of it, up to its room. */
void relay_client_bytes(struct relay *r, struct relay_client *c, struct slice bytes, nsec now);

/* It will send nothing more: it is hung up on when its commands have been answered. */
void relay_client_end_of_input(struct relay *r, struct relay_client *c);

/* It is gone; its memory is wiped. */
void relay_client_left(struct relay *r, struct relay_client *c);

#endif
