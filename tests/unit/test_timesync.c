/* SPDX-License-Identifier: MIT */
#include "proto/timesync.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define USEC(us)   ((nsec)(us)*NSEC_PER_USEC)
#define USEC_1900  (-UINT64_C(2208988800000000)) /* what a zero NTP stamp is on the bus */
#define USEC_NEVER UINT64_MAX			 /* systemd's USEC_INFINITY */

static uint64_t number(const json_t *message, size_t index)
{
	const json_t *value = json_array_get(message, index);
	assert_true(json_is_integer(value));
	return (uint64_t)json_integer_value(value);
}

/* A message of tests/fixtures/timesyncd_ntpmessage.json. */
static struct timesync_message captured(const char *name)
{
	json_error_t error;
	json_t *file = json_load_file(TESTS_DIR "/fixtures/timesyncd_ntpmessage.json", 0, &error);
	if (file == NULL)
		fail_msg("%s", error.text);
	assert_string_equal(json_string_value(json_object_get(file, "signature")),
			    TIMESYNC_SIGNATURE);
	const json_t *v = json_object_get(file, name);
	assert_int_equal(json_array_size(v), 15);
	struct timesync_message m = {
	    .leap = (uint32_t)number(v, 0),
	    .version = (uint32_t)number(v, 1),
	    .mode = (uint32_t)number(v, 2),
	    .stratum = (uint32_t)number(v, 3),
	    .precision = (int32_t)number(v, 4),
	    .root_delay_usec = number(v, 5),
	    .root_dispersion_usec = number(v, 6),
	    .origin_usec = number(v, 8),
	    .receive_usec = number(v, 9),
	    .transmit_usec = number(v, 10),
	    .destination_usec = number(v, 11),
	    .spike = json_is_true(json_array_get(v, 12)),
	    .packet_count = number(v, 13),
	    .jitter_usec = number(v, 14),
	};
	for (size_t i = 0; i < sizeof m.refid; i++)
		m.refid[i] = (uint8_t)number(json_array_get(v, 7), i);
	json_decref(file);
	return m;
}

static struct ntp_measurement measured(const struct timesync_message *m)
{
	struct ntp_measurement out;
	assert_int_equal(timesync_measure(m, &out), NTP_FINE);
	return out;
}

static void assert_flaw(const struct timesync_message *m, enum ntp_flaw flaw, const char *what)
{
	struct ntp_measurement out, before;
	memset(&out, 0x5a, sizeof out);
	before = out;
	enum ntp_flaw found = timesync_measure(m, &out);
	if (found != flaw)
		fail_msg("%s: %d instead of %d", what, found, flaw);
	if (flaw != NTP_FINE)
		assert_memory_equal(&out, &before, sizeof out);
}

static void assert_within(nsec a, nsec b, nsec tolerance)
{
	if (a - b > tolerance || b - a > tolerance)
		fail_msg("%lld ns is not %lld ns", (long long)a, (long long)b);
}

static void honest_clock(void **state)
{
	(void)state;
	struct timesync_message m = captured("sane");
	struct ntp_measurement out = measured(&m);
	/* ((904 - 883) + (956 - 963)) / 2, and (963 - 883) - (956 - 904), with 2 us of doubt */
	assert_within(out.offset, USEC(7), 2);
	assert_within(out.delay, USEC(28 + 2), 2);
	assert_within(out.path_bound, USEC(15), 2);
	/* half the delay, 1.5 us of what was cut off, 2^-26 s and 15 ppm of the time between */
	assert_within(out.root_distance, USEC(15) + 1500 + 15 + 1, 3);
}

static void server_seven_seconds_ahead(void **state)
{
	(void)state;
	struct timesync_message m = captured("plus7");
	struct ntp_measurement out = measured(&m);
	assert_false(m.spike);
	assert_within(out.offset, 7 * NSEC_PER_SEC + USEC(121), 2);
	assert_within(out.delay, USEC(459 - 199 + 2), 2);
	/* The daemon's jitter, 5.9 s, is of its own steps, and not in the bound. */
	assert_true(out.root_distance < USEC(140));
}

