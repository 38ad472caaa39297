/* SPDX-License-Identifier: MIT
 *
 * A notice as a line of NDJSON. Every line that is made here is left in $OVPNWATCH_LINES, where
 * house.events holds it against proto/events.schema.json.
 */
#include "sink/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define WALL (1795493470 * NSEC_PER_SEC + 896999999)

static const struct stamp at = {.wall = WALL, .mono = 1000 * NSEC_PER_SEC};
static const struct sink_origin origin = {.run = 0x1f, .mono_start = 87 * NSEC_PER_SEC};
static struct notice notice; /* large */
static FILE *kept;
static uint64_t seq;

/* The line, terminated and without its newline. */
static const char *line(void)
{
	static char out[JSON_LINE_MAX + 1];
	size_t n = json_line(&notice, &origin, ++seq, out);
	assert_true(n > 1 && n <= JSON_LINE_MAX);
	assert_int_equal(out[n - 1], '\n');
	if (kept != NULL)
		fwrite(out, 1, n, kept);
	out[n - 1] = '\0';
	assert_int_equal(strlen(out), n - 1);
	for (const char *c = out; *c != '\0'; c++)
		assert_true(*c >= 0x20 && *c <= 0x7e);
	return out;
}

static json_t *parsed(void)
{
	json_error_t error;
	json_t *o = json_loads(line(), JSON_REJECT_DUPLICATES, &error);
	assert_non_null(o);
	return o;
}

static void begin(enum notice_type type, enum severity severity, const char *tunnel)
{
	notice_init(&notice, type, severity, &at, tunnel);
	snprintf(notice.message, sizeof notice.message, "a sentence");
	if (type == NOTICE_ALERT)
		notice.alert = (struct notice_alert){.name = ALERT_PING_RESTART,
						     .id = 0xabc,
						     .starts_at = WALL,
						     .ends_at = NSEC_UNKNOWN,
						     .duration_s = NSEC_UNKNOWN,
						     .count = 1};
	if (type == NOTICE_CLOCK)
		notice.local_clock.present = true;
	if (type == NOTICE_STATE)
		snprintf(notice.state.name, sizeof notice.state.name, "CONNECTED");
}

/* The whole line after the envelope's counters, which differ from test to test. */
static void assert_rest(const char *expected)
{
	const char *rest = strstr(line(), "\"mono_ms\":");
	assert_non_null(rest);
	assert_string_equal(rest, expected);
}

static void envelope_is_in_order(void **state)
{
	(void)state;
	seq = 0; /* the first test of the run */
	begin(NOTICE_MONITOR, SEVERITY_INFO, "office");
	assert_string_equal(line(), "{\"timestamp\":\"2026-11-24T04:11:10.896Z\","
				    "\"ts\":1795493470.896,\"v\":1,\"event_type\":\"monitor\","
				    "\"severity\":\"info\",\"tunnel\":\"office\","
				    "\"run\":\"0000001f\",\"seq\":1,\"mono_ms\":913000,"
				    "\"monitor\":{\"kind\":\"started\"},"
				    "\"message\":\"a sentence\"}");
}

