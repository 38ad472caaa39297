/* SPDX-License-Identifier: MIT
 *
 * Why a tunnel restarted: one function a cause (src/core/causes), each of which looks at the same
 * evidence and says whether it applies, how sure it is, and on what grounds. They know nothing of
 * each other; the order and the life of alerts are made around the table.
 */
#ifndef OVPNWATCH_CORE_DIAGNOSE_H
#define OVPNWATCH_CORE_DIAGNOSE_H

#include "core/notice.h"
#include "core/peer_clock.h"
#include "core/step_detector.h"
#include "core/tunnel.h"

#include <stdbool.h>

/* All that a cause may look at. Borrowed for the call. */
struct evidence {
	const struct tunnel *tunnel;
	const struct episode *episode;
	struct stamp now;
	bool replay;
	double offset_limit_s;
	/* this machine */
	bool changed; /* its clock was set or it slept; the last time */
	struct clock_change change;
	struct stamp change_at;
	struct local_clock_reading local;
	/* the server */
	struct peer_clock_reading peer;
	struct clock_step step;
	/* probes that left while the tunnel was silent, before OpenVPN restarted it; and since
	 * then, until it was up again */
	struct probe_tally silent, after;
};

/* Fills in what follows from the tunnel: its clocks and the tallies. */
void evidence_collect(struct evidence *e, const struct tunnel *t, const struct stamp *now);

/* Judges the tunnel's episode. Writes at most NOTICE_CAUSES_MAX causes, most likely first, and
 * returns how many, never 0: CAUSE_UNKNOWN is one. */
unsigned diagnose(const struct evidence *e, struct cause causes[NOTICE_CAUSES_MAX]);

/* The same causes with the same confidence, in the same order, have the same digest. */
uint32_t diagnose_digest(const struct cause *causes, unsigned n);

/* --- for the causes -----------------------------------------------------------------------------
 */

/* True if it applies; then *c has confidence, grounds and remedy (its name is set by the table). */
typedef bool cause_rule(const struct evidence *e, struct cause *c);

#define X(name, word, rule, phrase) cause_rule rule;
#include "core/causes.def"
#undef X

/* Adds a sentence for or against; beyond NOTICE_REASONS_MAX it is not kept. */
void cause_because(struct cause *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cause_against(struct cause *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cause_remedy(struct cause *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* It is a ping-restart, and as far as is known nothing was received for the whole window. */
bool evidence_silent_window(const struct evidence *e);

/* The tally that decides: of the silence, or of the time after it if nothing was sent in it. */
struct probe_tally evidence_probes(const struct evidence *e);

/* "client.ovpn", or a stand-in if the user gave no profile. */
const char *evidence_profile(const struct evidence *e);

/* The server's clock was probed and its time is known. */
bool evidence_peer_known(const struct evidence *e);

#endif
