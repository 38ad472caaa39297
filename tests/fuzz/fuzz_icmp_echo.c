/* SPDX-License-Identifier: MIT
 *
 * proto/icmp_echo: the first byte says the family and whether an IPv4 header is in front. A token
 * lies within the message, and only what is long enough has one.
 */
#include "fuzz/check.h"
#include "proto/icmp_echo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	bool v6 = data[0] & 1;
	const uint8_t *bytes = data + 1, *token = NULL;
	size_t n = size - 1;
	if ((data[0] & 2) != 0 && icmp_echo_skip_ipv4(&bytes, &n))
		CHECK(bytes >= data + 21 && bytes + n == data + size);
	if (icmp_echo_parse(v6, bytes, n, &token) == ICMP_ECHO_OTHER) {
		CHECK(token == NULL);
		return 0;
	}
	CHECK(token >= bytes + 8 && token + ICMP_ECHO_TOKEN <= bytes + n);
	return 0;
}
