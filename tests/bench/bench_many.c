/* SPDX-License-Identifier: MIT
 *
 * One process, many tunnels: ovpnwatch beside N daemons of our own, for N = 1, 10, 100, 1,000,
 * 10,000.
 *
 *     bench_many PROGRAM [N …]      (a Release build)
 *
 * The daemons (a process for every 2,500) listen at unix sockets in a folder that is removed,
 * answer what ovpnwatch asks, and then are silent for 12 s     memory; the processor's time; how
 * late the heartbeats are (10 s are due) count bytes for 10 s    a BYTECOUNT each second each: the
 * processor's time restart all at once     ping-restart, with the lines of the log, to CONNECTED:
 * are all events there? and 12 s more: how late the heartbeats were meanwhile Prints a row for each
 * N. Memory per tunnel is what the process has more than with the first N, over the tunnels that it
 * has more. Exit 1 if an event is missing, a tunnel was lost, or a `seq` has a gap.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PER_PROCESS   2500
#define PROCESSES_MAX 8
#define SEC	      INT64_C(1000000000)
#define PATIENCE      (120 * SEC)
#define HEARTBEAT     (10 * SEC)

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SEC + t.tv_nsec;
}

/* --- the daemons ----------------------------------------------------------------------------- */

struct daemon {
	int listener, connection;
	bool subscribed;
	int64_t heard; /* when it last said something: the heartbeat is due 10 s later */
	char text[512];
	size_t have;
};

/* What a process of daemons tells when it is asked, and at the end. */
struct report {
	unsigned subscribed, lost;
	int64_t late; /* the latest heartbeat */
};

struct daemons {
	struct daemon *all;
	unsigned n, first;
	int epoll;
	bool counting;
	struct report report;
};

