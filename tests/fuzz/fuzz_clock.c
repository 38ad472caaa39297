/* SPDX-License-Identifier: MIT
 *
 * A script of bytes drives the step detector, the local clock and the peer clock as the core does:
 * each step is an opcode byte and its operands. What must hold after every step is in check().
 *
 *     0 dt16      milliseconds pass              6 flaw server off64 dist64  SNTP's answer
 *     1 dt32      seconds pass                   7 flags max64   the kernel's answer
 *     2 d64       the wall clock is set          8 what          a burst is asked for
 *     3 d32       the machine sleeps (seconds)   9 n             a burst of n
 *     4 n what dt16 t64   the n-th last probe's  10              hurry
 *                 outcome                        11 spread32     stamps become this rough
 *     5 flags chrony's answer (7 x 8 bytes)
 *     12 flags ntpd's answer     13 flags timesyncd's answer     14 ppm16 the clock is slewed
 * Numbers are little-endian; what is missing at the end is zero.
 */
#include "core/clock_rate.h"
#include "core/local_clock.h"
#include "core/peer_clock.h"
#include "core/step_detector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS	 3
#define RECENT	 8
#define TIME_MAX (INT64_C(1) << 58)

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static const char *const server_names[SERVERS] = {"a", "b", "c"};

struct script {
	const uint8_t *p;
	size_t n;
};

struct world {
	struct script script;
	struct stamp now;
	struct step_detector detector;
	struct clock_rate rate;
	int slew_ppm;
	struct local_clock local;
	struct peer_clock peer;
	struct {
		unsigned id;
		struct stamp sent;
	} recent[RECENT];
	unsigned n_sent;
	nsec last_sent;
};

static uint64_t take(struct script *s, size_t bytes)
{
	uint64_t v = 0;
	for (size_t i = 0; i < bytes && s->n > 0; i++, s->p++, s->n--)
		v |= (uint64_t)*s->p << (8 * i);
	return v;
}

static double take_double(struct script *s)
{
	uint64_t bits = take(s, 8);
	double d;
	memcpy(&d, &bits, sizeof d);
	return d;
}

static void pass(struct world *w, nsec dt, nsec asleep)
{
	if (w->now.boot > TIME_MAX - dt - asleep)
		return;
	w->now.mono += dt;
	w->now.boot += dt + asleep;
	w->now.ruler += dt + asleep - dt / 1000000 * w->slew_ppm;
	w->now.wall = nsec_add(w->now.wall, dt + asleep);
}

static void check_lines(const struct world *w)
{
	static struct local_clock_line lines[LOCAL_CLOCK_LINES_MAX];
	unsigned n = local_clock_describe(&w->local, &w->now, lines);
	MUST(n == 4 + SERVERS); /* all were asked at once */
	for (unsigned i = 0; i < n; i++) {
		MUST(lines[i].text[0] != '\0');
		MUST((lines[i].server != NULL) == (lines[i].source == LOCAL_SOURCE_SNTP));
	}
	nsec slewed, error;
	MUST(!clock_rate_slewed(&w->rate, &slewed, &error) || error >= 0);
	double ppm = clock_rate_slew_ppm(&w->rate);
	MUST(isnan(ppm) || isfinite(ppm));
}

static void check(const struct world *w)
{
	struct local_clock_reading local;
	struct peer_clock_reading peer;
	struct clock_step step;
	nsec lo, hi;
	local_clock_read(&w->local, &w->now, &local);
	MUST(local.present);
	MUST(isnan(local.offset_s) || (isfinite(local.offset_s) && !isnan(local.max_error_s)));
	MUST(isnan(local.max_error_s) || local.max_error_s >= 0);
	MUST(isnan(local.age_s) || local.age_s >= 0);
	MUST(local.source != LOCAL_SOURCE_KERNEL || isnan(local.offset_s));
	MUST((local.source == LOCAL_SOURCE_NONE) == (local.state == LOCAL_CLOCK_UNKNOWN));
	MUST(!local.disagrees.present ||
	     (isfinite(local.disagrees.offset_s) && local.disagrees.max_error_s >= 0 &&
	      local.disagrees.source != local.source && !isnan(local.offset_s)));
	MUST((local.servers > 0) == (local.source == LOCAL_SOURCE_SNTP));
	MUST(local.n_falsetickers == 0 || local.servers > (int)local.n_falsetickers);
	check_lines(w);
	peer_time_read(&w->peer.time, &w->now, &local, 1.0, &peer);
	MUST(peer.present == (w->peer.time.face[PEER_OPENVPN].estimator.samples > 0));
	if (peer.present) {
		MUST(isfinite(peer.offset_s) && peer.max_error_s >= 0 && peer.age_s >= 0);
		MUST(peer.samples > 0);
		bool usable = local.state != LOCAL_CLOCK_STALE && !isnan(local.offset_s);
		MUST(isnan(peer.vs_utc_s) != usable);
		MUST(isnan(peer.vs_utc_s) || peer.vs_utc_max_error_s >= peer.max_error_s);
	}
	if (offset_estimator_at(&w->peer.time.face[PEER_OPENVPN].estimator, w->now.boot, &lo, &hi))
		MUST(lo <= hi);
	if (offset_estimator_step(&w->peer.time.face[PEER_OPENVPN].estimator, &lo, &hi))
		MUST(lo <= hi);
	peer_time_read_step(&w->peer.time, &step);
	MUST(step.present == w->peer.time.stepped);
	MUST(!step.present || step.max_error_s >= 0);
}

