/* SPDX-License-Identifier: MIT */
#include "proto/icmp_echo.h"
#include "proto/wire.h"

/* RFC 792; RFC 4443 sections 4.1 and 4.2. */
enum { V4_REPLY = 0, V4_REQUEST = 8, V6_REQUEST = 128, V6_REPLY = 129 };

#define IPV4_HEADER_MIN 20
#define IPV4_ICMP	1 /* the protocol's number */

/* RFC 1071: the ones' complement of the ones' complement sum; 0 over a message whose checksum is
 * right. An odd last byte counts as if a zero followed. */
static uint16_t checksum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < size; i++) {
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

void icmp_echo_request(bool v6, const struct icmp_echo *e, uint8_t out[ICMP_ECHO_SIZE])
{
	memset(out, 0, ICMP_ECHO_SIZE);
	out[0] = v6 ? V6_REQUEST : V4_REQUEST;
	wire_put(out + 4, e->id, 2);
	wire_put(out + 6, e->sequence, 2);
	memcpy(out + 8, e->token, sizeof e->token);
	if (!v6)
		wire_put(out + 2, checksum(out, ICMP_ECHO_SIZE), 2);
}

/* Takes the header of a whole IPv4 packet with ICMP in it (RFC 791 section 3.1). */
static bool take_ipv4_header(struct wire *w)
{
	size_t size = w->left;
	const uint8_t *header = wire_take(w, IPV4_HEADER_MIN);
	if (header == NULL || header[0] >> 4 != 4 || (header[0] & 15) < 5)
		return false;
	size_t options = (size_t)(header[0] & 15) * 4 - IPV4_HEADER_MIN;
	struct wire total = wire_over(header + 2, 2);
	return wire_u16(&total) == size && header[9] == IPV4_ICMP && wire_take(w, options) != NULL;
}

/* The fixed header, of this type and code 0; the checksum is passed over. */
static bool take_header(struct wire *w, uint8_t type, struct icmp_echo *out)
{
	bool right = wire_u8(w) == type;
	right = wire_u8(w) == 0 && right;
	(void)wire_u16(w);
	out->id = wire_u16(w);
	out->sequence = wire_u16(w);
	return right && !w->overrun;
}

enum verdict icmp_echo_reply(enum icmp_form form, const void *bytes, size_t size,
			     struct icmp_echo *out)
{
	struct wire w = wire_over(bytes, size);
	struct icmp_echo e;
	bool v6 = form == ICMP_V6_MESSAGE;
	if (form == ICMP_V4_PACKET && !take_ipv4_header(&w))
		return VERDICT_INVALID;
	if (w.left != ICMP_ECHO_SIZE || (!v6 && checksum(w.p, w.left) != 0) ||
	    !take_header(&w, v6 ? V6_REPLY : V4_REPLY, &e))
		return VERDICT_INVALID;
	memcpy(e.token, w.p, sizeof e.token);
	*out = e;
	return VERDICT_DONE;
}

enum verdict icmp_echo_quotation(bool v6, const void *bytes, size_t size,
				 struct icmp_quotation *out)
{
	struct wire w = wire_over(bytes, size);
	struct icmp_quotation q = {.has_token = false};
	if (!take_header(&w, v6 ? V6_REQUEST : V4_REQUEST, &q.echo))
		return VERDICT_INVALID;
	q.has_token = w.left >= sizeof q.echo.token;
	if (q.has_token)
		memcpy(q.echo.token, w.p, sizeof q.echo.token);
	*out = q;
	return VERDICT_DONE;
}
