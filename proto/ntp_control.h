/* SPDX-License-Identifier: MIT
 *
 * NTP control messages, mode 6, as a client sees them (RFC 9327; ntpd, NTPsec ntp_control.c): the
 * one question that ovpnwatch asks of the NTP daemon of this machine, READVAR of the system's
 * variables, and its answer, which is text in fragments of up to 468 bytes.
 *
 * Happy path: ntp_control_request() with a random sequence, send; ntp_control_reply_init(), then
 * ntp_control_add() on every packet that comes back until it is VERDICT_DONE; ntp_control_parse().
 * Failure modes: fragments out of order, twice or lost; answers to an earlier question; a refusal
 * (the error bit), which ends the exchange and says why; a daemon that does not answer at all,
 * which is what `restrict noquery` does to everyone but the loopback. What the values mean (leap 3
 * says offset 0.000000!) is judged in core/local_clock.
 *
 * Variables are asked for by name, never all of them: NTPsec 1.2.1 to 1.2.2a puts bytes of its
 * stack into some of the others.
 */
#ifndef OVPNWATCH_PROTO_NTP_CONTROL_H
#define OVPNWATCH_PROTO_NTP_CONTROL_H

#include "proto/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NTP_CONTROL_REQUEST_MAX 88
/* Of an answer, all fragments together. What is asked for takes 165 bytes. */
#define NTP_CONTROL_DATA_MAX 2048
/* Of one packet: header, 468 bytes of data, and room for a MAC that nobody asked for. */
#define NTP_CONTROL_PACKET_MAX 512

/* Why the daemon refused (RFC 9327 section 3.4, the error status word). Other values are kept. */
enum ntp_control_error {
	NTP_CONTROL_UNSPECIFIED = 0,
	NTP_CONTROL_PERMISSION = 1,
	NTP_CONTROL_BAD_FORMAT = 2,
	NTP_CONTROL_BAD_OPCODE = 3,
	NTP_CONTROL_BAD_ASSOCIATION = 4,
	NTP_CONTROL_UNKNOWN_VARIABLE = 5,
	NTP_CONTROL_BAD_VALUE = 6,
	NTP_CONTROL_RESTRICTED = 7,
};

/* An answer under assembly. Belongs to the caller, holds no resources. */
struct ntp_control_reply {
	uint16_t sequence;
	uint16_t status; /* the system status word, which every fragment repeats */
	uint16_t total;	 /* bytes of the answer, once `ended` */
	uint16_t have;	 /* bytes that have come */
	uint16_t reach;	 /* the end of the furthest fragment */
	bool begun;	 /* a fragment has come */
	bool ended;	 /* the last one has come, the others perhaps not */
	bool refused;	 /* the answer is an error */
	uint8_t error;	 /* if refused: an enum ntp_control_error, or a value that it lacks */
	uint8_t seen[NTP_CONTROL_DATA_MAX / 8];
	char data[NTP_CONTROL_DATA_MAX];
};

/* The system's variables. What the answer lacks is NAN, -1, 0 or empty, as said at each. */
struct ntp_control_system {
	int status_leap;	  /* 0 to 3, from the status word: always there */
	int leap;		  /* 0 none, 1 insert, 2 delete, 3 not synchronised; or -1 */
	int stratum;		  /* 0 to 255, 16: not synchronised; or -1 */
	double offset_s;	  /* positive: this clock is slow (NTP's sign); or NAN */
	double jitter_s;	  /* sys_jitter, >= 0; or NAN */
	double root_delay_s;	  /* >= 0; or NAN */
	double root_dispersion_s; /* >= 0; or NAN */
	char refid[24];		  /* an address or a code (STEP, GPS …), printable ASCII; or "" */
	uint64_t reftime;	  /* of the last update, an NTP stamp; or 0: absent, or never */
	int tc;			  /* time constant, log2 seconds, 0 to 31; or -1 */
	double frequency_ppm;	  /* of the correction, within a million; or NAN */
};

/* Writes the question (READVAR, association 0, version 2), and returns its length. `sequence`
 * should be random: beside the port it is all that ties the answer to it. */
size_t ntp_control_request(uint16_t sequence, uint8_t out[NTP_CONTROL_REQUEST_MAX]);

/* Makes ready for the answer to `sequence`. */
void ntp_control_reply_init(struct ntp_control_reply *r, uint16_t sequence);

/* Takes the payload of one datagram; it is copied.
 *
 * VERDICT_DONE     the answer is complete: r->refused with r->error, or text without a gap
 * VERDICT_MORE     a part of it, others are missing
 * VERDICT_INVALID  not an answer to this question, or in contradiction to what came before (other
 *                  bytes at the same place, another end, another status): changes nothing
 *
 * A fragment that comes again is answered as the first time or better, also after VERDICT_DONE. */
MUST_USE enum verdict ntp_control_add(struct ntp_control_reply *r, const void *bytes, size_t size);

/* Reads the variables out of the text (RFC 9327 section 4). Unknown ones are passed over, whatever
 * bytes they are made of.
 *
 * VERDICT_MORE     the answer is not complete
 * VERDICT_INVALID  it was refused; or it has none of the variables, or one of them twice; or one is
 *                  not a plain decimal number within its range (hexadecimal for reftime): who says
 *                  one thing that cannot be is not believed the rest
 *
 * The range of a time is +-2^31 s, all that NTP can tell apart; of the others see the struct. */
MUST_USE enum verdict ntp_control_parse(const struct ntp_control_reply *r,
					struct ntp_control_system *out);

/* What an r->error means, for a person; never NULL. */
const char *ntp_control_error_text(uint8_t error);

#endif