/* The core's turn: the clocks are looked at, and what is due is done. */
static void turn(struct world *w)
{
	static struct actions out;
	struct clock_change change;
	bool changed = step_detector_look(&w->detector, &w->now, &change);
	clock_rate_look(&w->rate, &w->now, changed ? &change : NULL);
	if (changed) {
		MUST(!change.leap_second || change.step != 0);
		MUST(change.step != 0 || change.suspended > 0);
		MUST(change.since <= w->now.mono);
		if (change.step != 0)
			local_clock_was_set(&w->local, &w->now);
	}
	out.n_actions = 0;
	local_clock_ask(&w->local, &w->now, &out);
	MUST(out.n_actions <= 4 + SERVERS);
	MUST(local_clock_deadline(&w->local) > w->now.mono);
	out.n_actions = 0;
	peer_clock_time(&w->peer, &w->now, NULL, &out);
	MUST(out.n_actions <= 1);
	MUST(peer_clock_deadline(&w->peer) > w->now.mono);
	MUST(w->peer.enabled || peer_clock_deadline(&w->peer) == NSEC_NEVER);
	if (out.n_actions == 1) {
		MUST(w->peer.enabled);
		MUST(out.actions[0].kind == ACTION_PROBE && out.actions[0].id != 0);
		MUST(w->n_sent == 0 || w->now.mono - w->last_sent >= PROBE_GAP_MIN);
		w->recent[w->n_sent % RECENT].id = out.actions[0].id;
		w->recent[w->n_sent % RECENT].sent = w->now;
		w->last_sent = w->now.mono;
		w->n_sent++;
	}
	check(w);
}

static void probe_outcome(struct world *w)
{
	struct event e = {.kind = EVENT_PROBE};
	unsigned which = (unsigned)take(&w->script, 1);
	unsigned what = (unsigned)take(&w->script, 1);
	pass(w, (nsec)take(&w->script, 2) * NSEC_PER_MSEC / 16, 0);
	e.at = w->now;
	e.u.probe.id = w->recent[which % RECENT].id;
	e.u.probe.sent = w->recent[which % RECENT].sent;
	e.u.probe.outcome = (enum probe_outcome)(what % (PROBE_BAD_MAC + 1));
	e.u.probe.has_time = (what & 0x40) == 0;
	uint64_t t = take(&w->script, 8);
	/* half of them near the truth, or nothing but steps would ever be seen */
	e.u.probe.server_time =
	    (what & 0x80) ? (int64_t)t : w->now.boot / NSEC_PER_SEC + (int64_t)(t & 0xff);
	struct peer_change change = peer_clock_event(&w->peer, &e);
	MUST(!change.stepped || change.measured);
	MUST(!change.measured || w->peer.time.face[PEER_OPENVPN].estimator.samples > 0);
	if (e.u.probe.id == 0 || (what & 0x20)) {
		e.u.probe.id = what & 0x20 ? w->peer.next_id : 0; /* never sent */
		struct peer_clock before = w->peer;
		change = peer_clock_event(&w->peer, &e);
		MUST(!change.measured && memcmp(&before, &w->peer, sizeof before) == 0);
	}
}

static void chrony_answer(struct world *w)
{
	struct event e = {.kind = EVENT_CHRONY, .at = w->now};
	unsigned flags = (unsigned)take(&w->script, 1);
	struct chrony_tracking *t = &e.u.chrony.tracking;
	e.u.chrony.answered = (flags & 1) == 0;
	t->leap = (uint16_t)(flags >> 1 & 3);
	t->stratum = (uint16_t)(flags >> 3 & 15);
	t->ref_id = flags & 0x80 ? 0x7f7f0101 : 0x7f000001;
	t->ref_time = (nsec)take(&w->script, 8);
	t->correction_s = take_double(&w->script);
	t->root_delay_s = take_double(&w->script);
	t->root_dispersion_s = take_double(&w->script);
	t->update_interval_s = take_double(&w->script);
	local_clock_event(&w->local, &e);
}

