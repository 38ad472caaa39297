/* SPDX-License-Identifier: MIT */
#include "proto/profile.h"
#include "support/guard_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct profile parsed(struct slice text)
{
	struct profile p;
	struct profile_error e = {0};
	if (!profile_parse(text, &p, &e))
		fail_msg("line %u: %s", e.line, e.message);
	return p;
}

/* A file of tests/fixtures/profiles, as the scripts and editors write them. */
static struct slice file(const char *name)
{
	static char text[16384];
	char path[512];
	snprintf(path, sizeof path, "%s/fixtures/profiles/%s", TESTS_DIR, name);
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		abort();
	}
	size_t n = fread(text, 1, sizeof text, f);
	fclose(f);
	return (struct slice){text, n};
}

static void assert_remote(const struct profile *p, size_t i, const char *host, unsigned port,
			  enum profile_proto proto)
{
	assert_true(i < p->n_remotes);
	assert_string_equal(p->remotes[i].host, host);
	assert_int_equal(p->remotes[i].port, port);
	assert_int_equal(p->remotes[i].proto, proto);
}

static void assert_counting_key(struct slice text)
{
	struct static_key key;
	assert_int_equal(static_key_parse(text, &key), VERDICT_DONE);
	assert_int_equal(key.bytes[0], 0);
	assert_int_equal(key.bytes[255], 255);
}

static void easy_rsa(void **state)
{
	(void)state;
	struct profile p = parsed(file("easy_rsa.ovpn"));
	assert_int_equal(p.n_remotes, 1);
	assert_remote(&p, 0, "my-server-1", 1194, PROTO_UDP);
	assert_int_equal(p.wrap, WRAP_TLS_AUTH);
	assert_false(p.key_inline);
	assert_string_equal(p.key_file, "ta.key");
	assert_int_equal(p.direction, KEY_INVERSE);
	assert_string_equal(p.auth, "SHA1");
	assert_true(p.pull);
	assert_false(p.explicit_exit_notify);
	assert_false(p.proxy);
	assert_int_equal(p.ping, -1);
	assert_int_equal(p.ping_restart, -1);
	assert_int_equal(p.ping_exit, -1);
	assert_int_equal(p.reneg_sec, -1);
	assert_string_equal(p.management, "");
}

static void pivpn(void **state)
{
	(void)state;
	struct profile p = parsed(file("pivpn.ovpn"));
	assert_remote(&p, 0, "home.example.org", 1194, PROTO_UDP);
	assert_int_equal(p.wrap, WRAP_TLS_CRYPT);
	assert_true(p.key_inline);
	assert_counting_key(p.key_text);
	assert_string_equal(p.auth, "SHA256");
}

static void angristan(void **state)
{
	(void)state;
	struct profile p = parsed(file("angristan.ovpn"));
	assert_int_equal(p.n_remotes, 1);
	assert_remote(&p, 0, "203.0.113.7", 1194, PROTO_UDP);
	assert_int_equal(p.wrap, WRAP_TLS_AUTH);
	assert_true(p.key_inline);
	assert_counting_key(p.key_text);
	assert_int_equal(p.direction, KEY_INVERSE);
	assert_string_equal(p.auth, "SHA256");
	assert_true(p.explicit_exit_notify);
}

static void access_server(void **state)
{
	(void)state;
	struct profile p = parsed(file("access_server.ovpn"));
	assert_int_equal(p.n_remotes, 4);
	assert_remote(&p, 1, "vpn.example.com", 1194, PROTO_UDP);
	assert_remote(&p, 2, "vpn.example.com", 443, PROTO_TCP);
	assert_int_equal(p.reneg_sec, 604800);
	assert_int_equal(p.direction, KEY_INVERSE);
	assert_counting_key(p.key_text);
}

