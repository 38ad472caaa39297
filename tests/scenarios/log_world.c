/* SPDX-License-Identifier: MIT */
#include "scenarios/log_world.h"
#include "proto/log_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text with the time in it, in the log's own memory. */
static void write_text(struct log_world *l, const char *text, nsec wall)
{
	const char *t = strstr(text, "%T");
	if (t == NULL)
		snprintf(l->text, sizeof l->text, "%s", text);
	else
		snprintf(l->text, sizeof l->text, "%.*s%lld%s", (int)(t - text), text,
			 (long long)(wall / NSEC_PER_SEC), t + 2);
}

static bool log_file(struct log_world *l, const char *rest, struct event *e)
{
	static const char *const words[] = {
	    [LOG_FILE_FOLLOWED] = "followed",
	    [LOG_FILE_ABSENT] = "absent",
	    [LOG_FILE_GONE] = "gone",
	    [LOG_FILE_ENDED] = "ended",
	};
	size_t n = strcspn(rest, " ");
	snprintf(l->text, sizeof l->text, "%s", rest + n + (rest[n] == ' '));
	e->kind = EVENT_LOG_FILE;
	e->u.log_file.reason = l->text[0] != '\0' ? l->text : NULL;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strncmp(rest, words[i], n) == 0 && words[i][n] == '\0') {
			e->u.log_file.change = (enum log_file_change)i;
			return true;
		}
	}
	return false;
}

static void line(struct log_world *l, const char *text, nsec wall, bool past, struct event *e)
{
	write_text(l, text, wall);
	e->kind = EVENT_LOG;
	e->u.line = slice_from(l->text);
	e->log.history = past;
	e->log.written = wall;
	e->log.pid = -1;
}

/* What a logger puts in front is taken off as the shell does. */
static void journal_line(struct log_world *l, const char *rest, nsec wall, struct event *e)
{
	static char whole[300];
	struct log_line parsed;
	size_t n = strcspn(rest, " ");
	snprintf(whole, sizeof whole, "Nov 25 10:00:00 host %.*s: %s", (int)n, rest, rest + n);
	log_line_parse(slice_from(whole), &parsed);
	char text[sizeof l->text];
	slice_copy(parsed.text, text, sizeof text);
	line(l, text, wall, false, e);
	e->log.ident = parsed.ident;
	e->log.pid = parsed.pid;
}

bool log_world_command(struct log_world *l, const char *verb, const char *rest, nsec wall,
		       struct event *e, bool *event)
{
	char *text;
	*event = true;
	if (strcmp(verb, "log") == 0 || strcmp(verb, "log-only") == 0) {
		l->there = true;
		l->alone = strcmp(verb, "log-only") == 0;
		*event = false;
	} else if (strcmp(verb, "past") == 0) {
		nsec age = strtol(rest, &text, 10) * NSEC_PER_SEC;
		line(l, text + (*text == ' '), wall - age, true, e);
	} else if (strcmp(verb, "logged") == 0) {
		line(l, rest, wall, false, e);
	} else if (strcmp(verb, "journal") == 0) {
		journal_line(l, rest, wall, e);
	} else {
		return strcmp(verb, "log-file") == 0 && log_file(l, rest, e);
	}
	return true;
}
