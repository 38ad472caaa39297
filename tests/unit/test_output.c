/* SPDX-License-Identifier: MIT
 *
 * The output against everything that standard output can be, and every reader that it can have.
 */
#include "io/output.h"
#include "io/stamp_now.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MANY 4000

struct bench {
	uv_loop_t loop;
	struct output output;
	int ended;
	int reader; /* our end; -1: closed */
	int writer; /* the end that the output was given */
	/* what the reader made of it */
	char *text;
	size_t n;
	uint64_t lines, last_seq, told_dropped, announcements;
};

static void on_ended(void *arg)
{
	struct bench *b = arg;
	b->ended++;
}

static bool has_ended(void *arg)
{
	const struct bench *b = arg;
	return b->ended > 0;
}

static struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof *b);
	assert_non_null(b);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->reader = b->writer = -1;
	return b;
}

static void bench_open(struct bench *b, uv_loop_t *loop, int writer, int reader)
{
	b->writer = writer;
	b->reader = reader;
	assert_int_equal(output_open_fd(&b->output, loop, writer, false, FORMAT_AUTO, on_ended, b),
			 0);
}

static struct bench *bench_with_pipe(void)
{
	struct bench *b = bench_new();
	int fd[2];
	assert_int_equal(pipe(fd), 0);
	bench_open(b, &b->loop, fd[1], fd[0]);
	return b;
}

static struct bench *bench_with_socket(void)
{
	struct bench *b = bench_new();
	int fd[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	bench_open(b, &b->loop, fd[1], fd[0]);
	return b;
}

static void bench_free(struct bench *b)
{
	output_close(&b->output);
	output_close(&b->output); /* twice is once */
	assert_true(loop_ends(&b->loop));
	if (b->reader >= 0)
		close(b->reader);
	if (b->writer >= 0)
		close(b->writer);
	free(b->text);
	free(b);
}

static void say(struct bench *b, const char *message)
{
	static struct notice n;
	struct stamp now = stamp_now();
	notice_init(&n, NOTICE_STATE, SEVERITY_INFO, &now, "tunnel");
	snprintf(n.state.name, sizeof n.state.name, "CONNECTED");
	snprintf(n.message, sizeof n.message, "%s", message);
	output_notice(&b->output, &n);
}

static void say_many(struct bench *b, int times)
{
	for (int i = 0; i < times; i++)
		say(b, "the same again, and long enough that it takes some room in the queue");
}

static void keep(struct bench *b, const char *bytes, size_t n)
{
	b->text = realloc(b->text, b->n + n);
	assert_non_null(b->text);
	memcpy(b->text + b->n, bytes, n);
	b->n += n;
}

/* Reads until there is nothing more. */
static void read_what_is_there(struct bench *b)
{
	static char bytes[65536];
	assert_int_equal(fcntl(b->reader, F_SETFL, O_NONBLOCK), 0);
	for (;;) {
		ssize_t n = read(b->reader, bytes, sizeof bytes);
		if (n <= 0)
			return;
		keep(b, bytes, (size_t)n);
	}
}

static bool all_read(void *arg)
{
	struct bench *b = arg;
	read_what_is_there(b);
	return output_drained(&b->output) && b->output.dropped_unannounced == 0;
}

static void judge_line(struct bench *b, const char *line, size_t n)
{
	json_error_t error;
	json_t *o = json_loadb(line, n, 0, &error), *monitor;
	if (o == NULL)
		fail_msg("%s: %.*s", error.text, (int)n, line);
	uint64_t seq = (uint64_t)json_integer_value(json_object_get(o, "seq"));
	assert_int_equal(seq, b->last_seq + 1);
	b->last_seq = seq;
	b->lines++;
	monitor = json_object_get(o, "monitor");
	if (monitor != NULL) {
		assert_string_equal(json_string_value(json_object_get(monitor, "kind")), "dropped");
		b->told_dropped += (uint64_t)json_integer_value(json_object_get(monitor, "count"));
		b->announcements++;
	}
	json_decref(o);
}

/* Every line is whole, and seq has no gap. */
static void judge(struct bench *b)
{
	for (size_t at = 0; at < b->n;) {
		const char *end = memchr(b->text + at, '\n', b->n - at);
		assert_non_null(end);
		judge_line(b, b->text + at, (size_t)(end - b->text) - at);
		at = (size_t)(end - b->text) + 1;
	}
	b->n = 0;
}

static void test_file_is_appended_to(void **state)
{
	char path[] = "/tmp/ovpnwatch-test-XXXXXX", error[256];
	struct bench *b = bench_new();
	struct stat st;
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "before\n", 7), 7);
	close(fd);
	assert_true(
	    output_open(&b->output, &b->loop, path, FORMAT_AUTO, on_ended, b, error, sizeof error));
	say_many(b, MANY);
	assert_true(output_drained(&b->output));
	b->reader = open(path, O_RDONLY);
	read_what_is_there(b);
	assert_memory_equal(b->text, "before\n", 7);
	memset(b->text, ' ', 7);
	judge(b);
	assert_int_equal(b->lines, MANY);
	assert_int_equal(stat(path, &st), 0);
	unlink(path);
	bench_free(b);
}