static void local_clock_ahead(void **state)
{
	(void)state;
	struct timesync_message m = captured("sane");
	m.origin_usec += 7000000;
	m.destination_usec += 7000000;
	assert_within(measured(&m).offset, -7 * NSEC_PER_SEC + USEC(7), 2);
}

static void flaws(void **state)
{
	(void)state;
	const struct timesync_message sane = captured("sane");
	struct timesync_message m;
#define FLAW(member, value, flaw)                              \
	do {                                                   \
		m = sane;                                      \
		m.member = (value);                            \
		assert_flaw(&m, (flaw), #member " = " #value); \
	} while (0)
	FLAW(packet_count, 0, NTP_UNSYNCHRONIZED);
	FLAW(packet_count, UINT64_MAX, NTP_FINE);
	FLAW(leap, 2, NTP_FINE);
	FLAW(leap, 3, NTP_UNSYNCHRONIZED);
	FLAW(leap, 4, NTP_UNSYNCHRONIZED);
	FLAW(leap, 256, NTP_UNSYNCHRONIZED);
	FLAW(version, 3, NTP_FINE);
	FLAW(version, 0, NTP_NOT_A_REPLY);
	FLAW(version, 5, NTP_NOT_A_REPLY);
	FLAW(version, 256 + 4, NTP_NOT_A_REPLY);
	FLAW(mode, 3, NTP_NOT_A_REPLY);
	FLAW(mode, 5, NTP_NOT_A_REPLY);
	FLAW(mode, 256 + 4, NTP_NOT_A_REPLY);
	FLAW(stratum, 1, NTP_FINE);
	FLAW(stratum, 15, NTP_FINE);
	FLAW(stratum, 0, NTP_UNSYNCHRONIZED);
	FLAW(stratum, 16, NTP_UNSYNCHRONIZED);
	FLAW(stratum, 256 + 2, NTP_UNSYNCHRONIZED);
	FLAW(precision, 3, NTP_FINE);
	FLAW(precision, 4, NTP_TOO_DISTANT);
	FLAW(precision, 256 - 26, NTP_TOO_DISTANT);
	FLAW(precision, INT32_MAX, NTP_TOO_DISTANT);
	FLAW(precision, -200, NTP_FINE);
	FLAW(precision, INT32_MIN, NTP_FINE);
	FLAW(root_delay_usec, 31900000, NTP_FINE);
	FLAW(root_delay_usec, 32000000, NTP_TOO_DISTANT);
	FLAW(root_delay_usec, UINT64_MAX, NTP_TOO_DISTANT);
	FLAW(root_dispersion_usec, 15900000, NTP_FINE);
	FLAW(root_dispersion_usec, 16000000, NTP_TOO_DISTANT);
	FLAW(root_dispersion_usec, UINT64_MAX, NTP_TOO_DISTANT);
	FLAW(spike, true, NTP_FINE);
	FLAW(jitter_usec, UINT64_MAX, NTP_FINE);
	FLAW(receive_usec, sane.transmit_usec + 1, NTP_NO_TIME);
	FLAW(transmit_usec, sane.receive_usec - 1, NTP_NO_TIME);
	FLAW(transmit_usec, sane.transmit_usec + 60, NTP_NEGATIVE_DELAY);
	FLAW(destination_usec, sane.origin_usec - 10, NTP_NEGATIVE_DELAY);
	FLAW(origin_usec, sane.destination_usec + 10, NTP_NEGATIVE_DELAY);
	FLAW(origin_usec, sane.origin_usec - 40000000, NTP_TOO_DISTANT);
#undef FLAW
}

static void stamps_that_are_none(void **state)
{
	(void)state;
	static const uint64_t none[] = {0, USEC_NEVER, INT64_MAX, (uint64_t)INT64_MAX / 1000};
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < sizeof none / sizeof *none; j++) {
			struct timesync_message m = captured("sane");
			uint64_t *stamps[] = {&m.origin_usec, &m.receive_usec, &m.transmit_usec,
					      &m.destination_usec};
			*stamps[i] = none[j];
			assert_flaw(&m, NTP_NO_TIME, "no stamp");
		}
	}
	struct timesync_message m = captured("sane");
	m.receive_usec = USEC_1900;
	assert_flaw(&m, NTP_NO_TIME, "no receive stamp");
	m = captured("sane");
	m.transmit_usec = USEC_1900;
	assert_flaw(&m, NTP_NO_TIME, "no transmit stamp");
	m = captured("sane");
	m.origin_usec = USEC_1900; /* this clock counts from 1970 */
	assert_flaw(&m, NTP_NO_TIME, "a local clock before 1970");
}

