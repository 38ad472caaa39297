/* SPDX-License-Identifier: MIT */
#include "core/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/log_text.h"
#include "proto/timestamp.h"

#define US(s, us) ((nsec)(s)*NSEC_PER_SEC + (us)*NSEC_PER_USEC)

static struct slice load(const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/fixtures/%s", TESTS_DIR, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *bytes = malloc(1 << 16);
	assert_non_null(bytes);
	size_t n = fread(bytes, 1, 1 << 16, f);
	fclose(f);
	assert_true(n > 0 && n < 1 << 16);
	return (struct slice){.p = bytes, .n = n};
}

static nsec three_hours_behind(nsec naive)
{
	return naive + 3 * 3600 * NSEC_PER_SEC;
}

static char room[8192];

static struct replay start(struct slice text)
{
	struct replay r;
	replay_init(&r, text, room, sizeof room, three_hours_behind, 2024);
	return r;
}

static void check_zone(const struct replay *r, const char *expected)
{
	char zone[16];
	replay_zone(r, zone, sizeof zone);
	assert_string_equal(zone, expected);
}

struct happening {
	enum log_fact_kind kind;
	nsec wall;
};

/* The log of the field report, however it came to us. */
static void incident(const char *file, const char *zone, const struct happening *expected)
{
	struct slice text = load(file);
	struct replay r = start(text);
	struct event e;
	size_t i = 0;
	assert_int_equal(r.format, REPLAY_LOG);
	for (; replay_next(&r, NULL, &e); i++) {
		struct log_fact f;
		assert_true(i < 7);
		assert_int_equal(e.kind, EVENT_LOG);
		log_text_parse(e.u.line, &f);
		if (f.kind != expected[i].kind || e.at.wall != expected[i].wall)
			fail_msg("%s line %zu: kind %d at %lld", file, i, (int)f.kind,
				 (long long)e.at.wall);
		assert_true(e.at.mono == e.at.wall - expected[0].wall);
		assert_true(e.at.boot == e.at.mono);
	}
	assert_int_equal(i, 7);
	assert_int_equal(r.lines, 7);
	assert_false(replay_next(&r, NULL, &e));
	check_zone(&r, zone);
	free((char *)text.p);
}

static void the_incident(void **state)
{
	(void)state;
	static const struct happening exact[] = {
	    {LOG_INITIALIZED, US(1705361803, 578145)},
	    {LOG_MANAGEMENT_STATE, US(1705361803, 578145)},
	    {LOG_INACTIVITY, US(1705362043, 841400)},
	    {LOG_NOTHING, US(1705362043, 842159)},
	    {LOG_SIGNAL, US(1705362043, 842662)},
	    {LOG_MANAGEMENT_STATE, US(1705362043, 842662)},
	    {LOG_RESTART_PAUSE, US(1705362043, 842662)},
	};
	struct happening seconds[7];
	for (int i = 0; i < 7; i++)
		seconds[i] =
		    (struct happening){exact[i].kind, exact[i].wall / NSEC_PER_SEC * NSEC_PER_SEC};
	incident("incident-2024-01-15.log", "UTC-05:00", exact);
	incident("incident-wrapped.log", "UTC-05:00", exact);
	incident("incident-crlf.log", "UTC-05:00", exact);
	incident("incident-iso.log", "UTC-05:00", exact);
	incident("incident-docker.log", "UTC", exact);
	incident("incident-journal.log", "UTC", exact);
	incident("incident-machine.log", "UTC", exact);
	incident("incident-syslog.log", "UTC-05:00", seconds);
	incident("incident-suppressed.log", "UTC", seconds);
	char stamp[TIMESTAMP_SIZE];
	timestamp_format(exact[5].wall, stamp);
	assert_string_equal(stamp, "2024-01-15T23:40:43.842Z");
}

/* The events of a log as "mono wall-base text|", in seconds. */
static const char *trace(const char *log, nsec base)
{
	static char out[2048];
	struct replay r = start(slice_from(log));
	struct event e;
	size_t used = 0;
	out[0] = '\0';
	while (replay_next(&r, NULL, &e))
		used += (size_t)snprintf(out + used, sizeof out - used, "%lld %lld %.*s|",
					 (long long)(e.at.mono / NSEC_PER_SEC),
					 (long long)((e.at.wall - base) / NSEC_PER_SEC),
					 (int)e.u.line.n, e.u.line.p);
	return out;
}

static void without_epochs_the_time_is_local(void **state)
{
	(void)state;
	const char *log = "2024-01-15 12:00:00 a\n2024-01-15 12:00:05 b\n";
	nsec noon = civil_to_nsec(2024, 1, 15, 15, 0, 0);
	assert_string_equal(trace(log, noon), "0 0 a|5 5 b|");
	struct replay r = start(slice_from(log));
	assert_false(r.zone_known);
	check_zone(&r, "local time");
	replay_init(&r, slice_from(log), room, sizeof room, NULL, 2024);
	assert_true(r.now.wall == civil_to_nsec(2024, 1, 15, 12, 0, 0));
}

