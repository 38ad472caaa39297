/* SPDX-License-Identifier: MIT */
#include "proto/chrony.h"
#include "proto/wire.h"
#include "support/guard_page.h"
#include "support/hex_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SEQUENCE UINT32_C(0x01020304)

static struct chrony_tracking decoded(const char *fixture)
{
	struct chrony_tracking t;
	struct hex_bytes reply = hex_fixture(fixture, "RPY", 0);
	assert_int_equal(chrony_reply(reply.b, reply.n, SEQUENCE, &t), VERDICT_DONE);
	return t;
}

/* To the digits that chronyc prints. */
static void assert_near(double a, double b, double tolerance)
{
	if (!(fabs(a - b) <= tolerance))
		fail_msg("%.12g is not %.12g", a, b);
}

static void request_is_what_chronyc_sends(void **state)
{
	(void)state;
	uint8_t out[CHRONY_PACKET_SIZE];
	struct hex_bytes sent = hex_fixture("chrony_tracking_synced.hex", "REQ", 0);
	chrony_request(SEQUENCE, out);
	assert_int_equal(sent.n, sizeof out);
	assert_memory_equal(out, sent.b, sizeof out);
}

static void floats(void **state)
{
	(void)state;
	assert_true(chrony_float(0) == 0);
	assert_true(chrony_float(0x04800000) == 1.0);
	assert_near(chrony_float(0x08e0002d), 7.0000214577, 1e-9);
	/* The four corners of the format: none is infinite. */
	assert_true(chrony_float(0x7effffff) == 0x1.fffffep61);
	assert_true(chrony_float(0x7f000000) == -0x1p62);
	assert_true(chrony_float(0x80000001) == 0x1p-89);
	assert_true(chrony_float(0x81ffffff) == -0x1p-89);
}

static void synchronised(void **state)
{
	(void)state;
	struct chrony_tracking t = decoded("chrony_tracking_synced.hex");
	assert_int_equal(t.ref_id, 0x7f000001);
	assert_int_equal(t.family, 1);
	assert_memory_equal(t.address, "\x7f\0\0\x01", 4);
	assert_int_equal(t.stratum, 3);
	assert_int_equal(t.leap, 0);
	assert_true(t.ref_time == 1795493489 * NSEC_PER_SEC + 0x1271fbd9);
	assert_near(t.correction_s, -0.000001231, 5e-10);
	assert_near(t.last_offset_s, -0.000000008, 5e-10);
	assert_near(t.rms_offset_s, 0.000000176, 5e-10);
	assert_near(t.frequency_ppm, 0.010, 5e-4);
	assert_near(t.residual_ppm, -0.000, 5e-4);
	assert_near(t.skew_ppm, 0.048, 5e-4);
	assert_near(t.root_delay_s, 0.000006369, 5e-10);
	assert_near(t.root_dispersion_s, 0.000001629158, 1e-12);
	assert_near(t.update_interval_s, 0.5, 0.05);
}

static void offset_of_seven_seconds(void **state)
{
	(void)state;
	struct chrony_tracking t = decoded("chrony_tracking_slow7.hex");
	/* chronyc: "7.000021458 seconds slow of NTP time", and slow is positive on the wire. */
	assert_near(t.correction_s, 7.000021458, 5e-10);
	assert_near(t.last_offset_s, -0.000001403, 5e-10);
	assert_near(t.frequency_ppm, -0.448, 5e-4); /* "slow" */
	assert_near(t.root_dispersion_s, 0.000006640269, 1e-12);
}

/* All sources lost: only the age and the dispersion say so. */
static void source_lost(void **state)
{
	(void)state;
	struct chrony_tracking before = decoded("chrony_tracking_slow7.hex");
	struct chrony_tracking t = decoded("chrony_tracking_source_lost.hex");
	assert_int_equal(t.leap, 0);
	assert_int_equal(t.stratum, 3);
	assert_true(t.ref_time == before.ref_time);
	assert_true(t.root_dispersion_s > before.root_dispersion_s);
}

static void local_mode(void **state)
{
	(void)state;
	struct chrony_tracking t = decoded("chrony_tracking_localmode.hex");
	assert_int_equal(t.ref_id, 0x7f7f0101);
	assert_int_equal(t.family, 0);
	assert_int_equal(t.leap, 0);
	assert_int_equal(t.stratum, 2);
	assert_true(t.correction_s == 0);
	assert_true(t.ref_time == 1795493479 * NSEC_PER_SEC + 0x04fd9630);
}

