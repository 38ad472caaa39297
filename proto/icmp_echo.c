/* SPDX-License-Identifier: MIT */
#include "proto/icmp_echo.h"

#include <string.h>

#define HEADER	    8  /* of echo and of unreachable */
#define IPV4_LEAST  20 /* an IPv4 header without options */
#define IPV6_HEADER 40
#define PROTO_ICMP  1
#define PROTO_ICMP6 58

static const struct types {
	uint8_t request, reply, unreachable;
} types[2] = {{.request = 8, .reply = 0, .unreachable = 3},
	      {.request = 128, .reply = 129, .unreachable = 1}};

/* RFC 1071. */
static uint16_t checksum(const uint8_t *bytes, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *out, uint16_t value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
}

void icmp_echo_request(bool v6, uint16_t id, uint16_t sequence,
		       const uint8_t token[ICMP_ECHO_TOKEN], uint8_t out[ICMP_ECHO_SIZE])
{
	memset(out, 0, HEADER);
	out[0] = types[v6].request;
	put16(out + 4, id);
	put16(out + 6, sequence);
	memcpy(out + HEADER, token, ICMP_ECHO_TOKEN);
	if (!v6)
		put16(out + 2, checksum(out, ICMP_ECHO_SIZE));
}

static bool is_echo(const uint8_t *bytes, size_t n, uint8_t type)
{
	return n >= ICMP_ECHO_SIZE && bytes[0] == type && bytes[1] == 0;
}

bool icmp_echo_skip_ipv4(const uint8_t **bytes, size_t *n)
{
	const uint8_t *ip = *bytes;
	if (*n < IPV4_LEAST || ip[0] >> 4 != 4 || ip[9] != PROTO_ICMP)
		return false;
	size_t header = (size_t)(ip[0] & 0xf) * 4;
	if (header < IPV4_LEAST || header > *n)
		return false;
	*bytes += header;
	*n -= header;
	return true;
}

static bool skip_ipv6(const uint8_t **bytes, size_t *n)
{
	const uint8_t *ip = *bytes;
	if (*n < IPV6_HEADER || ip[0] >> 4 != 6 || ip[6] != PROTO_ICMP6)
		return false;
	*bytes += IPV6_HEADER;
	*n -= IPV6_HEADER;
	return true;
}

enum icmp_echo_kind icmp_echo_parse(bool v6, const uint8_t *bytes, size_t n, const uint8_t **token)
{
	enum icmp_echo_kind kind = ICMP_ECHO_OTHER;
	if (is_echo(bytes, n, types[v6].reply)) {
		kind = ICMP_ECHO_REPLY;
	} else if (is_echo(bytes, n, types[v6].request)) {
		kind = ICMP_ECHO_REQUEST;
	} else if (n >= HEADER && bytes[0] == types[v6].unreachable) {
		bytes += HEADER;
		n -= HEADER;
		bool ip = v6 ? skip_ipv6(&bytes, &n) : icmp_echo_skip_ipv4(&bytes, &n);
		if (ip && is_echo(bytes, n, types[v6].request))
			kind = ICMP_ECHO_UNREACHABLE;
	}
	if (kind != ICMP_ECHO_OTHER)
		*token = bytes + HEADER;
	return kind;
}
