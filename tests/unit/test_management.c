/* SPDX-License-Identifier: MIT */
#include "proto/management.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct slice load(const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/fixtures/%s", TESTS_DIR, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *bytes = malloc(1 << 20);
	assert_non_null(bytes);
	size_t n = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	assert_true(n > 0 && n < 1 << 20);
	return (struct slice){.p = bytes, .n = n};
}

/* The lines of `bytes` cut into pieces, each terminated by '|', and what was dropped. Each piece
 * lies in an allocation of its own that is gone before the next is read. */
static char *frame(struct slice bytes, size_t piece, size_t line_max, uint64_t *dropped)
{
	char *buf = malloc(line_max);
	char *trace = malloc(bytes.n * 2 + 1);
	size_t used = 0;
	struct management_framer f;
	assert_non_null(buf);
	assert_non_null(trace);
	management_framer_init(&f, buf, line_max);
	while (bytes.n > 0) {
		size_t n = piece < bytes.n ? piece : bytes.n;
		char *copy = malloc(n);
		assert_non_null(copy);
		memcpy(copy, bytes.p, n);
		struct slice in = {.p = copy, .n = n};
		struct slice line;
		while (management_framer_next(&f, &in, &line) == VERDICT_DONE) {
			assert_true(line.n <= line_max);
			if (line.n > 0)
				memcpy(trace + used, line.p, line.n);
			used += line.n;
			trace[used++] = '|';
		}
		assert_int_equal(in.n, 0);
		free(copy);
		bytes = slice_skip(bytes, n);
	}
	trace[used] = '\0';
	*dropped = f.dropped;
	free(buf);
	return trace;
}

static void same_lines_however_torn(void **state)
{
	(void)state;
	static const char *const files[] = {
	    "management_every.raw",	     "ovpn_client_pingrestart_2.6.14.raw",
	    "ovpn_server_status_2.6.14.raw", "ovpn_echo_srvtime_2.6.14.raw",
	    "ovpn_dupcn_clientA_2.6.14.raw",
	};
	static const size_t pieces[] = {1, 2, 3, 7, 97};
	static const size_t limits[] = {1, 4, 14, 15, 16, 40, 1000, MANAGEMENT_LINE_MAX};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct slice bytes = load(files[i]);
		for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
			uint64_t dropped_whole = 0;
			char *whole = frame(bytes, bytes.n, limits[l], &dropped_whole);
			for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
				uint64_t dropped = 0;
				char *torn = frame(bytes, pieces[p], limits[l], &dropped);
				assert_string_equal(torn, whole);
				assert_int_equal(dropped, dropped_whole);
				free(torn);
			}
			assert_int_equal(dropped_whole > 0, limits[l] < 1000);
			free(whole);
		}
		free((char *)bytes.p);
	}
}

struct framing {
	struct slice in;
	const char *lines;
	size_t line_max;
	uint64_t dropped;
};

static void framing(void **state)
{
	(void)state;
	static const struct framing cases[] = {
	    {{"a\r\nb\nc", 6}, "a|b|", 64, 0},
	    {{"\r\n\n", 3}, "||", 64, 0},
	    {{"a\rb\r\r\n", 6}, "a\rb\r|", 64, 0},
	    {{"abcd\r\nabcde\r\nab\n", 16}, "abcd|ab|", 4, 1},
	    {{"abcd\r\r\nx\n", 9}, "x|", 4, 1},
	    {{"abcde", 5}, "", 4, 1},
	    {{"abcd\r", 5}, "", 4, 0},
	    {{"ENTER PASSWORD:", 15}, "ENTER PASSWORD:|", 15, 0},
	    {{"ENTER PASSWORD:", 15}, "", 14, 1},
	    {{"ENTER PASSWORD", 14}, "", 64, 0},
	    {{"ENTER PASSWORD\n", 15}, "ENTER PASSWORD|", 64, 0},
	    {{"\rENTER PASSWORD:\n", 17}, "\rENTER PASSWORD:|", 64, 0},
	    {{"x\nENTER PASSWORD:ENTER PASSWORD:SUCCESS: y\r\n", 44},
	     "x|ENTER PASSWORD:|ENTER PASSWORD:|SUCCESS: y|",
	     64,
	     0},
	    {{" ENTER PASSWORD:x\n", 18}, " ENTER PASSWORD:x|", 64, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t piece = 1; piece <= cases[i].in.n; piece++) {
			uint64_t dropped = 0;
			char *lines = frame(cases[i].in, piece, cases[i].line_max, &dropped);
			assert_string_equal(lines, cases[i].lines);
			assert_int_equal(dropped, cases[i].dropped);
			free(lines);
		}
	}
}

