/* SPDX-License-Identifier: MIT
 *
 * Who may come in, and who may only look: the password, browsers, and the read-only relay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/relay_fixture.h"

#define PROMPT "ENTER PASSWORD:"

static void met_readonly(unsigned i)
{
	came_as(i, true, NULL);
	expect(i, BANNER "\r\n");
}

/* --- the password ---------------------------------------------------------------------------- */

static void the_right_password(void **state)
{
	(void)state;
	assert_true(daemon_says(">HOLD:Waiting for hold release:0"));
	came_as(0, false, "correct horse");
	expect(0, PROMPT);
	assert_true(daemon_says(">NOTIFY:info,x,y")); /* nothing for strangers */
	says(0, "correct horse\r\npid\n");
	expect(0, "SUCCESS: password is correct\r\n" BANNER "\r\n"
		  ">HOLD:Waiting for hold release:0\r\n");
	answered("pid", "SUCCESS: pid=7");
}

static void three_wrong_ones(void **state)
{
	(void)state;
	static const char *const wrong[] = {"pid\n",	       "\n",
					    "correct hors\n",  "correct horse \n",
					    "Correct horse\n", "correct horsf\n"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		came_as(0, false, "correct horse");
		says(0, wrong[i]);
		expect(0, PROMPT PROMPT);
		says(0, wrong[i]);
		says(0, wrong[i]);
		expect(0, PROMPT);
		expect_hung_up(0, "gave a wrong password three times");
		says(0, "correct horse\npid\n");
		expect(0, "");
		expect_daemon("");
		left(0);
	}
	came_as(0, false, ""); /* an empty one is one, too */
	says(0, "x\n\n");
	expect(0, PROMPT PROMPT "SUCCESS: password is correct\r\n" BANNER "\r\n");
}

static void a_long_password(void **state)
{
	char password[RELAY_PASSWORD_MAX + 1], text[1100];
	(void)state;
	memset(password, 'p', sizeof password);
	password[RELAY_PASSWORD_MAX] = '\0';
	memset(text, 'p', sizeof text);
	came_as(0, false, password);
	text[1000] = '\n';
	says_bytes(0, (struct slice){.p = text, .n = 1001});
	expect(0, PROMPT PROMPT);
	text[RELAY_PASSWORD_MAX] = '\n';
	says_bytes(0, (struct slice){.p = text, .n = RELAY_PASSWORD_MAX + 1});
	expect(0, "SUCCESS: password is correct\r\n" BANNER "\r\n");
	for (size_t i = 0; i < sizeof ends[0].c->password; i++)
		assert_int_equal(ends[0].c->password[i], 0);
}

static void the_password_is_asked_when_the_daemon_is_there(void **state)
{
	(void)state;
	came_as(0, false, "x");
	expect(0, "");
	assert_true(daemon_says(BANNER));
	expect(0, PROMPT);
	daemon_down(); /* as OpenVPN would */
	expect_hung_up(0, NULL);
}

/* --- browsers -------------------------------------------------------------------------------- */

static void browsers_are_sent_away(void **state)
{
	(void)state;
	static const char *const requests[] = {"GET / HTTP/1.1\r\nHost: 127.0.0.1:7505\r\n\r\n",
					       "POST / HTTP/1.1\r\n\r\nsignal SIGTERM\r\n",
					       "OPTIONS / HTTP/1.1\r\n",
					       "xx / HTTP/1.1\r\nsignal SIGTERM\r\n"};
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		for (int guarded = 0; guarded < 2; guarded++) {
			came_as(0, false, guarded ? "x" : NULL);
			says(0, requests[i]);
			expect_hung_up(0, "spoke HTTP");
			expect_daemon("");
			left(0);
		}
	}
	daemon_down();
	came(0);
	says(0, "GE");
	assert_false(ends[0].hung_up);
	says(0, "T / ");
	expect_hung_up(0, "spoke HTTP");
}

/* --- read-only ------------------------------------------------------------------------------- */

static void readonly_clients_may_ask(void **state)
{
	(void)state;
	static const char *const queries[] = {"status",
					      "status 3",
					      "version",
					      "pid",
					      "help",
					      "hold",
					      "verb",
					      "mute",
					      "auth-retry",
					      "nclients",
					      "net",
					      "remote-entry-count",
					      "remote-entry-get all",
					      "remote-entry-get 1 2",
					      "state on all",
					      "log all",
					      "echo on",
					      "bytecount 3"};
	met_readonly(0);
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		says(0, queries[i]);
		says(0, "\n");
		answered(queries[i], "SUCCESS: x");
		expect(0, "SUCCESS: x\r\n");
	}
	says(0, "  'pid'\n"); /* in our words, not in its own */
	answered("pid", "SUCCESS: pid=7");
	says(0, "load-stats\n");
	expect_daemon("load-stats\n");
	assert_false(daemon_says(BARRIER_REPLY));
	says(0, "exit\n");
	expect_hung_up(0, NULL);
}

