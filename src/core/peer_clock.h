/* SPDX-License-Identifier: MIT
 *
 * The VPN server's clock, and whether the server answers at all: when to probe, what the answers
 * and their absence say. Polite: a burst when there is something to learn, one probe a minute
 * otherwise, never two within PROBE_GAP_MIN. Nothing is sent before the first burst is asked for.
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
#include "core/offset_estimator.h"

#define PROBE_TIMEOUT  (2 * NSEC_PER_SEC)
#define PROBE_QUIET    (60 * NSEC_PER_SEC) /* between probes while nothing happens */
#define PROBE_GAP_MIN  (400 * NSEC_PER_MSEC)
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
	RESULT_BAD_MAC
};

struct probe_record {
	nsec sent; /* mono */
	nsec rtt;  /* of an answer; else NSEC_UNKNOWN */
	enum probe_result result;
};

/* How the probes sent since some instant went. */
struct probe_tally {
	unsigned answered, unanswered, refused, unreachable, failed, bad_mac, pending;
	nsec best_rtt; /* NSEC_UNKNOWN: none answered */
};

struct peer_clock {
	bool enabled;  /* false: --no-probe, or no key to probe with */
	bool has_time; /* answers carry the time (a wrapped control channel) */
	struct offset_estimator estimator;
	unsigned next_id;
	struct {
		unsigned id; /* 0: free */
		struct stamp sent;
	} pending[PROBES_PENDING];
	struct probe_record history[PROBE_HISTORY]; /* a ring */
	unsigned n_history;			    /* ever recorded */
	unsigned burst_left;
	nsec spacing;		  /* of the burst: not sooner after the probe before */
	nsec earliest;		  /* mono: the aim of the next probe starts here; NSEC_NEVER */
	nsec next;		  /* mono: when the next probe is to leave; NSEC_NEVER */
	bool at_once;		  /* it is the first of a burst and is not aimed */
	nsec refined;		  /* mono: the last burst asked for by a contradiction */
	nsec last_sent;		  /* mono; NSEC_UNKNOWN: none yet */
	nsec last_answer;	  /* boot; NSEC_UNKNOWN */
	bool stepped;		  /* a step was seen, ever */
	struct stamp step_after;  /* the last reading before the step */
	struct stamp step_before; /* the first reading after it */
	struct stamp last_answer_stamp; /* of the last answer that was a reading */
};

/* What peer_clock_event() found. */
struct peer_change {
	bool measured; /* a new reading was added */
	enum estimate_change estimate;
	bool stepped; /* with measured: the server's clock was set */
};

void peer_clock_init(struct peer_clock *p, bool enabled, bool has_time);

/* Asks for a burst; one that is under way and larger is left as it is. */
void peer_clock_burst(struct peer_clock *p, enum probe_burst why, const struct stamp *now);
/* A burst of this many probes, for the probe verb. */
void peer_clock_burst_of(struct peer_clock *p, unsigned count, const struct stamp *now);
/* A burst or a reply is still awaited. */
bool peer_clock_busy(const struct peer_clock *p);

/* Takes EVENT_PROBE. Answers that come too late or twice change nothing. An answer during which the
 * machine slept is an answer, but no reading (and has no round trip time). */
struct peer_change peer_clock_event(struct peer_clock *p, const struct event *e);

/* Time-outs, and the ACTION_PROBE that is due, if one is. The deadline is on the monotonic clock.
 */
void peer_clock_time(struct peer_clock *p, const struct stamp *now, struct tunnel *t,
		     struct actions *out);
nsec peer_clock_deadline(const struct peer_clock *p);

/* Probes that left at or after `from` and before `until` (mono). */
struct probe_tally peer_clock_tally(const struct peer_clock *p, nsec from, nsec until);

/* The offset now, against this machine's wall clock and, where `local` knows its offset and bound,
 * against UTC. out->present is false while nothing is known. */
void peer_clock_read(const struct peer_clock *p, const struct stamp *now,
		     const struct local_clock_reading *local, struct peer_clock_reading *out);

/* The last step. out->present is false if there was none. */
void peer_clock_read_step(const struct peer_clock *p, struct clock_step *out);

#endif
