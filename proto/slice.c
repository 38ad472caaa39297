/* SPDX-License-Identifier: MIT */
#include "proto/slice.h"

#include <assert.h>

struct slice slice_cut(struct slice *rest, char separator)
{
	struct slice part = *rest;
	const char *at = rest->n > 0 ? memchr(rest->p, separator, rest->n) : NULL;
	if (at == NULL) {
		*rest = (struct slice){0};
		return part;
	}
	part.n = (size_t)(at - rest->p);
	*rest = slice_skip(*rest, part.n + 1);
	return part;
}

size_t slice_find(struct slice a, const char *needle)
{
	size_t n = strlen(needle);
	if (a.n == 0 || n == 0)
		return SIZE_MAX;
	const char *at = memmem(a.p, a.n, needle, n);
	return at != NULL ? (size_t)(at - a.p) : SIZE_MAX;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice a)
{
	while (a.n > 0 && is_blank(a.p[0]))
		a = slice_skip(a, 1);
	while (a.n > 0 && is_blank(a.p[a.n - 1]))
		a.n--;
	return a;
}

bool slice_to_u64(struct slice a, uint64_t *out)
{
	uint64_t value = 0;
	if (a.n == 0)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] < '0' || a.p[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(a.p[i] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

size_t slice_copy(struct slice a, char *buf, size_t size)
{
	assert(size > 0);
	size_t n = a.n < size - 1 ? a.n : size - 1;
	for (size_t i = 0; i < n; i++)
		buf[i] = a.p[i] != '\0' ? a.p[i] : '?';
	buf[n] = '\0';
	return n;
}
