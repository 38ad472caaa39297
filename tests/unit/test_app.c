/* SPDX-License-Identifier: MIT
 *
 * The loop with a brain of three lines: deadlines, and every way to end.
 */
#include "core/tunnel.h"
#include "io/app.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

struct thought {
	unsigned steps, stops, wanted;
	nsec next;     /* after each step: this much later; NSEC_NEVER: no deadline */
	nsec deadline; /* mono */
	unsigned say;  /* notices with each step */
	int signal_at; /* raised in this step; 0: never */
	int signal;
	int reader; /* closed in the first step; 0: not */
};

static void think(void *self, const struct event *e, struct actions *out)
{
	struct thought *t = self;
	out->n_actions = out->n_notices = 0;
	if (e->kind == EVENT_STOP)
		t->stops++;
	else
		t->steps++;
	assert_true(e->kind == EVENT_STOP || e->at.mono >= t->deadline);
	t->deadline = t->next == NSEC_NEVER ? NSEC_NEVER : e->at.mono + t->next;
	for (unsigned i = 0; i < t->say && i < NOTICES_MAX; i++)
		notice_init(&out->notices[out->n_notices++], NOTICE_CLOCK, SEVERITY_INFO, &e->at,
			    NULL);
	if (t->signal_at == (int)t->steps)
		raise(t->signal);
	if (t->reader != 0)
		close(t->reader);
	t->reader = 0;
}

static nsec next_thought(const void *self)
{
	const struct thought *t = self;
	return t->deadline;
}

static bool thought_enough(const void *self)
{
	const struct thought *t = self;
	return t->wanted != 0 && t->steps >= t->wanted;
}

static int run(struct thought *t, const char *output)
{
	const struct app_brain brain = {
	    .self = t, .step = think, .deadline = next_thought, .done = thought_enough};
	const struct app_options options = {.output = output, .format = FORMAT_JSON};
	struct app *app;
	char error[200];
	assert_int_equal(app_open(&app, &options, &brain, error, sizeof error), 0);
	/* app_close() says EX_SOFTWARE if a handle was left open. */
	return app_close(app, app_run(app));
}

static void test_it_is_done(void **state)
{
	struct thought t = {.wanted = 50, .next = NSEC_PER_MSEC, .say = 3};
	(void)state;
	assert_int_equal(run(&t, "/dev/null"), 0);
	assert_int_equal(t.steps, 50);
	assert_int_equal(t.stops, 0);
}

/* A deadline in the past is at once, again and again. */
static void test_deadlines_in_the_past(void **state)
{
	struct thought t = {.wanted = 1500, .next = 0};
	(void)state;
	assert_int_equal(run(&t, "/dev/null"), 0);
	assert_int_equal(t.steps, 1500);
}

static void test_signals_end_it(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM};
	(void)state;
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		struct thought t = {.next = NSEC_NEVER, .signal_at = 1, .signal = signals[i]};
		assert_int_equal(run(&t, "/dev/null"), 0);
		assert_int_equal(t.stops, 1);
	}
}

static void test_hangup_does_not(void **state)
{
	struct thought t = {.next = NSEC_PER_MSEC, .signal_at = 1, .signal = SIGHUP, .wanted = 20};
	(void)state;
	assert_int_equal(run(&t, "/dev/null"), 0);
	assert_int_equal(t.steps, 20);
	assert_int_equal(t.stops, 0);
}

static void test_full_disk(void **state)
{
	struct thought t = {.next = NSEC_PER_MSEC, .say = 1};
	(void)state;
	assert_int_equal(run(&t, "/dev/full"), EX_IOERR);
	assert_int_equal(t.stops, 0);
}

/* With standard output a pipe: the reader is gone, or never reads. */
static int run_into_pipe(struct thought *t, bool leaves)
{
	int fd[2], saved = dup(STDOUT_FILENO);
	assert_true(saved >= 0);
	fflush(stdout);
	assert_int_equal(pipe(fd), 0);
	assert_true(dup2(fd[1], STDOUT_FILENO) >= 0);
	close(fd[1]);
	t->reader = leaves ? fd[0] : 0;
	int status = run(t, NULL);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	if (!leaves)
		close(fd[0]);
	return status;
}

