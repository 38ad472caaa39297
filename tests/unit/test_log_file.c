/* SPDX-License-Identifier: MIT
 *
 * A file that may hang is looked at by another thread: the same things come of it. (What comes of
 * files at all is in test_log_follow.c.)
 */
#include "io/log_file.h"

#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "unit/loop_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static char folder[64], path[96], other[96];
static struct log_file *file;
static char told[1024]; /* the bytes, "+" followed, "~" cut, "-" anything else */
static unsigned n_told, n_closed;
static bool close_now;

static void add(const char *text, size_t n)
{
	size_t have = strlen(told);
	assert_true(have + n < sizeof told);
	memcpy(told + have, text, n);
	told[have + n] = '\0';
	n_told++;
	if (close_now) {
		log_file_close(file);
		close_now = false;
	}
}

static void on_tail(void *arg, struct slice tail, nsec changed)
{
	assert_ptr_equal(arg, told);
	assert_true(tail.n > 0 && changed > 0);
}

static void on_within(void *arg)
{
	(void)arg;
	fail();
}

static void on_bytes(void *arg, struct slice in)
{
	(void)arg;
	add(in.p, in.n);
}

static void on_cut(void *arg)
{
	(void)arg;
	add("~", 1);
}

static void on_news(void *arg, enum log_file_change change, const char *reason)
{
	(void)arg;
	(void)reason;
	add(change == LOG_FILE_FOLLOWED ? "+" : "-", 1);
}

static void on_closed(void *arg)
{
	(void)arg;
	n_closed++;
}

static int begin(void **state)
{
	snprintf(folder, sizeof folder, "/tmp/ovpnwatch-file-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	snprintf(other, sizeof other, "%s/log.1", folder);
	told[0] = '\0';
	n_told = n_closed = 0;
	close_now = false;
	loop_begin(state);
	loop_clock_begin();
	return 0;
}

static int end(void **state)
{
	loop_clock_end();
	int rc = loop_end(state);
	unlink(path);
	unlink(other);
	rmdir(folder);
	return rc;
}

static void put(int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void open_it(bool far)
{
	const struct log_reader reader = {.tail = on_tail,
					  .within = on_within,
					  .bytes = on_bytes,
					  .cut = on_cut,
					  .news = on_news,
					  .closed = on_closed,
					  .arg = told};
	assert_int_equal(log_file_open(&file, &loop, path, far, &reader), 0);
}

static void close_it(void)
{
	log_file_close(file);
	loop_drain();
	assert_int_equal(n_closed, 1);
}

static void near_or_far(bool far)
{
	open_it(far);
	loop_until(&n_told, 1);
	put(0, "ab");
	loop_until(&n_told, 3);
	put(O_APPEND, "c");
	loop_until(&n_told, 4);
	put(O_TRUNC, "d");
	loop_until(&n_told, 6);
	assert_int_equal(rename(path, other), 0);
	put(0, "e");
	loop_until(&n_told, 8);
	assert_string_equal(told, "-+abc~d~e");
	close_it();
}

static void near(void **state)
{
	(void)state;
	near_or_far(false);
}

static void far(void **state)
{
	(void)state;
	near_or_far(true);
}

static void its_past(void **state)
{
	(void)state;
	put(0, "ab\n");
	open_it(true);
	loop_until(&n_told, 2);
	put(O_APPEND, "c\n");
	loop_until(&n_told, 3);
	assert_string_equal(told, "ab\n+c\n");
	close_it();
}

/* At any moment: while the other thread is at it, and from within what it tells. */
static void closed_meanwhile(void **state)
{
	(void)state;
	put(0, "ab\n");
	open_it(true);
	close_it();
	for (unsigned turns = 1; turns < 6; turns++) {
		n_closed = 0;
		open_it(true);
		for (unsigned i = 0; i < turns; i++)
			uv_run(&loop, UV_RUN_NOWAIT);
		close_it();
	}
	n_closed = 0;
	told[0] = '\0';
	close_now = true;
	open_it(true);
	loop_until(&n_closed, 1);
	assert_string_equal(told, "ab\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(near, begin, end),
	    cmocka_unit_test_setup_teardown(far, begin, end),
	    cmocka_unit_test_setup_teardown(its_past, begin, end),
	    cmocka_unit_test_setup_teardown(closed_meanwhile, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
