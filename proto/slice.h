/* SPDX-License-Identifier: MIT
 *
 * A run of bytes that belongs to somebody else: not terminated, not owned, valid as long as what
 * it was cut from. All functions are total: any slice, also an empty one with p == NULL, will do.
 */
#ifndef OVPNWATCH_PROTO_SLICE_H
#define OVPNWATCH_PROTO_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

#define SLICE(literal)                                   \
	(struct slice)                                   \
	{                                                \
		.p = (literal), .n = sizeof(literal) - 1 \
	}

static inline struct slice slice_from(const char *string)
{
	return (struct slice){.p = string, .n = string != NULL ? strlen(string) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_is(struct slice a, const char *string)
{
	return slice_equal(a, slice_from(string));
}

static inline bool slice_starts(struct slice a, const char *prefix)
{
	size_t n = strlen(prefix);
	return a.n >= n && memcmp(a.p, prefix, n) == 0;
}

/* The slice without its first `n` bytes (without any, if it has fewer). */
static inline struct slice slice_skip(struct slice a, size_t n)
{
	if (n > a.n)
		n = a.n;
	return (struct slice){.p = n > 0 ? a.p + n : a.p, .n = a.n - n};
}

/* Takes the part before the first `separator` off the front of `rest`, and the separator with it.
 * Without a separator the part is all of `rest`, which is then empty with p == NULL. */
struct slice slice_cut(struct slice *rest, char separator);

/* Where `needle` begins in `a`, or SIZE_MAX. An empty needle is nowhere. */
size_t slice_find(struct slice a, const char *needle);

/* Without spaces, tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice a);

/* Decimal digits and nothing else, at least one, up to UINT64_MAX. False leaves *out alone. */
bool slice_to_u64(struct slice a, uint64_t *out) __attribute__((warn_unused_result));

/* Copies into buf (size > 0), always terminated; what does not fit is cut. NUL bytes become '?'.
 * Returns the length of the result. */
size_t slice_copy(struct slice a, char *buf, size_t size);

#endif
