/* SPDX-License-Identifier: MIT */
#include "io/profile_load.h"
#include "io/small_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PROFILE_LIMIT ((size_t)1 << 20)
#define KEY_LIMIT     ((size_t)64 << 10)

__attribute__((format(printf, 2, 3))) static void no_probe(struct loaded_profile *l,
							   const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(l->no_probe, sizeof l->no_probe, format, args);
	va_end(args);
}

/* The end of a path, which says more than its beginning, and a mark where it was cut. */
struct shown_path {
	char text[72];
};

static struct shown_path show_path(const char *path)
{
	struct shown_path s;
	size_t n = strlen(path), keep = sizeof s.text - 4;
	if (n < sizeof s.text)
		memcpy(s.text, path, n + 1);
	else
		snprintf(s.text, sizeof s.text, "...%s", path + n - keep);
	return s;
}

/* The key file's name as written, relative to the profile's folder. False: too long. */
static bool key_path(const char *profile, const char *name, char *out, size_t size)
{
	const char *slash = strrchr(profile, '/');
	int folder = name[0] != '/' && slash != NULL ? (int)(slash - profile + 1) : 0;
	int n = snprintf(out, size, "%.*s%s", folder, profile, name);
	return n > 0 && (size_t)n < size;
}

static bool take_key(struct loaded_profile *l, struct slice text, const char *where)
{
	enum control_key_flaw flaw = control_key_parse(text, &l->key);
	if (flaw == CONTROL_KEY_FINE)
		return true;
	no_probe(l, "the %s key (%s) %s", control_wrap_name(l->key.wrap), show_path(where).text,
		 control_key_flaw_text(flaw, l->key.wrap));
	return false;
}

static bool load_key(struct loaded_profile *l, const char *path)
{
	char file[2 * PROFILE_PATH_MAX], why[96];
	const char *option = control_wrap_name(l->key.wrap);
	struct small_file f;
	if (l->profile.key_inline)
		return take_key(l, l->profile.key_text, "inline");
	if (!key_path(path, l->profile.key_file, file, sizeof file)) {
		no_probe(l, "the %s key file's path is too long; use a shorter one", option);
		return false;
	}
	if (!small_file_read(file, KEY_LIMIT, &f, why, sizeof why)) {
		no_probe(l,
			 "the %s key file %s: %s; run ovpnwatch as a user who may read it, "
			 "or correct its name",
			 option, show_path(file).text, why);
		return false;
	}
	bool fine = take_key(l, (struct slice){.p = f.text, .n = f.n}, file);
	small_file_done(&f);
	return fine;
}

/* Does libcrypto know the digest? Asked by wrapping a packet that nobody sends. */
static bool can_wrap(struct loaded_profile *l)
{
	static const uint8_t session[CONTROL_SESSION_SIZE];
	uint8_t packet[CONTROL_PACKET_MAX];
	if (control_reset(&l->key, session, 0, packet) > 0)
		return true;
	no_probe(l,
		 "the digest \"auth %s\" is not known to this machine's OpenSSL, and tls-auth "
		 "needs it",
		 l->profile.auth);
	return false;
}

static bool find_remote(struct loaded_profile *l)
{
	const struct profile *p = &l->profile;
	for (size_t i = 0; i < p->n_remotes; i++) {
		if (p->remotes[i].proto <= PROTO_UDP6) {
			l->probe_remote = i;
			return true;
		}
	}
	if (p->n_remotes == 0)
		no_probe(l, "the profile names no server; add a line \"remote HOST PORT\"");
	else
		no_probe(l,
			 "the server is reached by TCP, and servers cannot be probed by TCP yet");
	return false;
}

/* Fills in the key and says whether, whom, and if not, why not. */
static bool judge(struct loaded_profile *l, const char *path)
{
	const struct profile *p = &l->profile;
	if (p->static_key_mode) {
		no_probe(l, "the profile uses static key mode (\"secret\"), in which a server "
			    "answers nobody it does not know");
		return false;
	}
	if (p->proxy) {
		no_probe(l, "the server is reached through a proxy, and servers cannot be probed "
			    "through a proxy yet");
		return false;
	}
	if (!find_remote(l))
		return false;
	l->key.wrap = p->wrap;
	l->key.direction = p->direction;
	snprintf(l->key.digest, sizeof l->key.digest, "%s", p->auth);
	if (p->wrap == WRAP_PLAIN)
		return true;
	l->probe_has_time = load_key(l, path) && can_wrap(l);
	return l->probe_has_time;
}

enum load_result profile_load(const char *path, struct loaded_profile *out, char *error,
			      size_t error_size)
{
	char why[96];
	struct small_file f;
	struct profile_error flaw;
	struct loaded_profile l = {0};
	if (!small_file_read(path, PROFILE_LIMIT, &f, why, sizeof why)) {
		snprintf(error, error_size,
			 "%s: %s; expected the client's OpenVPN configuration (.ovpn, .conf), "
			 "readable for this user and at most 1 MiB",
			 path, why);
		return LOAD_UNREADABLE;
	}
	if (!profile_parse((struct slice){.p = f.text, .n = f.n}, &l.profile, &flaw)) {
		snprintf(error, error_size, "%s:%u: %s", path, flaw.line, flaw.message);
		small_file_done(&f);
		return LOAD_BROKEN;
	}
	l.can_probe = judge(&l, path);
	l.profile.key_text = (struct slice){0};
	small_file_done(&f);
	*out = l;
	explicit_bzero(&l.key, sizeof l.key);
	return LOAD_FINE;
}

void profile_unload(struct loaded_profile *p)
{
	explicit_bzero(&p->key, sizeof p->key);
	p->can_probe = false;
}
