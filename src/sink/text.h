/* SPDX-License-Identifier: MIT
 *
 * A notice as a person reads it: one line an event, and under an alert its causes, with the
 * evidence for and against each and the remedy. Whatever came from outside is escaped: no byte of
 * it reaches the terminal as a control character.
 */
#ifndef OVPNWATCH_SINK_TEXT_H
#define OVPNWATCH_SINK_TEXT_H

#include "core/notice.h"

#include <stdbool.h>
#include <stddef.h>

#define TEXT_BLOCK_MAX 32768

struct text_style {
	bool colour;	   /* ANSI colours; never without a terminal that wants them */
	unsigned width;	   /* columns to wrap at; 0: do not wrap */
	long utc_offset_s; /* local time minus UTC, for the stamps */
};

/* Writes one or more whole lines, not terminated. Returns the length, never 0. */
size_t text_block(const struct notice *n, const struct text_style *style, char out[TEXT_BLOCK_MAX]);

#endif
