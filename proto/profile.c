/* SPDX-License-Identifier: MIT
 *
 * An option is a word that begins a line; what it wants is in one table. What the table does not
 * know is OpenVPN's business, and is skipped with its inline file if it has one.
 */
#include "proto/profile.h"
#include "proto/profile_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_DEFAULT 1194
#define SECONDS_MAX  (10 * 366 * 24 * 3600)

/* A remote as written: what it does not say itself comes from `port` and `proto`, wherever they
 * stand. */
struct raw_remote {
	uint16_t port; /* 0: not said */
	int proto;     /* -1: not said */
};

struct reader {
	struct profile p;
	struct raw_remote raw[PROFILE_REMOTES_MAX];
	uint16_t port;
	int proto;
	bool in_connection;
	size_t connection_first; /* of the remotes of the <connection> block */
	uint16_t connection_port;
	int connection_proto;
	struct profile_words words;
	unsigned line;
	struct profile_error *error;
};

static bool fail(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct reader *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(r->error->message, sizeof r->error->message, format, args);
	va_end(args);
	r->error->line = r->line;
	return false;
}

static const char *word(const struct reader *r, unsigned i)
{
	return i < r->words.n ? r->words.word[i] : "";
}

static bool copy(struct reader *r, char *to, size_t size, const char *from)
{
	if (strlen(from) >= size)
		return fail(r, "`%.40s`: the value is too long (%zu characters at most)",
			    word(r, 0), size - 1);
	memcpy(to, from, strlen(from) + 1);
	return true;
}

static bool number(struct reader *r, unsigned i, int64_t max, int64_t *out)
{
	uint64_t value = 0;
	if (!slice_to_u64(slice_from(word(r, i)), &value) || value > (uint64_t)max)
		return fail(r, "`%.40s %.40s`: a whole number from 0 to %lld is wanted", word(r, 0),
			    word(r, i), (long long)max);
	*out = (int64_t)value;
	return true;
}

static bool read_port(struct reader *r, unsigned i, uint16_t *out)
{
	int64_t value = 0;
	if (!number(r, i, UINT16_MAX, &value))
		return false;
	if (value == 0)
		return fail(r, "`%.40s`: port 0 is not a port", word(r, 0));
	*out = (uint16_t)value;
	return true;
}

/* socket.c proto_names; the -client forms say which end of TCP this is. */
static bool read_proto(struct reader *r, unsigned i, int *out)
{
	static const struct {
		const char *name;
		enum profile_proto proto;
	} names[] = {
	    {"udp", PROTO_UDP},	       {"udp4", PROTO_UDP4},	    {"udp6", PROTO_UDP6},
	    {"tcp", PROTO_TCP},	       {"tcp4", PROTO_TCP4},	    {"tcp6", PROTO_TCP6},
	    {"tcp-client", PROTO_TCP}, {"tcp4-client", PROTO_TCP4}, {"tcp6-client", PROTO_TCP6},
	    {"tcp-server", PROTO_TCP}, {"tcp4-server", PROTO_TCP4}, {"tcp6-server", PROTO_TCP6},
	};
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		if (strcmp(names[k].name, word(r, i)) != 0)
			continue;
		*out = (int)names[k].proto;
		return true;
	}
	return fail(r, "`%.40s`: OpenVPN knows udp, udp4, udp6, tcp, tcp4 and tcp6", word(r, i));
}

static bool read_direction(struct reader *r, unsigned i)
{
	if (strcmp(word(r, i), "0") == 0)
		r->p.direction = KEY_NORMAL;
	else if (strcmp(word(r, i), "1") == 0)
		r->p.direction = KEY_INVERSE;
	else
		return fail(r, "`%.40s`: the key direction is 0 or 1", word(r, i));
	return true;
}

