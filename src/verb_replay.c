/* SPDX-License-Identifier: MIT
 *
 * ovpnwatch replay: the core on the clock of a recording. No loop: the events come from the text,
 * the deadlines in between are stepped through, and the output waits for its reader.
 */
#include "core/replay.h"
#include "core/watch.h"
#include "io/local_time.h"
#include "io/output.h"
#include "io/stamp_now.h"
#include "proto/log_text.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define RECORDING_MAX ((size_t)1 << 30)
#define READ_FIRST    ((size_t)1 << 16)
/* A deadline that stays in the past is our own mistake; it shall not hold the recording up. */
#define STEPS_WITHOUT_PROGRESS 1000

struct replaying {
	struct replay replay;
	struct watch watch;
	struct tunnel tunnel;
	struct tunnel_config config;
	struct stamp last;
	bool of_openvpn; /* a line was OpenVPN's */
	struct output output;
	struct actions actions;
	char line[MANAGEMENT_LINE_MAX];
};

struct recording {
	char *text;
	size_t n;
};

/* --- reading it ------------------------------------------------------------------------------ */

static int read_all(int fd, struct recording *r, const char *file)
{
	size_t room = 0;
	for (;;) {
		if (r->n == room) {
			room = room == 0 ? READ_FIRST : 2 * room;
			char *more = room <= 2 * RECORDING_MAX ? realloc(r->text, room) : NULL;
			if (more == NULL)
				return complain(EXIT_FAILURE, "%s: no memory", file);
			r->text = more;
		}
		ssize_t n = read(fd, r->text + r->n, room - r->n);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return complain(EX_DATAERR, "cannot read %s: %s", file, strerror(errno));
		if (n > 0)
			r->n += (size_t)n;
		if (r->n > RECORDING_MAX)
			return complain(EX_DATAERR,
					"%s has more than 1 GiB: cut out the part to judge", file);
	}
}

static int read_recording(const char *name, struct recording *r)
{
	bool standard = strcmp(name, "-") == 0;
	const char *file = standard ? "standard input" : name;
	int fd = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return complain(errno == EACCES ? EX_NOPERM : EX_DATAERR, "cannot read %s: %s",
				file, strerror(errno));
	int status = read_all(fd, r, file);
	if (!standard)
		close(fd);
	return status;
}

/* --- judging it ------------------------------------------------------------------------------ */

static void step(struct replaying *r, const struct event *e)
{
	r->last = e->at;
	watch_step(&r->watch, e, &r->actions);
	for (size_t i = 0; i < r->actions.n_notices; i++) {
		struct notice *n = &r->actions.notices[i];
		if (n->type == NOTICE_SUMMARY) {
			n->summary.lines = (int64_t)r->replay.lines;
			replay_zone(&r->replay, n->summary.zone, sizeof n->summary.zone);
		}
		output_notice(&r->output, n);
	}
}

/* Steps through what the core wants to do before `mono`. */
static void pass_time(struct replaying *r, nsec mono)
{
	for (unsigned idle = 0; idle < STEPS_WITHOUT_PROGRESS;) {
		nsec at = watch_deadline(&r->watch);
		if (at >= mono || output_state(&r->output) != OUTLET_OPEN)
			return;
		nsec passed = nsec_max(at - r->last.mono, 0);
		idle = passed > 0 ? 0 : idle + 1;
		struct event e = {.kind = EVENT_TIME, .at = r->last};
		e.at.mono += passed;
		e.at.wall += passed;
		e.at.boot += passed;
		step(r, &e);
	}
}

static bool is_openvpns(const struct event *e)
{
	struct log_fact fact;
	struct management_message m;
	if (e->kind == EVENT_LOG) {
		log_text_parse(e->u.line, &fact);
		return fact.kind != LOG_NOTHING;
	}
	return management_parse(e->u.line, &m) == VERDICT_DONE && m.kind != MANAGEMENT_TEXT &&
	       m.kind != MANAGEMENT_UNKNOWN;
}

static void begin(struct replaying *r, const struct options *o, const struct stamp *at)
{
	const struct watch_config config = {.offset_limit_s = o->settings.offset_limit_s,
					    .replay = true};
	r->config = (struct tunnel_config){
	    .name = options_tunnel(o)->name != NULL ? options_tunnel(o)->name : "recording",
	    .no_probe = "this is a recording",
	    .ping = -1,
	    .ping_restart = -1,
	    .reneg_sec = -1,
	};
	r->last = *at;
	r->output.origin.mono_start = at->mono;
	/* A person compares what we say with the log: its clock, not this machine's. */
	r->output.own_zone = r->replay.zone_known;
	r->output.style.utc_offset_s = (long)(r->replay.zone / NSEC_PER_SEC);
	watch_init(&r->watch, &config, at);
	watch_add(&r->watch, &r->tunnel, &r->config, at);
}

static int judge(struct replaying *r, const struct options *o, struct slice text)
{
	struct event e;
	bool begun = false;
	replay_init(&r->replay, text, r->line, sizeof r->line, local_time,
		    local_year(stamp_now().wall));
	while (output_state(&r->output) == OUTLET_OPEN && replay_next(&r->replay, &r->tunnel, &e)) {
		if (!begun)
			begin(r, o, &e.at);
		begun = true;
		r->of_openvpn = r->of_openvpn || is_openvpns(&e);
		pass_time(r, e.at.mono);
		step(r, &e);
	}
	if (!r->of_openvpn)
		return output_state(&r->output) != OUTLET_OPEN
			   ? 0
			   : complain(EX_DATAERR,
				      "%s: not a single line in it is OpenVPN's. Give the client's "
				      "log (verb "
				      "3 or more) or a recorded management session",
				      o->recording);
	e = (struct event){.kind = EVENT_STOP, .at = r->last};
	step(r, &e);
	return 0;
}

static int print_judgement(const struct options *o, struct slice text)
{
	char error[320];
	struct replaying *r = calloc(1, sizeof *r);
	if (r == NULL)
		return complain(EXIT_FAILURE, "no memory");
	if (!output_open(&r->output, NULL, o->settings.output, o->settings.format, NULL, NULL,
			 error, sizeof error)) {
		free(r);
		return complain(EX_IOERR, "%s", error);
	}
	int status = judge(r, o, text);
	if (output_state(&r->output) == OUTLET_FAILED)
		status =
		    complain(EX_IOERR, "cannot write the events: %s", output_error(&r->output));
	output_close(&r->output);
	tunnel_done(&r->tunnel);
	free(r);
	return status;
}

int verb_replay(const struct options *o)
{
	struct recording r = {0};
	int status = read_recording(o->recording, &r);
	if (status == 0)
		status = print_judgement(o, (struct slice){.p = r.text, .n = r.n});
	free(r.text);
	return status;
}
