/* SPDX-License-Identifier: MIT
 *
 * A notice as a person reads it.
 */
#include "sink/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct stamp at = {.wall = 1795493470 * NSEC_PER_SEC + 896999999};
static struct notice notice; /* large */
static char out[TEXT_BLOCK_MAX + 1];

static const char *block(bool colour, unsigned width)
{
	struct text_style style = {.colour = colour, .width = width, .utc_offset_s = 3600};
	memset(out, '#', sizeof out);
	size_t n = text_block(&notice, &style, out);
	assert_true(n > 0 && n <= TEXT_BLOCK_MAX);
	assert_int_equal(out[n - 1], '\n');
	assert_int_equal(out[TEXT_BLOCK_MAX], '#');
	out[n] = '\0';
	assert_int_equal(strlen(out), n);
	return out;
}

static void begin(enum notice_type type, enum severity severity, const char *tunnel,
		  const char *message)
{
	notice_init(&notice, type, severity, &at, tunnel);
	notice.alert.name = ALERT_PING_RESTART;
	snprintf(notice.message, sizeof notice.message, "%s", message);
}

static void restart_alert(void)
{
	begin(NOTICE_ALERT, SEVERITY_WARNING, "office",
	      "OpenVPN restarted the tunnel: nothing received for 9.1 s");
	notice.restart.present = true;
	notice.restart.ping_s = 2;
	notice.restart.ping_restart_s = 8;
	notice.restart.timers_from = TIMERS_PUSHED;
	notice.n_causes = 2;
	notice.causes[0] = (struct cause){
	    .name = CAUSE_PEER_CLOCK_STEP,
	    .confidence = CONFIDENCE_LIKELY,
	    .n_because = 2,
	    .n_against = 1,
	    .because = {"the server's clock was set forward by 59.997 s (+/- 9 ms) between two "
			"probes",
			"the server answered 5 of 5 probes"},
	    .against = {"a restarted server looks the same"},
	    .remedy = "On the server, let one time service keep the clock: `chronyc tracking`.",
	};
	notice.causes[1] = (struct cause){
	    .name = CAUSE_SESSION_LOST, .n_because = 1, .because = {"the session was silent"}};
}

static void one_line_an_event(void **state)
{
	(void)state;
	begin(NOTICE_STATE, SEVERITY_INFO, "office", "CONNECTED as 10.8.0.2");
	assert_string_equal(block(false, 0),
			    "05:11:10.896 state    office: CONNECTED as 10.8.0.2\n");
	begin(NOTICE_STATE, SEVERITY_WARNING, "office", "RECONNECTING: ping-restart");
	assert_string_equal(block(false, 0),
			    "05:11:10.896 WARNING  office: RECONNECTING: ping-restart\n");
	begin(NOTICE_MONITOR, SEVERITY_INFO, NULL, "watched 2 min 0 s");
	assert_string_equal(block(false, 0), "05:11:10.896 monitor  watched 2 min 0 s\n");
	begin(NOTICE_ALERT, SEVERITY_INFO, NULL, "");
	notice.alert.name = ALERT_LOCAL_CLOCK_UNSYNCHRONIZED;
	assert_string_equal(block(false, 0), "05:11:10.896 info     local_clock_unsynchronized: "
					     "no time service keeps this machine's clock\n");
	begin(NOTICE_ALERT, SEVERITY_CRITICAL, "x", "it is down");
	notice.alert.status = ALERT_UPDATED;
	assert_string_equal(block(false, 0),
			    "05:11:10.896 CRITICAL x: ping_restart (updated): it is down\n");
}

static void clock_events_say_their_source(void **state)
{
	(void)state;
	begin(NOTICE_CLOCK, SEVERITY_INFO, "office",
	      "the server's clock is 7.000 s ahead of this machine's (+/- 4 ms)");
	notice.peer_clock.present = true;
	notice.peer_clock.samples = 8;
	assert_string_equal(block(false, 0),
			    "05:11:10.896 clock    office: the server's clock is 7.000 s ahead of "
			    "this machine's (+/- 4 ms) [openvpn_control, 8 samples]\n");
	notice.peer_clock.samples = 1;
	notice.peer_clock.drift_ppm = -12.34;
	notice.peer_clock.drift_max_error_ppm = 3.5;
	assert_non_null(
	    strstr(block(false, 0), "[openvpn_control, 1 sample, drift -12.3 ppm (+/- 3.5)]\n"));
	notice.peer_clock.drift_ppm = 1e300;
	assert_non_null(strstr(block(false, 0), "[openvpn_control, 1 sample]\n"));
	begin(NOTICE_CLOCK, SEVERITY_INFO, NULL, "fine");
	notice.local_clock.present = true;
	assert_string_equal(block(false, 0), "05:11:10.896 clock    fine\n");
	notice.local_clock.stratum = 3;
	assert_string_equal(block(false, 0), "05:11:10.896 clock    fine [stratum 3]\n");
}

