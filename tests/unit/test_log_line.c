/* SPDX-License-Identifier: MIT */
#include "proto/log_line.h"
#include "proto/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct stamped_case {
	const char *line;
	const char *time; /* as timestamp_format gives it; NULL: no stamp */
	bool zone, year, fraction;
	const char *text;
};

static const struct stamped_case stamped_cases[] = {
    {"Mon Jan 15 18:36:43 2024 us=578145 a b", "2024-01-15T18:36:43.578Z", false, true, true,
     "a b"},
    {"Mon Jan 15 18:36:43 2024 a", "2024-01-15T18:36:43.000Z", false, true, false, "a"},
    {"Thu Feb  1 08:06:03 2024 us=5 a", "2024-02-01T08:06:03.000Z", false, true, true, "a"},
    {"Mon Jan 15 18:36:43 2024", "2024-01-15T18:36:43.000Z", false, true, false, ""},
    {"Mon Jan 15 18:36:43 2024 us=578145", "2024-01-15T18:36:43.578Z", false, true, true, ""},
    {"Mon Jan 15 18:36:43 2024 us=x", "2024-01-15T18:36:43.000Z", false, true, false, "us=x"},
    {"    Mon Jan 15 18:36:43 2024 a\r", "2024-01-15T18:36:43.000Z", false, true, false, "a"},
    {"2024-01-15 18:36:43 us=578145 a", "2024-01-15T18:36:43.578Z", false, true, true, "a"},
    {"2024-01-15 18:36:43 TCP/UDP: Closing socket", "2024-01-15T18:36:43.000Z", false, true, false,
     "TCP/UDP: Closing socket"},
    {"2024-02-29 23:59:60 leap", "2024-03-01T00:00:00.000Z", false, true, false, "leap"},
    {"1705361803.578145 4000001 a b", "2024-01-15T23:36:43.578Z", true, true, true, "a b"},
    {"1705361803.578145 host openvpn[7]: a", "2024-01-15T23:36:43.578Z", true, true, true, "a"},
    {"Jan 15 18:36:43 host openvpn[123]: a", "1972-01-15T18:36:43.000Z", false, false, false, "a"},
    {"Jan  5 18:36:43 host nm-openvpn[1]: a", "1972-01-05T18:36:43.000Z", false, false, false, "a"},
    {"Feb 29 18:36:43 host vpn1: a", "1972-02-29T18:36:43.000Z", false, false, false, "a"},
    {"Jan 15 18:36:43.578145 gw ovpn-server[123]: a", "1972-01-15T18:36:43.578Z", false, false,
     true, "a"},
    {"Jan 15 18:36:43 gw daemon.notice openvpn[123]: TLS: a", "1972-01-15T18:36:43.000Z", false,
     false, false, "TLS: a"},
    {"Jan 15 18:36:43 gw tunnel: TLS: a", "1972-01-15T18:36:43.000Z", false, false, false,
     "TLS: a"},
    {"2024-01-15T18:36:43.578145-05:00 host openvpn[123]: a", "2024-01-15T23:36:43.578Z", true,
     true, true, "a"},
    {"2024-01-15T18:36:43-0500 host openvpn[123]: a", "2024-01-15T23:36:43.000Z", true, true, false,
     "a"},
    {"2024-01-16T05:06:43,578+05:30 host openvpn[123]: a", "2024-01-15T23:36:43.578Z", true, true,
     true, "a"},
    {"2024-01-15T23:36:43.578145123Z VERIFY OK: a", "2024-01-15T23:36:43.578Z", true, true, true,
     "VERIFY OK: a"},
    {"2024-01-15T23:36:43 host openvpn[123]: a", "2024-01-15T23:36:43.000Z", false, true, false,
     "a"},
    {"Mon 2024-01-15 18:36:43 EST host openvpn[123]: a", "2024-01-15T18:36:43.000Z", false, true,
     false, "a"},
    {"Mon 2024-01-15 23:36:43 UTC host openvpn[123]: a", "2024-01-15T23:36:43.000Z", true, true,
     false, "a"},
    {"2024-01-15 18:36:43.578145 a", "2024-01-15T18:36:43.578Z", false, true, true, "a"},
    {"client-1  | 2024-01-15 18:36:43 us=578145 a", "2024-01-15T18:36:43.578Z", false, true, true,
     "a"},
    {"vpn | a | b", NULL, false, false, false, "a | b"},
    {"vpn | ", NULL, false, false, false, "vpn |"},
    {"| a", NULL, false, false, false, NULL},
    {"vpn| a", NULL, false, false, false, NULL},
    /* two stamps: OpenVPN's counts */
    {"Jan 15 18:36:44 host openvpn[123]: Mon Jan 15 18:36:43 2024 us=578145 a",
     "2024-01-15T18:36:43.578Z", false, true, true, "a"},
    {"2024-01-15T23:36:44.000000Z 2024-01-15 18:36:43 us=578145 a", "2024-01-15T23:36:43.578Z",
     true, true, true, "a"},
    {"2024-01-15T18:36:44-05:00 host openvpn[1]: 2024-01-20 18:36:43 a", "2024-01-20T18:36:43.000Z",
     false, true, false, "a"},
    /* none */
    {"Initialization Sequence Completed", NULL, false, false, false, NULL},
    {"", NULL, false, false, false, NULL},
    {"Mon Jan 15 18:36:43 2024x a", NULL, false, false, false, NULL},
    {"Mon Jan 32 18:36:43 2024 a", NULL, false, false, false, NULL},
    {"Mon Jan 15 24:36:43 2024 a", NULL, false, false, false, NULL},
    {"Mon Foo 15 18:36:43 2024 a", NULL, false, false, false, NULL},
    {"Mon Jan 15 18:36:43 9999 a", NULL, false, false, false, NULL},
    {"2024-Jan 15 18:36:43 host openvpn[1]: a", NULL, false, false, false, NULL},
    {"2024-01Jan 15 18:36:43 host openvpn[1]: a", NULL, false, false, false, NULL},
    {"MonJan 15 18:36:43 host openvpn[1]: a", NULL, false, false, false, NULL},
    {"Jan 15 18:36:43Z host openvpn[1]: a", NULL, false, false, false, NULL},
    {"2023-02-29 18:36:43 a", NULL, false, false, false, NULL},
    {"2024-13-01 18:36:43 a", NULL, false, false, false, NULL},
    {"2024-01-15 18:36", NULL, false, false, false, NULL},
    {"1705361803,CONNECTED", NULL, false, false, false, NULL},
    {"9999999999.0 1 a", NULL, false, false, false, NULL},
    {"1705361803.578145", NULL, false, false, false, NULL},
    {">STATE:1705361803,WAIT,,,,,,", NULL, false, false, false, NULL},
};

