/* SPDX-License-Identifier: MIT
 *
 * The configuration file: what it says, and where it is wrong.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct settings s;
static char error[320];

static enum config_result load(const char *text)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	assert_non_null(f);
	settings_free(&s);
	error[0] = '\0';
	enum config_result result = config_read(f, "w.conf", &s, error, sizeof error);
	fclose(f);
	return result;
}

static bool finish(void)
{
	char what[280];
	unsigned line;
	if (settings_finish(&s, &line, what, sizeof what))
		return true;
	snprintf(error, sizeof error, "%u: %s", line, what);
	return false;
}

static void test_what_it_says(void **state)
{
	(void)state;
	assert_int_equal(load("\xef\xbb\xbf; of mine\r\n"
			      "[ovpnwatch]\r\n"
			      "format = json\n"
			      "offset-limit: 0.5\n"
			      "ntp = a.example\n"
			      "  ntp = b.example ; behind it\n"
			      "no-probe = yes\n"
			      "profile = /etc/openvpn/client/{name}.conf\n"
			      "\n"
			      "[tunnel office]\n"
			      "management = unix:/run/o.sock\n"
			      "no-probe = no\n"
			      "relay = 127.0.0.1:1\n"
			      "relay = 127.0.0.1:2\n"
			      "\t# not this\n"
			      "[tunnel all by profile]\n"
			      "[tunnel home]\n"
			      "log = -\n"
			      "profile = p\n"),
			 CONFIG_FINE);
	assert_true(finish());
	assert_int_equal(s.format, FORMAT_JSON);
	assert_true(s.offset_limit_s == 0.5);
	assert_int_equal(s.ntp.n, 2);
	assert_string_equal(s.ntp.items[1], "b.example");
	assert_int_equal(s.n_tunnels, 3);
	const struct tunnel_settings *t = s.tunnels;
	assert_string_equal(t[0].name, "office");
	assert_int_equal(t[0].line, 10);
	assert_string_equal(t[0].profile, "/etc/openvpn/client/office.conf");
	assert_int_equal(t[0].no_probe, FLAG_NO);
	assert_int_equal(t[0].relay.n, 2);
	assert_string_equal(t[1].profile, "/etc/openvpn/client/all by profile.conf");
	assert_int_equal(t[1].no_probe, FLAG_YES);
	assert_int_equal(t[1].relay.n, 0);
	assert_string_equal(t[2].log, "-");
	assert_string_equal(t[2].profile, "p");
}

static void test_where_it_is_wrong(void **state)
{
	static char long_line[400] = "[tunnel t]\nprofile = ";
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"a = b\n", "w.conf:1: 'a' stands before any section"},
	    {"[tunnel]\n", "w.conf:1: unknown section [tunnel]"},
	    {"[tunnel ]\n", "w.conf:1: unknown section [tunnel ]"},
	    {"\n\n[tunnels a]\n", "w.conf:3: unknown section [tunnels a]"},
	    {"[tunnel a\n", "w.conf:1: a section's head ends with ']'"},
	    {"[tunnel 01234567890123456789012345678901234567890]\n", "at most 40 bytes"},
	    {"[tunnel 0123456789012345678901234567890123456789012345678901234567890]\n",
	     "at most 40 bytes"},
	    {"[tunnel a]\nmanagment = x\n", "w.conf:2: unknown key 'managment'; is 'management'"},
	    {"[tunnel a]\nname = b\n", "w.conf:2: unknown key 'name'"},
	    {"[tunnel a]\nzzz = b\n", "w.conf:2: unknown key 'zzz'; the manual"},
	    {"[tunnel a]\nformat = json\n", "w.conf:2: 'format' is of the whole program"},
	    {"[tunnel a]\nrelease-hold = perhaps\n", "w.conf:2: release-hold is yes or no"},
	    {"[tunnel a]\nprofile =\n", "w.conf:2: profile has an empty value"},
	    {"[tunnel a]\nprofile =;x\n", "w.conf:2: profile has an empty value"},
	    {"[tunnel a] log = x\n", "w.conf:1: a section's head has its line for itself"},
	    {"[ovpnwatch]\noffset-limit = -1\n", "w.conf:2: offset-limit is a number"},
	    {"[ovpnwatch]\nformat = xml\n", "w.conf:2: format is auto, json or text"},
	    {"[ovpnwatch]\n\nwhat\n", "w.conf:3: a line is 'key = value'"},
	    {"[tunnel a]\nbad = x\n[tunnel b]\nworse = x\n", "w.conf:2:"}, /* the first */
	    {long_line, "w.conf:2: a line has at most 198 bytes"},
	};
	(void)state;
	memset(long_line + strlen(long_line), 'x', 300);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (load(cases[i].text) != CONFIG_WRONG)
			fail_msg("understood: %s", cases[i].text);
		if (strstr(error, cases[i].says) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", cases[i].says, error);
	}
}

