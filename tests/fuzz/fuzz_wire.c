/* SPDX-License-Identifier: MIT
 *
 * The binary decoders: the first byte says which, the rest is what came from the network. Beside
 * memory errors: an answer to another question is never taken, and what is taken is within its
 * range.
 */
#include "proto/chrony.h"
#include "proto/control_channel.h"
#include "proto/ntp.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_chrony(const uint8_t *data, size_t size)
{
	struct chrony_tracking t;
	if (chrony_reply(data, size, 0x01020304, &t) != VERDICT_DONE)
		return;
	assert(memcmp(data + 16, "\1\2\3\4", 4) == 0);
	assert(chrony_reply(data, size, 0x01020305, &t) == VERDICT_INVALID);
}

static void fuzz_ntp(const uint8_t *data, size_t size)
{
	struct ntp_packet p;
	struct ntp_measurement m;
	if (ntp_decode(data, size, &p) != VERDICT_DONE)
		return;
	assert(ntp_check(&p, p.origin + 1) != NTP_FINE);
	nsec now = INT64_C(1795500000) * NSEC_PER_SEC;
	if (ntp_check(&p, p.origin) == NTP_FINE &&
	    ntp_measure(&p, now, now + NSEC_PER_MSEC, &m) == NTP_FINE)
		assert(m.delay >= 0 && m.root_distance >= m.path_bound);
}

static void fuzz_control(enum control_wrap wrap, const uint8_t *data, size_t size)
{
	static const uint8_t session[CONTROL_SESSION_SIZE] = "session";
	struct control_key key = {.wrap = wrap, .direction = KEY_INVERSE, .digest = "SHA1"};
	struct control_reply reply;
	enum control_flaw flaw = control_reset_reply(&key, session, data, size, &reply);
	/* A MAC under an all-zero key is not guessed. */
	assert(wrap == WRAP_PLAIN || flaw != CONTROL_FINE || reply.has_time);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct static_key key;
	if (size == 0)
		return 0;
	switch (data[0] % 5) {
	case 0:
		fuzz_chrony(data + 1, size - 1);
		break;
	case 1:
		fuzz_ntp(data + 1, size - 1);
		break;
	case 2:
		fuzz_control(WRAP_TLS_AUTH, data + 1, size - 1);
		break;
	case 3:
		fuzz_control(WRAP_PLAIN, data + 1, size - 1);
		break;
	default:
		(void)!static_key_parse((struct slice){.p = (const char *)data + 1, .n = size - 1},
					&key);
	}
	return 0;
}
