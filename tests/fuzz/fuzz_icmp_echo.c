/* SPDX-License-Identifier: MIT
 *
 * ICMP messages: the first byte says in which form, the rest is what came from the network. Beside
 * memory errors: what is taken for a reply has the token that is in it, a request is never taken
 * for a reply nor a reply for a request that was quoted, and nothing is written unless it is taken.
 */
#include "fuzz/check.h"
#include "proto/icmp_echo.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_reply(enum icmp_form form, const uint8_t *data, size_t size)
{
	struct icmp_echo e;
	uint8_t again[ICMP_ECHO_SIZE];
	memset(&e, 0x5a, sizeof e);
	if (icmp_echo_reply(form, data, size, &e) != VERDICT_DONE) {
		CHECK(e.id == 0x5a5a && e.sequence == 0x5a5a);
		return;
	}
	const uint8_t *message = data + size - ICMP_ECHO_SIZE;
	CHECK(size >= ICMP_ECHO_SIZE);
	icmp_echo_request(form == ICMP_V6_MESSAGE, &e, again);
	CHECK(memcmp(again + 4, message + 4, sizeof again - 4) == 0);
	CHECK(icmp_echo_reply(form == ICMP_V4_PACKET ? ICMP_V4_MESSAGE : form, again, sizeof again,
			      &e) == VERDICT_INVALID);
}

static void fuzz_quotation(bool v6, const uint8_t *data, size_t size)
{
	struct icmp_quotation q;
	struct icmp_echo e;
	if (icmp_echo_quotation(v6, data, size, &q) != VERDICT_DONE)
		return;
	CHECK(size >= ICMP_QUOTATION_MIN && q.has_token == (size >= ICMP_ECHO_SIZE));
	CHECK(icmp_echo_reply(v6 ? ICMP_V6_MESSAGE : ICMP_V4_MESSAGE, data, size, &e) ==
	      VERDICT_INVALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 5 < 3)
		fuzz_reply((enum icmp_form)(data[0] % 5), data + 1, size - 1);
	else
		fuzz_quotation(data[0] % 5 == 4, data + 1, size - 1);
	return 0;
}
