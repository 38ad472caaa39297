/* SPDX-License-Identifier: MIT */
#include "sink/json.h"
#include "core/farewell.h"
#include "proto/timestamp.h"
#include "sink/escape.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* What one text may cost at first (nothing is as long), and at last: then the longest event fits.
 */
#define BUDGET_FIRST 2048
#define BUDGET_LEAST 10

/* A consumer that reads numbers as doubles keeps integers up to this. */
#define INTEGER_MAX ((int64_t)1 << 53)

/* One attempt at a line. */
struct page {
	const struct notice *n;
	size_t budget; /* for one text, as escape_json() counts */
	bool failed;   /* jansson had no memory for some part */
};

/* Every member goes through here: jansson answers NULL and -1 all the way up, so that it is enough
 * to look at the end of the chain. */
static void set(struct page *page, json_t *o, const char *key, json_t *value)
{
	if (json_object_set_new(o, key, value) != 0)
		page->failed = true;
}

static void add(struct page *page, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		page->failed = true;
}

static json_t *text(const struct page *page, const char *s)
{
	char safe[4 * NOTICE_TEXT_MAX];
	(void)escape_json(s, page->budget, safe, sizeof safe);
	return json_string(safe);
}

static void set_text(struct page *page, json_t *o, const char *key, const char *s)
{
	if (s != NULL && s[0] != '\0')
		set(page, o, key, text(page, s));
}

static void set_word(struct page *page, json_t *o, const char *key, const char *word)
{
	set(page, o, key, json_string(word));
}

static void set_int(struct page *page, json_t *o, const char *key, int64_t value)
{
	if (value >= 0 && value <= INTEGER_MAX)
		set(page, o, key, json_integer(value));
}

/* Adding 0 makes 0 of -0. */
static void set_real(struct page *page, json_t *o, const char *key, double value)
{
	if (isfinite(value) && fabs(value) < 1e10)
		set(page, o, key, json_real(round(value * 1e6) / 1e6 + 0.0));
}

/* A bound is rounded up, or it would promise more than was measured. What is less than a millionth
 * of the last digit is noise of the arithmetic. */
static void set_bound(struct page *page, json_t *o, const char *key, double value)
{
	if (value >= 0)
		set_real(page, o, key, ceil(value * 1e6 - 1e-6) / 1e6);
}

static double ms_to_s(int64_t ms)
{
	return (double)ms / 1e3; /* the nearest double: 15 digits print it as it was meant */
}

/* Cut to milliseconds, as stamps are. */
static void set_duration(struct page *page, json_t *o, const char *key, nsec d)
{
	if (d >= 0) /* NSEC_UNKNOWN is negative */
		set(page, o, key, json_real(ms_to_s(nsec_to_ms(d))));
}

static void set_age(struct page *page, json_t *o, const char *key, double s)
{
	if (s >= 0 && s < 1e9)
		set_duration(page, o, key, nsec_from_s(s));
}

static void set_time(struct page *page, json_t *o, const char *key, nsec wall)
{
	char stamp[TIMESTAMP_SIZE];
	if (wall == NSEC_UNKNOWN)
		return;
	timestamp_format(wall, stamp);
	set_word(page, o, key, stamp);
}

static json_t *state(struct page *page)
{
	const struct notice_state *s = &page->n->state;
	json_t *o = json_object();
	set_text(page, o, "name", s->name);
	set_text(page, o, "detail", s->detail);
	set_text(page, o, "previous", s->previous);
	set_duration(page, o, "previous_s", s->previous_s);
	set_int(page, o, "openvpn_time", s->openvpn_time);
	set_text(page, o, "local_ip", s->local_ip);
	set_text(page, o, "remote_ip", s->remote_ip);
	if (s->remote_port <= UINT16_MAX)
		set_int(page, o, "remote_port", s->remote_port);
	return o;
}

static json_t *client(struct page *page)
{
	const struct notice_client *c = &page->n->client;
	json_t *o = json_object();
	set_text(page, o, "name", c->name);
	if (c->change != CLIENT_CHANGE_NONE)
		set_word(page, o, "change", name_client_change(c->change));
	set_text(page, o, "address", c->address);
	set_text(page, o, "other_address", c->other_address);
	set_text(page, o, "virtual_ip", c->virtual_ip);
	set_text(page, o, "reason", c->reason);
	set_duration(page, o, "connected_s", c->connected_s);
	set_duration(page, o, "away_s", c->away_s);
	set_int(page, o, "received_bytes", c->received_bytes);
	set_int(page, o, "sent_bytes", c->sent_bytes);
	set_int(page, o, "clients", c->clients);
	return o;
}