static void unsynchronised(void **state)
{
	(void)state;
	struct chrony_tracking t = decoded("chrony_tracking_unsynced.hex");
	assert_int_equal(t.ref_id, 0);
	assert_int_equal(t.stratum, 0);
	assert_int_equal(t.leap, 3);
	assert_true(t.ref_time == 0);
	assert_true(t.correction_s == 0);
	assert_true(t.root_delay_s == 1 && t.root_dispersion_s == 1);
}

/* One field changed in a good reply, and what becomes of it. */
static void everything_else_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		size_t at, n;
		uint64_t value;
	} wrong[] = {
	    {"version 5", 0, 1, 5},
	    {"version 7", 0, 1, 7},
	    {"a request", 1, 1, 1},
	    {"res1", 2, 1, 1},
	    {"res2", 3, 1, 1},
	    {"another command", 4, 2, 14},
	    {"another reply", 6, 2, 2},
	    {"status UNAUTH", 8, 2, 2},
	    {"status INVALID", 8, 2, 3},
	    {"status BADPKTVERSION", 8, 2, 18},
	    {"status BADPKTLENGTH", 8, 2, 19},
	    {"a late answer", 16, 4, SEQUENCE - 1},
	    {"seconds beyond nsec", 56, 4, 3},
	    {"seconds far beyond nsec", 56, 4, 0x7ffffffe},
	    {"the most negative seconds", 56, 8, UINT64_C(1) << 63},
	    {"a fraction of a second", 64, 4, 1000000000},
	    {"a fraction of all ones", 64, 4, UINT32_MAX},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct hex_bytes r = hex_fixture("chrony_tracking_synced.hex", "RPY", 0);
		struct chrony_tracking t, before;
		memset(&t, 0x5a, sizeof t);
		before = t;
		wire_put(r.b + wrong[i].at, wrong[i].value, wrong[i].n);
		if (chrony_reply(r.b, r.n, SEQUENCE, &t) != VERDICT_INVALID)
			fail_msg("%s was accepted", wrong[i].what);
		assert_memory_equal(&t, &before, sizeof t);
	}
}

static void reference_times(void **state)
{
	(void)state;
	static const struct {
		uint64_t high, low;
		int64_t seconds;
	} rows[] = {
	    {0, 0, 0},
	    {0x7fffffff, 1795493489, 1795493489},
	    {0x7fffffff, UINT32_MAX, UINT32_MAX}, /* to 2106 with 32 bits */
	    {1, 0, INT64_C(1) << 32},
	    {2, 0x25c17d03, 9223372035}, /* the last second that is taken */
	    {UINT32_MAX, UINT32_MAX, -1},
	};
	struct chrony_tracking t;
	struct hex_bytes r = hex_fixture("chrony_tracking_synced.hex", "RPY", 0);
	wire_put(r.b + 64, 999999999, 4);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		wire_put(r.b + 56, rows[i].high, 4);
		wire_put(r.b + 60, rows[i].low, 4);
		assert_int_equal(chrony_reply(r.b, r.n, SEQUENCE, &t), VERDICT_DONE);
		assert_true(t.ref_time == rows[i].seconds * NSEC_PER_SEC + 999999999);
	}
	wire_put(r.b + 56, 2, 4);
	wire_put(r.b + 60, 0x25c17d04, 4);
	assert_int_equal(chrony_reply(r.b, r.n, SEQUENCE, &t), VERDICT_INVALID);
}

static void every_length(void **state)
{
	(void)state;
	struct chrony_tracking t;
	struct hex_bytes r = hex_fixture("chrony_tracking_synced.hex", "RPY", 0);
	struct guarded g = guarded_new(sizeof r.b);
	for (size_t n = 0; n < CHRONY_PACKET_SIZE; n++)
		assert_int_equal(chrony_reply(guarded_copy(&g, r.b, n), n, SEQUENCE, &t),
				 VERDICT_INVALID);
	for (size_t n = CHRONY_PACKET_SIZE; n < CHRONY_PACKET_SIZE + 20; n++)
		assert_int_equal(chrony_reply(guarded_copy(&g, r.b, n), n, SEQUENCE, &t),
				 VERDICT_DONE);
	assert_int_equal(chrony_reply(NULL, 0, SEQUENCE, &t), VERDICT_INVALID);
	guarded_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_is_what_chronyc_sends),
	    cmocka_unit_test(floats),
	    cmocka_unit_test(synchronised),
	    cmocka_unit_test(offset_of_seven_seconds),
	    cmocka_unit_test(source_lost),
	    cmocka_unit_test(local_mode),
	    cmocka_unit_test(unsynchronised),
	    cmocka_unit_test(everything_else_is_refused),
	    cmocka_unit_test(reference_times),
	    cmocka_unit_test(every_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