static void stamps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof stamped_cases / sizeof *stamped_cases; i++) {
		const struct stamped_case *c = &stamped_cases[i];
		char time[TIMESTAMP_SIZE];
		struct log_line l;
		size_t n = strlen(c->line);
		char *exact = malloc(n > 0 ? n : 1); /* a byte too far is seen by ASan */
		assert_non_null(exact);
		memcpy(exact, c->line, n);
		log_line_parse((struct slice){.p = exact, .n = n}, &l);
		if (l.stamped != (c->time != NULL))
			fail_msg("stamped? %s", c->line);
		if (c->time != NULL) {
			timestamp_format(l.time, time);
			if (strcmp(time, c->time) != 0)
				fail_msg("%s: %s", c->line, time);
		}
		assert_int_equal(l.has_zone, c->zone);
		assert_int_equal(l.has_year, c->year);
		assert_int_equal(l.fraction, c->fraction);
		assert_true(slice_is(l.text, c->text != NULL ? c->text : c->line));
		free(exact);
	}
}

/* Every prefix of every line: no crash, and text inside the line. */
static void truncated_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof stamped_cases / sizeof *stamped_cases; i++) {
		for (size_t n = 0; n < strlen(stamped_cases[i].line); n++) {
			struct log_line l;
			char *exact = malloc(n > 0 ? n : 1);
			assert_non_null(exact);
			memcpy(exact, stamped_cases[i].line, n);
			log_line_parse((struct slice){.p = exact, .n = n}, &l);
			assert_true(l.text.n <= n);
			free(exact);
		}
	}
	struct log_line l;
	log_line_parse((struct slice){0}, &l);
	assert_false(l.stamped);
}

static void years(void **state)
{
	(void)state;
	const nsec feb29 = civil_to_nsec(LOG_LINE_NO_YEAR, 2, 29, 1, 2, 3);
	const nsec dec31 = civil_to_nsec(LOG_LINE_NO_YEAR, 12, 31, 23, 59, 59);
	const nsec jan1 = civil_to_nsec(LOG_LINE_NO_YEAR, 1, 1, 0, 0, 0);
	assert_true(log_line_with_year(feb29, 2024) == civil_to_nsec(2024, 2, 29, 1, 2, 3));
	assert_true(log_line_with_year(feb29, 2023) == civil_to_nsec(2023, 3, 1, 1, 2, 3));
	assert_true(log_line_with_year(dec31, 2023) == civil_to_nsec(2023, 12, 31, 23, 59, 59));
	assert_true(log_line_with_year(dec31, 2024) == civil_to_nsec(2024, 12, 31, 23, 59, 59));
	assert_true(log_line_with_year(jan1, 2261) == civil_to_nsec(2261, 1, 1, 0, 0, 0));
	assert_true(log_line_with_year(jan1, 1970) == 0);
}

