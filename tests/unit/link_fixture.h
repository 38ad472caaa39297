/* SPDX-License-Identifier: MIT
 *
 * A link, and a daemon in the same loop. The including test has cmocka.h before this.
 */
#ifndef OVPNWATCH_TESTS_LINK_FIXTURE_H
#define OVPNWATCH_TESTS_LINK_FIXTURE_H

#include "io/link.h"
#include "loop.h"
#include "proto/management.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A tunnel is a name to the link, no more. */
#define TUNNEL ((struct tunnel *)0x7e57)

#define EVENTS_MAX 64

struct bench {
	uv_loop_t loop;
	struct link *link;
	struct address address;
	char folder[40];
	int listener, peer; /* the daemon's; -1: closed */
	struct {
		enum event_kind kind;
		enum link_change change;
		char text[200]; /* the line, or the reason */
		size_t n;
		struct stamp at, since;
	} seen[EVENTS_MAX];
	unsigned n_seen, wanted;
	bool close_on_event;
	bool deaf; /* events are not taken down */
};

static inline void on_event(void *arg, const struct event *e)
{
	struct bench *b = arg;
	assert_ptr_equal(e->tunnel, TUNNEL);
	if (b->deaf)
		return;
	assert_true(b->n_seen < EVENTS_MAX);
	b->seen[b->n_seen].kind = e->kind;
	b->seen[b->n_seen].at = e->at;
	b->seen[b->n_seen].since = e->since;
	if (e->kind == EVENT_LINE) {
		b->seen[b->n_seen].n = e->u.line.n;
		slice_copy(e->u.line, b->seen[b->n_seen].text, sizeof b->seen[0].text);
	} else {
		assert_int_equal(e->kind, EVENT_LINK);
		b->seen[b->n_seen].change = e->u.link.change;
		snprintf(b->seen[b->n_seen].text, sizeof b->seen[0].text, "%s",
			 e->u.link.reason != NULL ? e->u.link.reason : "");
	}
	b->n_seen++;
	if (b->close_on_event)
		link_close(b->link);
}

static inline bool enough(void *arg)
{
	struct bench *b = arg;
	return b->n_seen >= b->wanted;
}

/* Turns the loop until `n` events in all were seen, and makes sure that there are no more. */
static inline void await(struct bench *b, unsigned n)
{
	b->wanted = n;
	assert_true(loop_until(&b->loop, enough, b));
	loop_turn(&b->loop, 5);
	assert_int_equal(b->n_seen, n);
}

static inline void expect_change(const struct bench *b, unsigned i, enum link_change change,
				 const char *reason)
{
	assert_int_equal(b->seen[i].kind, EVENT_LINK);
	assert_int_equal(b->seen[i].change, change);
	if (strstr(b->seen[i].text, reason) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", reason, b->seen[i].text);
}

static inline void expect_line(const struct bench *b, unsigned i, const char *line)
{
	assert_int_equal(b->seen[i].kind, EVENT_LINE);
	assert_string_equal(b->seen[i].text, line);
}

/* --- the daemon ------------------------------------------------------------------------------ */

static inline void listen_tcp(struct bench *b)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;
	b->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(b->listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(b->listener, 1), 0);
	assert_int_equal(getsockname(b->listener, (struct sockaddr *)&a, &size), 0);
	b->address = (struct address){.kind = ADDRESS_TCP, .port = ntohs(a.sin_port)};
	snprintf(b->address.host, sizeof b->address.host, "127.0.0.1");
}

static inline void listen_unix(struct bench *b, bool really)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	b->address = (struct address){.kind = ADDRESS_UNIX};
	snprintf(b->address.path, sizeof b->address.path, "%s/sock", b->folder);
	memcpy(a.sun_path, b->address.path, sizeof a.sun_path);
	b->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(b->listener, (struct sockaddr *)&a, sizeof a), 0);
	if (really)
		assert_int_equal(listen(b->listener, 1), 0);
}

static inline bool accepted(void *arg)
{
	struct bench *b = arg;
	b->peer = accept(b->listener, NULL, NULL);
	return b->peer >= 0;
}

static inline void hang_up(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void daemon_says(struct bench *b, const char *text)
{
	assert_int_equal(write(b->peer, text, strlen(text)), strlen(text));
}

struct hearing {
	struct bench *b;
	const char *expected;
	char heard[512];
	size_t n;
};

static inline bool heard_enough(void *arg)
{
	struct hearing *h = arg;
	ssize_t n = recv(h->b->peer, h->heard + h->n, sizeof h->heard - h->n, MSG_DONTWAIT);
	h->n += n > 0 ? (size_t)n : 0;
	return h->n >= strlen(h->expected);
}

static inline void daemon_hears(struct bench *b, const char *expected)
{
	struct hearing h = {.b = b, .expected = expected};
	assert_true(loop_until(&b->loop, heard_enough, &h));
	assert_int_equal(h.n, strlen(expected));
	assert_memory_equal(h.heard, expected, h.n);
}

/* --- the bench ------------------------------------------------------------------------------- */

static inline struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof *b);
	assert_non_null(b);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->listener = b->peer = -1;
	snprintf(b->folder, sizeof b->folder, "/tmp/ovpnwatch-test-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	return b;
}

static inline void bench_link(struct bench *b, const char *password_file)
{
	assert_int_equal(
	    link_new(&b->link, &b->loop, &b->address, password_file, TUNNEL, false, on_event, b),
	    0);
}

static inline void bench_connect(struct bench *b)
{
	unsigned before = b->n_seen;
	link_connect(b->link);
	assert_int_equal(b->n_seen, before); /* never from within the call */
	assert_true(loop_until(&b->loop, accepted, b));
	await(b, before + 1);
	expect_change(b, before, LINK_UP, "");
}

static inline struct bench *bench_connected(void)
{
	struct bench *b = bench_new();
	listen_tcp(b);
	bench_link(b, NULL);
	bench_connect(b);
	return b;
}

static inline void bench_free(struct bench *b)
{
	unsigned seen = b->n_seen;
	link_free(b->link);
	assert_true(loop_ends(&b->loop));
	assert_int_equal(b->n_seen, seen);
	hang_up(&b->peer);
	hang_up(&b->listener);
	if (b->address.kind == ADDRESS_UNIX)
		unlink(b->address.path);
	rmdir(b->folder);
	free(b);
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

#endif
