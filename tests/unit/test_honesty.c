/* SPDX-License-Identifier: MIT
 *
 * The causes over evidence made at random, far beyond what happens: taking one piece away never
 * makes a cause surer than it was (one that was not named may become possible), verdicts are in
 * order, and each says why.
 */
#include "core/diagnose.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* OVPNWATCH_ROUNDS asks for more. */
#define ROUNDS 8000
#define S      NSEC_PER_SEC

static const char *const pieces[] = {
#define E(name, what) what,
    EVIDENCE_PIECES_LIST
#undef E
};

static struct log_memory memory;
static struct server_word word;
static struct restart_history history;

static int rounds(void)
{
	const char *asked = getenv("OVPNWATCH_ROUNDS");
	return asked != NULL ? atoi(asked) : ROUNDS;
}

static unsigned upto(unsigned n)
{
	return (unsigned)(random_u64() % n);
}

static bool one_in(unsigned n)
{
	return upto(n) == 0;
}

/* From -limit to limit, often 0. */
static nsec time_within(nsec limit)
{
	if (one_in(4))
		return 0;
	return (nsec)(random_u64() % (uint64_t)(2 * limit + 1)) - limit;
}

static struct probe_tally tally(void)
{
	struct probe_tally t = {.best_rtt = NSEC_UNKNOWN};
	if (one_in(3))
		return t;
	t.answered = upto(5);
	t.unanswered = upto(4);
	t.refused = one_in(3) ? upto(4) : 0;
	t.unreachable = one_in(4) ? upto(3) : 0;
	t.bad_mac = one_in(6) ? upto(3) : 0;
	t.best_rtt = t.answered > 0 ? S / 100 : NSEC_UNKNOWN;
	return t;
}

static struct reach_tally reach(void)
{
	struct reach_tally t = {0};
	if (one_in(3))
		return t;
	t.answered = one_in(2) ? upto(5) : 0;
	t.unanswered = one_in(2) ? upto(5) : 0;
	t.unreachable = one_in(4) ? upto(3) : 0;
	return t;
}

static void fill_log(nsec began)
{
	static const char *const texts[] = {"",
					    "depth=0, error=certificate is not yet valid: CN=x",
					    "certificate expired",
					    "bad certificate",
					    "unknown ca",
					    "SESSION: token expired",
					    "has expired"};
	log_memory_init(&memory);
	for (int i = 0; i < 3; i++) {
		struct log_word *w = &memory.words[upto(LOG_FACT_KINDS)];
		w->at = began + time_within(30 * S);
		w->up = one_in(2);
		w->count = 1 + upto(8);
		w->number = one_in(2) ? 60 : -1;
		w->text = texts[upto(7)];
	}
}

static void fill_history(const struct evidence *e)
{
	memset(&history, 0, sizeof history);
	for (unsigned n = upto(5); n > 0; n--)
		restart_history_add(
		    &history, &(struct restart_record){
				  .mono = e->began.mono - n * 20 * S,
				  .reason = one_in(4) ? REASON_TLS_ERROR : REASON_PING_RESTART,
				  .connected = one_in(3) ? upto(40) * S : e->connected,
				  .heard = one_in(3) ? upto(40) * S : e->heard,
				  .idle = one_in(3) ? upto(20) * S : e->idle});
	restart_history_add(&history, &(struct restart_record){.mono = e->began.mono,
							       .reason = e->reason,
							       .connected = e->connected,
							       .heard = e->heard,
							       .idle = e->idle});
}

static void fill_clocks(struct evidence *e)
{
	e->changed = one_in(3);
	e->change.step = one_in(2) ? time_within(60 * S) : 0;
	e->change.suspended = one_in(2) ? (nsec)upto(60) * S : 0;
	e->change_at = e->began;
	e->change_at.mono += time_within(20 * S);
	e->local = local_clock_unknown();
	e->peer = peer_clock_unknown();
	e->step = (struct clock_step){.max_error_s = 0.01};
	if (one_in(2)) {
		e->local.present = true;
		e->local.state = LOCAL_CLOCK_SYNCHRONIZED;
		e->local.source = LOCAL_SOURCE_CHRONY;
		e->local.offset_s = one_in(2) ? 7 : 864000;
		e->local.max_error_s = 0.01;
	}
	if (one_in(2)) {
		e->peer.present = true;
		e->peer.samples = 5;
		e->peer.offset_s = one_in(2) ? 7 : 864000;
		e->peer.max_error_s = 0.01;
		if (one_in(2)) {
			e->peer.vs_utc_s = 7;
			e->peer.vs_utc_max_error_s = 0.02;
		}
		e->step.present = one_in(2);
		e->step.size_s = nsec_to_s(time_within(60 * S));
		e->step_after = e->step_before = e->began;
		e->step_after.mono -= (nsec)upto(30) * S;
	}
}

static void fill_server(struct evidence *e)
{
	e->before = tally();
	e->silent_probes = tally();
	e->after = tally();
	e->probed = one_in(2);
	e->ever_answered = one_in(2);
	e->no_wrap = one_in(5);
	e->no_probe = e->probed ? NULL : "no --profile was given";
	e->echo = reach();
	e->echo_after = reach();
	e->echo_before = one_in(2);
	e->other = reach();
	e->other_remote = "192.0.2.9:1194/udp";
	e->drops = server_drops_none();
	if (one_in(3)) {
		server_word_init(&word);
		word.no_keepalive = one_in(2);
		word.refused = one_in(2) ? e->began.mono : NSEC_UNKNOWN;
		word.refused_kind = one_in(2) ? LOG_VERIFY_ERROR : LOG_REPLAY;
		snprintf(word.text, sizeof word.text, "certificate has expired");
		e->server_word = &word;
		e->drops.duplicate = one_in(2) ? e->began.mono - (nsec)upto(12) * S : NSEC_UNKNOWN;
		e->drops.gave_up = one_in(2) ? e->began.mono - (nsec)upto(12) * S : NSEC_UNKNOWN;
	}
}

