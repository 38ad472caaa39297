/* SPDX-License-Identifier: MIT
 *
 * What OpenVPN said lately, where it is heard twice: at the management interface and from the log
 * file. Both are told the same texts (OpenVPN error.c x_msg_va gives each line to the one and then
 * to the other), so a text that came from the one is the same event when it comes from the other.
 *
 * Happy path: for each text, said_again(); if it is not said again, count it and said_note() it.
 * Failure modes: a text comes from one of them only (it is forgotten after SAID_LASTS); so many at
 * once that the older ones are forgotten too early (they may be counted twice); OpenVPN itself says
 * the same text twice (each is used up by one repetition).
 */
#ifndef OVPNWATCH_CORE_SAID_H
#define OVPNWATCH_CORE_SAID_H

#include "proto/nsec.h"
#include "proto/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* A log file may be read late: a slow poll, a busy pipe. */
#define SAID_LASTS (10 * NSEC_PER_SEC)
#define SAID_MAX   16

enum said_by { SAID_BY_MANAGEMENT, SAID_BY_LOG };

struct said_text {
	uint64_t digest; /* 0: none */
	enum said_by by;
	nsec mono;
};

/* All zero to begin with. */
struct said {
	struct said_text texts[SAID_MAX];
	unsigned next;
};

/* Whether the other one said it before; that is used up then. */
bool said_again(struct said *s, enum said_by by, struct slice text, nsec mono);

/* Remembers it for when the other one says it. */
void said_note(struct said *s, enum said_by by, struct slice text, nsec mono);

#endif
