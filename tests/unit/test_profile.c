/* SPDX-License-Identifier: MIT
 *
 * Profiles as people have them, and what is said about broken ones.
 */
#include "proto/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct profile p;
static struct profile_error error;

/* From memory of exactly its size, so that a read beyond the end is seen. */
static bool parse(const char *text)
{
	size_t n = strlen(text);
	char *exact = malloc(n > 0 ? n : 1);
	assert_non_null(exact);
	memcpy(exact, text, n);
	bool good = profile_parse((struct slice){.p = exact, .n = n}, &p, &error);
	if (good && p.key_inline)
		assert_true(p.key_text.p >= exact && p.key_text.p + p.key_text.n <= exact + n);
	p.key_text = (struct slice){0};
	free(exact);
	return good;
}

static void a_usual_client(void **state)
{
	(void)state;
	assert_true(parse("\xef\xbb\xbf"
			  "client\r\n# a comment\r\ndev tun\r\nproto udp\r\n"
			  "remote vpn.example.org 1195\r\nremote 192.0.2.7\r\n"
			  "remote \"2001:db8::1\" 1196 udp6\r\nauth SHA256 ; digest\r\n"
			  "tls-auth 'my keys/ta.key' 1\r\nkeepalive 10 60\r\nreneg-sec 0\r\n"
			  "explicit-exit-notify\r\n"));
	assert_int_equal(p.n_remotes, 3);
	assert_string_equal(p.remotes[0].host, "vpn.example.org");
	assert_int_equal(p.remotes[0].port, 1195);
	assert_int_equal(p.remotes[1].port, 1194);
	assert_int_equal(p.remotes[1].proto, PROTO_UDP);
	assert_string_equal(p.remotes[2].host, "2001:db8::1");
	assert_int_equal(p.remotes[2].proto, PROTO_UDP6);
	assert_int_equal(p.wrap, WRAP_TLS_AUTH);
	assert_string_equal(p.key_file, "my keys/ta.key");
	assert_int_equal(p.direction, KEY_INVERSE);
	assert_string_equal(p.auth, "SHA256");
	assert_true(p.pull && p.explicit_exit_notify);
	assert_int_equal(p.ping, 10);
	assert_int_equal(p.ping_restart, 60);
	assert_int_equal(p.reneg_sec, 0);
}

static void defaults(void **state)
{
	(void)state;
	assert_true(parse(""));
	assert_int_equal(p.n_remotes, 0);
	assert_int_equal(p.wrap, WRAP_PLAIN);
	assert_int_equal(p.direction, KEY_BIDIRECTIONAL);
	assert_string_equal(p.auth, "SHA1");
	assert_int_equal(p.ping, -1);
	assert_int_equal(p.ping_restart, -1);
}

static void inline_files(void **state)
{
	(void)state;
	assert_true(parse("<ca>\nremote in.a.certificate 1\n</ca>\nremote a\n"
			  "<tls-auth>\n-----BEGIN-----\n00\n</tls-auth>\nkey-direction 1\n"));
	assert_int_equal(p.n_remotes, 1);
	assert_string_equal(p.remotes[0].host, "a");
	assert_true(p.key_inline);
	assert_int_equal(p.direction, KEY_INVERSE);
	assert_true(parse("<tls-crypt>\nx\n</tls-crypt>\n"));
	assert_int_equal(p.wrap, WRAP_TLS_CRYPT);
	assert_true(parse("tls-crypt-v2 c.key"));
	assert_int_equal(p.wrap, WRAP_TLS_CRYPT_V2);
}

/* `port` and `proto` fill in what a remote does not say, before it and after it, and within their
 * own <connection> first. */
static void what_a_remote_does_not_say(void **state)
{
	(void)state;
	assert_true(parse("remote a\nport 4000\nproto tcp-client\nremote b 5000 udp\n"));
	assert_int_equal(p.remotes[0].port, 4000);
	assert_int_equal(p.remotes[0].proto, PROTO_TCP);
	assert_int_equal(p.remotes[1].port, 5000);
	assert_int_equal(p.remotes[1].proto, PROTO_UDP);
	assert_true(parse("proto tcp\n<connection>\nremote a\nport 7\nproto udp4\n</connection>\n"
			  "<connection>\nremote b\n</connection>\n"));
	assert_int_equal(p.remotes[0].port, 7);
	assert_int_equal(p.remotes[0].proto, PROTO_UDP4);
	assert_int_equal(p.remotes[1].port, 1194);
	assert_int_equal(p.remotes[1].proto, PROTO_TCP);
}

static void management(void **state)
{
	(void)state;
	assert_true(
	    parse("management 127.0.0.1 7505 pw.txt\nmanagement-hold\nmanagement-signal\n"));
	assert_string_equal(p.management, "127.0.0.1:7505");
	assert_string_equal(p.management_password_file, "pw.txt");
	assert_true(p.management_hold && p.management_signal && !p.management_client);
	assert_true(parse("management ::1 7505"));
	assert_string_equal(p.management, "[::1]:7505");
	assert_true(parse("management /run/x.sock unix"));
	assert_string_equal(p.management, "unix:/run/x.sock");
}

static void many_remotes_are_counted(void **state)
{
	(void)state;
	static char text[80 * 16];
	for (int i = 0; i < 70; i++)
		strcat(text, "remote a\n");
	assert_true(parse(text));
	assert_int_equal(p.n_remotes, PROFILE_REMOTES_MAX);
	assert_int_equal(p.more_remotes, 70 - PROFILE_REMOTES_MAX);
}

static void broken_ones(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned line;
		const char *word;
	} table[] = {
	    {"client\nremote a 99999\n", 2, "99999"},
	    {"remote a 0\n", 1, "port 0"},
	    {"remote\n", 1, "host"},
	    {"proto quic\n", 1, "quic"},
	    {"\n\nping many\n", 3, "many"},
	    {"key-direction 2\n", 1, "0 or 1"},
	    {"tls-auth\n", 1, "key file"},
	    {"dev 'tun\n", 1, "quote"},
	    {"dev tun\\", 1, "backslash"},
	    {"a\n<ca>\nxyz\n", 2, "no end"},
	    {"<connection>\nremote a\n", 2, "</connection>"},
	    {"management 127.0.0.1\n", 1, "port"},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		memset(&error, 0, sizeof error);
		assert_false(parse(table[i].text));
		assert_int_equal(error.line, table[i].line);
		if (strstr(error.message, table[i].word) == NULL)
			fail_msg("%s: %s", table[i].text, error.message);
	}
}

/* What is not about probing is OpenVPN's to judge. */
static void strange_options_are_skipped(void **state)
{
	(void)state;
	assert_true(parse("setenv opt x\n;remote b\nfrobnicate 1 2 3\nhttp-proxy h 80\n"));
	assert_true(p.proxy);
	assert_int_equal(p.n_remotes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_usual_client), cmocka_unit_test(defaults),
	    cmocka_unit_test(inline_files),   cmocka_unit_test(what_a_remote_does_not_say),
	    cmocka_unit_test(management),     cmocka_unit_test(many_remotes_are_counted),
	    cmocka_unit_test(broken_ones),    cmocka_unit_test(strange_options_are_skipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
