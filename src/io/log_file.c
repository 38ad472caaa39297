/* SPDX-License-Identifier: MIT
 *
 * A look is the unit of work: what is new is read, and at its end it is seen whether the file was
 * cut off, moved away or replaced. inotify and the timer only say when to look.
 */
#include "io/log_file.h"
#include "io/log_follow.h"
#include "io/log_look.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the end of a file, to find its last stamp in. */
#define TAIL_MAX 8192

struct log_file {
	struct log_reader reader;
	char *path; /* its own: another thread may need it for longer than the owner has it */
	uv_fs_event_t watch;
	uv_timer_t timer;
	uv_work_t work;
	unsigned n_open; /* handles, and a look that another thread is at */
	bool far, closing;
	bool looking;  /* another thread is at it */
	bool opening;  /* the look is one that opens it */
	bool resume;   /* it could not be read any more; if it is the same again, it goes on */
	bool watching; /* inotify has it */
	bool looked;   /* the first look is over: a file that comes now is new */
	bool moved;    /* another one is at its path, and this is read for the last time */
	struct log_look look;
	dev_t device;
	ino_t inode;
	off_t past;    /* from here on it is new */
	bool followed; /* LOG_FILE_FOLLOWED was told, and nothing else since */
	int told;      /* errno of what was told; 0 */
	uint64_t gone; /* of the loop, ms: since when nothing is at its path; 0: something is */
};

char log_read_buffer[LOG_READ_MAX];

static void begin_look(struct log_file *f);

static void on_timer(uv_timer_t *timer)
{
	begin_look(timer->data);
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
		begin_look(f);
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
	if (f->look.fd >= 0)
		close(f->look.fd);
	f->look.fd = -1;
	f->moved = false;
	if (f->watching)
		uv_fs_event_stop(&f->watch);
	f->watching = false;
}

/* Once for each reason. */
static void cannot_read(struct log_file *f)
{
	int error = f->look.error;
	f->resume = f->resume || !f->opening;
	drop(f);
	f->looked = true;
	if (f->told != error) {
		f->told = error;
		tell(f, f->followed ? LOG_FILE_GONE : LOG_FILE_ABSENT, why(error));
	}
	look_again(f, LOG_SOON_MS);
}

/* What a file has when we come is its past, of which the last part will do. */
static void skip_past(struct log_file *f)
{
	const struct stat *st = &f->look.open;
	const struct slice tail = {.p = f->look.buffer, .n = (size_t)f->look.n};
	f->past = st->st_size;
	f->look.at = st->st_size > LOG_PAST ? st->st_size - LOG_PAST : 0;
	if (tail.n > 0)
		f->reader.tail(f->reader.arg, tail,
			       (nsec)st->st_mtim.tv_sec * NSEC_PER_SEC + st->st_mtim.tv_nsec);
	if (f->look.at > 0)
		f->reader.within(f->reader.arg);
}

static void opened(struct log_file *f)
{
	const struct stat *st = &f->look.open;
	bool same = st->st_dev == f->device && st->st_ino == f->inode && st->st_size >= f->look.at;
	f->device = st->st_dev;
	f->inode = st->st_ino;
	f->gone = 0;
	if (!f->resume || !same)
		f->look.at = f->past = 0;
	f->resume = false;
	if (f->look.first)
		skip_past(f);
	f->looked = true;
	f->watching = !f->far && uv_fs_event_start(&f->watch, on_change, f->look.path, 0) == 0;
	if (f->look.at >= f->past && !f->followed)
		tell(f, LOG_FILE_FOLLOWED, NULL);
	look_again(f, 0);
}

/* --- reading --------------------------------------------------------------------------------- */

static void take_bytes(struct log_file *f)
{
	bool past = f->look.at < f->past;
	const struct slice in = {.p = f->look.buffer, .n = (size_t)f->look.n};
	f->look.at += f->look.n;
	f->reader.bytes(f->reader.arg, in);
	if (past && !f->closing && f->look.at >= f->past)
		tell(f, LOG_FILE_FOLLOWED, NULL);
}

