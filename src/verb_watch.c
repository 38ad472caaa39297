/* SPDX-License-Identifier: MIT
 *
 * ovpnwatch watch: beside one tunnel or a thousand, until it is stopped. Which, the command line,
 * the configuration file and the globs of --discover say; SIGHUP reads the file anew, and what it
 * says as before goes on untouched.
 */
#include "config.h"
#include "core/watch.h"
#include "io/app.h"
#include "io/discover.h"
#include "io/stamp_now.h"
#include "verbs.h"
#include "watched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

struct fleet {
	const struct options
	    *options; /* as at the start: of the whole program, it holds to the end */
	int argc;
	char **argv;
	struct settings settings; /* as read last: the defaults of those that are found */
	struct watch watch;
	struct app *app;
	struct watched *first;
	unsigned n;
};

static void step(void *self, const struct event *e, struct actions *out)
{
	watch_step(self, e, out);
}

static nsec deadline(const void *self)
{
	return watch_deadline(self);
}

static bool over(const void *self)
{
	return watch_over(self);
}

/* --- one more, one less ---------------------------------------------------------------------- */

static int begin(struct fleet *f, struct watched *w)
{
	struct stamp now = stamp_now();
	w->next = f->first;
	f->first = w;
	f->n++;
	watch_add(&f->watch, &w->tunnel, &w->config, &now);
	int rc = app_add(f->app, &w->hands);
	if (rc == 0)
		return 0;
	return complain(EXIT_FAILURE, "%s cannot be watched: %s", w->name, uv_strerror(rc));
}

static void on_gone(void *arg)
{
	watched_free(arg);
}

static void end(struct fleet *f, struct watched *w)
{
	struct watched **at = &f->first;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	f->n--;
	app_remove(f->app, &w->tunnel, on_gone, w);
}

/* While others are watched: one that cannot be is left, and what it had opened is closed. */
static bool begin_or_leave(struct fleet *f, struct watched *w)
{
	bool begun = begin(f, w) == 0;
	if (!begun)
		end(f, w);
	return begun;
}

/* Says what is wrong, of which tunnel, and where that stands. */
static int complain_of(const struct fleet *f, const struct tunnel_settings *t, int status,
		       const char *error)
{
	if (t->line > 0)
		return complain(status, "%s:%u: tunnel %s: %s", f->options->config, t->line,
				t->name, error);
	if (f->options->settings.n_tunnels > 1)
		return complain(status, "tunnel %s: %s", t->name, error);
	return complain(status, "%s", error);
}

/* Makes all tunnels of *s, at *out, or none. */
static int make_all(const struct fleet *f, const struct settings *s, struct watched **out)
{
	int status = 0;
	*out = NULL;
	for (unsigned i = s->n_tunnels; i-- > 0 && status == 0;) {
		struct watched *w;
		char error[320];
		status = watched_new(&w, &s->tunnels[i], error, sizeof error);
		if (status != 0) {
			complain_of(f, &s->tunnels[i], status, error);
			continue;
		}
		w->next = *out;
		*out = w;
	}
	while (status != 0 && *out != NULL) {
		struct watched *w = *out;
		*out = w->next;
		watched_free(w);
	}
	return status;
}

/* --- sockets that come and go ---------------------------------------------------------------- */

static struct watched *at_address(const struct fleet *f, const char *address)
{
	struct watched *w = f->first;
	while (w != NULL && (w->management == NULL || strcmp(w->management, address) != 0))
		w = w->next;
	return w;
}

static bool is_named(const struct fleet *f, const char *name)
{
	const struct watched *w = f->first;
	while (w != NULL && strcmp(w->name, name) != 0)
		w = w->next;
	return w != NULL;
}

/* By what the glob leaves open; where that is taken or none, by the whole path. */
static void name_found(const struct fleet *f, const char *path, char *name, size_t size)
{
	const struct text_list *globs = &f->options->settings.discover;
	for (unsigned i = 0; i < globs->n; i++)
		if (discover_name(globs->items[i], path, name, size) && !is_named(f, name))
			return;
	size_t n = strlen(path);
	snprintf(name, size, "%s", n < size ? path : path + n - size + 1);
}

static void found(struct fleet *f, const char *path)
{
	struct tunnel_settings t = {0};
	struct watched *w = NULL;
	char name[NAME_MAX_BYTES + 1], error[320];
	name_found(f, path, name, sizeof name);
	t.name = strdup(name);
	bool fine = t.name != NULL && asprintf(&t.management, "unix:%s", path) > 0 &&
		    settings_inherit(&f->settings, &t);
	if (!fine)
		complain(0, "%s cannot be watched: no memory", path);
	else if (at_address(f, t.management) == NULL) {
		if (watched_new(&w, &t, error, sizeof error) != 0)
			complain(0, "%s, found at %s, cannot be watched: %s", name, path, error);
	}
	tunnel_settings_free(&t);
	if (w == NULL)
		return;
	w->discovered = true;
	(void)begin_or_leave(f, w);
}

static void on_discovered(void *arg, const char *path, bool there)
{
	struct fleet *f = arg;
	char address[256];
	if (there) {
		found(f, path);
		return;
	}
	snprintf(address, sizeof address, "unix:%s", path);
	struct watched *w = at_address(f, address);
	if (w != NULL && w->discovered)
		end(f, w);
}

/* --- read anew ------------------------------------------------------------------------------- */

/* One that is watched and said of in the same words. */
static struct watched *same_as(const struct fleet *f, const struct watched *new)
{
	struct watched *w = f->first;
	while (w != NULL && (w->kept || w->discovered || strcmp(w->name, new->name) != 0 ||
			     !tunnel_settings_equal(&w->settings, &new->settings)))
		w = w->next;
	return w;
}

