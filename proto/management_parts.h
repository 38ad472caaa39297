/* SPDX-License-Identifier: MIT
 *
 * What proto/management.c and proto/management_ask.c share, and nobody else: the fields of a
 * payload, and the parsers of the notifications that are not about the tunnel's life.
 */
#ifndef OVPNWATCH_PROTO_MANAGEMENT_PARTS_H
#define OVPNWATCH_PROTO_MANAGEMENT_PARTS_H

#include "proto/management.h"

/* slice_cut for ',' without a call: the fields are a few bytes long, and there are many. */
static inline struct slice take_field(struct slice *rest)
{
	struct slice part = *rest;
	size_t n = 0;
	while (n < part.n && part.p[n] != ',')
		n++;
	if (n == part.n) {
		*rest = (struct slice){0};
		return part;
	}
	*rest = (struct slice){.p = part.p + n + 1, .n = part.n - n - 1};
	part.n = n;
	return part;
}

/* A field that is a decimal number up to UINT64_MAX. False leaves *out alone. Numbers are half the
 * work of a parse, hence the loop without a check for overflow: 19 digits always fit. */
static inline bool take_number(struct slice *rest, uint64_t *out)
{
	if (rest->n == 0)
		return false;
	const char *at = rest->p;
	const char *end = at + rest->n;
	const char *safe = rest->n > 19 ? at + 19 : end;
	uint64_t value = 0;
	unsigned digit = 0;
	for (; at < safe && (digit = (unsigned char)*at - (unsigned)'0') <= 9; at++)
		value = value * 10 + digit;
	for (; at < end && (digit = (unsigned char)*at - (unsigned)'0') <= 9; at++) {
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (at == rest->p || (at < end && *at != ','))
		return false;
	if (at < end)
		*rest = (struct slice){.p = at + 1, .n = (size_t)(end - at) - 1};
	else
		*rest = (struct slice){0};
	*out = value;
	return true;
}

/* Epoch seconds that OpenVPN prints with %u, so 32 bits, with something after them. */
static inline bool take_time(struct slice *rest, uint64_t *out)
{
	uint64_t value = 0;
	if (!take_number(rest, &value) || rest->p == NULL || value > UINT32_MAX)
		return false;
	*out = value;
	return true;
}

/* Each reads the text after ">WORD:" into its member of out->u and touches nothing else. False:
 * the text is broken, and *out untouched. */
bool management_parse_password(struct slice text, struct management_message *out);
bool management_parse_need(struct slice text, struct management_message *out);
bool management_parse_sign(struct slice text, struct management_message *out);
bool management_parse_remote(struct slice text, struct management_message *out);
bool management_parse_proxy(struct slice text, struct management_message *out);
bool management_parse_client(struct slice text, struct management_message *out);
bool management_parse_updown(struct slice text, struct management_message *out);
bool management_parse_notify(struct slice text, struct management_message *out);

#endif