static json_t *alert(struct page *page)
{
	const struct notice_alert *a = &page->n->alert;
	json_t *o = json_object();
	char id[17];
	snprintf(id, sizeof id, "%016llx", (unsigned long long)a->id);
	set_word(page, o, "name", name_alert(a->name));
	set_word(page, o, "status", name_alert_status(a->status));
	set_word(page, o, "id", id);
	set_time(page, o, "starts_at", a->starts_at);
	set_time(page, o, "ends_at", a->ends_at);
	set_duration(page, o, "duration_s", a->duration_s);
	set_int(page, o, "count", a->count);
	return o;
}

static json_t *restart(struct page *page)
{
	const struct notice_restart *r = &page->n->restart;
	json_t *o = json_object();
	set_text(page, o, "reason", r->reason);
	set_duration(page, o, "connected_s", r->connected_s);
	set_duration(page, o, "silent_s", r->silent_s);
	set_int(page, o, "ping_s", r->ping_s);
	set_int(page, o, "ping_restart_s", r->ping_restart_s);
	if (r->ping_s >= 0 || r->ping_restart_s >= 0)
		set_word(page, o, "timers_from", name_timer_source(r->timers_from));
	set_int(page, o, "attempts", r->attempts);
	return o;
}

static json_t *pattern(struct page *page)
{
	const struct notice_pattern *p = &page->n->pattern;
	json_t *o = json_object();
	set_int(page, o, "restarts", p->restarts);
	set_duration(page, o, "span_s", p->span_s);
	set_duration(page, o, "period_s", p->period_s);
	set_duration(page, o, "period_spread_s", p->period_spread_s);
	set_duration(page, o, "session_s", p->session_s);
	set_duration(page, o, "session_spread_s", p->session_spread_s);
	set_text(page, o, "time_of_day", p->time_of_day);
	if (p->tunnels > 0)
		set_int(page, o, "tunnels", p->tunnels);
	return o;
}

static json_t *sentences(struct page *page, const char list[][NOTICE_TEXT_MAX], unsigned n)
{
	json_t *a = json_array();
	for (unsigned i = 0; i < n; i++)
		add(page, a, text(page, list[i]));
	return a;
}

static json_t *causes(struct page *page)
{
	json_t *a = json_array();
	for (unsigned i = 0; i < page->n->n_causes; i++) {
		const struct cause *c = &page->n->causes[i];
		json_t *o = json_object();
		set_word(page, o, "cause", name_cause(c->name));
		set_word(page, o, "confidence", name_confidence(c->confidence));
		set(page, o, "because", sentences(page, c->because, c->n_because));
		if (c->n_against > 0)
			set(page, o, "against", sentences(page, c->against, c->n_against));
		set_text(page, o, "remedy", c->remedy);
		add(page, a, o);
	}
	return a;
}

/* A second opinion that the first one excludes. */
static json_t *dissent(struct page *page, const char *source, double offset_s, double max_error_s)
{
	json_t *o = json_object();
	set_word(page, o, "source", source);
	set_real(page, o, "offset_s", offset_s);
	set_bound(page, o, "max_error_s", max_error_s);
	return o;
}

static json_t *local_clock(struct page *page)
{
	const struct local_clock_reading *l = &page->n->local_clock;
	json_t *o = json_object();
	set_word(page, o, "state", name_local_clock_state(l->state));
	if (l->source != LOCAL_SOURCE_NONE)
		set_word(page, o, "source", name_local_clock_source(l->source));
	set_real(page, o, "offset_s", l->offset_s);
	set_bound(page, o, "max_error_s", l->max_error_s);
	set_int(page, o, "stratum", l->stratum);
	set_age(page, o, "age_s", l->age_s);
	set_int(page, o, "servers", l->servers);
	if (l->n_falsetickers > 0) {
		json_t *names = json_array();
		for (unsigned i = 0; i < l->n_falsetickers; i++)
			add(page, names, text(page, l->falsetickers[i]));
		set(page, o, "falsetickers", names);
	}
	set_real(page, o, "slew_ppm", l->slew_ppm);
	if (l->disagrees.present)
		set(page, o, "disagrees",
		    dissent(page, name_local_clock_source(l->disagrees.source),
			    l->disagrees.offset_s, l->disagrees.max_error_s));
	return o;
}

