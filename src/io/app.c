/* SPDX-License-Identifier: MIT */
#include "io/app.h"
#include "core/farewell.h"
#include "core/tunnel.h"
#include "io/clock_asker.h"
#include "io/deadline.h"
#include "io/discover.h"
#include "io/hands.h"
#include "io/named_source.h"
#include "io/output.h"
#include "io/stamp_now.h"
#include "io/verbose.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

/* A deadline that stays in the past for so many turns is our own mistake; it shall not cost a whole
 * processor. */
#define TURNS_WITHOUT_PROGRESS 1000

enum phase { RUNNING, DRAINING, CLOSING };

struct app {
	uv_loop_t loop;
	struct app_brain brain;
	enum phase phase;
	bool verbose, stepping;
	int status;
	unsigned turns;	     /* in which the deadline did not move into the future */
	struct hands *hands; /* in use, and those that are going */
	unsigned n_tunnels;
	unsigned turn_number;
	bool going; /* there are some of those */
	struct discover *discover;
	void (*reload)(void *arg);
	void *arg;
	struct named_source ntp[NTP_SERVERS_MAX];
	struct clock_asker *asker;
	struct deadline deadline;
	uv_prepare_t turn; /* before the loop sleeps */
	uv_timer_t patience;
	uv_signal_t signals[3];
	struct output output;
	struct notice_summary sum; /* of the last notice, if `stopped` */
	bool stopped;
	struct actions actions;
};

static void app_end(struct app *app);
static void app_drain(struct app *app);

/* --- carrying out ---------------------------------------------------------------------------- */

/* Each tunnel's hands, by a pointer that the tunnel keeps for the shell. */
static struct hands *hands_of(const struct tunnel *t)
{
	assert(t->shell != NULL);
	return t->shell;
}

static void carry_out(struct app *app, const struct action *a)
{
	switch (a->kind) {
	case ACTION_CONNECT:
	case ACTION_CLOSE:
	case ACTION_SEND:
	case ACTION_SEND_PASSWORD:
	case ACTION_PROBE:
	case ACTION_ECHO:
	case ACTION_PROBE_OTHER:
	case ACTION_PEER_CONNECT:
	case ACTION_PEER_CLOSE:
	case ACTION_PEER_SEND:
	case ACTION_PEER_SEND_PASSWORD:
		hands_do(hands_of(a->tunnel), a);
		return;
	case ACTION_ASK_PEER_SNTP:
		clock_asker_peer(app->asker, a->tunnel);
		return;
	case ACTION_ASK_CHRONY:
		clock_asker_chrony(app->asker);
		return;
	case ACTION_ASK_NTP_CONTROL:
		clock_asker_ntp_control(app->asker);
		return;
	case ACTION_ASK_TIMESYNC:
		clock_asker_timesync(app->asker);
		return;
	case ACTION_ASK_SNTP:
		clock_asker_sntp(app->asker, a->id);
		return;
	case ACTION_ASK_KERNEL:
		clock_asker_kernel(app->asker);
		return;
	}
}

/* --- what happens ---------------------------------------------------------------------------- */

static void print(struct app *app, const struct notice *n)
{
	if (n->type == NOTICE_MONITOR && n->monitor.kind == MONITOR_STOPPED) {
		app->stopped = true;
		app->sum = n->summary;
	}
	output_notice(&app->output, n);
}

static void note_named(struct app *app, const struct event *e)
{
	if (e->kind == EVENT_SNTP)
		named_source_note(&app->ntp[e->u.sntp.server], e->u.sntp.answered,
				  e->u.sntp.reason);
	else if (e->kind == EVENT_PEER_SNTP)
		named_source_note(&hands_of(e->tunnel)->peer_ntp, e->u.peer_sntp.answered,
				  e->u.peer_sntp.reason);
}

/* Everything that happens comes through here. Nobody calls it from within an action. */
static void feed(void *arg, const struct event *e)
{
	struct app *app = arg;
	struct actions *a = &app->actions;
	assert(!app->stepping);
	if (app->phase != RUNNING)
		return;
	if (app->verbose)
		verbose_event(e);
	else
		note_named(app, e);
	app->stepping = true;
	app->brain.step(app->brain.self, e, a);
	/* Before a probe leaves for where it was connected before. */
	if (e->kind == EVENT_LINE || e->kind == EVENT_LOG)
		hands_follow(hands_of(e->tunnel));
	for (size_t i = 0; i < a->n_actions; i++) {
		if (app->verbose)
			verbose_action(&a->actions[i]);
		carry_out(app, &a->actions[i]);
	}
	for (size_t i = 0; i < a->n_notices; i++)
		print(app, &a->notices[i]);
	app->stepping = false;
	if (output_state(&app->output) != OUTLET_OPEN)
		app_end(app);
	else if (app->brain.done != NULL && app->brain.done(app->brain.self))
		app_drain(app);
}

