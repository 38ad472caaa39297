/* SPDX-License-Identifier: MIT
 *
 * systemd-timesyncd's last exchange with its server, as it tells it on D-Bus: the property
 * NTPMessage of org.freedesktop.timesync1.Manager (systemd timesyncd-bus.c
 * property_get_ntp_message), here without the bus. Happy path: fill in the struct, then
 * timesync_measure(). Failure modes: nothing received yet (packet_count 0, everything else zero),
 * stamps that are none, a server that was not one to follow.
 *
 * Mind what it is: the exchange of the last poll, up to 34 minutes ago, and from *before* its
 * correction. Unless `spike`, the daemon set the clock by it, at once if it was 0.4 s or more, else
 * by and by (timesyncd-manager.c manager_adjust_clock). So the offset is what the clock was off
 * then, not what it is off now.
 */
#ifndef OVPNWATCH_PROTO_TIMESYNC_H
#define OVPNWATCH_PROTO_TIMESYNC_H

#include "proto/ntp.h"

/* D-Bus signature of the property, and the members in its order. */
#define TIMESYNC_SIGNATURE "(uuuuittayttttbtt)"

struct timesync_message {
	uint32_t leap, version, mode, stratum;
	int32_t precision; /* log2 seconds */
	uint64_t root_delay_usec, root_dispersion_usec;
	uint8_t refid[4];
	/* Epoch microseconds, cut off. The first and the last are of this machine's CLOCK_REALTIME;
	 * the other two are NTP stamps, converted modulo 2^64 (so a zero stamp is not 0 here). */
	uint64_t origin_usec, receive_usec, transmit_usec, destination_usec;
	bool spike; /* the daemon did not adjust the clock by it */
	uint64_t packet_count;
	uint64_t jitter_usec; /* RMS of its last 8 offsets against that of the shortest delay */
};

/* Measures as ntp_measure() does; the same flaws, but that the daemon has checked the origin stamp
 * itself and does not hand on the reference stamp: NTP_WRONG_ORIGIN, NTP_STALE and the kisses do
 * not occur. NTP_UNSYNCHRONIZED also if nothing was received yet; NTP_NO_TIME if any of the four
 * stamps is none. *out is written with NTP_FINE only.
 *
 * The offset is server minus this machine at `destination`. The bounds allow for the microseconds
 * having been cut off: `delay` is up to 4 us too long, never too short. jitter_usec is in none of
 * them: the daemon's own corrections move it, after a step by seconds. */
MUST_USE enum ntp_flaw timesync_measure(const struct timesync_message *m,
					struct ntp_measurement *out);

#endif
