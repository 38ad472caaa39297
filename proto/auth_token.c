/* SPDX-License-Identifier: MIT */
#include "proto/auth_token.h"

#include "proto/civil_time.h"
#include "proto/wire.h"

#include <openssl/crypto.h>

#define PREFIX "SESS_ID_AT_"

/* 60 bytes are 80 characters without padding, and the session id's 12 bytes end with a character:
 * of the whole only the six groups with the times are decoded. Their last two bytes are the
 * HMAC's. */
enum {
	CHARS = 80,
	TIMES_AT = 16,
	TIMES_CHARS = 24,
	TIMES_BYTES = TIMES_CHARS / 4 * 3,
};

/* The six bits of a base64 character (RFC 4648 section 4), or -1. */
static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

static void decode(const char *text, uint8_t bytes[TIMES_BYTES])
{
	uint32_t group = 0;
	for (int i = 0; i < TIMES_CHARS; i++) {
		group = group << 6 | (uint32_t)sextet(text[i]);
		if (i % 4 == 3)
			wire_put(bytes + i / 4 * 3, group & 0xffffff, 3);
	}
	OPENSSL_cleanse(&group, sizeof group);
}

static bool plausible(uint64_t t)
{
	return t <= (uint64_t)CIVIL_SECONDS_MAX;
}

enum verdict auth_token_times(struct slice token, struct auth_token_times *out)
{
	uint8_t bytes[TIMES_BYTES];
	if (!slice_starts(token, PREFIX))
		return VERDICT_INVALID;
	struct slice text = slice_skip(token, sizeof PREFIX - 1);
	if (text.n != CHARS)
		return VERDICT_INVALID;
	for (size_t i = 0; i < text.n; i++)
		if (sextet(text.p[i]) < 0)
			return VERDICT_INVALID;
	decode(text.p + TIMES_AT, bytes);
	struct wire w = wire_over(bytes, sizeof bytes);
	uint64_t initial = wire_u64(&w);
	uint64_t renewed = wire_u64(&w);
	OPENSSL_cleanse(bytes, sizeof bytes);
	if (!plausible(initial) || !plausible(renewed))
		return VERDICT_INVALID;
	*out = (struct auth_token_times){.initial = (int64_t)initial, .renewed = (int64_t)renewed};
	return VERDICT_DONE;
}
