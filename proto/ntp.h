/* SPDX-License-Identifier: MIT
 *
 * A client's view of an NTP packet (RFC 5905 sections 7.3, 8; data minimisation as in
 * draft-ietf-ntp-data-minimization): one question, one answer, and everything that can be wrong
 * with it. Happy path: ntp_request() with a random 64-bit transmit stamp, ntp_reply() on what comes
 * back, ntp_measure() with the two local times.
 */
#ifndef OVPNWATCH_PROTO_NTP_H
#define OVPNWATCH_PROTO_NTP_H

#include "proto/nsec.h"
#include "proto/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NTP_PORT	123
#define NTP_PACKET_SIZE 48

struct ntp_packet {
	uint8_t leap, version, mode, stratum;
	int8_t poll, precision; /* log2 seconds */
	double root_delay_s, root_dispersion_s;
	uint32_t ref_id;
	uint64_t reference, origin, receive, transmit; /* NTP stamps, 32.32 seconds since 1900 */
};

/* Why an answer is not used, in the order in which it is checked (the issue of each is in ntp.c).
 */
enum ntp_flaw {
	NTP_FINE,
	NTP_NOT_A_REPLY,    /* mode is not 4, or version not 1 to 4 */
	NTP_WRONG_ORIGIN,   /* does not answer our question */
	NTP_KISS_DENY,	    /* DENY: stop for good */
	NTP_KISS_RSTR,	    /* RSTR: stop for good */
	NTP_KISS_RATE,	    /* RATE: back off */
	NTP_UNSYNCHRONIZED, /* leap 3, stratum 0 with INIT, STEP …, or stratum 16 and above */
	NTP_NO_TIME,	    /* receive or transmit stamp is zero, or transmit before receive */
	NTP_STALE,	    /* transmit before reference, or more than 36 h after it */
	NTP_TOO_DISTANT,    /* root distance of 16 s (MAXDISP) or more */
	NTP_NEGATIVE_DELAY, /* the answer spent longer at the server than on the way altogether */
};

void ntp_request(uint64_t transmit, uint8_t out[NTP_PACKET_SIZE]);

/* Decodes 48 bytes (what follows them is ignored); VERDICT_INVALID if there are fewer. */
MUST_USE enum verdict ntp_decode(const void *bytes, size_t size, struct ntp_packet *out);

/* Judges an answer to the request that carried `transmit`, without the local times. */
MUST_USE enum ntp_flaw ntp_check(const struct ntp_packet *p, uint64_t transmit);

struct ntp_measurement {
	nsec offset;	    /* server minus this machine (theta), at `received` */
	nsec delay;	    /* round trip less the server's own time (delta) */
	nsec root_distance; /* the error bound against UTC: lambda of RFC 5905 */
	nsec path_bound;    /* the error bound against the server's own clock: delay / 2 */
};

/* `sent` and `received` are readings of the local wall clock, between which it was not set.
 * NTP_NEGATIVE_DELAY and NTP_TOO_DISTANT come from here; *out is written with NTP_FINE only. */
MUST_USE enum ntp_flaw ntp_measure(const struct ntp_packet *p, nsec sent, nsec received,
				   struct ntp_measurement *out);

/* A wall clock instant as an NTP stamp, and the signed difference a - b in nanoseconds; both are
 * right over the era change of 2036. */
uint64_t ntp_from_nsec(nsec wall);
nsec ntp_difference(uint64_t a, uint64_t b);

#endif