static void windows_with_blocks(void **state)
{
	(void)state;
	struct profile p = parsed(file("windows_blocks.ovpn"));
	assert_int_equal(p.n_remotes, 3);
	assert_remote(&p, 0, "vpn1.example.com", 1194, PROTO_UDP);
	assert_remote(&p, 1, "2001:db8::7", 443, PROTO_TCP6);
	assert_remote(&p, 2, "vpn3.example.com", 1195, PROTO_TCP);
	assert_string_equal(p.key_file, "C:\\Program Files\\OpenVPN\\config\\ta.key");
	assert_int_equal(p.direction, KEY_INVERSE);
	assert_string_equal(p.auth, "SHA512");
	assert_true(p.explicit_exit_notify);
	assert_int_equal(p.ping, 10);
	assert_int_equal(p.ping_restart, 120);
	assert_string_equal(p.management, "127.0.0.1:25340");
	assert_string_equal(p.management_password_file, "stdin");
	assert_true(p.management_hold);
}

static void nothing(void **state)
{
	(void)state;
	struct profile p = parsed((struct slice){0});
	assert_int_equal(p.n_remotes, 0);
	assert_int_equal(p.wrap, WRAP_PLAIN);
	assert_int_equal(p.direction, KEY_BIDIRECTIONAL);
	assert_string_equal(p.auth, "SHA1");
	assert_false(p.pull);
	(void)parsed(SLICE("\xEF\xBB\xBF"));
	(void)parsed(SLICE("\n\r\n # \n"));
}

/* The order of the lines does not matter at the top. */
static void top_applies_to_all_remotes(void **state)
{
	(void)state;
	struct profile p = parsed(SLICE("remote a\nremote b 2000\nremote c 2001 tcp\n"
					"remote d 2002 udp4\nport 3000\nproto udp6\n"));
	assert_remote(&p, 0, "a", 3000, PROTO_UDP6);
	assert_remote(&p, 1, "b", 2000, PROTO_UDP6);
	assert_remote(&p, 2, "c", 2001, PROTO_TCP6);
	assert_remote(&p, 3, "d", 2002, PROTO_UDP4);
	p = parsed(SLICE("rport 1\nproto tcp4-client\nremote a\nrport 2\nproto tcp"));
	assert_remote(&p, 0, "a", 2, PROTO_TCP);
	p = parsed(SLICE("--remote a 1 udp\n--proto tcp\nsetenv opt rport 9\n-- \nsetenv opt\n"));
	assert_int_equal(p.n_remotes, 1);
	assert_remote(&p, 0, "a", 1, PROTO_UDP);
}

static void blocks_replace_remotes_at_the_top(void **state)
{
	(void)state;
	struct profile p = parsed(SLICE("remote a\nport 2000\n"
					"  <connection>\n remote b\n </connection>\n"
					"remote c\nport 3000\nproto tcp\n"
					"<connection>\nremote d 1 udp\nproto udp6\nport 2\n"
					"</connection> # end\n"));
	assert_int_equal(p.n_remotes, 2);
	assert_remote(&p, 0, "b", 2000, PROTO_UDP); /* what is said below does not count */
	assert_remote(&p, 1, "d", 2, PROTO_UDP6);
}

static void keys_of_blocks(void **state)
{
	(void)state;
	struct profile p =
	    parsed(SLICE("tls-auth top.key 1\n"
			 "<connection>\nremote a\ntls-crypt a.key\n</connection>\n"
			 "<connection>\nremote b\n</connection>\n"
			 "<connection>\nremote c\ntls-crypt a.key\n</connection>\n"
			 "<connection>\nremote d\ntls-crypt d.key\n</connection>\n"));
	assert_int_equal(p.wrap, WRAP_TLS_CRYPT);
	assert_string_equal(p.key_file, "a.key");
	assert_int_equal(p.n_remotes, 2);
	assert_int_equal(p.more_remotes, 2);
	assert_remote(&p, 1, "c", 1194, PROTO_UDP);

	p = parsed(SLICE("<connection>\nremote a\n</connection>\n"
			 "<connection>\nremote b\ntls-auth k 1\n</connection>\n"
			 "<connection>\nremote c\ntls-auth k\n</connection>\n"
			 "tls-auth k\nkey-direction 1\n"));
	assert_int_equal(p.n_remotes, 2);
	assert_int_equal(p.more_remotes, 1); /* c has no direction */
	assert_remote(&p, 1, "b", 1194, PROTO_UDP);
	assert_int_equal(p.direction, KEY_INVERSE);

	/* An inline key within a block */
	struct slice text = SLICE("<connection>\nremote a\n<tls-auth>\nKEY\n</tls-auth>\n"
				  "key-direction 0\n</connection>\n");
	p = parsed(text);
	assert_true(p.key_inline);
	assert_true(slice_is(p.key_text, "KEY\n"));
	assert_ptr_equal(p.key_text.p, text.p + slice_find(text, "KEY"));
	assert_int_equal(p.direction, KEY_NORMAL);
}