static void say(struct daemon *d, const char *text)
{
	size_t n = strlen(text);
	if (d->connection >= 0 && send(d->connection, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("send");
	d->heard = now();
}

static void answer(struct daemons *all, struct daemon *d, const char *command)
{
	long t = (long)time(NULL);
	char text[512] = "SUCCESS: done\r\n";
	if (strcmp(command, "version") == 0) {
		strcpy(text, "OpenVPN Version: OpenVPN 2.6.14 x86_64\r\nEND\r\n");
	} else if (strcmp(command, "pid") == 0) {
		strcpy(text, "SUCCESS: pid=1\r\n");
	} else if (strcmp(command, "log on all") == 0) {
		snprintf(text, sizeof text,
			 "SUCCESS: on\r\n%ld,,Timers: ping 10, ping-restart 60\r\nEND\r\n", t);
	} else if (strcmp(command, "state on all") == 0) {
		snprintf(
		    text, sizeof text,
		    "SUCCESS: on\r\n%ld,CONNECTED,SUCCESS,10.8.0.2,192.0.2.1,1194,,\r\nEND\r\n", t);
	} else if (strncmp(command, "status", 6) == 0) {
		strcpy(text, "OpenVPN STATISTICS\r\nEND\r\n");
	} else if (strcmp(command, "load-stats") == 0) {
		int64_t late = now() - d->heard - HEARTBEAT;
		if (late > all->report.late)
			all->report.late = late;
		strcpy(text, "SUCCESS: nclients=0,bytesin=1,bytesout=1\r\n");
	} else if (strcmp(command, "bytecount 1") == 0 && !d->subscribed) {
		d->subscribed = true;
		all->report.subscribed++;
	}
	say(d, text);
}

static void hear(struct daemons *all, struct daemon *d)
{
	ssize_t n = recv(d->connection, d->text + d->have, sizeof d->text - d->have, 0);
	if (n <= 0) {
		close(d->connection);
		d->connection = -1;
		all->report.lost += d->subscribed;
		return;
	}
	d->have += (size_t)n;
	for (char *end; (end = memchr(d->text, '\n', d->have)) != NULL;) {
		*end = '\0';
		answer(all, d, d->text);
		d->have -= (size_t)(end + 1 - d->text);
		memmove(d->text, end + 1, d->have);
	}
}

static void watch_fd(struct daemons *all, int fd, unsigned i, bool listener)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = 2 * (uint64_t)i + listener};
	if (epoll_ctl(all->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		die("epoll_ctl");
}

static void take(struct daemons *all, unsigned i)
{
	struct daemon *d = &all->all[i];
	d->connection = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC);
	if (d->connection < 0)
		die("accept");
	close(d->listener); /* nobody comes twice, and descriptors are dear */
	watch_fd(all, d->connection, i, false);
	say(d, ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n");
}

static void restart(struct daemon *d)
{
	static const char *const states[] = {"RECONNECTING,ping-restart,,,,,", "WAIT,,,,,,",
					     "AUTH,,,,,,",
					     "CONNECTED,SUCCESS,10.8.0.2,192.0.2.1,1194,,"};
	char text[1024];
	long t = (long)time(NULL);
	int n = snprintf(text, sizeof text,
			 ">LOG:%ld,I,[server] Inactivity timeout (--ping-restart), restarting\r\n"
			 ">LOG:%ld,I,SIGUSR1[soft,ping-restart] received, process restarting\r\n",
			 t, t);
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, ">STATE:%ld,%s\r\n", t, states[i]);
	say(d, text);
}

/* 'c', 'q': count bytes, be quiet; 's': restart; 'r': report. */
static void obey(struct daemons *all, int control)
{
	char order;
	if (read(control, &order, 1) != 1)
		exit(0);
	if (order == 'c' || order == 'q')
		all->counting = order == 'c';
	for (unsigned i = 0; i < all->n && order == 's'; i++)
		restart(&all->all[i]);
	if (order != 'r')
		return;
	if (write(control, &all->report, sizeof all->report) != sizeof all->report)
		die("write");
	all->report.late = 0;
}

/* Their bytes are counted a hundredth of them at a time. */
static void count_bytes(struct daemons *all, unsigned turn)
{
	static unsigned long in = 1000;
	char text[64];
	in += 100;
	snprintf(text, sizeof text, ">BYTECOUNT:%lu,%lu\r\n", in, in);
	for (unsigned i = turn % 100; i < all->n && all->counting; i += 100)
		say(&all->all[i], text);
}

static void be_daemons(struct daemons *all, int control)
{
	unsigned turn = 0;
	int64_t next = now();
	for (;;) {
		struct epoll_event e[256];
		int64_t left = (next - now()) / 1000000;
		int n = epoll_wait(all->epoll, e, 256, left > 0 ? (int)left : 0);
		for (int i = 0; i < n; i++) {
			uint64_t what = e[i].data.u64;
			if (what == UINT64_MAX)
				obey(all, control);
			else if (what % 2 == 1)
				take(all, (unsigned)(what / 2));
			else
				hear(all, &all->all[what / 2]);
		}
		if (now() >= next) {
			count_bytes(all, turn++);
			next += SEC / 100;
		}
	}
}

static void socket_path(const char *folder, unsigned i, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(a->sun_path, sizeof a->sun_path, "%s/%u.sock", folder, i);
}

static void begin_daemons(const char *folder, unsigned first, unsigned n, int control)
{
	struct daemons all = {.all = calloc(n, sizeof *all.all), .n = n, .first = first};
	all.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < n; i++) {
		struct sockaddr_un a;
		socket_path(folder, first + i, &a);
		struct daemon *d = &all.all[i];
		d->connection = -1;
		d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (d->listener < 0 || bind(d->listener, (struct sockaddr *)&a, sizeof a) != 0 ||
		    listen(d->listener, 1) != 0)
			die("listen");
		watch_fd(&all, d->listener, i, true);
	}
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
	epoll_ctl(all.epoll, EPOLL_CTL_ADD, control, &e);
	if (write(control, "", 1) != 1)
		die("write");
	be_daemons(&all, control);
}

/* --- what comes out -------------------------------------------------------------------------- */

struct events {
	int fd;
	char text[1 << 20];
	size_t have;
	unsigned long lines, gaps, dropped, restarts, alerts, connected, run_seq;
	int64_t last; /* when the last of them came */
};

static void look_at_line(struct events *e, const char *line)
{
	const char *seq = strstr(line, "\"seq\":");
	unsigned long number = seq != NULL ? strtoul(seq + 6, NULL, 10) : 0;
	e->gaps += number != e->run_seq + 1;
	e->run_seq = number;
	e->lines++;
	e->dropped += strstr(line, "\"kind\":\"dropped\"") != NULL;
	e->connected += strstr(line, "\"kind\":\"connected\"") != NULL;
	e->restarts += strstr(line, "\"event_type\":\"state\"") != NULL &&
		       strstr(line, "\"name\":\"RECONNECTING\"") != NULL;
	e->alerts += strstr(line, "\"name\":\"ping_restart\",\"status\":\"firing\"") != NULL;
}