static void steps_of_the_recordings_clock(void **state)
{
	(void)state;
	nsec noon = civil_to_nsec(2024, 1, 15, 15, 0, 0);
	assert_string_equal(trace("2024-01-15 12:00:00 a\n"
				  "2024-01-15 12:01:00 b\n"
				  "2024-01-15 12:00:30 c\n"
				  "2024-01-15 12:00:40 d\n",
				  noon),
			    "0 0 a|60 60 b|60 30 c|70 40 d|");
}

static void lines_without_stamps(void **state)
{
	(void)state;
	nsec noon = civil_to_nsec(2024, 1, 15, 15, 0, 0);
	assert_string_equal(trace("first\n\n2024-01-15 12:00:00 a\n2024-01-15 12:00:05\n"
				  "2024-01-15 12:00:06 b",
				  noon),
			    "0 0 first|0 0 a|6 6 b|");
	assert_string_equal(trace("a\r\n\r\nb\r\n", 0), "0 0 a|0 0 b|");
	/* an Inactivity line that no RECONNECTING follows stays where it is */
	assert_string_equal(trace("MANAGEMENT: >STATE:100,CONNECTED,SUCCESS,,,,,\n"
				  "Inactivity timeout (--ping-restart), restarting\n"
				  "MANAGEMENT: >STATE:200,WAIT,,,,,,\n"
				  "SIGTERM[hard,] received, process exiting\n"
				  "MANAGEMENT: >STATE:300,EXITING,SIGTERM,,,,,\n",
				  US(100, 0)),
			    "0 0 MANAGEMENT: >STATE:100,CONNECTED,SUCCESS,,,,,|"
			    "0 0 Inactivity timeout (--ping-restart), restarting|"
			    "100 100 MANAGEMENT: >STATE:200,WAIT,,,,,,|"
			    "200 200 SIGTERM[hard,] received, process exiting|"
			    "200 200 MANAGEMENT: >STATE:300,EXITING,SIGTERM,,,,,|");
}