static void whole_lines_are_not_copied(void **state)
{
	(void)state;
	char buf[8] = "untouch";
	struct management_framer f;
	management_framer_init(&f, buf, sizeof buf);
	struct slice in = SLICE(">HOLD:\r\nEND\r\n");
	const char *bytes = in.p;
	struct slice line;
	assert_int_equal(management_framer_next(&f, &in, &line), VERDICT_DONE);
	assert_ptr_equal(line.p, bytes);
	assert_int_equal(management_framer_next(&f, &in, &line), VERDICT_DONE);
	assert_ptr_equal(line.p, bytes + 8);
	assert_int_equal(management_framer_next(&f, &in, &line), VERDICT_MORE);
	assert_string_equal(buf, "untouch");
}

/* Parses out of an allocation of exactly the line's size: a byte too far is seen by ASan. */
static enum verdict parse(const char *text, struct management_message *m, char **copy)
{
	size_t n = strlen(text);
	*copy = malloc(n > 0 ? n : 1);
	assert_non_null(*copy);
	memcpy(*copy, text, n);
	return management_parse((struct slice){.p = *copy, .n = n}, m);
}

static void kinds(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		enum management_kind kind;
		const char *word, *text;
	} cases[] = {
	    {"", MANAGEMENT_TEXT, "", ""},
	    {"SUCCESS: pid=1", MANAGEMENT_SUCCESS, "", "pid=1"},
	    {"SUCCESS:", MANAGEMENT_SUCCESS, "", ""},
	    {"SUCCESSFUL", MANAGEMENT_TEXT, "", "SUCCESSFUL"},
	    {"ERROR: no", MANAGEMENT_ERROR, "", "no"},
	    {"END", MANAGEMENT_END, "", ""},
	    {"ENDE", MANAGEMENT_TEXT, "", "ENDE"},
	    {"ENTER PASSWORD:", MANAGEMENT_PROMPT, "", ""},
	    {"1795493834,CONNECTING,,,,,,", MANAGEMENT_TEXT, "", "1795493834,CONNECTING,,,,,,"},
	    {">FATAL:a:b", MANAGEMENT_FATAL, "FATAL", "a:b"},
	    {">INFOMSG:CR_TEXT:R,E:x", MANAGEMENT_INFOMSG, "INFOMSG", "CR_TEXT:R,E:x"},
	    {">NEED-CERTIFICATE:h", MANAGEMENT_NEED_CERTIFICATE, "NEED-CERTIFICATE", "h"},
	    {">PKCS11ID-COUNT:1", MANAGEMENT_PKCS11ID_COUNT, "PKCS11ID-COUNT", "1"},
	    {">PKCS11ID-ENTRY:'0'", MANAGEMENT_PKCS11ID_ENTRY, "PKCS11ID-ENTRY", "'0'"},
	    {">LOG:1,,", MANAGEMENT_LOG, "LOG", "1,,"},
	    {">STATE:1,WAIT,,,", MANAGEMENT_STATE, "STATE", "1,WAIT,,,"},
	    {">BYTECOUNT:1,2", MANAGEMENT_BYTECOUNT, "BYTECOUNT", "1,2"},
	    {">STATE", MANAGEMENT_UNKNOWN, "STATE", ""},
	    {">STATES:1", MANAGEMENT_UNKNOWN, "STATES", "1"},
	    {">", MANAGEMENT_UNKNOWN, "", ""},
	    {">:x", MANAGEMENT_UNKNOWN, "", "x"},
	    {"> STATE:1", MANAGEMENT_UNKNOWN, " STATE", "1"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct management_message m;
		char *copy = NULL;
		assert_int_equal(parse(cases[i].line, &m, &copy), VERDICT_DONE);
		assert_int_equal(m.kind, cases[i].kind);
		assert_true(slice_is(m.word, cases[i].word));
		assert_true(slice_is(m.text, cases[i].text));
		assert_true(slice_is(m.line, cases[i].line));
		free(copy);
	}
}

