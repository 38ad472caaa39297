/* SPDX-License-Identifier: MIT
 *
 * ovpnwatch probe: measures the VPN server's clock with a few probes, or says why there is no
 * answer: one event, and an exit status for scripts.
 */
#include "core/local_clock.h"
#include "core/step_detector.h"
#include "core/tell.h"
#include "core/tunnel.h"
#include "io/address.h"
#include "io/app.h"
#include "io/key_load.h"
#include "io/profile_load.h"
#include "io/resolve.h"
#include "io/stamp_now.h"
#include "io/target.h"
#include "verbs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* So many without an answer, and the others will not be answered either. */
#define ENOUGH_SILENCE 4

struct probing {
	const struct options *options;
	struct profile_remote remote;
	struct control_key key;
	struct tunnel_config config;
	struct tunnel tunnel;
	struct local_clock clock;
	struct step_detector detector; /* of this machine's clocks, which may be set meanwhile */
	char server[PROFILE_NAME_MAX + 18];
	char reason[128]; /* of the last failure that had one */
	bool progress;	  /* somebody looks at stderr */
	bool done;
	int status;
};

/* --- what came of it ------------------------------------------------------------------------- */

static unsigned sent(const struct probe_tally *t)
{
	return t->answered + t->unanswered + t->refused + t->unreachable + t->failed + t->bad_mac +
	       t->rejected;
}

/* What may be wrong with the key, where the server does not answer to it. */
static const char *key_trouble(const struct probing *p)
{
	switch (p->key.wrap) {
	case WRAP_TLS_AUTH:
		return "another key, key-direction or auth than the server's";
	case WRAP_TLS_CRYPT:
	case WRAP_TLS_CRYPT_V2:
		return "another key than the server's";
	case WRAP_PLAIN:
		break;
	}
	return "it wants a key (tls-auth, tls-crypt or tls-crypt-v2), and none was given";
}

static void say_silence(const struct probing *p, const struct probe_tally *t, char *out,
			size_t size)
{
	if (t->refused > 0)
		snprintf(
		    out, size,
		    "%.140s refuses: the host is up, but no OpenVPN listens at that port, or a "
		    "firewall turns it away",
		    p->server);
	else if (t->bad_mac > 0)
		snprintf(out, size, "%.160s answers under another key: %s", p->server,
			 key_trouble(p));
	else if (t->rejected > 0)
		snprintf(out, size,
			 "%.120s takes the connection and closes it: %s, or something else than "
			 "OpenVPN listens at that port",
			 p->server, key_trouble(p));
	else if (t->unreachable > 0)
		snprintf(out, size, "no route to %.160s", p->server);
	else if (t->failed > 0)
		snprintf(out, size, "no probe could be sent to %.120s: %.120s", p->server,
			 p->reason);
	else
		snprintf(out, size, "%.140s is silent: %s; or a filter on the way; or it is down",
			 p->server, key_trouble(p));
}

/* What all answers have in common. */
static struct notice *answer(struct probing *p, enum notice_type type, enum severity severity,
			     const struct probe_tally *t, const struct stamp *now,
			     struct actions *out)
{
	struct notice *n = tell(out, type, severity, now, NULL);
	n->tunnel = options_tunnel(p->options)->name;
	n->answer_limit_s = p->options->settings.offset_limit_s;
	n->probe.present = true;
	n->probe.sent = (int)sent(t);
	n->probe.answered = (int)t->answered;
	if (t->best_rtt != NSEC_UNKNOWN)
		n->probe.rtt_s = nsec_to_s(t->best_rtt);
	snprintf(n->probe.address, sizeof n->probe.address, "%s", p->server);
	if (type != NOTICE_MONITOR)
		return n;
	n->monitor.kind = MONITOR_PROBE;
	n->monitor.count = n->probe.sent;
	n->monitor.rtt_s = n->probe.rtt_s;
	snprintf(n->monitor.address, sizeof n->monitor.address, "%.127s", p->server);
	return n;
}

static void tell_silence(struct probing *p, const struct probe_tally *t, const struct stamp *now,
			 struct actions *out)
{
	struct notice *n = answer(p, NOTICE_MONITOR, SEVERITY_WARNING, t, now, out);
	say_silence(p, t, n->message, sizeof n->message);
	snprintf(n->monitor.reason, sizeof n->monitor.reason, "%.191s", n->message);
	p->status = EX_UNAVAILABLE;
}

static void tell_timeless(struct probing *p, const struct probe_tally *t, const struct stamp *now,
			  struct actions *out)
{
	struct notice *n = answer(p, NOTICE_MONITOR, SEVERITY_INFO, t, now, out);
	snprintf(n->message, sizeof n->message,
		 p->config.probe_has_time
		     ? "%.120s answers, but this machine slept meanwhile, and what was measured "
		       "does not hold any more: try again"
		     : "%.120s answers, but tells no time: without tls-auth, tls-crypt or "
		       "tls-crypt-v2 its packets carry none",
		 p->server);
	p->status = EXIT_UNKNOWN;
}

