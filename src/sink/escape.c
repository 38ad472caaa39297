/* SPDX-License-Identifier: MIT */
#include "sink/escape.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ELLIPSIS "..."

static void write_hex(unsigned char byte, char out[4])
{
	static const char hex[] = "0123456789abcdef";
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[byte >> 4];
	out[3] = hex[byte & 15];
}

size_t escape_text(const char *text, char *out, size_t size)
{
	size_t n = 0;
	assert(size > 0);
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		char piece[4] = {(char)*p};
		size_t need = 1;
		if (*p == '\\') {
			memcpy(piece, "\\\\", 2);
			need = 2;
		} else if (*p < 0x20 || *p > 0x7e) {
			write_hex(*p, piece);
			need = 4;
		}
		if (n + need >= size)
			break;
		memcpy(out + n, piece, need);
		n += need;
	}
	out[n] = '\0';
	return n;
}

/* One character of UTF-8 as RFC 3629 section 4 has it: its length, or 0 if these bytes are none.
 * Stops at the terminator, which is no continuation byte. */
static size_t utf8_decode(const unsigned char *p, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (n < 2) {
		*c = p[0];
		return n;
	}
	uint32_t value = p[0] & (0x7fu >> n);
	if (p[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3fu);
	}
	if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*c = value;
	return n;
}

/* Controls, and what Unicode calls format characters (Cf) or separators of lines: invisible, and
 * able to make a text look like another one. */
static bool misleads(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
	    {0x00, 0x1f},     {0x7f, 0x9f},	{0xad, 0xad},	    {0x61c, 0x61c},
	    {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
	    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* The next character or, of what is none or misleads, the next byte. */
struct piece {
	size_t taken; /* bytes of the text */
	size_t n;     /* bytes of the result, in `bytes` */
	size_t cost;  /* characters that an ASCII-only JSON string spends on it */
	char bytes[4];
};

static struct piece next_piece(const unsigned char *p)
{
	struct piece piece = {0};
	uint32_t c = 0;
	size_t n = utf8_decode(p, &c);
	if (n == 0 || misleads(c)) {
		piece.taken = 1;
		piece.n = 4;
		piece.cost = 5; /* the backslash is escaped once more */
		write_hex(*p, piece.bytes);
		return piece;
	}
	piece.taken = piece.n = n;
	memcpy(piece.bytes, p, n);
	if (n == 1)
		piece.cost = c == '"' || c == '\\' ? 2 : 1;
	else
		piece.cost = c < 0x10000 ? 6 : 12; /* \uXXXX, or a pair of surrogates */
	return piece;
}

size_t escape_json(const char *text, size_t budget, char *out, size_t size)
{
	const size_t dots = sizeof ELLIPSIS - 1;
	const unsigned char *p = (const unsigned char *)text;
	size_t n = 0, cost = 0, cut = 0; /* cut: how much may stay if the dots are needed */
	assert(size > dots);
	while (*p != '\0') {
		struct piece piece = next_piece(p);
		if (n + piece.n >= size || piece.cost > budget - cost) {
			memcpy(out + cut, ELLIPSIS, dots);
			n = cut + dots;
			break;
		}
		memcpy(out + n, piece.bytes, piece.n);
		n += piece.n;
		cost += piece.cost;
		p += piece.taken;
		if (n + dots < size && cost + dots <= budget)
			cut = n;
	}
	out[n] = '\0';
	return n;
}
