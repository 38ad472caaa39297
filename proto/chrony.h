/* SPDX-License-Identifier: MIT
 *
 * chronyd's command protocol, version 6: the one question that ovpnwatch asks, REQ_TRACKING, and
 * its answer (chrony candm.h, cmdmon.c handle_tracking; unchanged from 2.4 to 4.8). 104 bytes each
 * way, big-endian; the request is padded to the length of the reply, or chronyd answers
 * BADPKTLENGTH.
 *
 * Happy path: chrony_request() with a random sequence, send, chrony_reply() on what comes back.
 * Failure modes: a late reply to an earlier request (sequence), an error status (UNAUTH from 4.7's
 * `opencommands`), version mismatch, short packets: all VERDICT_INVALID. What the values mean
 * (unsynchronised says offset 0.0!) is judged in core/local_clock.
 */
#ifndef OVPNWATCH_PROTO_CHRONY_H
#define OVPNWATCH_PROTO_CHRONY_H

#include "proto/nsec.h"
#include "proto/verdict.h"

#include <stddef.h>
#include <stdint.h>

#define CHRONY_PORT	   323
#define CHRONY_PACKET_SIZE 104

struct chrony_tracking {
	uint32_t ref_id;
	uint16_t family; /* 0 unspecified (refclock, local), 1 IPv4, 2 IPv6, 3 id */
	uint8_t address[16];
	uint16_t stratum;     /* 0: not synchronised */
	uint16_t leap;	      /* 0 normal, 1 insert, 2 delete, 3 not synchronised */
	nsec ref_time;	      /* of the last update, on the NTP clock; 0: never */
	double correction_s;  /* positive: this clock is slow of NTP time (NTP's sign) */
	double last_offset_s; /* positive: this clock was fast (the opposite sign) */
	double rms_offset_s;
	double frequency_ppm;
	double residual_ppm;
	double skew_ppm;
	double root_delay_s;
	double root_dispersion_s;
	double update_interval_s;
};

/* Writes REQ_TRACKING with this sequence number, which should be random. */
void chrony_request(uint32_t sequence, uint8_t out[CHRONY_PACKET_SIZE]);

/* Decodes the RPY_TRACKING that answers `sequence`. VERDICT_INVALID for everything else. */
MUST_USE enum verdict chrony_reply(const void *bytes, size_t size, uint32_t sequence,
				   struct chrony_tracking *out);

/* chrony's 32-bit float: 7 bits of signed exponent, 25 bits of signed coefficient. */
double chrony_float(uint32_t wire);

#endif
