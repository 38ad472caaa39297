/* SPDX-License-Identifier: MIT
 *
 * The command line: what is understood, and that what is not is said with a way out.
 */
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 40

static struct options options;
static char error[320];

/* The words of a command line, after the program's name. */
static bool parse(const char *line)
{
	static char copy[1024], program[] = "ovpnwatch";
	char *argv[WORDS_MAX] = {program};
	int argc = 1;
	assert_true(strlen(line) < sizeof copy);
	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
		assert_true(argc < WORDS_MAX - 1);
		argv[argc++] = word;
	}
	error[0] = '\0';
	options_free(&options);
	return options_parse(argc, argv, &options, error, sizeof error) == OPTIONS_FINE;
}

static void test_what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
	    {"foo", "unknown verb 'foo'"},
	    {"check", "unknown verb"},
	    {"--foo", "unknown option '--foo'; see ovpnwatch --help"},
	    {"--foo=1", "unknown option '--foo=1'"},
	    {"-x", "unknown option '-x'"},
	    {"--man x", "unknown option '--man'"}, /* no abbreviations */
	    {"--verb", "unknown option '--verb'"},
	    {"--ntp", "--ntp needs a value"},
	    {"watch --management", "--management needs a value"},
	    {"--verbose=1", "--verbose takes no value"},
	    {"watch file", "what is 'file'?"},
	    {"clock -- file", "what is 'file'?"},
	    {"--format xml", "auto, json or text, not 'xml'"},
	    {"--offset-limit 0", "above 0"},
	    {"--offset-limit -1", "above 0"},
	    {"--offset-limit nan", "above 0"},
	    {"--offset-limit inf", "above 0"},
	    {"--offset-limit 1e300", "above 0"},
	    {"--offset-limit 1s", "not '1s'"},
	    {"probe --profile p --count 0", "1 to 64"},
	    {"probe --profile p --count 65", "1 to 64"},
	    {"probe --profile p --count 99999999999999999999", "1 to 64"},
	    {"probe --profile p --count 3x", "not '3x'"},
	    {"probe --profile p --interval 0.39", "0.4 to 60"},
	    {"probe --profile p --interval 61", "0.4 to 60"},
	    {"probe --profile p --interval nan", "0.4 to 60"},
	    {"probe --profile p --interval 1s", "not '1s'"},
	    {"probe --profile p --interval -1", "not '-1'"},
	    {"probe --remote h:1 --proto sctp", "not 'sctp'"},
	    {"probe --remote h:1 --proto udp5", "udp, udp4, udp6, tcp, tcp4 or tcp6"},
	    {"probe --remote h:1 --tls-auth f --key-direction 2", "0 or 1"},
	    {"probe --remote h --tls-auth f --tls-crypt g", "exclude one another"},
	    {"probe --remote h --tls-crypt-v2 f --tls-crypt g", "exclude one another"},
	    {"probe --remote h --auth SHA256", "--auth is about the key of --tls-auth"},
	    {"probe --remote h --tls-crypt f --auth SHA256", "--auth is about the key"},
	    {"probe --remote h --tls-crypt f --key-direction 1", "--key-direction is about"},
	    {"probe", "probe whom?"},
	    {"probe --tls-auth f", "probe whom?"},
	    {"probe --proto tcp", "probe whom?"},
	    {"probe --profile p --remote h:1", "not both"},
	    {"probe --profile p --tls-crypt f", "not both"},
	    {"probe --profile p --proto udp", "not both"},
	    {"--interval 1", "--interval is not for watch"},
	    {"probe --profile p --management m:1", "--management is not for probe"},
	    {"clock --profile p", "--profile is not for clock"},
	    {"--count 3", "--count is not for watch"},
	    {"replay f --ntp h", "--ntp is not for replay"},
	    {"clock --peer-ntp h", "--peer-ntp is not for clock"},
	    {"probe --profile p --peer-management m:1", "--peer-management is not for probe"},
	    {"replay f --peer-management m:1", "--peer-management is not for replay"},
	    {"--management m:1 --peer-management-password-file f", "Give peer-management too"},
	    {"--peer-management s:1", "where is it?"},
	    {"--management a:1 --management b:1", "give --name before all else"},
	    {"--name a --management a:1 --name a --management b:1", "a tunnel a already"},
	    {"--name a --management a:1 --name b --management a:1", "management address a:1"},
	    {"--management m:1 --relay-password-file f", "give relay or relay-readonly too"},
	    {"--management m:1 --relay-group g", "give relay or relay-readonly too"},
	    {"--management m:1 --relay-allow-remote", "give relay or relay-readonly too"},
	    {"--management m:1 --check-config", "of which file? Give --config"},
	    {"clock --config f", "--config is not for clock"},
	    {"replay f --log g", "--log is not for replay"},
	    {"--peer-ntp", "--peer-ntp needs a value"},
	    {"replay", "replay what?"},
	    {"replay a b", "replay takes one file, and 'b' is the second"},
	    {"explain a b", "explain takes one cause, and 'b' is the second"},
	    {"explain --format json", "--format is not for explain"},
	    {"explain --profile p", "--profile is not for explain"},
	    {"--ntp 1 --ntp 2 --ntp 3 --ntp 4 --ntp 5 --ntp 6 --ntp 7 --ntp 8 --ntp 9", "8 times"},
	    {"--name 01234567890123456789012345678901234567890123456789012345678901234",
	     "1 to 64 bytes"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (parse(cases[i].line))
			fail_msg("understood: %s", cases[i].line);
		if (strstr(error, cases[i].says) == NULL)
			fail_msg("%s: \"%s\" is not in \"%s\"", cases[i].line, cases[i].says,
				 error);
	}
}

