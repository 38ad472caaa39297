/* SPDX-License-Identifier: MIT
 *
 * Of an NTP server that the user named and that never answers: a line on standard error, once. A
 * mistyped name must not pass for a source that has nothing to say.
 *
 * Happy path: it answers, and nothing is said, then or ever. Failure mode: a server that is reached
 * through the tunnel only has no answer before that is up; so it is the third failure that counts.
 */
#ifndef OVPNWATCH_IO_NAMED_SOURCE_H
#define OVPNWATCH_IO_NAMED_SOURCE_H

#include <stdbool.h>

#define NAMED_SOURCE_MISSES 3

struct named_source {
	const char *option, *name; /* "--ntp", and as the user wrote it; borrowed */
	unsigned missed;
	bool done; /* it has answered, or the line was written */
};

/* What became of a question. `reason` is for a person; NULL: just no answer. */
void named_source_note(struct named_source *s, bool answered, const char *reason);

#endif
