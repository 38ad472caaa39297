/* SPDX-License-Identifier: MIT
 *
 * src/sink: whatever is in a notice, its JSON line is one object of at most JSON_LINE_MAX bytes of
 * printable ASCII that says all that the notice has, and its text has no control characters but
 * newlines (and the colours, if they are wanted). The input is read as the fields one after the
 * other: numbers as they lie in memory, texts with their length in front; what is missing is 0.
 */
#include "fuzz/check.h"
#include "sink/json.h"
#include "sink/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t left;
};

static void take(struct input *in, void *to, size_t n)
{
	size_t there = n < in->left ? n : in->left;
	memset(to, 0, n);
	if (there > 0)
		memcpy(to, in->p, there);
	in->p += there;
	in->left -= there;
}

/* One of `count` enumerators or numbers. */
static unsigned pick(struct input *in, unsigned count)
{
	uint8_t byte;
	take(in, &byte, 1);
	return byte % count;
}

/* A text of up to `size` - 1 bytes: the length is a byte, and 255 is "all the room". */
static void text(struct input *in, char *to, size_t size)
{
	size_t n = pick(in, 256);
	if (n == 255 || n > size - 1)
		n = size - 1;
	take(in, to, n);
	to[n] = '\0';
}

#define NUMBER(in, field) take((in), &(field), sizeof(field))
#define TEXT(in, field)	  text((in), (field), sizeof(field))

static void take_cause(struct input *in, struct cause *c)
{
	memset(c, 0, sizeof *c);
	c->name = (enum cause_name)pick(in, CAUSE_COUNT);
	c->confidence = (enum confidence)pick(in, CONFIDENCE_CONFIRMED + 1);
	c->n_because = pick(in, NOTICE_REASONS_MAX + 1);
	c->n_against = pick(in, NOTICE_REASONS_MAX + 1);
	for (unsigned i = 0; i < c->n_because; i++)
		TEXT(in, c->because[i]);
	for (unsigned i = 0; i < c->n_against; i++)
		TEXT(in, c->against[i]);
	TEXT(in, c->remedy);
}

static void take_state(struct input *in, struct notice_state *s)
{
	TEXT(in, s->name);
	TEXT(in, s->detail);
	TEXT(in, s->previous);
	NUMBER(in, s->previous_s);
	NUMBER(in, s->openvpn_time);
	TEXT(in, s->local_ip);
	TEXT(in, s->remote_ip);
	NUMBER(in, s->remote_port);
}

static void take_alert(struct input *in, struct notice *n)
{
	struct notice_alert *a = &n->alert;
	a->name = (enum alert_name)pick(in, ALERT_COUNT);
	a->status = (enum alert_status)pick(in, ALERT_RESOLVED + 1);
	NUMBER(in, a->id);
	NUMBER(in, a->starts_at);
	NUMBER(in, a->ends_at);
	NUMBER(in, a->duration_s);
	NUMBER(in, a->count);
	n->restart.present = pick(in, 2);
	TEXT(in, n->restart.reason);
	NUMBER(in, n->restart.connected_s);
	NUMBER(in, n->restart.silent_s);
	NUMBER(in, n->restart.ping_s);
	NUMBER(in, n->restart.ping_restart_s);
	n->restart.timers_from = (enum timer_source)pick(in, TIMERS_LOGGED + 1);
	NUMBER(in, n->restart.attempts);
	n->n_causes = pick(in, NOTICE_CAUSES_MAX + 1);
	for (unsigned i = 0; i < n->n_causes; i++)
		take_cause(in, &n->causes[i]);
}