static void test_nothing(void **state)
{
	(void)state;
	assert_true(parse(""));
	assert_int_equal(options.verb, VERB_WATCH);
	assert_int_equal(options.settings.format, FORMAT_AUTO);
	assert_true(options.settings.offset_limit_s == 1.0);
	assert_int_equal(options.settings.n_tunnels, 0);
	assert_null(options_tunnel(&options)->management);
	assert_int_equal(options.settings.ntp.n, 0);
	assert_int_equal(options.settings.defaults.no_probe, FLAG_UNSET);
}

static void test_watch(void **state)
{
	(void)state;
	assert_true(parse("watch --name n --management=unix:/run/x --management-password-file pw "
			  "--profile c.ovpn --ntp a --ntp b --no-probe --format json --output o "
			  "--offset-limit 0.5 --verbose"));
	assert_int_equal(options.verb, VERB_WATCH);
	assert_string_equal(options_tunnel(&options)->name, "n");
	assert_string_equal(options_tunnel(&options)->management, "unix:/run/x");
	assert_string_equal(options_tunnel(&options)->management_password_file, "pw");
	assert_string_equal(options_tunnel(&options)->profile, "c.ovpn");
	assert_int_equal(options.settings.ntp.n, 2);
	assert_string_equal(options.settings.ntp.items[0], "a");
	assert_string_equal(options.settings.ntp.items[1], "b");
	assert_int_equal(options_tunnel(&options)->no_probe, FLAG_YES);
	assert_int_equal(options.settings.format, FORMAT_JSON);
	assert_string_equal(options.settings.output, "o");
	assert_true(options.settings.offset_limit_s == 0.5);
	assert_int_equal(options.settings.verbose, FLAG_YES);
}

static void test_the_server_itself(void **state)
{
	(void)state;
	assert_true(parse("--management m:1 --peer-ntp vpn.example:1123 --peer-management s:7505 "
			  "--peer-management-password-file pw"));
	assert_string_equal(options_tunnel(&options)->management, "m:1");
	assert_string_equal(options_tunnel(&options)->peer_ntp, "vpn.example:1123");
	assert_string_equal(options_tunnel(&options)->peer_management, "s:7505");
	assert_string_equal(options_tunnel(&options)->peer_management_password_file, "pw");
	assert_null(options_tunnel(&options)->management_password_file);
	assert_true(parse("--management m:1 --peer-management s:7505"));
	assert_null(options_tunnel(&options)->peer_ntp);
	assert_null(options_tunnel(&options)->peer_management_password_file);
}

static void test_several_tunnels(void **state)
{
	(void)state;
	assert_true(parse("--profile p --name a --management m:1 --relay r:1 --relay r:2 --name b "
			  "--log f --release-hold --no-probe --name c --management unix:/x"));
	const struct tunnel_settings *t = options.settings.tunnels;
	assert_int_equal(options.settings.n_tunnels, 3);
	assert_string_equal(t[0].name, "a");
	assert_string_equal(t[0].profile, "p");
	assert_string_equal(t[0].management, "m:1");
	assert_int_equal(t[0].relay.n, 2);
	assert_string_equal(t[0].relay.items[1], "r:2");
	assert_int_equal(t[0].release_hold, FLAG_UNSET);
	assert_string_equal(t[1].name, "b");
	assert_string_equal(t[1].log, "f");
	assert_null(t[1].management);
	assert_int_equal(t[1].release_hold, FLAG_YES);
	assert_string_equal(t[2].management, "unix:/x");
	assert_int_equal(t[2].release_hold, FLAG_UNSET);
	for (unsigned i = 0; i < 3; i++) /* whoever forbids it means it everywhere */
		assert_int_equal(t[i].no_probe, FLAG_YES);
	assert_true(parse("--discover /run/*.sock"));
	assert_int_equal(options.settings.n_tunnels, 0);
	assert_string_equal(options.settings.discover.items[0], "/run/*.sock");
}

static void test_verb_may_be_left_out(void **state)
{
	(void)state;
	assert_true(parse("--profile c.ovpn --format text"));
	assert_int_equal(options.verb, VERB_WATCH);
	assert_string_equal(options_tunnel(&options)->profile, "c.ovpn");
	assert_int_equal(options.settings.format, FORMAT_TEXT);
}

static void test_replay(void **state)
{
	static const char *const lines[] = {"replay f --format json", "replay --format json f",
					    "replay --format json -- f"};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		assert_true(parse(lines[i]));
		assert_int_equal(options.verb, VERB_REPLAY);
		assert_string_equal(options.recording, "f");
		assert_int_equal(options.settings.format, FORMAT_JSON);
	}
	assert_true(parse("replay -"));
	assert_string_equal(options.recording, "-");
	assert_true(parse("replay -- --help"));
	assert_string_equal(options.recording, "--help");
}

