/* SPDX-License-Identifier: MIT
 *
 * core/relay between a daemon and four clients that say whatever the input says, in records of two
 * bytes (what, how long) and a text. Client 3 is read-only, client 2 has to give a password.
 *
 * What is promised: a line of a reply reaches its asker and no other client, and ovpnwatch's own
 * session only if it asked; nobody hears anything before the password, or after it was hung up on;
 * what reaches the daemon is whole lines, and of a read-only client's making only what asks;
 * nothing is sent to a daemon that is not there; a client is asked for no more than there is room
 * for.
 */
#include "core/relay.h"
#include "fuzz/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS	 4
#define GUARDED	 2
#define READONLY 3
#define PASSWORD "pw"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world {
	struct relay relay;
	bool up;	    /* the daemon's banner has come */
	bool only_readonly; /* nobody else has been there since the daemon is */
	char to_daemon[RELAY_BLOCK_MAX + 4096];
	size_t n;
	struct place {
		struct relay_client *c;
		bool over, let_in, told; /* told: by the present call */
	} places[CLIENTS];
} w;

/* --- what comes out -------------------------------------------------------------------------- */

static void check_query(struct slice line)
{
	static const char *const asks[] = {"state",
					   "log",
					   "echo",
					   "bytecount",
					   "status",
					   "version",
					   "pid",
					   "help",
					   "nclients",
					   "net",
					   "load-stats",
					   "verb",
					   "mute",
					   "auth-retry",
					   "hold",
					   "remote-entry-count",
					   "remote-entry-get"};
	bool known = false;
	struct slice rest = line, word = slice_cut(&rest, ' ');
	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
		known = known || slice_is(word, asks[i]);
	CHECK(known);
	if (slice_is(word, "verb") || slice_is(word, "hold") || slice_is(word, "mute") ||
	    slice_is(word, "auth-retry"))
		CHECK(rest.n == 0);
	for (size_t i = 0; i < rest.n; i++)
		CHECK(strchr("abcdefghijklmnopqrstuvwxyz0123456789- ", rest.p[i]) != NULL);
}

static void to_daemon(void *arg, struct slice bytes)
{
	CHECK(arg == &w);
	CHECK(w.up && bytes.n > 0 && bytes.p[bytes.n - 1] == '\n');
	CHECK(memchr(bytes.p, '\r', bytes.n) == NULL && memchr(bytes.p, '\0', bytes.n) == NULL);
	while (w.only_readonly && bytes.n > 0)
		check_query(slice_cut(&bytes, '\n'));
}

static void to_client(void *arg, void *owner, struct slice bytes)
{
	struct place *p = owner;
	CHECK(arg == &w);
	CHECK(!p->over && bytes.n > 0);
	p->told = true;
	p->let_in = p->let_in || slice_starts(bytes, "SUCCESS: password is correct");
	CHECK(p != &w.places[GUARDED] || p->let_in || slice_is(bytes, "ENTER PASSWORD:"));
}

static void hang_up(void *arg, void *owner, const char *reason)
{
	struct place *p = owner;
	CHECK(arg == &w);
	CHECK(!p->over && (reason == NULL || reason[0] != '\0'));
	p->over = true;
}

/* --- what happens ---------------------------------------------------------------------------- */

static void daemon_says(struct slice line, nsec now)
{
	const struct relay_client *asker = w.relay.flight.client;
	enum relay_owner owner = w.relay.flight.owner;
	bool reply = w.up && !slice_starts(line, ">");
	bool load_stats = slice_starts(line, "SUCCESS: nclients="); /* may end a flight */
	w.up = w.up || slice_starts(line, ">INFO:");
	bool ours = relay_daemon_line(&w.relay, line, now);
	CHECK(ours || reply); /* ovpnwatch hears every notification */
	if (!reply || load_stats)
		return;
	CHECK(ours == (owner == RELAY_OWN || owner == RELAY_NOBODY));
	/* A signature's reply may end its flight, and the next one's turn come. */
	bool same = w.relay.flight.owner == owner && w.relay.flight.client == asker;
	for (unsigned i = 0; same && i < CLIENTS; i++)
		CHECK(!w.places[i].told || w.places[i].c == asker);
}

static void comes(struct place *p)
{
	unsigned i = (unsigned)(p - w.places);
	if (p->c != NULL)
		return;
	p->c = malloc(sizeof *p->c);
	CHECK(p->c != NULL);
	p->over = p->let_in = false;
	w.only_readonly = w.only_readonly && i == READONLY;
	relay_client_came(&w.relay, p->c, i == READONLY,
			  i == GUARDED ? SLICE(PASSWORD) : (struct slice){0}, p);
}

static void leaves(struct place *p)
{
	if (p->c == NULL)
		return;
	relay_client_left(&w.relay, p->c);
	free(p->c);
	p->c = NULL;
}

static void speaks(struct place *p, struct slice text, nsec now)
{
	size_t room = p->c != NULL ? relay_client_room(p->c) : 0;
	CHECK(room <= RELAY_INPUT_MAX && (p->c == NULL || !p->over || room == 0));
	text.n = text.n < room ? text.n : room;
	if (p->c != NULL && !p->over)
		relay_client_bytes(&w.relay, p->c, text, now);
}

static void happen(unsigned what, struct slice text, nsec now)
{
	struct place *p = &w.places[what / 8 % CLIENTS];
	for (unsigned i = 0; i < CLIENTS; i++)
		w.places[i].told = false;
	switch (what % 8) {
	case 0:
		comes(p);
		break;
	case 1:
	case 2:
		speaks(p, text, now);
		break;
	case 3:
	case 4:
		while (text.n > 0) {
			daemon_says(slice_cut(&text, '\n'), now);
			for (unsigned i = 0; i < CLIENTS; i++)
				w.places[i].told = false;
		}
		break;
	case 5:
		leaves(p);
		break;
	case 6:
		if (w.relay.n_own < RELAY_OWN_MAX / 2)
			relay_own_command(&w.relay,
					  what & 64 ? COMMAND_LOAD_STATS : COMMAND_STATE_ON_ALL);
		break;
	case 7:
		if (p->c != NULL && !p->over && (what & 64) != 0) {
			relay_client_end_of_input(&w.relay, p->c);
		} else if ((what & 64) == 0) {
			relay_daemon_down(&w.relay);
			w.up = false;
		}
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct relay_wires wires = {
	    .arg = &w, .to_daemon = to_daemon, .to_client = to_client, .hang_up = hang_up};
	nsec now = 0;
	memset(&w, 0, sizeof w);
	w.only_readonly = true;
	relay_init(&w.relay, &wires);
	for (size_t i = 0; i + 2 <= size;) {
		size_t n = data[i + 1];
		n = n < size - i - 2 ? n : size - i - 2;
		char *copy = malloc(n + 1); /* so that what lies beyond it is seen */
		CHECK(copy != NULL);
		memcpy(copy, data + i + 2, n);
		now += (nsec)n * NSEC_PER_SEC / 8;
		happen(data[i], (struct slice){.p = copy, .n = n}, now);
		free(copy);
		i += 2 + n;
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		leaves(&w.places[i]);
	return 0;
}