static void an_alert_has_all_its_parts(void **state)
{
	(void)state;
	begin(NOTICE_ALERT, SEVERITY_WARNING, "office");
	notice.alert.status = ALERT_RESOLVED;
	notice.alert.ends_at = WALL + 1500 * NSEC_PER_MSEC;
	notice.alert.duration_s = 1500 * NSEC_PER_MSEC;
	notice.restart = (struct notice_restart){.present = true,
						 .reason = "ping-restart",
						 .connected_s = 240264517000,
						 .silent_s = 120999999999,
						 .ping_s = 10,
						 .ping_restart_s = 120,
						 .timers_from = TIMERS_PUSHED,
						 .attempts = 0};
	notice.pattern = (struct notice_pattern){.present = true,
						 .restarts = 5,
						 .span_s = 100 * NSEC_PER_SEC,
						 .period_s = 20200 * NSEC_PER_MSEC,
						 .period_spread_s = 400 * NSEC_PER_MSEC,
						 .session_s = 16 * NSEC_PER_SEC,
						 .session_spread_s = 0,
						 .time_of_day = "03:00",
						 .tunnels = 2};
	notice.scope = SCOPE_THIS_MACHINE;
	notice.n_causes = 2;
	notice.causes[0] = (struct cause){.name = CAUSE_PEER_CLOCK_STEP,
					  .confidence = CONFIDENCE_LIKELY,
					  .n_because = 2,
					  .n_against = 1,
					  .because = {"one", "two"},
					  .against = {"three"},
					  .remedy = "do"};
	notice.causes[1] = (struct cause){.name = CAUSE_UNKNOWN, .n_because = 0};
	notice.local_clock = (struct local_clock_reading){
	    .present = true,
	    .state = LOCAL_CLOCK_SYNCHRONIZED,
	    .source = LOCAL_SOURCE_CHRONY,
	    .offset_s = -0.0000004,
	    .max_error_s = 0.0030001,
	    .stratum = 3,
	    .age_s = 1.2999,
	    .servers = 3,
	    .n_falsetickers = 2,
	    .falsetickers = {"a.example", "b\n"},
	    .slew_ppm = 480.5,
	    .disagrees = {
		.present = true, .source = LOCAL_SOURCE_SNTP, .offset_s = 7, .max_error_s = 0.5}};
	notice.peer_clock = (struct peer_clock_reading){
	    .present = true,
	    .offset_s = 0.1 + 0.2,
	    .max_error_s = 0.004,
	    .vs_utc_s = 7,
	    .vs_utc_max_error_s = 0.00700049,
	    .verdict = CLOCK_AHEAD,
	    .drift_ppm = -12.5,
	    .drift_max_error_ppm = 3.25,
	    .samples = 8,
	    .age_s = 0,
	    .disagrees = {
		.present = true, .source = PEER_SOURCE_ECHO, .offset_s = -20, .max_error_s = 0.25}};
	notice.step = (struct clock_step){.present = true,
					  .clock = STEP_PEER,
					  .size_s = 60.0264999,
					  .max_error_s = 0.0385,
					  .at = WALL,
					  .leap_second = true};
	assert_rest(
	    "\"mono_ms\":913000,"
	    "\"alert\":{\"name\":\"ping_restart\",\"status\":\"resolved\","
	    "\"id\":\"0000000000000abc\",\"starts_at\":\"2026-11-24T04:11:10.896Z\","
	    "\"ends_at\":\"2026-11-24T04:11:12.396Z\",\"duration_s\":1.5,\"count\":1},"
	    "\"restart\":{\"reason\":\"ping-restart\",\"connected_s\":240.264,"
	    "\"silent_s\":120.999,\"ping_s\":10,\"ping_restart_s\":120,"
	    "\"timers_from\":\"push_reply\",\"attempts\":0},"
	    "\"pattern\":{\"restarts\":5,\"span_s\":100.0,\"period_s\":20.2,"
	    "\"period_spread_s\":0.4,\"session_s\":16.0,\"session_spread_s\":0.0,"
	    "\"time_of_day\":\"03:00\",\"tunnels\":2},"
	    "\"causes\":[{\"cause\":\"peer_clock_step\",\"confidence\":\"likely\","
	    "\"because\":[\"one\",\"two\"],\"against\":[\"three\"],\"remedy\":\"do\"},"
	    "{\"cause\":\"unknown\",\"confidence\":\"possible\",\"because\":[]}],\"scope\":\"this_"
	    "machine\","
	    "\"local_clock\":{\"state\":\"synchronized\",\"source\":\"chrony\",\"offset_s\":0.0,"
	    "\"max_error_s\":0.003001,\"stratum\":3,\"age_s\":1.299,\"servers\":3,"
	    "\"falsetickers\":[\"a.example\",\"b\\\\x0a\"],\"slew_ppm\":480.5,"
	    "\"disagrees\":{\"source\":\"sntp\",\"offset_s\":7.0,\"max_error_s\":0.5}},"
	    "\"peer_clock\":{\"source\":\"openvpn_control\",\"offset_s\":0.3,"
	    "\"max_error_s\":0.004,\"vs_utc_s\":7.0,\"vs_utc_max_error_s\":0.007001,"
	    "\"verdict\":\"ahead\",\"drift_ppm\":-12.5,\"drift_max_error_ppm\":3.25,\"samples\":8,"
	    "\"age_s\":0.0,"
	    "\"disagrees\":{\"source\":\"echo\",\"offset_s\":-20.0,\"max_error_s\":0.25}},"
	    "\"step\":{\"clock\":\"peer\",\"size_s\":60.0265,\"max_error_s\":0.0385,"
	    "\"at\":\"2026-11-24T04:11:10.896Z\",\"leap_second\":true},"
	    "\"message\":\"a sentence\"}");
}

