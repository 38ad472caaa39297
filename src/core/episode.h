/* SPDX-License-Identifier: MIT
 *
 * A restart as an alert: raised at once with what is known, updated when the verdict changes,
 * resolved when the tunnel is up again and the answers to the probes are in. Internal to the core.
 */
#ifndef OVPNWATCH_CORE_EPISODE_H
#define OVPNWATCH_CORE_EPISODE_H

#include "core/watch.h"

/* Tells what there is to tell about the tunnel's episode. */
void episode_apply(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out);

/* Ends the episode with the verdict as it is: the next one begins. */
void episode_finish(struct watch *w, struct tunnel *t, const struct stamp *now,
		    struct actions *out);

/* Mono. */
nsec episode_deadline(const struct tunnel *t);

#endif
