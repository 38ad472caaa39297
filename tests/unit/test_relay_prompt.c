/* SPDX-License-Identifier: MIT
 *
 * What the daemon waits for: shown to who comes later, answered by whoever is first, and over when
 * the daemon says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/relay_fixture.h"

#define HOLD	  ">HOLD:Waiting for hold release:0"
#define NEED_BOTH ">PASSWORD:Need 'Auth' username/password"
#define NEED_PASS ">PASSWORD:Need 'Private Key' password"
#define NOT_NOW	  "ERROR: no password is currently needed at this time"

/* Comes as client `i` and is shown `prompt` (NULL: none), and leaves. */
static void shown_to_newcomers(const char *prompt)
{
	char text[256] = BANNER "\r\n";
	if (prompt != NULL)
		snprintf(text, sizeof text, BANNER "\r\n%s\r\n", prompt);
	came(CLIENTS - 1);
	expect(CLIENTS - 1, text);
	left(CLIENTS - 1);
}

static void every_prompt_is_shown_and_answered(void **state)
{
	(void)state;
	static const struct {
		const char *prompt, *answer, *reply;
		bool over;
	} cases[] = {
	    {HOLD, "hold", "SUCCESS: hold=1", false},
	    {HOLD, "hold off", "SUCCESS: hold flag set to OFF", false},
	    {HOLD, "hold release", "SUCCESS: hold release succeeded", true},
	    {NEED_PASS, "password 'Auth' x", "ERROR: password of type", false},
	    {NEED_PASS, "password 'Private Key' x", "SUCCESS: entered", true},
	    {NEED_PASS, "password 'Private Key' ''", "SUCCESS: entered", true},
	    {">PASSWORD:Need 'Auth' username", "username Auth x", "SUCCESS: entered", true},
	    {">NEED-OK:Need 't' confirmation MSG:m", "needok t ok", "SUCCESS: entered", true},
	    {">NEED-STR:Need 'n' input MSG:m", "needstr n ''", "SUCCESS: entered", false},
	    {">NEED-STR:Need 'n' input MSG:m", "needstr n x", "SUCCESS: entered", true},
	    {">REMOTE:a,1194,udp", "remote ACCEPT", "SUCCESS: remote command succeeded", true},
	    {">REMOTE:a,1194,udp", "remote MOD", "ERROR: remote command failed", false},
	    {">PROXY:1,UDP,a", "proxy NONE", "SUCCESS: proxy command succeeded", true},
	    {">PROXY:1,UDP,a", "proxy X", "ERROR: proxy command failed", true},
	    {">PROXY:1,UDP,a", "remote ACCEPT", "ERROR: remote command failed", false},
	};
	met(0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(daemon_says(cases[i].prompt));
		shown_to_newcomers(cases[i].prompt);
		says(0, cases[i].answer);
		says(0, "\n");
		answered(cases[i].answer, cases[i].reply);
		shown_to_newcomers(cases[i].over ? NULL : cases[i].prompt);
	}
}

static void the_next_prompt_takes_its_place(void **state)
{
	(void)state;
	assert_true(daemon_says(HOLD));
	assert_true(daemon_says(NEED_BOTH));
	shown_to_newcomers(NEED_BOTH);
	assert_true(daemon_says(">PASSWORD:Verification Failed: 'Auth'"));
	shown_to_newcomers(NEED_BOTH);
	assert_true(daemon_says(">STATE:1,EXITING,SIGTERM,,,,,")); /* it moves on */
	shown_to_newcomers(NULL);
	assert_true(daemon_says(HOLD));
	daemon_down();
	assert_true(daemon_says(BANNER));
	shown_to_newcomers(NULL);
}

/* A name of one client and a password of another would be a login of nobody's. */
static void a_query_for_two_words_is_answered_by_one(void **state)
{
	(void)state;
	met(0);
	met(1);
	assert_true(daemon_says(NEED_BOTH));
	says(0, "username Auth joe\n");
	says(1, "password Auth secret\n");
	answered("username Auth joe", "SUCCESS: 'Auth' username entered, but not yet verified");
	expect(1, NEED_BOTH "\r\n" NOT_NOW "\r\n");
	shown_to_newcomers(NEED_BOTH);
	says(1, "username Auth eve\n");
	expect(1, "ERROR: no username is currently needed at this time\r\n");
	says(0, "password Auth secret\n");
	answered("password Auth secret", "SUCCESS: 'Auth' password entered, but not yet verified");
	shown_to_newcomers(NULL);
	says(1, "password Auth secret\n"); /* now the daemon itself says so */
	answered("password Auth secret", NOT_NOW);
	expect(1, NOT_NOW "\r\n");
}

static void another_may_answer_when_the_first_has_left(void **state)
{
	(void)state;
	met(0);
	met(1);
	assert_true(daemon_says(NEED_BOTH));
	says(0, "username Auth joe\n");
	answered("username Auth joe", "SUCCESS: 'Auth' username entered, but not yet verified");
	left(0);
	says(1, "username Auth eve\npassword Auth x\n");
	answered("username Auth eve", "SUCCESS: 'Auth' username entered, but not yet verified");
	answered("password Auth x", "SUCCESS: 'Auth' password entered, but not yet verified");
	shown_to_newcomers(NULL);
}

static void or_when_it_was_wrong(void **state)
{
	(void)state;
	met(0);
	met(1);
	assert_true(daemon_says(NEED_BOTH));
	says(0, "username Oops joe\n");
	answered("username Oops joe", "ERROR: username of type 'Oops' entered, but we need 'Auth'");
	says(1, "username Auth eve\n");
	answered("username Auth eve", "SUCCESS: 'Auth' username entered, but not yet verified");
}

