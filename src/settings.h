/* SPDX-License-Identifier: MIT
 *
 * What the user wants: of the whole program, and of each tunnel. The same settings can be given on
 * the command line (--name VALUE) and in the configuration file (name = value); one table says what
 * they are called, and both read, print and compare them through it.
 *
 * Happy path: settings_init(), settings_set() for each that is given, settings_finish(). Failure
 * modes: a value that cannot be (the error says what can); a tunnel of which it is not said where
 * it is, or two of one name (settings_finish() names it, and its line).
 */
#ifndef OVPNWATCH_SETTINGS_H
#define OVPNWATCH_SETTINGS_H

#include "core/local_clock.h"
#include "sink/format.h"

#include <stdbool.h>
#include <stddef.h>

#define OFFSET_LIMIT_DEFAULT 1.0
#define NAME_MAX_BYTES	     64
#define DISCOVER_MAX	     16

/* A flag that a tunnel does not have may come from the defaults. */
enum flag { FLAG_UNSET, FLAG_NO, FLAG_YES };

/* Owned strings. */
struct text_list {
	char **items;
	unsigned n;
};

/* All strings are owned; what was not given is NULL, empty or FLAG_UNSET. */
struct tunnel_settings {
	char *name;
	char *management;
	char *management_password_file;
	char *profile;
	char *log;
	char *peer_ntp;
	char *peer_management;
	char *peer_management_password_file;
	struct text_list relay;
	struct text_list relay_readonly;
	char *relay_password_file;
	char *relay_group;
	enum flag relay_allow_remote;
	enum flag release_hold;
	enum flag no_probe;
	unsigned line; /* of the configuration file; 0: the command line */
};

struct settings {
	char *output; /* NULL: standard output */
	enum output_format format;
	struct text_list ntp;
	double offset_limit_s;
	enum flag verbose;
	struct text_list discover;	 /* globs of management sockets */
	struct tunnel_settings defaults; /* of every tunnel; "{name}" stands for its name */
	struct tunnel_settings *tunnels;
	unsigned n_tunnels;
};

enum setting_kind {
	SETTING_TEXT,
	SETTING_LIST, /* may be given more than once */
	SETTING_FLAG,
	SETTING_FORMAT,
	SETTING_LIMIT,
};

struct setting {
	const char *name;
	enum setting_kind kind;
	bool of_tunnel;
	size_t at; /* in struct tunnel_settings or struct settings */
};

extern const struct setting settings_table[];
extern const size_t settings_count;

/* NULL: there is none of that name. */
const struct setting *setting_find(const char *name);

void settings_init(struct settings *s);
void settings_free(struct settings *s);

/* Another tunnel, with nothing said of it yet; valid until the next call. NULL: no memory. */
struct tunnel_settings *settings_add_tunnel(struct settings *s, unsigned line);

/* Sets what `what` is; a text that was set is replaced, a list gets longer. `t`: the tunnel that is
 * meant (or &s->defaults), for those that are of one. False: `error` says what the value can be,
 * without naming the setting. */
bool settings_set(struct settings *s, struct tunnel_settings *t, const struct setting *what,
		  const char *value, char *error, size_t error_size)
    __attribute__((warn_unused_result));

/* Takes what a tunnel does not say from the defaults. False: no memory. */
bool settings_inherit(const struct settings *s, struct tunnel_settings *t)
    __attribute__((warn_unused_result));

/* After all is set: the defaults are taken over by all tunnels, and what cannot be is found. False:
 * `error` has one line, and *line is where (0: on the command line). */
bool settings_finish(struct settings *s, unsigned *line, char *error, size_t error_size)
    __attribute__((warn_unused_result));

/* Whether both are watched in the same way; their lines do not count. */
bool tunnel_settings_equal(const struct tunnel_settings *a, const struct tunnel_settings *b);
/* Whether what is of the whole program is the same. */
bool settings_equal_but_tunnels(const struct settings *a, const struct settings *b);
void tunnel_settings_free(struct tunnel_settings *t);
/* A deep copy. False: no memory, and nothing is left behind. */
bool tunnel_settings_copy(struct tunnel_settings *out, const struct tunnel_settings *from)
    __attribute__((warn_unused_result));

#endif