static void an_alert_says_what_to_do_next(void **state)
{
	(void)state;
	restart_alert();
	assert_string_equal(
	    block(false, 80),
	    "05:11:10.896 WARNING  office: ping_restart: OpenVPN restarted the tunnel:\n"
	    "                      nothing received for 9.1 s\n"
	    "                      timers: ping 2 s, ping-restart 8 s (pushed by the server)\n"
	    "             1. likely     peer_clock_step: the server's clock was set\n"
	    "                because: the server's clock was set forward by 59.997 s\n"
	    "                         (+/- 9 ms) between two probes\n"
	    "                because: the server answered 5 of 5 probes\n"
	    "                against: a restarted server looks the same\n"
	    "                ->       On the server, let one time service keep the clock:\n"
	    "                         `chronyc tracking`.\n"
	    "             2. possible   session_lost: the server is up but has lost this\n"
	    "                         session\n"
	    "                because: the session was silent\n");
	notice.alert.status = ALERT_RESOLVED;
	notice.severity = SEVERITY_INFO;
	snprintf(notice.message, sizeof notice.message, "the tunnel is up again after 1.1 s");
	assert_string_equal(
	    block(false, 120),
	    "05:11:10.896 ok       office: ping_restart: the tunnel is up again after 1.1 s\n"
	    "             1. likely     peer_clock_step: the server's clock was set\n"
	    "                ->       On the server, let one time service keep the clock: "
	    "`chronyc tracking`.\n"
	    "             2. possible   session_lost: the server is up but has lost this "
	    "session\n");
}

static void what_restarts_have_in_common(void **state)
{
	(void)state;
	begin(NOTICE_ALERT, SEVERITY_CRITICAL, "office", "it restarts again and again");
	notice.alert.name = ALERT_FLAPPING;
	notice.pattern.present = true;
	notice.pattern.restarts = 5;
	notice.scope = SCOPE_THIS_TUNNEL;
	assert_string_equal(block(false, 0), "05:11:10.896 CRITICAL office: flapping: it restarts "
					     "again and again\n"
					     "                      pattern: 5 restarts\n"
					     "                      scope: this tunnel only\n");
	notice.pattern.span_s = 100 * NSEC_PER_SEC;
	notice.pattern.period_s = 20200 * NSEC_PER_MSEC;
	notice.pattern.period_spread_s = 301 * NSEC_PER_MSEC; /* no less than it is */
	notice.pattern.session_s = 16 * NSEC_PER_SEC;
	notice.pattern.session_spread_s = 0;
	notice.scope = SCOPE_SERVER;
	assert_string_equal(
	    block(false, 80),
	    "05:11:10.896 CRITICAL office: flapping: it restarts again and again\n"
	    "                      pattern: 5 restarts in 1 min 40 s, one every 20.2 s\n"
	    "                      (+/- 0.4 s), each session 16.0 s (+/- 0.1 s)\n"
	    "                      scope: the server: all its clients\n");
	notice.pattern.period_s = notice.pattern.session_s = NSEC_UNKNOWN;
	notice.pattern.tunnels = 3;
	snprintf(notice.pattern.time_of_day, sizeof notice.pattern.time_of_day, "03:00");
	notice.scope = SCOPE_THIS_MACHINE;
	assert_non_null(strstr(block(false, 0),
			       "pattern: 5 restarts in 1 min 40 s, at about 03:00 UTC on several "
			       "days, together with others: 3 tunnels within two seconds\n"
			       "                      scope: all tunnels of this machine\n"));
	notice.alert.status = ALERT_RESOLVED;
	assert_null(strstr(block(false, 0), "pattern"));
	assert_null(strstr(block(false, 0), "scope"));
}

/* Whatever restarted it, or keeps it down, is told with its causes. */
static void every_alert_of_a_restart_prints_its_causes(void **state)
{
	static const enum alert_name names[] = {ALERT_PING_RESTART, ALERT_RECONNECTING,
						ALERT_CONNECT_FAILED, ALERT_TUNNEL_DOWN,
						ALERT_FLAPPING};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		restart_alert();
		notice.alert.name = names[i];
		const char *text = block(false, 0);
		assert_non_null(strstr(text, name_alert(names[i])));
		assert_non_null(strstr(text, "timers: ping 2 s"));
		assert_non_null(strstr(text, "1. likely     peer_clock_step"));
		assert_non_null(strstr(text, "because: the server answered 5 of 5 probes\n"));
		assert_non_null(strstr(text, "2. possible   session_lost"));
	}
}

