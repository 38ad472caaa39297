/* SPDX-License-Identifier: MIT */
#include "io/output.h"
#include "io/stamp_now.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static void announce(struct output *o);

static unsigned width_of(int fd)
{
	struct winsize size = {0};
	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static size_t format(struct output *o, const struct notice *n)
{
	if (!o->text)
		return json_line(n, &o->origin, o->seq + 1, o->line);
	time_t seconds = (time_t)(n->at.wall / NSEC_PER_SEC);
	struct tm local;
	if (!o->own_zone)
		o->style.utc_offset_s = localtime_r(&seconds, &local) != NULL ? local.tm_gmtoff : 0;
	if (isatty(o->outlet.fd))
		o->style.width = width_of(o->outlet.fd);
	return text_block(n, &o->style, o->line);
}

static bool put(struct output *o, const struct notice *n)
{
	if (!outlet_write(&o->outlet, o->line, format(o, n)))
		return false;
	o->seq++;
	o->accepted++;
	return true;
}

void output_notice(struct output *o, const struct notice *n)
{
	announce(o);
	if (output_state(o) != OUTLET_OPEN)
		return;
	/* Once one was dropped, all are until the gap is announced: order is kept. */
	if (o->dropped_unannounced > 0 || !put(o, n)) {
		o->dropped++;
		o->dropped_unannounced++;
	}
}

/* Not before all is written, so that a slow reader gets long runs of events with few gaps. */
static void announce(struct output *o)
{
	struct stamp now;
	struct notice *n;
	if (o->dropped_unannounced == 0 || !output_drained(o))
		return;
	n = malloc(sizeof *n); /* large; and rarely needed */
	if (n == NULL)
		return;
	now = stamp_now();
	notice_init(n, NOTICE_MONITOR, SEVERITY_WARNING, &now, NULL);
	n->monitor.kind = MONITOR_DROPPED;
	n->monitor.count = (int64_t)o->dropped_unannounced;
	snprintf(n->message, sizeof n->message,
		 "%llu event%s dropped here: the reader of this output was too slow",
		 (unsigned long long)o->dropped_unannounced,
		 o->dropped_unannounced == 1 ? " was" : "s were");
	if (put(o, n))
		o->dropped_unannounced = 0;
	free(n);
}

static void on_changed(void *arg)
{
	struct output *o = arg;
	if (output_state(o) != OUTLET_OPEN)
		o->ended(o->arg);
	else
		announce(o);
}

static bool wants_colour(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(fd) && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

struct text_style output_style(int fd)
{
	return (struct text_style){.colour = wants_colour(fd),
				   .width = isatty(fd) ? width_of(fd) : 0};
}

int output_open_fd(struct output *o, uv_loop_t *loop, int fd, bool own, enum output_format format,
		   void (*ended)(void *arg), void *arg)
{
	memset(o, 0, sizeof *o);
	o->text = format == FORMAT_TEXT || (format == FORMAT_AUTO && isatty(fd));
	o->style.colour = o->text && wants_colour(fd);
	o->origin.mono_start = stamp_now().mono;
	if (getrandom(&o->origin.run, sizeof o->origin.run, 0) != sizeof o->origin.run)
		o->origin.run = (uint32_t)getpid();
	o->ended = ended;
	o->arg = arg;
	tzset(); /* localtime_r need not */
	return outlet_open(&o->outlet, loop, fd, own, on_changed, o);
}

/* What a restart of one tunnel says, until it is judged for good, and more. */
#define A_TUNNELS_STORM ((size_t)32768)

void output_expect(struct output *o, unsigned tunnels)
{
	size_t storm = tunnels * A_TUNNELS_STORM;
	outlet_allow(&o->outlet, storm > OUTLET_QUEUE_MAX ? storm : OUTLET_QUEUE_MAX);
}

bool output_open(struct output *o, uv_loop_t *loop, const char *path, enum output_format format,
		 void (*ended)(void *arg), void *arg, char *error, size_t error_size)
{
	int fd = STDOUT_FILENO;
	if (path != NULL) {
		/* O_NONBLOCK is for a FIFO, which else waits for its reader. */
		int flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
		fd = open(path, flags, 0640);
		if (fd < 0) {
			snprintf(error, error_size, "cannot write to %s: %s", path,
				 errno == ENXIO ? "nobody reads it" : strerror(errno));
			return false;
		}
	}
	int rc = output_open_fd(o, loop, fd, path != NULL, format, ended, arg);
	if (rc == 0)
		return true;
	snprintf(error, error_size, "cannot write to %s: %s",
		 path != NULL ? path : "standard output", uv_strerror(rc));
	if (path != NULL)
		close(fd);
	return false;
}

enum outlet_state output_state(const struct output *o)
{
	return o->outlet.state;
}

const char *output_error(const struct output *o)
{
	return strerror(o->outlet.error);
}

bool output_drained(const struct output *o)
{
	return outlet_pending(&o->outlet) == 0;
}

void output_close(struct output *o)
{
	outlet_close(&o->outlet);
}
