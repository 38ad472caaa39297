/* SPDX-License-Identifier: MIT
 *
 * The commands that the relay knows (manage.c man_dispatch_command). One that is not here is sent
 * on as it is; only a read-only client may not send it.
 */
#include "core/relay_parts.h"

static const struct {
	const char *word;
	enum relay_word means;
} words[] = {
    {"exit", RELAY_WORD_EXIT},
    {"quit", RELAY_WORD_EXIT},
    {"state", RELAY_WORD_TOPIC},
    {"log", RELAY_WORD_TOPIC},
    {"echo", RELAY_WORD_TOPIC},
    {"bytecount", RELAY_WORD_BYTECOUNT},
    {"version", RELAY_WORD_VERSION},
    {"load-stats", RELAY_WORD_LOAD_STATS},
    {"status", RELAY_WORD_QUERY},
    {"pid", RELAY_WORD_QUERY},
    {"help", RELAY_WORD_QUERY},
    {"nclients", RELAY_WORD_QUERY},
    {"net", RELAY_WORD_QUERY},
    {"remote-entry-count", RELAY_WORD_QUERY},
    {"remote-entry-get", RELAY_WORD_QUERY},
    {"verb", RELAY_WORD_SHOW},
    {"mute", RELAY_WORD_SHOW},
    {"auth-retry", RELAY_WORD_SHOW},
    {"hold", RELAY_WORD_HOLD},
    {"signal", RELAY_WORD_SIGNAL},
    {"username", RELAY_WORD_USERNAME},
    {"password", RELAY_WORD_PASSWORD},
    {"needok", RELAY_WORD_NEED_OK},
    {"needstr", RELAY_WORD_NEED_STR},
    {"remote", RELAY_WORD_REMOTE},
    {"proxy", RELAY_WORD_PROXY},
    {"pk-sig", RELAY_WORD_SIGN},
    {"rsa-sig", RELAY_WORD_SIGN},
    {"certificate", RELAY_WORD_CERTIFICATE},
    {"client-auth", RELAY_WORD_CLIENT_AUTH},
    {"client-pf", RELAY_WORD_CLIENT_PF},
    {"pkcs11-id-count", RELAY_WORD_PKCS11},
    {"pkcs11-id-get", RELAY_WORD_PKCS11},
};

void relay_command_read(struct relay_command *cmd, struct slice line)
{
	cmd->line = line;
	cmd->word = RELAY_WORD_OTHER;
	cmd->split = words_split(line, &cmd->words) == NULL;
	if (!cmd->split || cmd->words.n == 0)
		return;
	struct slice first = cmd->words.word[0];
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_is(first, words[i].word))
			cmd->word = words[i].means;
	cmd->topic = slice_is(first, "state") ? RELAY_STATE
		     : slice_is(first, "log") ? RELAY_LOG
					      : RELAY_ECHO;
}

struct slice relay_command_word(const struct relay_command *cmd, unsigned i)
{
	return cmd->split && i < cmd->words.n ? cmd->words.word[i] : (struct slice){0};
}

int relay_number(struct slice s)
{
	int value = 0;
	bool negative = false;
	while (s.n > 0 && words_is_space(s.p[0]))
		s = slice_skip(s, 1);
	if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-')) {
		negative = s.p[0] == '-';
		s = slice_skip(s, 1);
	}
	for (; s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9' && value < 100000000; s = slice_skip(s, 1))
		value = value * 10 + (s.p[0] - '0');
	return negative ? -value : value;
}
