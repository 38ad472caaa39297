/* SPDX-License-Identifier: MIT
 *
 * Key files as `openvpn --genkey` writes them (OpenVPN crypto.c read_key_file, write_key_file).
 */
#include "proto/static_key.h"

#include <openssl/crypto.h>

#define HEAD "-----BEGIN OpenVPN Static key V1-----"
#define FOOT "-----END OpenVPN Static key V1-----"

enum { HALF_SIZE = 64, ONE_KEY_SIZE = 2 * HALF_SIZE };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Whitespace may stand anywhere between digits, as read_key_file has it. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Adds a line's digits to the key; `digits` counts those that are there already. */
static bool take_digits(struct slice line, struct static_key *key, size_t *digits)
{
	for (size_t i = 0; i < line.n; i++) {
		if (is_space(line.p[i]))
			continue;
		int value = hex_digit(line.p[i]);
		if (value < 0 || *digits >= 2 * STATIC_KEY_SIZE)
			return false;
		uint8_t *byte = &key->bytes[*digits / 2];
		*byte = (uint8_t)(*byte << 4 | value);
		++*digits;
	}
	return true;
}

static bool parse(struct slice text, struct static_key *key)
{
	struct slice line;
	size_t digits = 0;
	do {
		if (text.p == NULL)
			return false;
		line = slice_trim(slice_cut(&text, '\n'));
	} while (!slice_starts(line, HEAD));
	while (text.p != NULL) {
		line = slice_trim(slice_cut(&text, '\n'));
		if (slice_starts(line, FOOT))
			return digits == 2 * STATIC_KEY_SIZE;
		if (!take_digits(line, key, &digits))
			return false;
	}
	return false; /* no END line: the file was cut short */
}

enum verdict static_key_parse(struct slice text, struct static_key *out)
{
	struct static_key key = {0};
	bool fine = parse(text, &key);
	if (fine)
		*out = key;
	OPENSSL_cleanse(&key, sizeof key);
	return fine ? VERDICT_DONE : VERDICT_INVALID;
}

/* Which of the two keys (OpenVPN crypto.c key_direction_state_init). */
static const uint8_t *one_key(const struct static_key *k, enum key_direction d, bool send)
{
	bool second = d != KEY_BIDIRECTIONAL && (d == KEY_INVERSE) == send;
	return k->bytes + (second ? ONE_KEY_SIZE : 0);
}

const uint8_t *static_key_cipher(const struct static_key *k, enum key_direction d, bool send)
{
	return one_key(k, d, send);
}

const uint8_t *static_key_hmac(const struct static_key *k, enum key_direction d, bool send)
{
	return one_key(k, d, send) + HALF_SIZE;
}
