/* SPDX-License-Identifier: MIT
 *
 * proto/ntp_control: packets, each a length of two bytes (big-endian) and that many bytes, or what
 * is left. A packet that is judged invalid changes nothing; an answer is complete exactly when it
 * has no gap; the order of the packets makes no difference as long as none contradicts another;
 * what is parsed is within its range.
 */
#include "fuzz/check.h"
#include "proto/ntp_control.h"

#include "proto/wire.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SEQUENCE    0x1234
#define PACKETS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct packet {
	const uint8_t *bytes;
	size_t n;
};

static size_t cut(const uint8_t *data, size_t size, struct packet packets[PACKETS_MAX])
{
	struct wire w = wire_over(data, size);
	size_t n = 0;
	for (; w.left > 2 && n < PACKETS_MAX; n++) {
		size_t want = wire_u16(&w);
		packets[n].n = want < w.left ? want : w.left;
		packets[n].bytes = wire_take(&w, packets[n].n);
	}
	return n;
}

/* Each packet in an allocation of its own, so that a byte too far is seen. */
static enum verdict add(struct ntp_control_reply *r, const struct packet *p)
{
	struct ntp_control_reply before = *r;
	uint8_t *own = malloc(p->n > 0 ? p->n : 1);
	CHECK(own != NULL);
	if (p->n > 0)
		memcpy(own, p->bytes, p->n);
	enum verdict v = ntp_control_add(r, own, p->n);
	free(own);

	size_t seen = 0;
	for (size_t i = 0; i < NTP_CONTROL_DATA_MAX; i++)
		seen += (size_t)(r->seen[i / 8] >> i % 8 & 1);
	CHECK(r->have == seen && r->have <= r->reach && r->reach <= NTP_CONTROL_DATA_MAX);
	CHECK(!r->ended || r->reach <= r->total);
	bool complete = r->refused || (r->ended && r->have == r->total);
	if (v == VERDICT_INVALID)
		CHECK(memcmp(&before, r, sizeof before) == 0);
	else
		CHECK((v == VERDICT_DONE) == complete);
	return v;
}

static void check_parse(const struct ntp_control_reply *r)
{
	struct ntp_control_system s, untouched;
	memset(&s, 0xa5, sizeof s);
	memset(&untouched, 0xa5, sizeof untouched);
	enum verdict v = ntp_control_parse(r, &s);
	if (v != VERDICT_DONE) {
		CHECK(memcmp(&s, &untouched, sizeof s) == 0);
		return;
	}
	CHECK(!r->refused && r->ended && r->have == r->total && r->total > 0);
	CHECK(s.status_leap >= 0 && s.status_leap <= 3);
	CHECK(s.leap >= -1 && s.leap <= 3);
	CHECK(s.stratum >= -1 && s.stratum <= 255);
	CHECK(s.tc >= -1 && s.tc <= 31);
	CHECK(isnan(s.offset_s) || fabs(s.offset_s) <= 0x1p31);
	CHECK(isnan(s.frequency_ppm) || fabs(s.frequency_ppm) <= 1e6);
	const double sizes[] = {s.jitter_s, s.root_delay_s, s.root_dispersion_s};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		CHECK(isnan(sizes[i]) || (sizes[i] >= 0 && sizes[i] <= 0x1p31));
	size_t n = strnlen(s.refid, sizeof s.refid);
	CHECK(n < sizeof s.refid);
	for (size_t i = 0; i < n; i++)
		CHECK(s.refid[i] >= ' ' && s.refid[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packet packets[PACKETS_MAX];
	struct ntp_control_reply forth, back;
	size_t n = cut(data, size, packets);
	bool agree = true;
	ntp_control_reply_init(&forth, SEQUENCE);
	for (size_t i = 0; i < n; i++) {
		agree &= add(&forth, &packets[i]) != VERDICT_INVALID;
		check_parse(&forth);
	}
	ntp_control_reply_init(&back, SEQUENCE);
	for (size_t i = n; i > 0; i--)
		if (add(&back, &packets[i - 1]) == VERDICT_INVALID)
			CHECK(!agree || forth.refused);
	if (agree && !forth.refused)
		CHECK(memcmp(&forth, &back, sizeof forth) == 0);
	return 0;
}
