/* SPDX-License-Identifier: MIT
 *
 * NTP for a client that asks once (RFC 5905). Why each flaw is one:
 *   NTP_NOT_A_REPLY     only mode 4 answers a client; a broadcast or a reflected query does not
 *   NTP_WRONG_ORIGIN    the one guard against an answer forged off path, or to an older question
 *   NTP_KISS_*          section 7.4: the stamps of a kiss-o'-death must not be used
 *   NTP_UNSYNCHRONIZED  the server says itself that it does not know the time
 *   NTP_NO_TIME         a zero stamp means "unknown" (section 6), and time runs forwards
 *   NTP_STALE           the server has not heard of its own source for longer than it may
 *   NTP_TOO_DISTANT     MAXDISP: the error is as large as "unknown"
 *   NTP_NEGATIVE_DELAY  the stamps contradict each other: half of them come from another clock
 */
#include "proto/ntp.h"

#include "proto/wire.h"

#include <math.h>

enum { MODE_CLIENT = 3, MODE_SERVER = 4, VERSION = 4, LEAP_UNKNOWN = 3, STRATUM_UNSYNC = 16 };

#define MAX_DISTANCE_S 16.0			  /* MAXDISP, RFC 5905 section 7.2 */
#define MAX_AGE	       (36 * 3600 * NSEC_PER_SEC) /* of the server's last update */
#define PHI	       15e-6 /* the frequency tolerance, RFC 5905 section 7.2 */

#define SECONDS_1900_TO_1970 INT64_C(2208988800)
#define UNIT_PER_SEC	     (INT64_C(1) << 32) /* of an NTP stamp's fraction */

#define KISS(a, b, c, d) \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

void ntp_request(uint64_t transmit, uint8_t out[NTP_PACKET_SIZE])
{
	memset(out, 0, NTP_PACKET_SIZE);
	out[0] = VERSION << 3 | MODE_CLIENT;
	wire_put(out + 40, transmit, 8);
}

/* NTP short format: 16.16 seconds, never negative. */
static double take_short(struct wire *w)
{
	return wire_u32(w) / 65536.0;
}

enum verdict ntp_decode(const void *bytes, size_t size, struct ntp_packet *out)
{
	struct wire w = wire_over(bytes, size);
	if (size < NTP_PACKET_SIZE)
		return VERDICT_INVALID;

	uint8_t first = wire_u8(&w);
	*out = (struct ntp_packet){
	    .leap = first >> 6,
	    .version = first >> 3 & 7,
	    .mode = first & 7,
	};
	out->stratum = wire_u8(&w);
	out->poll = (int8_t)wire_u8(&w);
	out->precision = (int8_t)wire_u8(&w);
	out->root_delay_s = take_short(&w);
	out->root_dispersion_s = take_short(&w);
	out->ref_id = wire_u32(&w);
	out->reference = wire_u64(&w);
	out->origin = wire_u64(&w);
	out->receive = wire_u64(&w);
	out->transmit = wire_u64(&w);
	return VERDICT_DONE;
}

/* Stratum 0: a kiss code, or "not set yet" (INIT, STEP …), which is no order to go away. */
static enum ntp_flaw kiss(uint32_t ref_id)
{
	if (ref_id == KISS('D', 'E', 'N', 'Y'))
		return NTP_KISS_DENY;
	if (ref_id == KISS('R', 'S', 'T', 'R'))
		return NTP_KISS_RSTR;
	if (ref_id == KISS('R', 'A', 'T', 'E'))
		return NTP_KISS_RATE;
	return NTP_UNSYNCHRONIZED;
}

enum ntp_flaw ntp_check(const struct ntp_packet *p, uint64_t transmit)
{
	if (p->mode != MODE_SERVER || p->version < 1 || p->version > 4)
		return NTP_NOT_A_REPLY;
	if (p->origin != transmit)
		return NTP_WRONG_ORIGIN;
	if (p->stratum == 0)
		return kiss(p->ref_id);
	if (p->leap == LEAP_UNKNOWN || p->stratum >= STRATUM_UNSYNC)
		return NTP_UNSYNCHRONIZED;
	if (p->receive == 0 || p->transmit == 0 || ntp_difference(p->transmit, p->receive) < 0)
		return NTP_NO_TIME;
	/* A reference of zero is "never set"; after 2036 the subtraction would not see that. */
	nsec age = ntp_difference(p->transmit, p->reference);
	if (p->reference == 0 || age < 0 || age > MAX_AGE)
		return NTP_STALE;
	return NTP_FINE;
}

enum ntp_flaw ntp_measure(const struct ntp_packet *p, nsec sent, nsec received,
			  struct ntp_measurement *out)
{
	uint64_t t1 = ntp_from_nsec(sent), t4 = ntp_from_nsec(received);
	/* Each difference is below 2^31 s in size, so two of them add up within 63 bits. */
	nsec there = ntp_difference(p->receive, t1);
	nsec back = ntp_difference(p->transmit, t4);
	nsec away = ntp_difference(t4, t1);
	nsec delay = away - ntp_difference(p->transmit, p->receive);

	double claimed_s = p->root_delay_s / 2 + p->root_dispersion_s + ldexp(1, p->precision);
	if (claimed_s >= MAX_DISTANCE_S)
		return NTP_TOO_DISTANT;
	if (away < 0 || delay < 0)
		return NTP_NEGATIVE_DELAY;
	double distance_s = claimed_s + nsec_to_s(delay) / 2 + PHI * nsec_to_s(away);
	if (distance_s >= MAX_DISTANCE_S)
		return NTP_TOO_DISTANT;

	*out = (struct ntp_measurement){
	    .offset = (there + back) / 2,
	    .delay = delay,
	    .root_distance = nsec_from_s(distance_s) + 1,
	    .path_bound = delay / 2 + delay % 2, /* a bound is rounded up */
	};
	return NTP_FINE;
}

uint64_t ntp_from_nsec(nsec wall)
{
	int64_t seconds = wall / NSEC_PER_SEC;
	nsec rest = wall % NSEC_PER_SEC;
	if (rest < 0) {
		rest += NSEC_PER_SEC;
		seconds--;
	}
	/* Below 2^32 also when rounded up, since rest is at most 999,999,999. */
	uint64_t fraction =
	    (uint64_t)(rest * UNIT_PER_SEC + NSEC_PER_SEC / 2) / (uint64_t)NSEC_PER_SEC;
	return (uint64_t)(seconds + SECONDS_1900_TO_1970) << 32 | fraction;
}

nsec ntp_difference(uint64_t a, uint64_t b)
{
	/* Modulo 2^64, then signed: right as long as the two are less than 68 years apart. */
	int64_t units = (int64_t)(a - b);
	int64_t rest = units % UNIT_PER_SEC;
	int64_t half = rest < 0 ? -UNIT_PER_SEC / 2 : UNIT_PER_SEC / 2;
	return units / UNIT_PER_SEC * NSEC_PER_SEC + (rest * NSEC_PER_SEC + half) / UNIT_PER_SEC;
}
