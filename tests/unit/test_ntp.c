/* SPDX-License-Identifier: MIT */
#include "proto/ntp.h"
#include "proto/wire.h"
#include "support/guard_page.h"
#include "support/hex_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define USEC(us) ((nsec)(us)*NSEC_PER_USEC)

static const char synced[] = "ntp_exchange_synced.hex";
static const char plus7[] = "ntp_exchange_plus7.hex";
static const char init[] = "ntp_exchange_unsync_init_negdelay.hex";

static uint64_t asked(const char *fixture)
{
	struct ntp_packet request;
	struct hex_bytes r = hex_fixture(fixture, "REQ", 0);
	assert_int_equal(ntp_decode(r.b, r.n, &request), VERDICT_DONE);
	return request.transmit;
}

static struct ntp_packet answered(const char *fixture)
{
	struct ntp_packet reply;
	struct hex_bytes r = hex_fixture(fixture, "RPY", 0);
	assert_int_equal(ntp_decode(r.b, r.n, &reply), VERDICT_DONE);
	return reply;
}

static void assert_within(nsec a, nsec b, nsec tolerance)
{
	if (a - b > tolerance || b - a > tolerance)
		fail_msg("%lld ns is not %lld ns", (long long)a, (long long)b);
}

static void request_says_nothing_about_us(void **state)
{
	(void)state;
	uint8_t out[NTP_PACKET_SIZE];
	struct hex_bytes sent = hex_fixture(synced, "REQ", 0);
	ntp_request(asked(synced), out);
	assert_int_equal(sent.n, sizeof out);
	assert_memory_equal(out, sent.b, sizeof out);
}

static void real_answer(void **state)
{
	(void)state;
	struct ntp_packet p = answered(synced);
	assert_int_equal(p.leap, 0);
	assert_int_equal(p.version, 4);
	assert_int_equal(p.mode, 4);
	assert_int_equal(p.stratum, 2);
	assert_int_equal(p.precision, -26);
	assert_int_equal(p.ref_id, 0x7f7f0101);
	assert_int_equal(ntp_check(&p, asked(synced)), NTP_FINE);

	struct ntp_measurement m;
	nsec sent = 1795495785 * NSEC_PER_SEC + USEC(485783);
	nsec received = 1795495785 * NSEC_PER_SEC + USEC(485909);
	assert_int_equal(ntp_measure(&p, sent, received, &m), NTP_FINE);
	assert_within(m.offset, USEC(7), USEC(1));
	assert_within(m.delay, USEC(53), USEC(1));
	assert_within(m.path_bound, m.delay / 2, 1);
	/* delay / 2, the precision of 2^-26 s and 15 ppm of 126 us */
	assert_within(m.root_distance, m.delay / 2 + 15 + 2, 3);
}

static void server_seven_seconds_ahead(void **state)
{
	(void)state;
	struct ntp_packet p = answered(plus7);
	struct ntp_measurement m;
	nsec sent = 1795493501 * NSEC_PER_SEC + USEC(591864);
	assert_int_equal(ntp_check(&p, asked(plus7)), NTP_FINE);
	assert_int_equal(ntp_measure(&p, sent, sent + USEC(111), &m), NTP_FINE);
	assert_within(m.offset, 7 * NSEC_PER_SEC + USEC(22), USEC(1));
	assert_within(m.delay, USEC(86), USEC(1));
}

/* Half of these stamps come from another clock, and the server says itself that it is not set. */
static void unsynchronised_with_negative_delay(void **state)
{
	(void)state;
	struct ntp_packet p = answered(init);
	struct ntp_measurement m;
	nsec sent = 1795493886 * NSEC_PER_SEC + USEC(497227);
	assert_int_equal(ntp_check(&p, asked(init)), NTP_UNSYNCHRONIZED);
	memset(&m, 0x5a, sizeof m);
	assert_int_equal(ntp_measure(&p, sent, sent + USEC(116), &m), NTP_NEGATIVE_DELAY);
	assert_int_equal(m.offset, 0x5a5a5a5a5a5a5a5a);
}

