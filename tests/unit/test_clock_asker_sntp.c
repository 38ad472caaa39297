/* SPDX-License-Identifier: MIT
 *
 * A clock asker and an NTP server in the same program: as one of this machine's sources of time,
 * and as the VPN server's own service.
 */
#include "proto/wire.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "unit/asker_fixture.h"

/* Nobody tells that this machine's own clock was set. */
int timerfd_create(int clock, int flags)
{
	(void)clock;
	(void)flags;
	errno = EPERM;
	return -1;
}

/* The wall clock stands where the test wants it, and the machine has slept for so long. */
static long wall_ahead_s, slept_s;

int clock_gettime(clockid_t id, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, id, t);
	if (id == CLOCK_REALTIME)
		t->tv_sec += wall_ahead_s;
	if (id == CLOCK_BOOTTIME)
		t->tv_sec += slept_s;
	return rc;
}

/* --- SNTP --- */

static enum sntp_manner {
	SNTP_RIGHT,
	SNTP_SILENT,
	SNTP_OTHERS_FIRST, /* somebody else's answers come before */
	SNTP_OTHERS_ONLY,
	SNTP_RATE,
	SNTP_UNSYNCHRONIZED,
	SNTP_CLOCK_SET, /* our own clock is set while the question is under way */
	SNTP_SLEPT,	/* this machine sleeps meanwhile */
	SNTP_INIT,	/* stratum 0, but no order to go away */
	SNTP_NO_RECEIVE,
	SNTP_NO_TRANSMIT,
	SNTP_BACKWARDS,
} sntp_manner;
static uint64_t sntp_last_transmit;
static nsec sntp_ahead = 7 * NSEC_PER_SEC;
static nsec sntp_showed; /* its clock, when it answered */

static void sntp_answers(struct fake_server *s, const uint8_t *bytes, size_t n,
			 const struct sockaddr *from)
{
	uint8_t out[NTP_PACKET_SIZE] = {0x24, 2, 0, 0xe8};
	struct timespec t;
	assert_int_equal(n, NTP_PACKET_SIZE);
	assert_int_equal(bytes[0], 0x23);
	struct wire w = wire_over(bytes + 40, 8);
	uint64_t transmit = wire_u64(&w);
	assert_true(transmit != sntp_last_transmit);
	sntp_last_transmit = transmit;
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &t);
	nsec now = (nsec)t.tv_sec * NSEC_PER_SEC + t.tv_nsec + sntp_ahead;
	sntp_showed = now;
	memcpy(out + 12, "TEST", 4);
	wire_put(out + 16, ntp_from_nsec(now - NSEC_PER_SEC), 8);
	memcpy(out + 24, bytes + 40, 8);
	wire_put(out + 32, ntp_from_nsec(now), 8);
	wire_put(out + 40, ntp_from_nsec(now), 8);
	switch (sntp_manner) {
	case SNTP_RIGHT:
		break;
	case SNTP_SILENT:
		return;
	case SNTP_OTHERS_FIRST:
	case SNTP_OTHERS_ONLY:
		fake_send(s, out, 47, from);
		fake_send(s, bytes, n, from); /* our own packet, reflected */
		out[24] ^= 1;
		fake_send(s, out, sizeof out, from);
		out[24] ^= 1;
		if (sntp_manner == SNTP_OTHERS_ONLY)
			return;
		break;
	case SNTP_RATE:
		out[1] = 0;
		memcpy(out + 12, "RATE", 4);
		break;
	case SNTP_UNSYNCHRONIZED:
		out[0] |= 0xc0;
		break;
	case SNTP_CLOCK_SET:
		wall_ahead_s += 1;
		break;
	case SNTP_SLEPT:
		slept_s += 1;
		break;
	case SNTP_INIT:
		out[0] |= 0xc0;
		out[1] = 0;
		memcpy(out + 12, "INIT", 4);
		break;
	case SNTP_NO_RECEIVE:
		memset(out + 32, 0, 8);
		break;
	case SNTP_NO_TRANSMIT:
		memset(out + 40, 0, 8);
		break;
	case SNTP_BACKWARDS:
		wire_put(out + 40, ntp_from_nsec(now - 1000), 8);
		break;
	}
	fake_send(s, out, sizeof out, from);
}

static struct fake_server ntpd = {.answer = sntp_answers};

