/* SPDX-License-Identifier: MIT
 *
 * proto/timesync: the members of the property, little-endian in its order, with what is missing at
 * the end zero. A measurement has a bound that is one, and without one nothing is written.
 */
#include "fuzz/check.h"
#include "proto/timesync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
	const uint8_t *p;
	size_t n;
};

static uint64_t take(struct script *s, size_t bytes)
{
	uint64_t v = 0;
	for (size_t i = 0; i < bytes && s->n > 0; i++, s->p++, s->n--)
		v |= (uint64_t)*s->p << (8 * i);
	return v;
}

static struct timesync_message message(struct script *s)
{
	struct timesync_message m = {.leap = (uint32_t)take(s, 4)};
	m.version = (uint32_t)take(s, 4);
	m.mode = (uint32_t)take(s, 4);
	m.stratum = (uint32_t)take(s, 4);
	m.precision = (int32_t)take(s, 4);
	m.root_delay_usec = take(s, 8);
	m.root_dispersion_usec = take(s, 8);
	for (size_t i = 0; i < sizeof m.refid; i++)
		m.refid[i] = (uint8_t)take(s, 1);
	m.origin_usec = take(s, 8);
	m.receive_usec = take(s, 8);
	m.transmit_usec = take(s, 8);
	m.destination_usec = take(s, 8);
	m.spike = take(s, 1) & 1;
	m.packet_count = take(s, 8);
	m.jitter_usec = take(s, 8);
	return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = {data, size};
	struct timesync_message m = message(&script);
	struct ntp_measurement out, untouched;
	memset(&out, 0xa5, sizeof out);
	memset(&untouched, 0xa5, sizeof untouched);
	if (timesync_measure(&m, &out) != NTP_FINE) {
		CHECK(memcmp(&out, &untouched, sizeof out) == 0);
		return 0;
	}
	CHECK(m.packet_count > 0 && m.mode == 4 && m.leap < 3 && m.stratum > 0 && m.stratum < 16);
	CHECK(out.delay >= 0 && out.path_bound >= out.delay / 2);
	CHECK(out.root_distance >= out.path_bound && out.root_distance < 17 * NSEC_PER_SEC);
	return 0;
}