static void flaws(void **state)
{
	(void)state;
	enum { LEAP_MODE = 0, STRATUM = 1, REF_ID = 12, REFERENCE = 16, ORIGIN = 24 };
	enum { RECEIVE = 32, TRANSMIT = 40 };
	const uint64_t sent_at = answered(synced).transmit;
	const uint64_t hour = UINT64_C(3600) << 32;
	const struct {
		const char *what;
		enum ntp_flaw flaw;
		size_t at, n;
		uint64_t value;
	} rows[] = {
	    {"version 1", NTP_FINE, LEAP_MODE, 1, 1 << 3 | 4},
	    {"version 3", NTP_FINE, LEAP_MODE, 1, 3 << 3 | 4},
	    {"a leap second to come", NTP_FINE, LEAP_MODE, 1, 1 << 6 | 4 << 3 | 4},
	    {"stratum 15", NTP_FINE, STRATUM, 1, 15},
	    {"36 h old", NTP_FINE, REFERENCE, 8, sent_at - 36 * hour},
	    {"set in this instant", NTP_FINE, REFERENCE, 8, sent_at},
	    {"answered at once", NTP_FINE, RECEIVE, 8, sent_at},
	    {"our own question", NTP_NOT_A_REPLY, LEAP_MODE, 1, 4 << 3 | 3},
	    {"a broadcast", NTP_NOT_A_REPLY, LEAP_MODE, 1, 4 << 3 | 5},
	    {"mode 6", NTP_NOT_A_REPLY, LEAP_MODE, 1, 4 << 3 | 6},
	    {"version 0", NTP_NOT_A_REPLY, LEAP_MODE, 1, 4},
	    {"version 5", NTP_NOT_A_REPLY, LEAP_MODE, 1, 5 << 3 | 4},
	    {"another origin", NTP_WRONG_ORIGIN, ORIGIN, 8, asked(synced) ^ 1},
	    {"no origin", NTP_WRONG_ORIGIN, ORIGIN, 8, 0},
	    {"leap 3", NTP_UNSYNCHRONIZED, LEAP_MODE, 1, 3 << 6 | 4 << 3 | 4},
	    {"stratum 16", NTP_UNSYNCHRONIZED, STRATUM, 1, 16},
	    {"stratum 255", NTP_UNSYNCHRONIZED, STRATUM, 1, 255},
	    {"no receive stamp", NTP_NO_TIME, RECEIVE, 8, 0},
	    {"no transmit stamp", NTP_NO_TIME, TRANSMIT, 8, 0},
	    {"sent before it came", NTP_NO_TIME, RECEIVE, 8, sent_at + 5},
	    {"never set", NTP_STALE, REFERENCE, 8, 0},
	    {"set in the future", NTP_STALE, REFERENCE, 8, sent_at + hour},
	    {"more than 36 h old", NTP_STALE, REFERENCE, 8, sent_at - 36 * hour - (1u << 20)},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ntp_packet p;
		struct hex_bytes r = hex_fixture(synced, "RPY", 0);
		wire_put(r.b + rows[i].at, rows[i].value, rows[i].n);
		assert_int_equal(ntp_decode(r.b, r.n, &p), VERDICT_DONE);
		enum ntp_flaw flaw = ntp_check(&p, asked(synced));
		if (flaw != rows[i].flaw)
			fail_msg("%s: %d instead of %d", rows[i].what, flaw, rows[i].flaw);
	}
}