static void what_is_unknown_is_left_out(void **state)
{
	(void)state;
	begin(NOTICE_STATE, SEVERITY_INFO, "t");
	assert_rest("\"mono_ms\":913000,\"state\":{\"name\":\"CONNECTED\"},"
		    "\"message\":\"a sentence\"}");
	begin(NOTICE_CLOCK, SEVERITY_INFO, NULL);
	assert_null(strstr(line(), "\"tunnel\""));
	assert_rest("\"mono_ms\":913000,\"local_clock\":{\"state\":\"unknown\"},"
		    "\"message\":\"a sentence\"}");
	begin(NOTICE_ALERT, SEVERITY_INFO, "");
	assert_null(strstr(line(), "\"tunnel\""));
	notice.restart.present = true;
	notice.message[0] = '\0';
	assert_rest("\"mono_ms\":913000,\"alert\":{\"name\":\"ping_restart\","
		    "\"status\":\"firing\",\"id\":\"0000000000000abc\","
		    "\"starts_at\":\"2026-11-24T04:11:10.896Z\",\"count\":1},\"restart\":{},"
		    "\"message\":\"OpenVPN restarted the tunnel because nothing was received for "
		    "the ping-restart window\"}");
	begin(NOTICE_ALERT, SEVERITY_INFO, NULL);
	notice.pattern.present = true;
	notice.pattern.restarts = 3;
	assert_rest("\"mono_ms\":913000,\"alert\":{\"name\":\"ping_restart\","
		    "\"status\":\"firing\",\"id\":\"0000000000000abc\","
		    "\"starts_at\":\"2026-11-24T04:11:10.896Z\",\"count\":1},"
		    "\"pattern\":{\"restarts\":3},\"message\":\"a sentence\"}");
	begin(NOTICE_SUMMARY, SEVERITY_INFO, NULL);
	assert_rest("\"mono_ms\":913000,\"summary\":{},\"message\":\"a sentence\"}");
}

static void figures_that_are_none_are_left_out(void **state)
{
	static const double odd[] = {NAN, -NAN, INFINITY, -INFINITY, 1e300, -1e300};
	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		begin(NOTICE_CLOCK, SEVERITY_INFO, NULL);
		notice.local_clock.offset_s = notice.local_clock.max_error_s = odd[i];
		notice.local_clock.age_s = odd[i];
		assert_rest("\"mono_ms\":913000,\"local_clock\":{\"state\":\"unknown\"},"
			    "\"message\":\"a sentence\"}");
	}
	begin(NOTICE_STATE, SEVERITY_INFO, "t");
	notice.state.previous_s = -1;
	notice.state.openvpn_time = INT64_MAX; /* not for a reader with doubles */
	notice.state.remote_port = 65536;
	assert_rest("\"mono_ms\":913000,\"state\":{\"name\":\"CONNECTED\"},"
		    "\"message\":\"a sentence\"}");
}

