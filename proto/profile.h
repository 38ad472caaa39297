/* SPDX-License-Identifier: MIT
 *
 * An OpenVPN client configuration (.ovpn, .conf): the options that say whom to probe and how, and
 * what the timers are. Words are split and unquoted as OpenVPN does (options.c parse_line,
 * read_config_file): spaces, single and double quotes, backslash escapes outside single quotes,
 * comments with # and ;, inline files between <tag> and </tag>, a UTF-8 BOM, CRLF.
 *
 * Options that are not about this are skipped, known or not: the file is OpenVPN's to judge. An
 * option that is about this and broken is an error with its line. Not followed: `config FILE`.
 */
#ifndef OVPNWATCH_PROTO_PROFILE_H
#define OVPNWATCH_PROTO_PROFILE_H

#include "proto/control_channel.h"
#include "proto/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define PROFILE_REMOTES_MAX 64
#define PROFILE_NAME_MAX    256
#define PROFILE_PATH_MAX    1024

enum profile_proto { PROTO_UDP, PROTO_UDP4, PROTO_UDP6, PROTO_TCP, PROTO_TCP4, PROTO_TCP6 };

bool profile_proto_is_tcp(enum profile_proto proto);

struct profile_remote {
	char host[PROFILE_NAME_MAX];
	uint16_t port; /* resolved: the remote's own, else `port`/`rport`, else 1194 */
	enum profile_proto proto;
};

struct profile {
	struct profile_remote remotes[PROFILE_REMOTES_MAX];
	size_t n_remotes; /* in the file's order; more than fit are counted in `more_remotes` */
	/* Also counted: <connection> blocks under another key than that of the first remote, since
	 * a probe under the key of this profile would not be answered there. */
	size_t more_remotes;
	enum control_wrap wrap;
	bool key_inline;
	struct slice key_text;		 /* inline key: a slice of the file's text */
	char key_file[PROFILE_PATH_MAX]; /* else its name as written; relative to the profile */
	enum key_direction direction;
	char auth[32]; /* as written, e.g. "SHA256"; "SHA1" by default */
	int64_t ping, ping_restart, ping_exit, reneg_sec; /* seconds; -1: not in the file */
	bool pull; /* `client` or `pull`: the server may push timers */
	bool explicit_exit_notify;
	bool proxy;	      /* http-proxy or socks-proxy: the server cannot be probed */
	bool static_key_mode; /* `secret`: there is no control channel that could be probed */
	bool management_client, management_hold, management_signal, management_forget_disconnect;
	char
	    management[PROFILE_PATH_MAX]; /* as ADDR: "127.0.0.1:7505", "unix:/run/x.sock"; or "" */
	/* As written; "stdin" means that OpenVPN asks for it. */
	char management_password_file[PROFILE_PATH_MAX];
};

struct profile_error {
	unsigned line; /* 1-based */
	char message[160];
};

/* Reads the text of a profile. True: *out is filled in (slices point into `text`). False: *error
 * says where and why; *out is untouched. */
bool profile_parse(struct slice text, struct profile *out, struct profile_error *error)
    __attribute__((warn_unused_result));

#endif