static void broken_ones_leave_the_output_alone(void **state)
{
	(void)state;
	static const char *const cases[] = {
	    ">STATE:",
	    ">STATE:1705361803",
	    ">STATE:1705361803,",
	    ">STATE:1705361803,WAIT",
	    ">STATE:1705361803,WAIT,,",
	    ">STATE:,WAIT,,,",
	    ">STATE:4294967296,WAIT,,,",
	    ">STATE:-1,WAIT,,,",
	    ">STATE:1705361803,,,,",
	    ">STATE:1705361803,wait,,,",
	    ">STATE:1705361803,WAIT,,,,65536,,",
	    ">STATE:1705361803,WAIT,,,,x,,",
	    ">STATE:1705361803,WAIT,,,,,,-1",
	    ">LOG:",
	    ">LOG:1",
	    ">LOG:1,",
	    ">LOG:1,I",
	    ">LOG:1,i,text",
	    ">LOG:99999999999999999999,I,text",
	    ">ECHO:x,y",
	    ">ECHO:1",
	    ">BYTECOUNT:",
	    ">BYTECOUNT:1",
	    ">BYTECOUNT:1,",
	    ">BYTECOUNT:1,2,3",
	    ">BYTECOUNT:18446744073709551616,0",
	    ">BYTECOUNT:184467440737095516150,0",
	    ">BYTECOUNT: 1,2",
	    ">BYTECOUNT_CLI:1,2",
	    ">BYTECOUNT_CLI:x,1,2",
	    ">HOLD:Waiting for hold release:x",
	    ">HOLD:Waiting for hold release:99999999999",
	    ">INFO:OpenVPN Management Interface Version x -- type",
	    ">PASSWORD:Need 'Auth",
	    ">PASSWORD:Need 'Auth' username/password SC:x,y",
	    ">PASSWORD:Need 'Auth' username/password SC:1",
	    ">PASSWORD:Verification Failed: 'Auth",
	    ">PASSWORD:Verification Failed: 'Auth' ['x",
	    ">PASSWORD:Verification Failed: '",
	    ">NEED-OK:x",
	    ">NEED-OK:Need 'x confirmation",
	    ">NEED-OK:Need 'x MSG:y",
	    ">NEED-STR:Need ' MSG:y",
	    ">REMOTE:host",
	    ">REMOTE:host,1194",
	    ">REMOTE:host,65536,udp",
	    ">PROXY:x,TCP,host",
	    ">PROXY:1,TCP",
	    ">CLIENT:CONNECT",
	    ">CLIENT:CONNECT,1",
	    ">CLIENT:CONNECT,1,2,3",
	    ">CLIENT:CONNECT,x,2",
	    ">CLIENT:ESTABLISHED,1,2",
	    ">CLIENT:ADDRESS,1",
	    ">CLIENT:ADDRESS,1,10.8.0.2",
	    ">CLIENT:CR_RESPONSE,1,2",
	    ">CLIENT:ENV",
	    ">UPDOWN:",
	    ">UPDOWN:SIDEWAYS",
	    ">NOTIFY:info,x",
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct management_message m;
		struct management_message before;
		char *copy = NULL;
		memset(&m, 0x5a, sizeof m);
		memset(&before, 0x5a, sizeof before);
		if (parse(cases[i], &m, &copy) != VERDICT_INVALID)
			fail_msg("taken as valid: %s", cases[i]);
		if (memcmp(&m, &before, sizeof m) != 0)
			fail_msg("output touched: %s", cases[i]);
		free(copy);
	}
}

