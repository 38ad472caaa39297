/* SPDX-License-Identifier: MIT
 *
 * The core: a step function over events, and the time at which it wants to be called again.
 *
 *     for each event:  watch_step(w, &event, &actions); carry out the actions, print the notices
 *     one timer:       watch_deadline(w); when it comes, step with EVENT_TIME
 *
 * Nothing here does I/O or asks a clock, and only what few tunnels have is allocated. (The shape is
 * raft_step and raft_timeout of cowsql/raft.) When the actions are full, what is left over waits
 * for the next call and the deadline says so: call again until it lies in the future.
 */
#ifndef OVPNWATCH_CORE_WATCH_H
#define OVPNWATCH_CORE_WATCH_H

#include "core/action.h"
#include "core/clock_rate.h"
#include "core/event.h"
#include "core/local_clock.h"
#include "core/step_detector.h"
#include "core/tunnel.h"

#include <stdbool.h>
#include <stdint.h>

struct watch_config {
	double offset_limit_s; /* a clock further off than this is an alert */
	/* The --ntp servers that the shell can ask, as the user wrote them; borrowed. */
	unsigned n_ntp;
	const char *const *ntp_names;
	bool open_ended; /* other tunnels may come of themselves */
	bool replay;	 /* judge a recording: nothing is asked, probed or connected */
};

struct watch {
	struct watch_config config;
	struct step_detector detector;
	struct clock_rate rate;
	struct local_clock local_clock;
	struct clock_change last_change; /* the last step or suspend of this machine */
	struct stamp last_change_at;	 /* the stamp that showed it; valid if `changed` */
	bool changed;
	struct alert_table alerts; /* about the machine */
	nsec step_resolve;	   /* mono: when the alert of this machine's step is over */
	struct local_clock_reading reported; /* by the last clock notice */
	nsec next_clock_notice;		     /* mono */
	nsec reading_changed;	 /* mono: since when the reading differs; NSEC_UNKNOWN */
	nsec look;		 /* mono: look at this machine at least once a second */
	struct tunnel *tunnels;	 /* a list; the tunnels are the caller's */
	struct wake_queue queue; /* of them, by when they want their turn */
	struct stamp began;
	/* Of tunnels that were removed, for the sum at the end. */
	int64_t gone_restarts;
	nsec gone_connected;
};

/* Starts to watch. */
void watch_init(struct watch *w, const struct watch_config *config, const struct stamp *now);

/* Adds a tunnel, which the caller keeps for as long as `w` is used; so are the strings of *config.
 * Its first actions (to connect, to probe) come with the next EVENT_TIME, which is due at once. */
void watch_add(struct watch *w, struct tunnel *t, const struct tunnel_config *config,
	       const struct stamp *now);

/* Takes one event. *out is overwritten. With EVENT_REMOVED what fires for the tunnel is resolved,
 * its daemon is left as it was found, and the tunnel is the caller's again when the actions are
 * carried out. */
void watch_step(struct watch *w, const struct event *e, struct actions *out);

/* All that there was to watch has ended: logs without a management interface beside them. */
bool watch_over(const struct watch *w);

/* The instant (monotonic) by which to step with EVENT_TIME; at or before now: at once. */
nsec watch_deadline(const struct watch *w);

#endif