static bool was_cut_off(struct log_file *f)
{
	if (f->look.open.st_size >= f->look.at)
		return false;
	bool past = f->look.at < f->past;
	f->look.at = f->past = 0;
	f->reader.cut(f->reader.arg);
	if (past && !f->closing)
		tell(f, LOG_FILE_FOLLOWED, NULL);
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
static bool is_same(const struct log_file *f)
{
	const struct stat *open = &f->look.open, *there = &f->look.at_path;
	if (there->st_dev != f->device)
		return false;
	return there->st_ino == f->inode || (open->st_size == there->st_size && open->st_size > 0 &&
					     open->st_mtim.tv_sec == there->st_mtim.tv_sec &&
					     open->st_mtim.tv_nsec == there->st_mtim.tv_nsec);
}

/* At the end of this one: is it still the one at its path? True: look again at once. */
static bool was_replaced(struct log_file *f)
{
	const struct stat *there = &f->look.at_path;
	if (!f->look.there) {
		nothing_there(f);
		return false;
	}
	f->gone = 0;
	if (is_same(f)) {
		f->moved = false;
		if (!f->followed)
			tell(f, LOG_FILE_FOLLOWED, NULL);
		return false;
	}
	/* A daemon that was not told goes on to write into the one that it has open. */
	if (S_ISREG(there->st_mode) && there->st_size == 0)
		return false;
	if (!f->moved) {
		f->moved = true; /* what was written in between */
		return true;
	}
	f->reader.cut(f->reader.arg);
	drop(f);
	return true;
}

/* --- a look ---------------------------------------------------------------------------------- */

static void end_look(struct log_file *f)
{
	const struct log_look *l = &f->look;
	if (l->error == EINTR || l->error == EAGAIN)
		look_again(f, LOG_SOON_MS);
	else if (l->error != 0)
		cannot_read(f);
	else if (f->opening)
		opened(f);
	else if (l->n > 0) {
		take_bytes(f);
		look_again(f, 0);
	} else if (was_cut_off(f) || was_replaced(f)) {
		look_again(f, 0);
	} else {
		bool quick = f->gone != 0 || (!f->watching && !f->far);
		look_again(f, quick ? LOG_SOON_MS : LOG_LOOK_MS);
	}
}

static void free_memory(struct log_file *f)
{
	if (f->far)
		free(f->look.buffer);
	free(f->path);
	free(f);
}

static void free_when_closed(struct log_file *f)
{
	if (--f->n_open > 0)
		return;
	drop(f);
	f->reader.closed(f->reader.arg);
	free_memory(f);
}

static void work(uv_work_t *request)
{
	struct log_file *f = request->data;
	log_look(&f->look);
}

static void after_work(uv_work_t *request, int status)
{
	struct log_file *f = request->data;
	(void)status;
	f->looking = false;
	if (!f->closing)
		end_look(f);
	free_when_closed(f);
}

static void begin_look(struct log_file *f)
{
	struct log_look *l = &f->look;
	if (f->closing || f->looking)
		return;
	f->opening = l->fd < 0;
	l->first = !f->looked;
	l->want = f->opening ? TAIL_MAX : LOG_READ_MAX;
	if (!f->opening && l->at < f->past && f->past - l->at < (off_t)l->want)
		l->want = (size_t)(f->past - l->at);
	if (!f->far) {
		log_look(l);
		end_look(f);
		return;
	}
	f->looking = true;
	f->n_open++;
	int rc = uv_queue_work(f->timer.loop, &f->work, work, after_work);
	assert(rc == 0); /* there is a work function */
	(void)rc;
}

/* --- beginning and end ----------------------------------------------------------------------- */

int log_file_open(struct log_file **out, uv_loop_t *loop, const char *path, bool far,
		  const struct log_reader *reader)
{
	struct log_file *f = calloc(1, sizeof *f);
	if (f == NULL)
		return UV_ENOMEM;
	f->reader = *reader;
	f->far = far;
	f->path = strdup(path);
	f->look = (struct log_look){
	    .path = f->path, .fd = -1, .buffer = far ? malloc(LOG_READ_MAX) : log_read_buffer};
	if (f->path == NULL || f->look.buffer == NULL) {
		free_memory(f);
		return UV_ENOMEM;
	}
	uv_timer_init(loop, &f->timer); /* neither can fail */
	uv_fs_event_init(loop, &f->watch);
	f->timer.data = f->watch.data = f->work.data = f;
	f->n_open = 2;
	look_again(f, 0);
	*out = f;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free_when_closed(handle->data);
}

void log_file_close(struct log_file *f)
{
	f->closing = true;
	if (f->looking)
		uv_cancel((uv_req_t *)&f->work); /* works only while it has not begun */
	else
		drop(f);
	uv_close((uv_handle_t *)&f->timer, on_closed);
	uv_close((uv_handle_t *)&f->watch, on_closed);
}
