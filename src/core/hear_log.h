/* SPDX-License-Identifier: MIT
 *
 * The log of a tunnel: alone it tells the states as well as it can; beside the management interface
 * each event counts once, from whichever comes first.
 *
 * While the management interface is attached, it is believed: it is heard at once, its states bear
 * the daemon's own stamp, and the log's lines are read only so that they are known. At the seams
 * the two overlap:
 *
 *   - The log is followed, and we attach: the interface gives its history. States in it that are
 *     newer than what the log told so far are news, though they come as history; older ones are
 *     known. Other texts count from the log for a moment more, which may be read late, unless the
 *     interface tells them first.
 *   - The interface is lost: what the log brings then, and the interface had told, is known.
 *   - We are attached, and a log appears: its past is history.
 */
#ifndef OVPNWATCH_CORE_HEAR_LOG_H
#define OVPNWATCH_CORE_HEAR_LOG_H

#include "core/watch.h"

/* EVENT_LOG, also of a recording, and EVENT_LOG_FILE. */
void hear_log(struct watch *w, const struct event *e, struct actions *out);
void hear_log_file(struct watch *w, const struct event *e, struct actions *out);

/* A live text of the management interface (a state's payload, a line of its log): true if the log
 * told it before. */
bool hear_log_told(struct tunnel *t, struct slice text, const struct stamp *at);

/* A state of the management interface's history. True: it was dealt with, for the log was there
 * before. */
bool hear_log_history(struct watch *w, struct tunnel *t, struct slice payload,
		      const struct management_state *s, const struct stamp *at,
		      struct actions *out);

/* The history is complete. True: the state was told already. */
bool hear_log_attached(struct watch *w, struct tunnel *t, const struct stamp *at,
		       struct actions *out);

#endif
