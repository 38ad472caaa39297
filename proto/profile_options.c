/* SPDX-License-Identifier: MIT
 *
 * The options of a profile that are about us, one reader and one row of the table each (OpenVPN
 * options.c add_option, socket_util.c ascii2proto, crypto.c ascii2keydirection, helper.c
 * helper_keepalive).
 */
#include "proto/profile_parser.h"

#include <stdarg.h>
#include <stdio.h>

bool profile_fail(struct profile_parser *p, const char *format, ...)
{
	char *message = p->error->message;
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof p->error->message, format, args);
	va_end(args);
	/* It quotes the file, and goes to a terminal. */
	for (char *c = message; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	p->error->line = p->line;
	return false;
}

static struct profile_endpoint *endpoint_here(struct profile_parser *p)
{
	return p->in_block ? &p->block_base : &p->base;
}

static struct profile_key *key_here(struct profile_parser *p)
{
	return p->in_block ? &p->this_key : &p->key;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool read_port_number(struct profile_parser *p, struct slice word, uint16_t *out)
{
	uint64_t value = 0;
	if (!slice_to_u64(word, &value) || value < 1 || value > UINT16_MAX)
		return profile_fail(p, "'%.*s' is not a port: give a number from 1 to 65535",
				    SHOWN(word));
	*out = (uint16_t)value;
	return true;
}

static bool read_seconds(struct profile_parser *p, struct slice word, int64_t *out)
{
	uint64_t value = 0;
	if (!slice_to_u64(word, &value) || value > INT32_MAX)
		return profile_fail(p, "'%.*s' is not a number of seconds", SHOWN(word));
	*out = (int64_t)value;
	return true;
}

static bool read_protocol(struct profile_parser *p, struct slice word, struct profile_endpoint *at)
{
	struct slice tail = slice_skip(word, 3);
	struct profile_endpoint e = *at;
	if (slice_starts(word, "udp"))
		e.transport = UDP;
	else if (slice_starts(word, "tcp"))
		e.transport = TCP;
	else
		e.transport = ANY_TRANSPORT;
	if (slice_starts(tail, "4") || slice_starts(tail, "6")) {
		e.family = tail.p[0] == '4' ? V4 : V6;
		tail = slice_skip(tail, 1);
	}
	bool known = tail.n == 0 || (e.transport == TCP &&
				     (slice_is(tail, "-client") || slice_is(tail, "-server")));
	if (e.transport == ANY_TRANSPORT || !known)
		return profile_fail(
		    p, "'%.*s' is not a protocol: give udp, udp4, udp6, tcp, tcp4 or tcp6",
		    SHOWN(word));
	*at = e;
	return true;
}

static bool read_direction(struct profile_parser *p, struct slice word, enum key_direction *out)
{
	if (!slice_is(word, "0") && !slice_is(word, "1"))
		return profile_fail(p, "'%.*s' is not a key direction: give 0 or 1", SHOWN(word));
	*out = word.p[0] == '1' ? KEY_INVERSE : KEY_NORMAL;
	return true;
}

/* --- options --------------------------------------------------------------------------------- */

void profile_add_remote(struct profile_parser *p, struct slice host, struct profile_endpoint own,
			enum profile_key_owner owner)
{
	size_t i = p->p.n_remotes;
	if (i == PROFILE_REMOTES_MAX) {
		p->p.more_remotes++;
		return;
	}
	slice_copy(host, p->p.remotes[i].host, sizeof p->p.remotes[i].host);
	p->own[i] = own;
	p->owner[i] = owner;
	p->p.n_remotes++;
}

static bool read_remote(struct profile_parser *p, const struct words *w)
{
	struct profile_endpoint own = {0};
	if (w->word[1].n == 0)
		return profile_fail(p, "remote: the host is empty");
	if (w->n > 2 && !read_port_number(p, w->word[2], &own.port))
		return false;
	if (w->n > 3 && !read_protocol(p, w->word[3], &own))
		return false;
	if (!p->in_block) {
		if (!p->blocks)
			profile_add_remote(p, w->word[1], own, KEY_OF_PROFILE);
		return true;
	}
	/* In a block the words act at once, and `port` or `proto` below them win. */
	slice_copy(w->word[1], p->block_host, sizeof p->block_host);
	p->block_has_remote = true;
	p->block_base.port = own.port != 0 ? own.port : p->block_base.port;
	if (own.transport != ANY_TRANSPORT)
		p->block_base.transport = own.transport;
	if (own.family != ANY_FAMILY)
		p->block_base.family = own.family;
	return true;
}

static bool read_port(struct profile_parser *p, const struct words *w)
{
	return read_port_number(p, w->word[1], &endpoint_here(p)->port);
}

static bool read_proto(struct profile_parser *p, const struct words *w)
{
	endpoint_here(p)->family = ANY_FAMILY;
	return read_protocol(p, w->word[1], endpoint_here(p));
}

/* The key of this block or of the profile is such a one, in a file or inline. */
static bool use_key(struct profile_parser *p, enum control_wrap wrap,
		    const struct slice *inline_text, struct slice file)
{
	struct profile_key *key = key_here(p);
	if (key->wrap != WRAP_PLAIN && key->wrap != wrap)
		return profile_fail(
		    p, "tls-auth, tls-crypt and tls-crypt-v2 exclude one another: keep one");
	if (p->in_block && wrap == WRAP_TLS_AUTH)
		key->direction = KEY_BIDIRECTIONAL;
	key->wrap = wrap;
	key->is_inline = inline_text != NULL;
	key->text = inline_text != NULL ? *inline_text : (struct slice){0};
	slice_copy(file, key->file, sizeof key->file);
	return true;
}

static bool read_tls_auth(struct profile_parser *p, const struct words *w)
{
	if (!use_key(p, WRAP_TLS_AUTH, NULL, w->word[1]))
		return false;
	return w->n < 3 || read_direction(p, w->word[2], &key_here(p)->direction);
}

static bool read_tls_crypt(struct profile_parser *p, const struct words *w)
{
	return use_key(p, WRAP_TLS_CRYPT, NULL, w->word[1]);
}

static bool read_tls_crypt_v2(struct profile_parser *p, const struct words *w)
{
	return use_key(p, WRAP_TLS_CRYPT_V2, NULL, w->word[1]);
}

static bool read_key_direction(struct profile_parser *p, const struct words *w)
{
	return read_direction(p, w->word[1], &key_here(p)->direction);
}

static bool read_auth(struct profile_parser *p, const struct words *w)
{
	if (w->word[1].n == 0 || w->word[1].n >= sizeof p->p.auth)
		return profile_fail(p, "'%.*s' is not the name of a digest", SHOWN(w->word[1]));
	slice_copy(w->word[1], p->p.auth, sizeof p->p.auth);
	return true;
}

static bool read_ping(struct profile_parser *p, const struct words *w)
{
	return read_seconds(p, w->word[1], &p->p.ping);
}

/* One timer with two endings: the later of ping-restart and ping-exit replaces the earlier. */
static bool read_ping_restart(struct profile_parser *p, const struct words *w)
{
	p->p.ping_exit = -1;
	return read_seconds(p, w->word[1], &p->p.ping_restart);
}

static bool read_ping_exit(struct profile_parser *p, const struct words *w)
{
	p->p.ping_restart = -1;
	return read_seconds(p, w->word[1], &p->p.ping_exit);
}

static bool read_keepalive(struct profile_parser *p, const struct words *w)
{
	int64_t ping = 0, restart = 0;
	if (!read_seconds(p, w->word[1], &ping) || !read_seconds(p, w->word[2], &restart))
		return false;
	if (ping == 0 || restart == 0)
		return profile_fail(p, "keepalive: both numbers must be above 0");
	if (ping * 2 > restart)
		return profile_fail(
		    p, "keepalive: the second number must be at least twice the first");
	p->p.ping = ping;
	p->p.ping_restart = restart;
	p->p.ping_exit = -1;
	return true;
}

static bool read_reneg_sec(struct profile_parser *p, const struct words *w)
{
	return read_seconds(p, w->word[1], &p->p.reneg_sec);
}

static bool read_pull(struct profile_parser *p, const struct words *w)
{
	(void)w;
	p->p.pull = true;
	return true;
}

static bool read_exit_notify(struct profile_parser *p, const struct words *w)
{
	int64_t times = 1;
	if (w->n > 1 && !read_seconds(p, w->word[1], &times))
		return profile_fail(p, "'%.*s' is not a number of tries", SHOWN(w->word[1]));
	p->p.explicit_exit_notify |= times > 0;
	return true;
}

static bool read_proxy(struct profile_parser *p, const struct words *w)
{
	(void)w;
	p->p.proxy = true;
	return true;
}

static bool read_secret(struct profile_parser *p, const struct words *w)
{
	(void)w;
	p->p.static_key_mode = true;
	return true;
}

static bool read_management(struct profile_parser *p, const struct words *w)
{
	struct slice host = w->word[1], port = w->word[2];
	char *address = p->p.management;
	uint16_t number = 0;
	if (host.n == 0)
		return profile_fail(p, "management: the address is empty");
	if (w->n > 3)
		slice_copy(w->word[3], p->p.management_password_file,
			   sizeof p->p.management_password_file);
	if (slice_is(port, "unix")) {
		snprintf(address, sizeof p->p.management, "unix:%.*s", SHOWN(host));
		return true;
	}
	if (!read_port_number(p, port, &number))
		return false;
	/* `tunnel` is the tunnel's own address, which is not known before it is up. */
	if (slice_is(host, "tunnel"))
		*address = '\0';
	else if (memchr(host.p, ':', host.n) != NULL)
		snprintf(address, sizeof p->p.management, "[%.*s]:%u", SHOWN(host), number);
	else
		snprintf(address, sizeof p->p.management, "%.*s:%u", SHOWN(host), number);
	return true;
}

static bool read_management_client(struct profile_parser *p, const struct words *w)
{
	(void)w;
	return p->p.management_client = true;
}

static bool read_management_hold(struct profile_parser *p, const struct words *w)
{
	(void)w;
	return p->p.management_hold = true;
}

static bool read_management_signal(struct profile_parser *p, const struct words *w)
{
	(void)w;
	return p->p.management_signal = true;
}

static bool read_management_forget(struct profile_parser *p, const struct words *w)
{
	(void)w;
	return p->p.management_forget_disconnect = true;
}

bool profile_inline_key(struct profile_parser *p, struct slice tag, struct slice text)
{
	if (slice_is(tag, "tls-auth"))
		return use_key(p, WRAP_TLS_AUTH, &text, (struct slice){0});
	if (slice_is(tag, "tls-crypt"))
		return use_key(p, WRAP_TLS_CRYPT, &text, (struct slice){0});
	if (slice_is(tag, "tls-crypt-v2"))
		return use_key(p, WRAP_TLS_CRYPT_V2, &text, (struct slice){0});
	if (slice_is(tag, "secret"))
		p->p.static_key_mode = true;
	return true;
}

enum { TOP, ANYWHERE }; /* for the column in_block */

static const struct profile_option options[] = {
    {"remote", 1, 3, ANYWHERE, read_remote, "HOST [PORT [PROTOCOL]]"},
    {"port", 1, 1, ANYWHERE, read_port, "PORT"},
    {"rport", 1, 1, ANYWHERE, read_port, "PORT"},
    {"proto", 1, 1, ANYWHERE, read_proto, "PROTOCOL"},
    {"tls-auth", 1, 2, ANYWHERE, read_tls_auth, "FILE [0|1]"},
    {"tls-crypt", 1, 2, ANYWHERE, read_tls_crypt, "FILE"},
    {"tls-crypt-v2", 1, 2, ANYWHERE, read_tls_crypt_v2, "FILE"},
    {"key-direction", 1, 1, ANYWHERE, read_key_direction, "0|1"},
    {"explicit-exit-notify", 0, 1, ANYWHERE, read_exit_notify, "[TRIES]"},
    {"http-proxy", 1, 4, ANYWHERE, read_proxy, "HOST PORT"},
    {"socks-proxy", 1, 3, ANYWHERE, read_proxy, "HOST [PORT]"},
    {"auth", 1, 1, TOP, read_auth, "DIGEST"},
    {"ping", 1, 1, TOP, read_ping, "SECONDS"},
    {"ping-restart", 1, 1, TOP, read_ping_restart, "SECONDS"},
    {"ping-exit", 1, 1, TOP, read_ping_exit, "SECONDS"},
    {"keepalive", 2, 2, TOP, read_keepalive, "SECONDS SECONDS"},
    {"reneg-sec", 1, 2, TOP, read_reneg_sec, "SECONDS [LEAST]"},
    {"client", 0, 0, TOP, read_pull, ""},
    {"pull", 0, 0, TOP, read_pull, ""},
    {"secret", 1, 2, TOP, read_secret, "FILE [0|1]"},
    {"management", 2, 3, TOP, read_management, "ADDRESS PORT [PASSWORD-FILE]"},
    {"management-client", 0, 0, TOP, read_management_client, ""},
    {"management-hold", 0, 0, TOP, read_management_hold, ""},
    {"management-signal", 0, 0, TOP, read_management_signal, ""},
    {"management-forget-disconnect", 0, 0, TOP, read_management_forget, ""},
};

const struct profile_option *profile_option_find(struct slice name, bool in_block)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const struct profile_option *o = &options[i];
		if (slice_is(name, o->name) && (o->in_block || !in_block))
			return o;
	}
	return NULL;
}
