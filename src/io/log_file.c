/* SPDX-License-Identifier: MIT
 *
 * A look is the unit of work: what is new is read, and at its end it is seen whether the file was
 * cut off, moved away or replaced. inotify and the timer only say when to look.
 */
#include "io/log_file.h"
#include "io/log_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the end of a file, to find its last stamp in. */
#define TAIL_MAX 8192

struct log_file {
	const char *path;
	struct log_reader reader;
	uv_fs_event_t watch;
	uv_timer_t timer;
	unsigned n_open; /* handles */
	bool closing;
	bool watching; /* inotify has it */
	bool looked;   /* the first look is over: a file that comes now is new */
	bool moved;    /* another one is at its path, and this is read for the last time */
	int fd;	       /* -1: none */
	dev_t device;
	ino_t inode;
	off_t at;      /* read so far */
	off_t past;    /* from here on it is new */
	bool followed; /* LOG_FILE_FOLLOWED was told, and nothing else since */
	int told;      /* errno of what was told; 0 */
	uint64_t gone; /* of the loop, ms: since when nothing is at its path; 0: something is */
};

char log_read_buffer[LOG_READ_MAX];

static void look(struct log_file *f);

static void on_timer(uv_timer_t *timer)
{
	look(timer->data);
}

static void look_again(struct log_file *f, uint64_t ms)
{
	if (!f->closing)
		uv_timer_start(&f->timer, on_timer, ms, 0);
}

static void on_change(uv_fs_event_t *watch, const char *name, int events, int status)
{
	struct log_file *f = watch->data;
	(void)name;
	(void)events;
	if (status < 0)
		f->watching = false; /* the timer does it */
	else
		look(f);
}

static void tell(struct log_file *f, enum log_file_change change, const char *reason)
{
	f->followed = change == LOG_FILE_FOLLOWED;
	if (f->followed)
		f->told = 0;
	f->reader.news(f->reader.arg, change, reason);
}

/* --- opening --------------------------------------------------------------------------------- */

static const char *why(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "there is no such file yet: it is waited for";
	case EACCES:
	case EPERM:
		return "it may not be read: be root, or a member of the group that may";
	case EISDIR:
		return "it is not a file";
	default:
		return strerror(error);
	}
}

static void drop(struct log_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->moved = false;
	if (f->watching)
		uv_fs_event_stop(&f->watch);
	f->watching = false;
}

/* Once for each reason. */
static void cannot_read(struct log_file *f, int error)
{
	drop(f);
	f->looked = true;
	if (f->told == error)
		return;
	f->told = error;
	tell(f, f->followed ? LOG_FILE_GONE : LOG_FILE_ABSENT, why(error));
}

/* What a file has when we come is its past, of which the last part will do. */
static void skip_past(struct log_file *f, const struct stat *st)
{
	off_t from = st->st_size > TAIL_MAX ? st->st_size - TAIL_MAX : 0;
	ssize_t n = pread(f->fd, log_read_buffer, TAIL_MAX, from);
	nsec changed = (nsec)st->st_mtim.tv_sec * NSEC_PER_SEC + st->st_mtim.tv_nsec;
	f->past = st->st_size;
	f->at = st->st_size > LOG_PAST ? st->st_size - LOG_PAST : 0;
	if (n > 0)
		f->reader.tail(f->reader.arg, (struct slice){log_read_buffer, (size_t)n}, changed);
	if (f->at > 0)
		f->reader.within(f->reader.arg);
}

static bool open_file(struct log_file *f)
{
	struct stat st;
	/* Whatever comes there later must not hold us up: a pipe would. */
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0 || fstat(f->fd, &st) != 0) {
		cannot_read(f, errno);
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		cannot_read(f, EISDIR);
		return false;
	}
	f->device = st.st_dev;
	f->inode = st.st_ino;
	f->at = f->past = 0;
	f->gone = 0;
	if (!f->looked)
		skip_past(f, &st);
	f->looked = true;
	f->watching = uv_fs_event_start(&f->watch, on_change, f->path, 0) == 0;
	if (f->at >= f->past && !f->followed)
		tell(f, LOG_FILE_FOLLOWED, NULL);
	return !f->closing;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Reads one piece. Returns what there was of it, 0 at the end, or -1: it cannot be read. */
