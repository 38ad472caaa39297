/* SPDX-License-Identifier: MIT
 *
 * The clock asker against a fake chronyd on its Unix socket and a fake NTP daemon that speaks mode
 * 6, with everything that either may do wrong.
 */
#include "proto/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "unit/asker_fixture.h"

#define NOBODY 65534

/* --- chronyd's Unix socket --- */

static enum unix_manner {
	UNIX_RIGHT,
	UNIX_SILENT,
	UNIX_JUNK_FIRST, /* other things before the answer */
	UNIX_JUNK_ONLY,
	UNIX_GONE, /* hears the question, and ends */
} unix_manner;

static struct {
	char folder[64], path[96];
	int fd;
	uv_poll_t poll;
	unsigned heard;
	mode_t client_mode;
	char client[128];
} chronyd;

static void chrony_reply_to(const uint8_t *request, const struct sockaddr_un *to, socklen_t size)
{
	uint8_t reply[CHRONY_PACKET_SIZE + 3000] = {6, 2, 0, 0, 0, 33, 0, 5};
	bool junk = unix_manner == UNIX_JUNK_FIRST || unix_manner == UNIX_JUNK_ONLY;
	const struct sockaddr *at = (const struct sockaddr *)to;
	memcpy(reply + 16, request + 8, 4);
	wire_put(reply + 52, 3, 2);
	wire_put(reply + 60, 1795493501, 4);
	wire_put(reply + 68, 0x08e0002d, 4);
	if (junk) {
		reply[16] ^= 1;
		sendto(chronyd.fd, reply, CHRONY_PACKET_SIZE, 0, at, size);
		reply[16] ^= 1;
		sendto(chronyd.fd, reply, 0, 0, at, size);
		sendto(chronyd.fd, reply, 103, 0, at, size);
		sendto(chronyd.fd, reply, sizeof reply, 0, at, size);
	}
	if (unix_manner != UNIX_JUNK_ONLY)
		assert_int_equal(sendto(chronyd.fd, reply, CHRONY_PACKET_SIZE, 0, at, size),
				 CHRONY_PACKET_SIZE);
}

