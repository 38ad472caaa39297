/* SPDX-License-Identifier: MIT */
#include "io/discover.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SAID_MAX 16 /* folders that cannot be read; more are not said */

struct discover {
	uv_timer_t timer;
	const char *const *globs;
	unsigned n_globs;
	discover_changed changed;
	void *arg;
	char **there; /* sorted */
	size_t n_there;
	char *said[SAID_MAX];
	unsigned n_said;
	bool closing;
};

/* glob(3) calls back without an argument; one loop, one discover at a time. */
static struct discover *looking;

static int on_unreadable(const char *path, int error)
{
	struct discover *d = looking;
	if (error == ENOENT || error == ENOTDIR)
		return 0; /* nothing there yet */
	for (unsigned i = 0; i < d->n_said; i++)
		if (strcmp(d->said[i], path) == 0)
			return 0;
	if (d->n_said == SAID_MAX)
		return 0;
	d->said[d->n_said] = strdup(path);
	d->n_said += d->said[d->n_said] != NULL;
	fprintf(stderr, "ovpnwatch: --discover: the folder %s cannot be read: %s\n", path,
		strerror(error));
	return 0;
}

static bool is_socket(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_all(char **paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
}

/* The sockets that match, sorted, each once. NULL and *n 0 if there are none, or no memory. */
static char **find(struct discover *d, size_t *n)
{
	glob_t found = {0};
	looking = d;
	for (unsigned i = 0; i < d->n_globs; i++)
		(void)glob(d->globs[i], GLOB_NOSORT | (i > 0 ? GLOB_APPEND : 0), on_unreadable,
			   &found);
	looking = NULL;
	*n = 0;
	char **paths = found.gl_pathc > 0 ? calloc(found.gl_pathc, sizeof *paths) : NULL;
	for (size_t i = 0; paths != NULL && i < found.gl_pathc; i++) {
		if (!is_socket(found.gl_pathv[i]))
			continue;
		paths[*n] = strdup(found.gl_pathv[i]);
		*n += paths[*n] != NULL;
	}
	globfree(&found);
	if (paths == NULL)
		return NULL;
	qsort(paths, *n, sizeof *paths, by_text);
	size_t kept = 0;
	for (size_t i = 0; i < *n; i++) {
		if (kept > 0 && strcmp(paths[kept - 1], paths[i]) == 0)
			free(paths[i]);
		else
			paths[kept++] = paths[i];
	}
	*n = kept;
	return paths;
}

void discover_look(struct discover *d)
{
	size_t n, i = 0, k = 0;
	char **now = find(d, &n);
	char **was = d->there;
	size_t n_was = d->n_there;
	d->there = now;
	d->n_there = n;
	while (!d->closing && (i < n_was || k < n)) {
		int order = i == n_was ? 1 : k == n ? -1 : strcmp(was[i], now[k]);
		if (order < 0)
			d->changed(d->arg, was[i], false);
		else if (order > 0)
			d->changed(d->arg, now[k], true);
		i += order <= 0;
		k += order >= 0;
	}
	free_all(was, n_was);
}

static void on_timer(uv_timer_t *timer)
{
	discover_look(timer->data);
}

int discover_open(struct discover **out, uv_loop_t *loop, const char *const *globs,
		  unsigned n_globs, discover_changed changed, void *arg)
{
	struct discover *d = calloc(1, sizeof *d);
	if (d == NULL)
		return UV_ENOMEM;
	d->globs = globs;
	d->n_globs = n_globs;
	d->changed = changed;
	d->arg = arg;
	uv_timer_init(loop, &d->timer);
	d->timer.data = d;
	uv_timer_start(&d->timer, on_timer, DISCOVER_EVERY_MS, DISCOVER_EVERY_MS);
	*out = d;
	discover_look(d);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct discover *d = handle->data;
	free_all(d->there, d->n_there);
	for (unsigned i = 0; i < d->n_said; i++)
		free(d->said[i]);
	free(d);
}

void discover_close(struct discover *d)
{
	if (d->closing)
		return;
	d->closing = true;
	uv_close((uv_handle_t *)&d->timer, on_closed);
}

bool discover_name(const char *glob, const char *path, char *out, size_t size)
{
	size_t used = 0;
	if (size == 0)
		return false;
	out[0] = '\0';
	for (;;) {
		size_t n_glob = strcspn(glob, "/"), n_path = strcspn(path, "/");
		bool wild = strcspn(glob, "*?[") < n_glob;
		int n = wild ? snprintf(out + used, size - used, "%s%.*s", used > 0 ? "/" : "",
					(int)n_path, path)
			     : 0;
		if (n < 0 || (size_t)n >= size - used)
			return false;
		used += (size_t)n;
		if (glob[n_glob] == '\0' || path[n_path] == '\0') {
			static const char end[] = ".sock";
			bool same = glob[n_glob] == path[n_path];
			if (used > sizeof end - 1 &&
			    strcmp(out + used - (sizeof end - 1), end) == 0)
				out[used - (sizeof end - 1)] = '\0';
			return same && used > 0;
		}
		glob += n_glob + 1;
		path += n_path + 1;
	}
}
