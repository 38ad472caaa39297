/* SPDX-License-Identifier: MIT
 *
 * The VPN server's own management interface (--peer-management). Its log is listened to, for what
 * it says of its clients (core/server_word). And it is asked for the time: `status 3` tells
 * OpenVPN's `now`, `status 1` the system's clock in a zone that it does not name, and the two
 * together tell both (OpenVPN multi.c multi_print_status; proto/server_status.h).
 *
 * Happy path: the session comes up, `version` says how old the server is, then a pair of questions
 * as soon as one is due, each pair aimed like a probe. OpenVPN logs each question, so they are few:
 * PEER_STATUS_BURST of them, then one every PEER_STATUS_EVERY. Failure modes: those of a session; a
 * daemon that is no server (its status has no TIME line: it is asked once every PEER_STATUS_EVERY
 * and tells nothing); a zone that is none.
 */
#ifndef OVPNWATCH_CORE_PEER_SESSION_H
#define OVPNWATCH_CORE_PEER_SESSION_H

#include "core/peer_time.h"
#include "core/session.h"
#include "proto/log_text.h"
#include "proto/server_status.h"

#define PEER_STATUS_BURST 8
#define PEER_STATUS_GAP	  NSEC_PER_SEC
#define PEER_STATUS_EVERY (300 * NSEC_PER_SEC)

struct peer_session {
	bool enabled;
	struct session session;
	unsigned burst; /* pairs left that are asked without a long pause */
	nsec next;	/* mono: when to ask the next pair */
	bool aimed;	/* `next` was chosen with aim */
	enum { PAIR_NONE, PAIR_FIRST, PAIR_SECOND } pair;
	struct stamp asked;   /* when the question that is ahead left */
	struct stamp asked_1; /* of the answer to `status 1`: */
	struct stamp heard_1; /* valid if local_1 is known */
	int64_t local_1;      /* the system's clock in its zone; INT64_MIN: not told */
	bool pre_26;	      /* the server's version is below 2.6 */
};

/* What a line told. */
struct peer_session_told {
	unsigned n; /* statements about its clocks; both may be there at once */
	struct peer_told told[PEER_FACES];
	bool has_log;  /* a line of the server's log; its slices are those of the event */
	bool log_live; /* it is said now, rather than from before we came */
	struct log_fact log;
};

void peer_session_init(struct peer_session *p, bool enabled, bool has_password, uint64_t seed,
		       const struct stamp *now);

/* Takes EVENT_PEER_LINK. */
enum session_news peer_session_link(struct peer_session *p, const struct event *e);

/* Takes EVENT_PEER_LINE. *news and *out are always written. */
void peer_session_line(struct peer_session *p, const struct event *e, struct tunnel *t,
		       struct actions *out, enum session_news *news,
		       struct peer_session_told *told);

/* Does what is due; `time` aims the questions. */
enum session_news peer_session_time(struct peer_session *p, const struct stamp *now,
				    const struct peer_time *time, struct tunnel *t,
				    struct actions *out);

/* Mono. */
nsec peer_session_deadline(const struct peer_session *p);

#endif