static void test_file_is_made(void **state)
{
	char folder[] = "/tmp/ovpnwatch-test-XXXXXX", path[64], error[256];
	struct bench *b = bench_new();
	struct stat st;
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/events", folder);
	mode_t mask = umask(0);
	assert_true(
	    output_open(&b->output, &b->loop, path, FORMAT_TEXT, on_ended, b, error, sizeof error));
	umask(mask);
	say(b, "as text");
	b->reader = open(path, O_RDONLY);
	read_what_is_there(b);
	assert_non_null(memmem(b->text, b->n, "as text", 7));
	assert_null(memchr(b->text, 033, b->n)); /* no colours in a file */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	unlink(path);
	rmdir(folder);
	bench_free(b);
}

static void test_file_that_cannot_be_made(void **state)
{
	struct bench *b = bench_new();
	char error[256];
	(void)state;
	assert_false(output_open(&b->output, &b->loop, "/nonexistent/x", FORMAT_AUTO, on_ended, b,
				 error, sizeof error));
	assert_non_null(strstr(error, "/nonexistent/x: No such file or directory"));
	assert_true(loop_ends(&b->loop));
	free(b);
}

static void test_fifo_without_a_reader(void **state)
{
	char folder[] = "/tmp/ovpnwatch-test-XXXXXX", path[64], error[256];
	struct bench *b = bench_new();
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(
	    output_open(&b->output, &b->loop, path, FORMAT_AUTO, on_ended, b, error, sizeof error));
	assert_non_null(strstr(error, "nobody reads it"));
	unlink(path);
	rmdir(folder);
	assert_true(loop_ends(&b->loop));
	free(b);
}

static void fast_reader(struct bench *b)
{
	int flags = fcntl(b->writer, F_GETFL);
	for (int i = 0; i < MANY / 10; i++) {
		say_many(b, 10);
		loop_turn(&b->loop, 1);
		read_what_is_there(b);
	}
	judge(b);
	assert_int_equal(b->lines, MANY);
	assert_int_equal(b->output.dropped, 0);
	/* The description that we share with the shell is as it was. */
	assert_int_equal(fcntl(b->writer, F_GETFL), flags);
	assert_int_equal(b->ended, 0);
}

static void test_pipe(void **state)
{
	struct bench *b = bench_with_pipe();
	(void)state;
	assert_int_equal(b->output.outlet.way, OUTLET_OWN);
	fast_reader(b);
	bench_free(b);
}

static void test_socket(void **state)
{
	struct bench *b = bench_with_socket();
	(void)state;
	assert_int_equal(b->output.outlet.way, OUTLET_SOCKET);
	fast_reader(b);
	bench_free(b);
}

/* Where /proc/self/fd may not be opened: another user's pipe. */
static void test_pipe_that_cannot_be_opened_anew(void **state)
{
	struct bench *b = bench_with_pipe();
	(void)state;
	b->output.outlet.way = OUTLET_SHARED;
	fast_reader(b);
	bench_free(b);
}

static void slow_reader(struct bench *b)
{
	for (int round = 0; round < 3; round++) {
		say_many(b, MANY);
		assert_true(b->output.dropped > 0);
		assert_true(loop_until(&b->loop, all_read, b));
		judge(b);
	}
	assert_int_equal(b->lines + b->told_dropped, 3 * MANY + b->announcements);
	assert_int_equal(b->told_dropped, b->output.dropped);
	assert_int_equal(b->lines, b->output.accepted);
	assert_int_equal(b->announcements, 3);
	assert_int_equal(b->ended, 0);
}

static void test_slow_reader_of_a_pipe(void **state)
{
	struct bench *b = bench_with_pipe();
	(void)state;
	slow_reader(b);
	bench_free(b);
}

static void test_slow_reader_of_a_socket(void **state)
{
	struct bench *b = bench_with_socket();
	(void)state;
	slow_reader(b);
	bench_free(b);
}

static void test_slow_reader_of_a_shared_pipe(void **state)
{
	struct bench *b = bench_with_pipe();
	(void)state;
	b->output.outlet.way = OUTLET_SHARED;
	slow_reader(b);
	bench_free(b);
}

/* What is in the pipe when we have to leave ends with a whole line. */
static void test_reader_that_never_reads(void **state)
{
	struct bench *b = bench_with_pipe();
	(void)state;
	say_many(b, MANY);
	loop_turn(&b->loop, 10);
	assert_false(output_drained(&b->output));
	output_close(&b->output);
	loop_turn(&b->loop, 2);
	read_what_is_there(b);
	judge(b);
	assert_true(b->lines > 0);
	bench_free(b);
}

