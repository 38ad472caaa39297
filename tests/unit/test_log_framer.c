/* SPDX-License-Identifier: MIT */
#include "proto/log_framer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static char room[LOG_LINE_MAX];

/* The lines of `text`, torn into pieces of `piece` bytes, each followed by '|'. */
static char *cut(const char *text, size_t n, size_t piece, struct log_framer *f)
{
	static char out[4 * LOG_LINE_MAX];
	size_t used = 0;
	struct slice line;
	for (size_t at = 0; at < n; at += piece) {
		size_t m = n - at < piece ? n - at : piece;
		char *exact = malloc(m); /* a byte too far is seen by ASan */
		assert_non_null(exact);
		memcpy(exact, text + at, m);
		struct slice in = {.p = exact, .n = m};
		while (log_framer_next(f, &in, &line) == VERDICT_DONE) {
			memcpy(out + used, line.p, line.n);
			used += line.n;
			out[used++] = '|';
		}
		assert_int_equal(in.n, 0);
		free(exact);
	}
	out[used] = '\0';
	return out;
}

static void torn(void **state)
{
	(void)state;
	static const char text[] = "a\nbc\r\n\n\0\0d\0e\nrest";
	for (size_t piece = 1; piece < sizeof text; piece++) {
		struct log_framer f;
		struct slice line;
		log_framer_init(&f, room);
		assert_string_equal(cut(text, sizeof text - 1, piece, &f), "a|bc\r||d");
		assert_memory_equal(cut("", 0, 1, &f), "", 1);
		assert_int_equal(log_framer_end(&f, &line), VERDICT_DONE);
		assert_true(slice_is(line, "rest"));
		assert_int_equal(log_framer_end(&f, &line), VERDICT_MORE);
	}
}

static void begins_within(void **state)
{
	(void)state;
	struct log_framer f;
	struct slice line;
	log_framer_init(&f, room);
	log_framer_skip(&f);
	assert_string_equal(cut("half of it\nwhole\n", 17, 3, &f), "whole|");
	log_framer_skip(&f);
	assert_int_equal(log_framer_end(&f, &line), VERDICT_MORE);
	assert_string_equal(cut("next\n", 5, 5, &f), "next|");
}

/* One byte less than too long, as long as there is room, too long: however it is torn. */
static void long_lines(void **state)
{
	(void)state;
	static char text[2 * LOG_LINE_MAX];
	static const size_t pieces[] = {
	    1, 7, LOG_LINE_MAX - 1, LOG_LINE_MAX, LOG_LINE_MAX + 1, sizeof text};
	for (size_t n = LOG_LINE_MAX - 1; n <= LOG_LINE_MAX + 2; n++) {
		memset(text, 'x', n);
		memcpy(text + n, "\nb\n", 3);
		for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
			struct log_framer f;
			size_t whole = n < LOG_LINE_MAX ? n : LOG_LINE_MAX;
			log_framer_init(&f, room);
			const char *out = cut(text, n + 3, pieces[i], &f);
			assert_int_equal(strlen(out), whole + 3);
			assert_string_equal(out + whole, "|b|");
			assert_int_equal(f.overlong, n > LOG_LINE_MAX);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(torn),
	    cmocka_unit_test(begins_within),
	    cmocka_unit_test(long_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