static struct event ask_sntp(const char *ip, enum sntp_manner manner)
{
	char name[64];
	sntp_manner = manner;
	if (!fake_open(&ntpd, ip, 0))
		skip();
	snprintf(name, sizeof name, strchr(ip, ':') != NULL ? "[%s]:%u" : "%s:%u", ip,
		 (unsigned)ntpd.port);
	open_asker(name);
	ASK(clock_asker_sntp(asker, 0));
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].kind, EVENT_SNTP);
	assert_int_equal(seen[0].u.sntp.server, 0);
	assert_null(seen[0].tunnel);
	fake_close(&ntpd);
	close_asker();
	assert_int_equal(ntpd.heard, 1); /* a server is not asked twice */
	return seen[0];
}

static void expect_plus7(const struct event *e)
{
	assert_true(e->u.sntp.answered);
	assert_int_equal(e->u.sntp.flaw, NTP_FINE);
	assert_int_equal(e->u.sntp.stratum, 2);
	/* True whatever the machine does meanwhile: the bound is half the round trip. */
	const struct ntp_measurement *m = &e->u.sntp.measurement;
	nsec error = m->offset - 7 * NSEC_PER_SEC;
	assert_true(error <= m->path_bound + NSEC_PER_USEC);
	assert_true(-error <= m->path_bound + NSEC_PER_USEC);
}

static void sntp_measures(void **state)
{
	(void)state;
	struct event e = ask_sntp("127.0.0.1", SNTP_RIGHT);
	expect_plus7(&e);
	e = ask_sntp("::1", SNTP_RIGHT);
	expect_plus7(&e);
}

static void sntp_true_answer_wins_over_others(void **state)
{
	(void)state;
	struct event e = ask_sntp("127.0.0.1", SNTP_OTHERS_FIRST);
	expect_plus7(&e);
}

static void sntp_flaws_are_told(void **state)
{
	(void)state;
	struct event e = ask_sntp("127.0.0.1", SNTP_RATE);
	assert_true(e.u.sntp.answered);
	assert_int_equal(e.u.sntp.flaw, NTP_KISS_RATE);
	e = ask_sntp("127.0.0.1", SNTP_UNSYNCHRONIZED);
	assert_true(e.u.sntp.answered);
	assert_int_equal(e.u.sntp.flaw, NTP_UNSYNCHRONIZED);
	e = ask_sntp("127.0.0.1", SNTP_OTHERS_ONLY);
	assert_true(e.u.sntp.answered);
	assert_int_equal(e.u.sntp.flaw, NTP_WRONG_ORIGIN);
}

static void sntp_without_answer(void **state)
{
	(void)state;
	struct event e = ask_sntp("127.0.0.1", SNTP_SILENT);
	assert_false(e.u.sntp.answered);
	assert_string_equal(e.u.sntp.reason, "no answer");
	char name[32];
	snprintf(name, sizeof name, "127.0.0.1:%u", (unsigned)closed_port());
	open_asker(name);
	ASK(clock_asker_sntp(asker, 0));
	loop_until(&n_seen, 1);
	assert_false(seen[0].u.sntp.answered);
	close_asker();
	open_asker("255.255.255.255"); /* cannot even be sent */
	ASK(clock_asker_sntp(asker, 0));
	loop_until(&n_seen, 1);
	assert_false(seen[0].u.sntp.answered);
	close_asker();
}

static void sntp_is_discarded_when_the_clock_is_set(void **state)
{
	(void)state;
	struct event e = ask_sntp("127.0.0.1", SNTP_CLOCK_SET);
	assert_false(e.u.sntp.answered);
	wall_ahead_s = 0;
}

static void sntp_says_why_not(void **state)
{
	(void)state;
	struct event e = ask_sntp("127.0.0.1", SNTP_CLOCK_SET);
	assert_non_null(strstr(e.u.sntp.reason, "was set"));
	wall_ahead_s = 0;
	open_asker("255.255.255.255");
	ASK(clock_asker_sntp(asker, 0));
	loop_until(&n_seen, 1);
	assert_string_equal(seen[0].u.sntp.reason, "it cannot be reached from here");
	close_asker();
}

/* --- the server's own NTP service --- */

static struct event ask_peer(enum sntp_manner manner)
{
	char name[64];
	sntp_manner = manner;
	assert_true(fake_open(&ntpd, "127.0.0.1", 0));
	snprintf(name, sizeof name, "127.0.0.1:%u", (unsigned)ntpd.port);
	open_asker("255.255.255.255"); /* not this one */
	assert_int_equal(clock_asker_add_peer(asker, TUNNEL, name), 0);
	assert_int_equal(clock_asker_add_peer(asker, OTHER, "255.255.255.255"), 0);
	ASK(clock_asker_peer(asker, TUNNEL));
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].kind, EVENT_PEER_SNTP);
	assert_ptr_equal(seen[0].tunnel, TUNNEL);
	fake_close(&ntpd);
	close_asker();
	assert_int_equal(ntpd.heard, 1);
	wall_ahead_s = slept_s = 0;
	return seen[0];
}

