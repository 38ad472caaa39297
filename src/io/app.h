/* SPDX-License-Identifier: MIT
 *
 * The shell: one loop that gives every event to whoever decides (the core), carries out the actions
 * that come back and prints the notices.
 *
 * Happy path: app_open(), app_add() for each tunnel, app_run() until SIGINT, SIGTERM or until the
 * brain is done; tunnels may come and go meanwhile (app_add(), app_remove()). It ends in two
 * stages: the last notices are made and everything but the output is closed; what was accepted is
 * written out, for APP_DRAIN_MS at most. A second signal skips that. Failure modes: nobody reads
 * the output any more (a quiet end, status 0); it cannot be written (EX_IOERR).
 */
#ifndef OVPNWATCH_IO_APP_H
#define OVPNWATCH_IO_APP_H

#include "core/action.h"
#include "core/event.h"
#include "io/address.h"
#include "io/relay_config.h"
#include "proto/control_channel.h"
#include "proto/profile.h"
#include "sink/format.h"

#define APP_DRAIN_MS 500

/* What decides: a step function and its next deadline (core/watch.h is one). */
struct app_brain {
	void *self;
	void (*step)(void *self, const struct event *e, struct actions *out);
	nsec (*deadline)(const void *self);
	bool (*done)(const void *self); /* NULL: it goes on until it is stopped */
};

struct app_options {
	const char *output; /* a file to append to; NULL: standard output */
	enum output_format format;
	const char *const *ntp; /* borrowed */
	unsigned n_ntp;
	bool verbose; /* say on stderr what is done */
	/* SIGHUP: read anew what there is to read; NULL: there is nothing. From within the loop,
	 * where tunnels may be added and removed. */
	void (*reload)(void *arg);
	void *arg;
};

/* The hands of one tunnel. Everything is borrowed until it is gone (app_remove()) or app_close().
 */
struct app_tunnel {
	struct tunnel *tunnel;
	const struct address *management;      /* NULL: none */
	const char *password_file;	       /* NULL: none */
	const char *log;		       /* followed; "-": standard input; NULL: none */
	const struct address *peer_management; /* the server's own; NULL: none */
	const char *peer_password_file;	       /* NULL: none */
	const char *peer_ntp;		     /* the server's NTP service, HOST[:PORT]; NULL: none */
	const struct profile_remote *remote; /* NULL: nothing is probed */
	const struct control_key *key;
	/* Probe the address that the daemon says it is connected to, by the protocol that this
	 * profile says it has; NULL: always `remote`. */
	const struct profile *follow;
	/* With whom `management` is shared; NULL: with nobody. */
	const struct relay_config *relay;
};

struct app;

/* Opens the output and the signals. Returns 0 and *out, or an exit status, with a line in `error`.
 * `brain` is copied; what it points at is the caller's. */
int app_open(struct app **out, const struct app_options *options, const struct app_brain *brain,
	     char *error, size_t error_size);

/* Returns 0 or a negative UV_E…. */
int app_add(struct app *app, const struct app_tunnel *tunnel);

/* The brain hears EVENT_REMOVED, and what it then wants done for the tunnel is done; no other event
 * names it after that. `gone` is called from within the loop when nothing of it is in use any more,
 * or not at all if the loop ends before. Only while the loop runs, and not from within the brain.
 */
void app_remove(struct app *app, struct tunnel *tunnel, void (*gone)(void *arg), void *arg);

/* Something about the program itself happened; `e` has its kind and what comes with it. */
void app_feed(struct app *app, struct event *e);

/* Management sockets that come and go, by glob(7) patterns: `changed` is called for each that is
 * there now and was not, or the other way round; at first from within this call. Returns 0 or a
 * negative UV_E…. */
int app_discover(struct app *app, const char *const *globs, unsigned n_globs,
		 void (*changed)(void *arg, const char *path, bool there), void *arg)
    __attribute__((warn_unused_result));

/* Runs until the end and says on stderr what is to be said about it. Returns 0 or an exit status.
 */
int app_run(struct app *app);

/* Frees it and returns `status`, or an exit status of its own if something was left open. */
int app_close(struct app *app, int status);

#endif