static void who_said_it(void **state)
{
	(void)state;
	static const struct {
		const char *line, *ident;
		int64_t pid;
		const char *host;
	} cases[] = {
	    {"Jan 15 18:36:43 host nm-openvpn[123]: a", "nm-openvpn", 123, "host"},
	    {"Jan 15 18:36:43 host openvpn: a", "openvpn", -1, "host"},
	    {"Jan 15 18:36:43 host kernel: a", "kernel", -1, "host"},
	    {"Jan 15 18:36:43.578145 host ovpn-client[9]: 2024-01-15 18:36:43 a", "ovpn-client", 9,
	     "host"},
	    {"2024-01-15T18:36:43-0500 host nm-openvpn[123]: a", "nm-openvpn", 123, "host"},
	    {"1705361803.578145 host openvpn[7]: a", "openvpn", 7, "host"},
	    {"Mon 2024-01-15 18:36:43 EST host openvpn[2147483647]: a", "openvpn", INT32_MAX,
	     "host"},
	    {"Jan 15 18:36:43 host openvpn[2147483648]: a", "openvpn", -1, "host"},
	    {"Jan 15 18:36:43 host openvpn[x]: a", "openvpn", -1, "host"},
	    {"Jan 15 18:36:43 host ]: a", "", -1, "host"},
	    {"2024-01-15 18:36:43 openvpn[7]: a", "", -1, ""},
	    {"openvpn[7]: a", "", -1, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct log_line l;
		log_line_parse(slice_from(cases[i].line), &l);
		if (!slice_is(l.ident, cases[i].ident) || l.pid != cases[i].pid ||
		    !slice_is(l.host, cases[i].host))
			fail_msg("%s: %.*s %d", cases[i].line, (int)l.ident.n, l.ident.p,
				 (int)l.pid);
	}
}

static char *join(const char *const *lines, size_t n, size_t size)
{
	static char trace[1024];
	char *buf = malloc(size);
	struct log_joiner j;
	struct slice whole;
	size_t used = 0;
	assert_non_null(buf);
	log_joiner_init(&j, buf, size);
	for (size_t i = 0; i <= n; i++) {
		enum verdict v = i < n ? log_joiner_add(&j, slice_from(lines[i]), &whole)
				       : log_joiner_end(&j, &whole);
		if (v != VERDICT_DONE)
			continue;
		memcpy(trace + used, whole.p, whole.n);
		used += whole.n;
		trace[used++] = '|';
	}
	trace[used] = '\0';
	assert_int_equal(log_joiner_end(&j, &whole), VERDICT_MORE);
	free(buf);
	return trace;
}

static void wrapped_lines(void **state)
{
	(void)state;
	static const char *const wrapped[] = {
	    "before",
	    "any stamp",
	    "2024-01-15 18:36:43 MANAGEMENT:\r",
	    ">STATE:1,WAIT,,,,,,",
	    "2024-01-15 18:36:44 flowed ",
	    " text",
	    "over three\r",
	    "",
	    "-- ",
	    "Bob",
	    "2024-01-15 18:36:45 last",
	};
	assert_string_equal(join(wrapped, sizeof wrapped / sizeof *wrapped, 400),
			    "before|any stamp|"
			    "2024-01-15 18:36:43 MANAGEMENT: >STATE:1,WAIT,,,,,,|"
			    "2024-01-15 18:36:44 flowed text over three|"
			    "-- Bob|2024-01-15 18:36:45 last|");
	static const char *const unstamped[] = {"a", "b", "", "c"};
	assert_string_equal(join(unstamped, 4, 64), "a|b|c|");
	static const char *const too_long[] = {"2024-01-15 18:36:43 abcdefgh", "ijk", "x"};
	assert_string_equal(join(too_long, 3, 2 * 30), "2024-01-15 18:36:43 abcdefgh i|");
	assert_string_equal(join(too_long, 3, 3), "2|");
	assert_string_equal(join(too_long, 0, 2), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stamps),	     cmocka_unit_test(truncated_lines),
	    cmocka_unit_test(years),	     cmocka_unit_test(who_said_it),
	    cmocka_unit_test(wrapped_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
