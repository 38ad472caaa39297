/* SPDX-License-Identifier: MIT */
#include "core/log_speaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct log_speaker s;
static bool news;

static int begin(void **state)
{
	(void)state;
	log_speaker_init(&s);
	return 0;
}

static bool hear(const char *ident, int64_t pid, const char *text)
{
	struct log_fact fact;
	log_text_parse(slice_from(text), &fact);
	return log_speaker_hear(&s, slice_from(ident), pid, &fact, &news);
}

#define UP   "Initialization Sequence Completed"
#define ENDS "SIGTERM[hard,] received, process exiting"

static void no_logger(void **state)
{
	(void)state;
	assert_true(hear("", -1, UP));
	assert_true(hear("", -1, "anything"));
	assert_string_equal(s.ident, "");
}

static void the_first_that_speaks(void **state)
{
	(void)state;
	assert_false(hear("systemd", 1, "Started a tunnel."));
	assert_false(hear("kernel", -1, "tun0: link becomes ready"));
	assert_true(hear("my-tunnel", 7, UP)); /* whatever it is called */
	assert_true(hear("my-tunnel", 7, "anything"));
	assert_false(hear("systemd", 1, UP));
	assert_true(news);
	assert_false(hear("dockerd", 8, UP));
	assert_false(news); /* told once */
	assert_false(hear("openvpn", 9, "anything"));
	assert_false(hear("my-tunnel2", 8, UP));
	assert_false(hear("my-tunne", 8, UP));
	assert_true(hear("openvpn", 9, UP)); /* that is a better name */
	assert_false(hear("my-tunnel", 7, UP));
	assert_false(hear("my-openvpn", 7, UP));
	assert_true(hear("openvpn", 9, UP));
}

/* What is called like it need not say anything yet. */
static void by_its_name(void **state)
{
	(void)state;
	assert_true(hear("nm-openvpn", 7, "library versions: OpenSSL 3.0"));
	assert_string_equal(s.ident, "nm-openvpn");
	assert_false(hear("openvpn", 8, "library versions: OpenSSL 3.0"));
	assert_false(news);
	assert_false(hear("openvpn", 8, UP));
	assert_true(news);
}

static void a_new_process(void **state)
{
	(void)state;
	assert_true(hear("openvpn", 100, "OpenVPN 2.6.14 x86_64"));
	assert_true(hear("openvpn", 101, UP)); /* it went into the background */
	assert_true(hear("openvpn", 101, ENDS));
	assert_true(hear("openvpn", 102, UP));
	assert_true(hear("openvpn", -1, UP));
	assert_int_equal(s.pid, 102);
	assert_true(hear("openvpn", 103, UP)); /* 102 was killed */
	assert_false(news);
}

static void two_of_one_name(void **state)
{
	(void)state;
	assert_true(hear("openvpn", 1, UP));
	assert_true(hear("openvpn", 2, UP)); /* perhaps its successor */
	assert_false(news);
	assert_true(hear("openvpn", 1, "Restart pause, 1 second(s)"));
	assert_true(news); /* no, for it lives */
	assert_false(hear("openvpn", 2, ENDS));
	assert_false(news);
	assert_true(hear("openvpn", 1, UP));
	assert_true(hear("openvpn", 1, ENDS));
	assert_true(hear("openvpn", 2, UP)); /* who comes now may be its successor */
}

static void a_quick_successor(void **state)
{
	(void)state;
	assert_true(hear("openvpn", 1, UP));
	assert_true(hear("openvpn", 2, "OpenVPN 2.6.14 x86_64"));
	assert_false(hear("openvpn", 1, ENDS));
	assert_false(news);
	assert_true(hear("openvpn", 2, UP));
}

static void many(void **state)
{
	(void)state;
	assert_true(hear("openvpn", 1, UP));
	for (int64_t pid = 2; pid < 20; pid++) {
		assert_true(hear("openvpn", pid, UP));
		assert_true(hear("openvpn", 1, UP));
		assert_false(hear("openvpn", pid, UP));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(no_logger, begin),
	    cmocka_unit_test_setup(the_first_that_speaks, begin),
	    cmocka_unit_test_setup(by_its_name, begin),
	    cmocka_unit_test_setup(a_new_process, begin),
	    cmocka_unit_test_setup(two_of_one_name, begin),
	    cmocka_unit_test_setup(a_quick_successor, begin),
	    cmocka_unit_test_setup(many, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
