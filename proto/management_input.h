/* SPDX-License-Identifier: MIT
 *
 * The other direction of the management interface: what a client of it sends, as OpenVPN reads it
 * (manage.c man_read, command_line_add): what is not printable is dropped, a line that does not fit
 * is forgotten, and a line ends at its newline.
 *
 * Happy path: bytes come in pieces of any size, management_input_next() gives each line once.
 * Failure modes: a line without end (forgotten each time that the buffer is full, as OpenVPN does);
 * a browser that was sent here by a hostile page (VERDICT_INVALID at its first word, so that not
 * even a line that was torn to fit is taken for a command).
 */
#ifndef OVPNWATCH_PROTO_MANAGEMENT_INPUT_H
#define OVPNWATCH_PROTO_MANAGEMENT_INPUT_H

#include "proto/slice.h"
#include "proto/verdict.h"

#define MANAGEMENT_COMMAND_MAX 1023 /* without the newline: manage.c command_line_new(1024) */

/* All zero before the first call; all fields are private. */
struct management_input {
	char line[MANAGEMENT_COMMAND_MAX];
	size_t n;
	bool handed_out; /* the caller has seen the line */
};

/* Takes bytes off the front of *in. VERDICT_DONE: *line is the next line (it may be empty), valid
 * until the next call. VERDICT_MORE: *in is used up. VERDICT_INVALID: that is HTTP; hang up. */
MUST_USE enum verdict management_input_next(struct management_input *m, struct slice *in,
					    struct slice *line);

/* A line may have been a password. */
void management_input_wipe(struct management_input *m);

#endif