static void reader_leaves_while_idle(struct bench *b)
{
	say(b, "hello");
	loop_turn(&b->loop, 5);
	assert_int_equal(b->ended, 0);
	close(b->reader);
	b->reader = -1;
	assert_true(loop_until(&b->loop, has_ended, b));
	assert_int_equal(output_state(&b->output), OUTLET_READER_GONE);
	say(b, "is anybody there?");
	loop_turn(&b->loop, 5);
	assert_int_equal(b->ended, 1);
}

static void test_reader_of_a_pipe_leaves(void **state)
{
	struct bench *b = bench_with_pipe();
	(void)state;
	reader_leaves_while_idle(b);
	bench_free(b);
}

static void test_reader_of_a_socket_leaves(void **state)
{
	struct bench *b = bench_with_socket();
	(void)state;
	reader_leaves_while_idle(b);
	bench_free(b);
}

static void reader_leaves_before_a_write(struct bench *b)
{
	close(b->reader);
	b->reader = -1;
	say(b, "is anybody there?");
	assert_int_equal(output_state(&b->output), OUTLET_READER_GONE);
}

static void test_writing_to_nobody(void **state)
{
	struct bench *b = bench_with_pipe();
	(void)state;
	reader_leaves_before_a_write(b);
	bench_free(b);
	b = bench_with_socket();
	reader_leaves_before_a_write(b);
	bench_free(b);
}

/* systemd hands its services a socket that is shut for reading: that is no reader who left. */
static void test_half_closed_socket_is_open(void **state)
{
	struct bench *b = bench_with_socket();
	(void)state;
	assert_int_equal(shutdown(b->writer, SHUT_RD), 0);
	say(b, "hello");
	loop_turn(&b->loop, 50);
	assert_int_equal(b->ended, 0);
	read_what_is_there(b);
	judge(b);
	assert_int_equal(b->lines, 1);
	reader_leaves_while_idle(b);
	bench_free(b);
}

static void test_full_disk(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	bench_open(b, &b->loop, open("/dev/full", O_WRONLY), -1);
	say(b, "hello");
	assert_int_equal(output_state(&b->output), OUTLET_FAILED);
	assert_string_equal(output_error(&b->output), strerror(ENOSPC));
	bench_free(b);
}

static void test_null_device(void **state)
{
	struct bench *b = bench_new();
	(void)state;
	bench_open(b, &b->loop, open("/dev/null", O_WRONLY), -1);
	say_many(b, MANY);
	assert_int_equal(b->output.accepted, MANY);
	assert_int_equal(output_state(&b->output), OUTLET_OPEN);
	bench_free(b);
}

static void read_slowly(void *arg)
{
	struct bench *b = arg;
	char bytes[1000];
	ssize_t n;
	while ((n = read(b->reader, bytes, sizeof bytes)) > 0)
		keep(b, bytes, (size_t)n);
}

/* replay: whoever reads a judgement gets all of it, even if somebody made the pipe non-blocking. */
static void test_without_a_loop_it_waits(void **state)
{
	(void)state;
	for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
		struct bench *b = bench_new();
		uv_thread_t thread;
		int fd[2];
		assert_int_equal(pipe(fd), 0);
		assert_int_equal(fcntl(fd[1], F_SETFL, flags), 0);
		bench_open(b, NULL, fd[1], fd[0]);
		assert_int_equal(uv_thread_create(&thread, read_slowly, b), 0);
		say_many(b, MANY);
		close(b->writer);
		b->writer = -1;
		uv_thread_join(&thread);
		judge(b);
		assert_int_equal(b->lines, MANY);
		assert_int_equal(b->output.dropped, 0);
		bench_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_file_is_appended_to),
	    cmocka_unit_test(test_file_is_made),
	    cmocka_unit_test(test_file_that_cannot_be_made),
	    cmocka_unit_test(test_fifo_without_a_reader),
	    cmocka_unit_test(test_pipe),
	    cmocka_unit_test(test_socket),
	    cmocka_unit_test(test_pipe_that_cannot_be_opened_anew),
	    cmocka_unit_test(test_slow_reader_of_a_pipe),
	    cmocka_unit_test(test_slow_reader_of_a_socket),
	    cmocka_unit_test(test_slow_reader_of_a_shared_pipe),
	    cmocka_unit_test(test_reader_that_never_reads),
	    cmocka_unit_test(test_reader_of_a_pipe_leaves),
	    cmocka_unit_test(test_reader_of_a_socket_leaves),
	    cmocka_unit_test(test_writing_to_nobody),
	    cmocka_unit_test(test_half_closed_socket_is_open),
	    cmocka_unit_test(test_full_disk),
	    cmocka_unit_test(test_null_device),
	    cmocka_unit_test(test_without_a_loop_it_waits),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