/* Keeps those that are said of as before; of `new` there is left what is not watched yet. */
static void mark(struct fleet *f, struct watched **new)
{
	for (struct watched *w = f->first; w != NULL; w = w->next)
		w->kept = w->discovered;
	while (*new != NULL) {
		struct watched *old = same_as(f, *new);
		if (old == NULL) {
			new = &(*new)->next;
			continue;
		}
		struct watched *again = *new;
		old->kept = true;
		*new = again->next;
		watched_free(again);
	}
}

static unsigned sweep(struct fleet *f)
{
	unsigned removed = 0;
	for (struct watched *w = f->first, *next; w != NULL; w = next) {
		next = w->next;
		if (w->kept)
			continue;
		end(f, w);
		removed++;
	}
	return removed;
}

static void on_reload(void *arg)
{
	struct fleet *f = arg;
	struct options again;
	struct watched *new = NULL;
	char error[320];
	if (f->options->config == NULL) {
		complain(0, "SIGHUP: there is no configuration file to read anew (--config)");
		return;
	}
	enum options_result result = options_parse(f->argc, f->argv, &again, error, sizeof error);
	if (result != OPTIONS_FINE)
		complain(0, "%s", error);
	if (result != OPTIONS_FINE || make_all(f, &again.settings, &new) != 0) {
		complain(0, "nothing was changed: what was watched goes on");
		options_free(&again);
		return;
	}
	struct event e = {.kind = EVENT_RELOADED};
	e.u.reloaded.file = f->options->config;
	mark(f, &new);
	e.u.reloaded.removed = sweep(f);
	while (new != NULL) {
		struct watched *w = new;
		new = w->next;
		e.u.reloaded.added += begin_or_leave(f, w);
	}
	e.u.reloaded.tunnels = f->n;
	if (!settings_equal_but_tunnels(&f->options->settings, &again.settings))
		complain(0,
			 "what the configuration says of the whole program (output, format, ntp, "
			 "offset-limit, verbose, discover) is taken over at the next start");
	settings_free(&f->settings);
	f->settings = again.settings; /* moved */
	app_feed(f->app, &e);
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Each tunnel has a handful of descriptors, and the usual limit of 1024 is one of select(2), which
 * nobody calls here. */
static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(struct fleet *f, struct watched *new)
{
	const struct settings *s = &f->options->settings;
	const char *const *ntp = (const char *const *)s->ntp.items;
	const struct app_options options = {.output = s->output,
					    .format = s->format,
					    .ntp = ntp,
					    .n_ntp = s->ntp.n,
					    .verbose = s->verbose == FLAG_YES,
					    .reload = on_reload,
					    .arg = f};
	const struct app_brain brain = {
	    .self = &f->watch, .step = step, .deadline = deadline, .done = over};
	const struct watch_config config = {.offset_limit_s = s->offset_limit_s,
					    .n_ntp = s->ntp.n,
					    .ntp_names = ntp,
					    .open_ended = s->discover.n > 0};
	struct stamp now = stamp_now();
	char error[320];

	watch_init(&f->watch, &config, &now);
	int status = app_open(&f->app, &options, &brain, error, sizeof error);
	if (status != 0) {
		f->app = NULL;
		complain(status, "%s", error);
	}
	while (new != NULL) {
		struct watched *w = new;
		new = w->next;
		if (status == 0)
			status = begin(f, w);
		else
			watched_free(w);
	}
	if (f->app == NULL)
		return status;
	if (status == 0 && s->discover.n > 0 &&
	    app_discover(f->app, (const char *const *)s->discover.items, s->discover.n,
			 on_discovered, f) != 0)
		status = complain(EXIT_FAILURE, "no memory");
	if (status == 0)
		status = app_run(f->app);
	return app_close(f->app, status);
}

static int look_only(const struct fleet *f)
{
	const struct options *o = f->options;
	if (o->print_config)
		config_print(stdout, &o->settings);
	else
		printf("%s: fine, %u tunnel%s\n", o->config, o->settings.n_tunnels,
		       o->settings.n_tunnels == 1 ? "" : "s");
	return fflush(stdout) == 0 ? EXIT_SUCCESS
				   : complain(EX_IOERR, "cannot write to standard output");
}

static int nothing_to_watch(void)
{
	return complain(
	    EX_USAGE, "which tunnel? Give --management ADDR, or --profile with a profile that has "
		      "one: put a line like 'management 127.0.0.1 7505' into the client's profile "
		      "and restart OpenVPN; or --log FILE with the log that it writes. A log of "
		      "the past: ovpnwatch replay FILE");
}

int verb_watch(const struct options *o, int argc, char **argv)
{
	struct fleet *f = calloc(1, sizeof *f);
	struct watched *new = NULL;
	if (f == NULL)
		return complain(EXIT_FAILURE, "no memory");
	f->options = o;
	f->argc = argc;
	f->argv = argv;
	settings_init(&f->settings);
	int status = 0;
	/* Those that are found have the same defaults until the file is read anew. */
	if (!tunnel_settings_copy(&f->settings.defaults, &o->settings.defaults))
		status = complain(EXIT_FAILURE, "no memory");
	else if (o->settings.n_tunnels == 0 && o->settings.discover.n == 0)
		status = nothing_to_watch();
	if (status == 0)
		status = make_all(f, &o->settings, &new);
	if (status == 0 && (o->check_config || o->print_config)) {
		status = look_only(f);
		while (new != NULL) {
			struct watched *w = new;
			new = w->next;
			watched_free(w);
		}
	} else if (status == 0) {
		raise_descriptors();
		status = run(f, new);
	}
	while (f->first != NULL) {
		struct watched *w = f->first;
		f->first = w->next;
		watched_free(w);
	}
	settings_free(&f->settings);
	free(f);
	return status;
}
