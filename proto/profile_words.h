/* SPDX-License-Identifier: MIT
 *
 * One line of an OpenVPN configuration as words (the rules of OpenVPN options.c parse_line, which
 * the management interface has too): white space separates; "…" and '…' keep it together; outside
 * '…' a backslash takes the meaning from a space, a quote or a backslash, and stands before nothing
 * else; # and ; at the start of a word begin a comment.
 */
#ifndef OVPNWATCH_PROTO_PROFILE_WORDS_H
#define OVPNWATCH_PROTO_PROFILE_WORDS_H

#include "proto/slice.h"

#define WORDS_MAX      16   /* OpenVPN's MAX_PARMS; further words are dropped unread, as there */
#define WORDS_LINE_MAX 255  /* OpenVPN's OPTION_LINE_SIZE - 1: the newline counts */
#define WORDS_TEXT_MAX 1023 /* a command of the management interface is longer than that */

/* The words are slices of `text`: valid as long as this struct stands where it is. */
struct words {
	unsigned n;
	struct slice word[WORDS_MAX];
	char text[WORDS_TEXT_MAX];
};

/* Splits a line, given with its newline if it has one; it ends at a NUL byte at the latest. An
 * empty line or a comment has no words. Returns NULL, or what is wrong with the line, for a person
 * (a literal); *out is then not to be used. */
const char *words_split(struct slice line, struct words *out) __attribute__((warn_unused_result));

/* C's isspace() without a locale. */
static inline bool words_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
