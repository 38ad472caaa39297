/* SPDX-License-Identifier: MIT
 *
 * systemd-timesyncd on a bus of its own: a real dbus-daemon, and a fake timesyncd in a process
 * beside this one; and buses that are none. Skipped where there is no dbus-daemon.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "unit/asker_fixture.h"

static const struct event *ask(void)
{
	open_asker(NULL);
	ASK(clock_asker_timesync(asker));
	loop_until(&n_seen, 1);
	close_asker();
	assert_int_equal(n_seen, 1);
	assert_int_equal(seen[0].kind, EVENT_TIMESYNC);
	assert_null(seen[0].tunnel);
	assert_true(seen[0].at.mono > 0);
	return &seen[0];
}

static void expect_reason(const char *reason)
{
	const struct event *e = ask();
	assert_false(e->u.timesync.answered);
	assert_string_equal(e->u.timesync.reason, reason);
}

#if OVPNWATCH_SYSTEMD

#include <systemd/sd-bus.h>

#define NAME	  "org.freedesktop.timesync1"
#define OBJECT	  "/org/freedesktop/timesync1"
#define INTERFACE "org.freedesktop.timesync1.Manager"

static char folder[] = "/tmp/ovpnwatch-test-XXXXXX";
static char address[128];
static pid_t bus_daemon;
static bool no_daemon;

/* --- a fake timesyncd --- */

enum daemon_manner {
	DAEMON_RIGHT,
	DAEMON_NOTHING_YET, /* as it says before the first answer of a server */
	DAEMON_OTHER_TYPE,
	DAEMON_SHORT_REFID,
	DAEMON_LACKS_IT,
	DAEMON_REFUSES,
	DAEMON_SILENT,
};

static int append_message(sd_bus_message *m, size_t refid_size, bool filled)
{
	static const uint8_t refid[4] = {10, 99, 0, 2};
	uint64_t t = filled ? 1795493501000000 : 0;
	int rc = sd_bus_message_open_container(m, 'r', "uuuuittayttttbtt");
	if (rc >= 0)
		rc = sd_bus_message_append(m, "uuuuitt", 1, 4, 4, 3, -24, UINT64_C(55),
					   UINT64_C(62679));
	if (rc >= 0)
		rc = sd_bus_message_append_array(m, 'y', refid, refid_size);
	if (rc >= 0)
		rc = sd_bus_message_append(m, "ttttbtt", t, t + 7000050, t + 7000070, t + 120, 1,
					   UINT64_C(5), UINT64_C(17));
	return rc >= 0 ? sd_bus_message_close_container(m) : rc;
}

static int on_get(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const enum daemon_manner manner = *(const enum daemon_manner *)userdata;
	sd_bus_message *reply = NULL;
	const char *interface = "", *property = "";
	int rc = sd_bus_message_read(m, "ss", &interface, &property);
	if (rc < 0 || strcmp(interface, INTERFACE) != 0 || strcmp(property, "NTPMessage") != 0)
		return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "what?");
	if (manner == DAEMON_SILENT)
		return 1;
	if (manner == DAEMON_LACKS_IT)
		return sd_bus_error_set(error, SD_BUS_ERROR_UNKNOWN_PROPERTY, "none");
	if (manner == DAEMON_REFUSES)
		return sd_bus_error_set(error, "org.example.Whim", "\x1b[31mno");
	rc = sd_bus_message_new_method_return(m, &reply);
	if (manner == DAEMON_OTHER_TYPE) {
		rc = sd_bus_message_append(reply, "v", "t", UINT64_C(1795493501000000));
	} else if (rc >= 0) {
		rc = sd_bus_message_open_container(reply, 'v', "(uuuuittayttttbtt)");
		if (rc >= 0)
			rc = append_message(reply, manner == DAEMON_SHORT_REFID ? 3 : 4,
					    manner != DAEMON_NOTHING_YET);
		if (rc >= 0)
			rc = sd_bus_message_close_container(reply);
	}
	if (rc >= 0)
		rc = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return rc < 0 ? rc : 1;
}

