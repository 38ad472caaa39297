/* SPDX-License-Identifier: MIT
 *
 * A clock asker with a fake chronyd, a fake kernel and a fake timer in the same program. Its NTP
 * servers: test_clock_asker_sntp.c.
 */
#include "proto/wire.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
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

/* --- what cannot be asked --- */

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
