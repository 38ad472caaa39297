/* SPDX-License-Identifier: MIT */
#include "io/log_follow.h"
#include "io/log_check.h"
#include "io/log_dater.h"
#include "io/log_file.h"
#include "io/log_pipe.h"
#include "io/stamp_now.h"
#include "proto/log_framer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line of a pipe that was written so lately is not of the past. */
#define FRESH (2 * NSEC_PER_SEC)

struct log_follow {
	struct log_file *file; /* one of these */
	struct log_pipe *pipe;
	struct tunnel *tunnel;
	event_sink sink;
	void *arg;
	bool closed;
	bool past;	/* what comes was there before we came */
	char host[256]; /* this machine's name; "" if it is everybody's */
	struct log_dater dater;
	struct log_framer framer;
	char line[LOG_LINE_MAX];
};

static void on_news(void *arg, enum log_file_change change, const char *reason)
{
	struct log_follow *l = arg;
	struct event e = {.kind = EVENT_LOG_FILE, .at = stamp_now(), .tunnel = l->tunnel};
	e.u.log_file.change = change;
	e.u.log_file.reason = reason;
	if (change == LOG_FILE_FOLLOWED)
		l->past = false;
	l->sink(l->arg, &e);
}

/* --- lines ----------------------------------------------------------------------------------- */

/* A journal's stamps are of this machine's zone; what a container's program says is not known. */
static nsec written_before(const struct log_follow *l, const struct log_line *line, nsec now)
{
	const struct log_dater here = {.known = LOG_ZONE_LOCAL};
	bool journal = l->pipe != NULL && line->ident.n > 0;
	return log_dater_past(journal ? &here : &l->dater, line, now);
}

/* With or without its domain. */
static bool is_this_host(const struct log_follow *l, struct slice host)
{
	struct slice ours = slice_from(l->host), theirs = host;
	return host.n > 0 && (slice_equal(ours, host) ||
			      slice_equal(slice_cut(&ours, '.'), slice_cut(&theirs, '.')));
}

static void tell_line(struct log_follow *l, struct slice bytes)
{
	struct event e = {.kind = EVENT_LOG, .at = stamp_now(), .tunnel = l->tunnel};
	struct log_line line;
	if (slice_starts(bytes, "\xef\xbb\xbf")) /* an editor's byte order mark */
		bytes = slice_skip(bytes, 3);
	log_line_parse(bytes, &line);
	if (line.text.n == 0)
		return;
	if (l->past) {
		e.log.written = written_before(l, &line, e.at.wall);
		if (l->pipe != NULL && e.log.written > e.at.wall - FRESH)
			on_news(l, LOG_FILE_FOLLOWED, NULL);
	}
	if (l->closed)
		return;
	if (!l->past)
		e.log.written = log_dater_now(&line, e.at.wall);
	e.log.history = l->past;
	e.log.ident = line.ident;
	e.log.pid = line.pid;
	e.log.here = is_this_host(l, line.host);
	e.u.line = line.text;
	e.since.mono = NSEC_UNKNOWN; /* how long it lay there is not known */
	l->sink(l->arg, &e);
}

static void on_bytes(void *arg, struct slice in)
{
	struct log_follow *l = arg;
	struct slice line;
	while (!l->closed && log_framer_next(&l->framer, &in, &line) == VERDICT_DONE)
		tell_line(l, line);
}

static void on_cut(void *arg)
{
	struct log_follow *l = arg;
	struct slice line;
	if (log_framer_end(&l->framer, &line) == VERDICT_DONE)
		tell_line(l, line);
}

static void on_within(void *arg)
{
	struct log_follow *l = arg;
	log_framer_skip(&l->framer);
}

/* The last stamp in it was written when the file was changed last. */
static void on_tail(void *arg, struct slice tail, nsec changed)
{
	struct log_follow *l = arg;
	struct log_line line, last = {0};
	(void)slice_cut(&tail, '\n'); /* may have begun before */
	while (tail.n > 0) {
		log_line_parse(slice_cut(&tail, '\n'), &line);
		if (line.stamped)
			last = line;
	}
	log_dater_learn(&l->dater, &last, changed);
}

static void on_pause(void *arg)
{
	struct log_follow *l = arg;
	if (l->past)
		on_news(l, LOG_FILE_FOLLOWED, NULL);
}

static void on_closed(void *arg)
{
	free(arg);
}

/* --- beginning and end ----------------------------------------------------------------------- */

static bool is_pipe(const char *path)
{
	struct stat st;
	return strcmp(path, "-") == 0 ||
	       (stat(path, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)));
}

int log_follow_open(struct log_follow **out, uv_loop_t *loop, const char *path,
		    struct tunnel *tunnel, event_sink sink, void *arg)
{
	struct log_follow *l = calloc(1, sizeof *l);
	if (l == NULL)
		return UV_ENOMEM;
	const struct log_reader reader = {.tail = on_tail,
					  .within = on_within,
					  .bytes = on_bytes,
					  .cut = on_cut,
					  .news = on_news,
					  .pause = on_pause,
					  .closed = on_closed,
					  .arg = l};
	l->tunnel = tunnel;
	l->sink = sink;
	l->arg = arg;
	l->past = true;
	if (gethostname(l->host, sizeof l->host - 1) != 0 ||
	    strncmp(l->host, "localhost", strlen("localhost")) == 0)
		l->host[0] = '\0';
	log_framer_init(&l->framer, l->line);
	int rc = is_pipe(path) ? log_pipe_open(&l->pipe, loop, path, &reader)
			       : log_file_open(&l->file, loop, path, !log_is_here(path), &reader);
	if (rc == 0)
		*out = l;
	else
		free(l);
	return rc;
}

void log_follow_close(struct log_follow *l)
{
	if (l == NULL)
		return;
	l->closed = true;
	if (l->file != NULL)
		log_file_close(l->file);
	if (l->pipe != NULL)
		log_pipe_close(l->pipe);
}
