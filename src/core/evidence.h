/* SPDX-License-Identifier: MIT
 *
 * All that the causes of a restart may look at, gathered once: values and borrowed texts, no
 * tunnel. It is made of pieces that can be taken away one by one, because less evidence must never
 * make a verdict surer (a test does so for every scenario).
 */
#ifndef OVPNWATCH_CORE_EVIDENCE_H
#define OVPNWATCH_CORE_EVIDENCE_H

#include "core/watch.h"

#include <stdbool.h>

/* E(enumerator, what is taken away) */
#define EVIDENCE_PIECES_LIST                                            \
	E(EVIDENCE_SILENCE, "the byte count")                           \
	E(EVIDENCE_TIMERS, "the ping timers")                           \
	E(EVIDENCE_PROBES_BEFORE, "the probes before the silence")      \
	E(EVIDENCE_PROBES_SILENT, "the probes during the silence")      \
	E(EVIDENCE_PROBES_AFTER, "the probes after the restart")        \
	E(EVIDENCE_ECHO, "the echo requests")                           \
	E(EVIDENCE_ROUTE, "the route")                                  \
	E(EVIDENCE_OTHER_REMOTE, "the other remote")                    \
	E(EVIDENCE_LOCAL_CHANGE, "the step or suspend of this machine") \
	E(EVIDENCE_LOCAL_CLOCK, "this machine's clock")                 \
	E(EVIDENCE_PEER_CLOCK, "the server's clock")                    \
	E(EVIDENCE_PEER_STEP, "the step of the server's clock")         \
	E(EVIDENCE_LOG, "the client's log")                             \
	E(EVIDENCE_HISTORY, "the restarts before")                      \
	E(EVIDENCE_SERVER_LOG, "the server's log")                      \
	E(EVIDENCE_OTHER_TUNNELS, "the other tunnels")                  \
	E(EVIDENCE_REASON, "OpenVPN's own reason")

enum evidence_piece {
#define E(name, what) name,
	EVIDENCE_PIECES_LIST
#undef E
	    EVIDENCE_PIECES
};

struct evidence {
	struct stamp now;
	bool replay; /* a recording: it shows neither clock, and nothing was probed */
	bool same_machine;
	bool of_server; /* the daemon is a server: it is no client of one */
	double offset_limit_s;
	const char *profile; /* the profile's name, or a stand-in */
	bool has_profile;
	const char *server_ip; /* or a stand-in */
	bool no_wrap;	       /* it is known that the control channel is under no key of its own */
	const char *no_probe;  /* why the server is not probed; NULL if it is */

	/* what OpenVPN said */
	enum restart_reason reason;
	const char *reason_text;
	bool server_said_so; /* the log has the server's own command */
	bool was_up;
	struct stamp began;
	bool ended; /* up again, at `end` */
	struct stamp end;
	nsec connected; /* how long it had been up; NSEC_UNKNOWN */
	nsec session;	/* mono: when the session, or the attempt, before it began; NSEC_UNKNOWN */
	/* mono: what the log said before has nothing to do with this restart: a session can be of
	 * days, and survives much that is said in it. */
	nsec said_from;

	nsec window;		       /* the ping-restart window; NSEC_NEVER: none */
	nsec ping;		       /* this end's own; 0: unknown or none */
	enum timer_source timers_from; /* TIMERS_DEFAULT: the window is a guess */
	bool no_ping;		       /* this end is known to send no pings */
	bool pushed_none;	       /* the server is known to have pushed no timers */
	int64_t reneg_sec; /* of this end: from the profile or the log; 3600 by default */

	nsec silent;	/* nothing received for, when it began; NSEC_UNKNOWN */
	nsec last_rx;	/* mono; NSEC_UNKNOWN */
	nsec heard;	/* from CONNECTED to the last received bytes; NSEC_UNKNOWN */
	nsec usual_gap; /* traffic.usual_gap; 0 */
	nsec idle;	/* traffic_idle() */