/* --- signatures ------------------------------------------------------------------------------ */

static void a_signature(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "pk-sig\n");
	expect(0, "ERROR: The pk-sig command is not currently available\r\n");
	says(0, "certificate\n");
	expect(0, "ERROR: The certificate command is not currently available\r\n");
	assert_true(daemon_says(">PK_SIGN:AAAA"));
	says(0, "pk-sig\nBBBB\nEND\npid\n");
	says(1, "rsa-sig\nCCCC\n");
	/* The barrier may be answered before the daemon is back where it says what became of it. */
	expect_daemon("pk-sig\nBBBB\nEND\n" BARRIER);
	assert_false(daemon_says(BARRIER_REPLY));
	expect_daemon("");
	assert_false(daemon_says("SUCCESS: pk-sign command succeeded"));
	answered("pid", "SUCCESS: pid=7");
	expect(0, ">PK_SIGN:AAAA\r\nSUCCESS: pk-sign command succeeded\r\nSUCCESS: pid=7\r\n");
	/* What the other one was asked for as well is no command now. */
	says(1, "END\nrsa-sig\n");
	expect_daemon("");
	expect(1, ">PK_SIGN:AAAA\r\nERROR: The rsa-sig command is not currently available\r\n"
		  "ERROR: The rsa-sig command is not currently available\r\n");
}

static void a_signature_of_something_else(void **state)
{
	(void)state;
	met(0);
	met(1);
	assert_true(daemon_says(">PK_SIGN:AAAA"));
	says(0, "pk-sig\nBBBB\n");
	assert_true(daemon_says(">PK_SIGN:DDDD"));
	says(0, "END\n");
	expect_daemon("");
	expect(0, ">PK_SIGN:AAAA\r\n>PK_SIGN:DDDD\r\n"
		  "ERROR: The pk-sig command is not currently available\r\n");
	shown_to_newcomers(">PK_SIGN:DDDD");
}

static void a_signature_that_comes_too_late(void **state)
{
	(void)state;
	met(0);
	assert_true(daemon_says(">NEED-CERTIFICATE:macosx-keychain:subject"));
	says(0, "certificate\nAAAA\nEND\n");
	answered("certificate\nAAAA\nEND",
		 "ERROR: The certificate command is not currently available\nERROR: unknown\n"
		 "ERROR: unknown");
	says(0, "pid\n");
	answered("pid", "SUCCESS: pid=7");
	shown_to_newcomers(NULL);
}

/* --- passwords on several lines -------------------------------------------------------------- */

static void a_password_in_base64(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "version 5\n");
	answered("version 5", "SUCCESS: Management client version set to 5");
	says(0, "password Auth\n");
	assert_true(daemon_says(NEED_PASS));
	/* The daemon would wait for the END of a client that does not know of it. */
	says(1, "password Auth\n");
	expect(1, NEED_PASS "\r\nERROR: the 'password' command requires 2 parameters\r\n");
	says(0, "password 'Private Key'\nc2Vj\ncmV0\nEND\n");
	answered("password 'Private Key'\nc2Vj\ncmV0\nEND",
		 "SUCCESS: 'Private Key' password entered");
	expect(0, "SUCCESS: Management client version set to 5\r\n" NOT_NOW "\r\n" NEED_PASS
		  "\r\nSUCCESS: 'Private Key' password entered\r\n");
	shown_to_newcomers(NULL);
}

/* manage.c man_signal: who asked in vain is reminded, and nobody else. */
static void a_reminder(void **state)
{
	(void)state;
	met(0);
	met(1);
	assert_true(daemon_says(HOLD));
	says(0, "signal SIGUSR1\n");
	expect_daemon("signal SIGUSR1\n" BARRIER);
	assert_false(daemon_says("ERROR: signal 'SIGUSR1' is currently ignored"));
	assert_true(daemon_says(HOLD));
	assert_false(daemon_says(BARRIER_REPLY));
	expect(0, HOLD "\r\nERROR: signal 'SIGUSR1' is currently ignored\r\n" HOLD "\r\n");
	expect(1, HOLD "\r\n");
}

static void a_prompt_that_is_no_line_of_openvpn(void **state)
{
	static char line[RELAY_PROMPT_MAX + 2];
	(void)state;
	memset(line, 'x', sizeof line - 1);
	memcpy(line, ">PK_SIGN:", 9);
	assert_true(daemon_says(line));
	shown_to_newcomers(NULL);
}

static void smart_card_ids_are_the_askers(void **state)
{
	(void)state;
	met(0);
	met(1);
	says(0, "pkcs11-id-count\n");
	expect_daemon("pkcs11-id-count\n" BARRIER);
	assert_true(daemon_says(">PKCS11ID-COUNT:1"));
	assert_false(daemon_says(BARRIER_REPLY));
	expect(0, ">PKCS11ID-COUNT:1\r\n");
	expect(1, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_prompt_is_shown_and_answered, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(the_next_prompt_takes_its_place, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(a_query_for_two_words_is_answered_by_one,
					    relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(another_may_answer_when_the_first_has_left,
					    relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(or_when_it_was_wrong, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(a_signature, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(a_signature_of_something_else, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(a_signature_that_comes_too_late, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(a_password_in_base64, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(a_reminder, relay_begin_up, relay_end),
	    cmocka_unit_test_setup_teardown(a_prompt_that_is_no_line_of_openvpn, relay_begin_up,
					    relay_end),
	    cmocka_unit_test_setup_teardown(smart_card_ids_are_the_askers, relay_begin_up,
					    relay_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
