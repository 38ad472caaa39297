/* SPDX-License-Identifier: MIT
 *
 * Logs that are followed, with real files and pipes in a folder of their own.
 */
#include "io/log_follow.h"

#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "unit/loop_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[64], path[96], other[96];
static struct tunnel *const tunnel = (struct tunnel *)folder; /* any address will do */
static struct log_follow *follow;
/* What was told, in order: "past:x " and "x " are lines, "+" followed, "absent " and so on. */
static char told[8192];
static nsec written;
static bool here;
static unsigned n_lines, n_past, n_followed, n_news;
static const char *close_at; /* the line at which the sink closes it */

static void sink(void *arg, const struct event *e)
{
	static const char *const news[] = {[LOG_FILE_FOLLOWED] = "+",
					   [LOG_FILE_ABSENT] = "absent ",
					   [LOG_FILE_GONE] = "gone ",
					   [LOG_FILE_ENDED] = "ended "};
	size_t n = strlen(told);
	assert_ptr_equal(arg, told);
	assert_ptr_equal(e->tunnel, tunnel);
	if (e->kind == EVENT_LOG_FILE) {
		snprintf(told + n, sizeof told - n, "%s", news[e->u.log_file.change]);
		assert_int_equal(e->u.log_file.change == LOG_FILE_FOLLOWED,
				 e->u.log_file.reason == NULL);
		n_followed += e->u.log_file.change == LOG_FILE_FOLLOWED;
		n_news++;
		return;
	}
	assert_int_equal(e->kind, EVENT_LOG);
	snprintf(told + n, sizeof told - n, "%s%.*s ", e->log.history ? "past:" : "",
		 (int)(e->u.line.n < 40 ? e->u.line.n : 40), e->u.line.p);
	written = e->log.written;
	here = e->log.here;
	n_past += e->log.history;
	n_lines++;
	if (close_at != NULL && slice_is(e->u.line, close_at)) {
		log_follow_close(follow);
		follow = NULL;
	}
}

