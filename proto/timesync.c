/* SPDX-License-Identifier: MIT
 *
 * From the numbers on the bus back to the packet that they came from, and that is measured by
 * proto/ntp. The bus has wider fields than a packet: what does not fit is taken for the worst that
 * fits.
 */
#include "proto/timesync.h"

enum { LEAP_MAX = 3, BYTE_MAX = UINT8_MAX };

/* An NTP stamp, or 0 for "none": never set, no longer in range of an nsec, or systemd's
 * USEC_INFINITY. A zero NTP stamp comes out of its own conversion as 0 too. */
static uint64_t stamp_from(uint64_t usec)
{
	int64_t t = (int64_t)usec; /* before 1970 it counts down from 2^64 */
	const int64_t limit = INT64_MAX / NSEC_PER_USEC - 1;
	if (t == 0 || usec == UINT64_MAX || t > limit || t < -limit)
		return 0;
	return ntp_from_nsec(t * NSEC_PER_USEC);
}

/* The local clock's, which is a plain count since 1970. */
static bool local_from(uint64_t usec, nsec *out)
{
	if (usec == 0 || usec > (uint64_t)(INT64_MAX / NSEC_PER_USEC - 1))
		return false;
	*out = (nsec)usec * NSEC_PER_USEC;
	return true;
}

static uint8_t narrow(uint32_t value, uint32_t most)
{
	return (uint8_t)(value < most ? value : most);
}

/* Seconds, with the part of a microsecond that was cut off. */
static double seconds_from(uint64_t usec)
{
	return ((double)usec + 1) / 1e6;
}

enum ntp_flaw timesync_measure(const struct timesync_message *m, struct ntp_measurement *out)
{
	if (m->packet_count == 0)
		return NTP_UNSYNCHRONIZED;

	/* Without reference and origin, which the bus does not carry; so neither shall count. A
	 * ref_id of 0 is no kiss. */
	struct ntp_packet p = {
	    .leap = narrow(m->leap, LEAP_MAX),
	    .version = narrow(m->version, BYTE_MAX),
	    .mode = narrow(m->mode, BYTE_MAX),
	    .stratum = narrow(m->stratum, BYTE_MAX),
	    .precision = (int8_t)(m->precision > INT8_MAX   ? INT8_MAX
				  : m->precision < INT8_MIN ? INT8_MIN
							    : m->precision),
	    .root_delay_s = seconds_from(m->root_delay_usec),
	    .root_dispersion_s = seconds_from(m->root_dispersion_usec),
	    .receive = stamp_from(m->receive_usec),
	    .transmit = stamp_from(m->transmit_usec),
	};
	p.reference = p.transmit;
	enum ntp_flaw flaw = ntp_check(&p, p.origin);
	if (flaw != NTP_FINE)
		return flaw;

	nsec sent, received;
	if (!local_from(m->origin_usec, &sent) || !local_from(m->destination_usec, &received))
		return NTP_NO_TIME;
	/* Each stamp was cut to a whole microsecond, so the request may have come that much later
	 * than `receive` says, and the answer may have been received that much later. Widening the
	 * local interval by one at either end covers both and leaves the middle, the offset, in
	 * place. */
	return ntp_measure(&p, sent - NSEC_PER_USEC, received + NSEC_PER_USEC, out);
}
