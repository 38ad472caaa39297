/* SPDX-License-Identifier: MIT */
#include "io/profile_load.h"
#include "io/key_load.h"
#include "io/small_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PROFILE_LIMIT ((size_t)1 << 20)

__attribute__((format(printf, 2, 3))) static void no_probe(struct loaded_profile *l,
							   const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(l->no_probe, sizeof l->no_probe, format, args);
	va_end(args);
}

/* The key file's name as written, relative to the profile's folder. False: too long. */
static bool key_path(const char *profile, const char *name, char *out, size_t size)
{
	const char *slash = strrchr(profile, '/');
	int folder = name[0] != '/' && slash != NULL ? (int)(slash - profile + 1) : 0;
	int n = snprintf(out, size, "%.*s%s", folder, profile, name);
	return n > 0 && (size_t)n < size;
}

static bool load_key(struct loaded_profile *l, const char *path)
{
	char file[2 * PROFILE_PATH_MAX];
	if (l->profile.key_inline)
		return key_take(&l->key, l->profile.key_text, "inline", l->no_probe);
	if (key_path(path, l->profile.key_file, file, sizeof file))
		return key_load(&l->key, file, l->no_probe);
	no_probe(l, "the %s key file's path is too long; use a shorter one",
		 control_wrap_name(l->key.wrap));
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
		no_probe(l,
			 "the server is reached through a proxy (http-proxy, socks-proxy), which "
			 "probes do not pass; if it can be reached directly: ovpnwatch probe "
			 "--remote HOST:PORT");
		return false;
	}
	if (p->n_remotes == 0) {
		no_probe(l, "the profile names no server; add a line \"remote HOST PORT\"");
		return false;
	}
	l->probe_remote = 0; /* OpenVPN's first choice, by whichever protocol */
	l->key.wrap = p->wrap;
	l->key.direction = p->direction;
	snprintf(l->key.digest, sizeof l->key.digest, "%s", p->auth);
	if (p->wrap == WRAP_PLAIN)
		return true;
	l->probe_has_time = load_key(l, path) && key_can_wrap(&l->key, l->no_probe);
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