static int begin(void **state)
{
	snprintf(folder, sizeof folder, "/tmp/ovpnwatch-log-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	snprintf(other, sizeof other, "%s/log.1", folder);
	told[0] = '\0';
	n_lines = n_past = n_followed = n_news = 0;
	close_at = NULL;
	loop_begin(state);
	loop_clock_begin();
	return 0;
}

static int end(void **state)
{
	if (follow != NULL)
		log_follow_close(follow);
	follow = NULL;
	loop_clock_end();
	int rc = loop_end(state);
	unlink(path);
	unlink(other);
	rmdir(folder);
	return rc;
}

static void put(const char *file, int flags, const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | flags, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void append(const char *text)
{
	put(path, O_APPEND, text);
}

static void open_log(const char *name)
{
	assert_int_equal(log_follow_open(&follow, &loop, name, tunnel, sink, told), 0);
	assert_string_equal(told, "");
}

static void lines(unsigned n)
{
	loop_until(&n_lines, n);
}

static void grows(void **state)
{
	(void)state;
	put(path, 0, "a\nb\r\n\nc");
	open_log(path);
	loop_until(&n_followed, 1);
	assert_string_equal(told, "past:a past:b +");
	append("d\n");
	append("e\nf\ng");
	lines(5);
	assert_string_equal(told, "past:a past:b +cd e f ");
	append("\n");
	lines(6);
	assert_string_equal(told, "past:a past:b +cd e f g ");
}

static void absent_at_first(void **state)
{
	(void)state;
	open_log(path);
	loop_until(&n_news, 1);
	assert_string_equal(told, "absent ");
	append("a\n");
	lines(1);
	assert_string_equal(told, "absent +a ");
}

/* A daemon that was not told goes on to write where it did, until the new one has something. */
static void moved_away(void **state)
{
	(void)state;
	put(path, 0, "a\n");
	open_log(path);
	loop_until(&n_followed, 1);
	int old = open(path, O_WRONLY | O_APPEND);
	assert_true(old >= 0);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(write(old, "b\n", 2), 2);
	lines(2);
	put(path, 0, "");
	assert_int_equal(write(old, "c\nd", 3), 3);
	lines(3);
	append("e\n");
	lines(5);
	append("f\n");
	lines(6);
	assert_string_equal(told, "past:a +b c d e f ");
	close(old);
}

static void cut_off(void **state)
{
	(void)state;
	put(path, 0, "a\nbbbb");
	open_log(path);
	loop_until(&n_followed, 1);
	put(path, O_TRUNC, "c\n");
	lines(3);
	append("d\n");
	lines(4);
	assert_string_equal(told, "past:a +bbbb c d ");
}

/* A writer that does not append leaves a hole where it was cut off. */
static void cut_off_under_a_writer(void **state)
{
	(void)state;
	put(path, 0, "aaaaaaaa\n");
	open_log(path);
	int fd = open(path, O_WRONLY);
	assert_int_equal(lseek(fd, 0, SEEK_END), 9);
	loop_until(&n_followed, 1);
	assert_int_equal(truncate(path, 0), 0);
	for (int i = 0; i < 20; i++) { /* it is seen that it is empty */
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_int_equal(write(fd, "b\n", 2), 2);
	lines(2);
	assert_string_equal(told, "past:aaaaaaaa +b ");
	close(fd);
}

static void removed_and_back(void **state)
{
	(void)state;
	put(path, 0, "a\n");
	open_log(path);
	loop_until(&n_followed, 1);
	unlink(path);
	loop_until(&n_news, 2);
	append("b\n");
	lines(2);
	assert_string_equal(told, "past:a +gone +b ");
}

static void a_burst(void **state)
{
	(void)state;
	enum { N = 20000 };
	put(path, 0, "");
	open_log(path);
	loop_until(&n_followed, 1);
	FILE *file = fopen(path, "a");
	assert_non_null(file);
	for (int i = 0; i < N; i++)
		fprintf(file, "2024-01-15 18:36:43 us=%d line %d\n", i + 1, i);
	fclose(file);
	lines(N);
	assert_int_equal(n_past, 0);
	append("last\n");
	lines(N + 1);
}

/* Of a long file, its end is enough; it begins with a whole line. */
static void a_long_past(void **state)
{
	(void)state;
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 2 * LOG_PAST / 32; i++)
		fprintf(file, "%030d\n", i); /* does not divide the part that is read */
	fclose(file);
	open_log(path);
	loop_until(&n_followed, 1);
	assert_in_range(n_past, LOG_PAST / 31 - 2, LOG_PAST / 31);
	assert_memory_equal(told, "past:0000", 9);
	assert_int_equal(strcspn(told + 5, " "), 30);
}

static void a_line_without_end(void **state)
{
	(void)state;
	static char flood[40000];
	put(path, 0, "");
	open_log(path);
	loop_until(&n_followed, 1);
	memset(flood, 'x', sizeof flood - 1);
	append(flood);
	lines(1);
	append("yyy\nz\n");
	lines(2);
	assert_non_null(strstr(told, "x z "));
}

static void may_not_be_read(void **state)
{
	(void)state;
	if (geteuid() == 0) { /* may read everything: something else that cannot be read */
		assert_int_equal(mkdir(path, 0700), 0);
	} else {
		put(path, 0, "a\n");
		assert_int_equal(chmod(path, 0), 0);
	}
	open_log(path);
	loop_until(&n_news, 1);
	assert_string_equal(told, "absent ");
	rmdir(path);
	unlink(path);
	append("b\n");
	lines(1);
	assert_string_equal(told, "absent +b ");
}

static void closed_from_within(void **state)
{
	(void)state;
	put(path, 0, "a\nb\nc\n");
	close_at = "b";
	open_log(path);
	lines(2);
	loop_drain();
	assert_string_equal(told, "past:a past:b ");
	close_at = NULL;
	told[0] = '\0';
	open_log(path);
	log_follow_close(follow);
	follow = NULL;
	loop_drain();
	assert_string_equal(told, "");
}

/* What a pipe has at once is old: journalctl -f begins with the last ten lines. */
static void a_fifo(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	open_log(path);
	int fd = open(path, O_WRONLY);
	assert_int_equal(write(fd, "a\nb\n", 4), 4);
	loop_until(&n_followed, 1);
	assert_string_equal(told, "past:a past:b +");
	assert_int_equal(write(fd, "c\nd", 3), 3);
	lines(3);
	close(fd); /* the next writer goes on */
	fd = open(path, O_WRONLY);
	assert_int_equal(write(fd, "e\n", 2), 2);
	lines(4);
	close(fd);
	assert_string_equal(told, "past:a past:b +c de ");
}

/* A line that was written just now is not old, whatever came before. */
static void a_fresh_line(void **state)
{
	(void)state;
	char text[96], stamp[40];
	const time_t now = time(NULL), before = now - 3600;
	struct tm civil;
	assert_int_equal(mkfifo(path, 0600), 0);
	open_log(path);
	int fd = open(path, O_WRONLY);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&before, &civil));
	snprintf(text, sizeof text, "%s host openvpn[1]: a\n", stamp);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lines(1);
	assert_int_equal(written / NSEC_PER_SEC, before);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &civil));
	snprintf(text, sizeof text, "%s host openvpn[1]: b\nc\n", stamp);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lines(3);
	close(fd);
	assert_string_equal(told, "past:a +b c ");
}

