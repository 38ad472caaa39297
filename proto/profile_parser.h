/* SPDX-License-Identifier: MIT
 *
 * What the two halves of the profile reader share; nobody else includes it. profile.c has lines,
 * inline blocks and what the options mean together; profile_options.c what each option means.
 */
#ifndef OVPNWATCH_PROTO_PROFILE_PARSER_H
#define OVPNWATCH_PROTO_PROFILE_PARSER_H

#include "proto/profile.h"
#include "proto/profile_words.h"

/* What `port`, `proto` and a `remote`'s own words say of an address; 0 where they say nothing. The
 * family stays when a later `proto` word does not name one: `proto udp6` and `remote h 1194 udp`
 * are udp6 together. */
struct profile_endpoint {
	uint16_t port;
	enum { ANY_TRANSPORT, UDP, TCP } transport;
	enum { ANY_FAMILY, V4, V6 } family;
};

/* How the control channel is wrapped, as the options at the top or in one <connection> block say.
 */
struct profile_key {
	enum control_wrap wrap;
	bool is_inline;
	struct slice text;
	char file[WORDS_LINE_MAX + 1];
	enum key_direction direction;
};

/* Which key a remote is reached under. */
enum profile_key_owner { KEY_OF_PROFILE, KEY_OF_BLOCK, KEY_OF_ANOTHER_BLOCK };

struct profile_parser {
	struct slice rest; /* lines that are not read yet */
	unsigned line;	   /* of what is being read */
	struct profile_error *error;
	struct profile p;
	struct profile_endpoint own[PROFILE_REMOTES_MAX]; /* what each remote says for itself */
	enum profile_key_owner owner[PROFILE_REMOTES_MAX];
	struct profile_endpoint base; /* `port` and `proto` at the top */
	struct profile_key key, block_key;
	bool blocks; /* there is a <connection>: then remotes at the top do not count */

	bool in_block; /* and what it has said so far: */
	bool block_has_remote;
	char block_host[PROFILE_NAME_MAX];
	struct profile_endpoint block_base;
	struct profile_key this_key;
};

struct profile_option {
	const char *name;
	unsigned least, most; /* words behind the name */
	bool in_block;	      /* may stand in a <connection> block */
	bool (*read)(struct profile_parser *p, const struct words *w);
	const char *usage;
};

/* The option of this name, or NULL if it is not about us or may not stand here. */
const struct profile_option *profile_option_find(struct slice name, bool in_block);

/* Adds a remote, or counts it if there is no room. */
void profile_add_remote(struct profile_parser *p, struct slice host, struct profile_endpoint own,
			enum profile_key_owner owner);

/* An inline block <tag>: takes it if it is one of a key. */
bool profile_inline_key(struct profile_parser *p, struct slice tag, struct slice text);

/* Says what is wrong with the line that is being read. Always false, for `return …fail(…)`. */
bool profile_fail(struct profile_parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define SHOWN(slice) (int)(slice).n, (slice).p /* for %.*s; words are at most 255 bytes */

#endif
