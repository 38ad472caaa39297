/* SPDX-License-Identifier: MIT
 *
 * The answers of `clock` and `probe` as a person reads them.
 */
#include "sink/answer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct notice n;

static int setup(void **state)
{
	(void)state;
	const struct stamp now = {.wall = 1795500000 * NSEC_PER_SEC};
	notice_init(&n, NOTICE_CLOCK, SEVERITY_INFO, &now, NULL);
	n.answer_limit_s = 1;
	return 0;
}

static void reads(const char *expected)
{
	static char out[TEXT_BLOCK_MAX];
	const struct text_style plain = {.width = 0};
	size_t size = text_block(&n, &plain, out);
	assert_true(size < sizeof out);
	out[size] = '\0';
	assert_string_equal(out, expected);
}

static void this_clock(enum local_clock_state state, enum local_clock_source source,
		       double offset_s, double max_error_s)
{
	n.local_clock = local_clock_unknown();
	n.local_clock.present = true;
	n.local_clock.state = state;
	n.local_clock.source = source;
	n.local_clock.offset_s = offset_s;
	n.local_clock.max_error_s = max_error_s;
}

static void a_clock_that_is_kept(void **state)
{
	(void)state;
	this_clock(LOCAL_CLOCK_SYNCHRONIZED, LOCAL_SOURCE_CHRONY, 0.000021, 0.0031);
	n.local_clock.stratum = 3;
	n.local_clock.age_s = 12.4;
	reads("this clock   synchronized, by chrony, stratum 3\n"
	      "offset       within 4 ms of UTC\n"
	      "heard        12.4 s ago\n"
	      "verdict      fine: off by less than the limit of 1 s\n");
}

/* NTP's sign says that UTC is ahead; for a person this clock is behind. */
static void a_slow_clock(void **state)
{
	(void)state;
	this_clock(LOCAL_CLOCK_SYNCHRONIZED, LOCAL_SOURCE_SNTP, 7.000021, 0.021);
	n.local_clock.servers = 1;
	n.local_clock.stratum = 2;
	n.local_clock.age_s = 0.2;
	reads("this clock   synchronized, by sntp, stratum 2\n"
	      "offset       7.000 s behind UTC (+/- 21 ms)\n"
	      "NTP server   one, and nobody vouches for it: name three with --ntp\n"
	      "verdict      off by more than the limit of 1 s\n");
}

static void right_by_chance(void **state)
{
	(void)state;
	this_clock(LOCAL_CLOCK_UNSYNCHRONIZED, LOCAL_SOURCE_SNTP, -0.2, 0.021);
	n.local_clock.servers = 3;
	reads("this clock   unsynchronized, by sntp\n"
	      "offset       0.200 s ahead of UTC (+/- 21 ms)\n"
	      "NTP servers  3 agree\n"
	      "verdict      within the limit of 1 s now, but no time service keeps it there\n");
}

static void servers_that_contradict(void **state)
{
	(void)state;
	this_clock(LOCAL_CLOCK_SYNCHRONIZED, LOCAL_SOURCE_SNTP, -0.3, 0.002);
	n.local_clock.servers = 3;
	n.local_clock.n_falsetickers = 1;
	n.local_clock.falsetickers[0] = "evil\033[2J";
	n.local_clock.slew_ppm = -500;
	n.local_clock.disagrees.present = true;
	n.local_clock.disagrees.source = LOCAL_SOURCE_TIMESYNCD;
	n.local_clock.disagrees.offset_s = 5;
	n.local_clock.disagrees.max_error_s = 0.01;
	reads("this clock   synchronized, by sntp\n"
	      "offset       0.300 s ahead of UTC (+/- 2 ms)\n"
	      "NTP servers  3 agree\n"
	      "falseticker  evil\\x1b[2J\n"
	      "slewed       by -500 ppm\n"
	      "disagrees    timesyncd says 5.000 s behind UTC (+/- 10 ms)\n"
	      "verdict      inconclusive: two sources of time contradict each other\n");
}

