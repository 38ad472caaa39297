/* SPDX-License-Identifier: MIT */
#include "core/peer_clock.h"

#include "core/step_detector.h"

#include <assert.h>
#include <limits.h>

static const struct {
	unsigned size;
	nsec spacing;
} bursts[] = {
    [BURST_START] = {8, 750 * NSEC_PER_MSEC},
    [BURST_SILENT] = {3, PROBE_GAP_MIN},
    [BURST_RESTART] = {4, PROBE_GAP_MIN},
    [BURST_UP] = {8, 750 * NSEC_PER_MSEC},
};

void peer_clock_init(struct peer_clock *p, bool enabled, bool has_time, bool by_tcp)
{
	*p = (struct peer_clock){.enabled = enabled,
				 .has_time = has_time,
				 .by_tcp = by_tcp,
				 .lead = NSEC_UNKNOWN,
				 .next_id = 1,
				 .earliest = NSEC_NEVER,
				 .next = NSEC_NEVER,
				 .refined = NSEC_UNKNOWN,
				 .last_sent = NSEC_UNKNOWN,
				 .first_answer = NSEC_UNKNOWN,
				 .last_answer = NSEC_UNKNOWN};
	peer_time_init(&p->time);
}

struct peer_clock *peer_clock_nothing(void)
{
	static struct peer_clock nothing;
	static bool made;
	if (!made)
		peer_clock_init(&nothing, false, false, false);
	made = true;
	return &nothing;
}

static bool costly(const struct peer_clock *p)
{
	return (p->old_server || p->by_tcp) && !p->insisted;
}

/* What is polite for a server that keeps no state, and for one that does. */
static nsec paced(const struct peer_clock *p, nsec time)
{
	return costly(p) ? time * PROBE_COSTLY : time;
}

/* What it costs has changed: what is planned was planned at the old pace. */
static void plan_anew(struct peer_clock *p, bool was_costly)
{
	if (costly(p) == was_costly)
		return;
	p->spacing = was_costly ? p->spacing / PROBE_COSTLY : p->spacing * PROBE_COSTLY;
	if (p->last_sent == NSEC_UNKNOWN || p->next == NSEC_NEVER || was_costly)
		return;
	p->earliest =
	    nsec_add(p->last_sent, p->burst_left > 0 ? p->spacing : paced(p, PROBE_QUIET));
	p->next = nsec_max(p->next, p->earliest);
}

void peer_clock_old_server(struct peer_clock *p)
{
	bool was_costly = costly(p);
	p->old_server = true;
	plan_anew(p, was_costly);
}

static void went_by(struct peer_clock *p, bool tcp)
{
	bool was_costly = costly(p);
	p->by_tcp = tcp;
	plan_anew(p, was_costly);
}

/* The estimator aims on the ruler, deadlines are on the monotonic one. (If the machine sleeps
 * before the probe leaves, its aim is lost, and it is as good as one at a random instant.) */
static void aim(struct peer_clock *p, const struct stamp *now)
{
	if (p->earliest == NSEC_NEVER || p->at_once)
		return;
	nsec ahead = nsec_sub(now->ruler, now->mono);
	nsec from = nsec_add(nsec_max(p->earliest, now->mono), ahead);
	nsec lead = p->lead == NSEC_UNKNOWN ? 0 : p->lead;
	const struct offset_estimator *e = peer_time_aim(&p->time);
	nsec at = p->burst_left > 0 ? offset_estimator_aim(e, from, lead)
				    : offset_estimator_aim_check(e, from, lead);
	p->next = nsec_sub(at, ahead);
}

static void start_burst(struct peer_clock *p, unsigned size, nsec spacing, const struct stamp *now)
{
	if (!p->enabled || size <= p->burst_left)
		return;
	bool running = p->burst_left > 0;
	p->burst_left = size;
	p->spacing = spacing;
	if (running)
		return; /* at the pace of the one that is under way, from its next probe on */
	p->earliest = now->mono;
	if (p->last_sent != NSEC_UNKNOWN)
		p->earliest = nsec_max(now->mono, nsec_add(p->last_sent, paced(p, PROBE_GAP_MIN)));
	p->next = p->earliest; /* whether the server answers comes before what its clock says */
	p->at_once = true;
}

void peer_clock_burst(struct peer_clock *p, enum probe_burst why, const struct stamp *now)
{
	start_burst(p, bursts[why].size, paced(p, bursts[why].spacing), now);
}

