/* SPDX-License-Identifier: MIT */
#include "proto/ntp_control.h"
#include "proto/wire.h"
#include "support/guard_page.h"
#include "support/hex_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SEQUENCE 0x1234
#define HEADER	 12

enum { SECOND = 1, AT_STATUS = 4, AT_ASSOCIATION = 6, AT_OFFSET = 8, AT_COUNT = 10 };
enum { RESPONSE = 0x82, ERROR = 0x40, MORE = 0x20 };

static const char named[] = "ntpsec_mode6_sys_named.txt";
static const char torn[] = "ntpsec_mode6_peer_all_uninit_bytes.txt";

static struct ntp_control_reply fresh(void)
{
	struct ntp_control_reply r;
	ntp_control_reply_init(&r, SEQUENCE);
	return r;
}

static enum verdict add(struct ntp_control_reply *r, const struct hex_bytes *packet)
{
	return ntp_control_add(r, packet->b, packet->n);
}

/* A packet of data[from, to) with these flags, at offset `from`. */
static struct hex_bytes packet(unsigned flags, const char *data, size_t from, size_t to)
{
	struct hex_bytes p = {.n = HEADER + to - from, .b = {2 << 3 | 6, (uint8_t)flags}};
	wire_put(p.b + 2, SEQUENCE, 2);
	wire_put(p.b + AT_STATUS, 0x0615, 2);
	wire_put(p.b + AT_OFFSET, from, 2);
	wire_put(p.b + AT_COUNT, to - from, 2);
	memcpy(p.b + HEADER, data + from, to - from);
	return p;
}

static void assert_refused(struct ntp_control_reply *r, const struct hex_bytes *p, const char *what)
{
	struct ntp_control_reply before = *r;
	if (add(r, p) != VERDICT_INVALID)
		fail_msg("taken: %s", what);
	assert_memory_equal(&before, r, sizeof before);
}

static struct ntp_control_system parsed(const struct ntp_control_reply *r)
{
	struct ntp_control_system s;
	assert_int_equal(ntp_control_parse(r, &s), VERDICT_DONE);
	return s;
}

/* The system's variables of a fixture that is one packet. */
static struct ntp_control_system answered(const char *fixture)
{
	struct ntp_control_reply r = fresh();
	struct hex_bytes p = hex_fixture(fixture, "RPY", 0);
	assert_int_equal(add(&r, &p), VERDICT_DONE);
	return parsed(&r);
}

static void assert_near(double a, double b)
{
	if (!(fabs(a - b) <= 1e-12))
		fail_msg("%.15g is not %.15g", a, b);
}

static void request_is_the_one_that_was_answered(void **state)
{
	(void)state;
	uint8_t out[NTP_CONTROL_REQUEST_MAX];
	struct hex_bytes sent = hex_fixture(named, "REQ", 0);
	assert_int_equal(ntp_control_request(SEQUENCE, out), sent.n);
	assert_memory_equal(out, sent.b, sent.n);
}

static void variables_by_name(void **state)
{
	(void)state;
	struct ntp_control_system s = answered(named);
	assert_int_equal(s.status_leap, 0);
	assert_int_equal(s.leap, 0);
	assert_int_equal(s.stratum, 3);
	assert_near(s.offset_s, 17.316e-6);
	assert_near(s.jitter_s, 0);
	assert_near(s.root_delay_s, 55e-6);
	assert_near(s.root_dispersion_s, 62.679e-3);
	assert_string_equal(s.refid, "10.99.0.2");
	assert_true(s.reftime == UINT64_C(0xeeaf8e1b9149343b));
	assert_int_equal(s.tc, 3);
	assert_near(s.frequency_ppm, 0);
}

/* Quoted strings, and variables that were not asked for. */
static void all_variables(void **state)
{
	(void)state;
	struct ntp_control_system s = answered("ntpsec_mode6_sys_all.txt");
	assert_int_equal(s.leap, 0);
	assert_int_equal(s.stratum, 3);
	assert_near(s.offset_s, 17.316e-6);
	assert_near(s.root_dispersion_s, 62.679e-3);
	assert_string_equal(s.refid, "10.99.0.2");
	assert_true(s.reftime == UINT64_C(0xeeaf8e1b9149343b));
	assert_int_equal(s.tc, 3);
}

