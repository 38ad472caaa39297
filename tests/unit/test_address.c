/* SPDX-License-Identifier: MIT */
#include "io/address.h"

#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void good_ones(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum address_kind kind;
		const char *host;
		unsigned port;
		bool loopback;
	} cases[] = {
	    {"127.0.0.1:7505", ADDRESS_TCP, "127.0.0.1", 7505, true},
	    {"127.9.9.9:1", ADDRESS_TCP, "127.9.9.9", 1, true},
	    {"192.0.2.1:65535", ADDRESS_TCP, "192.0.2.1", 65535, false},
	    {"localhost:7505", ADDRESS_TCP, "localhost", 7505, true},
	    {"LocalHost:7505", ADDRESS_TCP, "LocalHost", 7505, true},
	    {"vpn-1.example_x.org:07505", ADDRESS_TCP, "vpn-1.example_x.org", 7505, false},
	    {"[::1]:7505", ADDRESS_TCP, "::1", 7505, true},
	    {"[::ffff:127.0.0.1]:7505", ADDRESS_TCP, "::ffff:127.0.0.1", 7505, true},
	    {"[2001:db8::1]:7505", ADDRESS_TCP, "2001:db8::1", 7505, false},
	    {"[fe80::1%eth0]:7505", ADDRESS_TCP, "fe80::1%eth0", 7505, false},
	    {"10.example:7505", ADDRESS_TCP, "10.example", 7505, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address a;
		char error[256] = "";
		assert_true(address_parse(cases[i].text, &a, error, sizeof error));
		assert_int_equal(a.kind, cases[i].kind);
		assert_string_equal(a.host, cases[i].host);
		assert_int_equal(a.port, cases[i].port);
		assert_int_equal(a.loopback, cases[i].loopback);
	}
}

static void unix_paths(void **state)
{
	(void)state;
	char text[5 + 120] = "unix:", error[256];
	struct address a;
	memset(text + 5, 'x', 107);
	text[5 + 107] = '\0';
	assert_true(address_parse(text, &a, error, sizeof error));
	assert_int_equal(a.kind, ADDRESS_UNIX);
	assert_true(a.loopback);
	assert_int_equal(strlen(a.path), 107);
	/* One more and the kernel would cut it, and libuv would not say. */
	strcat(text, "x");
	assert_false(address_parse(text, &a, error, sizeof error));
	assert_non_null(strstr(error, "107 bytes"));
	assert_true(address_parse("unix:relative/x:1.sock", &a, error, sizeof error));
	assert_string_equal(a.path, "relative/x:1.sock");
}

static void bad_ones(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"", "port is missing"},
	    {"localhost", "port is missing"},
	    {"7505", "port is missing"},
	    {":7505", "host is missing"},
	    {"localhost:", "1 to 65535"},
	    {"localhost:0", "1 to 65535"},
	    {"localhost:65536", "1 to 65535"},
	    {"localhost:99999999999999999999999", "1 to 65535"},
	    {"localhost:-1", "1 to 65535"},
	    {"localhost:+1", "1 to 65535"},
	    {"localhost: 1", "1 to 65535"},
	    {"localhost:1 ", "1 to 65535"},
	    {"localhost:http", "1 to 65535"},
	    {" localhost:1", "no name has"},
	    {"a/b:1", "no name has"},
	    {"a\033[2J:1", "no name has"},
	    {"300.1.1.1:1", "not an IPv4 address"},
	    {"127.1:1", "not an IPv4 address"},
	    {"1:1", "not an IPv4 address"},
	    {"::1:7505", "needs brackets"},
	    {"[::1]", "port is missing"},
	    {"[::1]7505", "port is missing"},
	    {"[::1", "not closed"},
	    {"[localhost]:1", "not an IPv6 address"},
	    {"[fe80::1%]:1", "not an IPv6 address"},
	    {"[]:1", "host is missing"},
	    {"unix:", "path is missing"},
	    {"unix", "port is missing"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address a, before;
		char error[256] = "";
		memset(&a, 0x5a, sizeof a);
		memcpy(&before, &a, sizeof a);
		assert_false(address_parse(cases[i].text, &a, error, sizeof error));
		if (strstr(error, cases[i].says) == NULL)
			fail_msg("%s: said %s", cases[i].text, error);
		assert_non_null(strstr(error, "expected HOST:PORT, [IPV6]:PORT or unix:PATH"));
		assert_null(strchr(error, '\033'));
		assert_memory_equal(&a, &before, sizeof a);
	}
}

static void long_hosts_and_short_errors(void **state)
{
	(void)state;
	char text[300], error[256], tiny[8];
	struct address a;
	memset(text, 'a', sizeof text);
	strcpy(text + 255, ":1");
	assert_true(address_parse(text, &a, error, sizeof error));
	assert_int_equal(strlen(a.host), 255);
	memset(text, 'a', sizeof text);
	strcpy(text + 256, ":1");
	assert_false(address_parse(text, &a, error, sizeof error));
	assert_false(address_parse(text, &a, tiny, sizeof tiny));
	assert_int_equal(strlen(tiny), 7);
}

static void servers_have_a_default_port(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host;
		unsigned port;
	} cases[] = {
	    {"ntp.example.org", "ntp.example.org", 123},
	    {"ntp.example.org:1123", "ntp.example.org", 1123},
	    {"192.0.2.1", "192.0.2.1", 123},
	    {"2001:db8::1", "2001:db8::1", 123},
	    {"[2001:db8::1]", "2001:db8::1", 123},
	    {"[2001:db8::1]:1123", "2001:db8::1", 1123},
	    {"::1", "::1", 123},
	};
	struct address a;
	char error[256];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(address_parse_server(cases[i].text, 123, &a, error, sizeof error));
		assert_string_equal(a.host, cases[i].host);
		assert_int_equal(a.port, cases[i].port);
	}
	static const char *const bad[] = {"", "a:", "a:b:c", "[::1]x", "[::1]:", "1.2.3", "a b"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(address_parse_server(bad[i], 123, &a, error, sizeof error));
}

static void being_called(void **state)
{
	(void)state;
	struct address a;
	char error[256];
	assert_true(address_parse("listen:127.0.0.1:7505", &a, error, sizeof error));
	assert_true(a.listen && a.loopback && a.kind == ADDRESS_TCP);
	assert_string_equal(a.host, "127.0.0.1");
	assert_true(address_parse("listen:unix:/run/x", &a, error, sizeof error));
	assert_true(a.listen && a.kind == ADDRESS_UNIX);
	assert_string_equal(a.path, "/run/x");
	assert_true(address_parse("127.0.0.1:7505", &a, error, sizeof error));
	assert_false(a.listen);
	assert_false(address_parse("listen:", &a, error, sizeof error));
	assert_false(address_parse("listen:listen:1.2.3.4:5", &a, error, sizeof error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_ones),
	    cmocka_unit_test(unix_paths),
	    cmocka_unit_test(bad_ones),
	    cmocka_unit_test(long_hosts_and_short_errors),
	    cmocka_unit_test(servers_have_a_default_port),
	    cmocka_unit_test(being_called),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
