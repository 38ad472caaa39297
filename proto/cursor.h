/* SPDX-License-Identifier: MIT
 *
 * A cursor over text, as wire.h is one over bytes: what is not read yet. Where one form is tried
 * after another, a reader that does not find what it looks for leaves the cursor where it was.
 */
#ifndef OVPNWATCH_PROTO_CURSOR_H
#define OVPNWATCH_PROTO_CURSOR_H

#include "proto/slice.h"

struct cursor {
	const char *p;
	const char *end;
};

static inline struct cursor cursor_over(struct slice text)
{
	if (text.n == 0)
		text.p = "";
	return (struct cursor){.p = text.p, .end = text.p + text.n};
}

static inline bool cursor_at_end(const struct cursor *c)
{
	return c->p == c->end;
}

static inline bool cursor_take(struct cursor *c, char wanted)
{
	if (cursor_at_end(c) || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

/* All of a fixed text. */
static inline bool cursor_take_text(struct cursor *c, const char *wanted)
{
	size_t n = strlen(wanted);
	if ((size_t)(c->end - c->p) < n || memcmp(c->p, wanted, n) != 0)
		return false;
	c->p += n;
	return true;
}

/* `min` to `max` digits (at most 18). */
static inline bool cursor_take_digits(struct cursor *c, int min, int max, int64_t *out)
{
	int64_t value = 0;
	const char *p = c->p;
	for (; p < c->end && p - c->p < max && *p >= '0' && *p <= '9'; p++)
		value = value * 10 + (*p - '0');
	if (p - c->p < min)
		return false;
	c->p = p;
	*out = value;
	return true;
}

#endif
