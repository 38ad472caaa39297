/* SPDX-License-Identifier: MIT
 *
 * The command line.
 */
#ifndef OVPNWATCH_OPTIONS_H
#define OVPNWATCH_OPTIONS_H

#include "core/local_clock.h"
#include "proto/profile.h"
#include "sink/format.h"

#include <stdbool.h>
#include <stddef.h>

#define PROBE_COUNT_DEFAULT    12
#define PROBE_COUNT_MAX	       64
#define PROBE_INTERVAL_DEFAULT 0.75
#define PROBE_INTERVAL_MIN     0.4
#define PROBE_INTERVAL_MAX     60.0
#define NAME_MAX_BYTES	       64

enum verb {
	VERB_WATCH,
	VERB_REPLAY,
	VERB_PROBE,
	VERB_CLOCK,
	VERB_EXPLAIN,
	VERB_HELP,
	VERB_VERSION
};

/* All strings are those of argv. What was not given is NULL. */
struct options {
	enum verb verb;
	const char *name;
	const char *management;
	const char *password_file;
	const char *profile;
	const char *peer_ntp;
	const char *peer_management;
	const char *peer_password_file;
	const char *ntp[NTP_SERVERS_MAX];
	unsigned n_ntp;
	bool no_probe;
	bool verbose;
	enum output_format format;
	const char *output;
	double offset_limit_s;
	unsigned count; /* probe */
	double interval_s;
	const char *remote;
	enum profile_proto proto;
	enum control_wrap wrap; /* which of --tls-auth, --tls-crypt, --tls-crypt-v2 was given */
	const char *key;	/* its file */
	int key_direction;	/* 0, 1; -1: none was given */
	const char *auth;
	const char *recording; /* replay: a file, or "-" */
	const char *cause;     /* explain: its word, as it was written; NULL: all of them */
};

/* False: `error` says what is wrong and what to do about it. argv is left as it is. */
bool options_parse(int argc, char **argv, struct options *out, char *error, size_t error_size)
    __attribute__((warn_unused_result));

/* What --help prints: one screen. */
const char *options_help(void);

#endif