static void feed_bare(struct app *app, enum event_kind kind)
{
	struct event e = {.kind = kind, .at = stamp_now()};
	feed(app, &e);
}

static void on_deadline(void *arg)
{
	feed_bare(arg, EVENT_TIME);
}

/* Those whose handles were closed in the turn before: libuv is done with them. */
static void free_gone(struct app *app)
{
	if (!app->going)
		return;
	app->going = false;
	for (struct hands **at = &app->hands; *at != NULL;) {
		struct hands *h = *at;
		if (!h->closed || h->turn == app->turn_number) {
			app->going = app->going || h->closed;
			at = &h->next;
			continue;
		}
		*at = h->next;
		hands_done(h);
		if (h->gone != NULL)
			h->gone(h->gone_arg);
		free(h);
	}
}

static void on_turn(uv_prepare_t *turn)
{
	struct app *app = turn->data;
	if (app->phase == RUNNING)
		free_gone(app);
	app->turn_number++;
	if (app->phase == DRAINING && output_drained(&app->output))
		app_end(app);
	if (app->phase != RUNNING)
		return;
	nsec now = (nsec)uv_hrtime(), at = app->brain.deadline(app->brain.self);
	app->turns = at > now ? 0 : app->turns + 1;
	deadline_set(&app->deadline,
		     app->turns > TURNS_WITHOUT_PROGRESS ? now + NSEC_PER_MSEC : at);
}

/* --- the end --------------------------------------------------------------------------------- */

static void on_patience(uv_timer_t *timer)
{
	app_end(timer->data);
}

/* What OpenVPN will make of it that we leave. */
static void say_farewell(const struct hands *h)
{
	char consequence[160];
	if (h->link != NULL && farewell_say(h->tunnel, consequence, sizeof consequence))
		fprintf(stderr, "ovpnwatch: %s: %s\n", h->tunnel->config.name, consequence);
}

/* What was changed at the daemons is put back. Not from within a step: then the output broke while
 * it was written to, and the actions are in use. */
static void leave(struct app *app)
{
	struct event e = {.kind = EVENT_STOP, .at = stamp_now()};
	for (struct hands *h = app->hands; h != NULL && !app->stepping; h = h->next) {
		if (h->closed || (h->link == NULL && h->peer_link == NULL))
			continue;
		say_farewell(h);
		e.tunnel = h->tunnel;
		app->brain.step(app->brain.self, &e, &app->actions);
		for (size_t i = 0; i < app->actions.n_actions; i++)
			carry_out(app, &app->actions.actions[i]);
	}
}

static void app_close_sources(struct app *app)
{
	leave(app);
	for (struct hands *h = app->hands; h != NULL; h = h->next)
		hands_close(h);
	if (app->asker != NULL)
		clock_asker_close(app->asker);
	app->asker = NULL;
	if (app->discover != NULL)
		discover_close(app->discover);
	app->discover = NULL;
	deadline_close(&app->deadline);
}

/* Nothing comes in any more; what was accepted goes out. */
static void app_drain(struct app *app)
{
	if (app->phase != RUNNING)
		return;
	app->phase = DRAINING;
	app_close_sources(app);
	if (output_drained(&app->output))
		app_end(app);
	else
		uv_timer_start(&app->patience, on_patience, APP_DRAIN_MS, 0);
}

static void app_end(struct app *app)
{
	if (app->phase == CLOSING)
		return;
	if (app->phase == RUNNING)
		app_close_sources(app);
	app->phase = CLOSING;
	output_close(&app->output);
	uv_close((uv_handle_t *)&app->turn, NULL);
	for (size_t i = 0; i < sizeof app->signals / sizeof app->signals[0]; i++)
		uv_close((uv_handle_t *)&app->signals[i], NULL);
	uv_close((uv_handle_t *)&app->patience, NULL);
}

static void on_output_ended(void *arg)
{
	app_end(arg);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct app *app = handle->data;
	if (number == SIGHUP) {
		if (app->reload != NULL && app->phase == RUNNING)
			app->reload(app->arg);
		else if (app->verbose)
			fprintf(stderr, "ovpnwatch: SIGHUP: there is nothing to load anew\n");
	} else if (app->phase == RUNNING) {
		feed_bare(app, EVENT_STOP);
		app_drain(app);
	} else {
		app_end(app);
	}
}

static void say_the_end(struct app *app)
{
	const struct output *o = &app->output;
	if (output_state(o) == OUTLET_FAILED) {
		fprintf(stderr, "ovpnwatch: cannot write the events: %s\n", output_error(o));
		app->status = EX_IOERR;
	}
	if (output_state(o) != OUTLET_OPEN)
		return;
	if (o->dropped > 0 || !output_drained(o))
		fprintf(stderr,
			"ovpnwatch: %llu of %llu events and the last %zu bytes were not taken by "
			"the reader\n",
			(unsigned long long)o->dropped,
			(unsigned long long)(o->dropped + o->accepted), outlet_pending(&o->outlet));
	if (app->stopped)
		fprintf(stderr,
			"ovpnwatch: watched for %.0f s, connected for %.0f s, %lld restart%s\n",
			nsec_to_s(app->sum.watched_s), nsec_to_s(app->sum.connected_s),
			(long long)app->sum.restarts, app->sum.restarts == 1 ? "" : "s");
}