	/* this machine */
	bool changed; /* its clock was set or it slept; the last time */
	struct clock_change change;
	struct stamp change_at;
	struct local_clock_reading local;
	bool route_known;
	nsec route_lost, route_back; /* as in struct reach */
	bool lost_link;
	const char *interface;

	/* the server */
	struct peer_clock_reading peer;
	struct clock_step step;
	struct stamp step_after, step_before; /* as in struct peer_time; valid if step.present */
	/* Probes that left before the silence (five minutes at most), while the tunnel was silent,
	 * and since the restart until it was up again. */
	struct probe_tally before, silent_probes, after;
	bool probed;	    /* ever */
	bool ever_answered; /* a probe was, before the tunnel was up again */
	struct reach_tally echo, echo_after;
	bool echo_before; /* its host answered an echo request before the silence */
	struct reach_tally other;
	const char *other_remote;	       /* who that is */
	const struct log_memory *log;	       /* NULL: taken away */
	struct server_drops drops;	       /* what the server's log had said when it began */
	const struct server_word *server_word; /* NULL: it is not watched, or taken away */

	const struct restart_history *history; /* this one included; NULL: taken away */
	/* Other tunnels to the same server and to others: how many there are, and how many fell
	 * silent or restarted together with this one. */
	unsigned same_server, same_server_hit, elsewhere, elsewhere_hit;
};

/* Gathers what is known of the tunnel's episode. Pointers into `w` and `t` are valid as long as
 * these do not change. */
void evidence_collect(const struct watch *w, const struct tunnel *t, const struct stamp *now,
		      struct evidence *out);

/* The same without one piece. */
void evidence_without(const struct evidence *e, enum evidence_piece piece, struct evidence *out);

/* --- what several causes ask ----------------------------------------------------------------- */

/* OpenVPN acted on silence (ping-restart, ping-exit). */
bool evidence_acted_on_silence(const struct evidence *e);
/* It did, and nothing that is known says that there was less of
 * it than the window: what a cause of silence needs to be possible. */
bool evidence_silent_window(const struct evidence *e);
/* That was seen: bytes are counted, the window is known. What it needs to be likely. */
bool evidence_silence_shown(const struct evidence *e);

/* It tried to connect, or to renegotiate, and did not succeed. */
bool evidence_handshake_failed(const struct evidence *e);

/* What the log said of this restart: not before the session (or attempt) that it ended, nor more
 * than a hand-window and a half before the silence. NULL: nothing of the kind. */
const struct log_word *evidence_said(const struct evidence *e, enum log_fact_kind kind);

/* How many probes came to an end, with an answer or without. */
unsigned evidence_finished(const struct probe_tally *t);

/* The questions that decide whether the server is there: those of the silence, or where OpenVPN
 * tried in vain, those of that time. Where there are none, the probes are those of the other time.
 */
struct evidence_asked {
	bool applies; /* there was silence, or a handshake failed */
	bool during;  /* the probes are of the time that decides */
	bool silent;  /* they are of the silence */
	bool shown;   /* with `during`: what they are measured against was seen */
	const struct probe_tally *probes;
	const struct reach_tally *echo;
};
struct evidence_asked evidence_asked(const struct evidence *e);

/* While the tunnel was silent, the server answered probes, all of them. */
bool evidence_server_answered(const struct evidence *e);

/* The last bytes of the session before this restart came with its handshake, or none did later than
 * two seconds after it. r->heard must be known. */
bool evidence_only_handshake(const struct restart_record *r);

/* When the silence began (mono): the last received byte, or as OpenVPN says. */
nsec evidence_silent_from(const struct evidence *e);

/* Whether `at` (mono) is when the silence began; false if that is not known. */
bool evidence_at_onset(const struct evidence *e, nsec at);

/* The server's clock was measured. */
bool evidence_peer_known(const struct evidence *e);

/* Of how many of the newest restarts in a row `like` is true, this one first. */
unsigned evidence_in_a_row(const struct evidence *e,
			   bool (*like)(const struct evidence *e, const struct restart_record *r));

/* Whom the fault concerns; SCOPE_NONE: it cannot be said. */
enum scope evidence_scope(const struct evidence *e);

#endif
