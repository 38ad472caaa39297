/* SPDX-License-Identifier: MIT
 *
 * What a server says of its clock in texts: the first byte says which, the rest is the text. Beside
 * memory errors: what is taken is within its range, and written again it is what was read.
 */
#include "proto/auth_token.h"
#include "proto/civil_time.h"
#include "proto/echo_time.h"
#include "proto/server_status.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_second(int64_t t)
{
	assert(t >= 0 && t <= CIVIL_SECONDS_MAX + 1); /* a leap second behind the last */
}

static void fuzz_status(struct slice line)
{
	struct server_time t;
	int64_t local = 0, system = 0;
	if (server_status_updated(line, &local) == VERDICT_DONE) {
		check_second(local);
		assert(server_status_time(line, &t) == VERDICT_INVALID);
	}
	if (server_status_time(line, &t) != VERDICT_DONE)
		return;
	check_second(t.now);
	check_second(t.local);
	if (!server_status_system(&t, t.local, &system))
		return;
	assert(system == t.now);
	assert((t.local - t.now) % 900 == 0);
	assert(server_status_system(&t, t.local + 7, &system) && system == t.now + 7);
}

static void fuzz_echo(struct slice text)
{
	nsec lo = 0, hi = 0, again_lo = 0, again_hi = 0;
	char line[64];
	if (echo_server_time(text, &lo, &hi) != VERDICT_DONE)
		return;
	check_second(lo / NSEC_PER_SEC);
	assert(lo < hi && hi - lo <= NSEC_PER_SEC);
	int digits = 9;
	for (nsec unit = hi - lo; unit > 1; unit /= 10, digits--)
		assert(unit % 10 == 0);
	int n = snprintf(line, sizeof line, "srvtime %" PRId64, lo / NSEC_PER_SEC);
	if (digits > 0)
		snprintf(line + n, sizeof line - (size_t)n, ".%0*" PRId64, digits,
			 lo % NSEC_PER_SEC / (hi - lo));
	assert(echo_server_time(slice_from(line), &again_lo, &again_hi) == VERDICT_DONE);
	assert(again_lo == lo && again_hi == hi);
}

static void fuzz_token(struct slice token)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct auth_token_times t;
	if (auth_token_times(token, &t) != VERDICT_DONE)
		return;
	assert(token.n == 91);
	check_second(t.initial);
	check_second(t.renewed);
	/* The 21 characters whose bits are all of the two times, from the top. */
	for (int i = 0; i < 21; i++) {
		unsigned sextet = 0;
		for (int bit = 6 * i; bit < 6 * i + 6; bit++) {
			uint64_t which = (uint64_t)(bit < 64 ? t.initial : t.renewed);
			sextet = sextet << 1 | (unsigned)(which >> (63 - bit % 64) & 1);
		}
		assert(token.p[27 + i] == alphabet[sextet]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct slice text = {.p = (const char *)data + 1, .n = size - 1};
	switch (data[0] % 3) {
	case 0:
		fuzz_status(text);
		break;
	case 1:
		fuzz_echo(text);
		break;
	default:
		fuzz_token(text);
	}
	return 0;
}