static bool on_remote(struct reader *r)
{
	struct raw_remote raw = {.proto = -1};
	if (r->words.n < 2)
		return fail(r, "`remote` wants a host");
	if (r->words.n > 2 && !read_port(r, 2, &raw.port))
		return false;
	if (r->words.n > 3 && !read_proto(r, 3, &raw.proto))
		return false;
	if (r->p.n_remotes == PROFILE_REMOTES_MAX) {
		r->p.more_remotes++;
		return true;
	}
	if (!copy(r, r->p.remotes[r->p.n_remotes].host, PROFILE_NAME_MAX, word(r, 1)))
		return false;
	r->raw[r->p.n_remotes++] = raw;
	return true;
}

static bool on_port(struct reader *r)
{
	return read_port(r, 1, r->in_connection ? &r->connection_port : &r->port);
}

static bool on_proto(struct reader *r)
{
	return read_proto(r, 1, r->in_connection ? &r->connection_proto : &r->proto);
}

static bool on_key(struct reader *r)
{
	const char *option = word(r, 0);
	enum control_wrap wrap = strcmp(option, "tls-auth") == 0    ? WRAP_TLS_AUTH
				 : strcmp(option, "tls-crypt") == 0 ? WRAP_TLS_CRYPT
								    : WRAP_TLS_CRYPT_V2;
	if (r->words.n < 2)
		return fail(r, "`%.40s` wants a key file", option);
	r->p.wrap = wrap;
	r->p.key_inline = r->words.has_inline;
	r->p.key_text = r->words.inline_text;
	if (!r->words.has_inline && !copy(r, r->p.key_file, sizeof r->p.key_file, word(r, 1)))
		return false;
	if (wrap == WRAP_TLS_AUTH && r->words.n > 2)
		return read_direction(r, 2);
	return true;
}

static bool on_direction(struct reader *r)
{
	return read_direction(r, 1);
}

static bool on_auth(struct reader *r)
{
	if (r->words.n < 2)
		return fail(r, "`auth` wants a digest, for example SHA256");
	return copy(r, r->p.auth, sizeof r->p.auth, word(r, 1));
}

static bool on_ping(struct reader *r)
{
	return number(r, 1, SECONDS_MAX, &r->p.ping);
}

static bool on_ping_restart(struct reader *r)
{
	return number(r, 1, SECONDS_MAX, &r->p.ping_restart);
}

static bool on_ping_exit(struct reader *r)
{
	return number(r, 1, SECONDS_MAX, &r->p.ping_exit);
}

static bool on_keepalive(struct reader *r)
{
	/* helper.c helper_keepalive, in a client: --ping A --ping-restart B */
	return number(r, 1, SECONDS_MAX, &r->p.ping) &&
	       number(r, 2, SECONDS_MAX, &r->p.ping_restart);
}

static bool on_reneg(struct reader *r)
{
	return number(r, 1, SECONDS_MAX, &r->p.reneg_sec);
}

static bool on_management(struct reader *r)
{
	char address[PROFILE_PATH_MAX + PROFILE_NAME_MAX];
	uint16_t port = 0;
	if (r->words.n < 3)
		return fail(r, "`management` wants an address and a port, or a path and `unix`");
	if (strcmp(word(r, 2), "unix") == 0) {
		snprintf(address, sizeof address, "unix:%s", word(r, 1));
	} else {
		if (!read_port(r, 2, &port))
			return false;
		bool v6 = strchr(word(r, 1), ':') != NULL;
		if (v6)
			snprintf(address, sizeof address, "[%s]:%u", word(r, 1), port);
		else
			snprintf(address, sizeof address, "%s:%u", word(r, 1), port);
	}
	return copy(r, r->p.management, sizeof r->p.management, address) &&
	       copy(r, r->p.management_password_file, sizeof r->p.management_password_file,
		    word(r, 3));
}

#define FLAG(name, field)                       \
	static bool on_##name(struct reader *r) \
	{                                       \
		r->p.field = true;              \
		return true;                    \
	}

FLAG(pull, pull)
FLAG(secret, static_key_mode)
FLAG(proxy, proxy)
FLAG(exit_notify, explicit_exit_notify)
FLAG(management_client, management_client)
FLAG(management_hold, management_hold)
FLAG(management_signal, management_signal)
FLAG(management_forget, management_forget_disconnect)

