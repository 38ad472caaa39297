/* SPDX-License-Identifier: MIT
 *
 * proto/log_framer, proto/log_line, its joiner and proto/log_text over a log of any bytes: the
 * lines are the same however they are torn, slices stay inside their lines, a line that was joined
 * begins with the same stamp as its first part, unstamped logs are not joined, and no line that
 * says something is lost.
 */
#include "fuzz/check.h"
#include "proto/log_framer.h"
#include "proto/log_line.h"
#include "proto/log_text.h"
#include "proto/timestamp.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice line, struct slice part)
{
	CHECK(part.n == 0 || (part.p >= line.p && part.p + part.n <= line.p + line.n));
}

static void check_text(struct slice text)
{
	struct log_fact f;
	log_text_parse(text, &f);
	check_inside(text, f.client);
	check_inside(text, f.text);
	check_inside(text, f.signal);
	CHECK(f.seconds >= -1 && f.ping >= -1 && f.ping_restart >= -1 && f.time >= -1);
	CHECK(f.kind != LOG_SIGNAL || f.signal.n > 0);
	CHECK(f.kind == LOG_SIGNAL || f.signal.n == 0);
	CHECK((f.kind == LOG_REMOTE && f.text.n > 0) || f.port == 0);
}

static bool check_line(struct slice line)
{
	char stamp[TIMESTAMP_SIZE];
	struct log_line l;
	log_line_parse(line, &l);
	check_inside(line, l.text);
	check_inside(line, l.ident);
	check_inside(line, l.host);
	CHECK(l.pid >= -1 && l.pid <= INT32_MAX);
	CHECK(l.stamped || (l.ident.n == 0 && l.pid == -1));
	CHECK(l.stamped || (!l.has_zone && !l.has_year && !l.fraction && l.time == 0));
	/* one day beyond 1970 to 2261, for the zone */
	CHECK(l.time >= -86400 * NSEC_PER_SEC && l.time / NSEC_PER_SEC < INT64_C(9214646400));
	timestamp_format(l.time, stamp);
	CHECK(strlen(stamp) == 24);
	CHECK(l.has_year || !l.has_zone);
	if (l.stamped && !l.has_year) {
		nsec in_2023 = log_line_with_year(l.time, 2023);
		CHECK(in_2023 >= civil_to_nsec(2023, 1, 1, 0, 0, 0));
		CHECK(in_2023 < civil_to_nsec(2024, 1, 1, 0, 0, 1)); /* a leap second */
	}
	check_text(l.text);
	return l.stamped;
}

static uint64_t mix(uint64_t hash, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
	return (hash ^ s.n) * UINT64_C(1099511628211);
}

static uint64_t framed(struct slice whole, size_t piece)
{
	static char room[LOG_LINE_MAX];
	struct log_framer f;
	struct slice line;
	uint64_t hash = 0;
	log_framer_init(&f, room);
	while (whole.n > 0) {
		struct slice in = {.p = whole.p, .n = whole.n < piece ? whole.n : piece};
		whole = slice_skip(whole, in.n);
		while (log_framer_next(&f, &in, &line) == VERDICT_DONE) {
			CHECK(line.n <= LOG_LINE_MAX && (line.n == 0 || line.p[0] != '\0'));
			hash = mix(hash, line);
		}
		CHECK(in.n == 0);
	}
	if (log_framer_end(&f, &line) == VERDICT_DONE)
		hash = mix(hash, line);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	const struct slice whole_log = {.p = (const char *)data + 1, .n = size - 1};
	CHECK(framed(whole_log, SIZE_MAX) == framed(whole_log, 1 + data[0] % 16));
	struct slice rest = {.p = (const char *)data + 1, .n = size - 1};
	size_t room = data[0] < 128 ? (size_t)data[0] + 2 : 4 * size + 2;
	char *buf = malloc(room);
	struct log_joiner j;
	struct slice whole;
	size_t lines = 0;
	size_t stamps = 0;
	size_t wholes = 0;
	size_t stamped_wholes = 0;
	CHECK(buf != NULL);
	log_joiner_init(&j, buf, room);
	while (rest.n > 0) {
		struct slice line = slice_cut(&rest, '\n');
		lines += slice_trim(line).n > 0;
		stamps += check_line(line);
		if (log_joiner_add(&j, line, &whole) == VERDICT_DONE) {
			CHECK(whole.n <= room / 2);
			stamped_wholes += check_line(whole);
			wholes++;
		}
	}
	if (log_joiner_end(&j, &whole) == VERDICT_DONE) {
		stamped_wholes += check_line(whole);
		wholes++;
	}
	CHECK(wholes <= lines && (lines == 0) == (wholes == 0));
	if (stamps == 0)
		CHECK(wholes == lines);
	if (room > 2 * size) /* nothing was cut */
		CHECK(stamped_wholes == stamps);
	free(buf);
	return 0;
}
