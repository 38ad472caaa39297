/* SPDX-License-Identifier: MIT
 *
 * A cursor over bytes in network order that remembers its first error: read straight through,
 * check once. After an overrun every read gives 0 and nothing outside the bytes is touched.
 * (The idea is wire_ctx of Knot DNS.)
 */
#ifndef OVPNWATCH_PROTO_WIRE_H
#define OVPNWATCH_PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire {
	const uint8_t *p;
	size_t left;
	bool overrun; /* sticky: something was asked for beyond the end */
};

static inline struct wire wire_over(const void *bytes, size_t size)
{
	return (struct wire){.p = bytes, .left = size};
}

/* The next n bytes, borrowed, or NULL (and overrun) if there are fewer. */
static inline const uint8_t *wire_take(struct wire *w, size_t n)
{
	if (w->overrun || n > w->left) {
		w->overrun = true;
		return NULL;
	}
	const uint8_t *at = w->p;
	w->p += n;
	w->left -= n;
	return at;
}

static inline uint64_t wire_uint(struct wire *w, size_t n)
{
	uint64_t value = 0;
	const uint8_t *at = wire_take(w, n);
	for (size_t i = 0; at != NULL && i < n; i++)
		value = value << 8 | at[i];
	return value;
}

static inline uint8_t wire_u8(struct wire *w)
{
	return (uint8_t)wire_uint(w, 1);
}

static inline uint16_t wire_u16(struct wire *w)
{
	return (uint16_t)wire_uint(w, 2);
}

static inline uint32_t wire_u32(struct wire *w)
{
	return (uint32_t)wire_uint(w, 4);
}

static inline uint64_t wire_u64(struct wire *w)
{
	return wire_uint(w, 8);
}

/* Writes n bytes of `value` in network order at `at`, which has room for them. */
static inline void wire_put(uint8_t *at, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(value >> 8 * (n - 1 - i));
}

#endif
