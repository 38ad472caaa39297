/* SPDX-License-Identifier: MIT
 *
 * The relay against a model of the daemon, at random.
 *
 * In turn: each client is answered before the next one speaks, and what it has been told is, to the
 * byte, what a daemon of its own would have told it.
 * At once: bytes of the clients, lines of the daemon, comings and goings in any order. Then each
 * client has the replies to its own commands in order and nobody else's, its history meets its news
 * without gap or double, no block is torn, and ovpnwatch's own conversation is whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/relay_fixture.h"
#include "unit/relay_model.h"

#define RUNS 300

static struct model real, ideal;
static struct model_end real_end, ideal_ends[CLIENTS];
static uint64_t seed;

static unsigned dice(unsigned sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % sides);
}

static void begin_run(unsigned run)
{
	void *none = NULL;
	seed = run * 2654435761U + 1;
	relay_begin(&none);
	memset(&real, 0, sizeof real);
	memset(&ideal, 0, sizeof ideal);
	real.ends = &real_end;
	real.n_ends = 1;
	ideal.ends = ideal_ends;
	ideal.n_ends = CLIENTS;
	model_welcome(&real_end);
}

static void end_run(void)
{
	void *none = NULL;
	relay_end(&none);
	model_reset(&real_end);
	for (unsigned i = 0; i < CLIENTS; i++)
		model_reset(&ideal_ends[i]);
}

/* --- the daemon behind the relay ------------------------------------------------------------- */

/* Does the next line of what the relay has sent. False: there is none. */
static bool daemon_works(void)
{
	struct slice in = {.p = daemon_end.text, .n = daemon_end.n}, line;
	bool some = management_input_next(&real_end.input, &in, &line) == VERDICT_DONE;
	if (some)
		model_line(&real, &real_end, line);
	memmove(daemon_end.text, in.p, in.n + 1);
	daemon_end.n = in.n;
	return some;
}

static char own_heard[65536];

/* The next line of what the daemon has said reaches the relay. False: there is none. */
static bool daemon_is_heard(void)
{
	if (real_end.n == 0)
		return false;
	struct slice rest = {.p = real_end.out, .n = real_end.n};
	struct slice line = slice_trim(slice_cut(&rest, '\n'));
	char copy[512];
	slice_copy(line, copy, sizeof copy);
	if (daemon_says(copy) && copy[0] != '>')
		strcat(strcat(own_heard, copy), "|");
	real_end.n = rest.n;
	memmove(real_end.out, real_end.out + (line.n + 2), real_end.n + 1);
	return true;
}

static void settle(void)
{
	while (daemon_works() || daemon_is_heard())
		;
}

/* --- in turn --------------------------------------------------------------------------------- */

static const char *const sentences[] = {"state on",
					"state on all",
					"state all on",
					"state off",
					"state",
					"state 2",
					"state off all",
					"state all off",
					"state on off",
					"state x on",
					"log on all",
					"log off",
					"log on",
					"log 3",
					"log",
					"log all on",
					"log x",
					"echo on",
					"echo all",
					"echo off 1",
					"echo 0",
					"hold",
					"hold on",
					"hold off",
					"hold x",
					"pid",
					"status",
					"version",
					"version 3",
					"nclients",
					"load-stats",
					"nonsense",
					"client-auth 1 2\npush \"x\"\nstate on\nEND",
					"client-auth 1",
					"bytecount",
					"bytecount 5",
					"bytecount 0",
					"bytecount 1\r",
					"",
					"# state on",
					"ask me 0",
					"ask me 3",
					"state \"on\" 'all'",
					"\"",
					"log -5 all"};
#define SENTENCES (sizeof sentences / sizeof *sentences)

static void ideal_says(unsigned i, const char *text)
{
	struct slice in = slice_from(text), line;
	while (management_input_next(&ideal_ends[i].input, &in, &line) == VERDICT_DONE)
		model_line(&ideal, &ideal_ends[i], line);
}