int app_run(struct app *app)
{
	uv_run(&app->loop, UV_RUN_DEFAULT);
	assert(app->phase == CLOSING);
	say_the_end(app);
	return app->status;
}

static void say_leftover(uv_handle_t *handle, void *arg)
{
	(void)arg;
	fprintf(stderr, "ovpnwatch: left open: %s\n", uv_handle_type_name(handle->type));
}

static void free_all(struct app *app)
{
	while (app->hands != NULL) {
		struct hands *h = app->hands;
		app->hands = h->next;
		hands_done(h);
		free(h);
	}
	free(app);
}

int app_close(struct app *app, int status)
{
	app_end(app);
	uv_run(&app->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&app->loop) != 0) {
		uv_walk(&app->loop, say_leftover, NULL);
		return EX_SOFTWARE; /* our own mistake; a test looks for it */
	}
	free_all(app);
	return status;
}

/* --- the beginning --------------------------------------------------------------------------- */

static void start_signals(struct app *app)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		uv_signal_init(&app->loop, &app->signals[i]);
		app->signals[i].data = app;
		uv_signal_start(&app->signals[i], on_signal, numbers[i]);
	}
}

int app_open(struct app **out, const struct app_options *options, const struct app_brain *brain,
	     char *error, size_t error_size)
{
	struct app *app = calloc(1, sizeof *app);
	int rc = app != NULL ? uv_loop_init(&app->loop) : UV_ENOMEM;
	if (rc != 0) {
		snprintf(error, error_size, "cannot start: %s", uv_strerror(rc));
		free(app);
		return EXIT_FAILURE;
	}
	app->brain = *brain;
	app->verbose = options->verbose;
	app->reload = options->reload;
	app->arg = options->arg;
	for (unsigned i = 0; i < options->n_ntp; i++)
		app->ntp[i] = (struct named_source){.option = "--ntp", .name = options->ntp[i]};
	if (!output_open(&app->output, &app->loop, options->output, options->format,
			 on_output_ended, app, error, error_size)) {
		uv_loop_close(&app->loop);
		free(app);
		return EX_IOERR;
	}
	uv_prepare_init(&app->loop, &app->turn);
	app->turn.data = app;
	uv_prepare_start(&app->turn, on_turn);
	uv_timer_init(&app->loop, &app->patience);
	app->patience.data = app;
	start_signals(app);
	rc = deadline_open(&app->deadline, &app->loop, on_deadline, app);
	app->deadline.closing = rc != 0; /* there is nothing to close */
	if (rc == 0)
		rc = clock_asker_open(&app->asker, &app->loop, options->ntp, options->n_ntp, feed,
				      app);
	if (rc == 0) {
		*out = app;
		return 0;
	}
	snprintf(error, error_size, "cannot start: %s", uv_strerror(rc));
	return app_close(app, EXIT_FAILURE);
}

int app_add(struct app *app, const struct app_tunnel *tunnel)
{
	struct hands *h = calloc(1, sizeof *h);
	if (h == NULL)
		return UV_ENOMEM;
	h->next = app->hands;
	output_expect(&app->output, ++app->n_tunnels);
	app->hands = h; /* what was opened is closed with the rest */
	tunnel->tunnel->shell = h;
	int rc = hands_open(h, &app->loop, tunnel, feed, app);
	if (rc == 0 && tunnel->peer_ntp != NULL)
		rc = clock_asker_add_peer(app->asker, tunnel->tunnel, tunnel->peer_ntp);
	return rc;
}

void app_remove(struct app *app, struct tunnel *tunnel, void (*gone)(void *arg), void *arg)
{
	struct event e = {.kind = EVENT_REMOVED, .tunnel = tunnel};
	struct hands *h = hands_of(tunnel);
	assert(!app->stepping && !h->closed);
	say_farewell(h);
	app_feed(app, &e);
	h->gone = gone;
	h->gone_arg = arg;
	h->turn = app->turn_number;
	app->going = true;
	output_expect(&app->output, --app->n_tunnels);
	if (app->asker != NULL)
		clock_asker_remove_peer(app->asker, tunnel);
	hands_close(h);
}

void app_feed(struct app *app, struct event *e)
{
	e->at = stamp_now();
	feed(app, e);
}

int app_discover(struct app *app, const char *const *globs, unsigned n_globs,
		 void (*changed)(void *arg, const char *path, bool there), void *arg)
{
	return discover_open(&app->discover, &app->loop, globs, n_globs, changed, arg);
}
