/* SPDX-License-Identifier: MIT
 *
 * The management interface of OpenVPN: bytes to lines to messages (OpenVPN
 * doc/management-notes.txt, src/openvpn/manage.c). Nothing here allocates, knows a socket or
 * remembers a conversation: whether a plain line is the history that a command asked for is known
 * to who sent the command.
 *
 * Happy path: bytes come in pieces of any size, management_framer_next() gives each line once,
 * management_parse() says what it is.
 * Failure modes: a line without end (more than MANAGEMENT_LINE_MAX bytes: dropped to its end and
 * counted); a prompt without a newline ("ENTER PASSWORD:" is handed out as soon as it is there);
 * a known notification with a broken payload (VERDICT_INVALID, the caller keeps the line);
 * unknown notifications (kept as such).
 */
#ifndef OVPNWATCH_PROTO_MANAGEMENT_H
#define OVPNWATCH_PROTO_MANAGEMENT_H

#include "proto/openvpn_words.h"
#include "proto/slice.h"
#include "proto/verdict.h"

#include <stdbool.h>
#include <stdint.h>

#define MANAGEMENT_LINE_MAX 65536

/* Cuts a byte stream into lines. Set up by management_framer_init; all fields are private but
 * `dropped`. The buffer is the caller's and must outlive the framer; only as much of it is touched
 * as the longest line that arrived in pieces. */
struct management_framer {
	char *buf;
	size_t size;
	size_t have;
	bool handed_out; /* buf holds a line that the caller has seen */
	bool held_cr;	 /* the torn line's last byte so far was a CR, not in buf */
	bool dropping;
	uint64_t dropped; /* lines dropped because they were too long */
};

/* `size` bytes at `buf` (1 to MANAGEMENT_LINE_MAX) are the longest line, without its CR LF. `buf`
 * may be NULL as long as each input ends with a line's end; one is lent before the first that does
 * not. */
void management_framer_init(struct management_framer *f, char *buf, size_t size);

/* `buf` of the same size from now on, or NULL. Only while management_framer_empty(). */
static inline void management_framer_lend(struct management_framer *f, char *buf)
{
	f->buf = buf;
}

/* Takes bytes off the front of *in. VERDICT_DONE: *line is the next line without CR LF, valid until
 * the next call or until the bytes of *in go away. VERDICT_MORE: *in is used up. Call again until
 * it says MORE. Never VERDICT_INVALID. */
MUST_USE enum verdict management_framer_next(struct management_framer *f, struct slice *in,
					     struct slice *line);

/* Nothing is held back: the next line begins with the next byte. */
static inline bool management_framer_empty(const struct management_framer *f)
{
	return (f->have == 0 || f->handed_out) && !f->held_cr && !f->dropping;
}

enum management_kind {
	MANAGEMENT_TEXT,    /* a line of a multi-line reply, history included */
	MANAGEMENT_SUCCESS, /* text: what follows "SUCCESS: " */
	MANAGEMENT_ERROR,   /* text: what follows "ERROR: " */
	MANAGEMENT_END,	    /* "END" */
	MANAGEMENT_PROMPT,  /* "ENTER PASSWORD:" */
	MANAGEMENT_INFO,
	MANAGEMENT_INFOMSG,
	MANAGEMENT_STATE,
	MANAGEMENT_LOG,
	MANAGEMENT_ECHO,
	MANAGEMENT_BYTECOUNT,
	MANAGEMENT_BYTECOUNT_CLI,
	MANAGEMENT_HOLD,
	MANAGEMENT_FATAL,
	MANAGEMENT_PASSWORD,
	MANAGEMENT_NEED_OK,
	MANAGEMENT_NEED_STR,
	MANAGEMENT_NEED_CERTIFICATE,
	MANAGEMENT_PK_SIGN,
	MANAGEMENT_RSA_SIGN,
	MANAGEMENT_REMOTE,
	MANAGEMENT_PROXY,
	MANAGEMENT_CLIENT,
	MANAGEMENT_UPDOWN,
	MANAGEMENT_NOTIFY,
	MANAGEMENT_PKCS11ID_COUNT,
	MANAGEMENT_PKCS11ID_ENTRY,
	MANAGEMENT_UNKNOWN, /* ">WORD:…" or any other line that begins with '>' */
};

