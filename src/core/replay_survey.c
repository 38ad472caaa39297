/* SPDX-License-Identifier: MIT */
#include "core/replay_survey.h"

#include "proto/log_text.h"

/* The zones of the world are whole quarters of an hour. The daemon's `now` may differ from the
 * wall clock by some seconds (OpenVPN otime.c), which the rounding takes away. */
#define QUARTER	      (900 * NSEC_PER_SEC)
#define ZONE_QUARTERS (14 * 4)

struct votes {
	uint32_t count[2 * ZONE_QUARTERS + 1];
};

static void vote(struct votes *v, nsec ahead)
{
	nsec quarters = (ahead + (ahead < 0 ? -QUARTER : QUARTER) / 2) / QUARTER;
	if (quarters >= -ZONE_QUARTERS && quarters <= ZONE_QUARTERS)
		v->count[quarters + ZONE_QUARTERS]++;
}

static bool elect(const struct votes *v, nsec *zone)
{
	uint32_t most = 0;
	for (int i = 0; i <= 2 * ZONE_QUARTERS; i++) {
		if (v->count[i] > most) {
			most = v->count[i];
			*zone = (i - ZONE_QUARTERS) * QUARTER;
		}
	}
	return most > 0;
}

bool replay_new_year(nsec before, nsec time)
{
	return time < before && before - time > 183 * 86400 * NSEC_PER_SEC;
}

bool replay_state(struct slice text, struct management_state *state)
{
	struct log_fact fact;
	log_text_parse(text, &fact);
	return fact.kind == LOG_MANAGEMENT_STATE &&
	       management_parse_state(fact.text, state) == VERDICT_DONE;
}

nsec replay_wall(const struct replay *r, const struct log_line *l)
{
	if (l->has_zone)
		return l->time;
	nsec naive = l->has_year ? l->time : log_line_with_year(l->time, r->year);
	if (r->zone_known)
		return naive - r->zone;
	return r->local != NULL ? r->local(naive) : naive;
}

bool replay_epoch(struct slice line, uint64_t *epoch)
{
	struct management_message m;
	if (management_parse(line, &m) != VERDICT_DONE)
		return false;
	if (m.kind == MANAGEMENT_STATE)
		*epoch = m.u.state.time;
	else if (m.kind == MANAGEMENT_LOG)
		*epoch = m.u.log.time;
	else if (m.kind == MANAGEMENT_ECHO)
		*epoch = m.u.echo.time;
	else
		return false;
	return true;
}

static bool is_management(struct slice line)
{
	struct management_message m;
	struct management_state state;
	struct management_log log;
	if (slice_starts(line, "ENTER PASSWORD:") ||
	    management_parse_state(line, &state) == VERDICT_DONE ||
	    management_parse_log(line, &log) == VERDICT_DONE)
		return true;
	return management_parse(line, &m) == VERDICT_DONE && m.kind != MANAGEMENT_TEXT &&
	       m.kind != MANAGEMENT_UNKNOWN && m.kind != MANAGEMENT_ERROR &&
	       m.kind != MANAGEMENT_END; /* a log may well say "ERROR: …" */
}

/* The first line that can only be one of the two decides. */
static enum replay_format find_format(struct slice rest)
{
	enum replay_format format = REPLAY_EMPTY;
	while (rest.n > 0) {
		struct log_line l;
		struct slice line = slice_trim(slice_cut(&rest, '\n'));
		if (line.n == 0)
			continue;
		format = REPLAY_LOG;
		log_line_parse(line, &l);
		if (l.stamped)
			return REPLAY_LOG;
		if (is_management(line))
			return REPLAY_MANAGEMENT;
	}
	return format;
}

struct survey {
	struct votes votes;
	uint64_t stamped, zoned;
	struct log_line first; /* the first line with a stamp */
	nsec yearless;
	int new_years; /* so far */
	bool year_known;
	int first_year; /* of the first line without a year */
	bool epoch_known;
	uint64_t first_epoch;
};