/* In the child; tells the parent through `ready` that it owns the name. */
static void be_timesyncd(enum daemon_manner manner, int ready)
{
	sd_bus *bus = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int rc = sd_bus_open_system(&bus);
	if (rc >= 0)
		rc = sd_bus_add_object(bus, NULL, OBJECT, on_get, &manner);
	if (rc >= 0)
		rc = sd_bus_request_name(bus, NAME, 0);
	if (rc >= 0 && write(ready, "", 1) != 1)
		rc = -1;
	while (rc >= 0) {
		rc = sd_bus_process(bus, NULL);
		if (rc == 0)
			rc = sd_bus_wait(bus, UINT64_MAX);
	}
	_exit(1);
}

static pid_t start_timesyncd(enum daemon_manner manner)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		be_timesyncd(manner, ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* --- its bus --- */

static void write_config(const char *path)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	/* It could start the fake's name: a question must not make it do so. */
	fprintf(f,
		"<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration "
		"1.0//EN\" \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
		"<busconfig><type>session</type><listen>unix:path=%s/bus</listen>"
		"<servicedir>%s</servicedir><auth>EXTERNAL</auth><policy context=\"default\">"
		"<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
		"<allow own=\"*\"/></policy></busconfig>\n",
		folder, folder);
	fclose(f);
}

static void write_service(void)
{
	char path[96];
	snprintf(path, sizeof path, "%s/%s.service", folder, NAME);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "[D-BUS Service]\nName=%s\nExec=/usr/bin/touch %s/started\n", NAME, folder);
	fclose(f);
}