/* A step of 7 s that the daemon was not allowed to make: the offset is said to be 0. */
static void step_refused(void **state)
{
	(void)state;
	struct ntp_control_system s = answered("ntpsec_mode6_sys_step_refused.txt");
	assert_int_equal(s.status_leap, 3);
	assert_int_equal(s.leap, 3);
	assert_int_equal(s.stratum, 16);
	assert_near(s.offset_s, 0);
	assert_near(s.jitter_s, 60e-9);
	assert_near(s.root_delay_s, 0);
	assert_near(s.root_dispersion_s, 120e-6);
	assert_string_equal(s.refid, "STEP");
	/* Not asked for in this exchange: absent, not 0. */
	assert_true(s.reftime == 0);
	assert_int_equal(s.tc, -1);
	assert_true(isnan(s.frequency_ppm));
}

static void refusal(void **state)
{
	(void)state;
	struct ntp_control_reply r = fresh();
	struct hex_bytes p = hex_fixture("ntpsec_mode6_err_unknownvar.txt", "RPY", 0);
	struct ntp_control_system s;
	assert_int_equal(p.b[AT_OFFSET] << 8 | p.b[AT_OFFSET + 1], 468); /* stale */
	assert_int_equal(add(&r, &p), VERDICT_DONE);
	assert_true(r.refused);
	assert_int_equal(r.error, NTP_CONTROL_UNKNOWN_VARIABLE);
	assert_string_equal(ntp_control_error_text(r.error), "unknown variable");
	assert_int_equal(ntp_control_parse(&r, &s), VERDICT_INVALID);

	/* It is the last word. */
	struct hex_bytes late = hex_fixture(named, "RPY", 0);
	assert_refused(&r, &late, "an answer after the refusal");
	assert_int_equal(add(&r, &p), VERDICT_DONE);
	p.b[AT_STATUS] = NTP_CONTROL_RESTRICTED;
	assert_refused(&r, &p, "another refusal");

	r = fresh();
	assert_int_equal(add(&r, &late), VERDICT_DONE);
	assert_refused(&r, &p, "a refusal after the answer");
}

static void every_error_has_a_text(void **state)
{
	(void)state;
	for (unsigned e = 0; e <= UINT8_MAX; e++)
		assert_true(strlen(ntp_control_error_text((uint8_t)e)) > 5);
	assert_string_equal(ntp_control_error_text(NTP_CONTROL_PERMISSION), "permission denied");
	assert_string_equal(ntp_control_error_text(NTP_CONTROL_RESTRICTED),
			    "administratively prohibited");
	assert_string_equal(ntp_control_error_text(8), "an unknown error");
}

static void answers_to_other_questions(void **state)
{
	(void)state;
	static const char *const others[] = {
	    "ntpsec_mode6_peer_named.txt",
	    "ntpsec_mode6_peer_plus7.txt",
	    "ntpsec_mode6_readstat.txt",
	    torn,
	};
	struct ntp_control_reply r = fresh();
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct hex_bytes p = hex_fixture(others[i], "RPY", 0);
		assert_refused(&r, &p, others[i]);
	}
	struct hex_bytes own = hex_fixture(named, "REQ", 0);
	assert_refused(&r, &own, "our own question");
	/* None of them was in the way of the answer. */
	struct hex_bytes p = hex_fixture(named, "RPY", 0);
	assert_int_equal(add(&r, &p), VERDICT_DONE);
}