static void something_happens(void)
{
	unsigned what = dice(5);
	unsigned lines = 2 + dice(3);
	if (what < 3) {
		model_event(&real, what);
		model_event(&ideal, what);
	} else {
		model_notify(&real, what == 3 ? 0 : lines);
		model_notify(&ideal, what == 3 ? 0 : lines);
	}
	settle();
}

static void somebody_speaks(unsigned i)
{
	char text[128];
	snprintf(text, sizeof text, "%s\n", sentences[dice(SENTENCES)]);
	says(i, text);
	settle();
	ideal_says(i, text);
}

static void somebody_comes_or_goes(unsigned i)
{
	model_reset(&ideal_ends[i]);
	if (ends[i].c != NULL) {
		left(i);
	} else {
		came(i);
		model_welcome(&ideal_ends[i]);
	}
	settle();
}

static void compare(unsigned run)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		const char *alone = ideal_ends[i].out != NULL ? ideal_ends[i].out : "";
		if (ends[i].c != NULL && strcmp(ends[i].text, alone) != 0)
			fail_msg("run %u, client %u: alone it hears\n%s\nand here\n%s", run, i,
				 alone, ends[i].text);
	}
}

static void in_turn(void **state)
{
	(void)state;
	for (unsigned run = 1; run <= RUNS; run++) {
		begin_run(run);
		settle();
		for (int i = 0; i < 4 && run % 2 == 0; i++) { /* a client's daemon, or a server */
			static const enum management_command wishes[] = {
			    COMMAND_LOG_ON_ALL, COMMAND_STATE_ON_ALL, COMMAND_ECHO_ON,
			    COMMAND_BYTECOUNT};
			own(wishes[i]);
			settle();
		}
		for (int step = 0; step < 80; step++) {
			unsigned i = dice(CLIENTS);
			if (dice(3) == 0)
				something_happens();
			else if (ends[i].c == NULL || dice(20) == 0)
				somebody_comes_or_goes(i);
			else
				somebody_speaks(i);
		}
		compare(run);
		end_run();
	}
}

/* --- at once --------------------------------------------------------------------------------- */

static struct script {
	char text[16384]; /* what it says */
	size_t n, said;
	char replies[16384]; /* what it has to be told but for notifications and histories */
	bool on;	     /* it has asked for its state, with its history */
	unsigned tokens;
} scripts[CLIENTS];

static void write_script(unsigned i, unsigned visit)
{
	struct script *s = &scripts[i];
	memset(s, 0, sizeof *s);
	for (int k = 0; k < 30; k++) {
		char *text = s->text + s->n, *reply = s->replies + strlen(s->replies);
		size_t room = sizeof s->text - s->n,
		       left_of = sizeof s->replies - strlen(s->replies);
		unsigned lines = dice(4);
		if (!s->on && dice(10) == 0) {
			snprintf(text, room, "state on all\n");
			s->on = true;
		} else if (dice(6) == 0) {
			snprintf(text, room, "client-auth 1 2\nx%u\nEND\n", k);
			snprintf(reply, left_of, "SUCCESS: client-auth command succeeded|");
		} else if (dice(5) == 0) { /* the relay itself answers */
			snprintf(text, room, "log\n");
			snprintf(reply, left_of,
				 "ERROR: the 'log' command requires at least 1 parameter|");
		} else if (dice(8) == 0) {
			snprintf(text, room, "bytecount %u\n", dice(9));
			snprintf(reply, left_of, "SUCCESS: bytecount interval changed|");
		} else {
			s->tokens++;
			snprintf(text, room, "ask %u-%u-%u %u\n", i, visit, s->tokens, lines);
			for (unsigned l = 1; l <= lines; l++)
				snprintf(s->replies + strlen(s->replies),
					 sizeof s->replies - strlen(s->replies),
					 "%u-%u-%u line %u|", i, visit, s->tokens, l);
		}
		s->n += strlen(text);
	}
}

