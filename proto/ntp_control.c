/* SPDX-License-Identifier: MIT
 *
 * The packets of mode 6 (RFC 9327 section 2): the request, and putting an answer together. What is
 * known of a server's packets, and what follows from it:
 *   - the bytes behind `count` are padding, not always zero: they are not looked at
 *   - an error repeats the `offset` of some earlier answer: it is not looked at either
 *   - LI of the first byte and of the status word say the same; the status word is kept
 *   - an answer whose length is a multiple of 468 may end with an empty fragment
 */
#include "proto/ntp_control.h"

#include "proto/wire.h"

#include <assert.h>

enum { VERSION = 2, MODE_CONTROL = 6, OP_READVAR = 2, HEADER_SIZE = 12 };
enum { BIT_RESPONSE = 0x80, BIT_ERROR = 0x40, BIT_MORE = 0x20, OPCODE = 0x1f };

static const char variables[] =
    "leap,stratum,offset,sys_jitter,rootdelay,rootdisp,refid,reftime,tc,frequency";

#define VARIABLES_SIZE (sizeof variables - 1)
#define PADDED(n)      (((n) + 3) / 4 * 4)

_Static_assert(HEADER_SIZE + PADDED(VARIABLES_SIZE) == NTP_CONTROL_REQUEST_MAX,
	       "no gap, no excess");

size_t ntp_control_request(uint16_t sequence, uint8_t out[NTP_CONTROL_REQUEST_MAX])
{
	memset(out, 0, NTP_CONTROL_REQUEST_MAX);
	out[0] = VERSION << 3 | MODE_CONTROL;
	out[1] = OP_READVAR;
	wire_put(out + 2, sequence, 2);
	wire_put(out + 10, VARIABLES_SIZE, 2); /* status, association and offset are 0 */
	memcpy(out + HEADER_SIZE, variables, VARIABLES_SIZE);
	return NTP_CONTROL_REQUEST_MAX;
}

void ntp_control_reply_init(struct ntp_control_reply *r, uint16_t sequence)
{
	memset(r, 0, sizeof *r);
	r->sequence = sequence;
}

struct fragment {
	bool error, more;
	uint16_t status, offset, count;
	const uint8_t *data; /* of the packet */
};

/* False if the packet is not an answer to READVAR of association 0 with this sequence. */
static bool take_fragment(const void *bytes, size_t size, uint16_t sequence, struct fragment *f)
{
	struct wire w = wire_over(bytes, size);
	uint8_t first = wire_u8(&w);
	uint8_t second = wire_u8(&w);
	bool fits = (first >> 3 & 7) == VERSION && (first & 7) == MODE_CONTROL;
	fits &= (second & BIT_RESPONSE) != 0 && (second & OPCODE) == OP_READVAR;
	fits &= wire_u16(&w) == sequence;
	f->error = second & BIT_ERROR;
	f->more = second & BIT_MORE;
	f->status = wire_u16(&w);
	fits &= wire_u16(&w) == 0; /* association */
	f->offset = wire_u16(&w);
	f->count = wire_u16(&w);
	f->data = wire_take(&w, f->count);
	return fits && !w.overrun;
}

static bool is_complete(const struct ntp_control_reply *r)
{
	return r->ended && r->have == r->total;
}

static bool was_seen(const struct ntp_control_reply *r, size_t at)
{
	return r->seen[at / 8] >> at % 8 & 1;
}

/* Is there room for it, and does it agree with all that has come? */
static bool agrees(const struct ntp_control_reply *r, const struct fragment *f)
{
	size_t end = (size_t)f->offset + f->count;
	if (end > NTP_CONTROL_DATA_MAX || (f->more && f->count == 0))
		return false;
	if (r->begun && f->status != r->status)
		return false;
	if (r->ended && (f->more ? end > r->total : end != r->total))
		return false;
	if (!f->more && end < r->reach)
		return false;
	for (size_t i = 0; i < f->count; i++) {
		size_t at = f->offset + i;
		if (was_seen(r, at) && (uint8_t)r->data[at] != f->data[i])
			return false;
	}
	return true;
}

static void keep(struct ntp_control_reply *r, const struct fragment *f)
{
	uint16_t end = (uint16_t)(f->offset + f->count);
	r->begun = true;
	r->status = f->status;
	if (end > r->reach)
		r->reach = end;
	if (!f->more) {
		r->ended = true;
		r->total = end;
	}
	for (size_t i = 0; i < f->count; i++) {
		size_t at = f->offset + i;
		if (was_seen(r, at))
			continue;
		r->seen[at / 8] |= (uint8_t)(1u << at % 8);
		r->data[at] = (char)f->data[i];
		r->have++;
	}
	assert(r->have <= r->reach && r->reach <= NTP_CONTROL_DATA_MAX);
}

/* An error is complete in itself, and the last word: its code is the upper half of the status. */
static enum verdict refuse(struct ntp_control_reply *r, const struct fragment *f)
{
	uint8_t error = (uint8_t)(f->status >> 8);
	if (is_complete(r) || (r->refused && r->error != error))
		return VERDICT_INVALID;
	r->refused = true;
	r->error = error;
	return VERDICT_DONE;
}

enum verdict ntp_control_add(struct ntp_control_reply *r, const void *bytes, size_t size)
{
	struct fragment f;
	if (!take_fragment(bytes, size, r->sequence, &f))
		return VERDICT_INVALID;
	if (f.error)
		return refuse(r, &f);
	if (r->refused || !agrees(r, &f))
		return VERDICT_INVALID;
	keep(r, &f);
	return is_complete(r) ? VERDICT_DONE : VERDICT_MORE;
}

const char *ntp_control_error_text(uint8_t error)
{
	static const char *const texts[] = {
	    [NTP_CONTROL_UNSPECIFIED] = "no reason given",
	    [NTP_CONTROL_PERMISSION] = "permission denied",
	    [NTP_CONTROL_BAD_FORMAT] = "bad message format or length",
	    [NTP_CONTROL_BAD_OPCODE] = "bad opcode",
	    [NTP_CONTROL_BAD_ASSOCIATION] = "unknown association",
	    [NTP_CONTROL_UNKNOWN_VARIABLE] = "unknown variable",
	    [NTP_CONTROL_BAD_VALUE] = "bad value of a variable",
	    [NTP_CONTROL_RESTRICTED] = "administratively prohibited",
	};
	return error < sizeof texts / sizeof *texts ? texts[error] : "an unknown error";
}