static struct management_message done(const char *line)
{
	struct management_message m;
	if (management_parse(slice_from(line), &m) != VERDICT_DONE)
		fail_msg("not understood: %s", line);
	return m;
}

static void states(void **state)
{
	(void)state;
	struct management_state s =
	    done(">STATE:1705361803,CONNECTED,SUCCESS,10.8.0.42,1.2.3.4,1194,9.8.7.6,50000,fd00::2")
		.u.state;
	assert_int_equal(s.time, 1705361803);
	assert_true(slice_is(s.name, "CONNECTED"));
	assert_int_equal(s.state, STATE_CONNECTED);
	assert_true(slice_is(s.detail, "SUCCESS"));
	assert_int_equal(s.reason, REASON_OTHER);
	assert_true(slice_is(s.local_ip, "10.8.0.42"));
	assert_true(slice_is(s.remote_ip, "1.2.3.4"));
	assert_int_equal(s.remote_port, 1194);
	assert_true(slice_is(s.source_ip, "9.8.7.6"));
	assert_int_equal(s.source_port, 50000);
	assert_true(slice_is(s.local_ip6, "fd00::2"));

	s = done(">STATE:1705362043,RECONNECTING,ping-restart,,,,,").u.state;
	assert_int_equal(s.state, STATE_RECONNECTING);
	assert_int_equal(s.reason, REASON_PING_RESTART);
	assert_int_equal(s.remote_ip.n, 0);
	assert_int_equal(s.remote_port, 0);
	assert_int_equal(s.local_ip6.n, 0);

	s = done(">STATE:1,EXITING,a new reason,[undef],[undef]").u.state;
	assert_int_equal(s.state, STATE_EXITING);
	assert_int_equal(s.reason, REASON_OTHER);
	assert_true(slice_is(s.detail, "a new reason"));
	assert_int_equal(s.local_ip.n, 0);
	assert_int_equal(s.remote_ip.n, 0);

	s = done(">STATE:1,NEW_ONE,ping-restart,,,,,,,and,more").u.state;
	assert_int_equal(s.state, STATE_OTHER);
	assert_int_equal(s.reason, REASON_OTHER);
	assert_true(slice_is(s.name, "NEW_ONE"));

	struct management_state history;
	assert_int_equal(management_parse_state(SLICE("1795493834,WAIT,,,,,,"), &history),
			 VERDICT_DONE);
	assert_int_equal(history.state, STATE_WAIT);
	assert_int_equal(management_parse_state(SLICE("1795493834,I,UDPv4 link local"), &history),
			 VERDICT_INVALID);
	assert_int_equal(management_parse_state((struct slice){0}, &history), VERDICT_INVALID);
	assert_int_equal(history.time, 1795493834);
}

static void logs_and_counts(void **state)
{
	(void)state;
	struct management_log log = done(">LOG:1795493834,NW,a, b,c").u.log;
	assert_int_equal(log.time, 1795493834);
	assert_true(slice_is(log.flags, "NW"));
	assert_true(slice_is(log.text, "a, b,c"));
	assert_int_equal(management_parse_log(SLICE("1,,x"), &log), VERDICT_DONE);
	assert_int_equal(log.flags.n, 0);
	assert_int_equal(management_parse_log(SLICE("1"), &log), VERDICT_INVALID);

	struct management_message m = done(">BYTECOUNT:18446744073709551615,42");
	assert_true(m.u.bytecount.in == UINT64_MAX);
	assert_int_equal(m.u.bytecount.out, 42);
	m = done(">BYTECOUNT_CLI:3,2112,2018");
	assert_int_equal(m.u.bytecount_cli.cid, 3);
	assert_int_equal(m.u.bytecount_cli.in, 2112);
	assert_int_equal(m.u.bytecount_cli.out, 2018);
	m = done(">ECHO:1795496168,srvtime 1795496168.7, more");
	assert_int_equal(m.u.echo.time, 1795496168);
	assert_true(slice_is(m.u.echo.text, "srvtime 1795496168.7, more"));
	assert_int_equal(done(">HOLD:Waiting for hold release:10").u.hold.seconds, 10);
	assert_int_equal(done(">HOLD:Waiting for hold release").u.hold.seconds, -1);
	assert_int_equal(
	    done(">INFO:OpenVPN Management Interface Version 5 -- type").u.info.version, 5);
	assert_int_equal(done(">INFO:hello").u.info.version, 0);
}