/* The journal of this machine, or of another. */
static void whose_journal(void **state)
{
	(void)state;
	char host[256] = "", text[400];
	gethostname(host, sizeof host - 1);
	put(path, 0, "Jan 15 18:36:43 elsewhere openvpn[1]: a\n");
	open_log(path);
	lines(1);
	assert_false(here);
	snprintf(text, sizeof text, "Jan 15 18:36:43 %s openvpn[1]: b\n", host);
	append(text);
	lines(2);
	assert_int_equal(here, strncmp(host, "localhost", 9) != 0);
	snprintf(text, sizeof text, "Jan 15 18:36:43 %s.example.org openvpn[1]: b\n", host);
	append(text);
	lines(3);
	assert_int_equal(here, strncmp(host, "localhost", 9) != 0);
	append("openvpn[1]: b\n");
	lines(4);
	assert_false(here);
}

static void standard_input(void **state)
{
	(void)state;
	int ends[2], kept = dup(STDIN_FILENO);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	open_log("-");
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0); /* it is others', too */
	assert_int_equal(write(ends[1], "a\n", 2), 2);
	loop_until(&n_followed, 1);
	assert_int_equal(write(ends[1], "b\nc", 3), 3);
	close(ends[1]);
	loop_until(&n_news, 2);
	assert_string_equal(told, "past:a +b c ended ");
	log_follow_close(follow);
	follow = NULL;
	loop_drain();
	dup2(kept, STDIN_FILENO);
	close(kept);
}

static void nothing_to_read(void **state)
{
	(void)state;
	open_log("/dev/null");
	loop_until(&n_news, 2);
	assert_string_equal(told, "+ended ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(grows, begin, end),
	    cmocka_unit_test_setup_teardown(absent_at_first, begin, end),
	    cmocka_unit_test_setup_teardown(moved_away, begin, end),
	    cmocka_unit_test_setup_teardown(cut_off, begin, end),
	    cmocka_unit_test_setup_teardown(cut_off_under_a_writer, begin, end),
	    cmocka_unit_test_setup_teardown(removed_and_back, begin, end),
	    cmocka_unit_test_setup_teardown(a_burst, begin, end),
	    cmocka_unit_test_setup_teardown(a_long_past, begin, end),
	    cmocka_unit_test_setup_teardown(a_line_without_end, begin, end),
	    cmocka_unit_test_setup_teardown(may_not_be_read, begin, end),
	    cmocka_unit_test_setup_teardown(closed_from_within, begin, end),
	    cmocka_unit_test_setup_teardown(a_fifo, begin, end),
	    cmocka_unit_test_setup_teardown(a_fresh_line, begin, end),
	    cmocka_unit_test_setup_teardown(whose_journal, begin, end),
	    cmocka_unit_test_setup_teardown(standard_input, begin, end),
	    cmocka_unit_test_setup_teardown(nothing_to_read, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