/* As it is before the first answer: all zero, and the stamps what zero becomes. */
static void nothing_received_yet(void **state)
{
	(void)state;
	struct timesync_message m = {.receive_usec = USEC_1900, .transmit_usec = USEC_1900};
	assert_flaw(&m, NTP_UNSYNCHRONIZED, "nothing yet");
}

/* A server's time of day beyond 2036-02-07T06:28:16Z is before 1900 again on the bus. */
static void era_change(void **state)
{
	(void)state;
	const uint64_t change = UINT64_C(2085978496000000);
	struct timesync_message m = captured("sane");
	m.origin_usec = change - 50;
	m.receive_usec = USEC_1900 + 7000000;
	m.transmit_usec = USEC_1900 + 7000010;
	m.destination_usec = change + 60;
	struct ntp_measurement out = measured(&m);
	assert_within(out.offset, 7 * NSEC_PER_SEC, 2);
	assert_within(out.delay, USEC(110 - 10 + 2), 2);
}

/* Whatever the microseconds that were cut off, the truth is within the bound. */
static void cut_stamps_stay_within_the_bound(void **state)
{
	(void)state;
	const nsec t = 1705361803 * NSEC_PER_SEC, truth = 7 * NSEC_PER_SEC + 123;
	for (nsec there = 0; there < 3000; there += 499) {
		for (nsec back = 0; back < 3000; back += 499) {
			for (nsec phase = 0; phase < 1000; phase += 111) {
				nsec t1 = t + phase, t2 = t1 + there, t3 = t2 + 777, t4 = t3 + back;
				struct timesync_message m = captured("sane");
				m.origin_usec = (uint64_t)(t1 / 1000);
				m.receive_usec = (uint64_t)((t2 + truth) / 1000);
				m.transmit_usec = (uint64_t)((t3 + truth) / 1000);
				m.destination_usec = (uint64_t)(t4 / 1000);
				struct ntp_measurement out = measured(&m);
				assert_within(out.offset, truth, out.path_bound + 2);
				assert_true(out.delay + 2 >= there + back);
				assert_true(out.delay <= there + back + 4000 + 2);
			}
		}
	}
}

/* The largest that the bus can say: UBSan watches. */
static void extremes(void **state)
{
	(void)state;
	static const uint64_t edges[] = {
	    0, 1, INT64_MAX / 1000 - 1, INT64_MAX, UINT64_C(1) << 63, USEC_1900, USEC_NEVER};
	const size_t n = sizeof edges / sizeof *edges;
	for (size_t i = 0; i < n * n * n * n; i++) {
		struct ntp_measurement out;
		struct timesync_message m = {
		    .version = 4, .mode = 4, .stratum = 1, .packet_count = 1, .precision = -20};
		m.origin_usec = edges[i % n];
		m.receive_usec = edges[i / n % n];
		m.transmit_usec = edges[i / n / n % n];
		m.destination_usec = edges[i / n / n / n];
		(void)!timesync_measure(&m, &out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(honest_clock),
	    cmocka_unit_test(server_seven_seconds_ahead),
	    cmocka_unit_test(local_clock_ahead),
	    cmocka_unit_test(flaws),
	    cmocka_unit_test(stamps_that_are_none),
	    cmocka_unit_test(nothing_received_yet),
	    cmocka_unit_test(era_change),
	    cmocka_unit_test(cut_stamps_stay_within_the_bound),
	    cmocka_unit_test(extremes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
