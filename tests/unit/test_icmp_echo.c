/* SPDX-License-Identifier: MIT */
#include "proto/icmp_echo.h"
#include "random.h"
#include "support/guard_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct icmp_echo asked = {
    .id = 0x1234, .sequence = 0x5678, .token = "0123456789abcde"};

/* A reply from 127.0.0.1 as a raw socket gives it. Its sums were computed by another program. */
static const uint8_t packet[] = {0x45, 0x00, 0x00, 0x2c, 0x1f, 0xd2, 0x00, 0x00, 0x40, 0x01, 0x5c,
				 0xfd, 0x7f, 0x00, 0x00, 0x01, 0x7f, 0x00, 0x00, 0x01, 0x00, 0x00,
				 0x68, 0x82, 0x12, 0x34, 0x56, 0x78, '0',  '1',	 '2',  '3',  '4',
				 '5',  '6',  '7',  '8',	 '9',  'a',  'b',  'c',	 'd',  'e',  0x00};
#define MESSAGE (packet + 20)

static bool same(const struct icmp_echo *a, const struct icmp_echo *b)
{
	return a->id == b->id && a->sequence == b->sequence &&
	       memcmp(a->token, b->token, sizeof a->token) == 0;
}

/* Whether it is a reply; the output is untouched unless it is. */
static bool is_reply(enum icmp_form form, const void *bytes, size_t size, struct icmp_echo *out)
{
	struct icmp_echo e, before;
	memset(&e, 0x5a, sizeof e);
	before = e;
	enum verdict v = icmp_echo_reply(form, bytes, size, &e);
	assert_true(v == VERDICT_DONE || v == VERDICT_INVALID);
	if (v != VERDICT_DONE)
		assert_true(same(&e, &before));
	if (out != NULL)
		*out = e;
	return v == VERDICT_DONE;
}

static void request_of_each_family(void **state)
{
	(void)state;
	uint8_t out[ICMP_ECHO_SIZE];
	icmp_echo_request(false, &asked, out);
	assert_memory_equal(out, "\x08\x00\x60\x82\x12\x34\x56\x78", 8);
	assert_memory_equal(out + 8, asked.token, sizeof asked.token);
	icmp_echo_request(true, &asked, out);
	assert_memory_equal(out, "\x80\x00\x00\x00\x12\x34\x56\x78", 8);
	assert_memory_equal(out + 8, asked.token, sizeof asked.token);
}

static void reply_of_each_form(void **state)
{
	(void)state;
	struct icmp_echo e;
	uint8_t v6[ICMP_ECHO_SIZE];
	assert_true(is_reply(ICMP_V4_PACKET, packet, sizeof packet, &e));
	assert_true(same(&e, &asked));
	assert_true(is_reply(ICMP_V4_MESSAGE, MESSAGE, ICMP_ECHO_SIZE, &e));
	assert_true(same(&e, &asked));
	icmp_echo_request(true, &asked, v6);
	assert_false(is_reply(ICMP_V6_MESSAGE, v6, sizeof v6, NULL)); /* our own request */
	v6[0] = 129;
	v6[2] = 0xab; /* the kernel's business */
	assert_true(is_reply(ICMP_V6_MESSAGE, v6, sizeof v6, &e));
	assert_true(same(&e, &asked));
	/* Not one form for another. */
	assert_false(is_reply(ICMP_V4_MESSAGE, packet, sizeof packet, NULL));
	assert_false(is_reply(ICMP_V4_PACKET, MESSAGE, ICMP_ECHO_SIZE, NULL));
	assert_false(is_reply(ICMP_V6_MESSAGE, MESSAGE, ICMP_ECHO_SIZE, NULL));
	assert_false(is_reply(ICMP_V4_MESSAGE, v6, sizeof v6, NULL));
}

static void header_with_options(void **state)
{
	(void)state;
	uint8_t longest[60 + ICMP_ECHO_SIZE] = {0x4f, 0, 0, sizeof longest};
	longest[9] = 1;
	memcpy(longest + 60, MESSAGE, ICMP_ECHO_SIZE);
	assert_true(is_reply(ICMP_V4_PACKET, longest, sizeof longest, NULL));
	longest[0] = 0x4e; /* the message does not begin there */
	assert_false(is_reply(ICMP_V4_PACKET, longest, sizeof longest, NULL));
	longest[0] = 0x44; /* a header shorter than there is */
	assert_false(is_reply(ICMP_V4_PACKET, longest, sizeof longest, NULL));
	longest[0] = 0x6f;
	assert_false(is_reply(ICMP_V4_PACKET, longest, sizeof longest, NULL));
}

