/* SPDX-License-Identifier: MIT */
#include "proto/echo_time.h"
#include "support/guard_page.h"
#include "support/line_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define T (1795494431 * NSEC_PER_SEC)

static void assert_echo(struct slice text, nsec lo, nsec unit)
{
	nsec found_lo = 0, found_hi = 0;
	assert_int_equal(echo_server_time(text, &found_lo, &found_hi), VERDICT_DONE);
	assert_true(found_lo == lo);
	assert_true(found_hi == lo + unit);
}

static void assert_refused(const char *bytes, size_t n)
{
	struct guarded g = guarded_new(n);
	nsec lo = 42, hi = 43;
	struct slice text = {(char *)guarded_copy(&g, bytes, n), n};
	assert_int_equal(echo_server_time(text, &lo, &hi), VERDICT_INVALID);
	assert_true(lo == 42 && hi == 43);
	guarded_free(&g);
}

static void pushed_by_a_real_server(void **state)
{
	(void)state;
	struct slice text = line_fixture("ovpn_echo_srvtime_2.6.14.raw", ">ECHO:", 0);
	struct slice stamp = slice_cut(&text, ',');
	assert_true(slice_is(stamp, "1795496168"));
	assert_echo(text, 1795496168 * NSEC_PER_SEC + 744159895, 1);
}

static void as_fine_as_it_is_written(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		nsec lo, unit;
	} rows[] = {
	    {"srvtime 1795494431", T, NSEC_PER_SEC},
	    {"srvtime 1795494431.1", T + 100 * NSEC_PER_MSEC, 100 * NSEC_PER_MSEC},
	    {"srvtime 1795494431.10", T + 100 * NSEC_PER_MSEC, 10 * NSEC_PER_MSEC},
	    {"srvtime 1795494431.123", T + 123 * NSEC_PER_MSEC, NSEC_PER_MSEC},
	    {"srvtime 1795494431.000001", T + NSEC_PER_USEC, NSEC_PER_USEC},
	    {"srvtime 1795494431.123456789", T + 123456789, 1},
	    {"srvtime 1795494431.999999999", T + 999999999, 1},
	    {"srvtime 1795494431.1234567899999999999999", T + 123456789, 1},
	    {"srvtime 1795494431.9", T + 900 * NSEC_PER_MSEC, 100 * NSEC_PER_MSEC},
	    {"  srvtime 1795494431.5   ", T + 500 * NSEC_PER_MSEC, 100 * NSEC_PER_MSEC},
	    {"srvtime 0", 0, NSEC_PER_SEC},
	    {"srvtime 9214646399.999999999", 9214646399 * NSEC_PER_SEC + 999999999, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_echo(slice_from(rows[i].text), rows[i].lo, rows[i].unit);
}

static void anything_else(void **state)
{
	(void)state;
	static const char *const rows[] = {
	    "",
	    " ",
	    "srvtime",
	    "srvtime ",
	    "srvtime.5",
	    "srvtime .5",
	    "srvtime 1795494431.",
	    "srvtime 1795494431.%N",
	    "srvtime 1795494431.N",
	    "srvtime 1795494431,5",
	    "srvtime 1795494431.5.5",
	    "srvtime 1795494431.5s",
	    "srvtime 1795494431 5",
	    "srvtime 1795494431.5 forget-passwords",
	    "srvtime  1795494431",
	    "srvtime\t1795494431",
	    "srvtime 1795494431\t",
	    "srvtime 1795494431\r",
	    "srvtime +1795494431",
	    "srvtime -1",
	    "srvtime -1795494431.5",
	    "srvtime 0x6b05a2ff",
	    "srvtime 1.7e9",
	    "srvtime 9214646400",
	    "srvtime 9223372037",
	    "srvtime 17954944310",
	    "srvtime 18446744073709551616",
	    "srvtime 99999999999999999999999999999999.5",
	    "srvtime 1795494431.-5",
	    "srvtime 1795494431.\xd9\xa1",
	    "Srvtime 1795494431",
	    "asrvtime 1795494431",
	    "setenv srvtime 1795494431",
	    "1795494431.5",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_refused(rows[i], strlen(rows[i]));
	assert_refused("srvtime 1795494431\0", 19);
	assert_refused("srvtime 1795494431.5\0006", 22);
	nsec lo, hi;
	assert_int_equal(echo_server_time((struct slice){0}, &lo, &hi), VERDICT_INVALID);
}

/* Cut anywhere, it is refused or, within the fraction, coarser: the whole time still lies in it. */
static void cut_short(void **state)
{
	(void)state;
	const char whole[] = "srvtime 1795494431.123456789";
	const size_t seconds = strlen("srvtime 1795494431");
	struct guarded g = guarded_new(sizeof whole);
	for (size_t n = 0; n < seconds - 9; n++)
		assert_refused(whole, n);
	assert_refused(whole, seconds + 1);
	for (size_t n = seconds; n < sizeof whole; n++) {
		nsec lo = 0, hi = 0;
		if (n == seconds + 1)
			continue;
		struct slice text = {(char *)guarded_copy(&g, whole, n), n};
		assert_int_equal(echo_server_time(text, &lo, &hi), VERDICT_DONE);
		assert_true(lo <= T + 123456789 && T + 123456789 < hi);
	}
	guarded_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pushed_by_a_real_server),
	    cmocka_unit_test(as_fine_as_it_is_written),
	    cmocka_unit_test(anything_else),
	    cmocka_unit_test(cut_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
