/* SPDX-License-Identifier: MIT */
#include "proto/management_input.h"

/* A request of HTTP begins with one of these and a space, and no command of OpenVPN does. */
static const char *const methods[] = {"GET",	"POST",	   "PUT",   "HEAD",  "OPTIONS",
				      "DELETE", "CONNECT", "TRACE", "PATCH", "PRI"};
#define METHOD_SIZE 8 /* the longest, with its space */

static bool is_method(struct slice word)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (slice_is(word, methods[i]))
			return true;
	return false;
}

/* "… HTTP/1.1" at the end of a line, whatever its method is called. */
static bool is_request(struct slice line)
{
	return line.n > 9 && slice_starts(slice_skip(line, line.n - 9), " HTTP/");
}

/* buffer.c char_class, CC_PRINT: bytes of UTF-8 are let through. */
static bool is_printable(unsigned char c)
{
	return c >= ' ' && c != 0x7f;
}

void management_input_wipe(struct management_input *m)
{
	explicit_bzero(m, sizeof *m);
}

enum verdict management_input_next(struct management_input *m, struct slice *in, struct slice *line)
{
	if (m->handed_out)
		management_input_wipe(m);
	while (in->n > 0) {
		char c = in->p[0];
		*in = slice_skip(*in, 1);
		if (c == '\n') {
			*line = (struct slice){.p = m->line, .n = m->n};
			if (is_request(*line))
				return VERDICT_INVALID;
			m->handed_out = true;
			return VERDICT_DONE;
		}
		if (!is_printable((unsigned char)c))
			continue;
		if (c == ' ' && m->n < METHOD_SIZE &&
		    is_method((struct slice){.p = m->line, .n = m->n}))
			return VERDICT_INVALID;
		if (m->n == sizeof m->line)
			management_input_wipe(m);
		else
			m->line[m->n++] = c;
	}
	return VERDICT_MORE;
}
