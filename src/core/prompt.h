/* SPDX-License-Identifier: MIT
 *
 * A daemon that is stopped until somebody answers: at a hold, a password, a question, a signature
 * (OpenVPN manage.c, each place that sets persist.special_state_msg and waits in
 * man_standalone_ok loops). While it waits it neither reads nor sends anything, and no clock, path
 * or server is to blame. OpenVPN says the prompt again to a management client that comes later.
 *
 * Happy path: a prompt comes, it lasts longer than a person needs who sits in front of it
 * (`waiting_for_user` fires), OpenVPN goes on: a state or a byte count comes (resolved). Nothing is
 * ever answered, but a hold where the user gave --release-hold. Failure modes: the prompt is
 * followed by another (updated); the connection or the daemon ends (resolved).
 */
#ifndef OVPNWATCH_CORE_PROMPT_H
#define OVPNWATCH_CORE_PROMPT_H

#include "core/alerts.h"
#include "proto/management.h"

#include <stdbool.h>

struct actions;
struct tunnel;

/* So long a person at the keyboard may take. */
#define PROMPT_PATIENCE (10 * NSEC_PER_SEC)

struct prompt {
	bool open;
	bool changed; /* since the alert last said so */
	enum management_kind kind;
	char what[48]; /* of the daemon's words: whose password, which question; "" */
	struct stamp since;
};

/* Takes a live notification: a prompt begins, or one is over, for the daemon went on. */
void prompt_notification(struct prompt *p, const struct management_message *m,
			 const struct stamp *at);

/* The daemon, or the connection to it, ended. */
void prompt_over(struct prompt *p);

/* Releases a hold where that was asked for, and tells of a prompt that nobody answers. */
void prompt_apply(struct tunnel *t, const struct stamp *now, struct actions *out);

/* Mono: when to tell; NSEC_NEVER. */
nsec prompt_deadline(const struct tunnel *t);

#endif