static void kisses(void **state)
{
	(void)state;
	static const struct {
		const char *code;
		enum ntp_flaw flaw;
	} rows[] = {
	    {"DENY", NTP_KISS_DENY},	  {"RSTR", NTP_KISS_RSTR},
	    {"RATE", NTP_KISS_RATE},	  {"INIT", NTP_UNSYNCHRONIZED},
	    {"STEP", NTP_UNSYNCHRONIZED}, {"\0\0\0\0", NTP_UNSYNCHRONIZED},
	    {"deny", NTP_UNSYNCHRONIZED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		/* With all stamps zero but the origin, as ntpd sends them. */
		struct ntp_packet p = {.leap = 3, .version = 4, .mode = 4, .origin = 99};
		struct wire w = wire_over(rows[i].code, 4);
		p.ref_id = wire_u32(&w);
		assert_int_equal(ntp_check(&p, 99), rows[i].flaw);
		/* A kiss that does not answer us is nobody's order. */
		assert_int_equal(ntp_check(&p, 98), NTP_WRONG_ORIGIN);
	}
}

static struct ntp_packet packet_at(nsec receive, nsec transmit)
{
	return (struct ntp_packet){.version = 4,
				   .mode = 4,
				   .stratum = 1,
				   .precision = -20,
				   .receive = ntp_from_nsec(receive),
				   .transmit = ntp_from_nsec(transmit)};
}

static void distance(void **state)
{
	(void)state;
	const nsec t = 1705361803 * NSEC_PER_SEC;
	struct ntp_measurement m;
	struct ntp_packet p = packet_at(t + USEC(1000), t + USEC(1000));
	p.root_delay_s = 0.5;
	p.root_dispersion_s = 0.25;
	assert_int_equal(ntp_measure(&p, t, t + USEC(2000), &m), NTP_FINE);
	assert_within(m.offset, 0, 1);
	assert_within(m.delay, USEC(2000), 1);
	assert_within(m.root_distance, USEC(501000 + 1) - 46 + 30, 30);

	p.root_delay_s = 31.9;
	assert_int_equal(ntp_measure(&p, t, t + USEC(2000), &m), NTP_TOO_DISTANT);
	p.root_delay_s = 0;
	p.root_dispersion_s = 16;
	assert_int_equal(ntp_measure(&p, t, t + USEC(2000), &m), NTP_TOO_DISTANT);
	p.root_dispersion_s = 0;
	p.precision = 4;
	assert_int_equal(ntp_measure(&p, t, t + USEC(2000), &m), NTP_TOO_DISTANT);
	p.precision = 127;
	assert_int_equal(ntp_measure(&p, t, t + USEC(2000), &m), NTP_TOO_DISTANT);
	p.precision = -20;
	assert_int_equal(ntp_measure(&p, t, t + 33 * NSEC_PER_SEC, &m), NTP_TOO_DISTANT);
	/* Received before it was sent: the local clock was set between. */
	assert_int_equal(ntp_measure(&p, t, t - 1000, &m), NTP_NEGATIVE_DELAY);
}

static void asymmetric_path_stays_within_the_bound(void **state)
{
	(void)state;
	const nsec t = 1705361803 * NSEC_PER_SEC, truth = -7 * NSEC_PER_SEC;
	for (nsec out = 0; out <= USEC(40000); out += USEC(5000)) {
		nsec back = USEC(40000) - out, held = USEC(300);
		struct ntp_packet p = packet_at(t + out + truth, t + out + held + truth);
		struct ntp_measurement m;
		assert_int_equal(ntp_measure(&p, t, t + out + held + back, &m), NTP_FINE);
		assert_within(m.delay, USEC(40000), 2);
		assert_within(m.offset, truth, m.path_bound + 2);
	}
}

/* The stamps begin again from 0 on 2036-02-07T06:28:16Z. */
static void era_change(void **state)
{
	(void)state;
	const nsec change = 2085978496 * NSEC_PER_SEC;
	struct ntp_measurement m;
	assert_true(ntp_from_nsec(change) == 0);
	assert_true(ntp_from_nsec(change - NSEC_PER_SEC) == UINT64_C(0xffffffff00000000));
	assert_within(ntp_difference(ntp_from_nsec(change + USEC(7)), ntp_from_nsec(change - 5)),
		      USEC(7) + 5, 1);

	/* The server is already on the other side. */
	struct ntp_packet p = packet_at(change + 7 * NSEC_PER_SEC, change + 7 * NSEC_PER_SEC + 40);
	p.reference = ntp_from_nsec(change - 60 * NSEC_PER_SEC);
	p.origin = 5;
	assert_int_equal(ntp_check(&p, 5), NTP_FINE);
	assert_int_equal(ntp_measure(&p, change - 20, change + 60, &m), NTP_FINE);
	assert_within(m.offset, 7 * NSEC_PER_SEC, 2);
	assert_within(m.delay, 40, 2);
	/* "Never set" is not taken for a stamp from just after the change. */
	p.reference = 0;
	assert_int_equal(ntp_check(&p, 5), NTP_STALE);
}

static void stamps(void **state)
{
	(void)state;
	assert_true(ntp_from_nsec(0) == UINT64_C(2208988800) << 32);
	assert_true(ntp_from_nsec(NSEC_PER_SEC / 2) == (UINT64_C(2208988800) << 32 | 1u << 31));
	assert_true(ntp_from_nsec(-NSEC_PER_SEC / 2) == (UINT64_C(2208988799) << 32 | 1u << 31));
	assert_true(ntp_from_nsec(999999999) < UINT64_C(2208988801) << 32);
	(void)ntp_from_nsec(INT64_MAX);
	(void)ntp_from_nsec(INT64_MIN);
	assert_true(ntp_difference(5, 5) == 0);
	assert_true(ntp_difference(0, UINT64_C(1) << 63) == -(NSEC_PER_SEC << 31));
	assert_true(ntp_difference(UINT64_C(1) << 32, 0) == NSEC_PER_SEC);
	for (nsec t = -3; t < 4; t++)
		assert_true(ntp_difference(ntp_from_nsec(t), ntp_from_nsec(0)) == t);
}

/* The largest differences that any 48 bytes can make: UBSan watches. */
static void extremes(void **state)
{
	(void)state;
	static const uint64_t edges[] = {
	    0, 1, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX, UINT64_C(0x80000000ffffffff)};
	static const nsec walls[] = {INT64_MIN, -1, 0, INT64_MAX};
	size_t n = sizeof edges / sizeof *edges;
	for (size_t i = 0; i < n * n * 16; i++) {
		struct ntp_measurement m;
		struct ntp_packet p = {.receive = edges[i % n], .transmit = edges[i / n % n]};
		size_t j = i / n / n;
		(void)!ntp_check(&p, 0);
		(void)!ntp_measure(&p, walls[j % 4], walls[j / 4], &m);
	}
}

static void every_length(void **state)
{
	(void)state;
	struct ntp_packet p;
	struct hex_bytes r = hex_fixture(synced, "RPY", 0);
	struct guarded g = guarded_new(sizeof r.b);
	for (size_t n = 0; n < NTP_PACKET_SIZE; n++)
		assert_int_equal(ntp_decode(guarded_copy(&g, r.b, n), n, &p), VERDICT_INVALID);
	for (size_t n = NTP_PACKET_SIZE; n < NTP_PACKET_SIZE + 24; n++) /* extension fields */
		assert_int_equal(ntp_decode(guarded_copy(&g, r.b, n), n, &p), VERDICT_DONE);
	assert_int_equal(ntp_decode(NULL, 0, &p), VERDICT_INVALID);
	guarded_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_says_nothing_about_us),
	    cmocka_unit_test(real_answer),
	    cmocka_unit_test(server_seven_seconds_ahead),
	    cmocka_unit_test(unsynchronised_with_negative_delay),
	    cmocka_unit_test(flaws),
	    cmocka_unit_test(kisses),
	    cmocka_unit_test(distance),
	    cmocka_unit_test(asymmetric_path_stays_within_the_bound),
	    cmocka_unit_test(era_change),
	    cmocka_unit_test(stamps),
	    cmocka_unit_test(extremes),
	    cmocka_unit_test(every_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