void peer_clock_burst_of(struct peer_clock *p, unsigned count, nsec spacing,
			 const struct stamp *now)
{
	p->insisted = true;
	start_burst(p, count, spacing, now);
}

bool peer_clock_busy(const struct peer_clock *p)
{
	bool pending = false;
	for (unsigned i = 0; i < PROBES_PENDING; i++)
		pending |= p->pending[i].id != 0;
	return p->burst_left > 0 || pending;
}

static void record(struct peer_clock *p, unsigned slot, enum probe_result result, nsec rtt)
{
	p->history[p->n_history++ % PROBE_HISTORY] =
	    (struct probe_record){p->pending[slot].sent.mono, rtt, result};
	p->pending[slot].id = 0;
}

static enum probe_result result_of(enum probe_outcome outcome)
{
	switch (outcome) {
	case PROBE_ANSWERED:
		return RESULT_ANSWERED;
	case PROBE_REFUSED:
		return RESULT_REFUSED;
	case PROBE_UNREACHABLE:
		return RESULT_UNREACHABLE;
	case PROBE_FAILED:
		return RESULT_FAILED;
	case PROBE_BAD_MAC:
		return RESULT_BAD_MAC;
	case PROBE_REJECTED:
		return RESULT_REJECTED;
	case PROBE_REPEATED:
		break; /* of no probe that is pending */
	}
	return RESULT_FAILED;
}

/* The machine did not sleep while the probe was under way, and time went forward. */
static bool undisturbed(const struct stamp *sent, const struct stamp *received)
{
	nsec slept =
	    nsec_sub(nsec_sub(received->boot, received->mono), nsec_sub(sent->boot, sent->mono));
	nsec least = nsec_add(STEP_MIN, nsec_add(sent->spread, received->spread));
	return received->boot >= sent->boot && received->mono >= sent->mono && slept < least &&
	       slept > -least;
}

static void refine(struct peer_clock *p, enum estimate_change change, const struct stamp *now)
{
	if (change != ESTIMATE_STEPPED && change != ESTIMATE_RESTARTED)
		return;
	if (p->refined != NSEC_UNKNOWN && nsec_sub(now->mono, p->refined) < PROBE_QUIET)
		return;
	p->refined = now->mono;
	start_burst(p, bursts[BURST_START].size, paced(p, bursts[BURST_START].spacing), now);
	p->at_once = false; /* that it answers is known */
}

/* The slot of the probe that this is about; PROBES_PENDING if there is none. The prober was perhaps
 * initialised since (another server) and its ids began anew: an answer to a question that left
 * before the one of this id was asked for is not its answer. */
static unsigned slot_of(const struct peer_clock *p, const struct event *e)
{
	for (unsigned i = 0; i < PROBES_PENDING && e->u.probe.id != 0; i++) {
		const struct stamp *asked = &p->pending[i].sent;
		if (p->pending[i].id != e->u.probe.id)
			continue;
		if (nsec_sub(e->at.mono, asked->mono) >= PROBE_TIMEOUT)
			break;
		if (e->u.probe.outcome == PROBE_ANSWERED && e->u.probe.sent.mono < asked->mono)
			break;
		return i;
	}
	return PROBES_PENDING;
}

/* False: it is of the server before, and too late. */
static bool of_this_server(struct peer_clock *p, unsigned destination)
{
	if (destination < p->destination)
		return false;
	if (destination > p->destination && p->destination != 0)
		peer_time_init(&p->time);
	p->destination = destination;
	return true;
}

struct peer_change peer_clock_event(struct peer_clock *p, const struct event *e)
{
	struct peer_change change = {.measured = false, .estimate = ESTIMATE_KEPT};
	if (e->u.probe.outcome == PROBE_REPEATED) {
		peer_clock_old_server(p);
		return change;
	}
	unsigned slot = slot_of(p, e);
	if (slot == PROBES_PENDING)
		return change;
	if (e->u.probe.outcome != PROBE_FAILED) /* that one perhaps went by nothing */
		went_by(p, e->u.probe.tcp);
	nsec lead = nsec_max(nsec_sub(e->u.probe.sent.mono, p->pending[slot].sent.mono), 0);
	enum probe_result result = result_of(e->u.probe.outcome);
	const struct stamp *sent = &e->u.probe.sent;
	bool good = result == RESULT_ANSWERED && undisturbed(sent, &e->at);
	record(p, slot, result, good ? e->at.mono - sent->mono : NSEC_UNKNOWN);
	if (result == RESULT_ANSWERED)
		p->last_answer = e->at.boot;
	if (p->first_answer == NSEC_UNKNOWN)
		p->first_answer = p->last_answer;
	if (!good || !p->has_time || !e->u.probe.has_time)
		return change;
	if (!of_this_server(p, e->u.probe.destination))
		return change;
	p->lead = p->lead == NSEC_UNKNOWN ? lead : nsec_min(p->lead, lead);
	change = peer_time_probe(&p->time, sent, &e->at, e->u.probe.server_time);
	if (change.measured) {
		refine(p, change.estimate, &e->at);
		aim(p, &e->at);
	}
	return change;
}