static void take_clocks(struct input *in, struct notice *n)
{
	unsigned present = pick(in, 8 * 8);
	n->local_clock.present = present & 1;
	n->local_clock.state = (enum local_clock_state)pick(in, LOCAL_CLOCK_STALE + 1);
	n->local_clock.source = (enum local_clock_source)pick(in, LOCAL_SOURCE_KERNEL + 1);
	NUMBER(in, n->local_clock.offset_s);
	NUMBER(in, n->local_clock.max_error_s);
	NUMBER(in, n->local_clock.stratum);
	NUMBER(in, n->local_clock.age_s);
	if (present & 8) {
		NUMBER(in, n->local_clock.servers);
		NUMBER(in, n->local_clock.slew_ppm);
		n->local_clock.n_falsetickers = pick(in, NTP_SERVERS_MAX + 1);
		for (unsigned i = 0; i < n->local_clock.n_falsetickers; i++)
			n->local_clock.falsetickers[i] = "a server \x1b[2J\xff";
		n->local_clock.disagrees.present = true;
		n->local_clock.disagrees.source = LOCAL_SOURCE_SNTP;
		NUMBER(in, n->local_clock.disagrees.offset_s);
		NUMBER(in, n->local_clock.disagrees.max_error_s);
	}
	n->peer_clock.present = present & 2;
	n->peer_clock.source = (enum peer_clock_source)pick(in, PEER_SOURCE_REPLAY_LOG + 1);
	NUMBER(in, n->peer_clock.offset_s);
	NUMBER(in, n->peer_clock.max_error_s);
	NUMBER(in, n->peer_clock.vs_utc_s);
	NUMBER(in, n->peer_clock.vs_utc_max_error_s);
	NUMBER(in, n->peer_clock.drift_ppm);
	NUMBER(in, n->peer_clock.samples);
	NUMBER(in, n->peer_clock.age_s);
	if (present & 16) {
		NUMBER(in, n->peer_clock.drift_max_error_ppm);
		n->peer_clock.disagrees.present = true;
		n->peer_clock.disagrees.source = PEER_SOURCE_ECHO;
		NUMBER(in, n->peer_clock.disagrees.offset_s);
		NUMBER(in, n->peer_clock.disagrees.max_error_s);
	}
	n->step.present = present & 4;
	n->step.clock = (enum step_clock)pick(in, STEP_PEER + 1);
	NUMBER(in, n->step.size_s);
	NUMBER(in, n->step.max_error_s);
	NUMBER(in, n->step.at);
	n->step.leap_second = present & 32;
}

/* Behind all else of an alert, so that the corpus from before it still says what it said. */
static void take_pattern(struct input *in, struct notice *n)
{
	n->pattern.present = pick(in, 2);
	NUMBER(in, n->pattern.restarts);
	NUMBER(in, n->pattern.span_s);
	NUMBER(in, n->pattern.period_s);
	NUMBER(in, n->pattern.period_spread_s);
	NUMBER(in, n->pattern.session_s);
	NUMBER(in, n->pattern.session_spread_s);
	TEXT(in, n->pattern.time_of_day);
	NUMBER(in, n->pattern.tunnels);
	n->scope = (enum scope)pick(in, SCOPE_SERVER + 1);
}

static void take_client(struct input *in, struct notice_client *c)
{
	c->present = true;
	c->change = (enum client_change)pick(in, CLIENT_REPLAYED + 1);
	TEXT(in, c->name);
	TEXT(in, c->address);
	TEXT(in, c->other_address);
	TEXT(in, c->virtual_ip);
	TEXT(in, c->reason);
	NUMBER(in, c->connected_s);
	NUMBER(in, c->away_s);
	NUMBER(in, c->received_bytes);
	NUMBER(in, c->sent_bytes);
	NUMBER(in, c->clients);
}

static void take_monitor(struct input *in, struct notice *n)
{
	struct notice_monitor *m = &n->monitor;
	m->kind = (enum monitor_kind)pick(in, MONITOR_RELOADED + 1);
	TEXT(in, m->address);
	TEXT(in, m->reason);
	TEXT(in, m->version);
	NUMBER(in, m->retry_s);
	NUMBER(in, m->suspended_s);
	NUMBER(in, m->count);
	NUMBER(in, m->rtt_s);
	NUMBER(in, m->pid);
	take(in, &n->summary, offsetof(struct notice_summary, zone));
	TEXT(in, n->summary.zone);
}

