/* SPDX-License-Identifier: MIT
 *
 * A profile is a file that somebody was sent: whatever is in it, texts stay terminated, slices stay
 * inside the file, and the same file reads the same twice.
 */
#include "proto/profile.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct profile a, b;
	struct profile_error ea = {.line = 0}, eb = {.line = 0};
	struct slice text = {.p = (const char *)data, .n = size};
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	bool good = profile_parse(text, &a, &ea);
	assert(good == profile_parse(text, &b, &eb));
	assert(memcmp(&a, &b, sizeof a) == 0);
	if (!good) {
		assert(ea.line == eb.line && strcmp(ea.message, eb.message) == 0);
		assert(memchr(ea.message, '\0', sizeof ea.message) != NULL);
		assert(ea.line >= 1 && ea.message[0] != '\0');
		for (const char *c = ea.message; *c != '\0'; c++) /* it goes to a terminal */
			assert(*c >= ' ' && *c <= '~');
		return 0;
	}
	assert(a.n_remotes <= PROFILE_REMOTES_MAX);
	for (size_t i = 0; i < a.n_remotes; i++)
		assert(memchr(a.remotes[i].host, '\0', PROFILE_NAME_MAX) != NULL &&
		       a.remotes[i].port != 0);
	assert(memchr(a.key_file, '\0', sizeof a.key_file) != NULL);
	assert(memchr(a.auth, '\0', sizeof a.auth) != NULL && a.auth[0] != '\0');
	assert(a.ping_restart == -1 || a.ping_exit == -1);
	assert(memchr(a.management, '\0', sizeof a.management) != NULL);
	if (a.key_inline)
		assert(a.key_text.p >= text.p && a.key_text.p + a.key_text.n <= text.p + size);
	return 0;
}