static void wrong_headers(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		size_t at, n;
		uint64_t value;
	} rows[] = {
	    {"version 1", 0, 1, 1 << 3 | 6},
	    {"version 3", 0, 1, 3 << 3 | 6},
	    {"mode 4", 0, 1, 2 << 3 | 4},
	    {"mode 7", 0, 1, 2 << 3 | 7},
	    {"no response", SECOND, 1, 2},
	    {"READSTAT", SECOND, 1, 0x81},
	    {"WRITEVAR", SECOND, 1, 0x83},
	    {"an earlier sequence", 2, 2, SEQUENCE - 1},
	    {"sequence 0", 2, 2, 0},
	    {"another association", AT_ASSOCIATION, 2, 1},
	    {"more than the packet has", AT_COUNT, 2, 0xa5 + 4},
	    {"much more than it has", AT_COUNT, 2, UINT16_MAX},
	    {"beyond the limit", AT_OFFSET, 2, NTP_CONTROL_DATA_MAX - 0xa5 + 1},
	    {"far beyond the limit", AT_OFFSET, 2, UINT16_MAX},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ntp_control_reply r = fresh();
		struct hex_bytes p = hex_fixture(named, "RPY", 0);
		wire_put(p.b + rows[i].at, rows[i].value, rows[i].n);
		assert_refused(&r, &p, rows[i].what);
	}
	struct ntp_control_reply r = fresh();
	struct hex_bytes p = hex_fixture(named, "RPY", 0);
	wire_put(p.b + AT_OFFSET, NTP_CONTROL_DATA_MAX - 0xa5, 2);
	assert_int_equal(add(&r, &p), VERDICT_MORE); /* the last place that there is */
}

/* The two fragments of a real answer; made out to be the system's, since only that is asked for. */
static struct hex_bytes fragment(unsigned index)
{
	struct hex_bytes p = hex_fixture(torn, "RPY", index);
	wire_put(p.b + AT_ASSOCIATION, 0, 2);
	return p;
}

static void fragments_in_any_order(void **state)
{
	(void)state;
	struct hex_bytes first = fragment(0), second = fragment(1);
	const struct hex_bytes *orders[][4] = {
	    {&first, &second, &second, &first},
	    {&second, &first, &first, &second},
	    {&first, &first, &second, &first},
	    {&second, &second, &first, &second},
	};
	for (size_t i = 0; i < 4; i++) {
		struct ntp_control_reply r = fresh();
		struct ntp_control_system s;
		bool has_first = false, has_second = false;
		assert_int_equal(ntp_control_parse(&r, &s), VERDICT_MORE);
		for (size_t j = 0; j < 4; j++) {
			has_first |= orders[i][j] == &first;
			has_second |= orders[i][j] == &second;
			enum verdict v = has_first && has_second ? VERDICT_DONE : VERDICT_MORE;
			assert_int_equal(add(&r, orders[i][j]), v);
			assert_int_equal(ntp_control_parse(&r, &s), v);
		}
		assert_int_equal(r.total, 468 + 183);
		/* The bytes of the daemon's stack, which are not even text, are not in the way. */
		assert_non_null(memchr(r.data, 0xfc, r.total));
		assert_int_equal(s.status_leap, 2);
		assert_int_equal(s.leap, 0);
		assert_int_equal(s.stratum, 2);
		assert_near(s.offset_s, 16.438e-6);
		assert_string_equal(s.refid, "127.127.1.1");
		assert_true(isnan(s.jitter_s));
	}
}

static void gaps_and_overlaps(void **state)
{
	(void)state;
	static const char text[] = "leap=0, stratum=3, offset=0.017316";
	const size_t n = sizeof text - 1;
	struct ntp_control_reply r = fresh();
	struct hex_bytes head = packet(RESPONSE | MORE, text, 0, 10);
	struct hex_bytes middle = packet(RESPONSE | MORE, text, 8, 20); /* overlaps the head */
	struct hex_bytes inner = packet(RESPONSE | MORE, text, 12, 14);
	struct hex_bytes tail = packet(RESPONSE, text, 20, n);
	struct hex_bytes longer_tail = packet(RESPONSE, text, 15, n);
	assert_int_equal(add(&r, &tail), VERDICT_MORE);
	assert_int_equal(add(&r, &head), VERDICT_MORE);
	assert_int_equal(add(&r, &inner), VERDICT_MORE);
	assert_int_equal(add(&r, &longer_tail), VERDICT_MORE);
	assert_int_equal(add(&r, &middle), VERDICT_DONE);
	assert_int_equal(r.total, n);
	assert_memory_equal(r.data, text, n);
	assert_near(parsed(&r).offset_s, 17.316e-6);
}

