/* SPDX-License-Identifier: MIT */
#include "io/password_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char dir[64], path[96];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ovpnwatch-test-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/it's here", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void put(const void *bytes, size_t n, mode_t mode)
{
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void first_line_is_the_password(void **state)
{
	(void)state;
	static const struct {
		const char *text, *password;
	} cases[] = {
	    {"secret", "secret"},
	    {"secret\n", "secret"},
	    {"secret\r\n", "secret"},
	    {" a b \nsecond line\n", " a b "},
	    {"p\xc3\xa4ss\n", "p\xc3\xa4ss"},
	    {"x\n\0\1\2", "x"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct password p;
		char error[256];
		put(cases[i].text, strlen(cases[i].text), 0600);
		assert_true(password_read(path, &p, error, sizeof error));
		assert_string_equal(p.text, cases[i].password);
		assert_int_equal(p.n, strlen(cases[i].password));
		password_wipe(&p);
		for (size_t b = 0; b < sizeof p; b++)
			assert_int_equal(((const char *)&p)[b], 0);
	}
}

static void lines_that_are_no_password(void **state)
{
	(void)state;
	char long_line[257];
	memset(long_line, 'x', sizeof long_line);
	const struct {
		const char *bytes;
		size_t n;
		const char *says;
	} cases[] = {
	    {"", 0, "empty"},
	    {"\n", 1, "empty"},
	    {"\r\n", 2, "empty"},
	    {"\nsecret\n", 8, "empty"},
	    {"a\tb\n", 4, "control character"},
	    {"a\0b\n", 4, "control character"},
	    {"a\rb\n", 4, "control character"},
	    {"a\177\n", 3, "control character"},
	    {long_line, 256, "255 bytes"},
	};
	struct password p;
	char error[512];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put(cases[i].bytes, cases[i].n, 0400);
		assert_false(password_read(path, &p, error, sizeof error));
		assert_non_null(strstr(error, cases[i].says));
		assert_null(strstr(error, "secret"));
	}
	put(long_line, 255, 0400);
	assert_true(password_read(path, &p, error, sizeof error));
	assert_int_equal(p.n, 255);
}

static void files_that_are_refused(void **state)
{
	(void)state;
	struct password p;
	char error[512];
	static const mode_t open_modes[] = {0640, 0604, 0660, 0666, 0620, 0602, 0644};
	for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
		put("secret\n", 7, open_modes[i]);
		assert_false(password_read(path, &p, error, sizeof error));
		assert_non_null(strstr(error, "chmod 600 "));
		assert_non_null(strstr(error, path));
	}
	char big[4097];
	memset(big, '\n', sizeof big);
	put(big, sizeof big, 0600);
	assert_false(password_read(path, &p, error, sizeof error));
	assert_non_null(strstr(error, "larger than 4 KiB"));
	unlink(path);
	assert_false(password_read(path, &p, error, sizeof error));
	assert_non_null(strstr(error, "no such file"));
	assert_false(password_read(dir, &p, error, sizeof error));
	assert_non_null(strstr(error, "is a directory"));
	assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes to it: must not wait */
	assert_false(password_read(path, &p, error, sizeof error));
	assert_non_null(strstr(error, "is not a regular file"));
	assert_false(password_read("/dev/null", &p, error, sizeof error));
	assert_non_null(strstr(error, "is not a regular file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_line_is_the_password),
	    cmocka_unit_test(lines_that_are_no_password),
	    cmocka_unit_test(files_that_are_refused),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