static void tell_reading(struct probing *p, const struct probe_tally *t,
			 const struct local_clock_reading *local,
			 const struct peer_clock_reading *peer, const struct stamp *now,
			 struct actions *out)
{
	struct notice *n = answer(p, NOTICE_CLOCK, SEVERITY_INFO, t, now, out);
	n->local_clock = *local;
	n->peer_clock = *peer;
	say_peer_clock(peer, n->message, sizeof n->message);
	p->status = exit_status_of(peer->verdict);
}

static void finish(struct probing *p, const struct stamp *now, struct actions *out)
{
	struct probe_tally tally = peer_clock_tally(p->tunnel.peer, 0, NSEC_NEVER);
	struct local_clock_reading local;
	struct peer_clock_reading peer;
	local_clock_read(&p->clock, now, &local);
	peer_time_read(&p->tunnel.peer->time, now, &local, p->options->settings.offset_limit_s,
		       &peer);
	if (p->progress)
		fputs("\r\033[K", stderr);
	if (peer.present)
		tell_reading(p, &tally, &local, &peer, now, out);
	else if (tally.answered > 0)
		tell_timeless(p, &tally, now, out);
	else
		tell_silence(p, &tally, now, out);
	p->done = true;
}

/* --- the brain ------------------------------------------------------------------------------- */

/* The interval closing in, on one line that is written over. */
static void show_progress(const struct probing *p, const struct stamp *now)
{
	struct peer_clock_reading peer;
	struct probe_tally t = peer_clock_tally(p->tunnel.peer, 0, NSEC_NEVER);
	if (!p->progress)
		return;
	peer_time_read(&p->tunnel.peer->time, now, NULL, p->options->settings.offset_limit_s,
		       &peer);
	fprintf(stderr, "\r\033[K%u of %u probes: ", sent(&t), p->options->count);
	if (peer.present)
		fprintf(stderr, "the server's clock is between %+.4f and %+.4f s of this machine's",
			peer.offset_s - peer.max_error_s, peer.offset_s + peer.max_error_s);
	else
		fputs(t.answered > 0 ? "it answers, without the time" : "no answer yet", stderr);
	fflush(stderr);
}

static bool silent_for_good(const struct probing *p)
{
	struct probe_tally t = peer_clock_tally(p->tunnel.peer, 0, NSEC_NEVER);
	return t.answered == 0 && sent(&t) >= ENOUGH_SILENCE;
}

/* What was measured before this machine's clock was set does not hold after. */
static void look_at_clocks(struct probing *p, const struct stamp *at)
{
	struct clock_change change;
	if (!step_detector_look(&p->detector, at, &change))
		return;
	local_clock_was_set(&p->clock, at);
	if (change.suspended > 0)
		peer_time_slept(&p->tunnel.peer->time, at);
}

static void step(void *self, const struct event *e, struct actions *out)
{
	struct probing *p = self;
	out->n_actions = out->n_notices = 0;
	if (p->done)
		return;
	look_at_clocks(p, &e->at);
	local_clock_event(&p->clock, e);
	if (e->kind == EVENT_PROBE) {
		(void)peer_clock_event(p->tunnel.peer, e);
		if (e->u.probe.reason != NULL)
			snprintf(p->reason, sizeof p->reason, "%s", e->u.probe.reason);
		show_progress(p, &e->at);
	}
	if (e->kind != EVENT_STOP) {
		local_clock_ask(&p->clock, &e->at, out);
		/* The one after the burst would be for watching. */
		if (peer_clock_busy(p->tunnel.peer))
			peer_clock_time(p->tunnel.peer, &e->at, &p->tunnel, out);
	}
	if (e->kind == EVENT_STOP || !peer_clock_busy(p->tunnel.peer) || silent_for_good(p))
		finish(p, &e->at, out);
}

static nsec deadline(const void *self)
{
	const struct probing *p = self;
	return nsec_min(peer_clock_deadline(p->tunnel.peer), local_clock_deadline(&p->clock));
}

static bool done(const void *self)
{
	const struct probing *p = self;
	return p->done;
}

/* --- whom to probe --------------------------------------------------------------------------- */

/* What cannot be read because it may not, and what is wrong in itself. */
static int file_status(const char *path)
{
	return access(path, F_OK) == 0 && access(path, R_OK) != 0 ? EX_NOPERM : EX_CONFIG;
}