struct peer_change peer_clock_told(struct peer_clock *p, const struct peer_told *told)
{
	struct peer_change change = peer_time_told(&p->time, told);
	if (change.measured && told->face == PEER_OPENVPN)
		aim(p, &told->latest);
	return change;
}

static void time_out(struct peer_clock *p, nsec mono)
{
	for (unsigned i = 0; i < PROBES_PENDING; i++)
		if (p->pending[i].id != 0 &&
		    nsec_sub(mono, p->pending[i].sent.mono) >= PROBE_TIMEOUT)
			record(p, i, RESULT_NONE, NSEC_UNKNOWN);
}

static void send_probe(struct peer_clock *p, unsigned slot, const struct stamp *now,
		       struct tunnel *t, struct actions *out)
{
	unsigned id = p->next_id;
	p->next_id = id == UINT_MAX ? 1 : id + 1;
	p->pending[slot].id = id;
	p->pending[slot].sent = *now;
	p->last_sent = now->mono;
	p->at_once = false;
	out->actions[out->n_actions++] =
	    (struct action){.kind = ACTION_PROBE, .tunnel = t, .id = id};
	if (p->burst_left > 0)
		p->burst_left--;
	p->earliest = nsec_add(now->mono, p->burst_left > 0 ? p->spacing : paced(p, PROBE_QUIET));
	aim(p, now);
}

void peer_clock_time(struct peer_clock *p, const struct stamp *now, struct tunnel *t,
		     struct actions *out)
{
	time_out(p, now->mono);
	if (!p->enabled || p->next > now->mono || out->n_actions >= ACTIONS_MAX)
		return;
	unsigned slot = 0;
	while (slot < PROBES_PENDING && p->pending[slot].id != 0)
		slot++;
	/* PROBE_GAP_MIN and PROBE_TIMEOUT leave at most six under way. */
	assert(slot < PROBES_PENDING);
	send_probe(p, slot, now, t, out);
}

nsec peer_clock_deadline(const struct peer_clock *p)
{
	if (!p->enabled)
		return NSEC_NEVER;
	nsec deadline = p->next;
	for (unsigned i = 0; i < PROBES_PENDING; i++)
		if (p->pending[i].id != 0)
			deadline =
			    nsec_min(deadline, nsec_add(p->pending[i].sent.mono, PROBE_TIMEOUT));
	return deadline;
}

static void count(struct probe_tally *tally, const struct probe_record *r)
{
	switch (r->result) {
	case RESULT_ANSWERED:
		tally->answered++;
		if (r->rtt != NSEC_UNKNOWN)
			tally->best_rtt = tally->best_rtt == NSEC_UNKNOWN
					      ? r->rtt
					      : nsec_min(tally->best_rtt, r->rtt);
		break;
	case RESULT_NONE:
		tally->unanswered++;
		break;
	case RESULT_REFUSED:
		tally->refused++;
		break;
	case RESULT_UNREACHABLE:
		tally->unreachable++;
		break;
	case RESULT_FAILED:
		tally->failed++;
		break;
	case RESULT_BAD_MAC:
		tally->bad_mac++;
		break;
	case RESULT_REJECTED:
		tally->rejected++;
		break;
	}
}

struct probe_tally peer_clock_tally(const struct peer_clock *p, nsec from, nsec until)
{
	struct probe_tally tally = {.best_rtt = NSEC_UNKNOWN};
	for (unsigned i = 0; i < PROBE_HISTORY && i < p->n_history; i++)
		if (p->history[i].sent >= from && p->history[i].sent < until)
			count(&tally, &p->history[i]);
	for (unsigned i = 0; i < PROBES_PENDING; i++)
		if (p->pending[i].id != 0 && p->pending[i].sent.mono >= from &&
		    p->pending[i].sent.mono < until)
			tally.pending++;
	return tally;
}