static int start_bus(void **state)
{
	char config[96], line[256];
	int out[2];
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(config, sizeof config, "%s/bus.conf", folder);
	write_config(config);
	write_service();
	assert_int_equal(pipe(out), 0);
	bus_daemon = fork();
	assert_true(bus_daemon >= 0);
	if (bus_daemon == 0) {
		char file[128];
		snprintf(file, sizeof file, "--config-file=%s", config);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		execlp("dbus-daemon", "dbus-daemon", file, "--nofork", "--nopidfile",
		       "--print-address=1", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	no_daemon = read(out[0], line, sizeof line) <= 0; /* the address: it listens */
	close(out[0]);
	if (no_daemon)
		fprintf(stderr, "skipped: there is no dbus-daemon to ask timesyncd on\n");
	snprintf(address, sizeof address, "unix:path=%s/bus", folder);
	return 0;
}

static int stop_bus(void **state)
{
	static const char *const files[] = {"bus", "bus.conf", NAME ".service"};
	char path[128];
	(void)state;
	stop(bus_daemon);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void use_bus(const char *at)
{
	assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", at, 1), 0);
}

/* --- the tests --- */

static void need_daemon(void)
{
	if (no_daemon)
		skip();
	use_bus(address);
}

static void it_tells_its_last_exchange(void **state)
{
	(void)state;
	need_daemon();
	pid_t pid = start_timesyncd(DAEMON_RIGHT);
	for (int i = 0; i < 3; i++) {
		const struct event *e = ask();
		const struct timesync_message *m = &e->u.timesync.message;
		assert_true(e->u.timesync.answered);
		assert_int_equal(m->leap, 1);
		assert_int_equal(m->version, 4);
		assert_int_equal(m->mode, 4);
		assert_int_equal(m->stratum, 3);
		assert_int_equal(m->precision, -24);
		assert_int_equal(m->root_delay_usec, 55);
		assert_int_equal(m->root_dispersion_usec, 62679);
		assert_memory_equal(m->refid, "\x0a\x63\x00\x02", 4);
		assert_int_equal(m->origin_usec, 1795493501000000);
		assert_int_equal(m->receive_usec, 1795493508000050);
		assert_int_equal(m->transmit_usec, 1795493508000070);
		assert_int_equal(m->destination_usec, 1795493501000120);
		assert_true(m->spike);
		assert_int_equal(m->packet_count, 5);
		assert_int_equal(m->jitter_usec, 17);
	}
	stop(pid);
}

static void what_it_has_not_is_handed_on(void **state)
{
	(void)state;
	need_daemon();
	pid_t pid = start_timesyncd(DAEMON_NOTHING_YET);
	assert_true(ask()->u.timesync.answered);
	assert_int_equal(seen[0].u.timesync.message.origin_usec, 0);
	stop(pid);
}

static void it_answers_otherwise(void **state)
{
	(void)state;
	static const struct {
		enum daemon_manner manner;
		const char *reason;
	} cases[] = {
	    {DAEMON_OTHER_TYPE, "systemd-timesyncd's answer is not of the type that it should be"},
	    {DAEMON_SHORT_REFID, "systemd-timesyncd's answer is not of the type that it should be"},
	    {DAEMON_LACKS_IT, "this systemd-timesyncd does not tell (too old)"},
	    {DAEMON_REFUSES, "systemd-timesyncd refuses to answer"},
	    {DAEMON_SILENT, "no answer on the system bus"},
	};
	need_daemon();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		pid_t pid = start_timesyncd(cases[i].manner);
		expect_reason(cases[i].reason);
		stop(pid);
	}
}

/* The bus could start it. */
static void it_does_not_run_and_is_not_started(void **state)
{
	char started[96];
	(void)state;
	need_daemon();
	expect_reason("systemd-timesyncd does not run");
	snprintf(started, sizeof started, "%s/started", folder);
	assert_int_equal(access(started, F_OK), -1);
}

static void there_is_no_bus(void **state)
{
	(void)state;
	use_bus("unix:path=/nonexistent/bus");
	expect_reason("there is no system bus");
	use_bus("nonsense");
	expect_reason("there is no system bus");
	char path[256] = "unix:path=/"; /* longer than a path can be */
	memset(path + strlen(path), 'x', sizeof path - 1 - strlen(path));
	use_bus(path);
	expect_reason("the system bus cannot be reached");
}

static void left_while_it_is_asked(void **state)
{
	(void)state;
	need_daemon();
	open_asker(NULL);
	ASK(clock_asker_timesync(asker));
	close_asker();
	pid_t pid = start_timesyncd(DAEMON_SILENT);
	open_asker(NULL);
	ASK(clock_asker_timesync(asker));
	for (int i = 0; i < 50 && n_seen == 0; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	close_asker();
	assert_int_equal(n_seen, 0);
	stop(pid);
}

/* --- a bus that is none: a listening socket, and what it says to whoever comes --- */

static uv_pipe_t hostile, visitor;
static const char *hostile_says;
static size_t hostile_size;
static unsigned visits;

static void hostile_alloc(uv_handle_t *h, size_t n, uv_buf_t *out)
{
	static char room[4096];
	(void)h;
	(void)n;
	*out = uv_buf_init(room, sizeof room);
}

static void hostile_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	(void)buf;
	if (n < 0 && !uv_is_closing((uv_handle_t *)s))
		uv_close((uv_handle_t *)s, NULL);
}

static void on_visit(uv_stream_t *server, int status)
{
	assert_int_equal(status, 0);
	assert_int_equal(uv_pipe_init(&loop, &visitor, 0), 0);
	assert_int_equal(uv_accept(server, (uv_stream_t *)&visitor), 0);
	visits++;
	if (hostile_says == NULL) {
		uv_close((uv_handle_t *)&visitor, NULL);
		return;
	}
	uv_buf_t out = uv_buf_init((char *)(uintptr_t)hostile_says, (unsigned)hostile_size);
	if (out.len > 0)
		uv_try_write((uv_stream_t *)&visitor, &out, 1);
	uv_read_start((uv_stream_t *)&visitor, hostile_alloc, hostile_read);
}

static void ask_hostile(const char *says, size_t size, const char *reason)
{
	char path[96], at[128];
	snprintf(path, sizeof path, "%s/hostile", folder);
	snprintf(at, sizeof at, "unix:path=%s", path);
	use_bus(at);
	hostile_says = says;
	hostile_size = size;
	visits = 0;
	assert_int_equal(uv_pipe_init(&loop, &hostile, 0), 0);
	assert_int_equal(uv_pipe_bind(&hostile, path), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&hostile, 1, on_visit), 0);
	open_asker(NULL);
	ASK(clock_asker_timesync(asker));
	loop_until(&n_seen, 1);
	assert_false(seen[0].u.timesync.answered);
	assert_string_equal(seen[0].u.timesync.reason, reason);
	uv_close((uv_handle_t *)&hostile, NULL); /* and its path */
	close_asker();
	assert_int_equal(visits, 1);
}

static void hostile_buses(void **state)
{
	static const struct {
		const char *says, *reason;
	} cases[] = {
	    {NULL, "the system bus hung up"},
	    {"", "no answer on the system bus"},
	    {"REJECTED\r\n", "no answer on the system bus"}, /* there may be more to come */
	    {"REJECTED\r\nREJECTED\r\nREJECTED\r\n", "the system bus hung up"},
	    {"\xff\xff\xff\xff\r\n\xff\r\n\xff\xff\xff\xff\xff\xff\r\n", "the system bus hung up"},
	    /* as if all were well, then no D-Bus */
	    {"DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n"
	     "this is not a message of D-Bus, by its first byte",
	     "the system bus hung up"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ask_hostile(cases[i].says, cases[i].says != NULL ? strlen(cases[i].says) : 0,
			    cases[i].reason);
}

/* It lets us in, and then has one signal after the other for us. */
static void bus_that_talks_without_end(void **state)
{
	static const char welcome[] =
	    "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n";
	/* The answer to Hello: serial 1, reply to 1, a string. */
	static const char hello[] = "l\2\1\1\11\0\0\0\1\0\0\0\17\0\0\0"
				    "\5\1u\0\1\0\0\0\10\1g\0\1s\0\0"
				    "\4\0\0\0:1.0";
	/* A signal c of a.b from /a. */
	static const char signal[64] = "l\4\1\1\0\0\0\0\1\0\0\0\52\0\0\0"
				       "\1\1o\0\2\0\0\0/a\0\0\0\0\0\0"
				       "\2\1s\0\3\0\0\0a.b\0\0\0\0\0"
				       "\3\1s\0\1\0\0\0c";
	static char all[sizeof welcome + sizeof hello + 200 * sizeof signal];
	char *end = all;
	(void)state;
	memcpy(end, welcome, sizeof welcome - 1);
	end += sizeof welcome - 1;
	memcpy(end, hello, sizeof hello);
	end += sizeof hello;
	for (int i = 0; i < 200; i++, end += sizeof signal)
		memcpy(end, signal, sizeof signal);
	ask_hostile(all, (size_t)(end - all), "the system bus says more than it was asked");
	/* Some of it is borne. */
	ask_hostile(all, (size_t)(end - all) - 150 * sizeof signal, "no answer on the system bus");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(it_tells_its_last_exchange),
	    LOOP_TEST(what_it_has_not_is_handed_on),
	    LOOP_TEST(it_answers_otherwise),
	    LOOP_TEST(it_does_not_run_and_is_not_started),
	    LOOP_TEST(there_is_no_bus),
	    LOOP_TEST(left_while_it_is_asked),
	    LOOP_TEST(hostile_buses),
	    LOOP_TEST(bus_that_talks_without_end),
	};
	signal(SIGPIPE, SIG_IGN);
	int failed = cmocka_run_group_tests(tests, start_bus, stop_bus);
	uv_library_shutdown();
	return failed;
}

#else

static void it_says_so(void **state)
{
	(void)state;
	expect_reason("built without libsystemd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {LOOP_TEST(it_says_so)};
	fprintf(stderr, "skipped: built without libsystemd, nobody to ask timesyncd with\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
