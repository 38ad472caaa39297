/* SPDX-License-Identifier: MIT */
#include "io/key_load.h"
#include "io/small_file.h"
#include "proto/control_channel.h"

#include <stdio.h>
#include <string.h>

#define KEY_LIMIT ((size_t)64 << 10)

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

bool key_take(struct control_key *key, struct slice text, const char *where, char why[KEY_WHY_MAX])
{
	enum control_key_flaw flaw = control_key_parse(text, key);
	if (flaw == CONTROL_KEY_FINE)
		return true;
	snprintf(why, KEY_WHY_MAX, "the %s key (%s) %s", control_wrap_name(key->wrap),
		 show_path(where).text, control_key_flaw_text(flaw, key->wrap));
	return false;
}

bool key_load(struct control_key *key, const char *path, char why[KEY_WHY_MAX])
{
	char reason[96];
	struct small_file f;
	if (!small_file_read(path, KEY_LIMIT, &f, reason, sizeof reason)) {
		snprintf(why, KEY_WHY_MAX,
			 "the %s key file %s: %.60s; run ovpnwatch as a user who may read it, or "
			 "correct its name",
			 control_wrap_name(key->wrap), show_path(path).text, reason);
		return false;
	}
	bool fine = key_take(key, (struct slice){.p = f.text, .n = f.n}, path, why);
	small_file_done(&f);
	return fine;
}

/* Asked by wrapping a packet that nobody sends. */
bool key_can_wrap(const struct control_key *key, char why[KEY_WHY_MAX])
{
	static const uint8_t session[CONTROL_SESSION_SIZE];
	uint8_t packet[CONTROL_PACKET_MAX];
	if (control_reset(key, session, 0, packet) > 0)
		return true;
	snprintf(why, KEY_WHY_MAX,
		 "the digest \"auth %s\" is not known to this machine's OpenSSL, and tls-auth "
		 "needs it",
		 key->digest);
	return false;
}