static void passwords(void **state)
{
	(void)state;
	struct management_password p = done(">PASSWORD:Need 'Private Key' password").u.password;
	assert_int_equal(p.kind, PASSWORD_NEED);
	assert_true(slice_is(p.type, "Private Key"));
	assert_false(p.wants_user);
	assert_false(p.challenge);
	p = done(">PASSWORD:Need 'Auth' username/password SC:1,PIN, please").u.password;
	assert_true(p.wants_user);
	assert_true(p.challenge);
	assert_true(p.challenge_echo);
	assert_true(slice_is(p.text, "PIN, please"));
	p = done(">PASSWORD:Need 'Auth' username/password SC:2,' password").u.password;
	assert_true(slice_is(p.type, "Auth"));
	assert_true(p.challenge);
	assert_false(p.challenge_echo);
	p = done(">PASSWORD:Need 'Bob's token' password").u.password;
	assert_true(slice_is(p.type, "Bob's token"));
	p = done(">PASSWORD:Verification Failed: 'Auth'").u.password;
	assert_int_equal(p.kind, PASSWORD_FAILED);
	assert_true(slice_is(p.type, "Auth"));
	assert_int_equal(p.text.n, 0);
	p = done(">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:x:y:it's me']").u.password;
	assert_true(slice_is(p.type, "Auth"));
	assert_true(slice_is(p.text, "CRV1:R:x:y:it's me"));
	p = done(">PASSWORD:Auth-Token:SESS").u.password;
	assert_int_equal(p.kind, PASSWORD_AUTH_TOKEN);
	assert_true(slice_is(p.text, "SESS"));
	assert_int_equal(done(">PASSWORD:new").u.password.kind, PASSWORD_OTHER);
}

static void questions(void **state)
{
	(void)state;
	struct management_message m = done(">NEED-OK:Need 'it's x' confirmation MSG:do it MSG:now");
	assert_int_equal(m.kind, MANAGEMENT_NEED_OK);
	assert_true(slice_is(m.u.need.name, "it's x"));
	assert_true(slice_is(m.u.need.message, "do it MSG:now"));
	assert_int_equal(done(">NEED-STR:Need 'a' string MSG:").u.need.message.n, 0);
	m = done(">PK_SIGN:QUJD,RSA_PKCS1_PADDING");
	assert_true(slice_is(m.u.sign.data, "QUJD"));
	assert_true(slice_is(m.u.sign.algorithm, "RSA_PKCS1_PADDING"));
	m = done(">RSA_SIGN:QUJD");
	assert_int_equal(m.kind, MANAGEMENT_RSA_SIGN);
	assert_int_equal(m.u.sign.algorithm.n, 0);
	m = done(">REMOTE:2001:db8::1,1194,udp6");
	assert_true(slice_is(m.u.remote.host, "2001:db8::1"));
	assert_int_equal(m.u.remote.port, 1194);
	assert_true(slice_is(m.u.remote.proto, "udp6"));
	assert_int_equal(done(">REMOTE:h,openvpn,udp").u.remote.port, 0);
	m = done(">PROXY:2,TCP,vpn.example.com");
	assert_true(slice_is(m.u.remote.host, "vpn.example.com"));
	assert_true(slice_is(m.u.remote.proto, "TCP"));
}

