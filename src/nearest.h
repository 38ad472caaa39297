/* SPDX-License-Identifier: MIT
 *
 * What somebody may have meant who wrote a word that is none of ours.
 */
#ifndef OVPNWATCH_NEAREST_H
#define OVPNWATCH_NEAREST_H

#include <stddef.h>

/* The one of `words` that is obviously meant: the only one that begins with `word` or has it as a
 * part, or else the only one that is the fewest mistakes away (a letter too much, too few, or
 * another; `-` for `_` and capitals are none), if these are no more than a third of its letters.
 * NULL: none is, or two are. The result is one of `words`. */
const char *nearest(const char *word, const char *const *words, size_t n);

#endif
