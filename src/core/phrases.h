/* SPDX-License-Identifier: MIT
 *
 * Figures in the words of a person: "4 min 0 s", "12.3 s", "7.000 s ahead".
 */
#ifndef OVPNWATCH_CORE_PHRASES_H
#define OVPNWATCH_CORE_PHRASES_H

#include "proto/nsec.h"

#define PHRASE_MAX 48

struct phrase {
	char text[PHRASE_MAX];
};

/* "4 ms", "0.4 s", "12.3 s", "4 min 0 s", "2 h 5 min", "3 d 4 h"; "an unknown time". */
struct phrase phrase_duration(nsec d);

/* The size of an offset and its sign in words, to be followed by what it is measured against:
 * "7.000 s ahead of", "0.4 s behind". */
struct phrase phrase_offset(double offset_s, double max_error_s);

/* "+/- 4 ms", "+/- 0.5 s". */
struct phrase phrase_bound(double max_error_s);

/* As many digits as the bound supports: "7.000 s". */
struct phrase phrase_seconds(double s, double max_error_s);

#endif
