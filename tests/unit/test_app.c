/* SPDX-License-Identifier: MIT
 *
 * The loop with a brain of three lines: deadlines, and every way to end.
 */
#include "io/app.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

struct thought {
	unsigned steps, stops, wanted;
	nsec next;     /* after each step: this much later; NSEC_NEVER: no deadline */
	nsec deadline; /* mono */
	unsigned say;  /* notices with each step */
	int signal_at; /* raised in this step; 0: never */
	int signal;
	int reader; /* closed in the first step; 0: not */
};

static void think(void *self, const struct event *e, struct actions *out)
{
	struct thought *t = self;
	out->n_actions = out->n_notices = 0;
	if (e->kind == EVENT_STOP)
		t->stops++;
	else
		t->steps++;
	assert_true(e->kind == EVENT_STOP || e->at.mono >= t->deadline);
	t->deadline = t->next == NSEC_NEVER ? NSEC_NEVER : e->at.mono + t->next;
	for (unsigned i = 0; i < t->say && i < NOTICES_MAX; i++)
		notice_init(&out->notices[out->n_notices++], NOTICE_CLOCK, SEVERITY_INFO, &e->at,
			    NULL);
	if (t->signal_at == (int)t->steps)
		raise(t->signal);
	if (t->reader != 0)
		close(t->reader);
	t->reader = 0;
}

static nsec next_thought(const void *self)
{
	const struct thought *t = self;
	return t->deadline;
}

static bool thought_enough(const void *self)
{
	const struct thought *t = self;
	return t->wanted != 0 && t->steps >= t->wanted;
}

static int run(struct thought *t, const char *output)
{
	const struct app_brain brain = {
	    .self = t, .step = think, .deadline = next_thought, .done = thought_enough};
	const struct app_options options = {.output = output, .format = FORMAT_JSON};
	struct app *app;
	char error[200];
	assert_int_equal(app_open(&app, &options, &brain, error, sizeof error), 0);
	/* app_close() says EX_SOFTWARE if a handle was left open. */
	return app_close(app, app_run(app));
}

static void test_it_is_done(void **state)
{
	struct thought t = {.wanted = 50, .next = NSEC_PER_MSEC, .say = 3};
	(void)state;
	assert_int_equal(run(&t, "/dev/null"), 0);
	assert_int_equal(t.steps, 50);
	assert_int_equal(t.stops, 0);
}

/* A deadline in the past is at once, again and again. */
static void test_deadlines_in_the_past(void **state)
{
	struct thought t = {.wanted = 1500, .next = 0};
	(void)state;
	assert_int_equal(run(&t, "/dev/null"), 0);
	assert_int_equal(t.steps, 1500);
}

static void test_signals_end_it(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM};
	(void)state;
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		struct thought t = {.next = NSEC_NEVER, .signal_at = 1, .signal = signals[i]};
		assert_int_equal(run(&t, "/dev/null"), 0);
		assert_int_equal(t.stops, 1);
	}
}

static void test_hangup_does_not(void **state)
{
	struct thought t = {.next = NSEC_PER_MSEC, .signal_at = 1, .signal = SIGHUP, .wanted = 20};
	(void)state;
	assert_int_equal(run(&t, "/dev/null"), 0);
	assert_int_equal(t.steps, 20);
	assert_int_equal(t.stops, 0);
}

static void test_full_disk(void **state)
{
	struct thought t = {.next = NSEC_PER_MSEC, .say = 1};
	(void)state;
	assert_int_equal(run(&t, "/dev/full"), EX_IOERR);
	assert_int_equal(t.stops, 0);
}

/* With standard output a pipe: the reader is gone, or never reads. */
static int run_into_pipe(struct thought *t, bool leaves)
{
	int fd[2], saved = dup(STDOUT_FILENO);
	assert_true(saved >= 0);
	fflush(stdout);
	assert_int_equal(pipe(fd), 0);
	assert_true(dup2(fd[1], STDOUT_FILENO) >= 0);
	close(fd[1]);
	t->reader = leaves ? fd[0] : 0;
	int status = run(t, NULL);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	if (!leaves)
		close(fd[0]);
	return status;
}

static void test_reader_that_leaves(void **state)
{
	struct thought t = {.next = NSEC_NEVER};
	(void)state;
	assert_int_equal(run_into_pipe(&t, true), 0);
	assert_int_equal(t.steps, 1);
	t = (struct thought){.next = NSEC_PER_MSEC, .say = 1};
	assert_int_equal(run_into_pipe(&t, true), 0);
}

/* What it does not take within the patience is lost; the end comes all the same. */
static void test_reader_that_never_reads(void **state)
{
	struct thought t = {.next = 0, .say = NOTICES_MAX, .wanted = 500};
	(void)state;
	assert_int_equal(run_into_pipe(&t, false), 0);
	assert_int_equal(t.steps, 500);
}

static void test_output_that_cannot_be_opened(void **state)
{
	struct thought t = {0};
	const struct app_brain brain = {.self = &t, .step = think, .deadline = next_thought};
	const struct app_options options = {.output = "/nonexistent/file"};
	struct app *app;
	char error[200];
	(void)state;
	assert_int_equal(app_open(&app, &options, &brain, error, sizeof error), EX_IOERR);
	assert_non_null(strstr(error, "/nonexistent/file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_it_is_done),
	    cmocka_unit_test(test_deadlines_in_the_past),
	    cmocka_unit_test(test_signals_end_it),
	    cmocka_unit_test(test_hangup_does_not),
	    cmocka_unit_test(test_full_disk),
	    cmocka_unit_test(test_reader_that_leaves),
	    cmocka_unit_test(test_reader_that_never_reads),
	    cmocka_unit_test(test_output_that_cannot_be_opened),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