/* Cut anywhere, or longer than it was: at the end of memory. */
static void torn(void **state)
{
	(void)state;
	struct guarded g = guarded_new(sizeof packet + 1);
	uint8_t more[sizeof packet + 1] = {0};
	memcpy(more, packet, sizeof packet);
	for (size_t n = 0; n <= sizeof more; n++) {
		bool whole = n == sizeof packet;
		uint8_t *at = guarded_copy(&g, more, n);
		assert_int_equal(is_reply(ICMP_V4_PACKET, at, n, NULL), whole);
		if (n > 3) { /* the header says that it is all there */
			at[3] = (uint8_t)n;
			assert_int_equal(is_reply(ICMP_V4_PACKET, at, n, NULL), whole);
		}
	}
	for (size_t n = 0; n <= ICMP_ECHO_SIZE + 1; n++) {
		bool whole = n == ICMP_ECHO_SIZE;
		assert_int_equal(is_reply(ICMP_V4_MESSAGE, guarded_copy(&g, more + 20, n), n, NULL),
				 whole);
		memcpy(more + 20, "\x81", 1);
		assert_int_equal(is_reply(ICMP_V6_MESSAGE, guarded_copy(&g, more + 20, n), n, NULL),
				 whole);
		memcpy(more + 20, "\x00", 1);
	}
	assert_false(is_reply(ICMP_V4_MESSAGE, NULL, 0, NULL));
	guarded_free(&g);
}

/* The checksum sees every single bit; another protocol or code is no reply. */
static void damaged(void **state)
{
	(void)state;
	uint8_t bytes[sizeof packet];
	for (size_t bit = 0; bit < 8 * ICMP_ECHO_SIZE; bit++) {
		memcpy(bytes, packet, sizeof bytes);
		bytes[20 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(is_reply(ICMP_V4_PACKET, bytes, sizeof bytes, NULL));
		assert_false(is_reply(ICMP_V4_MESSAGE, bytes + 20, ICMP_ECHO_SIZE, NULL));
	}
	memcpy(bytes, packet, sizeof bytes);
	bytes[9] = 17;
	assert_false(is_reply(ICMP_V4_PACKET, bytes, sizeof bytes, NULL));
	bytes[20] = 129;
	bytes[21] = 1;
	assert_false(is_reply(ICMP_V6_MESSAGE, bytes + 20, ICMP_ECHO_SIZE, NULL));
}

static void quotation_as_long_as_routers_make_it(void **state)
{
	(void)state;
	uint8_t sent[ICMP_ECHO_SIZE + 8] = {0};
	struct guarded g = guarded_new(sizeof sent);
	for (int v6 = 0; v6 <= 1; v6++) {
		icmp_echo_request(v6 != 0, &asked, sent);
		for (size_t n = 0; n <= sizeof sent; n++) {
			struct icmp_quotation q, before;
			memset(&q, 0x5a, sizeof q);
			before = q;
			enum verdict v =
			    icmp_echo_quotation(v6 != 0, guarded_copy(&g, sent, n), n, &q);
			if (n < ICMP_QUOTATION_MIN) {
				assert_int_equal(v, VERDICT_INVALID);
				assert_memory_equal(&q, &before, sizeof q);
				continue;
			}
			assert_int_equal(v, VERDICT_DONE);
			assert_int_equal(q.echo.id, asked.id);
			assert_int_equal(q.echo.sequence, asked.sequence);
			assert_int_equal(q.has_token, n >= ICMP_ECHO_SIZE);
			assert_int_equal(same(&q.echo, &asked), n >= ICMP_ECHO_SIZE);
			assert_int_equal(icmp_echo_quotation(v6 == 0, sent, n, &q),
					 VERDICT_INVALID);
		}
	}
	guarded_free(&g);
}

/* What is taken is what a request with these numbers would bring back. */
static void hostile(void **state)
{
	(void)state;
	uint8_t bytes[96];
	unsigned taken = 0;
	seed = 7;
	for (int i = 0; i < 200000; i++) {
		size_t n = random_u64() % sizeof bytes;
		enum icmp_form form = (enum icmp_form)(random_u64() % 3);
		struct icmp_quotation q;
		struct icmp_echo e;
		for (size_t k = 0; k < sizeof bytes; k++)
			bytes[k] = (uint8_t)(random_u64() % 4 == 0 ? random_u64() : 0);
		if (form == ICMP_V6_MESSAGE && i % 2 == 0) {
			n = ICMP_ECHO_SIZE;
			bytes[0] = 129;
		}
		if (is_reply(form, bytes, n, &e)) {
			taken++;
			assert_true(n >= ICMP_ECHO_SIZE);
			assert_memory_equal(e.token, bytes + n - sizeof e.token, sizeof e.token);
		}
		(void)!icmp_echo_quotation(form == ICMP_V6_MESSAGE, bytes, n, &q);
	}
	assert_true(taken > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_of_each_family),
	    cmocka_unit_test(reply_of_each_form),
	    cmocka_unit_test(header_with_options),
	    cmocka_unit_test(torn),
	    cmocka_unit_test(damaged),
	    cmocka_unit_test(quotation_as_long_as_routers_make_it),
	    cmocka_unit_test(hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
