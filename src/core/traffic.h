/* SPDX-License-Identifier: MIT
 *
 * What the byte counts of a tunnel (BYTECOUNT, once a second: link bytes, whether they are
 * authentic or not) say: since when nothing was received, since when nothing was sent, and how long
 * the pauses between received bytes usually are.
 *
 * Happy path: traffic_count() for each count, traffic_connected() when a session begins. Failure
 * modes: nobody counts (everything is NSEC_UNKNOWN); a count comes up to a second after its bytes.
 */
#ifndef OVPNWATCH_CORE_TRAFFIC_H
#define OVPNWATCH_CORE_TRAFFIC_H

#include "proto/nsec.h"

#include <stdbool.h>

struct traffic {
	bool counting; /* a count has been seen since we attached */
	uint64_t in, out;
	nsec last_rx, last_tx; /* mono: when they were last seen to grow; NSEC_UNKNOWN */
	/* last_rx is of bytes that came, rather than of when we began to listen: from there on the
	 * silence is at least so long. (An idle OpenVPN may begin to count ten seconds late.) */
	bool heard;
	bool fresh;	/* no count has come since the handshake */
	nsec usual_gap; /* the longest pause of this session that ended; 0: none yet */
};

void traffic_init(struct traffic *t);

/* The received and sent link bytes so far. The first count says nothing about when they came, but
 * silence cannot be shown to have lasted longer than we have listened. */
void traffic_count(struct traffic *t, uint64_t in, uint64_t out, nsec mono);

/* A handshake was completed: it was received and sent just now, whatever is counted a second later.
 */
void traffic_connected(struct traffic *t, nsec mono);

/* Nobody counts any more. */
void traffic_stop(struct traffic *t);

/* How long nothing was received; NSEC_UNKNOWN if nobody counts. */
nsec traffic_silence(const struct traffic *t, nsec mono);

/* How long nothing had been sent when the last bytes were received, if nothing was sent since;
 * NSEC_UNKNOWN if something was, or nobody counts. */
nsec traffic_idle(const struct traffic *t);

#endif
