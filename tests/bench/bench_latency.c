/* SPDX-License-Identifier: MIT
 *
 * From the management socket to standard output: a daemon of our own sends 1,000 states a second
 * to a running ovpnwatch, and each is timed until its line has been read from the pipe.
 *
 *     bench_latency PROGRAM [COUNT]      (a Release build; 5,000 states)
 *
 * Prints median, p99 and maximum in microseconds. Exit 1 if a line is missing.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT_DEFAULT 5000
#define COUNT_MAX     1000000
#define PERIOD	      1000000 /* ns */
#define PATIENCE_MS   5000

struct bench {
	pid_t program;
	int daemon, events; /* the management connection; the program's standard output */
	long count, sent, seen;
	int64_t *at; /* when each was sent; then how long it took */
	char text[1 << 16];
	size_t have;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int listen_somewhere(char *address, size_t size)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 1) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		die("listen");
	snprintf(address, size, "127.0.0.1:%u", ntohs(a.sin_port));
	return fd;
}

static void start(struct bench *b, const char *program, const char *address)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC) != 0)
		die("pipe");
	b->program = fork();
	if (b->program < 0)
		die("fork");
	if (b->program == 0) {
		dup2(fd[1], STDOUT_FILENO);
		execl(program, program, "watch", "--management", address, "--no-probe",
		      (char *)NULL);
		die(program);
	}
	close(fd[1]);
	b->events = fd[0];
}

static void say(struct bench *b, const char *text)
{
	size_t n = strlen(text);
	if (send(b->daemon, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("send");
}

/* Answers what the program asks when it attaches; it is attached after `bytecount`. */
static void attach(struct bench *b)
{
	char heard[4096];
	size_t n = 0;
	say(b, ">INFO:OpenVPN Management Interface Version 5\r\n");
	do {
		ssize_t got = recv(b->daemon, heard + n, sizeof heard - 1 - n, 0);
		if (got <= 0)
			die("the program hung up");
		n += (size_t)got;
		heard[n] = '\0';
	} while (strstr(heard, "bytecount") == NULL);
	say(b, "OpenVPN Version: OpenVPN 2.6.14 bench\r\nManagement Version: 5\r\nEND\r\n"
	       "SUCCESS: pid=1\r\n"
	       "SUCCESS: real-time log notification set to ON\r\nEND\r\n"
	       "SUCCESS: real-time state notification set to ON\r\nEND\r\n"
	       "SUCCESS: bytecount interval changed\r\n");
}

static void send_state(struct bench *b)
{
	char line[128];
	snprintf(line, sizeof line, ">STATE:%lld,WAIT,n%ld,,,,,\r\n", (long long)time(NULL),
		 b->sent);
	b->at[b->sent++] = now();
	say(b, line);
}

static void take_line(struct bench *b, const char *line, int64_t when)
{
	const char *detail = strstr(line, "\"detail\":\"n");
	long i;
	if (detail == NULL || sscanf(detail, "\"detail\":\"n%ld\"", &i) != 1)
		return;
	if (i != b->seen) {
		fprintf(stderr, "line %ld came instead of %ld\n", i, b->seen);
		exit(1);
	}
	b->at[i] = when - b->at[i];
	b->seen++;
}

static void read_lines(struct bench *b)
{
	ssize_t got = read(b->events, b->text + b->have, sizeof b->text - 1 - b->have);
	int64_t when = now();
	if (got <= 0)
		die("the program ended");
	b->have += (size_t)got;
	b->text[b->have] = '\0';
	char *line = b->text, *end;
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		take_line(b, line, when);
	}
	b->have -= (size_t)(line - b->text);
	memmove(b->text, line, b->have);
}

static void measure(struct bench *b)
{
	int64_t next = now() + 100 * PERIOD;
	while (b->seen < b->count) {
		struct pollfd p = {.fd = b->events, .events = POLLIN};
		int64_t left = b->sent < b->count ? next - now() : PATIENCE_MS * 1000000LL;
		struct timespec wait = {.tv_sec = left > 0 ? left / 1000000000 : 0,
					.tv_nsec = left > 0 ? left % 1000000000 : 0};
		int ready = ppoll(&p, 1, &wait, NULL);
		if (ready > 0)
			read_lines(b);
		else if (b->sent == b->count)
			break;
		if (b->sent < b->count && now() >= next) {
			send_state(b);
			next += PERIOD;
		}
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static bool report(struct bench *b)
{
	if (b->seen < b->count) {
		fprintf(stderr, "%ld of %ld lines came\n", b->seen, b->count);
		return false;
	}
	qsort(b->at, (size_t)b->count, sizeof *b->at, compare);
	printf("%ld states, 1000/s, socket to stdout: median %.1f us, p99 %.1f us, max %.1f us\n",
	       b->count, (double)b->at[b->count / 2] / 1e3,
	       (double)b->at[b->count * 99 / 100] / 1e3, (double)b->at[b->count - 1] / 1e3);
	return true;
}

int main(int argc, char **argv)
{
	static struct bench b;
	char address[32];
	b.count = argc > 2 ? atol(argv[2]) : COUNT_DEFAULT;
	if (argc < 2 || b.count < 1 || b.count > COUNT_MAX) {
		fprintf(stderr, "usage: bench_latency PROGRAM [COUNT]\n");
		return 64;
	}
	b.at = calloc((size_t)b.count, sizeof *b.at);
	if (b.at == NULL)
		die("memory");
	int listener = listen_somewhere(address, sizeof address);
	start(&b, argv[1], address);
	b.daemon = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (b.daemon < 0)
		die("accept");
	attach(&b);
	measure(&b);
	bool fine = report(&b);
	kill(b.program, SIGTERM);
	waitpid(b.program, NULL, 0);
	free(b.at);
	return fine ? 0 : 1;
}
