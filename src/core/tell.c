/* SPDX-License-Identifier: MIT */
#include "core/tell.h"
#include "core/farewell.h"
#include "core/phrases.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool tell_room(const struct actions *out)
{
	return out->n_notices < NOTICES_MAX;
}

struct notice *tell(struct actions *out, enum notice_type type, enum severity severity,
		    const struct stamp *at, const struct tunnel *t)
{
	assert(tell_room(out));
	struct notice *n = &out->notices[out->n_notices++];
	notice_init(n, type, severity, at, t != NULL ? t->config.name : NULL);
	return n;
}

struct sentence {
	char *text;
	size_t size;
};

static void say(struct sentence *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds to it; what does not fit is cut off. */
static void say(struct sentence *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(s->text, s->size, format, args);
	va_end(args);
	size_t said = n < 0 ? 0 : (size_t)n < s->size ? (size_t)n : s->size - 1;
	s->text += said;
	s->size -= said;
}

void tell_state(struct actions *out, const struct tunnel *t, const struct state_change *change,
		const struct stamp *at)
{
	bool bad = t->state == STATE_RECONNECTING || t->state == STATE_EXITING;
	struct notice *n = tell(out, NOTICE_STATE, bad ? SEVERITY_WARNING : SEVERITY_INFO, at, t);
	struct notice_state *s = &n->state;

	snprintf(s->name, sizeof s->name, "%s", t->state_name);
	snprintf(s->detail, sizeof s->detail, "%s", t->detail);
	snprintf(s->previous, sizeof s->previous, "%s", change->previous);
	s->previous_s = change->previous_lasted;
	s->openvpn_time = t->openvpn_time;
	if (t->state == STATE_CONNECTED) {
		snprintf(s->local_ip, sizeof s->local_ip, "%s", t->local_ip);
		snprintf(s->remote_ip, sizeof s->remote_ip, "%s", t->remote_ip);
		s->remote_port = t->remote_port;
		if (t->local_ip[0] != '\0' && t->remote_ip[0] != '\0')
			SAY(n, "%s as %s, to %s", t->state_name, t->local_ip, t->remote_ip);
		else
			SAY(n, "%s", t->state_name);
	} else if (t->detail[0] != '\0') {
		SAY(n, "%s: %s", t->state_name, t->detail);
	} else {
		SAY(n, "%s", t->state_name);
	}
	if (change->previous[0] != '\0' && change->previous_lasted != NSEC_UNKNOWN) {
		size_t used = strlen(n->message);
		snprintf(n->message + used, sizeof n->message - used, " (after %s of %s)",
			 phrase_duration(change->previous_lasted).text, change->previous);
	}
}

void tell_started(struct actions *out, const struct tunnel *t, const struct stamp *at)
{
	const struct tunnel_config *c = &t->config;
	struct notice *n = tell(out, NOTICE_MONITOR, SEVERITY_INFO, at, t);
	struct sentence s = {n->message, sizeof n->message};
	n->monitor.kind = MONITOR_STARTED;
	snprintf(n->monitor.address, sizeof n->monitor.address, "%s",
		 c->address != NULL ? c->address : c->log);
	bool told = c->peer_ntp || c->peer_address != NULL;
	if (c->address != NULL)
		say(&s, "watching %.*s", c->no_probe != NULL ? 64 : 96, c->address);
	if (c->log != NULL)
		say(&s, "%sfollowing %.64s", c->address != NULL ? " and " : "", tell_log_name(t));
	if (c->no_probe != NULL)
		say(&s, "; the server%s: %.160s",
		    told ? " is not probed" : "'s clock will not be measured", c->no_probe);
	else
		say(&s, " and probing the server %.128s",
		    c->server != NULL ? c->server : "of the profile");
}

void tell_removed(struct actions *out, const struct tunnel *t, const struct stamp *at)
{
	struct notice *n = tell(out, NOTICE_MONITOR, SEVERITY_INFO, at, t);
	n->monitor.kind = MONITOR_REMOVED;
	SAY(n, "watched no longer");
}

void tell_reloaded(struct actions *out, const struct event *e)
{
	struct notice *n = tell(out, NOTICE_MONITOR, SEVERITY_INFO, &e->at, NULL);
	n->monitor.kind = MONITOR_RELOADED;
	n->monitor.count = e->u.reloaded.tunnels;
	SAY(n, "read %.192s anew: %u tunnel%s, of which %u new or changed; %u no longer",
	    e->u.reloaded.file, e->u.reloaded.tunnels, e->u.reloaded.tunnels == 1 ? "" : "s",
	    e->u.reloaded.added, e->u.reloaded.removed);
}

void tell_connected(struct actions *out, const struct tunnel *t, const struct stamp *at)
{
	struct notice *n = tell(out, NOTICE_MONITOR, SEVERITY_INFO, at, t);
	n->monitor.kind = MONITOR_CONNECTED;
	n->monitor.pid = t->pid;
	snprintf(n->monitor.address, sizeof n->monitor.address, "%s", t->config.address);
	snprintf(n->monitor.version, sizeof n->monitor.version, "%s", t->version);
	/* Without them a restart for silence is unexplained; nobody looks for that in advance. */
	bool mute = tunnel_is_up(t) && t->timers.from == TIMERS_DEFAULT &&
		    t->remote_ip[0] != '\0' /* a server has none */;
	char farewell[160];
	n->monitor.management_options = t->management_options;
	bool warn = farewell_say(t, farewell, sizeof farewell);
	SAY(n, "attached to OpenVPN%s%.32s at %.96s%s%.150s", t->version[0] != '\0' ? " " : "",
	    t->version, t->config.address, warn || mute ? "; " : "",
	    warn   ? farewell
	    : mute ? "its log does not say after how much silence it restarts: give its "
		     "configuration `verb 3`"
		   : "");
	if (warn)
		n->severity = SEVERITY_WARNING;
}

static void tell_link(struct actions *out, const struct tunnel *t, const struct session *s,
		      const char *address, const char *reason, bool lost, const struct stamp *at)
{
	struct notice *n = tell(out, NOTICE_MONITOR, SEVERITY_WARNING, at, t);
	const char *whose = s->of_server ? "the server's " : lost ? "the " : "";

	n->monitor.kind = lost				  ? MONITOR_LOST
			  : s->problem == SESSION_BUSY	  ? MONITOR_BUSY
			  : s->problem == SESSION_REFUSED ? MONITOR_REFUSED
							  : MONITOR_UNREACHABLE;
	snprintf(n->monitor.address, sizeof n->monitor.address, "%s", address);
	snprintf(n->monitor.reason, sizeof n->monitor.reason, "%s", reason);
	n->monitor.retry_s = s->deadline - at->mono;
	SAY(n, "%s%smanagement interface %s%.64s: %.190s", lost ? "lost " : "", whose,
	    lost ? "at " : "", address, reason);
}

void tell_session(struct actions *out, const struct tunnel *t, enum session_news news,
		  const struct stamp *at)
{
	bool lost = news == SESSION_NEWS_LOST;
	tell_link(out, t, &t->session, t->config.address,
		  lost && t->fatal[0] != '\0' ? t->fatal : t->session.reason, lost, at);
}

void tell_peer_session(struct actions *out, const struct tunnel *t, enum session_news news,
		       const struct stamp *at)
{
	const struct session *s = &t->peer_session.session;
	tell_link(out, t, s, t->config.peer_address, s->reason, news == SESSION_NEWS_LOST, at);
}

void tell_overlong(struct actions *out, const struct tunnel *t, const struct stamp *at)
{
	struct notice *n = tell(out, NOTICE_MONITOR, SEVERITY_WARNING, at, t);
	n->monitor.kind = MONITOR_OVERLONG;
	n->monitor.count = t->overlong_lines;
	SAY(n, "a line longer than %d bytes came from the management interface and was dropped",
	    MANAGEMENT_LINE_MAX);
}

void tell_resumed(struct actions *out, nsec suspended, const struct stamp *at)
{
	struct notice *n = tell(out, NOTICE_MONITOR, SEVERITY_INFO, at, NULL);
	n->monitor.kind = MONITOR_RESUMED;
	n->monitor.suspended_s = suspended;
	SAY(n, "this machine slept for %s", phrase_duration(suspended).text);
}

void tell_leap_second(struct actions *out, nsec step, const struct stamp *at)
{
	struct notice *n = tell(out, NOTICE_CLOCK, SEVERITY_INFO, at, NULL);
	n->step = (struct clock_step){.present = true,
				      .clock = STEP_LOCAL,
				      .size_s = nsec_to_s(step),
				      .max_error_s = NAN,
				      .at = at->wall,
				      .leap_second = true};
	SAY(n, "a leap second was %s this machine's clock: it was set %s by %s",
	    step < 0 ? "inserted into" : "left out of", step < 0 ? "back" : "forward",
	    phrase_duration(step < 0 ? -step : step).text);
}

static void sum_up(const struct watch *w, const struct stamp *at, struct notice_summary *sum)
{
	sum->watched_s = at->boot - w->began.boot;
	sum->restarts = w->gone_restarts;
	sum->connected_s = w->gone_connected;
	for (const struct tunnel *t = w->tunnels; t != NULL; t = t->next) {
		sum->restarts += t->restarts;
		sum->connected_s += tunnel_connected_total(t, at);
	}
}

void tell_stopped(struct actions *out, const struct watch *w, const struct stamp *at)
{
	/* A recording has no watcher that stops; it has a sum. */
	enum notice_type type = w->config.replay ? NOTICE_SUMMARY : NOTICE_MONITOR;
	struct notice *n = tell(out, type, SEVERITY_INFO, at, NULL);
	n->monitor.kind = MONITOR_STOPPED;
	sum_up(w, at, &n->summary);
	const char *did = w->config.replay ? "recorded" : "watched";
	struct phrase whole = phrase_duration(n->summary.watched_s);
	const char *s = n->summary.restarts == 1 ? "" : "s";
	if (n->summary.connected_s > 0)
		SAY(n, "%s %s: connected for %s, %lld restart%s", did, whole.text,
		    phrase_duration(n->summary.connected_s).text, (long long)n->summary.restarts,
		    s);
	else
		SAY(n, "%s %s: never connected, %lld restart%s", did, whole.text,
		    (long long)n->summary.restarts, s);
}

/* "6.998 s ahead of", or, where the bound leaves open on which side, "within 4 ms of". */
static struct phrase how_far(double offset_s, double max_error_s)
{
	struct phrase p;
	if (fabs(offset_s) > max_error_s)
		return phrase_offset(offset_s, max_error_s);
	snprintf(p.text, sizeof p.text, "within %.30s of",
		 phrase_bound(fabs(offset_s) + max_error_s).text + strlen("+/- "));
	return p;
}

/* "0.3 s behind" of an end of an interval. */
static struct phrase end_of(double s, double max_error_s)
{
	struct phrase p;
	snprintf(p.text, sizeof p.text, "%.30s %s", phrase_seconds(fabs(s), max_error_s).text,
		 s < 0 ? "behind" : "ahead");
	return p;
}

static int say_verdict(const struct peer_clock_reading *p, char *out, size_t size)
{
	bool utc = !isnan(p->vs_utc_s);
	double off = utc ? p->vs_utc_s : p->offset_s;
	double error = utc ? p->vs_utc_max_error_s : p->max_error_s;
	const char *than = utc ? "UTC" : "this machine's";
	switch (p->verdict) {
	case CLOCK_AHEAD:
	case CLOCK_BEHIND:
		return snprintf(out, size, "the server's clock is %s %s (%s)",
				phrase_offset(off, error).text, than, phrase_bound(error).text);
	case CLOCK_FINE:
		return snprintf(out, size, "the server's clock is fine: %s %s%s%s%s",
				how_far(off, error).text, than, fabs(off) > error ? " (" : "",
				fabs(off) > error ? phrase_bound(error).text : "",
				fabs(off) > error ? ")" : "");
	case CLOCK_INCONCLUSIVE:
		break;
	}
	return snprintf(
	    out, size,
	    "whether the server's clock is off is inconclusive: it is between %s and %s "
	    "of %s; %s would settle it",
	    end_of(off - error, error).text, end_of(off + error, error).text, than,
	    utc && error > 2 * p->max_error_s ? "a better source of time for this machine (--ntp)"
					      : "more probes");
}

/* OpenVPN's clock does not follow the system's back; anything else is another machine's clock. */
static void say_disagreement(const struct peer_clock_reading *p, char *out, size_t size)
{
	double apart = p->disagrees.offset_s - p->offset_s;
	double error = p->disagrees.max_error_s + p->max_error_s;
	if (apart > 0)
		snprintf(out, size,
			 "; OpenVPN there runs %s ahead of it (%s): the clock was set back since "
			 "OpenVPN was started, which keeps its own time until it is restarted",
			 phrase_seconds(apart, error).text, phrase_bound(error).text);
	else
		snprintf(out, size,
			 "; OpenVPN there is %s behind that (%s): one of the two is another "
			 "machine's clock",
			 phrase_seconds(-apart, error).text, phrase_bound(error).text);
}

void say_peer_clock(const struct peer_clock_reading *p, char *out, size_t size)
{
	int used = say_verdict(p, out, size);
	if (!isnan(p->vs_utc_s) && used > 0 && (size_t)used < size && !p->disagrees.present)
		used += snprintf(
		    out + used, size - (size_t)used, ", and %s this machine's%s%s%s",
		    how_far(p->offset_s, p->max_error_s).text,
		    fabs(p->offset_s) > p->max_error_s ? " (" : "",
		    fabs(p->offset_s) > p->max_error_s ? phrase_bound(p->max_error_s).text : "",
		    fabs(p->offset_s) > p->max_error_s ? ")" : "");
	if (p->disagrees.present && used > 0 && (size_t)used < size)
		say_disagreement(p, out + used, size - (size_t)used);
}

/* "by chrony", "by sntp: 3 of 4 servers; a.example is a falseticker". */
static void say_source(struct sentence *s, const struct local_clock_reading *l)
{
	unsigned n = l->n_falsetickers;
	say(s, "by %s", name_local_clock_source(l->source));
	if (l->servers < 0)
		return;
	if (l->servers == 1)
		say(s, ": one server, and nobody vouches for it");
	else if (n == 0)
		say(s, ": %d servers", l->servers);
	else
		say(s, ": %d of %d servers; ", l->servers, l->servers + (int)n);
	for (unsigned i = 0; i < n; i++)
		say(s, "%s%.40s", i == 0 ? "" : i + 1 < n ? ", " : " and ", l->falsetickers[i]);
	if (n > 0)
		say(s, n == 1 ? " is a falseticker" : " are falsetickers");
}

static void say_state(struct sentence *s, const struct local_clock_reading *l)
{
	switch (l->state) {
	case LOCAL_CLOCK_SYNCHRONIZED:
		say(s, "a time service keeps this machine's clock (%s, ",
		    phrase_bound(l->max_error_s).text);
		break;
	case LOCAL_CLOCK_UNSYNCHRONIZED:
		say(s, "no time service keeps this machine's clock (");
		break;
	case LOCAL_CLOCK_SELF_REFERENCED:
		say(s, "this machine's time service follows its own clock (");
		break;
	case LOCAL_CLOCK_STALE:
		say(s, "this machine's time service has not heard from its servers since the clock "
		       "was set, or for too long (");
		break;
	case LOCAL_CLOCK_UNKNOWN:
		say(s, "nothing is known of this machine's clock");
		return;
	}
	say_source(s, l);
	say(s, ")");
}

void say_local_clock(const struct local_clock_reading *l, char *out, size_t size)
{
	struct sentence s = {out, size};
	bool offset = !isnan(l->offset_s);
	if (!offset) {
		say_state(&s, l);
	} else {
		say(&s, "this machine's clock is %s UTC (%s, ",
		    phrase_offset(-l->offset_s, l->max_error_s).text,
		    phrase_bound(l->max_error_s).text);
		say_source(&s, l);
		say(&s, ")");
	}
	if (!isnan(l->slew_ppm))
		say(&s, "%s being slewed by %+.0f ppm", offset ? " and is" : "; it is",
		    l->slew_ppm);
	if (l->disagrees.present)
		say(&s, "; but by %s it is %s UTC (%s)",
		    name_local_clock_source(l->disagrees.source),
		    phrase_offset(-l->disagrees.offset_s, l->disagrees.max_error_s).text,
		    phrase_bound(l->disagrees.max_error_s).text);
}

void tell_clock(struct actions *out, const struct tunnel *t,
		const struct local_clock_reading *local, const struct peer_clock_reading *peer,
		const struct stamp *at)
{
	bool odd = t != NULL ? peer->disagrees.present : local->disagrees.present;
	struct notice *n = tell(out, NOTICE_CLOCK, odd ? SEVERITY_WARNING : SEVERITY_INFO, at, t);
	n->local_clock = *local;
	if (t == NULL) {
		say_local_clock(local, n->message, sizeof n->message);
		return;
	}
	n->peer_clock = *peer;
	say_peer_clock(peer, n->message, sizeof n->message);
}
