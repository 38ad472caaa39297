/* SPDX-License-Identifier: MIT */
#include "io/log_check.h"

#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

static char folder[64], path[96], error[400];

static int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/ovpnwatch-check-XXXXXX");
	assert_non_null(mkdtemp(folder));
	error[0] = '\0';
	return 0;
}

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static int end(void **state)
{
	static const char *const names[] = {"old.log", "new.log", "other.txt", "socket", "fifo"};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(in_folder(names[i]));
	rmdir(folder);
	return 0;
}

static int make(const char *name, time_t changed)
{
	const struct timespec times[2] = {{.tv_sec = changed}, {.tv_sec = changed}};
	int fd = open(in_folder(name), O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(futimens(fd, times), 0);
	return close(fd);
}

static int check(const char *name)
{
	return log_check(name, error, sizeof error);
}

static void files(void **state)
{
	(void)state;
	make("new.log", 2);
	assert_int_equal(check(in_folder("new.log")), 0);
	assert_true(log_is_here("/proc/self/status")); /* of a file system that is surely here */
	assert_int_equal(check(in_folder("none.log")), 0); /* it may come */
	assert_true(log_is_here(path));
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	assert_int_equal(check(path), 0);
	assert_false(log_is_here(path));
	assert_false(log_is_here("-"));
	assert_int_equal(check("/none/"), EX_USAGE);
	assert_int_equal(check(""), EX_USAGE);
	assert_string_equal(error, "--log needs the name of a file, or -");
}

static void folders(void **state)
{
	(void)state;
	assert_int_equal(check(folder), EX_USAGE);
	assert_non_null(strstr(error, "has no file *.log in it"));
	make("old.log", 1000);
	make("new.log", 2000);
	make("other.txt", 3000);
	assert_int_equal(check(folder), EX_USAGE);
	assert_non_null(strstr(error, in_folder("new.log")));
	assert_null(strstr(error, "old.log"));
	snprintf(path, sizeof path, "%s/", folder);
	assert_int_equal(check(path), EX_USAGE);
	assert_non_null(strstr(error, in_folder("new.log")));
}

static void a_socket(void **state)
{
	(void)state;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(at.sun_path, sizeof at.sun_path, "%s", in_folder("socket"));
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(check(path), EX_USAGE);
	assert_non_null(strstr(error, "--management"));
	close(fd);
}

/* Root may read everything: the group and others that may not are somebody else. */
static void may_not(void **state)
{
	(void)state;
	make("old.log", 1);
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(chmod(folder, 0711), 0);
	const uid_t me = geteuid();
	if (me == 0)
		assert_int_equal(seteuid(65534), 0);
	int status = check(path);
	if (me == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(status, EX_NOPERM);
	assert_non_null(strstr(error, "may not be read"));
}

static int with_standard_input(const char *name, int flags)
{
	int kept = dup(STDIN_FILENO), fd = open(name, flags);
	assert_true(fd >= 0);
	dup2(fd, STDIN_FILENO);
	close(fd);
	int status = check("-");
	dup2(kept, STDIN_FILENO);
	close(kept);
	return status;
}

static void standard_input(void **state)
{
	(void)state;
	make("new.log", 1);
	assert_int_equal(with_standard_input(path, O_RDONLY), EX_USAGE);
	assert_non_null(strstr(error, "replay -"));
	assert_int_equal(with_standard_input(folder, O_RDONLY), EX_USAGE);
	assert_int_equal(with_standard_input("/dev/null", O_RDONLY), 0);
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	assert_int_equal(with_standard_input(path, O_RDWR), 0);
	int kept = dup(STDIN_FILENO);
	close(STDIN_FILENO);
	assert_int_equal(check("-"), EX_USAGE);
	dup2(kept, STDIN_FILENO);
	close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(files, begin, end),
	    cmocka_unit_test_setup_teardown(folders, begin, end),
	    cmocka_unit_test_setup_teardown(a_socket, begin, end),
	    cmocka_unit_test_setup_teardown(may_not, begin, end),
	    cmocka_unit_test_setup_teardown(standard_input, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