static void instants_at_the_edge(void **state)
{
	static const struct {
		nsec wall;
		const char *begin;
	} samples[] = {
	    {0, "{\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"ts\":0.0,"},
	    {-1, "{\"timestamp\":\"1969-12-31T23:59:59.999Z\",\"ts\":-0.001,"},
	    {INT64_MAX, "{\"timestamp\":\"2262-04-11T23:47:16.854Z\",\"ts\":9223372036.854,"},
	    {INT64_MIN, "{\"timestamp\":\"1677-09-21T00:12:43.145Z\",\"ts\":-9223372036.855,"},
	    {1705362043842999999,
	     "{\"timestamp\":\"2024-01-15T23:40:43.842Z\",\"ts\":1705362043.842,"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		begin(NOTICE_MONITOR, SEVERITY_INFO, NULL);
		notice.at.wall = samples[i].wall;
		notice.at.mono = i % 2 == 0 ? INT64_MAX : INT64_MIN;
		assert_memory_equal(line(), samples[i].begin, strlen(samples[i].begin));
	}
}

static const char *string_at(json_t *o, const char *object, const char *key)
{
	const char *s = json_string_value(json_object_get(json_object_get(o, object), key));
	assert_non_null(s);
	return s;
}

static void text_from_outside_is_harmless_and_readable(void **state)
{
	(void)state;
	begin(NOTICE_STATE, SEVERITY_INFO, "B\xc3\xbcro \xf0\x9f\x90\xa2");
	snprintf(notice.state.name, sizeof notice.state.name, "CONN\x1b]0;x\x07\n\"}");
	snprintf(notice.state.detail, sizeof notice.state.detail, "M\xfcller\x7f\xc2\x9b");
	snprintf(notice.state.previous, sizeof notice.state.previous, "\xe2\x80\xae\\");
	json_t *o = parsed();
	assert_string_equal(json_string_value(json_object_get(o, "tunnel")),
			    "B\xc3\xbcro \xf0\x9f\x90\xa2");
	assert_string_equal(string_at(o, "state", "name"), "CONN\\x1b]0;x\\x07\\x0a\"}");
	assert_string_equal(string_at(o, "state", "detail"), "M\\xfcller\\x7f\\xc2\\x9b");
	assert_string_equal(string_at(o, "state", "previous"), "\\xe2\\x80\\xae\\");
	json_decref(o);
}

/* The longest event there can be, every text full of one piece. */
static void fill(const char *piece)
{
	static char text[NOTICE_TEXT_MAX]; /* the tunnel's name is borrowed */
	text[0] = '\0';
	for (size_t n = strlen(piece); strlen(text) + n < sizeof text;)
		strcat(text, piece);
	begin(NOTICE_ALERT, SEVERITY_CRITICAL, text);
	notice.alert.count = UINT32_MAX;
	notice.restart = (struct notice_restart){.present = true,
						 .connected_s = INT64_MAX,
						 .silent_s = INT64_MAX,
						 .ping_s = INTMAX_C(1) << 53,
						 .ping_restart_s = INTMAX_C(1) << 53,
						 .attempts = INT32_MAX};
	snprintf(notice.restart.reason, sizeof notice.restart.reason, "%.90s", text);
	notice.pattern = (struct notice_pattern){.present = true,
						 .restarts = UINT32_MAX,
						 .span_s = INT64_MAX,
						 .period_s = INT64_MAX,
						 .period_spread_s = INT64_MAX,
						 .session_s = INT64_MAX,
						 .session_spread_s = INT64_MAX,
						 .time_of_day = "23:59",
						 .tunnels = UINT32_MAX};
	notice.scope = SCOPE_THIS_MACHINE;
	notice.n_causes = NOTICE_CAUSES_MAX;
	for (unsigned i = 0; i < NOTICE_CAUSES_MAX; i++) {
		struct cause *c = &notice.causes[i];
		c->name = CAUSE_SERVER_UNRESPONSIVE;
		c->confidence = CONFIDENCE_CONFIRMED;
		c->n_because = c->n_against = NOTICE_REASONS_MAX;
		for (unsigned j = 0; j < NOTICE_REASONS_MAX; j++) {
			strcpy(c->because[j], text);
			strcpy(c->against[j], text);
		}
		strcpy(c->remedy, text);
	}
	notice.local_clock =
	    (struct local_clock_reading){.present = true,
					 .state = LOCAL_CLOCK_SELF_REFERENCED,
					 .source = LOCAL_SOURCE_NTP_CONTROL,
					 .offset_s = -9e9 / 7,
					 .max_error_s = 9e9 / 7,
					 .stratum = 255,
					 .age_s = 9e8 / 7,
					 .servers = INT32_MAX,
					 .n_falsetickers = NTP_SERVERS_MAX,
					 .slew_ppm = -9e9 / 7,
					 .disagrees = {.present = true,
						       .source = LOCAL_SOURCE_TIMESYNCD,
						       .offset_s = -9e9 / 7,
						       .max_error_s = 9e9 / 7}};
	for (unsigned i = 0; i < NTP_SERVERS_MAX; i++)
		notice.local_clock.falsetickers[i] = text;
	notice.peer_clock =
	    (struct peer_clock_reading){.present = true,
					.offset_s = -9e9 / 7,
					.max_error_s = 9e9 / 7,
					.vs_utc_s = -9e9 / 7,
					.vs_utc_max_error_s = 9e9 / 7,
					.drift_ppm = -9e9 / 7,
					.drift_max_error_ppm = 9e9 / 7,
					.samples = INT32_MAX,
					.age_s = 9e8 / 7,
					.disagrees = {.present = true,
						      .source = PEER_SOURCE_AUTH_TOKEN,
						      .offset_s = -9e9 / 7,
						      .max_error_s = 9e9 / 7}};
	notice.step = (struct clock_step){.present = true,
					  .size_s = -9e9 / 7,
					  .max_error_s = 9e9 / 7,
					  .at = INT64_MAX,
					  .leap_second = true};
	strcpy(notice.message, text);
}

static void the_longest_event_fits(void **state)
{
	static const char *const pieces[] = {
	    "x",       "\x01", "\xff", "\"", "\\", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x90\xa2",
	    "a b\xed",
	};
	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		fill(pieces[i]);
		json_t *o = parsed();
		json_t *causes = json_object_get(o, "causes");
		assert_int_equal(json_array_size(causes), NOTICE_CAUSES_MAX);
		const char *message = json_string_value(json_object_get(o, "message"));
		assert_true(strlen(message) > 3);
		assert_string_equal(message + strlen(message) - 3, "...");
		assert_null(strstr(message, "out of memory"));
		json_t *pattern = json_object_get(o, "pattern");
		assert_int_equal(json_integer_value(json_object_get(pattern, "tunnels")),
				 UINT32_MAX);
		assert_string_equal(string_at(o, "pattern", "time_of_day"), "23:59");
		assert_string_equal(json_string_value(json_object_get(o, "scope")), "this_machine");
		json_decref(o);
	}
}