static void keys_at_the_top(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum control_wrap wrap;
		enum key_direction direction;
		const char *file; /* NULL: inline */
	} rows[] = {
	    {"tls-auth a", WRAP_TLS_AUTH, KEY_BIDIRECTIONAL, "a"},
	    {"tls-auth a 0", WRAP_TLS_AUTH, KEY_NORMAL, "a"},
	    {"tls-auth a 1\ntls-auth 'b c'", WRAP_TLS_AUTH, KEY_INVERSE, "b c"},
	    {"key-direction 0\ntls-auth a 1", WRAP_TLS_AUTH, KEY_INVERSE, "a"},
	    {"tls-auth [inline] 1\n<tls-auth>\n</tls-auth>", WRAP_TLS_AUTH, KEY_INVERSE, NULL},
	    {"<tls-auth>\n</tls-auth>\ntls-auth a", WRAP_TLS_AUTH, KEY_BIDIRECTIONAL, "a"},
	    {"tls-crypt a", WRAP_TLS_CRYPT, KEY_BIDIRECTIONAL, "a"},
	    {"tls-crypt-v2 a", WRAP_TLS_CRYPT_V2, KEY_BIDIRECTIONAL, "a"},
	    {"<tls-crypt-v2>\n</tls-crypt-v2>", WRAP_TLS_CRYPT_V2, KEY_BIDIRECTIONAL, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct profile p = parsed(slice_from(rows[i].text));
		assert_int_equal(p.wrap, rows[i].wrap);
		assert_int_equal(p.direction, rows[i].direction);
		assert_int_equal(p.key_inline, rows[i].file == NULL);
		assert_string_equal(p.key_file, rows[i].file != NULL ? rows[i].file : "");
	}
}

static void inline_blocks_are_not_read_as_options(void **state)
{
	(void)state;
	struct profile p = parsed(SLICE("<ca>\nremote a\n\"\n</cax\n</ca>\nremote b\n"
					"<tls-auth>\n</tls-auth \n  </tls-auth> x\n"
					"<unknown>\nproto sctp\n</unknown>\n"
					"<remote>\nc\n</remote>\n"));
	assert_int_equal(p.n_remotes, 1);
	assert_remote(&p, 0, "b", 1194, PROTO_UDP);
	assert_true(slice_is(p.key_text, "</tls-auth \n"));
}

static void timers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int ping, restart, exit, reneg;
	} rows[] = {
	    {"ping 5\nping-restart 30", 5, 30, -1, -1},
	    {"ping-restart 30\nping-exit 40", -1, -1, 40, -1},
	    {"ping-exit 40\nping-restart 0", -1, 0, -1, -1},
	    {"keepalive 10 60", 10, 60, -1, -1},
	    {"reneg-sec 0", -1, -1, -1, 0},
	    {"reneg-sec 36000 30000", -1, -1, -1, 36000},
	    {"ping 2147483647", INT32_MAX, -1, -1, -1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct profile p = parsed(slice_from(rows[i].text));
		assert_int_equal(p.ping, rows[i].ping);
		assert_int_equal(p.ping_restart, rows[i].restart);
		assert_int_equal(p.ping_exit, rows[i].exit);
		assert_int_equal(p.reneg_sec, rows[i].reneg);
	}
}

