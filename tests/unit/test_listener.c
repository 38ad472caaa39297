/* SPDX-License-Identifier: MIT
 *
 * Where others call: who may, what is in the way, and what is left behind.
 */
#include "io/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "unit/loop_fixture.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[40], path[80], error[256];
static struct listener *listener;
static unsigned calls;

static int begin(void **state)
{
	calls = 0;
	error[0] = '\0';
	snprintf(folder, sizeof folder, "/tmp/ovpnwatch-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/sock", folder);
	return loop_begin(state);
}

static int end(void **state)
{
	unlink(path);
	rmdir(folder);
	return loop_end(state);
}

static void on_called(void *arg)
{
	assert_ptr_equal(arg, &calls);
	calls++;
}

static int open_at(const char *text, const char *group)
{
	struct address a;
	assert_true(address_parse(text, &a, error, sizeof error));
	return listener_open(&listener, &loop, &a, group, on_called, &calls, error, sizeof error);
}

static int open_path(const char *group)
{
	char text[100];
	snprintf(text, sizeof text, "unix:%s", path);
	return open_at(text, group);
}

static int call_path(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

static mode_t mode_of_path(void)
{
	struct stat s;
	assert_int_equal(lstat(path, &s), 0);
	return s.st_mode & 07777;
}

static void hang_up_all(void)
{
	listener_close(listener);
	listener = NULL;
	loop_drain();
}

static void calls_are_taken_one_by_one(void **state)
{
	union listener_stream s[2], none;
	(void)state;
	assert_int_equal(open_path(NULL), 0);
	assert_int_equal(listener_accept(listener, &none), UV_EAGAIN);
	int a = call_path(), b = call_path();
	loop_until(&calls, 1);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(calls, 1); /* the other one waits until this is taken */
	assert_int_equal(listener_accept(listener, &s[0]), 0);
	loop_until(&calls, 2);
	assert_int_equal(listener_accept(listener, &s[1]), 0);
	assert_int_equal(listener_accept(listener, &none), UV_EAGAIN);
	uv_close(&s[0].handle, NULL);
	uv_close(&s[1].handle, NULL);
	hang_up_all();
	close(a);
	close(b);
	assert_int_equal(access(path, F_OK), -1);
	listener_close(NULL);
}

/* Whatever the umask is. */
static void nobody_else_may_open_it(void **state)
{
	static const mode_t masks[] = {0, 022, 077};
	(void)state;
	for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
		mode_t before = umask(masks[i]);
		assert_int_equal(open_path(NULL), 0);
		umask(before);
		assert_int_equal(mode_of_path(), 0600);
		hang_up_all();
	}
}

static void but_a_group(void **state)
{
	struct group *mine = getgrgid(getegid());
	struct stat s;
	(void)state;
	assert_int_equal(open_path("no-such-group-here"), UV_EINVAL);
	assert_string_equal(error, "there is no group of that name");
	loop_drain();
	assert_int_equal(access(path, F_OK), -1);
	if (mine == NULL)
		skip();
	assert_int_equal(open_path(mine->gr_name), 0);
	assert_int_equal(mode_of_path(), 0660);
	assert_int_equal(lstat(path, &s), 0);
	assert_int_equal(s.st_gid, getegid());
	hang_up_all();
}

static void what_is_left_over_is_replaced(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	(void)state;
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(open_path(NULL), UV_EADDRINUSE); /* somebody is there */
	assert_string_equal(error, "another program listens there already");
	close(fd);
	loop_drain();
	assert_int_equal(access(path, F_OK), 0); /* and it was left alone */
	assert_int_equal(open_path(NULL), 0);
	hang_up_all();
}

static void what_is_no_socket_is_left_alone(void **state)
{
	(void)state;
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(open_path(NULL), UV_EADDRINUSE);
	assert_string_equal(error, "there is a file in the way, which is no socket");
	loop_drain();
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	assert_int_equal(symlink("/nowhere", path), 0);
	assert_int_equal(open_path(NULL), UV_EADDRINUSE);
	loop_drain();
}

/* Another program has put its own there meanwhile. */
static void anothers_file_is_not_removed(void **state)
{
	(void)state;
	assert_int_equal(open_path(NULL), 0);
	unlink(path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	hang_up_all();
	assert_int_equal(access(path, F_OK), 0);
}

static void tcp(void **state)
{
	struct fake_server taken;
	char text[64];
	(void)state;
	assert_true(fake_open(&taken, "127.0.0.1", 0)); /* a port that is free for TCP */
	snprintf(text, sizeof text, "localhost:%u", taken.port);
	assert_int_equal(open_at(text, NULL), 0);
	struct listener *first = listener;
	snprintf(text, sizeof text, "127.0.0.1:%u", taken.port);
	assert_int_equal(open_at(text, NULL), UV_EADDRINUSE);
	assert_string_equal(error, "another program listens there already");
	fake_close(&taken);
	listener_close(first);
	assert_int_equal(open_at("example.org:7505", NULL), UV_EINVAL);
	assert_non_null(strstr(error, "needs the number of an address"));
	assert_int_equal(open_at("192.0.2.1:7505", NULL), UV_EADDRNOTAVAIL);
	assert_string_equal(error, "this machine does not have that address");
	loop_drain();
}

static void folders_that_are_not_there(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "%s/none/sock", folder);
	assert_int_equal(open_path(NULL), UV_ENOENT);
	loop_drain();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(calls_are_taken_one_by_one, begin, end),
	    cmocka_unit_test_setup_teardown(nobody_else_may_open_it, begin, end),
	    cmocka_unit_test_setup_teardown(but_a_group, begin, end),
	    cmocka_unit_test_setup_teardown(what_is_left_over_is_replaced, begin, end),
	    cmocka_unit_test_setup_teardown(what_is_no_socket_is_left_alone, begin, end),
	    cmocka_unit_test_setup_teardown(anothers_file_is_not_removed, begin, end),
	    cmocka_unit_test_setup_teardown(tcp, begin, end),
	    cmocka_unit_test_setup_teardown(folders_that_are_not_there, begin, end),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