static const struct {
	const char *name;
	bool (*read)(struct reader *r);
} options[] = {
    {"remote", on_remote},
    {"port", on_port},
    {"rport", on_port},
    {"proto", on_proto},
    {"tls-auth", on_key},
    {"tls-crypt", on_key},
    {"tls-crypt-v2", on_key},
    {"key-direction", on_direction},
    {"auth", on_auth},
    {"ping", on_ping},
    {"ping-restart", on_ping_restart},
    {"ping-exit", on_ping_exit},
    {"keepalive", on_keepalive},
    {"reneg-sec", on_reneg},
    {"management", on_management},
    {"client", on_pull},
    {"pull", on_pull},
    {"secret", on_secret},
    {"http-proxy", on_proxy},
    {"socks-proxy", on_proxy},
    {"explicit-exit-notify", on_exit_notify},
    {"management-client", on_management_client},
    {"management-hold", on_management_hold},
    {"management-signal", on_management_signal},
    {"management-forget-disconnect", on_management_forget},
};

static bool read_option(struct reader *r)
{
	const char *name = word(r, 0);
	/* On the command line options begin with "--", and OpenVPN takes that in a file too. */
	if (strncmp(name, "--", 2) == 0)
		name += 2;
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (strcmp(options[i].name, name) == 0)
			return options[i].read(r);
	return true;
}

static void resolve(struct reader *r, size_t first, uint16_t port, int proto)
{
	for (size_t i = first; i < r->p.n_remotes; i++) {
		if (r->raw[i].port == 0)
			r->raw[i].port = port;
		if (r->raw[i].proto < 0)
			r->raw[i].proto = proto;
	}
}

static bool begin_connection(struct reader *r)
{
	if (r->in_connection)
		return fail(r, "a <connection> inside of a <connection>");
	r->in_connection = true;
	r->connection_first = r->p.n_remotes;
	r->connection_port = 0;
	r->connection_proto = -1;
	return true;
}

static bool end_connection(struct reader *r)
{
	if (!r->in_connection)
		return fail(r, "</connection> without a <connection>");
	resolve(r, r->connection_first, r->connection_port, r->connection_proto);
	r->in_connection = false;
	return true;
}

static void finish(struct reader *r)
{
	resolve(r, 0, r->port, r->proto);
	for (size_t i = 0; i < r->p.n_remotes; i++) {
		r->p.remotes[i].port = r->raw[i].port != 0 ? r->raw[i].port : PORT_DEFAULT;
		r->p.remotes[i].proto =
		    r->raw[i].proto >= 0 ? (enum profile_proto)r->raw[i].proto : PROTO_UDP;
	}
}

static bool read_line(struct reader *r)
{
	if (strcmp(word(r, 0), "<connection>") == 0)
		return begin_connection(r);
	if (strcmp(word(r, 0), "</connection>") == 0)
		return end_connection(r);
	return read_option(r);
}

static void init(struct reader *r, struct profile_error *error)
{
	memset(r, 0, sizeof *r);
	r->error = error;
	r->proto = -1;
	r->p.direction = KEY_BIDIRECTIONAL;
	r->p.ping = r->p.ping_restart = r->p.ping_exit = r->p.reneg_sec = -1;
	memcpy(r->p.auth, "SHA1", sizeof "SHA1"); /* options.c: the default of --auth */
}

bool profile_parse(struct slice text, struct profile *out, struct profile_error *error)
{
	struct reader r;
	const char *wrong = NULL;
	init(&r, error);
	if (slice_starts(text, "\xef\xbb\xbf"))
		text = slice_skip(text, 3);
	for (;;) {
		enum profile_line kind = profile_words_next(&text, &r.line, &r.words, &wrong);
		if (kind == PROFILE_END)
			break;
		if (kind == PROFILE_WRONG)
			return fail(&r, "%s", wrong);
		if (!read_line(&r))
			return false;
	}
	if (r.in_connection)
		return fail(&r, "a <connection> without </connection>");
	finish(&r);
	*out = r.p;
	return true;
}