static void zones(void **state)
{
	(void)state;
	static const struct {
		const char *log, *zone;
	} cases[] = {
	    {"2024-01-16 05:06:43 MANAGEMENT: >STATE:1705361803,WAIT,,,,,,", "UTC+05:30"},
	    {"2024-01-15 23:36:43 MANAGEMENT: >STATE:1705361803,WAIT,,,,,,", "UTC"},
	    /* `now` runs 18 s ahead of the wall clock */
	    {"2024-01-15 18:36:25 MANAGEMENT: >STATE:1705361803,WAIT,,,,,,", "UTC-05:00"},
	    /* the most frequent one: a jump in between does not count */
	    {"2024-01-15 18:36:43 MANAGEMENT: >STATE:1705361803,WAIT,,,,,,\n"
	     "2024-01-15 21:36:43 MANAGEMENT: >STATE:1705361803,AUTH,,,,,,\n"
	     "2024-01-15 18:36:44 MANAGEMENT: >STATE:1705361804,AUTH,,,,,,\n",
	     "UTC-05:00"},
	    {"2024-01-12 18:36:43 MANAGEMENT: >STATE:1705361803,WAIT,,,,,,", "local time"},
	    {"2024-01-15 18:36:43 MANAGEMENT: >STATE:x,WAIT,,,,,,", "local time"},
	    {"2024-01-15T18:36:43-05:00 h openvpn[1]: a\n2024-01-15 18:36:43 b", "local time"},
	    {"", "local time"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct replay r = start(slice_from(cases[i].log));
		check_zone(&r, cases[i].zone);
	}
}

static void years_of_syslog(void **state)
{
	(void)state;
	/* the epoch of 2023-12-31 says the year, which ends on the way */
	const char *dated =
	    "Dec 30 12:00:00 h openvpn[1]: a\n"
	    "Dec 31 12:00:00 h openvpn[1]: MANAGEMENT: >STATE:1704024000,WAIT,,,,,,\n"
	    "Jan  1 12:00:00 h openvpn[1]: b\n"
	    "Feb 29 12:00:00 h openvpn[1]: c\n"
	    "Mar  1 12:00:00 h openvpn[1]: d\n";
	const nsec day = 86400;
	struct replay r = start(slice_from(dated));
	struct event e;
	static const int days[] = {0, 1, 2, 61, 62};
	for (int i = 0; i < 5; i++) {
		assert_true(replay_next(&r, NULL, &e));
		assert_true(e.at.wall ==
			    civil_to_nsec(2023, 12, 30, 12, 0, 0) + days[i] * day * NSEC_PER_SEC);
		assert_true(e.at.mono == days[i] * day * NSEC_PER_SEC);
	}
	check_zone(&r, "UTC");
	/* nothing says it: the last line is of the year that was given */
	r = start(SLICE("Dec 31 12:00:00 h openvpn[1]: a\nJan  1 12:00:00 h openvpn[1]: b\n"));
	assert_true(r.now.wall == civil_to_nsec(2023, 12, 31, 15, 0, 0));
}

static void management_recordings(void **state)
{
	(void)state;
	struct slice text = load("ovpn_client_pingrestart_2.6.14.raw");
	struct replay r = start(text);
	struct event e;
	int lines = 0;
	nsec reconnecting = 0;
	assert_int_equal(r.format, REPLAY_MANAGEMENT);
	while (replay_next(&r, NULL, &e)) {
		assert_int_equal(e.kind, EVENT_LINE);
		if (lines++ == 0)
			assert_true(slice_starts(e.u.line, ">INFO:"));
		if (slice_is(e.u.line, ">STATE:1795493854,RECONNECTING,ping-restart,,,,,"))
			reconnecting = e.at.mono;
		if (slice_starts(e.u.line, ">BYTECOUNT:2192,2218"))
			assert_true(e.at.wall == US(1795493848, 0)); /* the line before it */
	}
	assert_true(reconnecting == US(20, 0));
	size_t newlines = 0;
	for (size_t i = 0; i < text.n; i++)
		newlines += text.p[i] == '\n';
	assert_in_range(lines, newlines - 1, newlines);
	check_zone(&r, "UTC");
	free((char *)text.p);
}

static void management_details(void **state)
{
	(void)state;
	assert_string_equal(trace("ENTER PASSWORD:SUCCESS: password is correct\r\n"
				  "50,CONNECTED,SUCCESS,,,,,\r\nEND\r\n"
				  ">STATE:100,WAIT,,,,,,\r\n>BYTECOUNT:1,2\r\n"
				  ">LOG:107,,x\r\n>STATE:105,AUTH,,,,,,\r\n>ECHO:106,y",
				  US(100, 0)),
			    "0 0 ENTER PASSWORD:|0 0 SUCCESS: password is correct|"
			    "0 0 50,CONNECTED,SUCCESS,,,,,|0 0 END|"
			    "0 0 >STATE:100,WAIT,,,,,,|0 0 >BYTECOUNT:1,2|"
			    "7 7 >LOG:107,,x|7 5 >STATE:105,AUTH,,,,,,|8 6 >ECHO:106,y|");
	assert_string_equal(trace(">HOLD:Waiting for hold release:0\n>BYTECOUNT:1,2\n", 0),
			    "0 0 >HOLD:Waiting for hold release:0|0 0 >BYTECOUNT:1,2|");
	assert_string_equal(trace("50,CONNECTED,SUCCESS,,,,,\n60,WAIT,,,,,,\nEND\n", US(60, 0)),
			    "0 0 50,CONNECTED,SUCCESS,,,,,|0 0 60,WAIT,,,,,,|0 0 END|");
}

static void empty_and_hostile(void **state)
{
	(void)state;
	struct event e;
	struct replay r = start((struct slice){0});
	assert_int_equal(r.format, REPLAY_EMPTY);
	assert_false(replay_next(&r, NULL, &e));
	r = start(SLICE(" \r\n\n\t"));
	assert_int_equal(r.format, REPLAY_EMPTY);
	assert_false(replay_next(&r, NULL, &e));
	/* a clock that jumps over the whole range, again and again */
	static char jumps[64 * 60];
	size_t used = 0;
	for (int i = 0; i < 32; i++)
		used += (size_t)snprintf(jumps + used, sizeof jumps - used,
					 "1970-01-01 00:00:00 a\n2261-12-31 23:59:59 b\n");
	replay_init(&r, (struct slice){.p = jumps, .n = used}, room, sizeof room, NULL, -5);
	nsec last = 0;
	int events = 0;
	for (; replay_next(&r, NULL, &e); events++) {
		assert_true(e.at.mono >= last && e.at.mono < INT64_MAX / 2);
		last = e.at.mono;
	}
	assert_int_equal(events, 64);
	/* room for hardly anything */
	struct slice text = load("incident-wrapped.log");
	char tiny[2];
	replay_init(&r, text, tiny, sizeof tiny, NULL, 99999);
	while (replay_next(&r, NULL, &e))
		assert_true(e.u.line.n <= 120);
	free((char *)text.p);
	assert_string_equal(trace("\xef\xbb\xbf"
				  "2024-01-15 12:00:00 a",
				  civil_to_nsec(2024, 1, 15, 15, 0, 0)),
			    "0 0 a|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_incident),
	    cmocka_unit_test(without_epochs_the_time_is_local),
	    cmocka_unit_test(steps_of_the_recordings_clock),
	    cmocka_unit_test(lines_without_stamps),
	    cmocka_unit_test(zones),
	    cmocka_unit_test(years_of_syslog),
	    cmocka_unit_test(management_recordings),
	    cmocka_unit_test(management_details),
	    cmocka_unit_test(empty_and_hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
