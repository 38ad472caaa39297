/* SPDX-License-Identifier: MIT */
#include "scenarios/trace.h"
#include "sink/json.h"

#include <math.h>

static void trace_clock(struct trace *t, const struct notice *n)
{
	if (n->peer_clock.present)
		fprintf(t->text, " peer=%+.3f+/-%.3f", n->peer_clock.offset_s,
			n->peer_clock.max_error_s);
	if (n->peer_clock.present && !isnan(n->peer_clock.vs_utc_s))
		fprintf(t->text, " utc=%+.3f", n->peer_clock.vs_utc_s);
	if (n->local_clock.present)
		fprintf(t->text, " local=%s", name_local_clock_state(n->local_clock.state));
	if (n->local_clock.present && !isnan(n->local_clock.offset_s))
		fprintf(t->text, "%+.3f", n->local_clock.offset_s);
	if (n->peer_clock.disagrees.present)
		fprintf(t->text, " but %s=%+.3f",
			name_peer_clock_source(n->peer_clock.disagrees.source),
			n->peer_clock.disagrees.offset_s);
	if (n->step.present)
		fprintf(t->text, " step=%s%+.1f", name_step_clock(n->step.clock), n->step.size_s);
}

static void trace_client(struct trace *t, const struct notice_client *c)
{
	if (c->change != CLIENT_CHANGE_NONE)
		fprintf(t->text, " %s", name_client_change(c->change));
	fprintf(t->text, " %s", c->name);
	if (c->connected_s >= 0)
		fprintf(t->text, " %.3f", nsec_to_s(c->connected_s));
	if (c->clients >= 0)
		fprintf(t->text, " of %d", c->clients);
}

static void trace_alert(struct trace *t, const struct notice *n)
{
	fprintf(t->text, "alert %s %s", name_alert(n->alert.name),
		name_alert_status(n->alert.status));
	if (n->alert.status == ALERT_RESOLVED)
		fprintf(t->text, " after %.3f", nsec_to_s(n->alert.duration_s));
	if (n->alert.count > 1)
		fprintf(t->text, " x%u", n->alert.count);
	for (unsigned i = 0; i < n->n_causes; i++)
		fprintf(t->text, "%s %s:%s", i > 0 ? "," : "", name_cause(n->causes[i].name),
			name_confidence(n->causes[i].confidence));
}

void trace_notice(struct trace *t, const struct notice *n)
{
	fprintf(t->text, "%8.3f  ", nsec_to_s(n->at.mono));
	switch (n->type) {
	case NOTICE_ALERT:
		trace_alert(t, n);
		break;
	case NOTICE_STATE:
		fprintf(t->text, "state %s %s", n->state.name, n->state.detail);
		break;
	case NOTICE_CLOCK:
		fprintf(t->text, "clock");
		break;
	case NOTICE_MONITOR:
		fprintf(t->text, "monitor %s", name_monitor_kind(n->monitor.kind));
		break;
	case NOTICE_CLIENT:
		fprintf(t->text, "client");
		break;
	case NOTICE_SUMMARY:
		fprintf(t->text, "summary");
		break;
	}
	if (n->client.present)
		trace_client(t, &n->client);
	trace_clock(t, n);
	fprintf(t->text, " | %s\n", n->message);
	if (t->json != NULL) {
		static char line[JSON_LINE_MAX];
		struct sink_origin origin = {.run = 0x5ce7a210};
		size_t size = json_line(n, &origin, ++t->seq, line);
		fwrite(line, 1, size, t->json);
	}
}
