/* SPDX-License-Identifier: MIT
 *
 * A clock asker with a fake chronyd, a fake NTP server, a fake kernel and a fake timer in the same
 * program.
 */
#include "proto/wire.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "unit/asker_fixture.h"

/* --- the kernel, as far as this is about it --- */

static int timex_result; /* or -errno */
static long timex_maxerror;

int adjtimex(struct timex *t)
{
	assert_int_equal(t->modes, 0); /* only ever asked, never set */
	if (timex_result < 0) {
		errno = -timex_result;
		return -1;
	}
	t->maxerror = timex_maxerror;
	t->status = STA_UNSYNC; /* says nothing: chrony without rtcsync */
	return timex_result;
}

/* A timer that is an eventfd: readable when the test says that the clock was set. */
static int timer_fd = -1;
static int timer_errno;	     /* timerfd_create() fails with this */
static int timer_arm_errno;  /* timerfd_settime() fails with this */
static int timer_read_errno; /* what reading it gives; 0: it expired */
static unsigned timer_armed;

int timerfd_create(int clock, int flags)
{
	assert_int_equal(clock, CLOCK_REALTIME);
	assert_int_equal(flags, TFD_NONBLOCK | TFD_CLOEXEC);
	if (timer_errno != 0) {
		errno = timer_errno;
		return -1;
	}
	timer_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return timer_fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *old)
{
	(void)old;
	assert_int_equal(fd, timer_fd);
	assert_int_equal(flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
	assert_true(when->it_value.tv_sec > (time_t)1 << 40); /* no day that will come */
	timer_armed++;
	errno = timer_arm_errno;
	return timer_arm_errno != 0 ? -1 : 0;
}

ssize_t read(int fd, void *to, size_t n)
{
	ssize_t got = syscall(SYS_read, fd, to, n);
	if (fd != timer_fd || got < 0 || timer_read_errno == 0)
		return got;
	errno = timer_read_errno;
	return -1;
}

static void set_clock(void)
{
	uint64_t one = 1;
	assert_int_equal(write(timer_fd, &one, sizeof one), sizeof one);
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

/* --- chronyd --- */

static unsigned chrony_deaf;			/* so many questions it does not hear */
static bool chrony_junk;			/* says other things before its answer */
static uint32_t chrony_correction = 0x08e0002d; /* +7.0000215 s */

static void chrony_answers(struct fake_server *s, const uint8_t *bytes, size_t n,
			   const struct sockaddr *from)
{
	uint8_t reply[CHRONY_PACKET_SIZE] = {6, 2, 0, 0, 0, 33, 0, 5};
	assert_int_equal(n, CHRONY_PACKET_SIZE);
	assert_int_equal(bytes[0], 6);
	assert_int_equal(bytes[5], 33);
	if (chrony_deaf > 0) {
		chrony_deaf--;
		return;
	}
	memcpy(reply + 16, bytes + 8, 4);
	wire_put(reply + 28, 0x7f000001, 4);
	wire_put(reply + 48, 1, 2);
	wire_put(reply + 52, 3, 2);
	wire_put(reply + 60, 1795493501, 4);
	wire_put(reply + 68, chrony_correction, 4);
	if (chrony_junk) {
		reply[16] ^= 1; /* a late answer to another question */
		fake_send(s, reply, sizeof reply, from);
		reply[16] ^= 1;
		reply[9] = 2; /* UNAUTH */
		fake_send(s, reply, sizeof reply, from);
		reply[9] = 0;
		fake_send(s, reply, 103, from);
		fake_send(s, reply, 0, from);
	}
	fake_send(s, reply, sizeof reply, from);
}

static struct fake_server chronyd = {.answer = chrony_answers};

static void ask_chrony_at(const char *ip)
{
	if (!fake_open(&chronyd, ip, 0))
		skip();
	open_asker(NULL);
	clock_asker_chrony_port(asker, chronyd.port);
	ASK(clock_asker_chrony(asker));
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].kind, EVENT_CHRONY);
	assert_true(seen[0].u.chrony.answered);
	assert_int_equal(seen[0].u.chrony.tracking.stratum, 3);
	assert_true(seen[0].u.chrony.tracking.correction_s > 7.0 &&
		    seen[0].u.chrony.tracking.correction_s < 7.0001);
	assert_true(seen[0].at.mono > 0);
	fake_close(&chronyd);
	close_asker();
}

