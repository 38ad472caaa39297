/* SPDX-License-Identifier: MIT
 *
 * Which words of a daemon say that it is stopped until somebody answers, and which say that it goes
 * on. When that is told is in tests/scenarios/waiting_*.scn.
 */
#include "core/tunnel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct prompt p;

static void say(const char *line, nsec mono)
{
	struct management_message m;
	struct stamp at = {.mono = mono};
	assert_int_equal(management_parse(slice_from(line), &m), VERDICT_DONE);
	prompt_notification(&p, &m, &at);
}

static void every_prompt(void **state)
{
	static const struct {
		const char *line, *what;
	} prompts[] = {
	    {">HOLD:Waiting for hold release:10", ""},
	    {">HOLD:Waiting for hold release", ""},
	    {">PASSWORD:Need 'Auth' username/password SC:1,Your PIN", "Auth"},
	    {">PASSWORD:Need 'Private Key' password", "Private Key"},
	    {">NEED-OK:Need 'token-insertion-request' confirmation MSG:Insert it",
	     "token-insertion-request"},
	    {">NEED-STR:Need 'name' string MSG:Who are you?", "name"},
	    {">NEED-CERTIFICATE:macosx-keychain:subject:o=x", ""},
	    {">PK_SIGN:AAAA,RSA_PKCS1_PADDING", ""},
	    {">RSA_SIGN:AAAA", ""},
	    {">REMOTE:vpn.example.com,1194,udp", "vpn.example.com"},
	    {">PROXY:1,UDP,vpn.example.com", "vpn.example.com"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
		p = (struct prompt){0};
		say(prompts[i].line, 7);
		assert_true(p.open);
		assert_string_equal(p.what, prompts[i].what);
		assert_int_equal(p.since.mono, 7);
	}
}

static void what_is_none(void **state)
{
	static const char *const lines[] = {
	    ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info",
	    ">PASSWORD:Verification Failed: 'Auth'",
	    ">PASSWORD:Auth-Token:SESS_ID_AT_AAAA",
	    ">LOG:1795500000,W,Need hold release from management interface, waiting...",
	    ">NOTIFY:info,remote-exit,EXIT",
	    ">INFOMSG:OPEN_URL:https://example.com",
	    ">NEED-TEA:now",
	};
	(void)state;
	p = (struct prompt){0};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		say(lines[i], 1);
		assert_false(p.open);
	}
}

static void it_goes_on(void **state)
{
	static const char *const lines[] = {
	    ">STATE:1795500000,WAIT,,,,,,",
	    ">BYTECOUNT:1,2",
	    ">PASSWORD:Verification Failed: 'Auth'",
	    ">FATAL:No usable connection profiles are present",
	};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		say(">HOLD:Waiting for hold release:0", 1);
		/* The management interface goes on talking, and logs it. */
		say(">LOG:1795500000,D,MANAGEMENT: CMD 'pid'", 2);
		assert_true(p.open);
		say(lines[i], 3);
		assert_false(p.open);
	}
}

static void said_again_it_is_the_same(void **state)
{
	(void)state;
	p = (struct prompt){0};
	say(">PASSWORD:Need 'Auth' username/password", 1);
	p.changed = false;
	say(">PASSWORD:Need 'Auth' username/password", 2);
	assert_int_equal(p.since.mono, 1);
	assert_false(p.changed);
	say(">PASSWORD:Need 'HTTP Proxy' username/password", 3);
	assert_int_equal(p.since.mono, 3);
	assert_true(p.changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_prompt),
	    cmocka_unit_test(what_is_none),
	    cmocka_unit_test(it_goes_on),
	    cmocka_unit_test(said_again_it_is_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