/* ">STATE:" and the lines of `state all` (manage.c log_entry_print). 5 fields before 2.4, 8 after,
 * 9 with a tunnel IPv6 address. A field that is not there, or "[undef]", is an empty slice. */
struct management_state {
	uint64_t time; /* the daemon's `now`, epoch seconds: not the wall clock (openvpn otime.c) */
	struct slice name;
	enum openvpn_state state;
	struct slice detail;
	enum restart_reason reason; /* of the detail, for RECONNECTING and EXITING */
	struct slice local_ip, remote_ip;
	uint16_t remote_port; /* 0: not given */
	struct slice source_ip;
	uint16_t source_port;
	struct slice local_ip6;
};

/* ">LOG:" and the lines of `log all`: `time,flags,text`. */
struct management_log {
	uint64_t time;
	struct slice flags; /* of I F N W D; may be empty */
	struct slice text;
};

enum password_kind { PASSWORD_NEED, PASSWORD_FAILED, PASSWORD_AUTH_TOKEN, PASSWORD_OTHER };

struct management_password {
	enum password_kind kind;
	struct slice type;   /* 'Auth', 'Private Key', … */
	bool wants_user;     /* "username/password" */
	bool challenge;	     /* a static challenge "SC:f,text" follows */
	bool challenge_echo; /* its flag bit 0: the answer may be shown */
	struct slice text;   /* the challenge's text, the reason of a failure, or the token */
};

enum client_kind {
	CLIENT_CONNECT,
	CLIENT_REAUTH,
	CLIENT_ESTABLISHED,
	CLIENT_DISCONNECT,
	CLIENT_ADDRESS,
	CLIENT_CR_RESPONSE,
	CLIENT_ENV,
	CLIENT_ENV_END,
	CLIENT_OTHER
};

/* One line of a ">CLIENT:" block. cid and kid are UINT64_MAX where the line has none. */
struct management_client {
	enum client_kind kind;
	uint64_t cid, kid;
	struct slice key, value; /* CLIENT_ENV: k=v; CLIENT_ADDRESS: address in key, primary in
				    value; CLIENT_CR_RESPONSE: the response in value */
};

struct management_message {
	enum management_kind kind;
	struct slice line; /* all of it */
	struct slice word; /* of a notification: what stands between '>' and ':' */
	struct slice text; /* what follows the keyword */
	union {
		struct management_state state;
		struct management_log log;
		struct {
			uint64_t time;
			struct slice text;
		} echo;
		struct {
			uint64_t in, out;
		} bytecount; /* received and sent link bytes since the daemon began */
		struct {
			uint64_t cid, in, out;
		} bytecount_cli;
		struct {
			int64_t seconds; /* -1: not said (before 2.4) */
		} hold;
		struct {
			unsigned version; /* of the interface; 0 if it is not said */
		} info;
		struct management_password password;
		struct management_client client;
		struct {
			bool up;
			bool env, env_end; /* ">UPDOWN:ENV,…": key and value, or the end */
			struct slice key, value;
		} updown;
		struct {
			struct slice severity, type, text;
		} notify;
		struct {
			struct slice host, proto;
			uint16_t port;
		} remote;
		struct {
			struct slice name, message; /* ">NEED-OK:Need 'name' … MSG:message" */
		} need;
		struct {
			struct slice data, algorithm;
		} sign;
	} u;
};

/* What a line is. VERDICT_INVALID: a notification of a known kind whose payload is broken.
 * Slices point into `line`. Never VERDICT_MORE. */
MUST_USE enum verdict management_parse(struct slice line, struct management_message *out);

/* The payload alone, for the history lines of `state all` and `log all`, which come without '>'. */
MUST_USE enum verdict management_parse_state(struct slice payload, struct management_state *out);
MUST_USE enum verdict management_parse_log(struct slice payload, struct management_log *out);

#endif