static void contradictions(void **state)
{
	(void)state;
	static const char text[] = "leap=0, stratum=3, offset=0.017316";
	const size_t n = sizeof text - 1;
	struct ntp_control_reply r = fresh();
	struct hex_bytes head = packet(RESPONSE | MORE, text, 0, 20);
	struct hex_bytes tail = packet(RESPONSE, text, 20, n);
	assert_int_equal(add(&r, &head), VERDICT_MORE);

	struct hex_bytes p = packet(RESPONSE | MORE, "leap=3, stratum=3, o", 0, 20);
	assert_refused(&r, &p, "other bytes at the same place");
	p = packet(RESPONSE, text, 0, 19);
	assert_refused(&r, &p, "an end before what has come");
	p = tail;
	wire_put(p.b + AT_STATUS, 0xc615, 2);
	assert_refused(&r, &p, "another status");
	p = packet(RESPONSE | MORE, text, 20, 20);
	assert_refused(&r, &p, "nothing, and more to come");

	struct ntp_control_reply other = fresh();
	assert_int_equal(add(&other, &tail), VERDICT_MORE);
	p = packet(RESPONSE, text, 20, n - 1);
	assert_refused(&other, &p, "an earlier end");
	p = packet(RESPONSE | MORE, "leap=0, stratum=3, offset=0.0173160", 0, n + 1);
	assert_refused(&other, &p, "more than there is");
	p = packet(RESPONSE, "leap=0, stratum=3, offset=0.0173160", 20, n + 1);
	assert_refused(&other, &p, "a later end");

	assert_int_equal(add(&r, &tail), VERDICT_DONE);
	assert_int_equal(add(&other, &head), VERDICT_DONE);
	assert_memory_equal(&r, &other, sizeof r);
}

/* An answer of exactly the fragments' size ends with one that is empty. */
static void empty_last_fragment(void **state)
{
	(void)state;
	static const char text[] = "leap=0";
	struct ntp_control_system s;
	struct hex_bytes all = packet(RESPONSE | MORE, text, 0, 6);
	struct hex_bytes end = packet(RESPONSE, text, 6, 6);
	struct ntp_control_reply r = fresh();
	assert_int_equal(add(&r, &all), VERDICT_MORE);
	assert_int_equal(add(&r, &end), VERDICT_DONE);
	assert_int_equal(parsed(&r).leap, 0);
	r = fresh();
	assert_int_equal(add(&r, &end), VERDICT_MORE);
	assert_int_equal(add(&r, &all), VERDICT_DONE);
	assert_int_equal(parsed(&r).leap, 0);

	r = fresh();
	struct hex_bytes nothing = packet(RESPONSE, text, 0, 0);
	assert_int_equal(add(&r, &nothing), VERDICT_DONE);
	assert_int_equal(ntp_control_parse(&r, &s), VERDICT_INVALID);
}

static void padding_is_not_read(void **state)
{
	(void)state;
	struct ntp_control_reply r = fresh();
	struct hex_bytes p = packet(RESPONSE, "leap=0,stratum=3", 0, 6);
	memcpy(p.b + p.n, "2\xff", 2);
	p.n += 2;
	assert_int_equal(add(&r, &p), VERDICT_DONE);
	assert_int_equal(parsed(&r).leap, 0);
}