static ssize_t read_piece(struct log_file *f)
{
	bool past = f->at < f->past;
	size_t want = sizeof log_read_buffer;
	if (past && f->past - f->at < (off_t)want)
		want = (size_t)(f->past - f->at);
	ssize_t n = pread(f->fd, log_read_buffer, want, f->at);
	if (n > 0) {
		f->at += n;
		f->reader.bytes(f->reader.arg, (struct slice){log_read_buffer, (size_t)n});
	} else if (n == 0) {
		f->past = f->at; /* it was cut off meanwhile */
	}
	if (past && n >= 0 && !f->closing && f->at >= f->past)
		tell(f, LOG_FILE_FOLLOWED, NULL);
	return n;
}

static bool was_cut_off(struct log_file *f)
{
	struct stat st;
	if (fstat(f->fd, &st) != 0 || st.st_size >= f->at)
		return false;
	f->at = f->past = 0;
	f->reader.cut(f->reader.arg);
	return true;
}

static void nothing_there(struct log_file *f)
{
	uint64_t now = uv_now(f->timer.loop);
	if (f->gone == 0)
		f->gone = now > 0 ? now : 1;
	else if (now - f->gone >= LOG_GONE_MS && f->told != ENOENT) {
		f->told = ENOENT;
		tell(f, LOG_FILE_GONE, "it was removed, or moved away: it is waited for");
	}
}

/* Some network file systems number a file anew each time that they look it up. */
static bool is_same(const struct log_file *f, const struct stat *there)
{
	struct stat open;
	if (there->st_dev == f->device && there->st_ino == f->inode)
		return true;
	return fstat(f->fd, &open) == 0 && there->st_dev == f->device &&
	       open.st_size == there->st_size && open.st_size > 0 &&
	       open.st_mtim.tv_sec == there->st_mtim.tv_sec &&
	       open.st_mtim.tv_nsec == there->st_mtim.tv_nsec;
}

/* At the end of this one: is it still the one at its path? True: look again at once. */
static bool was_replaced(struct log_file *f)
{
	struct stat st;
	if (stat(f->path, &st) != 0) {
		nothing_there(f);
		return false;
	}
	f->gone = 0;
	if (is_same(f, &st)) {
		f->moved = false;
		if (!f->followed)
			tell(f, LOG_FILE_FOLLOWED, NULL);
		return false;
	}
	/* A daemon that was not told goes on to write into the one that it has open. */
	if (S_ISREG(st.st_mode) && st.st_size == 0)
		return false;
	if (!f->moved) {
		f->moved = true; /* what was written in between */
		return true;
	}
	f->reader.cut(f->reader.arg);
	drop(f);
	return true;
}

static void look(struct log_file *f)
{
	if (f->closing)
		return;
	if (f->fd < 0 && !open_file(f)) {
		look_again(f, LOG_SOON_MS);
		return;
	}
	ssize_t n = read_piece(f);
	if (f->closing)
		return;
	if (n < 0 && errno != EINTR && errno != EAGAIN) {
		cannot_read(f, errno);
		look_again(f, LOG_SOON_MS);
	} else if (n != 0 || was_cut_off(f) || was_replaced(f)) {
		look_again(f, 0);
	} else {
		look_again(f, f->watching && f->gone == 0 ? LOG_LOOK_MS : LOG_SOON_MS);
	}
}

/* --- beginning and end ----------------------------------------------------------------------- */

int log_file_open(struct log_file **out, uv_loop_t *loop, const char *path,
		  const struct log_reader *reader)
{
	struct log_file *f = calloc(1, sizeof *f);
	if (f == NULL)
		return UV_ENOMEM;
	f->path = path;
	f->reader = *reader;
	f->fd = -1;
	uv_timer_init(loop, &f->timer); /* neither can fail */
	uv_fs_event_init(loop, &f->watch);
	f->timer.data = f->watch.data = f;
	f->n_open = 2;
	look_again(f, 0);
	*out = f;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct log_file *f = handle->data;
	if (--f->n_open > 0)
		return;
	f->reader.closed(f->reader.arg);
	free(f);
}

void log_file_close(struct log_file *f)
{
	drop(f);
	f->closing = true;
	uv_close((uv_handle_t *)&f->timer, on_closed);
	uv_close((uv_handle_t *)&f->watch, on_closed);
}
