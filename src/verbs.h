/* SPDX-License-Identifier: MIT
 *
 * The verbs of the command line, a file each. Each says on stderr what kept it from its work and
 * returns the exit status of the process.
 */
#ifndef OVPNWATCH_VERBS_H
#define OVPNWATCH_VERBS_H

#include "core/names.h"
#include "options.h"

/* `clock` and `probe`: the clock is not known well enough for a verdict. */
#define EXIT_UNKNOWN 3

int exit_status_of_options(enum options_result result);

/* `clock` and `probe`: the exit status that says the verdict. */
int exit_status_of(enum clock_verdict verdict);

/* argc and argv are what *o was made from: a reload makes it anew. */
int verb_watch(const struct options *o, int argc, char **argv);
int verb_replay(const struct options *o);
int verb_probe(const struct options *o);
int verb_clock(const struct options *o);
int verb_explain(const struct options *o);

/* Writes to standard output. Returns EXIT_SUCCESS, or complains and returns EX_IOERR. */
int print(const char *text);

/* Writes "ovpnwatch: …" and a newline to stderr and returns `status`. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
