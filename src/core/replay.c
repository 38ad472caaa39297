/* SPDX-License-Identifier: MIT */
#include "core/replay.h"

#include "core/replay_survey.h"
#include "proto/log_text.h"

#include <assert.h>
#include <stdio.h>

/* A recording whose stamps jump to and fro must not carry the monotonic clock over its end. */
#define MONO_MAX (INT64_MAX / 4)

/* How far a line without a stamp looks for the STATE that dates it: a restart says a handful of
 * lines between its reason and RECONNECTING. */
#define LOOK_AHEAD 32

void replay_init(struct replay *r, struct slice text, char *buf, size_t buf_size,
		 replay_local_time local, int year)
{
	assert(buf != NULL && buf_size >= 2);
	if (slice_starts(text, "\xef\xbb\xbf")) /* an editor's byte order mark */
		text = slice_skip(text, 3);
	size_t line_max = buf_size < MANAGEMENT_LINE_MAX ? buf_size : MANAGEMENT_LINE_MAX;
	year = year < 1970 ? 1970 : year;
	*r = (struct replay){.rest = text, .local = local, .year = year > 2200 ? 2200 : year};
	replay_survey(r, buf, line_max);
	log_joiner_init(&r->joiner, buf, buf_size);
	management_framer_init(&r->framer, buf, line_max);
}

static void move_to(struct replay *r, nsec wall)
{
	if (wall > r->now.wall) {
		nsec step = wall - r->now.wall;
		r->now.mono = step < MONO_MAX - r->now.mono ? r->now.mono + step : MONO_MAX;
		r->now.boot = r->now.ruler = r->now.mono;
	}
	r->now.wall = wall;
}

static void move_to_epoch(struct replay *r, uint64_t epoch)
{
	assert(epoch <= UINT32_MAX);
	move_to(r, (nsec)epoch * NSEC_PER_SEC);
}

static void move_to_stamp(struct replay *r, const struct log_line *l)
{
	if (!l->has_year && !l->has_zone) {
		if (replay_new_year(r->yearless, l->time) && r->year < 2261)
			r->year++;
		r->yearless = l->time;
	}
	move_to(r, replay_wall(r, l));
}

static bool leads_to_restart(enum log_fact_kind kind)
{
	static const enum log_fact_kind kinds[] = {
	    LOG_INACTIVITY,	  LOG_INACTIVITY_EXIT, LOG_SIGNAL,
	    LOG_TLS_TIMEOUT,	  LOG_TLS_FAILED,      LOG_SERVER_RESET,
	    LOG_CONNECTION_RESET, LOG_REMOTE_EXIT,     LOG_AUTH_FAILED};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

/* The clock of a log without stamps. */
static void move_by_states(struct replay *r, struct slice text)
{
	struct management_state state;
	struct log_fact fact;
	struct slice ahead = r->rest;
	if (replay_state(text, &state)) {
		move_to_epoch(r, state.time);
		return;
	}
	log_text_parse(text, &fact);
	if (!leads_to_restart(fact.kind))
		return;
	for (int i = 0; i < LOOK_AHEAD && ahead.n > 0; i++) {
		if (!replay_state(slice_trim(slice_cut(&ahead, '\n')), &state))
			continue;
		if (state.state == STATE_RECONNECTING || state.state == STATE_EXITING)
			move_to_epoch(r, state.time);
		return;
	}
}

/* The next whole line of a log. Without stamps nothing can be told to be wrapped, and the lines are
 * taken one by one, so that `rest` is what follows. */
static bool next_log_line(struct replay *r, struct slice *line)
{
	while (r->rest.n > 0) {
		struct slice part = slice_cut(&r->rest, '\n');
		if (!r->stamped) {
			*line = part;
			return true;
		}
		if (log_joiner_add(&r->joiner, part, line) == VERDICT_DONE)
			return true;
	}
	return log_joiner_end(&r->joiner, line) == VERDICT_DONE;
}

static bool next_log_event(struct replay *r, struct event *out)
{
	struct slice line;
	while (next_log_line(r, &line)) {
		struct log_line l;
		log_line_parse(line, &l);
		if (l.stamped)
			move_to_stamp(r, &l);
		else if (!r->stamped)
			move_by_states(r, l.text);
		if (l.text.n == 0)
			continue;
		*out = (struct event){.kind = EVENT_LOG, .u.line = l.text};
		return true;
	}
	return false;
}

static bool next_management_line(struct replay *r, struct slice *line)
{
	if (management_framer_next(&r->framer, &r->rest, line) == VERDICT_DONE)
		return true;
	if (r->draining)
		return false;
	r->draining = true;
	struct slice newline = SLICE("\n"); /* for a last line that was recorded without one */
	return management_framer_next(&r->framer, &newline, line) == VERDICT_DONE && line->n > 0;
}

static bool next_management_event(struct replay *r, struct event *out)
{
	struct slice line;
	uint64_t epoch = 0;
	if (!next_management_line(r, &line))
		return false;
	if (replay_epoch(line, &epoch))
		move_to_epoch(r, epoch);
	*out = (struct event){.kind = EVENT_LINE, .u.line = line};
	return true;
}

bool replay_next(struct replay *r, struct tunnel *tunnel, struct event *out)
{
	bool more =
	    r->format == REPLAY_MANAGEMENT ? next_management_event(r, out) : next_log_event(r, out);
	if (!more)
		return false;
	r->lines++;
	out->at = r->now;
	out->tunnel = tunnel;
	return true;
}

void replay_zone(const struct replay *r, char *out, size_t size)
{
	int64_t minutes = r->zone / NSEC_PER_SEC / 60;
	if (!r->zone_known)
		snprintf(out, size, "local time");
	else if (minutes == 0)
		snprintf(out, size, "UTC");
	else
		snprintf(out, size, "UTC%c%02d:%02d", minutes < 0 ? '-' : '+',
			 (int)((minutes < 0 ? -minutes : minutes) / 60 % 100),
			 (int)((minutes < 0 ? -minutes : minutes) % 60));
}