/* Reads for so long; true: something came. */
static bool read_events(struct events *e, int ms)
{
	struct pollfd p = {.fd = e->fd, .events = POLLIN};
	if (poll(&p, 1, ms) <= 0)
		return false;
	ssize_t n = read(e->fd, e->text + e->have, sizeof e->text - e->have);
	if (n <= 0)
		return false;
	e->have += (size_t)n;
	e->last = now();
	char *at = e->text;
	for (char *end; (end = memchr(at, '\n', e->have - (size_t)(at - e->text))) != NULL;
	     at = end + 1) {
		*end = '\0';
		look_at_line(e, at);
	}
	e->have -= (size_t)(at - e->text);
	memmove(e->text, at, e->have);
	return true;
}

static void read_for(struct events *e, int64_t how_long)
{
	int64_t end = now() + how_long;
	while (now() < end)
		read_events(e, 50);
}

/* --- the program ----------------------------------------------------------------------------- */

/* Kilobytes that are the process's own: what it shares with every other is no tunnel's. */
static long resident(pid_t pid)
{
	char path[64], line[256];
	long kb = -1;
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		(void)sscanf(line, "RssAnon: %ld", &kb);
	if (f != NULL)
		fclose(f);
	return kb;
}

/* Microseconds of the processor, in the program and for it in the kernel. */
static double processor(pid_t pid)
{
	char path[64], text[1024] = "";
	unsigned long user = 0, kernel = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	if (f == NULL || fgets(text, sizeof text, f) == NULL)
		die(path);
	fclose(f);
	(void)sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		     &user, &kernel);
	return (double)(user + kernel) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static pid_t begin_program(const char *program, const char *config, int *out)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		die("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execl(program, program, "--config", config, "--format", "json", "--no-probe",
		      (char *)NULL);
		die(program);
	}
	close(ends[1]);
	*out = ends[0];
	return pid;
}

static void write_config(const char *path, const char *folder, unsigned n)
{
	FILE *f = fopen(path, "w");
	if (f == NULL)
		die(path);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "[tunnel t%u]\nmanagement = unix:%s/%u.sock\n", i, folder, i);
	fclose(f);
}

/* --- a row ----------------------------------------------------------------------------------- */

struct crowd {
	unsigned n_processes;
	pid_t pids[PROCESSES_MAX];
	int controls[PROCESSES_MAX];
};

static void begin_crowd(struct crowd *c, const char *folder, unsigned n)
{
	c->n_processes = (n + PER_PROCESS - 1) / PER_PROCESS;
	for (unsigned i = 0; i < c->n_processes; i++) {
		unsigned first = i * PER_PROCESS;
		unsigned here = n - first < PER_PROCESS ? n - first : PER_PROCESS;
		int ends[2];
		char ready;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
			die("socketpair");
		fflush(stdout);
		c->pids[i] = fork();
		if (c->pids[i] == 0) {
			close(ends[0]);
			for (unsigned k = 0; k < i; k++)
				close(c->controls[k]);
			begin_daemons(folder, first, here, ends[1]);
		}
		close(ends[1]);
		c->controls[i] = ends[0];
		if (read(ends[0], &ready, 1) != 1)
			die("the daemons");
	}
}

static void order(const struct crowd *c, char what)
{
	for (unsigned i = 0; i < c->n_processes; i++)
		if (write(c->controls[i], &what, 1) != 1)
			die("write");
}

static struct report ask(const struct crowd *c)
{
	struct report sum = {0};
	order(c, 'r');
	for (unsigned i = 0; i < c->n_processes; i++) {
		struct report r;
		if (read(c->controls[i], &r, sizeof r) != sizeof r)
			die("read");
		sum.subscribed += r.subscribed;
		sum.lost += r.lost;
		sum.late = r.late > sum.late ? r.late : sum.late;
	}
	return sum;
}