/* The serial of an entry of the states, of a history or live. */
static bool is_entry(struct slice line, unsigned *serial)
{
	char text[64];
	if (slice_starts(line, ">STATE:"))
		line = slice_skip(line, 7);
	slice_copy(line, text, sizeof text);
	return strstr(text, ",state,entry") != NULL && sscanf(text, "%u", serial) == 1;
}

/* What this client was told is in order; `whole`: and all of it is there. */
static void judge(unsigned i, bool whole)
{
	char replies[16384] = "";
	unsigned serial, next = 0;
	bool in_block = false;
	struct slice rest = {.p = ends[i].text, .n = ends[i].n};
	(void)slice_cut(&rest, '\n'); /* the banner */
	while (rest.n > 0) {
		struct slice line = slice_trim(slice_cut(&rest, '\n'));
		if (is_entry(line, &serial)) {
			assert_int_equal(serial, atoi(real.history[0][next]));
			next++;
		} else if (slice_starts(line, ">CLIENT:CONNECT")) {
			assert_false(in_block);
			in_block = true;
		} else if (slice_starts(line, ">CLIENT:ENV")) {
			assert_true(in_block);
			in_block = !slice_is(line, ">CLIENT:ENV,END");
		} else if (line.n > 0 && line.p[0] != '>' && !slice_is(line, "END") &&
			   !slice_starts(line, "SUCCESS: real-time")) {
			assert_false(in_block);
			strncat(replies, line.p, line.n);
			strcat(replies, "|");
		}
	}
	if (!whole) {
		scripts[i].replies[strlen(replies)] = '\0';
	} else {
		assert_false(in_block);
		if (scripts[i].on)
			assert_int_equal(next, real.n_history[0]);
	}
	assert_string_equal(replies, scripts[i].replies);
}

static void piece_of_script(unsigned i)
{
	struct script *s = &scripts[i];
	size_t n = 1 + dice(40), room = relay_client_room(ends[i].c);
	n = n < s->n - s->said ? n : s->n - s->said;
	n = n < room ? n : room;
	says_bytes(i, (struct slice){.p = s->text + s->said, .n = n});
	s->said += n;
}

static void visit_or_leave(unsigned i, unsigned visit)
{
	if (ends[i].c == NULL) {
		write_script(i, visit);
		came(i);
	} else if (dice(30) == 0) {
		judge(i, false);
		left(i);
	}
}

static void at_once(void **state)
{
	(void)state;
	for (unsigned run = 1; run <= RUNS; run++) {
		unsigned owned = 0;
		begin_run(run);
		own_heard[0] = '\0';
		for (unsigned step = 0; step < 1500; step++) {
			unsigned i = dice(CLIENTS), what = dice(24);
			if (what < 6)
				daemon_works();
			else if (what < 16)
				daemon_is_heard();
			else if (what == 16 && dice(4) == 0)
				model_event(&real, 0);
			else if (what == 17 && dice(3) == 0)
				model_notify(&real, dice(3) == 0 ? 0 : 2 + dice(3));
			else if (what == 18 && relay.up && dice(10) == 0 && relay.n_own < 8)
				own(COMMAND_PID), owned++;
			else if (what == 19 || ends[i].c == NULL)
				visit_or_leave(i, step);
			else if (what == 20 || what == 21)
				piece_of_script(i);
		}
		for (unsigned i = 0; i < CLIENTS; i++)
			while (ends[i].c != NULL && scripts[i].said < scripts[i].n) {
				piece_of_script(i);
				settle();
			}
		settle();
		for (unsigned i = 0; i < CLIENTS; i++)
			if (ends[i].c != NULL)
				judge(i, true);
		for (const char *at = own_heard; *at != '\0'; owned--, at += 15)
			assert_int_equal(strncmp(at, "SUCCESS: pid=7|", 15), 0);
		assert_int_equal(owned, 0);
		for (unsigned i = 0; i < CLIENTS; i++)
			if (ends[i].c != NULL)
				left(i);
		settle();
		assert_false(real_end.on[0]); /* it goes back when the last one leaves */
		assert_int_equal(real_end.bytecount, 0);
		end_run();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_turn),
	    cmocka_unit_test(at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