static void every_length(void **state)
{
	(void)state;
	struct hex_bytes p = hex_fixture(named, "RPY", 0);
	struct guarded g = guarded_new(sizeof p.b);
	struct ntp_control_reply r = fresh(), before = r;
	for (size_t n = 0; n < HEADER + 0xa5; n++)
		assert_int_equal(ntp_control_add(&r, guarded_copy(&g, p.b, n), n), VERDICT_INVALID);
	assert_int_equal(ntp_control_add(&r, NULL, 0), VERDICT_INVALID);
	assert_memory_equal(&before, &r, sizeof r);
	for (size_t n = HEADER + 0xa5; n < p.n + 20; n++)
		assert_int_equal(ntp_control_add(&r, guarded_copy(&g, p.b, n), n), VERDICT_DONE);
	guarded_free(&g);
}

/* The verdict on a text that came whole. */
static enum verdict parse(const char *text, struct ntp_control_system *s)
{
	struct ntp_control_reply r = fresh();
	struct hex_bytes p = packet(RESPONSE, text, 0, strlen(text));
	assert_int_equal(add(&r, &p), VERDICT_DONE);
	return ntp_control_parse(&r, s);
}

static void numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double ms; /* NAN: refused */
	} rows[] = {
	    {"0", 0},
	    {"-0.000000", 0},
	    {"7000.055009", 7000.055009},
	    {"-7000.055009", -7000.055009},
	    {"+0.5", 0.5},
	    {"007", 7},
	    {"1e3", 1000},
	    {"1.5E-05", 1.5e-5},
	    {"2147483648000", 2147483648000.0},
	    {"-2147483648000", -2147483648000.0},
	    {"9007199254740991e-6", 9007199254.740991},
	    {"", NAN},
	    {"-", NAN},
	    {"+-1", NAN},
	    {".", NAN},
	    {".5", NAN},
	    {"5.", NAN},
	    {"1.2.3", NAN},
	    {"1,5", 1}, /* the comma ends the value: there is no locale */
	    {"1 5", NAN},
	    {"1e", NAN},
	    {"1e+", NAN},
	    {"e5", NAN},
	    {"1e99", NAN},
	    {"1e-99", NAN},
	    {"1e400", NAN},
	    {"1e4294967297", NAN},
	    {"1e99999999999999999999", NAN},
	    {"0x10", NAN},
	    {"inf", NAN},
	    {"-inf", NAN},
	    {"nan", NAN},
	    {"NaN(1)", NAN},
	    {"2147483648001", NAN},
	    {"99999999999999999999999999", NAN},
	    {"0.000000000000000000000000000000001", NAN},
	    {"1\xff", NAN},
	    {"\xfc\xb3\x12\xfe\x7f 0.06", NAN},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ntp_control_system s, before;
		char text[128];
		snprintf(text, sizeof text, "offset=%s", rows[i].text);
		memset(&s, 0x5a, sizeof s);
		before = s;
		enum verdict v = parse(text, &s);
		if (v != (isnan(rows[i].ms) ? VERDICT_INVALID : VERDICT_DONE))
			fail_msg("%s: verdict %d", text, v);
		if (v == VERDICT_DONE)
			assert_near(s.offset_s, rows[i].ms / 1000);
		else
			assert_memory_equal(&s, &before, sizeof s);
	}
}

static void ranges(void **state)
{
	(void)state;
	static const char *const good[] = {
	    "leap=3",	   "stratum=0",		"stratum=255",	 "tc=0",
	    "tc=31",	   "frequency=-500.0",	"frequency=1e6", "sys_jitter=0",
	    "rootdelay=0", "rootdisp=16000.00", "refid=",	 "reftime=0x00000000.00000000",
	};
	static const char *const bad[] = {
	    "leap=4",
	    "leap=-1",
	    "leap=0.5",
	    "stratum=256",
	    "stratum=-1",
	    "tc=32",
	    "tc=-1",
	    "tc=1e20",
	    "frequency=1000001",
	    "sys_jitter=-0.001",
	    "rootdelay=-1",
	    "rootdisp=-1",
	    "reftime=0",
	    "reftime=0xeeaf8e1b.9149343",
	    "reftime=0xeeaf8e1b.9149343bb",
	    "reftime=0xeeaf8e1b:9149343b",
	    "reftime=0xeeaf8e1g.9149343b",
	    "reftime=0Xeeaf8e1b.9149343b",
	    "reftime=00eeaf8e1b.9149343b",
	    "leap=0,leap=0",
	    "leap=0, stratum=3, leap=3",
	    "leap=0, offset=nan",
	};
	struct ntp_control_system s;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (parse(good[i], &s) != VERDICT_DONE)
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (parse(bad[i], &s) != VERDICT_INVALID)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(parse("reftime=0xEEAF8E1B.9149343b", &s), VERDICT_DONE);
	assert_true(s.reftime == UINT64_C(0xeeaf8e1b9149343b));
}

