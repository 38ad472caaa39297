/* SPDX-License-Identifier: MIT
 *
 * ovpnwatch clock: asks everybody who may know about this machine's clock once, and says what came
 * of it: one `clock` event, and an exit status for scripts.
 */
#include "core/local_clock.h"
#include "core/step_detector.h"
#include "core/tell.h"
#include "io/app.h"
#include "io/stamp_now.h"
#include "sink/escape.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>

#define WAIT_AT_MOST (2 * NSEC_PER_SEC)

struct looking {
	struct local_clock clock;
	struct step_detector detector;
	unsigned n_ntp;
	/* has answered, or it is known that it will not: */
	bool chrony, ntp_control, timesync, kernel;
	unsigned ntp; /* a bit for each server */
	nsec until;
	double limit_s;
	bool verbose;
	bool done;
	struct local_clock_reading reading;
};

static void note_answer(struct looking *l, const struct event *e)
{
	if (e->kind == EVENT_CHRONY)
		l->chrony = true;
	else if (e->kind == EVENT_NTP_CONTROL)
		l->ntp_control = true;
	else if (e->kind == EVENT_TIMESYNC)
		l->timesync = true;
	else if (e->kind == EVENT_KERNEL)
		l->kernel = true;
	else if (e->kind == EVENT_SNTP)
		l->ntp |= 1u << e->u.sntp.server;
}

static bool all_answered(const struct looking *l)
{
	return l->chrony && l->ntp_control && l->timesync && l->kernel &&
	       l->ntp == (1u << l->n_ntp) - 1;
}

/* What each source said, for --verbose: instead of the conversation that it tells elsewhere. And in
 * any case, which of those that the user named said nothing. */
static void describe(const struct looking *l, const struct stamp *now)
{
	struct local_clock_line lines[LOCAL_CLOCK_LINES_MAX];
	unsigned n = local_clock_describe(&l->clock, now, lines);
	for (unsigned i = 0; i < n; i++) {
		if (!l->verbose && !(lines[i].silent && lines[i].server != NULL))
			continue;
		char server[4 * PROBE_ADDRESS_MAX] = "";
		if (lines[i].server != NULL)
			(void)escape_text(lines[i].server, server, sizeof server);
		fprintf(stderr, "ovpnwatch: %s%s%s: %s\n", name_local_clock_source(lines[i].source),
			server[0] != '\0' ? " " : "", server, lines[i].text);
	}
}

static void finish(struct looking *l, const struct stamp *now, struct actions *out)
{
	struct notice *n = tell(out, NOTICE_CLOCK, SEVERITY_INFO, now, NULL);
	local_clock_read(&l->clock, now, &l->reading);
	describe(l, now);
	n->local_clock = l->reading;
	n->answer_limit_s = l->limit_s;
	say_local_clock(&l->reading, n->message, sizeof n->message);
	l->done = true;
}

static void step(void *self, const struct event *e, struct actions *out)
{
	struct looking *l = self;
	out->n_actions = out->n_notices = 0;
	if (l->done)
		return;
	struct clock_change change;
	if (step_detector_look(&l->detector, &e->at, &change))
		local_clock_was_set(&l->clock, &e->at);
	local_clock_event(&l->clock, e);
	note_answer(l, e);
	if (all_answered(l) || e->at.mono >= l->until || e->kind == EVENT_STOP)
		finish(l, &e->at, out);
	else
		local_clock_ask(&l->clock, &e->at, out);
}

static nsec deadline(const void *self)
{
	const struct looking *l = self;
	return nsec_min(l->until, local_clock_deadline(&l->clock));
}

static bool done(const void *self)
{
	const struct looking *l = self;
	return l->done;
}

int verb_clock(const struct options *o)
{
	const struct app_options options = {.output = o->settings.output,
					    .format = o->settings.format,
					    .ntp = (const char *const *)o->settings.ntp.items,
					    .n_ntp = o->settings.ntp.n};
	struct looking l = {.n_ntp = o->settings.ntp.n,
			    .limit_s = o->settings.offset_limit_s,
			    .verbose = o->settings.verbose == FLAG_YES};
	const struct app_brain brain = {
	    .self = &l, .step = step, .deadline = deadline, .done = done};
	struct stamp now = stamp_now();
	struct app *app;
	char error[320];

	l.until = now.mono + WAIT_AT_MOST;
	local_clock_init(&l.clock, (const char *const *)o->settings.ntp.items, o->settings.ntp.n,
			 &now);
	int status = app_open(&app, &options, &brain, error, sizeof error);
	if (status != 0)
		return complain(status, "%s", error);
	status = app_run(app);
	if (status == 0 && l.done)
		status =
		    exit_status_of(local_clock_verdict(&l.reading, o->settings.offset_limit_s));
	return app_close(app, status);
}
