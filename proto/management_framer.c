/* SPDX-License-Identifier: MIT
 *
 * The framer of proto/management.h: bytes to lines. A line that lies whole in the input is handed
 * out where it lies; only what is torn goes through the buffer. Whatever the cutting, the lines and
 * the count of dropped ones are the same: a CR at the end of a piece is held back (it may belong to
 * the line end), and the prompt is matched byte by byte when it comes in pieces.
 */
#include "proto/management.h"

#include <assert.h>

/* manage.c man_prompt: the only thing that OpenVPN sends without a line end. */
static const char prompt[] = "ENTER PASSWORD:";
#define PROMPT_SIZE (sizeof prompt - 1)

void management_framer_init(struct management_framer *f, char *buf, size_t size)
{
	assert(size > 0 && size <= MANAGEMENT_LINE_MAX);
	*f = (struct management_framer){.buf = buf, .size = size};
}

static void drop(struct management_framer *f)
{
	f->have = 0;
	f->held_cr = false;
	f->dropping = true;
	f->dropped++;
}

/* Adds a piece to the torn line in buf; the line is dropped if it gets too long. */
static void keep(struct management_framer *f, struct slice piece)
{
	if (piece.n == 0)
		return;
	bool cr = piece.p[piece.n - 1] == '\r';
	piece.n -= cr;
	if (piece.n + f->held_cr > f->size - f->have) {
		drop(f);
		return;
	}
	if (f->held_cr) /* something came after it: it was part of the line */
		f->buf[f->have++] = '\r';
	if (piece.n > 0)
		memcpy(f->buf + f->have, piece.p, piece.n);
	f->have += piece.n;
	f->held_cr = cr;
}

/* At the start of a line: the prompt, in the input or half of it in buf already. */
static bool take_prompt(struct management_framer *f, struct slice *in, struct slice *line)
{
	if (f->size < PROMPT_SIZE || f->held_cr)
		return false; /* too long a line, or not its start */
	if (f->have == 0) {
		if (in->p[0] != 'E' || !slice_starts(*in, prompt))
			return false;
		*line = (struct slice){.p = in->p, .n = PROMPT_SIZE};
		*in = slice_skip(*in, PROMPT_SIZE);
		return true;
	}
	if (f->have >= PROMPT_SIZE || memcmp(f->buf, prompt, f->have) != 0)
		return false;
	while (f->have < PROMPT_SIZE && in->n > 0 && in->p[0] == prompt[f->have]) {
		f->buf[f->have++] = in->p[0];
		*in = slice_skip(*in, 1);
	}
	if (f->have < PROMPT_SIZE)
		return false;
	*line = (struct slice){.p = f->buf, .n = f->have};
	f->handed_out = true;
	return true;
}

/* The end of the line in progress has come: `piece` is what stood before the newline. */
static bool finish(struct management_framer *f, struct slice piece, struct slice *line)
{
	if (f->dropping) {
		f->dropping = false;
		return false;
	}
	if (f->have == 0 && !f->held_cr) {
		piece.n -= piece.n > 0 && piece.p[piece.n - 1] == '\r';
		if (piece.n > f->size) {
			f->dropped++;
			return false;
		}
		*line = piece;
		return true;
	}
	keep(f, piece);
	if (f->dropping) {
		f->dropping = false;
		return false;
	}
	f->held_cr = false;
	f->handed_out = true;
	*line = (struct slice){.p = f->buf, .n = f->have};
	return true;
}

enum verdict management_framer_next(struct management_framer *f, struct slice *in,
				    struct slice *line)
{
	if (f->handed_out) {
		f->handed_out = false;
		f->have = 0;
	}
	while (in->n > 0) {
		if (!f->dropping && take_prompt(f, in, line))
			return VERDICT_DONE;
		const char *end = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;
		if (end == NULL) {
			if (!f->dropping)
				keep(f, *in);
			*in = slice_skip(*in, in->n);
			return VERDICT_MORE;
		}
		struct slice piece = {.p = in->p, .n = (size_t)(end - in->p)};
		*in = slice_skip(*in, piece.n + 1);
		if (finish(f, piece, line))
			return VERDICT_DONE;
	}
	return VERDICT_MORE;
}