static void chronyd_on_ipv4(void **state)
{
	(void)state;
	ask_chrony_at("127.0.0.1");
}

static void chronyd_on_ipv6(void **state)
{
	(void)state;
	ask_chrony_at("::1");
}

static void chronyd_says_other_things_first(void **state)
{
	(void)state;
	chrony_junk = true;
	ask_chrony_at("127.0.0.1");
	chrony_junk = false;
}

static void chronyd_is_asked_twice(void **state)
{
	(void)state;
	chrony_deaf = 1;
	ask_chrony_at("127.0.0.1");
	assert_int_equal(chronyd.heard, 2);
}

static void chronyd_is_silent(void **state)
{
	(void)state;
	chrony_deaf = 99;
	assert_true(fake_open(&chronyd, "127.0.0.1", 0));
	open_asker(NULL);
	clock_asker_chrony_port(asker, chronyd.port);
	ASK(clock_asker_chrony(asker));
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].kind, EVENT_CHRONY);
	assert_false(seen[0].u.chrony.answered);
	assert_string_equal(seen[0].u.chrony.reason, "no answer at 127.0.0.1:323 and [::1]:323");
	assert_int_equal(chronyd.heard, 2);
	chrony_deaf = 0;
	fake_close(&chronyd);
	close_asker();
}