static int server_of_profile(struct probing *p)
{
	static struct loaded_profile loaded; /* large */
	const char *path = options_tunnel(p->options)->profile;
	char error[320];
	if (profile_load(path, &loaded, error, sizeof error) != LOAD_FINE)
		return complain(file_status(path), "%s", error);
	int status = 0;
	if (loaded.can_probe) {
		p->remote = loaded.profile.remotes[loaded.probe_remote];
		p->key = loaded.key;
	} else {
		status = complain(EX_CONFIG, "%s: the server cannot be probed: %s", path,
				  loaded.no_probe);
	}
	profile_unload(&loaded);
	return status;
}

static int key_by_hand(struct probing *p)
{
	const struct options *o = p->options;
	char why[KEY_WHY_MAX];
	p->key.wrap = o->wrap;
	p->key.direction = (enum key_direction)o->key_direction;
	snprintf(p->key.digest, sizeof p->key.digest, "%s", o->auth != NULL ? o->auth : "SHA1");
	if (o->wrap == WRAP_PLAIN)
		return 0;
	if (!key_load(&p->key, o->key, why))
		return complain(file_status(o->key), "%s", why);
	if (!key_can_wrap(&p->key, why))
		return complain(EX_USAGE, "%s", why);
	return 0;
}

static int server_by_hand(struct probing *p)
{
	const struct options *o = p->options;
	struct address address;
	char error[320];
	if (!address_parse_server(o->remote, 1194, &address, error, sizeof error))
		return complain(EX_USAGE, "--remote: %s", error);
	struct sockaddr_storage literal;
	if (resolve_numeric(address.host, address.port, &literal) &&
	    !target_fits(&literal, o->proto))
		return complain(EX_USAGE,
				"--remote %s is no address of IPv%c, which --proto asks for",
				address.host, literal.ss_family == AF_INET ? '6' : '4');
	p->remote.port = address.port;
	p->remote.proto = o->proto;
	snprintf(p->remote.host, sizeof p->remote.host, "%s", address.host);
	return key_by_hand(p);
}

static int run(struct probing *p)
{
	const struct options *o = p->options;
	const struct app_options options = {.output = o->settings.output,
					    .format = o->settings.format,
					    .ntp = (const char *const *)o->settings.ntp.items,
					    .n_ntp = o->settings.ntp.n,
					    .verbose = o->settings.verbose == FLAG_YES};
	const struct app_brain brain = {
	    .self = p, .step = step, .deadline = deadline, .done = done};
	const struct app_tunnel hands = {
	    .tunnel = &p->tunnel, .remote = &p->remote, .key = &p->key};
	struct stamp now = stamp_now();
	struct app *app;
	char error[320];

	bool v6 = strchr(p->remote.host, ':') != NULL;
	snprintf(p->server, sizeof p->server, "%s%s%s:%u/%s", v6 ? "[" : "", p->remote.host,
		 v6 ? "]" : "", p->remote.port, p->remote.proto <= PROTO_UDP6 ? "udp" : "tcp");
	p->config = (struct tunnel_config){.name = "probe",
					   .server = p->server,
					   .probe = true,
					   .probe_has_time = p->key.wrap != WRAP_PLAIN,
					   .ping = -1,
					   .ping_restart = -1};
	tunnel_init(&p->tunnel, &p->config, &now);
	if (tunnel_own_peer(&p->tunnel) == NULL)
		return complain(EXIT_FAILURE, "no memory");
	/* The tunnel's own first burst is for watching; this one is counted. */
	peer_clock_init(p->tunnel.peer, true, p->config.probe_has_time, false);
	peer_clock_burst_of(p->tunnel.peer, o->count, nsec_from_s(o->interval_s), &now);
	local_clock_init(&p->clock, (const char *const *)o->settings.ntp.items, o->settings.ntp.n,
			 &now);
	p->progress = isatty(STDERR_FILENO) && o->settings.verbose != FLAG_YES;

	int status = app_open(&app, &options, &brain, error, sizeof error);
	if (status != 0)
		return complain(status, "%s", error);
	status = app_add(app, &hands);
	if (status != 0)
		status = complain(EXIT_FAILURE, "cannot start: no memory or no descriptors left");
	else
		status = app_run(app);
	return app_close(app, status == 0 && p->done ? p->status : status);
}

int verb_probe(const struct options *o)
{
	struct probing *p = calloc(1, sizeof *p);
	if (p == NULL)
		return complain(EXIT_FAILURE, "no memory");
	p->options = o;
	int status = options_tunnel(o)->profile != NULL ? server_of_profile(p) : server_by_hand(p);
	if (status == 0)
		status = run(p);
	tunnel_done(&p->tunnel);
	explicit_bzero(&p->key, sizeof p->key);
	free(p);
	return status;
}