static void and_nothing_else(void **state)
{
	(void)state;
	static const char *const commands[] = {"hold release",
					       "hold on",
					       "verb 11",
					       "mute 1",
					       "auth-retry none",
					       "version 5",
					       "signal SIGTERM",
					       "kill x",
					       "username Auth x",
					       "password Auth x",
					       "needok x ok",
					       "needstr x y",
					       "remote SKIP",
					       "proxy NONE",
					       "pk-sig",
					       "rsa-sig",
					       "certificate",
					       "client-auth 1 2",
					       "client-kill 1",
					       "client-deny 1 2 x",
					       "forget-passwords",
					       "env-filter 1",
					       "test 1000000",
					       "pkcs11-id-count",
					       "cr-response x",
					       "push-update-broad x",
					       "\"",
					       "status ;",
					       "status \"1\n2\"",
					       "pid a b c d",
					       "status 3 \\\\",
					       "unknown"};
	met_readonly(0);
	assert_true(daemon_says(">HOLD:Waiting for hold release:0"));
	expect(0, ">HOLD:Waiting for hold release:0\r\n");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		says(0, commands[i]);
		says(0, "\n");
		if (strcmp(daemon_end.text, "status\n" BARRIER) == 0)
			answered("status", ""); /* "status ;": the rest is a comment */
		expect_daemon("");
		assert_true(strncmp(ends[0].text, "ERROR: the '", 12) == 0 ||
			    ends[0].text[0] == '\0');
		if (strcmp(commands[i], "status ;") != 0)
			assert_non_null(strstr(ends[0].text, "this relay is read-only\r\n"));
		ends[0].n = 0;
		ends[0].text[0] = '\0';
	}
}

/* What each of the two is shown. */
static void secrets_are_not_shown(void **state)
{
	(void)state;
	static const struct {
		const char *line, *shown; /* NULL: not at all */
	} cases[] = {
	    {">PASSWORD:Auth-Token:SESS_ID_AT_x", NULL},
	    {">PK_SIGN:AAAA,x", NULL},
	    {">RSA_SIGN:AAAA", NULL},
	    {">INFOMSG:CR_TEXT:R,E:code", NULL},
	    {">SOMETHING-NEW:x", NULL},
	    {">CLIENT:ENV,password=secret", NULL},
	    {">CLIENT:ENV,auth_token=secret", NULL},
	    {">CLIENT:ENV,common_name=joe", ">CLIENT:ENV,common_name=joe"},
	    {">CLIENT:CR_RESPONSE,1,2,c2VjcmV0", ">CLIENT:CR_RESPONSE,1,2"},
	    {">CLIENT:ENV,END", ">CLIENT:ENV,END"},
	    {">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:x:am9l:Code']",
	     ">PASSWORD:Verification Failed: 'Auth'"},
	    {">PASSWORD:Need 'Auth' username/password", ">PASSWORD:Need 'Auth' username/password"},
	    {">NOTIFY:info,x,y", ">NOTIFY:info,x,y"},
	    {">LOG:1,,PUSH: 'PUSH_REPLY,auth-token SESS_ID'", ">LOG:1,,PUSH: 'PUSH_REPLY,"},
	    {">LOG:1,D,MANAGEMENT: CMD 'needstr pin 1234'", ">LOG:1,D,MANAGEMENT: CMD 'needstr"},
	    {">LOG:1,D,MANAGEMENT: CMD 'pid'", ">LOG:1,D,MANAGEMENT: CMD 'pid'"},
	    {">LOG:1,,ENV password=x", ">LOG:1,,ENV "},
	};
	met(0);
	met_readonly(1);
	says(0, "log on\n");
	answered("log on", "SUCCESS: real-time log notification set to ON");
	says(1, "log on\n");
	answered("log on", "SUCCESS: real-time log notification set to ON");
	ends[0].n = ends[1].n = 0;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[256];
		assert_true(daemon_says(cases[i].line));
		snprintf(text, sizeof text, "%s\r\n", cases[i].line);
		expect(0, text);
		snprintf(text, sizeof text, "%s\r\n", cases[i].shown != NULL ? cases[i].shown : "");
		expect(1, cases[i].shown != NULL ? text : ends[1].n == 0 ? ends[1].text : "");
	}
	says(1, "log all\n");
	answered("log all", "1,D,MANAGEMENT: CMD 'username Auth joe'\nEND");
	expect(1, "1,D,MANAGEMENT: CMD 'username\r\nEND\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_right_password, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(three_wrong_ones, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(a_long_password, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(the_password_is_asked_when_the_daemon_is_there,
					    relay_begin, relay_end),
	    cmocka_unit_test_setup_teardown(browsers_are_sent_away, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(readonly_clients_may_ask, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(and_nothing_else, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(secrets_are_not_shown, relay_begin_up, relay_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
