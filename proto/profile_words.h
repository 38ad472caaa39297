/* SPDX-License-Identifier: MIT
 *
 * A configuration file of OpenVPN as lines of words (OpenVPN options_parse.c parse_line,
 * read_inline_file): quotes, escapes, comments and inline files. Internal to proto/profile.c.
 */
#ifndef OVPNWATCH_PROTO_PROFILE_WORDS_H
#define OVPNWATCH_PROTO_PROFILE_WORDS_H

#include "proto/slice.h"

#define PROFILE_WORDS_MAX 16 /* MAX_PARMS of OpenVPN */
#define PROFILE_LINE_MAX                                                        \
	256 /* OPTION_LINE_SIZE of OpenVPN; a longer line is an error there too \
	     */

struct profile_words {
	unsigned n;
	const char *word[PROFILE_WORDS_MAX]; /* in `buf` */
	bool has_inline;		     /* <option> … </option> */
	struct slice inline_text;	     /* borrowed from the file's text */
	char buf[PROFILE_LINE_MAX + PROFILE_WORDS_MAX + 1];
};

enum profile_line { PROFILE_LINE, PROFILE_END, PROFILE_WRONG };

/* Takes the next line that is not empty off the front of *text and counts *line on to it. An inline
 * file is one line of two words, "option" and "[inline]". PROFILE_WRONG: *wrong says why. */
enum profile_line profile_words_next(struct slice *text, unsigned *line, struct profile_words *out,
				     const char **wrong);

#endif