static void check_json(const struct notice *n, const struct sink_origin *origin, uint64_t seq)
{
	static char out[JSON_LINE_MAX];
	const char *last = NULL, *key;
	json_t *value;
	size_t size = json_line(n, origin, seq, out);
	CHECK(size > 1 && size <= JSON_LINE_MAX && out[size - 1] == '\n');
	for (size_t i = 0; i < size - 1; i++)
		CHECK(out[i] >= 0x20 && out[i] <= 0x7e);
	json_t *o = json_loadb(out, size - 1, JSON_REJECT_DUPLICATES, NULL);
	CHECK(json_is_object(o));
	json_object_foreach(o, key, value) last = key;
	CHECK(strcmp(last, "message") == 0);
	CHECK(strcmp(json_string_value(json_object_get(o, "event_type")),
		     name_notice_type(n->type)) == 0);
	CHECK(json_integer_value(json_object_get(o, "seq")) == (json_int_t)seq);
	CHECK(json_string_length(json_object_get(o, "message")) > 0);
	CHECK(json_array_size(json_object_get(o, "causes")) == n->n_causes);
	CHECK((json_object_get(o, "peer_clock") != NULL) == n->peer_clock.present);
	CHECK((json_object_get(o, "step") != NULL) == n->step.present);
	CHECK((json_object_get(o, "pattern") != NULL) == n->pattern.present);
	CHECK((json_object_get(o, "scope") != NULL) == (n->scope != SCOPE_NONE));
	json_decref(o);
}

static void check_text(const struct notice *n, const struct text_style *style)
{
	static char out[TEXT_BLOCK_MAX];
	size_t size = text_block(n, style, out);
	CHECK(size > 1 && size <= TEXT_BLOCK_MAX && out[size - 1] == '\n');
	for (size_t i = 0; i < size; i++) {
		bool printable = out[i] >= 0x20 && out[i] <= 0x7e;
		CHECK(printable || out[i] == '\n' || (out[i] == '\033' && style->colour));
		if (out[i] == '\033') /* one of ours, whole */
			CHECK(i + 3 < size && out[i + 1] == '[' &&
			      strspn(out + i + 2, "0123456789;") <= 4 &&
			      out[i + 2 + strspn(out + i + 2, "0123456789;")] == 'm');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct notice n; /* large */
	struct input in = {.p = data, .left = size};
	struct stamp at;
	struct sink_origin origin;
	char tunnel[512];
	uint32_t seq;
	take(&in, &at, sizeof at);
	enum notice_type type = (enum notice_type)pick(&in, NOTICE_CLIENT + 1);
	enum severity severity = (enum severity)pick(&in, SEVERITY_CRITICAL + 1);
	struct text_style style = {.colour = pick(&in, 2), .width = pick(&in, 256)};
	int32_t offset;
	NUMBER(&in, offset);
	style.utc_offset_s = offset;
	NUMBER(&in, seq);
	NUMBER(&in, origin.run);
	NUMBER(&in, origin.mono_start);
	TEXT(&in, tunnel);
	notice_init(&n, type, severity, &at, tunnel[0] != '\0' ? tunnel : NULL);
	TEXT(&in, n.message);
	if (type == NOTICE_STATE)
		take_state(&in, &n.state);
	if (type == NOTICE_CLIENT)
		take_client(&in, &n.client);
	if (type == NOTICE_ALERT)
		take_alert(&in, &n);
	if (type == NOTICE_ALERT || type == NOTICE_CLOCK)
		take_clocks(&in, &n);
	if (type == NOTICE_ALERT)
		take_pattern(&in, &n);
	if (type == NOTICE_MONITOR || type == NOTICE_SUMMARY)
		take_monitor(&in, &n);
	check_json(&n, &origin, (uint64_t)seq + 1);
	check_text(&n, &style);
	return 0;
}
