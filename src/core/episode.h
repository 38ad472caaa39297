/* SPDX-License-Identifier: MIT
 *
 * The life of the alerts about restarts. Each restart is an episode: raised at once with what is
 * known, updated when the verdict changes, resolved when the tunnel is up again and the answers to
 * the probes are in (`ping_restart`, `reconnecting`; `tunnel_down` if OpenVPN ended). Two alerts
 * take an episode's place: `connect_failed` when three attempts to connect have failed, and
 * `flapping` when it is the fourth within ten windows, until none came for as long. Internal to the
 * core.
 */
#ifndef OVPNWATCH_CORE_EPISODE_H
#define OVPNWATCH_CORE_EPISODE_H

#include "core/watch.h"

/* A state that restarts or ends the tunnel is about to be taken: the episode before it is over. */
void episode_before(struct watch *w, struct tunnel *t, enum openvpn_state next,
		    const struct stamp *now, struct actions *out);

/* It was taken: an episode has begun, or goes on. */
void episode_begun(struct tunnel *t, const struct stamp *now);

/* Tells what there is to tell about the tunnel's episode. */
void episode_apply(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out);

/* Mono. */
nsec episode_deadline(const struct tunnel *t);

#endif
