/* SPDX-License-Identifier: MIT
 *
 * Probing the VPN server: when to, and what the answers and their absence say; the server's clock
 * comes of them and of what other sources say (core/peer_time). Polite: a burst when there is
 * something to learn, one probe a minute otherwise, never two within PROBE_GAP_MIN. Nothing is sent
 * before the first burst is asked for. A server that keeps a session for every probe (OpenVPN
 * before 2.6, and any over TCP) is probed at a tenth of all these rates.
 *
 * Each probe is aimed by the estimator, and again when an answer changes the estimate. An answer
 * that contradicts the estimate leaves it a second wide: then a burst follows of itself, at most
 * one in PROBE_QUIET, or a server with a mad clock could keep us probing.
 */
#ifndef OVPNWATCH_CORE_PEER_CLOCK_H
#define OVPNWATCH_CORE_PEER_CLOCK_H

#include "core/action.h"
#include "core/event.h"
#include "core/notice.h"
#include "core/peer_time.h"

#define PROBE_TIMEOUT  (2 * NSEC_PER_SEC)
#define PROBE_QUIET    (60 * NSEC_PER_SEC) /* between probes while nothing happens */
#define PROBE_GAP_MIN  (400 * NSEC_PER_MSEC)
#define PROBE_COSTLY   10 /* so much slower where a probe costs the server a session */
#define PROBES_PENDING 16
#define PROBE_HISTORY  64

/* Why a burst is wanted; each has its size (probes over about as many seconds and a quarter). */
enum probe_burst { BURST_START, BURST_SILENT, BURST_RESTART, BURST_UP };

/* What became of one probe; PROBE_NONE is "no answer within PROBE_TIMEOUT". */
enum probe_result {
	RESULT_ANSWERED,
	RESULT_NONE,
	RESULT_REFUSED,
	RESULT_UNREACHABLE,
	RESULT_FAILED,
	RESULT_BAD_MAC,
	RESULT_REJECTED
};

struct probe_record {
	nsec sent; /* mono */
	nsec rtt;  /* of an answer; else NSEC_UNKNOWN */
	enum probe_result result;
};

/* How the probes sent since some instant went. */
struct probe_tally {
	unsigned answered, unanswered, refused, unreachable, failed, bad_mac, rejected, pending;
	nsec best_rtt; /* NSEC_UNKNOWN: none answered */
};

struct peer_clock {
	bool enabled;  /* false: --no-probe, or no key to probe with */
	bool has_time; /* answers carry the time (a wrapped control channel) */
	/* Each probe costs the server a session, because it is an old one, or goes by TCP: */
	bool old_server, by_tcp;
	bool insisted; /* the user chose the pace */
	struct peer_time time;
	unsigned destination; /* of the last reading; 0: none */
	unsigned next_id;
	struct {
		unsigned id; /* 0: free */
		struct stamp sent;
	} pending[PROBES_PENDING];
	struct probe_record history[PROBE_HISTORY]; /* a ring */
	unsigned n_history;			    /* ever recorded */
	unsigned burst_left;
	nsec spacing;	/* of the burst: not sooner after the probe before */
	nsec earliest;	/* mono: the aim of the next probe starts here; NSEC_NEVER */
	nsec next;	/* mono: when the next probe is to leave; NSEC_NEVER */
	bool at_once;	/* it is the first of a burst and is not aimed */
	nsec refined;	/* mono: the last burst asked for by a contradiction */
	nsec lead;	/* from the decision to probe to its departure: the least that was seen */
	nsec last_sent; /* mono; NSEC_UNKNOWN: none yet */
	nsec first_answer, last_answer; /* boot; NSEC_UNKNOWN */
};

/* The clock of a server that nothing is known of and that is not probed. One for all: it is never
 * changed. */
struct peer_clock *peer_clock_nothing(void);

/* `by_tcp`: how it will be probed, as far as is known; the answers to probes say how it was. */
void peer_clock_init(struct peer_clock *p, bool enabled, bool has_time, bool by_tcp);

/* It has turned out that the server is older than 2.6. */
void peer_clock_old_server(struct peer_clock *p);

/* Asks for a burst; one that is under way and larger is left as it is. */
void peer_clock_burst(struct peer_clock *p, enum probe_burst why, const struct stamp *now);
/* A burst of this many probes, this far apart: for the probe verb, whose user knows what it costs.
 */
void peer_clock_burst_of(struct peer_clock *p, unsigned count, nsec spacing,
			 const struct stamp *now);
/* A burst or a reply is still awaited. */
bool peer_clock_busy(const struct peer_clock *p);

/* Takes EVENT_PROBE. Answers that come too late or twice change nothing. An answer during which the
 * machine slept is an answer, but no reading (and has no round trip time). PROBE_REPEATED makes it
 * an old server. What went to another destination than before is of another clock: what was known
 * is forgotten, and nobody set a clock. */
struct peer_change peer_clock_event(struct peer_clock *p, const struct event *e);

/* Time-outs, and the ACTION_PROBE that is due, if one is. The deadline is on the monotonic clock.
 */
void peer_clock_time(struct peer_clock *p, const struct stamp *now, struct tunnel *t,
		     struct actions *out);
nsec peer_clock_deadline(const struct peer_clock *p);

/* Probes that left at or after `from` and before `until` (mono). */
struct probe_tally peer_clock_tally(const struct peer_clock *p, nsec from, nsec until);

/* Takes what another source says of the server's clock. */
struct peer_change peer_clock_told(struct peer_clock *p, const struct peer_told *told);

#endif
