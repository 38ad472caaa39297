/* SPDX-License-Identifier: MIT
 *
 * Making notices: the sentences of the events, in one place. Internal to the core.
 */
#ifndef OVPNWATCH_CORE_TELL_H
#define OVPNWATCH_CORE_TELL_H

#include "core/watch.h"

#include <stdio.h>

/* The notice's sentence; what does not fit is cut off. */
#define SAY(n, ...) snprintf((n)->message, sizeof(n)->message, __VA_ARGS__)

/* There is room for one more notice. What is not told for want of room is told with the next event:
 * everything here is told from state, never from memory of what should have been said. */
bool tell_room(const struct actions *out);

/* A new notice at the end of *out; there must be room. `t` NULL: about the machine. */
struct notice *tell(struct actions *out, enum notice_type type, enum severity severity,
		    const struct stamp *at, const struct tunnel *t);

void tell_state(struct actions *out, const struct tunnel *t, const struct state_change *change,
		const struct stamp *at);
void tell_started(struct actions *out, const struct tunnel *t, const struct stamp *at);
void tell_removed(struct actions *out, const struct tunnel *t, const struct stamp *at);
void tell_reloaded(struct actions *out, const struct event *e);
void tell_connected(struct actions *out, const struct tunnel *t, const struct stamp *at);
void tell_session(struct actions *out, const struct tunnel *t, enum session_news news,
		  const struct stamp *at);
/* The same of the server's management interface. */
void tell_peer_session(struct actions *out, const struct tunnel *t, enum session_news news,
		       const struct stamp *at);
/* A line of the management interface was too long and was dropped: the `count`th. */
void tell_overlong(struct actions *out, const struct tunnel *t, const struct stamp *at);
void tell_resumed(struct actions *out, nsec suspended, const struct stamp *at);
/* A leap second came: the clock was set by `step`, and that is as it should be. */
void tell_leap_second(struct actions *out, nsec step, const struct stamp *at);
void tell_stopped(struct actions *out, const struct watch *w, const struct stamp *at);

/* What a person calls the log: of standard input, not "-". */
const char *tell_log_name(const struct tunnel *t);

/* The log is followed, from now on or again; or it is not: `reason`. */
void tell_followed(struct actions *out, const struct tunnel *t, const struct stamp *at);
void tell_log_file(struct actions *out, const struct tunnel *t, enum log_file_change change,
		   const char *reason, const struct stamp *at);
/* There are lines of another OpenVPN in the log. */
void tell_another_daemon(struct actions *out, const struct tunnel *t, struct slice ident,
			 int64_t pid, const struct stamp *at);

/* A clock event: of the server and this machine (`t`), or of this machine alone (NULL). */
void tell_clock(struct actions *out, const struct tunnel *t,
		const struct local_clock_reading *local, const struct peer_clock_reading *peer,
		const struct stamp *at);

/* "the server's clock is 7.000 s ahead of this machine's (+/- 4 ms)", against UTC where that is
 * known. Also for the one-shot verbs. */
void say_peer_clock(const struct peer_clock_reading *peer, char *out, size_t size);
void say_local_clock(const struct local_clock_reading *local, char *out, size_t size);

#endif