static void ntp_control_answer(struct world *w)
{
	struct event e = {.kind = EVENT_NTP_CONTROL, .at = w->now};
	struct ntp_control_system *v = &e.u.ntp_control.system;
	unsigned flags = (unsigned)take(&w->script, 1);
	e.u.ntp_control.answered = (flags & 1) == 0;
	v->status_leap = (int)(flags >> 1 & 3);
	v->leap = (int)(flags >> 3 & 3) - ((flags & 0x80) != 0);
	v->stratum = (int)take(&w->script, 1) - 1;
	v->tc = (int)take(&w->script, 1) % 33 - 1;
	snprintf(v->refid, sizeof v->refid, "%s", flags & 0x40 ? "127.127.1.0" : "192.0.2.1");
	/* half of them updated lately */
	v->reftime = take(&w->script, 8);
	if (flags & 0x20)
		v->reftime = ntp_from_nsec(w->now.wall) - (v->reftime & 0xffffffffff);
	v->offset_s = take_double(&w->script);
	v->jitter_s = take_double(&w->script);
	v->root_delay_s = take_double(&w->script);
	v->root_dispersion_s = take_double(&w->script);
	local_clock_event(&w->local, &e);
}

static void timesync_answer(struct world *w)
{
	struct event e = {.kind = EVENT_TIMESYNC, .at = w->now};
	struct timesync_message *m = &e.u.timesync.message;
	unsigned flags = (unsigned)take(&w->script, 1);
	e.u.timesync.answered = (flags & 1) == 0;
	m->spike = (flags & 2) != 0;
	m->leap = flags >> 2 & 3;
	m->version = m->mode = 4;
	m->stratum = flags >> 4;
	m->packet_count = take(&w->script, 1);
	uint64_t now = (uint64_t)(w->now.wall / NSEC_PER_USEC);
	m->destination_usec = now - take(&w->script, 4);
	m->origin_usec = m->destination_usec - take(&w->script, 3);
	m->receive_usec = m->destination_usec + take(&w->script, 8);
	m->transmit_usec = m->receive_usec + take(&w->script, 2);
	m->root_delay_usec = take(&w->script, 4);
	m->root_dispersion_usec = take(&w->script, 4);
	local_clock_event(&w->local, &e);
}

static void sntp_answer(struct world *w)
{
	struct event e = {.kind = EVENT_SNTP, .at = w->now};
	unsigned flaw = (unsigned)take(&w->script, 1);
	e.u.sntp.answered = (flaw & 0x80) == 0;
	e.u.sntp.flaw = (enum ntp_flaw)((flaw & 0x7f) % (NTP_NEGATIVE_DELAY + 1));
	e.u.sntp.server = (unsigned)take(&w->script, 1) % (SERVERS + 1);
	e.u.sntp.measurement.offset = (nsec)take(&w->script, 8);
	e.u.sntp.measurement.root_distance = (nsec)take(&w->script, 8);
	local_clock_event(&w->local, &e);
}

static void kernel_answer(struct world *w)
{
	struct event e = {.kind = EVENT_KERNEL, .at = w->now};
	unsigned flags = (unsigned)take(&w->script, 1);
	e.u.kernel.permitted = flags & 1;
	e.u.kernel.synchronized = flags & 2;
	e.u.kernel.max_error_s = take_double(&w->script);
	local_clock_event(&w->local, &e);
}

static void step(struct world *w, unsigned op)
{
	struct script *s = &w->script;
	switch (op % 15) {
	case 0:
		pass(w, (nsec)take(s, 2) * NSEC_PER_MSEC, 0);
		break;
	case 1:
		pass(w, (nsec)take(s, 4) * NSEC_PER_SEC, 0);
		break;
	case 2:
		w->now.wall = nsec_add(w->now.wall, (nsec)take(s, 8));
		break;
	case 3:
		pass(w, 0, (nsec)take(s, 4) * NSEC_PER_SEC);
		break;
	case 4:
		probe_outcome(w);
		break;
	case 5:
		chrony_answer(w);
		break;
	case 6:
		sntp_answer(w);
		break;
	case 7:
		kernel_answer(w);
		break;
	case 8:
		peer_clock_burst(&w->peer, (enum probe_burst)(take(s, 1) % (BURST_UP + 1)),
				 &w->now);
		break;
	case 9:
		peer_clock_burst_of(&w->peer, (unsigned)take(s, 1), 750 * NSEC_PER_MSEC, &w->now);
		break;
	case 10:
		local_clock_hurry(&w->local, &w->now);
		break;
	case 11:
		w->now.spread = (nsec)take(s, 4);
		break;
	case 12:
		ntp_control_answer(w);
		break;
	case 13:
		timesync_answer(w);
		break;
	case 14:
		w->slew_ppm = (int16_t)take(s, 2);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	w = (struct world){.script = {data, size}, .now = {.wall = 1705361803 * NSEC_PER_SEC}};
	unsigned flags = (unsigned)take(&w.script, 1);
	w.now.mono = (nsec)take(&w.script, 4) * NSEC_PER_SEC;
	w.now.boot = w.now.ruler = w.now.mono + (nsec)take(&w.script, 4) * NSEC_PER_SEC;
	clock_rate_init(&w.rate);
	local_clock_init(&w.local, server_names, SERVERS, &w.now);
	peer_clock_init(&w.peer, (flags & 1) == 0, (flags & 2) == 0, (flags & 4) != 0);
	turn(&w);
	while (w.script.n > 0) {
		step(&w, (unsigned)take(&w.script, 1));
		turn(&w);
	}
	return 0;
}