static void what_is_not_known(void **state)
{
	(void)state;
	this_clock(LOCAL_CLOCK_UNKNOWN, LOCAL_SOURCE_NONE, NAN, NAN);
	reads("this clock   unknown\n"
	      "verdict      unknown: nobody could be asked; name an NTP server with --ntp\n");
	this_clock(LOCAL_CLOCK_UNSYNCHRONIZED, LOCAL_SOURCE_KERNEL, NAN, NAN);
	reads("this clock   unsynchronized, by kernel\n"
	      "verdict      unknown: no time service keeps this clock now; see `timedatectl`, "
	      "`chronyc tracking`\n");
	this_clock(LOCAL_CLOCK_SYNCHRONIZED, LOCAL_SOURCE_KERNEL, NAN, 0.02);
	reads("this clock   synchronized, by kernel\n"
	      "offset       not known; the kernel's bound is +/- 20 ms\n"
	      "verdict      fine: off by less than the limit of 1 s\n");
	this_clock(LOCAL_CLOCK_SYNCHRONIZED, LOCAL_SOURCE_KERNEL, NAN, 1.5);
	reads("this clock   synchronized, by kernel\n"
	      "offset       not known; the kernel's bound is +/- 1.5 s\n"
	      "verdict      inconclusive: the bound does not support one; name NTP servers with "
	      "--ntp\n");
}

static void probed(int sent, int answered, double rtt_s)
{
	n.probe = (struct notice_probe){
	    .present = true, .sent = sent, .answered = answered, .rtt_s = rtt_s};
	snprintf(n.probe.address, sizeof n.probe.address, "vpn.example:1194/udp");
}

static void its_clock(double offset_s, double max_error_s, enum clock_verdict verdict)
{
	n.peer_clock = peer_clock_unknown();
	n.peer_clock.present = true;
	n.peer_clock.offset_s = offset_s;
	n.peer_clock.max_error_s = max_error_s;
	n.peer_clock.verdict = verdict;
	n.peer_clock.samples = 12;
}

static void a_server_that_is_ahead(void **state)
{
	(void)state;
	probed(12, 12, 0.00042);
	its_clock(6.9997, 0.00101, CLOCK_AHEAD);
	reads("server       vpn.example:1194/udp\n"
	      "answers      12 of 12 probes, round trip 0.4 ms\n"
	      "its clock    7.000 s ahead of this machine's (+/- 2 ms)\n"
	      "against UTC  not known: this machine's own clock is not (see `ovpnwatch clock`)\n"
	      "verdict      ahead: off by more than the limit of 1 s against this machine's\n");
}

static void a_server_against_utc(void **state)
{
	(void)state;
	probed(12, 10, 0.05);
	this_clock(LOCAL_CLOCK_SYNCHRONIZED, LOCAL_SOURCE_CHRONY, 7, 0.003);
	its_clock(7.0002, 0.026, CLOCK_FINE);
	n.peer_clock.vs_utc_s = 0.0002;
	n.peer_clock.vs_utc_max_error_s = 0.029;
	n.peer_clock.drift_ppm = -12.5;
	n.peer_clock.drift_max_error_ppm = 3.2;
	reads("server       vpn.example:1194/udp\n"
	      "answers      10 of 12 probes, round trip 50.0 ms\n"
	      "its clock    7.000 s ahead of this machine's (+/- 26 ms)\n"
	      "against UTC  within 30 ms of it; this machine's by chrony\n"
	      "drift        -12.5 ppm (+/- 3.2)\n"
	      "verdict      fine: off by less than the limit of 1 s against UTC\n");
	n.peer_clock.verdict = CLOCK_INCONCLUSIVE;
	n.peer_clock.vs_utc_max_error_s = 4;
	n.local_clock.max_error_s = 3.9;
	reads("server       vpn.example:1194/udp\n"
	      "answers      10 of 12 probes, round trip 50.0 ms\n"
	      "its clock    7.000 s ahead of this machine's (+/- 26 ms)\n"
	      "against UTC  within 4.1 s of it; this machine's by chrony\n"
	      "drift        -12.5 ppm (+/- 3.2)\n"
	      "verdict      inconclusive for the limit of 1 s; a better source of time for this "
	      "machine (--ntp) would settle it\n");
}

static void a_server_that_does_not_answer(void **state)
{
	(void)state;
	n.type = NOTICE_MONITOR;
	n.monitor.kind = MONITOR_PROBE;
	probed(4, 0, NAN);
	snprintf(n.message, sizeof n.message, "it is silent");
	reads("server       vpn.example:1194/udp\n"
	      "answers      0 of 4 probes\n"
	      "verdict      it is silent\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_clock_that_is_kept, setup),
	    cmocka_unit_test_setup(a_slow_clock, setup),
	    cmocka_unit_test_setup(right_by_chance, setup),
	    cmocka_unit_test_setup(servers_that_contradict, setup),
	    cmocka_unit_test_setup(what_is_not_known, setup),
	    cmocka_unit_test_setup(a_server_that_is_ahead, setup),
	    cmocka_unit_test_setup(a_server_against_utc, setup),
	    cmocka_unit_test_setup(a_server_that_does_not_answer, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