static void no_chronyd(void **state)
{
	(void)state;
	open_asker(NULL);
	clock_asker_chrony_port(asker, closed_port());
	ASK(clock_asker_chrony(asker));
	ASK(clock_asker_chrony(asker)); /* each question has its answer */
	loop_until(&n_seen, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(seen[i].kind, EVENT_CHRONY);
		assert_false(seen[i].u.chrony.answered);
		assert_string_equal(seen[i].u.chrony.reason,
				    "nothing listens at 127.0.0.1:323 and [::1]:323");
	}
	close_asker();
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

#define TUNNEL ((struct tunnel *)0x7e57)
#define OTHER  ((struct tunnel *)0x07e2)

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

static void servers_that_are_none(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "a:b", "[::1", "x:0", "a b"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(clock_asker_open(&asker, &loop, &bad[i], 1, sink, seen),
				 UV_EINVAL);
	open_asker(NULL);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(clock_asker_add_peer(asker, TUNNEL, bad[i]), UV_EINVAL);
	close_asker();
}

/* --- the kernel and the timer --- */

static void kernel_says(void **state)
{
	(void)state;
	static const struct {
		int result;
		long maxerror;
		bool permitted, synchronized;
	} cases[] = {
	    {TIME_OK, 1500, true, true},	 {TIME_ERROR, 15999999, true, true},
	    {TIME_ERROR, 16000000, true, false}, {TIME_OK, 16000001, true, false},
	    {-EPERM, 0, false, false},		 {-ENOSYS, 0, false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		timex_result = cases[i].result;
		timex_maxerror = cases[i].maxerror;
		open_asker(NULL);
		ASK(clock_asker_kernel(asker));
		loop_until(&n_seen, 1);
		assert_int_equal(seen[0].kind, EVENT_KERNEL);
		assert_int_equal(seen[0].u.kernel.permitted, cases[i].permitted);
		assert_int_equal(seen[0].u.kernel.synchronized, cases[i].synchronized);
		if (cases[i].permitted)
			assert_true(
			    seen[0].u.kernel.max_error_s * 1e6 - (double)cases[i].maxerror < 0.5 &&
			    (double)cases[i].maxerror - seen[0].u.kernel.max_error_s * 1e6 < 0.5);
		close_asker();
	}
}

static void set_clock_is_noticed(void **state)
{
	(void)state;
	timer_read_errno = ECANCELED;
	timer_armed = 0;
	open_asker(NULL);
	ASK(clock_asker_kernel(asker)); /* the timer alone does not keep the loop */
	loop_until(&n_seen, 1);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(timer_armed, i);
		set_clock();
		/* uv_run() alone would return at once, see above: a question keeps it. */
		ASK(clock_asker_kernel(asker));
		loop_until(&n_seen, 1 + 2 * i);
		assert_true((seen[2 * i - 1].kind == EVENT_TIME) !=
			    (seen[2 * i].kind == EVENT_TIME));
	}
	close_asker();

	open_asker(NULL);
	set_clock();
	close_in_sink = true;
	ASK(clock_asker_chrony(asker));
	loop_until(&n_seen, 1);
	loop_drain();
	assert_int_equal(n_seen, 1);
}

/* A timer that does something else than it should must not wake us without end. */
static void odd_timer_is_let_go(void **state)
{
	(void)state;
	static const struct {
		int read_errno, arm_errno;
	} cases[] = {{0, 0}, {EBADF, 0}, {ECANCELED, EINVAL}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		open_asker(NULL);
		timer_read_errno = cases[i].read_errno;
		timer_arm_errno = cases[i].arm_errno;
		for (int k = 0; k < 3; k++) {
			set_clock();
			unsigned before = n_seen;
			ASK(clock_asker_kernel(asker));
			loop_until(&n_seen, before + 1 + (k == 0));
		}
		loop_drain();
		assert_int_equal(n_seen, 4);
		timer_arm_errno = 0;
		close_asker();
	}
}

static void without_a_timer(void **state)
{
	(void)state;
	timer_errno = EPERM;
	open_asker(NULL);
	ASK(clock_asker_kernel(asker));
	loop_until(&n_seen, 1);
	close_asker();
	timer_errno = 0;
	timer_armed = 0;
	timer_arm_errno = ECANCELED; /* set in this very moment: armed all the same */
	open_asker(NULL);
	assert_int_equal(timer_armed, 1);
	close_asker();
	timer_arm_errno = EINVAL;
	open_asker(NULL);
	close_asker();
	timer_arm_errno = 0;
}

static void closed_with_questions_open(void **state)
{
	(void)state;
	struct fake_server silent = {.answer = NULL};
	char name[32];
	assert_true(fake_open(&silent, "127.0.0.1", 0));
	snprintf(name, sizeof name, "127.0.0.1:%u", (unsigned)silent.port);
	open_asker(name);
	clock_asker_chrony_port(asker, silent.port);
	ASK(clock_asker_chrony(asker));
	clock_asker_ntp_port(asker, silent.port);
	assert_int_equal(clock_asker_add_peer(asker, TUNNEL, name), 0);
	assert_int_equal(clock_asker_add_peer(asker, OTHER, "name.invalid"), 0);
	ASK(clock_asker_sntp(asker, 0));
	ASK(clock_asker_sntp(asker, 0));
	ASK(clock_asker_ntp_control(asker));
	ASK(clock_asker_timesync(asker));
	ASK(clock_asker_peer(asker, TUNNEL));
	ASK(clock_asker_peer(asker, OTHER));
	ASK(clock_asker_kernel(asker));
	fake_close(&silent);
	close_asker();
	assert_int_equal(n_seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(chronyd_on_ipv4),
	    LOOP_TEST(chronyd_on_ipv6),
	    LOOP_TEST(chronyd_says_other_things_first),
	    LOOP_TEST(chronyd_is_asked_twice),
	    LOOP_TEST(chronyd_is_silent),
	    LOOP_TEST(no_chronyd),
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
	    LOOP_TEST(servers_that_are_none),
	    LOOP_TEST(kernel_says),
	    LOOP_TEST(set_clock_is_noticed),
	    LOOP_TEST(odd_timer_is_let_go),
	    LOOP_TEST(without_a_timer),
	    LOOP_TEST(closed_with_questions_open),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	uv_library_shutdown();
	return failed;
}
