/* SPDX-License-Identifier: MIT
 *
 * A hostile server: what its management interface, its pushes and its NTP service may say, at
 * whatever times, to what the core makes of it. The input is a script of lines:
 *
 *     T MILLISECONDS      time passes
 *     L TEXT              a line of the server's management interface
 *     U | D               that connection comes up, or goes down
 *     E TEXT              an echo;  A TEXT  a token;  R SECONDS  a replayed packet
 *     S NUMBER            the client enters a state
 *     N RECEIVE TRANSMIT  the NTP service answers (ns since the epoch), to a question 10 ms ago
 *     P SECONDS           a probe is answered
 *
 * After each: what is read is finite, has a bound, and the two intervals are intervals.
 */
#include "core/peer_session.h"
#include "core/peer_sources.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL (1795500000 * NSEC_PER_SEC)

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static struct world {
	struct stamp now;
	struct peer_time time;
	struct peer_session session;
	struct peer_ntp ntp;
	struct handshake handshake;
	struct actions out;
} w;

static void check(void)
{
	struct peer_clock_reading r;
	struct clock_step step;
	nsec lo, hi;
	peer_time_read(&w.time, &w.now, NULL, 1.0, &r);
	MUST(!r.present || (isfinite(r.offset_s) && r.max_error_s >= 0 && r.samples > 0));
	MUST(!r.disagrees.present ||
	     (isfinite(r.disagrees.offset_s) && r.disagrees.max_error_s >= 0));
	for (int f = 0; f < PEER_FACES; f++)
		if (offset_estimator_at(&w.time.face[f].estimator, w.now.ruler, &lo, &hi))
			MUST(lo <= hi);
	peer_time_read_step(&w.time, &step);
	MUST(!step.present || step.max_error_s >= 0);
	MUST(w.out.n_actions <= 4);
}

static struct stamp earlier(nsec by)
{
	struct stamp s = w.now;
	s.mono -= by;
	s.wall -= by;
	s.boot -= by;
	s.ruler -= by;
	return s;
}

static void tell(bool there, const struct peer_told *told)
{
	if (!there)
		return;
	MUST(told->latest.ruler >= told->earliest.ruler);
	(void)peer_time_told(&w.time, told);
}

static void server_line(struct slice text)
{
	struct event e = {.kind = EVENT_PEER_LINE, .at = w.now, .u.line = text};
	struct peer_session_told told;
	enum session_news news;
	peer_session_line(&w.session, &e, NULL, &w.out, &news, &told);
	MUST(told.n <= PEER_FACES);
	for (unsigned i = 0; i < told.n; i++)
		tell(true, &told.told[i]);
}

static void link_is(enum link_change change)
{
	struct event e = {.kind = EVENT_PEER_LINK, .at = w.now};
	e.u.link.change = change;
	e.u.link.reason = "so it is";
	(void)peer_session_link(&w.session, &e);
}

static void ntp_answers(const char *text)
{
	struct event e = {.kind = EVENT_PEER_SNTP, .at = w.now};
	struct peer_told told;
	long long receive = 0, transmit = 0;
	e.u.peer_sntp.answered = sscanf(text, "%lld %lld", &receive, &transmit) == 2;
	e.u.peer_sntp.sent = earlier(10 * NSEC_PER_MSEC);
	e.u.peer_sntp.receive = receive;
	e.u.peer_sntp.transmit = transmit;
	tell(peer_ntp_event(&w.ntp, &e, &told), &told);
}

static void pass(long long ms)
{
	if (ms < 0 || ms > 1000000000 || w.now.mono > INT64_C(1) << 58)
		return;
	w.now = earlier(-ms * NSEC_PER_MSEC);
	(void)peer_session_time(&w.session, &w.now, &w.time, NULL, &w.out);
	peer_ntp_time(&w.ntp, &w.now, NULL, &w.out);
}

static void run_line(char verb, char *text, size_t n)
{
	struct peer_told told;
	struct slice s = {text, n};
	struct stamp sent = earlier(10 * NSEC_PER_MSEC);
	w.out.n_actions = 0;
	if (verb == 'T')
		pass(atoll(text));
	else if (verb == 'L')
		server_line(s);
	else if (verb == 'U' || verb == 'D')
		link_is(verb == 'U' ? LINK_UP : LINK_CLOSED);
	else if (verb == 'E')
		tell(peer_told_by_echo(&w.handshake, s, &w.now, &told), &told);
	else if (verb == 'A')
		tell(peer_told_by_token(&w.handshake, s, n % 2 == 0, &w.now, &w.now, &told), &told);
	else if (verb == 'R')
		tell(peer_told_by_replay(&w.handshake, atoll(text), &w.now, 0, &told), &told);
	else if (verb == 'S')
		handshake_state(&w.handshake, (enum openvpn_state)(atoi(text) & 7), &w.now);
	else if (verb == 'N')
		ntp_answers(text);
	else if (verb == 'P')
		(void)peer_time_probe(&w.time, &sent, &w.now, atoll(text));
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[1 << 16];
	w = (struct world){
	    .now = {
		.mono = NSEC_PER_SEC, .boot = NSEC_PER_SEC, .ruler = NSEC_PER_SEC, .wall = WALL}};
	peer_time_init(&w.time);
	peer_session_init(&w.session, true, false, 1, &w.now);
	peer_ntp_init(&w.ntp, true, &w.now);
	pass(0);
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end != NULL ? (size_t)(end - data) : size;
		size_t skip = end != NULL ? n + 1 : n;
		if (n > 1 && n < sizeof text) {
			memcpy(text, data + 1, n - 1);
			text[n - 1] = '\0';
			run_line((char)data[0], text + (text[0] == ' '), n - 1 - (text[0] == ' '));
		} else if (n == 1) {
			text[0] = '\0';
			run_line((char)data[0], text, 0);
		}
		data += skip;
		size -= skip;
	}
	return 0;
}
