/* SPDX-License-Identifier: MIT
 *
 * The command line. What can also stand in the configuration file is read into the settings
 * (settings.h), over those of the file that --config names.
 */
#ifndef OVPNWATCH_OPTIONS_H
#define OVPNWATCH_OPTIONS_H

#include "proto/profile.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>

#define PROBE_COUNT_DEFAULT    12
#define PROBE_COUNT_MAX	       64
#define PROBE_INTERVAL_DEFAULT 0.75
#define PROBE_INTERVAL_MIN     0.4
#define PROBE_INTERVAL_MAX     60.0

enum verb {
	VERB_WATCH,
	VERB_REPLAY,
	VERB_PROBE,
	VERB_CLOCK,
	VERB_EXPLAIN,
	VERB_HELP,
	VERB_VERSION
};

/* All strings but those of the settings are those of argv. What was not given is NULL. */
struct options {
	enum verb verb;
	enum verb help_of; /* VERB_HELP: of which */
	struct settings settings;
	const char *config; /* the configuration file */
	bool check_config, print_config;
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

enum options_result {
	OPTIONS_FINE,
	OPTIONS_MISUSED,	   /* the command line is wrong */
	OPTIONS_CONFIG_UNREADABLE, /* the configuration file may not or cannot be read */
	OPTIONS_CONFIG_WRONG,	   /* the configuration file is wrong */
};

/* Reads the configuration file too, if one is named. Unless OPTIONS_FINE, `error` says what is
 * wrong and what to do about it. argv is left as it is; options_free() has to follow either way. */
enum options_result options_parse(int argc, char **argv, struct options *out, char *error,
				  size_t error_size) __attribute__((warn_unused_result));
void options_free(struct options *o);

/* What is said of the one tunnel that the verb is about; nothing, if nothing was. Borrowed. */
const struct tunnel_settings *options_tunnel(const struct options *o);

/* What --help prints behind this verb, or none: one screen. (options_help.c) */
const char *options_help(enum verb of);

#endif
