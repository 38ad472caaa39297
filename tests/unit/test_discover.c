/* SPDX-License-Identifier: MIT
 *
 * Sockets that come and go, in a folder of the test's own.
 */
#include "io/discover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop_fixture.h"

static char folder[64], glob_text[96];
static char told[512]; /* "+name -name …" */
static unsigned n_told;

static void on_changed(void *arg, const char *path, bool there)
{
	size_t used = strlen(told);
	(void)arg;
	snprintf(told + used, sizeof told - used, "%c%s ", there ? '+' : '-',
		 path + strlen(folder) + 1);
	n_told++;
}

static void socket_at(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", folder, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	close(fd);
}

static void gone(const char *name)
{
	char path[160];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(remove(path), 0);
}

static void file_at(const char *name)
{
	char path[160];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
}

static int begin(void **state)
{
	strcpy(folder, "/tmp/ovpnwatch-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	told[0] = '\0';
	n_told = 0;
	return loop_begin(state);
}

static int end(void **state)
{
	assert_int_equal(rmdir(folder), 0);
	return loop_end(state);
}

static void test_come_and_go(void **state)
{
	const char *const globs[] = {glob_text, glob_text}; /* twice is once */
	struct discover *d;
	(void)state;
	snprintf(glob_text, sizeof glob_text, "%s/*.sock", folder);
	socket_at("a.sock");
	file_at("file.sock");
	assert_int_equal(discover_open(&d, &loop, globs, 2, on_changed, NULL), 0);
	assert_string_equal(told, "+a.sock ");
	socket_at("c.sock");
	socket_at("b.sock");
	gone("a.sock");
	discover_look(d);
	assert_string_equal(told, "+a.sock -a.sock +b.sock +c.sock ");
	gone("b.sock");
	gone("c.sock");
	discover_look(d);
	assert_string_equal(told, "+a.sock -a.sock +b.sock +c.sock -b.sock -c.sock ");
	discover_close(d);
	gone("file.sock");
	loop_drain();
	assert_int_equal(n_told, 6);
}

static struct discover *closed_within;

static void close_it(void *arg, const char *path, bool there)
{
	(void)arg;
	(void)path;
	(void)there;
	n_told++;
	if (closed_within != NULL)
		discover_close(closed_within);
}

static void test_closed_from_within(void **state)
{
	const char *const globs[] = {glob_text};
	(void)state;
	snprintf(glob_text, sizeof glob_text, "%s/*", folder);
	assert_int_equal(discover_open(&closed_within, &loop, globs, 1, close_it, NULL), 0);
	socket_at("a");
	socket_at("b");
	discover_look(closed_within);
	loop_drain();
	assert_int_equal(n_told, 1);
	gone("a");
	gone("b");
}

static void test_names(void **state)
{
	static const struct {
		const char *glob, *path, *name;
	} cases[] = {
	    {"/run/*.sock", "/run/office.sock", "office"},
	    {"/run/openvpn-*/*.sock", "/run/openvpn-client/a.sock", "openvpn-client/a"},
	    {"/run/*/management", "/run/a/management", "a"},
	    {"/run/vpn[12]", "/run/vpn2", "vpn2"},
	    {"/run/*.sock", "/run/.sock", ".sock"},
	    {"/run/a.sock", "/run/a.sock", NULL}, /* nothing is left open */
	    {"/run/*/x", "/run/a", NULL},
	    {"/run/*", "/run/0123456789012345678901234567890123456789", NULL},
	};
	char name[32];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool is = discover_name(cases[i].glob, cases[i].path, name, sizeof name);
		assert_int_equal(is, cases[i].name != NULL);
		if (is)
			assert_string_equal(name, cases[i].name);
	}
}

/* Said once. Root can read everything, so it is nobody who looks. */
static void test_unreadable_folder(void **state)
{
	const char *const globs[] = {glob_text};
	struct discover *d;
	char said[4096] = "";
	(void)state;
	bool root = geteuid() == 0;
	assert_int_equal(chmod(folder, 0), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	snprintf(glob_text, sizeof glob_text, "%s/*", folder);
	FILE *log = tmpfile();
	fflush(stderr);
	int saved = dup(STDERR_FILENO);
	dup2(fileno(log), STDERR_FILENO);
	assert_int_equal(discover_open(&d, &loop, globs, 1, on_changed, NULL), 0);
	discover_look(d);
	discover_close(d);
	loop_drain();
	if (root)
		assert_int_equal(seteuid(0), 0);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(log);
	said[fread(said, 1, sizeof said - 1, log)] = '\0';
	fclose(log);
	const char *first = strstr(said, "cannot be read: Permission denied");
	assert_non_null(first);
	assert_null(strstr(first + 1, "cannot be read"));
	assert_int_equal(chmod(folder, 0700), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_come_and_go, begin, end),
	    cmocka_unit_test_setup_teardown(test_closed_from_within, begin, end),
	    cmocka_unit_test_setup_teardown(test_unreadable_folder, begin, end),
	    cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