static json_t *peer_clock(struct page *page)
{
	const struct peer_clock_reading *p = &page->n->peer_clock;
	json_t *o = json_object();
	set_word(page, o, "source", name_peer_clock_source(p->source));
	set_real(page, o, "offset_s", p->offset_s);
	set_bound(page, o, "max_error_s", p->max_error_s);
	set_real(page, o, "vs_utc_s", p->vs_utc_s);
	set_bound(page, o, "vs_utc_max_error_s", p->vs_utc_max_error_s);
	set_word(page, o, "verdict", name_clock_verdict(p->verdict));
	set_real(page, o, "drift_ppm", p->drift_ppm);
	if (json_object_get(o, "drift_ppm") != NULL)
		set_bound(page, o, "drift_max_error_ppm", p->drift_max_error_ppm);
	set_int(page, o, "samples", p->samples);
	set_age(page, o, "age_s", p->age_s);
	if (p->disagrees.present)
		set(page, o, "disagrees",
		    dissent(page, name_peer_clock_source(p->disagrees.source),
			    p->disagrees.offset_s, p->disagrees.max_error_s));
	return o;
}

static json_t *clock_step(struct page *page)
{
	const struct clock_step *s = &page->n->step;
	json_t *o = json_object();
	set_word(page, o, "clock", name_step_clock(s->clock));
	set_real(page, o, "size_s", s->size_s);
	set_bound(page, o, "max_error_s", s->max_error_s);
	set_time(page, o, "at", s->at);
	if (s->leap_second)
		set(page, o, "leap_second", json_true());
	return o;
}

static json_t *management_options(struct page *page, unsigned options)
{
	json_t *a = json_array();
	for (int i = 0; i < FAREWELL_OPTIONS; i++)
		if (options & FAREWELL_OPTION(i))
			add(page, a,
			    json_string(name_management_option((enum management_option)i)));
	return a;
}

static json_t *monitor(struct page *page)
{
	const struct notice_monitor *m = &page->n->monitor;
	json_t *o = json_object();
	set_word(page, o, "kind", name_monitor_kind(m->kind));
	set_text(page, o, "address", m->address);
	set_text(page, o, "reason", m->reason);
	set_text(page, o, "version", m->version);
	set_int(page, o, "pid", m->pid);
	set_duration(page, o, "retry_s", m->retry_s);
	set_duration(page, o, "suspended_s", m->suspended_s);
	set_int(page, o, "count", m->count);
	set_bound(page, o, "rtt_s", m->rtt_s);
	if (m->management_options != 0)
		set(page, o, "management_options", management_options(page, m->management_options));
	return o;
}

static json_t *probe(struct page *page)
{
	const struct notice_probe *p = &page->n->probe;
	json_t *o = json_object();
	set_text(page, o, "address", p->address);
	set_int(page, o, "sent", p->sent);
	set_int(page, o, "answered", p->answered);
	set_bound(page, o, "rtt_s", p->rtt_s);
	return o;
}

static json_t *summary(struct page *page)
{
	const struct notice_summary *s = &page->n->summary;
	json_t *o = json_object();
	set_int(page, o, "lines", s->lines);
	set_int(page, o, "states", s->states);
	set_int(page, o, "restarts", s->restarts);
	set_duration(page, o, "watched_s", s->watched_s);
	set_duration(page, o, "connected_s", s->connected_s);
	set_duration(page, o, "longest_s", s->longest_s);
	set_text(page, o, "zone", s->zone);
	return o;
}

static int64_t mono_ms(const struct notice *n, const struct sink_origin *origin)
{
	nsec since;
	if (__builtin_sub_overflow(n->at.mono, origin->mono_start, &since) || since < 0)
		return 0;
	return nsec_to_ms(since);
}

static void envelope(struct page *page, const struct sink_origin *origin, uint64_t seq, json_t *o)
{
	const struct notice *n = page->n;
	char stamp[TIMESTAMP_SIZE], run[9];
	timestamp_format(n->at.wall, stamp);
	snprintf(run, sizeof run, "%08x", (unsigned)origin->run);
	set_word(page, o, "timestamp", stamp);
	set(page, o, "ts", json_real(ms_to_s(nsec_to_ms(n->at.wall))));
	set(page, o, "v", json_integer(1));
	set_word(page, o, "event_type", name_notice_type(n->type));
	set_word(page, o, "severity", name_severity(n->severity));
	set_text(page, o, "tunnel", n->tunnel);
	set_word(page, o, "run", run);
	set(page, o, "seq", json_integer((json_int_t)seq));
	set(page, o, "mono_ms", json_integer(mono_ms(n, origin)));
}