static void servers(void **state)
{
	(void)state;
	struct management_client c = done(">CLIENT:CONNECT,4294967295,2").u.client;
	assert_int_equal(c.kind, CLIENT_CONNECT);
	assert_int_equal(c.cid, 4294967295);
	assert_int_equal(c.kid, 2);
	c = done(">CLIENT:DISCONNECT,7").u.client;
	assert_int_equal(c.kind, CLIENT_DISCONNECT);
	assert_true(c.kid == UINT64_MAX);
	c = done(">CLIENT:ENV,X509_0_CN=a=b,c").u.client;
	assert_int_equal(c.kind, CLIENT_ENV);
	assert_true(c.cid == UINT64_MAX);
	assert_true(slice_is(c.key, "X509_0_CN"));
	assert_true(slice_is(c.value, "a=b,c"));
	assert_int_equal(done(">CLIENT:ENV,END").u.client.kind, CLIENT_ENV_END);
	assert_int_equal(done(">CLIENT:ENV,END=1").u.client.kind, CLIENT_ENV);
	c = done(">CLIENT:ADDRESS,0,10.8.0.0/255.255.255.0,0").u.client;
	assert_true(slice_is(c.key, "10.8.0.0/255.255.255.0"));
	assert_true(slice_is(c.value, "0"));
	c = done(">CLIENT:CR_RESPONSE,0,1,c2Vj").u.client;
	assert_int_equal(c.kid, 1);
	assert_true(slice_is(c.value, "c2Vj"));
	assert_int_equal(done(">CLIENT:NEW,1").u.client.kind, CLIENT_OTHER);

	assert_true(done(">UPDOWN:UP").u.updown.up);
	assert_false(done(">UPDOWN:DOWN").u.updown.up);
	struct management_message m = done(">UPDOWN:ENV,tun_mtu=1500");
	assert_true(m.u.updown.env && !m.u.updown.env_end);
	assert_true(slice_is(m.u.updown.value, "1500"));
	assert_true(done(">UPDOWN:ENV,END").u.updown.env_end);
	m = done(">NOTIFY:info,server-pushed-connection-reset,a,b");
	assert_true(slice_is(m.u.notify.severity, "info"));
	assert_true(slice_is(m.u.notify.type, "server-pushed-connection-reset"));
	assert_true(slice_is(m.u.notify.text, "a,b"));
}

/* Real sessions and the hand-made one hold no line that is broken; the real ones none unknown. */
static void captures_parse(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		int states, unknown;
	} cases[] = {
	    {"management_every.raw", 6, 3},
	    {"ovpn_client_pingrestart_2.6.14.raw", 6, 0},
	    {"ovpn_dupcn_clientA_2.6.14.raw", 16, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice bytes = load(cases[i].file);
		struct slice in = bytes;
		struct slice line;
		char buf[1024];
		int states_seen = 0;
		int unknown = 0;
		struct management_framer f;
		management_framer_init(&f, buf, sizeof buf);
		while (management_framer_next(&f, &in, &line) == VERDICT_DONE) {
			struct management_message m;
			assert_int_equal(management_parse(line, &m), VERDICT_DONE);
			states_seen += m.kind == MANAGEMENT_STATE;
			unknown += m.kind == MANAGEMENT_UNKNOWN;
		}
		assert_int_equal(states_seen, cases[i].states);
		assert_int_equal(unknown, cases[i].unknown);
		free((char *)bytes.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_lines_however_torn),
	    cmocka_unit_test(framing),
	    cmocka_unit_test(whole_lines_are_not_copied),
	    cmocka_unit_test(kinds),
	    cmocka_unit_test(broken_ones_leave_the_output_alone),
	    cmocka_unit_test(states),
	    cmocka_unit_test(logs_and_counts),
	    cmocka_unit_test(passwords),
	    cmocka_unit_test(questions),
	    cmocka_unit_test(servers),
	    cmocka_unit_test(captures_parse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
