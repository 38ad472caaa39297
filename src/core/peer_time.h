/* SPDX-License-Identifier: MIT
 *
 * What the VPN server's clock shows, by every source that tells. A server has two clocks that can
 * part: its system clock, and the one that OpenVPN runs on, which follows the system's forward but
 * not back (otime.c update_now: a step back of more than 10 s is taken out until the process ends).
 * Each has an interval of its own, on the ruler of this machine, that every reading narrows.
 *
 * What OpenVPN shows is also late: it is time(NULL) (otime.c update_time), which Linux takes from
 * the last tick of its timer, so a second turns over up to a tick after it should. (On Windows it
 * counts from when it began, otime.c and compat-gettimeofday.c, and may be a second off for good.)
 *
 * Happy path: peer_time_probe() for each answered probe, peer_time_told() for what comes of itself,
 * peer_time_read(): where the two clocks agree as far as is known, the intersection of both.
 * Failure modes: they cannot be the same: then the system's clock is read and OpenVPN's is named
 * beside it as disagreeing; a source contradicts what it said before: the clock was set.
 */
#ifndef OVPNWATCH_CORE_PEER_TIME_H
#define OVPNWATCH_CORE_PEER_TIME_H

#include "core/drift_estimator.h"
#include "core/notice.h"
#include "core/offset_estimator.h"
#include "core/stamp.h"

#include <stdbool.h>

enum peer_face { PEER_OPENVPN, PEER_SYSTEM };
#define PEER_FACES 2

/* The longest tick of any Linux (CONFIG_HZ=100). Most have 4 ms, of which one may be missed, or 1.
 */
#define PEER_TICK (10 * NSEC_PER_MSEC)

/* One statement about a clock of the server: at some instant from `earliest` to `latest` it showed
 * something from `clock_lo` to `clock_hi` (nanoseconds since the epoch). */
struct peer_told {
	enum peer_clock_source source;
	enum peer_face face;
	struct stamp earliest, latest;
	nsec clock_lo, clock_hi;
	/* The stamps of an NTP exchange: the clock showed `clock_lo` when our question of
	 * `earliest` came, and `clock_hi` when the answer of `latest` left. */
	bool exchange;
};

/* What a reading found. */
struct peer_change {
	bool measured; /* a new reading was added */
	enum estimate_change estimate;
	bool stepped; /* with measured: the server's clock was set */
};

/* Private to peer_time.c; the causes read the stamps of the last step. */
struct peer_time {
	struct {
		struct offset_estimator estimator;
		enum peer_clock_source source; /* of the last reading */
		struct stamp last; /* when it came; valid if the estimator has samples */
	} face[PEER_FACES];
	struct drift_estimator utc_drift; /* of the server against UTC */
	bool drift_disagree; /* it is that of the system's clock while OpenVPN's is another */
	/* what it says, worked out when it learned: that is a matter of all pairs of samples */
	bool drift_known;
	double drift_ppm, drift_max_error_ppm;
	bool stepped;		  /* a step was seen, ever */
	enum peer_face step_face; /* which clock showed it */
	struct stamp step_after;  /* the last reading before the step */
	struct stamp step_before; /* the first reading after it */
};

void peer_time_init(struct peer_time *p);

/* A probe's answer: whole seconds of OpenVPN's clock, shown between the two stamps. */
struct peer_change peer_time_probe(struct peer_time *p, const struct stamp *sent,
				   const struct stamp *received, int64_t seconds);

/* Any other statement. */
struct peer_change peer_time_told(struct peer_time *p, const struct peer_told *told);

/* Lets the drift against UTC learn from what is known now; `local` must be fresh. */
void peer_time_learn_drift(struct peer_time *p, const struct stamp *now,
			   const struct local_clock_reading *local);

/* This machine slept, and the ruler is another one since `now`: nothing that is known holds, and no
 * reading that began before. */
void peer_time_slept(struct peer_time *p, const struct stamp *now);

/* This machine's clock was set, or its time source changed its mind: what was learned of the drift
 * against UTC may mix two clocks. */
void peer_time_restart_drift(struct peer_time *p);

/* The interval of OpenVPN's clock, which probes are aimed with. */
const struct offset_estimator *peer_time_aim(const struct peer_time *p);

/* The offset now, against this machine's wall clock and, where `local` knows its offset and bound
 * (NULL: it does not), against UTC; the verdict is for `limit_s`. out->present is false while
 * nothing is known. */
void peer_time_read(const struct peer_time *p, const struct stamp *now,
		    const struct local_clock_reading *local, double limit_s,
		    struct peer_clock_reading *out);

/* What was taken for a step may be one of our own clock: there was none. */
void peer_time_disown_step(struct peer_time *p);

/* The last step. out->present is false if there was none. */
void peer_time_read_step(const struct peer_time *p, struct clock_step *out);

#endif
