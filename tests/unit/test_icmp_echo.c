/* SPDX-License-Identifier: MIT */
#include "proto/icmp_echo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "support/guard_page.h"

static const uint8_t token[ICMP_ECHO_TOKEN] = {1, 2,  3,  4,  5,  6,  7,  8,
					       9, 10, 11, 12, 13, 14, 15, 16};

/* RFC 792: the ones' complement sum of the whole message is ffff. */
static void a_request_has_its_checksum(void **state)
{
	(void)state;
	static const uint8_t expected[ICMP_ECHO_SIZE] = {8, 0,	0x72, 0x73, 0x12, 0x34, 0x00, 0x07,
							 1, 2,	3,    4,    5,	  6,	7,    8,
							 9, 10, 11,   12,   13,	  14,	15,   16};
	uint8_t out[ICMP_ECHO_SIZE];
	icmp_echo_request(false, 0x1234, 7, token, out);
	uint32_t sum = 0;
	for (size_t i = 0; i < sizeof out; i += 2)
		sum += (uint32_t)out[i] << 8 | out[i + 1];
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	assert_memory_equal(out + 4, expected + 4, sizeof out - 4);
	assert_int_equal(out[0], 8);
	icmp_echo_request(true, 0x1234, 7, token, out);
	assert_int_equal(out[0], 128);
	assert_int_equal(out[2] | out[3], 0); /* the kernel's */
}

static size_t reply(bool v6, uint8_t out[ICMP_ECHO_SIZE])
{
	icmp_echo_request(v6, 0xffff, 9, token, out);
	out[0] = v6 ? 129 : 0;
	return ICMP_ECHO_SIZE;
}

/* A router's answer to a request of ours. */
static size_t unreachable(bool v6, uint8_t *out)
{
	size_t ip = v6 ? 40 : 24; /* with an option */
	memset(out, 0, 8 + ip);
	out[0] = v6 ? 1 : 3;
	out[8] = v6 ? 0x60 : 0x46;
	out[8 + (v6 ? 6 : 9)] = v6 ? 58 : 1;
	icmp_echo_request(v6, 1, 1, token, out + 8 + ip);
	return 8 + ip + ICMP_ECHO_SIZE;
}

static void what_comes_back_is_recognised(void **state)
{
	(void)state;
	uint8_t message[128];
	const uint8_t *found;
	for (int v6 = 0; v6 < 2; v6++) {
		size_t n = reply(v6, message);
		assert_int_equal(icmp_echo_parse(v6, message, n, &found), ICMP_ECHO_REPLY);
		assert_memory_equal(found, token, sizeof token);
		n = unreachable(v6, message);
		assert_int_equal(icmp_echo_parse(v6, message, n, &found), ICMP_ECHO_UNREACHABLE);
		assert_memory_equal(found, token, sizeof token);
		icmp_echo_request(v6, 1, 1, token, message);
		assert_int_equal(icmp_echo_parse(v6, message, ICMP_ECHO_SIZE, &found),
				 ICMP_ECHO_REQUEST);
		assert_int_equal(icmp_echo_parse(!v6, message, ICMP_ECHO_SIZE, &found),
				 ICMP_ECHO_OTHER);
	}
}

/* Cut anywhere, it is nothing, and nothing behind the cut is read. */
static void torn(void **state)
{
	(void)state;
	struct guarded g = guarded_new(256);
	const uint8_t *found = NULL;
	uint8_t message[128];
	for (int v6 = 0; v6 < 2; v6++) {
		size_t whole = unreachable(v6, message);
		for (size_t n = 0; n < whole; n++) {
			const uint8_t *cut = guarded_copy(&g, message, n);
			assert_int_equal(icmp_echo_parse(v6, cut, n, &found), ICMP_ECHO_OTHER);
		}
		for (size_t n = 0; n < reply(v6, message); n++) {
			const uint8_t *cut = guarded_copy(&g, message, n);
			assert_int_equal(icmp_echo_parse(v6, cut, n, &found), ICMP_ECHO_OTHER);
		}
	}
	assert_null(found);
	guarded_free(&g);
}

static void an_ip_header_that_lies(void **state)
{
	(void)state;
	uint8_t ip[60 + ICMP_ECHO_SIZE] = {0x45};
	const uint8_t *p = ip;
	size_t n = sizeof ip;
	assert_false(icmp_echo_skip_ipv4(&p, &n)); /* not ICMP */
	ip[9] = 1;
	ip[0] = 0x44; /* shorter than a header can be */
	assert_false(icmp_echo_skip_ipv4(&p, &n));
	ip[0] = 0x65;
	assert_false(icmp_echo_skip_ipv4(&p, &n));
	ip[0] = 0x4f;
	n = 59; /* longer than the packet */
	assert_false(icmp_echo_skip_ipv4(&p, &n));
	assert_ptr_equal(p, ip);
	n = sizeof ip;
	assert_true(icmp_echo_skip_ipv4(&p, &n));
	assert_int_equal(n, ICMP_ECHO_SIZE);
	assert_ptr_equal(p, ip + 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_has_its_checksum),
	    cmocka_unit_test(what_comes_back_is_recognised),
	    cmocka_unit_test(torn),
	    cmocka_unit_test(an_ip_header_that_lies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
