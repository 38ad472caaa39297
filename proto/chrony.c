/* SPDX-License-Identifier: MIT
 *
 * REQ_TRACKING and RPY_TRACKING of chronyd's command protocol (chrony candm.h CMD_Request,
 * CMD_Reply, RPY_Tracking).
 */
#include "proto/chrony.h"

#include "proto/wire.h"

#include <math.h>

enum {
	PROTOCOL_VERSION = 6,
	PKT_REQUEST = 1,
	PKT_REPLY = 2,
	REQ_TRACKING = 33,
	RPY_TRACKING = 5,
	STATUS_SUCCESS = 0,
};

/* chrony's Timespec: this high half of the seconds says that the sender has 32-bit seconds only. */
#define NO_HIGH_SECONDS UINT32_C(0x7fffffff)

void chrony_request(uint32_t sequence, uint8_t out[CHRONY_PACKET_SIZE])
{
	memset(out, 0, CHRONY_PACKET_SIZE);
	wire_put(out, PROTOCOL_VERSION, 1);
	wire_put(out + 1, PKT_REQUEST, 1);
	wire_put(out + 4, REQ_TRACKING, 2);
	wire_put(out + 8, sequence, 4);
}

double chrony_float(uint32_t wire)
{
	int exponent = (int)(wire >> 25);
	int32_t coefficient = (int32_t)(wire & UINT32_C(0x1ffffff));
	if (exponent >= 1 << 6)
		exponent -= 1 << 7;
	if (coefficient >= 1 << 24)
		coefficient -= 1 << 25;
	return ldexp(coefficient, exponent - 25);
}

/* False if the instant is beyond what nsec can say (only a broken or hostile daemon's is). */
static bool take_timespec(struct wire *w, nsec *out)
{
	uint64_t high = wire_u32(w);
	uint64_t low = wire_u32(w);
	nsec fraction = wire_u32(w);
	if (high == NO_HIGH_SECONDS)
		high = 0;
	int64_t seconds = (int64_t)(high << 32 | low);
	/* One second less than fits, and a fraction of a whole second or more does not carry. */
	const int64_t limit = INT64_MAX / NSEC_PER_SEC - 1;
	if (seconds > limit || seconds < -limit || fraction >= NSEC_PER_SEC)
		return false;
	*out = seconds * NSEC_PER_SEC + fraction;
	return true;
}

/* The 28 bytes before the data: is this a successful answer to our question? */
static bool header_fits(struct wire *w, uint32_t sequence)
{
	bool fits = wire_u8(w) == PROTOCOL_VERSION;
	fits &= wire_u8(w) == PKT_REPLY;
	fits &= wire_u16(w) == 0; /* res1, res2 */
	fits &= wire_u16(w) == REQ_TRACKING;
	fits &= wire_u16(w) == RPY_TRACKING;
	fits &= wire_u16(w) == STATUS_SUCCESS;
	(void)wire_take(w, 6); /* pad1, pad2, pad3 */
	fits &= wire_u32(w) == sequence;
	(void)wire_take(w, 8); /* pad4, pad5 */
	return fits && !w->overrun;
}

static double take_float(struct wire *w)
{
	return chrony_float(wire_u32(w));
}

enum verdict chrony_reply(const void *bytes, size_t size, uint32_t sequence,
			  struct chrony_tracking *out)
{
	struct wire w = wire_over(bytes, size);
	if (size < CHRONY_PACKET_SIZE || !header_fits(&w, sequence))
		return VERDICT_INVALID;

	struct chrony_tracking t = {.ref_id = wire_u32(&w)};
	memcpy(t.address, wire_take(&w, sizeof t.address), sizeof t.address);
	t.family = wire_u16(&w);
	(void)wire_take(&w, 2);
	t.stratum = wire_u16(&w);
	t.leap = wire_u16(&w);
	if (!take_timespec(&w, &t.ref_time))
		return VERDICT_INVALID;
	t.correction_s = take_float(&w);
	t.last_offset_s = take_float(&w);
	t.rms_offset_s = take_float(&w);
	t.frequency_ppm = take_float(&w);
	t.residual_ppm = take_float(&w);
	t.skew_ppm = take_float(&w);
	t.root_delay_s = take_float(&w);
	t.root_dispersion_s = take_float(&w);
	t.update_interval_s = take_float(&w);
	*out = t;
	return VERDICT_DONE;
}
