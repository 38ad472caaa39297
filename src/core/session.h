/* SPDX-License-Identifier: MIT
 *
 * The conversation with a daemon's management interface: when to connect, what to say, when to give
 * up. Watching must do no harm, so: nothing is sent before the banner, only constant commands are
 * sent, no hold is released, no password but the interface's own is answered, and a slot that
 * somebody else holds is left alone.
 *
 * Happy path: connect, banner (">INFO:"), subscribe (`version`, `pid`, `log on all`, `state
 * on all`, `echo on`, `bytecount 1`, `status 3`), take their replies apart from the notifications
 * in between, and then listen. A server is asked its version and its log, and what else the
 * session's owner asks (session_ask()). Failure modes: refused or absent (try again, 0.5 s to 30 s
 * with jitter, forever); connected but no banner within 3 s (somebody else holds the slot); a
 * password that is wanted and not there, or wrong; silence (a `load-stats` after 10 s, and 10 s
 * more for its answer); end of file.
 */
#ifndef OVPNWATCH_CORE_SESSION_H
#define OVPNWATCH_CORE_SESSION_H

#include "core/action.h"
#include "core/event.h"
#include "core/tunnel_config.h"
#include "proto/management.h"

#define SESSION_BANNER_WAIT    (3 * NSEC_PER_SEC)
#define SESSION_HEARTBEAT      (10 * NSEC_PER_SEC)
#define SESSION_BACKOFF_MIN    (500 * NSEC_PER_MSEC)
#define SESSION_BACKOFF_MAX    (30 * NSEC_PER_SEC)
#define SESSION_COMMANDS_AHEAD 12

enum session_state {
	SESSION_WAITING, /* to connect again, at `deadline` */
	SESSION_CONNECTING,
	SESSION_BANNER,	  /* connected, and nothing was said yet */
	SESSION_PASSWORD, /* the password was sent */
	SESSION_UP,
};

/* What keeps us from watching. */
enum session_problem {
	SESSION_FINE,
	SESSION_UNREACHABLE,
	SESSION_BUSY,
	SESSION_REFUSED,
};

struct session {
	bool of_server;	   /* the VPN server's: it is asked for its log and its time */
	bool has_password; /* the shell knows the password */
	enum session_state state;
	enum session_problem problem;
	char reason[192]; /* of the problem, for a person */
	bool spoke;	  /* the daemon said something since LINK_UP */
	bool prompted;	  /* it asked for the password */
	bool subscribed;
	unsigned failures; /* in a row */
	nsec backoff;
	nsec deadline; /* mono: of the state, or of the heartbeat */
	bool heartbeat_sent;
	uint64_t random;
	enum management_command
	    ahead[SESSION_COMMANDS_AHEAD]; /* sent, not yet answered, in order */
	unsigned n_ahead;
	bool in_reply; /* SUCCESS of a multi-line reply was seen */
};

/* What a line is, now that it is known which command it answers. */
enum session_line {
	LINE_NOTHING,	    /* the conversation's own */
	LINE_NOTIFICATION,  /* u: the message */
	LINE_STATE_HISTORY, /* the payload of a state from before we came */
	LINE_LOG_HISTORY,
	LINE_HISTORY_END, /* of the states: the last one is the present */
	LINE_VERSION,	  /* "OpenVPN Version: …" */
	LINE_PID,
	LINE_LOAD_STATS, /* "nclients=…" */
	LINE_STATUS_1,	 /* of a server's status */
	LINE_STATUS_3,
	LINE_STATUS_END, /* its last line, or that it has none */
};

/* What became of the session, for the events of the kind `monitor`. */
enum session_news {
	SESSION_NO_NEWS,
	SESSION_NEWS_UP,
	SESSION_NEWS_LOST,    /* was up, is not any more: `reason` */
	SESSION_NEWS_PROBLEM, /* `problem` is new, or has another reason */
};

/* Connects at once. `seed` makes the jitter. */
void session_init(struct session *s, bool of_server, bool has_password, uint64_t seed,
		  const struct stamp *now);

/* Sends a command of one's own (`of_server`: a status). The session must be SESSION_UP, subscribed
 * and have nothing ahead. */
void session_ask(struct session *s, enum management_command c, struct tunnel *t,
		 struct actions *out);

/* As session_ask(), of a command with a reply of one line, whatever is ahead. False: it was not
 * sent, for the session is not up, or too much is unanswered. */
bool session_say(struct session *s, enum management_command c, struct tunnel *t,
		 struct actions *out);

/* We are about to leave: what was turned on is turned off. OpenVPN before 2.6.20 goes on counting
 * bytes for whoever comes next (manage.c man_reset_client_socket). No reply is awaited. */
void session_leave(struct session *s, struct tunnel *t, struct actions *out);

/* Takes EVENT_LINK, EVENT_PEER_LINK. */
enum session_news session_link(struct session *s, const struct event *e);

/* Takes a line. *news and *message are always written; *message is valid if the line's meaning is
 * LINE_NOTIFICATION, and its slices as long as the line. For the histories, LINE_VERSION,
 * LINE_PID and the lines of a status, message->line is the line and message->text its payload. */
enum session_line session_line(struct session *s, const struct event *e, struct tunnel *t,
			       struct actions *out, struct management_message *message,
			       enum session_news *news);

/* Does what is due. `patient`: the daemon is in a phase in which it cannot answer (it resolves a
 * name), so its silence means nothing yet. */
enum session_news session_time(struct session *s, const struct stamp *now, bool patient,
			       struct tunnel *t, struct actions *out);

/* Mono. */
nsec session_deadline(const struct session *s);

#endif