/* Both stamps are what the fake's clock showed; an NTP stamp is good to a quarter nanosecond. */
static void expect_showed(const struct event *e)
{
	assert_true(e->u.peer_sntp.answered);
	assert_int_equal(e->u.peer_sntp.flaw, NTP_FINE);
	assert_in_range(e->u.peer_sntp.receive - sntp_showed + 2, 0, 4);
	assert_in_range(e->u.peer_sntp.transmit - sntp_showed + 2, 0, 4);
	assert_true(e->u.peer_sntp.sent.mono > 0);
	assert_true(e->at.mono >= e->u.peer_sntp.sent.mono);
}

static void peer_shows_its_clock(void **state)
{
	(void)state;
	static const enum sntp_manner manners[] = {SNTP_RIGHT, SNTP_OTHERS_FIRST,
						   SNTP_UNSYNCHRONIZED, SNTP_INIT, SNTP_CLOCK_SET};
	for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
		struct event e = ask_peer(manners[i]);
		expect_showed(&e);
	}
}

/* In another era of NTP than ours, or in 1980. */
static void peer_is_decades_off(void **state)
{
	(void)state;
	static const nsec years[] = {-45, 12, 60};
	for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
		sntp_ahead = years[i] * 365 * 86400 * NSEC_PER_SEC;
		struct event e = ask_peer(SNTP_RIGHT);
		expect_showed(&e);
	}
	sntp_ahead = 7 * NSEC_PER_SEC;
}

static void peer_without_a_time(void **state)
{
	(void)state;
	static const struct {
		enum sntp_manner manner;
		const char *reason;
	} cases[] = {
	    {SNTP_SILENT, "no answer"},		{SNTP_OTHERS_ONLY, "does not answer the question"},
	    {SNTP_NO_RECEIVE, "tells no time"}, {SNTP_NO_TRANSMIT, "tells no time"},
	    {SNTP_BACKWARDS, "tells no time"},	{SNTP_SLEPT, "slept"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct event e = ask_peer(cases[i].manner);
		assert_false(e.u.peer_sntp.answered);
		assert_non_null(strstr(e.u.peer_sntp.reason, cases[i].reason));
	}
}

static void peer_sends_us_away(void **state)
{
	(void)state;
	struct event e = ask_peer(SNTP_RATE);
	assert_true(e.u.peer_sntp.answered);
	assert_int_equal(e.u.peer_sntp.flaw, NTP_KISS_RATE);
	assert_int_equal(e.u.peer_sntp.receive, 0);
	assert_int_equal(e.u.peer_sntp.transmit, 0);
}

static void peer_is_not_there(void **state)
{
	(void)state;
	static const struct {
		const char *host, *reason;
	} cases[] = {
	    {NULL, "nothing listens there"},
	    {"255.255.255.255", "cannot be reached"},
	    {"name.invalid", "its name was not found"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char name[32];
		snprintf(name, sizeof name, "127.0.0.1:%u", (unsigned)closed_port());
		open_asker(NULL);
		assert_int_equal(clock_asker_add_peer(asker, TUNNEL,
						      cases[i].host != NULL ? cases[i].host : name),
				 0);
		ASK(clock_asker_peer(asker, TUNNEL));
		ASK(clock_asker_peer(asker, TUNNEL));
		loop_until(&n_seen, 2);
		for (unsigned k = 0; k < 2; k++) {
			assert_false(seen[k].u.peer_sntp.answered);
			assert_non_null(strstr(seen[k].u.peer_sntp.reason, cases[i].reason));
		}
		close_asker();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(sntp_measures),
	    LOOP_TEST(sntp_true_answer_wins_over_others),
	    LOOP_TEST(sntp_flaws_are_told),
	    LOOP_TEST(sntp_without_answer),
	    LOOP_TEST(sntp_is_discarded_when_the_clock_is_set),
	    LOOP_TEST(sntp_says_why_not),
	    LOOP_TEST(peer_shows_its_clock),
	    LOOP_TEST(peer_is_decades_off),
	    LOOP_TEST(peer_without_a_time),
	    LOOP_TEST(peer_sends_us_away),
	    LOOP_TEST(peer_is_not_there),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	uv_library_shutdown();
	return failed;
}