static void fill(struct evidence *e)
{
	static const enum restart_reason reasons[] = {
	    REASON_PING_RESTART, REASON_PING_RESTART,	     REASON_PING_RESTART, REASON_TLS_ERROR,
	    REASON_AUTH_FAILURE, REASON_CONNECTION_RESET,    REASON_SIGUSR1,	  REASON_OTHER,
	    REASON_PING_EXIT,	 REASON_NETWORK_UNREACHABLE, REASON_REMOTE_EXIT};
	*e = (struct evidence){.offset_limit_s = 1.0,
			       .same_machine = !one_in(5),
			       .replay = one_in(10),
			       .profile = "client.ovpn",
			       .has_profile = one_in(2),
			       .server_ip = "192.0.2.1",
			       .reason_text = "a reason"};
	e->began =
	    (struct stamp){.mono = 1000 * S, .boot = 1000 * S, .ruler = 1000 * S, .wall = 5000 * S};
	e->now = e->began;
	e->now.mono += (nsec)upto(10) * S;
	e->reason = reasons[upto(11)];
	e->was_up = !one_in(3);
	e->ended = one_in(2);
	e->end = e->now;
	e->window = one_in(8) ? NSEC_NEVER : (nsec)(4 + upto(9)) * S;
	e->ping = one_in(3) ? 0 : (nsec)(1 + upto(4)) * S;
	e->no_ping = e->ping == 0 && one_in(2);
	e->pushed_none = one_in(4);
	e->timers_from = one_in(4) ? TIMERS_DEFAULT : TIMERS_LOGGED;
	e->reneg_sec = one_in(2) ? 3600 : 60;
	e->connected = one_in(4) ? NSEC_UNKNOWN : (nsec)upto(130) * S;
	e->session = e->connected != NSEC_UNKNOWN ? e->began.mono - e->connected : NSEC_UNKNOWN;
	bool counted = !one_in(4);
	e->silent = counted ? (nsec)upto(14) * S : NSEC_UNKNOWN;
	e->last_rx = counted ? e->began.mono - e->silent : NSEC_UNKNOWN;
	e->heard = counted && e->connected != NSEC_UNKNOWN ? nsec_max(e->connected - e->silent, 0)
							   : NSEC_UNKNOWN;
	e->usual_gap = counted ? (nsec)upto(6) * S : 0;
	e->idle = counted && one_in(2) ? (nsec)upto(12) * S : NSEC_UNKNOWN;
	e->route_known = one_in(2);
	e->route_lost =
	    e->route_known && one_in(2) ? e->began.mono - (nsec)upto(15) * S : NSEC_UNKNOWN;
	e->route_back = one_in(2) ? NSEC_UNKNOWN : e->began.mono + time_within(10 * S);
	e->interface = "wlan0";
	e->said_from = e->began.mono - (nsec)upto(120) * S;
	fill_log(e->began.mono);
	fill_clocks(e);
	fill_server(e);
	fill_history(e);
	e->log = &memory;
	e->history = &history;
	e->same_server = upto(3);
	e->same_server_hit = e->same_server > 0 ? upto(e->same_server + 1) : 0;
}

static enum confidence of(const struct cause *causes, unsigned n, enum cause_name name)
{
	for (unsigned i = 0; i < n; i++)
		if (causes[i].name == name)
			return causes[i].confidence;
	return CONFIDENCE_POSSIBLE;
}

static void less_is_never_surer(void **state)
{
	(void)state;
	static struct cause all[NOTICE_CAUSES_MAX], less[NOTICE_CAUSES_MAX];
	struct evidence whole, part;
	seed = 1795500000;
	for (int round = 0, n_rounds = rounds(); round < n_rounds; round++) {
		fill(&whole);
		unsigned n_all = diagnose(&whole, all);
		for (int piece = 0; piece < EVIDENCE_PIECES; piece++) {
			evidence_without(&whole, (enum evidence_piece)piece, &part);
			unsigned n = diagnose(&part, less);
			for (unsigned i = 0; i < n; i++)
				if (less[i].confidence > of(all, n_all, less[i].name))
					fail_msg("round %d: %s is %s without %s", round,
						 name_cause(less[i].name),
						 name_confidence(less[i].confidence),
						 pieces[piece]);
		}
	}
}

static void a_verdict_is_in_order_and_says_why(void **state)
{
	(void)state;
	static struct cause causes[NOTICE_CAUSES_MAX];
	struct evidence e;
	unsigned seen[CAUSE_COUNT] = {0};
	seed = 7;
	for (int round = 0, n_rounds = rounds(); round < n_rounds; round++) {
		fill(&e);
		unsigned n = diagnose(&e, causes);
		assert_in_range(n, 1, NOTICE_CAUSES_MAX);
		for (unsigned i = 0; i < n; i++) {
			assert_true(i == 0 || causes[i].confidence <= causes[i - 1].confidence);
			assert_true(causes[i].n_because > 0);
			assert_true(causes[i].remedy[0] != '\0');
			seen[causes[i].name]++;
		}
	}
	for (unsigned c = 0; c < CAUSE_COUNT; c++)
		if (seen[c] == 0)
			fail_msg("%s was never named", name_cause((enum cause_name)c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(less_is_never_surer),
	    cmocka_unit_test(a_verdict_is_in_order_and_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