static void test_reader_that_leaves(void **state)
{
	struct thought t = {.next = NSEC_NEVER};
	(void)state;
	assert_int_equal(run_into_pipe(&t, true), 0);
	assert_int_equal(t.steps, 1);
	t = (struct thought){.next = NSEC_PER_MSEC, .say = 1};
	assert_int_equal(run_into_pipe(&t, true), 0);
}

/* What it does not take within the patience is lost; the end comes all the same. */
static void test_reader_that_never_reads(void **state)
{
	struct thought t = {.next = 0, .say = NOTICES_MAX, .wanted = 500};
	(void)state;
	assert_int_equal(run_into_pipe(&t, false), 0);
	assert_int_equal(t.steps, 500);
}

static void test_output_that_cannot_be_opened(void **state)
{
	struct thought t = {0};
	const struct app_brain brain = {.self = &t, .step = think, .deadline = next_thought};
	const struct app_options options = {.output = "/nonexistent/file"};
	struct app *app;
	char error[200];
	(void)state;
	assert_int_equal(app_open(&app, &options, &brain, error, sizeof error), EX_IOERR);
	assert_non_null(strstr(error, "/nonexistent/file"));
}

/* --- the hands at the server: its management interface and its NTP service ------------------- */

static struct tunnel tunnel;
#define TUNNEL (&tunnel)

/* The server is played by the brain: it looks at its sockets with each step. */
struct errand {
	int listener, client, ntp; /* client: -1 until it has come */
	uint16_t port, ntp_port;
	bool begun, logged_in, showed, told, closed;
	unsigned links, lines, events; /* events: of what was asked for, one bit a kind */
	nsec deadline;
};

#define ASKED                                                                     \
	(1u << EVENT_PEER_SNTP | 1u << EVENT_NTP_CONTROL | 1u << EVENT_TIMESYNC | \
	 1u << EVENT_CHRONY)

