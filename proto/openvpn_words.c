/* SPDX-License-Identifier: MIT */
#include "proto/openvpn_words.h"

static const struct slice state_words[] = {
#define X(name, word) [name] = {word, sizeof(word) - 1},
#include "proto/openvpn_states.def"
#undef X
};

static const struct slice reason_words[] = {
#define X(name, word) [name] = {word, sizeof(word) - 1},
#include "proto/restart_reasons.def"
#undef X
};

static size_t find(struct slice word, const struct slice *words, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (slice_equal(word, words[i]))
			return i;
	return 0;
}

enum openvpn_state openvpn_state_from(struct slice word)
{
	return (enum openvpn_state)find(word, state_words,
					sizeof state_words / sizeof *state_words);
}

enum restart_reason restart_reason_from(struct slice word)
{
	return (enum restart_reason)find(word, reason_words,
					 sizeof reason_words / sizeof *reason_words);
}