static void lines_keep_to_the_width(void **state)
{
	(void)state;
	restart_alert();
	for (unsigned width = 60; width < 200; width++) {
		char *text = (char *)block(false, width);
		for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
			assert_true(strlen(line) <= width);
			assert_int_not_equal(line[strlen(line) - 1], ' ');
		}
	}
	/* A terminal too narrow for columns, and a word too long for a line, wrap by themselves. */
	assert_non_null(strstr(block(false, 20), "OpenVPN restarted the tunnel: nothing received"));
	memset(notice.message, 'x', 100);
	notice.message[100] = '\0';
	const char *text = block(false, 80);
	assert_non_null(strstr(text, notice.message));
}

static void time_is_local(void **state)
{
	static const struct {
		nsec wall;
		long offset;
		const char *stamp;
	} samples[] = {
	    {0, 0, "00:00:00.000 "},
	    {-1, 0, "23:59:59.999 "},
	    {0, -18000, "19:00:00.000 "},
	    {86399 * NSEC_PER_SEC, 3600, "00:59:59.000 "},
	    {INT64_MIN, 50400, "14:12:43.145 "},
	    {INT64_MAX, -43200, "11:47:16.854 "},
	};
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		struct text_style style = {.utc_offset_s = samples[i].offset};
		begin(NOTICE_MONITOR, SEVERITY_INFO, NULL, "x");
		notice.at.wall = samples[i].wall;
		(void)text_block(&notice, &style, out);
		assert_memory_equal(out, samples[i].stamp, 13);
	}
}

static void colour_only_when_wanted(void **state)
{
	(void)state;
	restart_alert();
	assert_null(strchr(block(false, 80), '\033'));
	assert_non_null(strstr(block(true, 80), "\033[33mWARNING\033[0m"));
	notice.alert.status = ALERT_RESOLVED;
	assert_non_null(strstr(block(true, 80), "\033[32mok\033[0m"));
	/* It takes no columns: the text without it is the text without colour. */
	char plain[TEXT_BLOCK_MAX];
	char *to = plain;
	for (const char *c = block(true, 80); *c != '\0'; c++) {
		if (*c == '\033')
			c = strchr(c, 'm');
		else
			*to++ = *c;
	}
	*to = '\0';
	assert_string_equal(plain, block(false, 80));
}

static void text_from_outside_is_harmless(void **state)
{
	(void)state;
	restart_alert();
	notice.tunnel = "of\x1b]0;fice\x07";
	snprintf(notice.message, sizeof notice.message,
		 "line\r\n00:00 ok \x9b"
		 "2J \xe2\x80\xae");
	snprintf(notice.causes[0].because[0], NOTICE_TEXT_MAX, "\x1b[2J");
	snprintf(notice.causes[0].remedy, NOTICE_TEXT_MAX, "a\nb");
	const char *text = block(false, 80);
	assert_non_null(strstr(text, "of\\x1b]0;fice\\x07: "));
	assert_non_null(strstr(text, "line\\x0d\\x0a00:00 ok"));
	assert_non_null(strstr(text, "because: \\x1b[2J\n"));
	assert_non_null(strstr(text, "->       a\\x0ab\n"));
	for (; *text != '\0'; text++)
		assert_true(*text == '\n' || (*text >= 0x20 && *text <= 0x7e));
}

static void the_longest_block_is_cut_at_its_end(void **state)
{
	(void)state;
	restart_alert();
	notice.n_causes = NOTICE_CAUSES_MAX;
	for (unsigned i = 0; i < NOTICE_CAUSES_MAX; i++) {
		struct cause *c = &notice.causes[i];
		*c = notice.causes[0];
		c->n_because = c->n_against = NOTICE_REASONS_MAX;
		for (unsigned j = 0; j < NOTICE_REASONS_MAX; j++) {
			memset(c->because[j], '\x01', NOTICE_TEXT_MAX - 1);
			memset(c->against[j], '\x01', NOTICE_TEXT_MAX - 1);
		}
	}
	for (unsigned width = 0; width < 300; width += 71) {
		const char *text = block(width % 2 == 0, width);
		assert_true(strlen(text) > TEXT_BLOCK_MAX - 2000);
		assert_non_null(strstr(text + strlen(text) - 12, " ..."));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_line_an_event),
	    cmocka_unit_test(clock_events_say_their_source),
	    cmocka_unit_test(an_alert_says_what_to_do_next),
	    cmocka_unit_test(what_restarts_have_in_common),
	    cmocka_unit_test(every_alert_of_a_restart_prints_its_causes),
	    cmocka_unit_test(lines_keep_to_the_width),
	    cmocka_unit_test(time_is_local),
	    cmocka_unit_test(colour_only_when_wanted),
	    cmocka_unit_test(text_from_outside_is_harmless),
	    cmocka_unit_test(the_longest_block_is_cut_at_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