static void end_crowd(const struct crowd *c, const char *folder, unsigned n)
{
	for (unsigned i = 0; i < c->n_processes; i++) {
		close(c->controls[i]);
		waitpid(c->pids[i], NULL, 0);
	}
	for (unsigned i = 0; i < n; i++) {
		struct sockaddr_un a;
		socket_path(folder, i, &a);
		unlink(a.sun_path);
	}
}

static double until_connected(struct events *e, unsigned n)
{
	int64_t began = now();
	while (e->connected < n && now() - began < PATIENCE)
		read_events(e, 10);
	return (double)(now() - began) / 1e9;
}

static double until_told(struct events *e, unsigned n)
{
	int64_t began = now();
	while ((e->restarts < n || e->alerts < n) && now() - began < PATIENCE)
		read_events(e, 10);
	return (double)(e->last - began) / 1e9;
}

static double processor_for(struct events *e, pid_t pid, unsigned n, int seconds)
{
	double before = processor(pid);
	read_for(e, seconds * SEC);
	return (processor(pid) - before) / seconds / n;
}

static bool row(const char *program, unsigned n)
{
	static long base_kb = -1;
	static unsigned base_n;
	struct events *e = calloc(1, sizeof *e);
	char folder[] = "/tmp/bench_many.XXXXXX", config[64];
	struct crowd crowd;
	if (mkdtemp(folder) == NULL)
		die("mkdtemp");
	snprintf(config, sizeof config, "%s/conf", folder);
	write_config(config, folder, n);
	begin_crowd(&crowd, folder, n);
	pid_t pid = begin_program(program, config, &e->fd);
	double connected = until_connected(e, n);
	read_for(e, 2 * SEC);
	(void)ask(&crowd);
	double silent = processor_for(e, pid, n, 12);
	long kb = resident(pid);
	double silent_late = (double)ask(&crowd).late / 1e6;
	order(&crowd, 'c');
	read_for(e, 1 * SEC);
	double counting = processor_for(e, pid, n, 10);
	order(&crowd, 'q');
	read_for(e, SEC / 2);
	unsigned long before = e->lines;
	order(&crowd, 's');
	double storm = until_told(e, n);
	unsigned long in_storm = e->lines - before;
	read_for(e, 12 * SEC);
	struct report r = ask(&crowd);
	if (base_kb < 0) {
		base_kb = kb;
		base_n = n;
	}
	printf("%6u  %9.2f  %8ld", n, connected, kb);
	if (n > base_n)
		printf("  %9.1f", (double)(kb - base_kb) / (n - base_n));
	else
		printf("  %9s", "");
	printf("  %7.1f  %8.1f  %7.2f  %7lu  %8.0f  %8.0f\n", silent, counting, storm, in_storm,
	       silent_late, (double)r.late / 1e6);
	fflush(stdout);
	bool fine = e->connected == n && r.subscribed == n && r.lost == 0 && e->restarts == n &&
		    e->alerts == n && e->gaps == 0 && e->dropped == 0;
	if (!fine)
		printf("        wrong: %lu connected, %u subscribed, %u lost, %lu restarts, %lu "
		       "alerts, %lu gaps, %lu times dropped\n",
		       e->connected, r.subscribed, r.lost, e->restarts, e->alerts, e->gaps,
		       e->dropped);
	kill(pid, SIGTERM);
	while (read_events(e, 5000))
		;
	waitpid(pid, NULL, 0);
	close(e->fd);
	end_crowd(&crowd, folder, n);
	unlink(config);
	rmdir(folder);
	free(e);
	return fine;
}

int main(int argc, char **argv)
{
	static const unsigned usual[] = {1, 10, 100, 1000, 10000};
	struct rlimit limit;
	bool fine = true;
	if (argc < 2) {
		fprintf(stderr, "usage: bench_many PROGRAM [N …]\n");
		return 64;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	signal(SIGPIPE, SIG_IGN);
	printf("                      memory            processor, us per   storm of restarts    "
	       "heartbeats, ms late\n"
	       "tunnels  connected, s  own, KiB  a tunnel   tunnel and second\n"
	       "                                            silent  counting  told, s   events   "
	       "silent     storm\n");
	for (int i = 2; i < argc; i++)
		fine = row(argv[1], (unsigned)atoi(argv[i])) && fine;
	for (size_t i = 0; argc == 2 && i < sizeof usual / sizeof *usual; i++)
		fine = row(argv[1], usual[i]) && fine;
	return fine ? 0 : 1;
}