static int bound(int type, uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void play_ntp(const struct errand *t)
{
	uint8_t packet[48];
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	if (recvfrom(t->ntp, packet, sizeof packet, 0, (struct sockaddr *)&from, &size) != 48)
		return;
	packet[0] = 0xe4; /* a server that is not synchronised */
	memcpy(packet + 24, packet + 40, 8);
	memset(packet + 32, 0xe0, 16);
	sendto(t->ntp, packet, sizeof packet, 0, (struct sockaddr *)&from, size);
}

static void play_management(struct errand *t)
{
	char heard[64];
	if (t->client < 0) {
		t->client = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (t->client >= 0)
			send(t->client, "ENTER PASSWORD:", 15, MSG_NOSIGNAL);
		return;
	}
	ssize_t n = recv(t->client, heard, sizeof heard - 1, 0);
	if (n == 0)
		t->closed = true;
	if (n <= 0)
		return;
	heard[n] = '\0';
	if (strcmp(heard, "hush\n") == 0) {
		t->logged_in = true;
		send(t->client, ">INFO:OpenVPN\x1b\r\n", 16, MSG_NOSIGNAL);
	} else if (strcmp(heard, "status 1\n") == 0) {
		t->told = true;
	}
}

static void act(struct actions *out, enum action_kind kind)
{
	out->actions[out->n_actions++] =
	    (struct action){.kind = kind, .tunnel = TUNNEL, .command = COMMAND_STATUS_1};
}

static void run_errand(void *self, const struct event *e, struct actions *out)
{
	struct errand *t = self;
	out->n_actions = out->n_notices = 0;
	play_ntp(t);
	play_management(t);
	t->deadline = e->at.mono + NSEC_PER_MSEC;
	if (!t->begun) {
		act(out, ACTION_PEER_CONNECT);
		act(out, ACTION_ASK_PEER_SNTP);
		act(out, ACTION_ASK_NTP_CONTROL);
		act(out, ACTION_ASK_TIMESYNC);
		act(out, ACTION_ASK_CHRONY);
		t->begun = true;
	}
	if (e->kind == EVENT_PEER_SNTP || e->kind == EVENT_PEER_LINE || e->kind == EVENT_PEER_LINK)
		assert_ptr_equal(e->tunnel, TUNNEL);
	if (e->kind == EVENT_PEER_SNTP)
		t->showed = e->u.peer_sntp.answered;
	if (e->kind == EVENT_PEER_LINK && e->u.link.change == LINK_UP)
		t->links++;
	if (e->kind == EVENT_PEER_LINE)
		act(out, t->lines++ == 0 ? ACTION_PEER_SEND_PASSWORD : ACTION_PEER_SEND);
	if (t->told)
		act(out, ACTION_PEER_CLOSE);
	t->events |= 1u << e->kind;
}

static nsec next_errand(const void *self)
{
	const struct errand *t = self;
	return t->deadline;
}

static bool errand_is_done(const void *self)
{
	const struct errand *t = self;
	return t->closed && (t->events & ASKED) == ASKED;
}

/* All of stderr until stderr_back(): what --verbose says. */
static int stderr_away(FILE *to)
{
	int saved = dup(STDERR_FILENO);
	fflush(stderr);
	assert_true(saved >= 0 && dup2(fileno(to), STDERR_FILENO) >= 0);
	return saved;
}

static void stderr_back(int saved)
{
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
}

static void run_errand_app(struct errand *t, const char *password_file)
{
	const struct app_brain brain = {
	    .self = t, .step = run_errand, .deadline = next_errand, .done = errand_is_done};
	const struct app_options options = {
	    .output = "/dev/null", .format = FORMAT_JSON, .verbose = true};
	struct address management = {.kind = ADDRESS_TCP, .host = "127.0.0.1", .port = t->port};
	char ntp[32], error[200];
	struct app *app;
	snprintf(ntp, sizeof ntp, "127.0.0.1:%u", (unsigned)t->ntp_port);
	const struct app_tunnel hands = {.tunnel = TUNNEL,
					 .peer_management = &management,
					 .peer_password_file = password_file,
					 .peer_ntp = ntp};
	assert_int_equal(app_open(&app, &options, &brain, error, sizeof error), 0);
	assert_int_equal(app_add(app, &hands), 0);
	assert_int_equal(app_close(app, app_run(app)), 0);
}

static void test_hands_at_the_server(void **state)
{
	struct errand t = {.client = -1};
	char path[] = "/tmp/ovpnwatch-test-XXXXXX", said[8192];
	FILE *log = tmpfile();
	int fd = mkstemp(path), saved;
	(void)state;
	assert_non_null(log);
	assert_int_equal(write(fd, "hush\n", 5), 5);
	close(fd);
	t.listener = bound(SOCK_STREAM, &t.port);
	assert_int_equal(listen(t.listener, 1), 0);
	t.ntp = bound(SOCK_DGRAM, &t.ntp_port);
	saved = stderr_away(log);
	run_errand_app(&t, path);
	stderr_back(saved);
	assert_int_equal(t.links, 1);
	assert_true(t.logged_in);
	assert_true(t.showed);
	rewind(log);
	said[fread(said, 1, sizeof said - 1, log)] = '\0';
	assert_non_null(strstr(said, "ovpnwatch: server < ENTER PASSWORD:\n"));
	assert_non_null(strstr(said, "ovpnwatch: server > (the management password)\n"));
	assert_non_null(strstr(said, "ovpnwatch: server < >INFO:OpenVPN"));
	assert_non_null(strstr(said, "ovpnwatch: server > status 1\n"));
	assert_null(strstr(said, "hush"));
	assert_null(strchr(said, 0x1b));
	fclose(log);
	unlink(path);
	close(t.listener);
	close(t.client);
	close(t.ntp);
}

/* --- the hands at the client: where to probe -------------------------------------------------- */

/* The daemon says that it is connected to the second port; the brain probes at once. */
struct move {
	struct tunnel tunnel;
	int listener, client, ports[2];
	uint16_t udp[2];
	bool begun, probed;
	unsigned heard[2];
	nsec deadline;
};

static void look_at_ports(struct move *m)
{
	uint8_t packet[1024];
	for (int i = 0; i < 2; i++)
		if (recv(m->ports[i], packet, sizeof packet, 0) > 0)
			m->heard[i]++;
	if (m->client >= 0)
		return;
	m->client = accept4(m->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (m->client >= 0)
		send(m->client, ">INFO:OpenVPN\r\n", 15, MSG_NOSIGNAL);
}

static void make_move(void *self, const struct event *e, struct actions *out)
{
	struct move *m = self;
	out->n_actions = out->n_notices = 0;
	look_at_ports(m);
	m->deadline = e->at.mono + NSEC_PER_MSEC;
	if (!m->begun)
		out->actions[out->n_actions++] =
		    (struct action){.kind = ACTION_CONNECT, .tunnel = &m->tunnel};
	m->begun = true;
	if (e->kind != EVENT_LINE || m->probed)
		return;
	m->tunnel.state = STATE_CONNECTED;
	snprintf(m->tunnel.remote_ip, sizeof m->tunnel.remote_ip, "127.0.0.1");
	m->tunnel.remote_port = m->udp[1];
	out->actions[out->n_actions++] =
	    (struct action){.kind = ACTION_PROBE, .tunnel = &m->tunnel, .id = 1};
	m->probed = true;
}

static nsec next_move(const void *self)
{
	const struct move *m = self;
	return m->deadline;
}

static bool move_is_made(const void *self)
{
	const struct move *m = self;
	return m->heard[0] + m->heard[1] > 0;
}

static void test_the_first_probe_goes_to_the_new_server(void **state)
{
	struct move m = {.client = -1};
	const struct app_brain brain = {
	    .self = &m, .step = make_move, .deadline = next_move, .done = move_is_made};
	const struct app_options options = {.output = "/dev/null", .format = FORMAT_JSON};
	const struct control_key key = {.wrap = WRAP_TLS_AUTH, .digest = "SHA1"};
	struct profile profile = {.n_remotes = 1};
	struct address management = {.kind = ADDRESS_TCP, .host = "127.0.0.1"};
	struct app *app;
	char error[200];
	(void)state;
	m.listener = bound(SOCK_STREAM, &management.port);
	assert_int_equal(listen(m.listener, 1), 0);
	for (int i = 0; i < 2; i++)
		m.ports[i] = bound(SOCK_DGRAM, &m.udp[i]);
	profile.remotes[0] = (struct profile_remote){.host = "127.0.0.1", .port = m.udp[0]};
	const struct app_tunnel hands = {.tunnel = &m.tunnel,
					 .management = &management,
					 .remote = &profile.remotes[0],
					 .key = &key,
					 .follow = &profile};
	assert_int_equal(app_open(&app, &options, &brain, error, sizeof error), 0);
	assert_int_equal(app_add(app, &hands), 0);
	assert_int_equal(app_close(app, app_run(app)), 0);
	assert_int_equal(m.heard[0], 0);
	assert_int_equal(m.heard[1], 1);
	close(m.listener);
	close(m.client);
	close(m.ports[0]);
	close(m.ports[1]);
}

static void test_peer_that_is_none(void **state)
{
	struct thought t = {0};
	const struct app_brain brain = {.self = &t, .step = think, .deadline = next_thought};
	const struct app_options options = {.output = "/dev/null"};
	const struct app_tunnel hands = {.tunnel = TUNNEL, .peer_ntp = "a b"};
	struct app *app;
	char error[200];
	(void)state;
	assert_int_equal(app_open(&app, &options, &brain, error, sizeof error), 0);
	assert_int_equal(app_add(app, &hands), UV_EINVAL);
	assert_int_equal(app_close(app, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_it_is_done),
	    cmocka_unit_test(test_deadlines_in_the_past),
	    cmocka_unit_test(test_signals_end_it),
	    cmocka_unit_test(test_hangup_does_not),
	    cmocka_unit_test(test_full_disk),
	    cmocka_unit_test(test_reader_that_leaves),
	    cmocka_unit_test(test_reader_that_never_reads),
	    cmocka_unit_test(test_output_that_cannot_be_opened),
	    cmocka_unit_test(test_hands_at_the_server),
	    cmocka_unit_test(test_the_first_probe_goes_to_the_new_server),
	    cmocka_unit_test(test_peer_that_is_none),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
