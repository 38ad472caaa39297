/* SPDX-License-Identifier: MIT */
#include "proto/log_framer.h"

#include <assert.h>

void log_framer_init(struct log_framer *f, char *buf)
{
	assert(buf != NULL);
	*f = (struct log_framer){.buf = buf};
}

void log_framer_skip(struct log_framer *f)
{
	f->have = 0;
	f->dropping = true;
}

static void skip_nuls(struct slice *in)
{
	while (in->n > 0 && in->p[0] == '\0')
		*in = slice_skip(*in, 1);
}

/* Takes the line in progress. */
static void give_out(struct log_framer *f, struct slice *line)
{
	*line = (struct slice){.p = f->buf, .n = f->have};
	f->have = 0;
}

static void keep(struct log_framer *f, struct slice part)
{
	memcpy(f->buf + f->have, part.p, part.n);
	f->have += part.n;
}

enum verdict log_framer_next(struct log_framer *f, struct slice *in, struct slice *line)
{
	while (in->n > 0) {
		if (f->have == 0 && !f->dropping)
			skip_nuls(in);
		const char *end = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;
		size_t n = end != NULL ? (size_t)(end - in->p) : in->n;
		if (f->dropping) {
			*in = slice_skip(*in, end != NULL ? n + 1 : n);
			f->dropping = end == NULL;
			continue;
		}
		size_t room = LOG_LINE_MAX - f->have;
		if (n > room) {
			keep(f, (struct slice){.p = in->p, .n = room});
			*in = slice_skip(*in, room);
			f->dropping = true;
			f->overlong++;
			give_out(f, line);
			return VERDICT_DONE;
		}
		if (n > 0)
			keep(f, (struct slice){.p = in->p, .n = n});
		*in = slice_skip(*in, end != NULL ? n + 1 : n);
		if (end != NULL) {
			give_out(f, line);
			return VERDICT_DONE;
		}
	}
	return VERDICT_MORE;
}

enum verdict log_framer_end(struct log_framer *f, struct slice *line)
{
	f->dropping = false;
	if (f->have == 0)
		return VERDICT_MORE;
	give_out(f, line);
	return VERDICT_DONE;
}
