/* SPDX-License-Identifier: MIT
 *
 * What is heard of a tunnel: a line of its management interface, of a recorded session or of a log
 * says what happened, and the tunnel is told. Internal to the core.
 */
#ifndef OVPNWATCH_CORE_HEAR_H
#define OVPNWATCH_CORE_HEAR_H

#include "core/watch.h"

/* Each takes an event of its kind: EVENT_LINE, the same in a recording, EVENT_LINK. */
void hear_line(struct watch *w, const struct event *e, struct actions *out);
void hear_recorded_line(struct watch *w, const struct event *e, struct actions *out);
void hear_link(const struct event *e, struct actions *out);

/* A state of now: the tunnel takes it, and what follows from it is set in motion. `since` is as in
 * struct event. */
void hear_state(struct watch *w, struct tunnel *t, const struct management_state *s,
		const struct stamp *since, const struct stamp *at, struct actions *out);

/* What is known of the state is told, without a change. */
void hear_present_state(struct tunnel *t, const struct stamp *at, struct actions *out);

/* What became of the conversation with its management interface. */
void hear_session(struct tunnel *t, enum session_news news, const struct stamp *at,
		  struct actions *out);

#endif