static void lists(void **state)
{
	(void)state;
	struct ntp_control_system s;
	/* Names alone, empty items, strangers, and blanks wherever they may be. */
	assert_int_equal(
	    parse(" ,,leap, leaps=9 ,\r\n stratum = 2 ,=5,Leap=7,xleap=8,tc=6,\r\n", &s),
	    VERDICT_DONE);
	assert_int_equal(s.leap, -1);
	assert_int_equal(s.stratum, 2);
	assert_int_equal(s.tc, 6);
	assert_true(isnan(s.offset_s));
	/* What is in quotes is not a list. */
	assert_int_equal(parse("version=\"a, leap=1, b\", stratum=\"4\", x=\"", &s), VERDICT_DONE);
	assert_int_equal(s.leap, -1);
	assert_int_equal(s.stratum, 4);
	/* Quotes that do not end take the rest with them. */
	assert_int_equal(parse("tc=4, version=\"a, leap=1", &s), VERDICT_DONE);
	assert_int_equal(s.leap, -1);
	assert_int_equal(s.tc, 4);
	/* A name in the middle of bytes that are no text. */
	assert_int_equal(parse("\xfc\xb3=\x12\xfe,\x80leap=1,leap=2\xff", &s), VERDICT_INVALID);
	assert_int_equal(parse("\xfc\xb3=\x12\xfe,\x80leap=1,leap=2", &s), VERDICT_DONE);
	assert_int_equal(s.leap, 2);
	/* Not one of ours. */
	assert_int_equal(parse("srcadr=10.99.0.2, delay=0.05", &s), VERDICT_INVALID);
	assert_int_equal(parse("leap", &s), VERDICT_INVALID);
}

static void refids(void **state)
{
	(void)state;
	static const struct {
		const char *text, *refid;
	} rows[] = {
	    {"refid=10.99.0.2", "10.99.0.2"},
	    {"refid=\"GPS\"", "GPS"},
	    {"refid=.PPS.", ".PPS."},
	    {"refid=a b", "a b"},
	    {"refid=\x1b[31m\x7f\x80\xff", "?[31m???"},
	    {"refid=123456789012345678901234567890", "12345678901234567890123"},
	    {"refid=\"", "\""},
	    {"refid==", "="},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ntp_control_system s;
		assert_int_equal(parse(rows[i].text, &s), VERDICT_DONE);
		assert_string_equal(s.refid, rows[i].refid);
	}
	struct ntp_control_reply r = fresh();
	struct hex_bytes p = packet(RESPONSE, "refid=a\0b", 0, 9);
	assert_int_equal(add(&r, &p), VERDICT_DONE);
	assert_string_equal(parsed(&r).refid, "a?b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_is_the_one_that_was_answered),
	    cmocka_unit_test(variables_by_name),
	    cmocka_unit_test(all_variables),
	    cmocka_unit_test(step_refused),
	    cmocka_unit_test(refusal),
	    cmocka_unit_test(every_error_has_a_text),
	    cmocka_unit_test(answers_to_other_questions),
	    cmocka_unit_test(wrong_headers),
	    cmocka_unit_test(fragments_in_any_order),
	    cmocka_unit_test(gaps_and_overlaps),
	    cmocka_unit_test(contradictions),
	    cmocka_unit_test(empty_last_fragment),
	    cmocka_unit_test(padding_is_not_read),
	    cmocka_unit_test(every_length),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(ranges),
	    cmocka_unit_test(lists),
	    cmocka_unit_test(refids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
