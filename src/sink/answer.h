/* SPDX-License-Identifier: MIT
 *
 * The answer of a verb that asks once (`clock`, `probe`), laid out to be read: a row a fact, what
 * is not known left out, the verdict last.
 */
#ifndef OVPNWATCH_SINK_ANSWER_H
#define OVPNWATCH_SINK_ANSWER_H

#include "sink/text.h"

/* For a notice whose answer_limit_s is a number. Returns the length, never 0; not terminated. */
size_t answer_block(const struct notice *n, const struct text_style *style,
		    char out[TEXT_BLOCK_MAX]);

#endif
