/* SPDX-License-Identifier: MIT */
#include "proto/server_status.h"
#include "support/guard_page.h"
#include "support/line_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { HOUR = 3600, KATHMANDU = 5 * HOUR + 45 * 60 };

static void assert_time(struct slice line, int64_t now, int64_t zone)
{
	struct server_time t;
	assert_int_equal(server_status_time(line, &t), VERDICT_DONE);
	assert_int_equal(t.now, now);
	assert_int_equal(t.local - t.now, zone);
}

static void assert_no_time(const char *bytes, size_t n)
{
	struct guarded g = guarded_new(n);
	struct slice line = {(char *)guarded_copy(&g, bytes, n), n};
	struct server_time t = {.now = 42, .local = 43};
	int64_t local = 44;
	assert_int_equal(server_status_time(line, &t), VERDICT_INVALID);
	assert_int_equal(t.now, 42);
	assert_int_equal(t.local, 43);
	assert_int_equal(server_status_updated(line, &local), VERDICT_INVALID);
	assert_int_equal(local, 44);
	guarded_free(&g);
}

/* The line that begins with `start`, with its start. */
static struct slice whole_line(const char *fixture, const char *start)
{
	struct slice rest = line_fixture(fixture, start, 0);
	return (struct slice){rest.p - strlen(start), rest.n + strlen(start)};
}

static struct server_time time_of(const char *fixture, const char *start)
{
	struct server_time t;
	assert_int_equal(server_status_time(whole_line(fixture, start), &t), VERDICT_DONE);
	return t;
}

static int64_t system_of(const char *fixture)
{
	int64_t updated = 0, system = 0;
	assert_int_equal(server_status_updated(whole_line(fixture, "Updated,"), &updated),
			 VERDICT_DONE);
	struct server_time t = time_of(fixture, "TIME\t");
	assert_true(server_status_system(&t, updated, &system));
	return system;
}

static void real_servers(void **state)
{
	(void)state;
	static const struct {
		const char *fixture;
		int64_t now, zone, system;
	} rows[] = {
	    {"ovpn_server_status_2.6.14.raw", 1795493835, 0, 1795493835},
	    {"ovpn_server_clock_utc_2.6.14.raw", 1795574244, 0, 1795574244},
	    {"ovpn_server_clock_kathmandu_2.6.14.raw", 1795574057, KATHMANDU, 1795574057},
	    /* Its clock was set back by 30 s: OpenVPN's own time went on from where it was. */
	    {"ovpn_server_clock_set_back_2.6.14.raw", 1795574279, KATHMANDU, 1795574250},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_time(whole_line(rows[i].fixture, "TIME,"), rows[i].now, rows[i].zone);
		assert_time(whole_line(rows[i].fixture, "TIME\t"), rows[i].now, rows[i].zone);
		assert_int_equal(system_of(rows[i].fixture), rows[i].system);
	}
}

/* ctime, as 2.4 wrote it. */
static void older_servers(void **state)
{
	(void)state;
	int64_t local = 0;
	assert_time(SLICE("TIME,Tue Nov 24 11:20:33 2026,1795519233"), 1795519233, 0);
	assert_time(SLICE("TIME\tTue Nov 24 06:20:33 2026\t1795519233"), 1795519233, -5 * HOUR);
	assert_int_equal(server_status_updated(SLICE("Updated,Tue Nov 24 11:20:33 2026"), &local),
			 VERDICT_DONE);
	assert_int_equal(local, 1795519233);
}

static void other_lines(void **state)
{
	(void)state;
	static const char *const rows[] = {
	    "END",
	    "TIME",
	    "TIME,",
	    "TIME;2026-11-24 11:20:33;1795519233",
	    "TIME\t2026-11-24 11:20:33,1795519233",
	    "TIME,2026-11-24 11:20:33\t1795519233",
	    "TIME,2026-11-24 11:20:33,",
	    "TIME,2026-11-24 11:20:33,-1",
	    "TIME,2026-11-24 11:20:33,x",
	    "TIME,2026-11-24 11:20:33,1795519233,",
	    "TIME,2026-11-24 11:20:33,1795519233\r",
	    "TIME,2026-11-24 11:20:33,9214646400",
	    "TIME,2026-11-24 11:20:33,17955192330",
	    "TIME,2026-11-24 11:20:33,99999999999999999999",
	    "TIME,2026-11-31 11:20:33,1795519233",
	    "TIME,2026-11-24 11:20:33 ,1795519233",
	    "time,2026-11-24 11:20:33,1795519233",
	    " TIME,2026-11-24 11:20:33,1795519233",
	    "Updated",
	    "Updated,",
	    "Updated\t2026-11-24 11:20:33",
	    "Updated,2026-11-24 11:20:33 ",
	    "Updated,2026-11-24 11:20:33 us=5",
	    "Updated,2026-11-24T11:20:33",
	    "Updated,1795519233",
	    "OpenVPN CLIENT LIST",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_no_time(rows[i], strlen(rows[i]));
	assert_no_time("Updated,2026-11-24 11:20:33\0", 28);
	assert_no_time("TIME\0002026-11-24 11:20:33\0001795519233", 35);
	struct server_time t;
	assert_int_equal(server_status_time((struct slice){0}, &t), VERDICT_INVALID);
}

/* A number that lost its last digits is a number all the same, and then the zone betrays it. */
static void cut_short(void **state)
{
	(void)state;
	const char time[] = "TIME,2026-11-24 11:20:33,1795519233";
	const char updated[] = "Updated,2026-11-24 11:20:33";
	for (size_t n = 0; n < sizeof updated - 1; n++)
		assert_no_time(updated, n);
	for (size_t n = 0; n < sizeof time - 1; n++) {
		struct server_time t;
		int64_t system = 42;
		if (n <= strlen("TIME,2026-11-24 11:20:33,")) {
			assert_no_time(time, n);
			continue;
		}
		assert_int_equal(server_status_time((struct slice){time, n}, &t), VERDICT_DONE);
		assert_false(server_status_system(&t, t.local, &system));
		assert_int_equal(system, 42);
	}
}

static void zones(void **state)
{
	(void)state;
	static const struct {
		int64_t zone;
		bool fine;
	} rows[] = {
	    {0, true},
	    {KATHMANDU, true},
	    {14 * HOUR, true},
	    {-14 * HOUR, true},
	    {-12 * HOUR, true},
	    {14 * HOUR + 900, false},
	    {-14 * HOUR - 900, false},
	    {1, false},
	    {-1, false},
	    {HOUR + 1, false},
	    {899, false},
	    {27, false},
	    {7 * 86400, false},
	};
	const int64_t now = 1795519233;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct server_time t = {.now = now, .local = now + rows[i].zone};
		int64_t system = 42;
		assert_int_equal(server_status_system(&t, t.local - 29, &system), rows[i].fine);
		assert_int_equal(system, rows[i].fine ? now - 29 : 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(real_servers), cmocka_unit_test(older_servers),
	    cmocka_unit_test(other_lines),  cmocka_unit_test(cut_short),
	    cmocka_unit_test(zones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