/* Short texts keep every letter while long ones are cut. */
static void the_longest_texts_are_cut_first(void **state)
{
	(void)state;
	fill("x");
	notice.tunnel = "office";
	snprintf(notice.restart.reason, sizeof notice.restart.reason, "ping-restart");
	snprintf(notice.message, sizeof notice.message, "short");
	notice.n_causes = 2;
	json_t *o = parsed();
	assert_string_equal(json_string_value(json_object_get(o, "tunnel")), "office");
	assert_string_equal(string_at(o, "restart", "reason"), "ping-restart");
	assert_string_equal(json_string_value(json_object_get(o, "message")), "short");
	json_decref(o);
	notice.n_causes = 1;
	notice.causes[0].n_against -= 2; /* 7 texts of 319 fit as they are */
	notice.local_clock.n_falsetickers = 0;
	assert_null(strstr(line(), "..."));
}

static size_t allocations_left;

static void *allocate(size_t n)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(n);
}

/* Wherever jansson runs out of memory, there is a line, and either all of the event or none. */
static void without_memory_there_is_still_an_event(void **state)
{
	(void)state;
	json_malloc_t get;
	json_free_t release;
	json_get_alloc_funcs(&get, &release);
	fill("\xc3\xbc");
	notice.at.wall = -1500 * NSEC_PER_MSEC;
	bool whole = false;
	for (size_t n = 0; !whole; n += n < 64 ? 1 : 97) {
		static char out[JSON_LINE_MAX];
		allocations_left = n;
		json_set_alloc_funcs(allocate, free);
		size_t size = json_line(&notice, &origin, ++seq, out);
		json_set_alloc_funcs(get, release);
		assert_true(size > 0 && size <= JSON_LINE_MAX);
		if (kept != NULL)
			fwrite(out, 1, size, kept);
		json_t *o = json_loadb(out, size, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(o);
		whole = json_object_get(o, "alert") != NULL;
		if (whole)
			assert_int_equal(json_array_size(json_object_get(o, "causes")),
					 NOTICE_CAUSES_MAX);
		else
			assert_string_equal(string_at(o, "monitor", "kind"), "dropped");
		assert_true(json_number_value(json_object_get(o, "ts")) == -1.5);
		json_decref(o);
	}
}

static void every_word_gets_through(void **state)
{
	(void)state;
	for (unsigned a = 0; a < ALERT_COUNT; a++) {
		begin(NOTICE_ALERT, alert_severity((enum alert_name)a), "t");
		notice.alert.name = (enum alert_name)a;
		(void)line();
	}
	for (unsigned c = 0; c < CAUSE_COUNT; c++) {
		begin(NOTICE_ALERT, SEVERITY_WARNING, "t");
		notice.n_causes = 1;
		notice.causes[0] = (struct cause){.name = (enum cause_name)c};
		(void)line();
	}
	for (unsigned s = 0; s <= SCOPE_SERVER; s++) {
		begin(NOTICE_ALERT, SEVERITY_WARNING, "t");
		notice.scope = (enum scope)s;
		assert_int_equal(strstr(line(), "\"scope\":") != NULL, s != SCOPE_NONE);
	}
	for (unsigned c = CLIENT_CONNECTED; c <= CLIENT_REPLAYED; c++) {
		begin(NOTICE_CLIENT, SEVERITY_INFO, "t");
		notice.client = (struct notice_client){.present = true,
						       .change = (enum client_change)c,
						       .name = "alice",
						       .connected_s = NSEC_UNKNOWN,
						       .away_s = NSEC_UNKNOWN,
						       .received_bytes = -1,
						       .sent_bytes = 7,
						       .clients = 0};
		assert_non_null(strstr(line(), "\"sent_bytes\":7,\"clients\":0}"));
		assert_null(strstr(line(), "received"));
	}
	begin(NOTICE_MONITOR, SEVERITY_INFO, "t");
	notice.monitor.kind = MONITOR_CONNECTED;
	notice.monitor.management_options = 5;
	assert_non_null(
	    strstr(line(), "\"management_options\":[\"management_signal\",\"management_client\"]"));
	for (unsigned k = 0; k <= MONITOR_SERVER; k++) {
		begin(NOTICE_MONITOR, SEVERITY_INFO, NULL);
		notice.monitor.kind = (enum monitor_kind)k;
		notice.monitor.count = 1;
		notice.monitor.rtt_s = 0.0004123;
		notice.monitor.retry_s = 500 * NSEC_PER_MSEC;
		(void)line();
	}
	for (unsigned s = 0; s <= PEER_SOURCE_REPLAY_LOG; s++) {
		begin(NOTICE_CLOCK, SEVERITY_INFO, "t");
		notice.peer_clock = (struct peer_clock_reading){.present = true,
								.source = (enum peer_clock_source)s,
								.max_error_s = 0.5,
								.vs_utc_s = NAN,
								.vs_utc_max_error_s = NAN,
								.drift_ppm = NAN,
								.age_s = NAN};
		notice.local_clock.state = (enum local_clock_state)(s % 5);
		notice.local_clock.source = (enum local_clock_source)s;
		(void)line();
	}
}

static int keep_lines(void **state)
{
	char path[4096];
	const char *folder = getenv("OVPNWATCH_LINES");
	(void)state;
	if (folder == NULL)
		return 0;
	snprintf(path, sizeof path, "%s/unit-json.ndjson", folder);
	kept = fopen(path, "w");
	return kept != NULL ? 0 : -1;
}

static int close_lines(void **state)
{
	(void)state;
	return kept != NULL ? fclose(kept) : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(envelope_is_in_order),
	    cmocka_unit_test(an_alert_has_all_its_parts),
	    cmocka_unit_test(what_is_unknown_is_left_out),
	    cmocka_unit_test(figures_that_are_none_are_left_out),
	    cmocka_unit_test(instants_at_the_edge),
	    cmocka_unit_test(text_from_outside_is_harmless_and_readable),
	    cmocka_unit_test(the_longest_event_fits),
	    cmocka_unit_test(the_longest_texts_are_cut_first),
	    cmocka_unit_test(without_memory_there_is_still_an_event),
	    cmocka_unit_test(every_word_gets_through),
	};
	return cmocka_run_group_tests(tests, keep_lines, close_lines);
}