/* Every event has a sentence. */
static const char *message(const struct notice *n)
{
	if (n->message[0] != '\0')
		return n->message;
	return n->type == NOTICE_ALERT ? alert_text(n->alert.name) : name_notice_type(n->type);
}

static void body(struct page *page, json_t *o)
{
	const struct notice *n = page->n;
	if (n->type == NOTICE_STATE)
		set(page, o, "state", state(page));
	if (n->client.present)
		set(page, o, "client", client(page));
	if (n->type == NOTICE_ALERT)
		set(page, o, "alert", alert(page));
	if (n->restart.present)
		set(page, o, "restart", restart(page));
	if (n->pattern.present)
		set(page, o, "pattern", pattern(page));
	if (n->n_causes > 0)
		set(page, o, "causes", causes(page));
	if (n->scope != SCOPE_NONE)
		set_word(page, o, "scope", name_scope(n->scope));
	if (n->local_clock.present)
		set(page, o, "local_clock", local_clock(page));
	if (n->peer_clock.present)
		set(page, o, "peer_clock", peer_clock(page));
	if (n->step.present)
		set(page, o, "step", clock_step(page));
	if (n->type == NOTICE_MONITOR)
		set(page, o, "monitor", monitor(page));
	if (n->probe.present)
		set(page, o, "probe", probe(page));
	if (n->type == NOTICE_SUMMARY ||
	    (n->type == NOTICE_MONITOR && n->monitor.kind == MONITOR_STOPPED))
		set(page, o, "summary", summary(page));
	set_text(page, o, "message", message(n));
}

/* The length of the line, or 0 if it did not fit (or page->failed). */
static size_t render(struct page *page, const struct sink_origin *origin, uint64_t seq,
		     char out[JSON_LINE_MAX])
{
	json_t *o = json_object();
	envelope(page, origin, seq, o);
	body(page, o);
	size_t n = json_dumpb(o, out, JSON_LINE_MAX - 1,
			      JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
	json_decref(o);
	page->failed = page->failed || n == 0;
	if (page->failed || n > JSON_LINE_MAX - 1)
		return 0;
	out[n] = '\n';
	return n + 1;
}

/* There is no memory left for jansson: the envelope by hand. The line stays an event, keeps its
 * place in the sequence, and says that another one is missing. */
static size_t last_resort(const struct notice *n, const struct sink_origin *origin, uint64_t seq,
			  char out[JSON_LINE_MAX])
{
	char stamp[TIMESTAMP_SIZE];
	int64_t ms = nsec_to_ms(n->at.wall);
	const char *sign = ms < 0 ? "-" : "";
	uint64_t size = ms < 0 ? (uint64_t)-ms : (uint64_t)ms;
	timestamp_format(n->at.wall, stamp);
	int length = snprintf(out, JSON_LINE_MAX,
			      "{\"timestamp\":\"%s\",\"ts\":%s%" PRIu64 ".%03" PRIu64 ",\"v\":1,"
			      "\"event_type\":\"monitor\",\"severity\":\"critical\","
			      "\"run\":\"%08x\",\"seq\":%" PRIu64 ",\"mono_ms\":%" PRId64 ","
			      "\"monitor\":{\"kind\":\"dropped\",\"count\":1},"
			      "\"message\":\"out of memory: an event could not be written\"}\n",
			      stamp, sign, size / 1000, size % 1000, (unsigned)origin->run, seq,
			      mono_ms(n, origin));
	assert(length > 0 && length < JSON_LINE_MAX);
	return (size_t)length;
}

size_t json_line(const struct notice *n, const struct sink_origin *origin, uint64_t seq,
		 char out[JSON_LINE_MAX])
{
	struct page page = {.n = n, .budget = BUDGET_FIRST};
	while (!page.failed && page.budget >= BUDGET_LEAST) {
		size_t size = render(&page, origin, seq, out);
		if (size > 0)
			return size;
		page.budget = page.budget * 3 / 4;
	}
	assert(page.failed); /* with every text at its least, the longest event fits */
	return last_resort(n, origin, seq, out);
}
