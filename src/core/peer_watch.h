/* SPDX-License-Identifier: MIT
 *
 * The server's side of watching a tunnel: probes, what else tells of its clock, and the events
 * about it. Internal to the core.
 */
#ifndef OVPNWATCH_CORE_PEER_WATCH_H
#define OVPNWATCH_CORE_PEER_WATCH_H

#include "core/watch.h"
#include "proto/log_text.h"
#include "proto/management.h"

/* Takes EVENT_PROBE, EVENT_PEER_LINK, EVENT_PEER_LINE, EVENT_PEER_SNTP, EVENT_ECHO, EVENT_ROUTE and
 * EVENT_OTHER_REMOTE. */
void peer_watch_event(struct watch *w, const struct event *e, struct actions *out);

/* A notification of the client's daemon that may tell of the server's clock: ECHO, PASSWORD.
 * `since` is as in struct event. */
void peer_watch_notification(struct watch *w, struct tunnel *t, const struct management_message *m,
			     const struct stamp *since, const struct stamp *at,
			     struct actions *out);

/* The tunnel restarted or ended: is the server there? */
void peer_watch_restarted(struct tunnel *t, const struct stamp *at);

/* The client is CONNECTED: what the server told before is taken, and it is measured anew. */
void peer_watch_came_up(struct watch *w, struct tunnel *t, const struct stamp *at,
			struct actions *out);

/* A line of the client's log that may: LOG_REPLAY. */
void peer_watch_log(struct watch *w, struct tunnel *t, const struct log_fact *fact,
		    const struct stamp *at, struct actions *out);

/* This machine's clock was set, or is told by another source. */
void peer_watch_local_changed(struct watch *w);

/* This machine slept: the servers' clocks are measured anew. */
void peer_watch_slept(struct watch *w, const struct stamp *now);

/* Sends, asks and tells what is due. The deadline is on the monotonic clock. */
void peer_watch_time(struct watch *w, struct tunnel *t, const struct stamp *now,
		     struct actions *out);
nsec peer_watch_deadline(const struct tunnel *t);

#endif
