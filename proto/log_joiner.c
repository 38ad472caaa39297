/* SPDX-License-Identifier: MIT
 *
 * The joiner of proto/log_line.h. The buffer's halves take turns: one holds the line that was just
 * handed out, the other the line in progress.
 */
#include "proto/log_line.h"

#include <assert.h>

void log_joiner_init(struct log_joiner *j, char *buf, size_t size)
{
	assert(buf != NULL && size >= 2);
	*j = (struct log_joiner){.buf = buf, .size = size};
}

static char *half(const struct log_joiner *j)
{
	return j->buf + (j->upper ? j->size / 2 : 0);
}

static void append(struct log_joiner *j, struct slice s)
{
	size_t room = j->size / 2 - j->have;
	size_t n = s.n < room ? s.n : room;
	if (n > 0)
		memcpy(half(j) + j->have, s.p, n);
	j->have += n;
}

enum verdict log_joiner_end(struct log_joiner *j, struct slice *whole)
{
	if (!j->holding)
		return VERDICT_MORE;
	*whole = (struct slice){.p = half(j), .n = j->have};
	j->holding = false;
	j->upper = !j->upper;
	j->have = 0;
	return VERDICT_DONE;
}

enum verdict log_joiner_add(struct log_joiner *j, struct slice line, struct slice *whole)
{
	struct log_line parsed;
	struct slice trimmed = slice_trim(line);
	log_line_parse(line, &parsed);
	if (!parsed.stamped && j->stamped && j->holding && trimmed.n > 0) {
		if (j->have > 0 && half(j)[j->have - 1] != ' ')
			append(j, SLICE(" "));
		append(j, trimmed);
		return VERDICT_MORE;
	}
	enum verdict v = log_joiner_end(j, whole);
	if (trimmed.n > 0) {
		j->stamped = j->stamped || parsed.stamped;
		j->holding = true;
		append(j, trimmed);
	}
	return v;
}