/* The year that brings a stamp without one nearest to the epoch beside it. */
static int year_near(nsec time, nsec epoch)
{
	int about = 1970 + (int)(epoch / NSEC_PER_SEC / 31556952);
	int best = about;
	nsec distance = NSEC_NEVER;
	for (int year = about > 1970 ? about - 1 : about; year <= about + 1; year++) {
		nsec d = log_line_with_year(time, year) - epoch;
		d = d < 0 ? -d : d;
		if (d < distance) {
			distance = d;
			best = year;
		}
	}
	return best;
}

static void survey_epoch(struct survey *s, const struct log_line *l, uint64_t epoch)
{
	nsec instant = (nsec)epoch * NSEC_PER_SEC; /* 32 bits, says management_parse_state */
	nsec naive = l->time;
	if (!s->epoch_known) {
		s->epoch_known = true;
		s->first_epoch = epoch;
	}
	if (!l->stamped || l->has_zone)
		return;
	if (!l->has_year) {
		int year = year_near(l->time, instant);
		naive = log_line_with_year(l->time, year);
		if (!s->year_known) {
			s->year_known = true;
			s->first_year = year - s->new_years;
		}
	}
	vote(&s->votes, naive - instant);
}

static void survey_line(struct survey *s, struct slice line)
{
	struct log_line l;
	struct management_state state;
	log_line_parse(line, &l);
	if (l.stamped) {
		if (s->stamped++ == 0)
			s->first = l;
		s->zoned += l.has_zone;
		if (!l.has_year) {
			s->new_years += replay_new_year(s->yearless, l.time);
			s->yearless = l.time;
		}
	}
	if (replay_state(l.text, &state))
		survey_epoch(s, &l, state.time);
}

static void survey_log(struct replay *r, char *buf, size_t buf_size)
{
	struct survey s = {0};
	struct log_joiner joiner;
	struct slice rest = r->rest;
	struct slice whole;
	log_joiner_init(&joiner, buf, buf_size);
	while (rest.n > 0)
		if (log_joiner_add(&joiner, slice_cut(&rest, '\n'), &whole) == VERDICT_DONE)
			survey_line(&s, whole);
	if (log_joiner_end(&joiner, &whole) == VERDICT_DONE)
		survey_line(&s, whole);

	r->stamped = s.stamped > 0;
	r->zone_known = elect(&s.votes, &r->zone) || (r->stamped && s.zoned == s.stamped);
	r->year = s.year_known ? s.first_year : r->year - s.new_years;
	if (r->year < 1970)
		r->year = 1970;
	if (r->stamped)
		r->now.wall = replay_wall(r, &s.first);
	else if (s.epoch_known)
		r->now.wall = (nsec)s.first_epoch * NSEC_PER_SEC;
	if (!r->stamped && s.epoch_known)
		r->zone_known = true; /* epochs are UTC */
}

/* Begins at the first live epoch: what comes before it came in the same moment. A recording of
 * history alone is dated by its last line. */
static void survey_management(struct replay *r, char *buf, size_t buf_size)
{
	struct management_framer framer;
	struct slice rest = r->rest;
	struct slice line;
	uint64_t epoch = 0;
	management_framer_init(&framer, buf, buf_size);
	while (management_framer_next(&framer, &rest, &line) == VERDICT_DONE) {
		struct management_state state;
		struct management_log log;
		if (replay_epoch(line, &epoch))
			break;
		if (management_parse_state(line, &state) == VERDICT_DONE)
			epoch = state.time;
		else if (management_parse_log(line, &log) == VERDICT_DONE)
			epoch = log.time;
	}
	r->now.wall = (nsec)epoch * NSEC_PER_SEC;
	r->zone_known = true;
}

void replay_survey(struct replay *r, char *buf, size_t buf_size)
{
	r->format = find_format(r->rest);
	if (r->format == REPLAY_LOG)
		survey_log(r, buf, buf_size);
	else if (r->format == REPLAY_MANAGEMENT)
		survey_management(r, buf, buf_size);
}