static void test_probe(void **state)
{
	(void)state;
	assert_true(parse("probe --profile c.ovpn --count 3"));
	assert_int_equal(options.verb, VERB_PROBE);
	assert_int_equal(options.count, 3);
	assert_int_equal(options.key_direction, -1);
	assert_true(
	    parse("probe --remote h:1194 --tls-auth ta.key --key-direction 1 --auth SHA256"));
	assert_string_equal(options.remote, "h:1194");
	assert_int_equal(options.wrap, WRAP_TLS_AUTH);
	assert_string_equal(options.key, "ta.key");
	assert_int_equal(options.key_direction, 1);
	assert_string_equal(options.auth, "SHA256");
	assert_int_equal(options.count, PROBE_COUNT_DEFAULT);
	assert_true(options.interval_s == PROBE_INTERVAL_DEFAULT);
	assert_int_equal(options.proto, PROTO_UDP);
}

static void test_probe_by_hand(void **state)
{
	static const struct {
		const char *word;
		enum profile_proto proto;
	} protos[] = {{"udp", PROTO_UDP}, {"udp4", PROTO_UDP4}, {"udp6", PROTO_UDP6},
		      {"tcp", PROTO_TCP}, {"tcp4", PROTO_TCP4}, {"tcp6", PROTO_TCP6}};
	(void)state;
	assert_true(parse("probe --remote h")); /* a plain server */
	assert_int_equal(options.wrap, WRAP_PLAIN);
	assert_null(options.key);
	assert_true(parse("probe --remote h --tls-crypt k --interval 0.4"));
	assert_int_equal(options.wrap, WRAP_TLS_CRYPT);
	assert_string_equal(options.key, "k");
	assert_true(options.interval_s == 0.4);
	assert_true(parse("probe --tls-crypt-v2 k2 --remote h --interval=60"));
	assert_int_equal(options.wrap, WRAP_TLS_CRYPT_V2);
	assert_string_equal(options.key, "k2");
	assert_true(options.interval_s == 60);
	for (size_t i = 0; i < sizeof protos / sizeof protos[0]; i++) {
		char line[64] = "probe --remote h --proto ";
		assert_true(parse(strcat(line, protos[i].word)));
		assert_int_equal(options.proto, protos[i].proto);
	}
}

static void test_clock(void **state)
{
	(void)state;
	assert_true(parse("clock --ntp ntp.example"));
	assert_int_equal(options.verb, VERB_CLOCK);
	assert_int_equal(options.settings.ntp.n, 1);
}

static void test_explain(void **state)
{
	(void)state;
	assert_true(parse("explain"));
	assert_int_equal(options.verb, VERB_EXPLAIN);
	assert_null(options.cause);
	assert_true(parse("explain nat_timeout"));
	assert_string_equal(options.cause, "nat_timeout");
	assert_null(options.recording);
	assert_true(parse("explain -- --odd")); /* what is no cause is for the verb to say */
	assert_string_equal(options.cause, "--odd");
	assert_true(parse("explain --help"));
	assert_int_equal(options.verb, VERB_HELP);
}

static void test_help_wins(void **state)
{
	static const char *const lines[] = {
	    "--help",	       "-h", "replay --help", "probe -h", "clock --management x --help",
	    "--version --help"};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		assert_true(parse(lines[i]));
		assert_int_equal(options.verb, VERB_HELP);
	}
	assert_true(parse("--version"));
	assert_int_equal(options.verb, VERB_VERSION);
	assert_true(parse("-V"));
	assert_int_equal(options.verb, VERB_VERSION);
}

static void test_help_is_one_screen(void **state)
{
	(void)state;
	for (int verb = VERB_WATCH; verb <= VERB_HELP; verb++) {
		unsigned lines = 0, column = 0;
		const char *help = options_help((enum verb)verb);
		for (const char *c = help; *c != '\0'; c++) {
			column = *c == '\n' ? 0 : column + 1;
			lines += *c == '\n';
			if (column > 80)
				fail_msg("verb %d, line %u is too long", verb, lines + 1);
		}
		assert_true(lines <= 24);
		assert_non_null(strstr(help, "example"));
	}
	assert_non_null(strstr(options_help(VERB_WATCH), "--peer-management-password-file FILE"));
	assert_true(parse("probe --help"));
	assert_int_equal(options.help_of, VERB_PROBE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_wrong_is_said),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_watch),
	    cmocka_unit_test(test_the_server_itself),
	    cmocka_unit_test(test_several_tunnels),
	    cmocka_unit_test(test_verb_may_be_left_out),
	    cmocka_unit_test(test_replay),
	    cmocka_unit_test(test_probe),
	    cmocka_unit_test(test_probe_by_hand),
	    cmocka_unit_test(test_clock),
	    cmocka_unit_test(test_explain),
	    cmocka_unit_test(test_help_wins),
	    cmocka_unit_test(test_help_is_one_screen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
