/* SPDX-License-Identifier: MIT
 *
 * Alerts that last as long as a condition: one function a rule says what it wishes, the table says
 * how long it must wish so, and the life cycle is made here, once for all. Internal to the core.
 */
#ifndef OVPNWATCH_CORE_RULES_H
#define OVPNWATCH_CORE_RULES_H

#include "core/watch.h"

/* Raises and resolves what is due for the tunnel, or for the machine (`t` NULL). */
void rules_apply(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out);

/* Alerts about something that happened in a moment (a clock was set) stay for this long after it.
 */
#define MOMENT_LASTS (60 * NSEC_PER_SEC)

/* This machine's clock was set by `size`; `max_error_s` NAN: exactly. */
void rules_local_step(struct watch *w, nsec size, double max_error_s, const struct stamp *at,
		      struct actions *out);

/* The server's clock was set, as peer_time_read_step() says. */
void rules_peer_step(struct watch *w, struct tunnel *t, const struct stamp *at,
		     struct actions *out);

/* Refines and ends the alerts of steps. */
void rules_moments(struct watch *w, struct tunnel *t, const struct stamp *now, struct actions *out);

/* What is known of this machine's clock; not present in a recording. */
void rules_local_reading(const struct watch *w, const struct stamp *now,
			 struct local_clock_reading *out);

#endif