static void on_question(uv_poll_t *poll, int status, int events)
{
	uint8_t bytes[CHRONY_PACKET_SIZE + 1];
	struct sockaddr_un from;
	socklen_t size = sizeof from;
	struct stat st;
	(void)poll;
	(void)events;
	assert_int_equal(status, 0);
	memset(&from, 0, sizeof from);
	ssize_t n = recvfrom(chronyd.fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
	assert_int_equal(n, CHRONY_PACKET_SIZE);
	chronyd.heard++;
	assert_int_equal(stat(from.sun_path, &st), 0);
	chronyd.client_mode = st.st_mode;
	snprintf(chronyd.client, sizeof chronyd.client, "%s", from.sun_path);
	if (unix_manner == UNIX_GONE) {
		uv_close((uv_handle_t *)&chronyd.poll, NULL);
		close(chronyd.fd);
		chronyd.fd = -1;
	} else if (unix_manner != UNIX_SILENT) {
		chrony_reply_to(bytes, &from, size);
	}
}

static void unix_begin(enum unix_manner manner)
{
	unix_manner = manner;
	chronyd.heard = 0;
	chronyd.fd = -1;
	snprintf(chronyd.folder, sizeof chronyd.folder, "/tmp/ovpnwatch-test-XXXXXX");
	assert_non_null(mkdtemp(chronyd.folder));
	snprintf(chronyd.path, sizeof chronyd.path, "%s/chronyd.sock", chronyd.folder);
}

static void unix_listen(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	memcpy(at.sun_path, chronyd.path, sizeof chronyd.path);
	chronyd.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(chronyd.fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(uv_poll_init(&loop, &chronyd.poll, chronyd.fd), 0);
	assert_int_equal(uv_poll_start(&chronyd.poll, UV_READABLE, on_question), 0);
	uv_unref((uv_handle_t *)&chronyd.poll);
}

/* Whose socket is nobody's any more, but still there. */
static void unix_hang_up(void)
{
	uv_close((uv_handle_t *)&chronyd.poll, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	close(chronyd.fd);
	chronyd.fd = -1;
}

static unsigned files_beside(void)
{
	unsigned n = 0;
	DIR *d = opendir(chronyd.folder);
	assert_non_null(d);
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
		n += e->d_name[0] != '.' && strcmp(e->d_name, "chronyd.sock") != 0;
	closedir(d);
	return n;
}

static void unix_end(void)
{
	if (chronyd.fd >= 0)
		unix_hang_up();
	assert_int_equal(files_beside(), 0);
	unlink(chronyd.path);
	assert_int_equal(rmdir(chronyd.folder), 0);
}

static void open_unix_asker(void)
{
	open_asker(NULL);
	clock_asker_chrony_port(asker, closed_port());
	clock_asker_chrony_socket(asker, chronyd.path);
}

/* Asks once, while nothing listens on UDP. */
static const struct event *ask_unix(void)
{
	open_unix_asker();
	ASK(clock_asker_chrony(asker));
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].kind, EVENT_CHRONY);
	assert_int_equal(files_beside(), 0); /* already */
	close_asker();
	assert_int_equal(n_seen, 1);
	return &seen[0];
}

static void expect_reason(const struct event *e, const char *socket_part)
{
	char whole[200];
	assert_false(e->u.chrony.answered);
	snprintf(whole, sizeof whole, "nothing listens at 127.0.0.1:323 and [::1]:323%s%s",
		 socket_part[0] != '\0' ? "; /run/chrony/chronyd.sock: " : "", socket_part);
	assert_string_equal(e->u.chrony.reason, whole);
}

static void unix_socket_answers(void **state)
{
	(void)state;
	for (enum unix_manner m = UNIX_RIGHT; m <= UNIX_JUNK_FIRST; m += UNIX_JUNK_FIRST) {
		char prefix[128];
		mode_t before = umask(077); /* it must not matter */
		unix_begin(m);
		unix_listen();
		const struct event *e = ask_unix();
		assert_int_equal(umask(before), 077);
		assert_true(e->u.chrony.answered);
		assert_int_equal(e->u.chrony.tracking.stratum, 3);
		assert_true(e->u.chrony.tracking.correction_s > 7.0);
		assert_true(e->at.mono > 0);
		/* chronyd is another user, and has to be able to write to it. */
		assert_true(S_ISSOCK(chronyd.client_mode));
		assert_int_equal(chronyd.client_mode & 0777, 0666);
		snprintf(prefix, sizeof prefix, "%s/ovpnwatch.%ld.", chronyd.folder,
			 (long)getpid());
		assert_memory_equal(chronyd.client, prefix, strlen(prefix));
		unix_end();
	}
}

static void unix_socket_without_answer(void **state)
{
	(void)state;
	for (enum unix_manner m = UNIX_SILENT; m <= UNIX_JUNK_ONLY; m++) {
		if (m == UNIX_JUNK_FIRST)
			continue;
		unix_begin(m);
		unix_listen();
		expect_reason(ask_unix(), "no valid answer");
		assert_int_equal(chronyd.heard, 2);
		unix_end();
	}
	unix_begin(UNIX_GONE);
	unix_listen();
	expect_reason(ask_unix(), "nothing listens");
	assert_int_equal(chronyd.heard, 1);
	unix_end();
}

static void unix_socket_that_is_none(void **state)
{
	(void)state;
	unix_begin(UNIX_RIGHT);
	expect_reason(ask_unix(), ""); /* there is no chronyd: nothing to be said */
	unix_listen();
	unix_hang_up();
	expect_reason(ask_unix(), "nothing listens"); /* left over */
	unlink(chronyd.path);
	int fd = open(chronyd.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	expect_reason(ask_unix(), "nothing listens"); /* a file */
	char path[PATH_MAX];
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[200] = '\0';
	open_unix_asker();
	clock_asker_chrony_socket(asker, path); /* longer than the kernel takes */
	ASK(clock_asker_chrony(asker));
	loop_until(&n_seen, 1);
	expect_reason(&seen[0], "cannot be asked");
	close_asker();
	unix_end();
}

/* As an ordinary user; root may do everything. */
static void expect_denied(mode_t folder, mode_t sock)
{
	bool root = geteuid() == 0;
	if (root)
		assert_int_equal(seteuid(NOBODY), 0);
	unix_begin(UNIX_RIGHT);
	unix_listen();
	assert_int_equal(chmod(chronyd.path, sock), 0);
	assert_int_equal(chmod(chronyd.folder, folder), 0);
	open_unix_asker();
	ASK(clock_asker_chrony(asker));
	loop_until(&n_seen, 1);
	expect_reason(&seen[0], "permission denied");
	close_asker();
	assert_int_equal(chronyd.heard, 0);
	assert_int_equal(chmod(chronyd.folder, 0700), 0);
	unix_end();
	if (root) {
		assert_int_equal(seteuid(0), 0);
		prctl(PR_SET_DUMPABLE, 1); /* or LeakSanitizer may not look at us any more */
	}
}

static void unix_socket_is_not_permitted(void **state)
{
	(void)state;
	expect_denied(0, 0777);	   /* may not enter the folder */
	expect_denied(0500, 0777); /* may not make a file in it */
	expect_denied(0700, 0);	   /* may not write to chronyd's socket */
}

static void unix_socket_is_left_at_once(void **state)
{
	(void)state;
	unix_begin(UNIX_SILENT);
	unix_listen();
	open_unix_asker();
	ASK(clock_asker_chrony(asker));
	ASK(clock_asker_chrony(asker));
	assert_int_equal(files_beside(), 2);
	clock_asker_close(asker);
	assert_int_equal(files_beside(), 0); /* also if the loop is never turned again */
	unix_hang_up();
	loop_drain();
	assert_int_equal(n_seen, 0);
	unix_end();
}

/* --- an NTP daemon: mode 6 --- */

#define TEXT                                                                        \
	"leap=0, stratum=3, rootdelay=0.055, rootdisp=62.679, refid=10.99.0.2,\r\n" \
	"reftime=0xeeaf8e1b.9149343b, tc=3, offset=7000.035391, sys_jitter=0.013"

static enum control_manner {
	CONTROL_RIGHT,
	CONTROL_TORN,  /* three fragments, the last first */
	CONTROL_TWICE, /* each comes twice */
	CONTROL_JUNK_FIRST,
	CONTROL_JUNK_ONLY, /* another sequence, a request, noise */
	CONTROL_NONSENSE,  /* complete, but offset is no number */
	CONTROL_HALF,	   /* the last fragment never comes */
	CONTROL_REFUSES,
	CONTROL_SILENT,
	CONTROL_SECOND_ONLY, /* the first question is lost */
	CONTROL_LATE,	     /* the first is answered after the second was sent */
	CONTROL_MIXED,	     /* the beginning of one answer, the end of another */
	CONTROL_LAST_ONE,    /* answers the question of the exchange before */
} control_manner;
static uint16_t first_sequence, last_sequence;

static void fragment(struct fake_server *s, const struct sockaddr *to, uint16_t sequence,
		     const char *text, size_t from, size_t end, bool more)
{
	uint8_t out[600] = {0x16, more ? 0xa2 : 0x82};
	size_t n = end - from;
	assert_true(n <= 468);
	wire_put(out + 2, sequence, 2);
	wire_put(out + 4, 0x0615, 2);
	wire_put(out + 8, from, 2);
	wire_put(out + 10, n, 2);
	memcpy(out + 12, text + from, n);
	memset(out + 12 + n, 0xee, 3); /* padding, not zero */
	fake_send(s, out, 12 + (n + 3) / 4 * 4, to);
}

static void whole(struct fake_server *s, const struct sockaddr *to, uint16_t sequence,
		  const char *text)
{
	fragment(s, to, sequence, text, 0, strlen(text), false);
}

static void junk(struct fake_server *s, const struct sockaddr *to, const uint8_t *question,
		 size_t n, uint16_t sequence)
{
	static const uint8_t noise[] = {0x16, 0x82, 0xff, 0xff, 0xff, 0xff,
					0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	fake_send(s, noise, 0, to);
	fake_send(s, noise, sizeof noise, to);
	fake_send(s, question, n, to); /* our own, reflected */
	whole(s, to, (uint16_t)(sequence ^ 0x4000), "leap=0, offset=1.0");
}

static void refuse(struct fake_server *s, const struct sockaddr *to, uint16_t sequence)
{
	uint8_t out[12] = {0x16, 0xc2};
	wire_put(out + 2, sequence, 2);
	wire_put(out + 4, NTP_CONTROL_PERMISSION << 8, 2);
	wire_put(out + 8, 0x01d4, 2); /* stale, seen from NTPsec */
	fake_send(s, out, sizeof out, to);
}

static void control_answers(struct fake_server *s, const uint8_t *bytes, size_t n,
			    const struct sockaddr *from)
{
	const size_t end = strlen(TEXT);
	uint16_t sequence = (uint16_t)(bytes[2] << 8 | bytes[3]);
	assert_int_equal(n, NTP_CONTROL_REQUEST_MAX);
	assert_int_equal(bytes[0], 0x16);
	assert_int_equal(bytes[1], 2);
	if (s->heard == 1)
		first_sequence = sequence;
	switch (control_manner) {
	case CONTROL_RIGHT:
		whole(s, from, sequence, TEXT);
		break;
	case CONTROL_TORN:
		fragment(s, from, sequence, TEXT, 90, end, false);
		fragment(s, from, sequence, TEXT, 31, 90, true);
		fragment(s, from, sequence, TEXT, 0, 31, true);
		break;
	case CONTROL_TWICE:
		for (int i = 0; i < 2; i++)
			fragment(s, from, sequence, TEXT, 0, 31, true);
		for (int i = 0; i < 2; i++)
			fragment(s, from, sequence, TEXT, 31, end, false);
		break;
	case CONTROL_JUNK_FIRST:
		junk(s, from, bytes, n, sequence);
		whole(s, from, sequence, TEXT);
		break;
	case CONTROL_JUNK_ONLY:
		junk(s, from, bytes, n, sequence);
		break;
	case CONTROL_NONSENSE:
		whole(s, from, sequence, "leap=0, offset=\xe0\xee\x6e\xe2");
		break;
	case CONTROL_HALF:
		fragment(s, from, sequence, TEXT, 0, 31, true);
		break;
	case CONTROL_REFUSES:
		refuse(s, from, sequence);
		break;
	case CONTROL_SILENT:
		break;
	case CONTROL_SECOND_ONLY:
		if (s->heard == 2)
			whole(s, from, sequence, TEXT);
		break;
	case CONTROL_LATE:
		if (s->heard == 2)
			whole(s, from, first_sequence, TEXT);
		break;
	case CONTROL_MIXED:
		if (s->heard == 1)
			fragment(s, from, sequence, TEXT, 0, 31, true);
		else
			fragment(s, from, sequence, TEXT, 31, end, false);
		break;
	case CONTROL_LAST_ONE:
		whole(s, from, last_sequence, TEXT);
		break;
	}
	if (control_manner != CONTROL_LAST_ONE)
		last_sequence = sequence;
}

static struct fake_server ntpd = {.answer = control_answers};

static const struct event *ask_control(const char *ip, enum control_manner manner)
{
	control_manner = manner;
	if (!fake_open(&ntpd, ip, 0))
		skip();
	open_asker(NULL);
	clock_asker_ntp_port(asker, ntpd.port);
	ASK(clock_asker_ntp_control(asker));
	loop_until(&n_seen, 1);
	assert_int_equal(seen[0].kind, EVENT_NTP_CONTROL);
	assert_null(seen[0].tunnel);
	fake_close(&ntpd);
	close_asker();
	assert_int_equal(n_seen, 1);
	return &seen[0];
}

static void expect_system(const struct event *e)
{
	const struct ntp_control_system *s = &e->u.ntp_control.system;
	assert_true(e->u.ntp_control.answered);
	assert_int_equal(s->leap, 0);
	assert_int_equal(s->stratum, 3);
	assert_string_equal(s->refid, "10.99.0.2");
	assert_true(s->offset_s > 7.000035 && s->offset_s < 7.000036);
	assert_true(e->at.mono > 0);
}

static void control_is_answered(void **state)
{
	(void)state;
	static const enum control_manner manners[] = {CONTROL_RIGHT, CONTROL_TORN, CONTROL_TWICE,
						      CONTROL_JUNK_FIRST};
	for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
		expect_system(ask_control("127.0.0.1", manners[i]));
		assert_int_equal(ntpd.heard, 1);
	}
}

static void control_on_ipv6(void **state)
{
	(void)state;
	expect_system(ask_control("::1", CONTROL_RIGHT));
}

static void control_is_asked_twice(void **state)
{
	(void)state;
	expect_system(ask_control("127.0.0.1", CONTROL_SECOND_ONLY));
	assert_int_equal(ntpd.heard, 2);
	expect_system(ask_control("127.0.0.1", CONTROL_LATE));
	assert_int_equal(ntpd.heard, 2);
}

static void control_without_answer(void **state)
{
	(void)state;
	static const struct {
		enum control_manner manner;
		unsigned heard;
		const char *reason;
	} cases[] = {
	    {CONTROL_SILENT, 2, "no answer to NTP control messages at port 123"},
	    {CONTROL_HALF, 2, "no answer to NTP control messages at port 123"},
	    {CONTROL_MIXED, 2, "no answer to NTP control messages at port 123"},
	    {CONTROL_JUNK_ONLY, 2, "no valid answer to NTP control messages at port 123"},
	    {CONTROL_LAST_ONE, 2, "no valid answer to NTP control messages at port 123"},
	    {CONTROL_REFUSES, 1, "permission denied"},
	    {CONTROL_NONSENSE, 1, "the NTP daemon's answer is not understood"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct event *e = ask_control("127.0.0.1", cases[i].manner);
		assert_false(e->u.ntp_control.answered);
		assert_string_equal(e->u.ntp_control.reason, cases[i].reason);
		assert_int_equal(ntpd.heard, cases[i].heard);
	}
}

static void no_ntp_daemon(void **state)
{
	(void)state;
	open_asker(NULL);
	clock_asker_ntp_port(asker, closed_port());
	ASK(clock_asker_ntp_control(asker));
	ASK(clock_asker_ntp_control(asker));
	loop_until(&n_seen, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_false(seen[i].u.ntp_control.answered);
		assert_string_equal(seen[i].u.ntp_control.reason,
				    "nothing listens at 127.0.0.1:123 and [::1]:123");
	}
	close_asker();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(unix_socket_answers),
	    LOOP_TEST(unix_socket_without_answer),
	    LOOP_TEST(unix_socket_that_is_none),
	    LOOP_TEST(unix_socket_is_not_permitted),
	    LOOP_TEST(unix_socket_is_left_at_once),
	    LOOP_TEST(control_is_answered),
	    LOOP_TEST(control_on_ipv6),
	    LOOP_TEST(control_is_asked_twice),
	    LOOP_TEST(control_without_answer),
	    LOOP_TEST(no_ntp_daemon),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	uv_library_shutdown();
	return failed;
}