static void test_what_makes_no_sense(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"[tunnel a]\nmanagement = x:1\n[tunnel b]\n", "3: tunnel b: where is it?"},
	    {"[tunnel a]\nlog = x\n[tunnel a]\nlog = y\n", "3: there is a tunnel a already"},
	    {"[tunnel b]\nmanagement = x:1\n[tunnel a]\nmanagement = x:1\n",
	     "3: tunnel b has the management address x:1 already"},
	    {"[tunnel a]\nlog = x\nrelay-group = g\n", "1: what is said of a relay is about none"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(load(cases[i].text), CONFIG_FINE);
		if (finish())
			fail_msg("makes sense: %s", cases[i].text);
		if (strstr(error, cases[i].says) != error)
			fail_msg("\"%s\" is not \"%s\"", error, cases[i].says);
	}
	/* A default of those that have one is no mistake of those that have none. */
	assert_int_equal(load("[ovpnwatch]\nrelay-group = g\n[tunnel a]\nlog = x\n"), CONFIG_FINE);
	assert_true(finish());
}

static void test_prints_what_is_in_force(void **state)
{
	char text[4096] = "";
	(void)state;
	assert_int_equal(load("[ovpnwatch]\nno-probe = on\ndiscover = /run/*.sock\n"
			      "[tunnel a]\nmanagement = [::1]:7505\nrelay-readonly = unix:/r\n"),
			 CONFIG_FINE);
	assert_true(finish());
	FILE *f = fmemopen(text, sizeof text, "w");
	config_print(f, &s);
	fclose(f);
	assert_string_equal(text, "[ovpnwatch]\n"
				  "format = auto\n"
				  "offset-limit = 1\n"
				  "verbose = no\n"
				  "discover = /run/*.sock\n"
				  "relay-allow-remote = no\n"
				  "release-hold = no\n"
				  "no-probe = yes\n"
				  "\n"
				  "[tunnel a]\n"
				  "management = [::1]:7505\n"
				  "relay-readonly = unix:/r\n"
				  "relay-allow-remote = no\n"
				  "release-hold = no\n"
				  "no-probe = yes\n");
	struct tunnel_settings was;
	assert_true(tunnel_settings_copy(&was, &s.tunnels[0]));
	assert_true(tunnel_settings_equal(&was, &s.tunnels[0]));
	assert_int_equal(load(text), CONFIG_FINE);
	assert_true(finish());
	assert_true(tunnel_settings_equal(&was, &s.tunnels[0]));
	free(s.tunnels[0].relay_readonly.items[0]);
	s.tunnels[0].relay_readonly.items[0] = strdup("unix:/other");
	assert_false(tunnel_settings_equal(&was, &s.tunnels[0]));
	tunnel_settings_free(&was);
}

/* With every key that it shows switched on. */
static void test_the_sample(void **state)
{
	static char text[16384];
	FILE *f = fopen(TESTS_DIR "/../contrib/ovpnwatch.conf", "r");
	size_t n = 0;
	(void)state;
	assert_non_null(f);
	while (n < sizeof text - 256 && fgets(text + n, 256, f) != NULL) {
		char *line = text + n;
		bool key = line[0] == '#' && (line[1] == '[' || (line[1] >= 'a' && line[1] <= 'z'));
		if (key)
			memmove(line, line + 1, strlen(line));
		n += strlen(line);
	}
	fclose(f);
	if (load(text) != CONFIG_FINE || !finish())
		fail_msg("%s", error);
	assert_int_equal(s.n_tunnels, 1);
	assert_int_equal(s.ntp.n, 2);
	assert_string_equal(s.tunnels[0].peer_management_password_file,
			    "/etc/ovpnwatch/server.password");
}

static void test_no_file(void **state)
{
	(void)state;
	settings_free(&s);
	assert_int_equal(config_load("/nothing/w.conf", &s, error, sizeof error),
			 CONFIG_UNREADABLE);
	assert_non_null(strstr(error, "/nothing/w.conf: cannot be read: No such file"));
	/* A folder can be opened, and not read. */
	assert_int_equal(config_load("/", &s, error, sizeof error), CONFIG_UNREADABLE);
}

/* As many as one likes, each with a name of its own; clashes are found all the same. */
static void test_thousands(void **state)
{
	char name[32];
	(void)state;
	settings_free(&s);
	for (unsigned i = 0; i < 5000; i++) {
		struct tunnel_settings *t = settings_add_tunnel(&s, i + 1);
		snprintf(name, sizeof name, "t%u", i == 4711 ? 7 : i);
		assert_true(settings_set(&s, t, setting_find("name"), name, error, sizeof error));
		assert_true(settings_set(&s, t, setting_find("log"), "x", error, sizeof error));
	}
	assert_false(finish());
	assert_string_equal(error, "4712: there is a tunnel t7 already");
}

static int tidy_up(void **state)
{
	(void)state;
	settings_free(&s);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_it_says),
	    cmocka_unit_test(test_where_it_is_wrong),
	    cmocka_unit_test(test_what_makes_no_sense),
	    cmocka_unit_test(test_prints_what_is_in_force),
	    cmocka_unit_test(test_the_sample),
	    cmocka_unit_test(test_no_file),
	    cmocka_unit_test(test_thousands),
	};
	settings_init(&s);
	return cmocka_run_group_tests(tests, NULL, tidy_up);
}