static void management(void **state)
{
	(void)state;
	static const struct {
		const char *text, *address, *password_file;
	} rows[] = {
	    {"management 127.0.0.1 7505", "127.0.0.1:7505", ""},
	    {"management localhost 7505 /etc/openvpn/pw", "localhost:7505", "/etc/openvpn/pw"},
	    {"management ::1 7505", "[::1]:7505", ""},
	    {"management /run/openvpn/a.sock unix", "unix:/run/openvpn/a.sock", ""},
	    {"management \"/run/a b\" unix pw", "unix:/run/a b", "pw"},
	    {"management tunnel 7505", "", ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct profile p = parsed(slice_from(rows[i].text));
		assert_string_equal(p.management, rows[i].address);
		assert_string_equal(p.management_password_file, rows[i].password_file);
		assert_false(p.management_client || p.management_hold || p.management_signal ||
			     p.management_forget_disconnect);
	}
	struct profile p = parsed(SLICE("management-client\nmanagement-signal\n"));
	assert_true(p.management_client && p.management_signal);
	assert_false(p.management_hold || p.management_forget_disconnect);
	p = parsed(SLICE("management-forget-disconnect\n"));
	assert_true(p.management_forget_disconnect);
}

static void flags(void **state)
{
	(void)state;
	assert_true(parsed(SLICE("pull")).pull);
	assert_false(parsed(SLICE("tls-client")).pull);
	assert_true(parsed(SLICE("http-proxy 10.0.0.1 8080 stdin basic")).proxy);
	assert_true(parsed(SLICE("<connection>\nremote a\nsocks-proxy b\n</connection>")).proxy);
	assert_true(parsed(SLICE("explicit-exit-notify 3")).explicit_exit_notify);
	assert_false(parsed(SLICE("explicit-exit-notify 0")).explicit_exit_notify);
	assert_true(parsed(SLICE("secret static.key 1")).static_key_mode);
	assert_true(parsed(SLICE("<secret>\n</secret>")).static_key_mode);
	assert_string_equal(parsed(SLICE("auth none")).auth, "none");
}

static void more_remotes_than_fit(void **state)
{
	(void)state;
	char text[PROFILE_REMOTES_MAX * 16 + 64];
	size_t n = 0;
	for (unsigned i = 0; i < PROFILE_REMOTES_MAX + 3; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "remote h%u\n", i);
	struct profile p = parsed((struct slice){text, n});
	assert_int_equal(p.n_remotes, PROFILE_REMOTES_MAX);
	assert_int_equal(p.more_remotes, 3);
	assert_remote(&p, PROFILE_REMOTES_MAX - 1, "h63", 1194, PROTO_UDP);
}

static void errors(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned line;
		const char *about;
	} rows[] = {
	    {"client\nremote\n", 2, "'remote HOST [PORT [PROTOCOL]]'"},
	    {"remote a 1 udp x", 1, "too many words"},
	    {"remote \"\"", 1, "host is empty"},
	    {"remote a 0", 1, "'0' is not a port"},
	    {"remote a 65536", 1, "'65536' is not a port"},
	    {"remote a 1194/udp", 1, "not a port"},
	    {"remote a openvpn", 1, "not a port"},
	    {"remote a 1 sctp", 1, "'sctp' is not a protocol"},
	    {"proto UDP", 1, "'UDP' is not a protocol"},
	    {"proto udp-client", 1, "not a protocol"},
	    {"proto tcp5", 1, "not a protocol"},
	    {"proto udp44", 1, "not a protocol"},
	    {"proto tc", 1, "not a protocol"},
	    {"proto \"\"", 1, "not a protocol"},
	    {"\n\nport x", 3, "not a port"},
	    {"tls-auth k 2", 1, "not a key direction"},
	    {"key-direction", 1, "too few words"},
	    {"key-direction -1", 1, "not a key direction"},
	    {"tls-auth a\ntls-crypt b", 2, "exclude one another"},
	    {"<tls-crypt>\n</tls-crypt>\n\ntls-crypt-v2 b", 4, "exclude one another"},
	    {"ping -1", 1, "'-1' is not a number of seconds"},
	    {"ping 10s", 1, "seconds"},
	    {"ping 2147483648", 1, "seconds"},
	    {"ping-restart 99999999999999999999", 1, "seconds"},
	    {"keepalive 10", 1, "'keepalive SECONDS SECONDS'"},
	    {"keepalive 0 60", 1, "above 0"},
	    {"keepalive 10 0", 1, "above 0"},
	    {"keepalive 10 19", 1, "at least twice"},
	    {"reneg-sec never", 1, "seconds"},
	    {"explicit-exit-notify x", 1, "tries"},
	    {"auth \"\"", 1, "digest"},
	    {"auth 01234567890123456789012345678901", 1, "digest"},
	    {"client yes", 1, "it should be 'client'"},
	    {"management 127.0.0.1", 1, "too few"},
	    {"management 127.0.0.1 x", 1, "not a port"},
	    {"management \"\" 7505", 1, "address is empty"},
	    {"\nca \"my ca.crt", 2, "never closed"},
	    {"cert C:\\keys\\a.crt", 1, "backslash"},
	    {"remote a\n<ca>\nx\n\n", 2, "there is no </ca>"},
	    {"<connection>\n\n</connection>", 1, "has no remote"},
	    {"<ca>\n</ca>\n\n<connection>\nremote a\nport x\n</connection>", 6, "not a port"},
	    {"<connection>\nremote a\n<tls-auth>\n</connection>\n", 3, "there is no </tls-auth>"},
	    {"remote \x1b[2J 0\nport \x1b[2J", 1, "not a port"},
	    {"port \x1b[2J\x9b", 1, "'?[2J?' is not a port"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct profile p, before;
		struct profile_error e = {0};
		memset(&p, 0x5a, sizeof p);
		memcpy(&before, &p, sizeof p);
		if (profile_parse(slice_from(rows[i].text), &p, &e))
			fail_msg("accepted: %s", rows[i].text);
		if (e.line != rows[i].line || strstr(e.message, rows[i].about) == NULL)
			fail_msg("%s: line %u: %s", rows[i].text, e.line, e.message);
		assert_memory_equal(&p, &before, sizeof p);
	}
}

static void long_lines(void **state)
{
	(void)state;
	char text[600];
	struct profile p;
	struct profile_error e;
	memset(text, 'x', sizeof text);
	assert_false(profile_parse((struct slice){text, 256}, &p, &e));
	assert_non_null(strstr(e.message, "longer than the 255 characters"));
	assert_true(profile_parse((struct slice){text, 255}, &p, &e));
	/* Long comments and long lines in inline files are none of ours. */
	text[0] = '#';
	assert_true(profile_parse((struct slice){text, sizeof text}, &p, &e));
	memcpy(text, "<ca>\n", 5);
	memcpy(text + sizeof text - 6, "\n</ca>", 6);
	assert_true(profile_parse((struct slice){text, sizeof text}, &p, &e));
}

/* Every text that a real file begins with, at the end of a page. */
static void cut_anywhere(void **state)
{
	(void)state;
	static const char *const names[] = {"windows_blocks.ovpn", "angristan.ovpn"};
	for (size_t i = 0; i < 2; i++) {
		struct slice whole = file(names[i]);
		struct guarded g = guarded_new(whole.n);
		for (size_t n = 0; n <= whole.n; n++) {
			struct profile p;
			struct profile_error e = {0};
			struct slice cut = {(char *)guarded_copy(&g, whole.p, n), n};
			if (!profile_parse(cut, &p, &e))
				assert_true(e.line > 0 && e.message[0] != '\0');
		}
		guarded_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(easy_rsa),
	    cmocka_unit_test(pivpn),
	    cmocka_unit_test(angristan),
	    cmocka_unit_test(access_server),
	    cmocka_unit_test(windows_with_blocks),
	    cmocka_unit_test(nothing),
	    cmocka_unit_test(top_applies_to_all_remotes),
	    cmocka_unit_test(blocks_replace_remotes_at_the_top),
	    cmocka_unit_test(keys_of_blocks),
	    cmocka_unit_test(keys_at_the_top),
	    cmocka_unit_test(inline_blocks_are_not_read_as_options),
	    cmocka_unit_test(timers),
	    cmocka_unit_test(management),
	    cmocka_unit_test(flags),
	    cmocka_unit_test(more_remotes_than_fit),
	    cmocka_unit_test(errors),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(cut_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
