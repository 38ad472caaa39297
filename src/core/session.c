/* SPDX-License-Identifier: MIT */
#include "core/session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *management_command_text(enum management_command c)
{
	switch (c) {
	case COMMAND_STATE_ON_ALL:
		return "state on all\n";
	case COMMAND_LOG_ON_ALL:
		return "log on all\n";
	case COMMAND_BYTECOUNT:
		return "bytecount 1\n";
	case COMMAND_PID:
		return "pid\n";
	case COMMAND_VERSION:
		return "version\n";
	case COMMAND_LOAD_STATS:
		return "load-stats\n";
	case COMMAND_ECHO_ON:
		return "echo on\n";
	case COMMAND_STATUS_1:
		return "status 1\n";
	case COMMAND_STATUS_3:
		return "status 3\n";
	case COMMAND_BYTECOUNT_OFF:
		return "bytecount 0\n";
	case COMMAND_HOLD_RELEASE:
		return "hold release\n";
	case COMMAND_PUT_BACK:
		return "bytecount 0\nlog off\nstate off\necho off\n";
	case COMMAND_LOG_OFF:
		return "log off\n";
	}
	assert(0 && "a command without a text");
	return "";
}

/* Only its low quality is wanted: the jitter keeps many watchers from calling in step. (xorshift64)
 */
static uint64_t next_random(struct session *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random;
}

/* The same action on the server's connection. */
static enum action_kind on_server(enum action_kind kind)
{
	return kind == ACTION_CONNECT ? ACTION_PEER_CONNECT
	       : kind == ACTION_CLOSE ? ACTION_PEER_CLOSE
	       : kind == ACTION_SEND  ? ACTION_PEER_SEND
				      : ACTION_PEER_SEND_PASSWORD;
}

static void add_action(const struct session *s, struct actions *out, enum action_kind kind,
		       struct tunnel *t, enum management_command command)
{
	assert(out->n_actions < ACTIONS_MAX);
	if (s->of_server)
		kind = on_server(kind);
	out->actions[out->n_actions++] =
	    (struct action){.kind = kind, .tunnel = t, .command = command};
}

static void send_command(struct session *s, enum management_command c, struct tunnel *t,
			 struct actions *out)
{
	assert(s->n_ahead < SESSION_COMMANDS_AHEAD);
	s->ahead[s->n_ahead++] = c;
	add_action(s, out, ACTION_SEND, t, c);
}

void session_ask(struct session *s, enum management_command c, struct tunnel *t,
		 struct actions *out)
{
	assert(s->state == SESSION_UP && s->subscribed && s->n_ahead == 0);
	send_command(s, c, t, out);
}

bool session_say(struct session *s, enum management_command c, struct tunnel *t,
		 struct actions *out)
{
	if (s->state != SESSION_UP || !s->subscribed || s->n_ahead == SESSION_COMMANDS_AHEAD ||
	    out->n_actions == ACTIONS_MAX)
		return false;
	send_command(s, c, t, out);
	return true;
}

void session_leave(struct session *s, struct tunnel *t, struct actions *out)
{
	if (s->state == SESSION_UP && s->subscribed && out->n_actions < ACTIONS_MAX)
		add_action(s, out, ACTION_SEND, t,
			   s->of_server ? COMMAND_LOG_OFF : COMMAND_PUT_BACK);
	s->subscribed = false; /* once is enough */
}

void session_init(struct session *s, bool of_server, bool has_password, uint64_t seed,
		  const struct stamp *now)
{
	*s = (struct session){
	    .of_server = of_server,
	    .has_password = has_password,
	    .state = SESSION_WAITING,
	    .backoff = SESSION_BACKOFF_MIN,
	    .deadline = now->mono,
	    .random = seed | 1, /* xorshift stays at 0 for ever */
	};
}

/* Gives the connection up and waits: three quarters to five quarters of the back-off, then doubled.
 */
static void back_off(struct session *s, const struct stamp *now)
{
	nsec jitter = (nsec)(next_random(s) % (uint64_t)(s->backoff / 2));
	s->state = SESSION_WAITING;
	s->deadline = now->mono + s->backoff * 3 / 4 + jitter;
	s->backoff = nsec_min(2 * s->backoff, SESSION_BACKOFF_MAX);
	s->n_ahead = 0;
	s->in_reply = false;
	s->subscribed = false;
}

static enum session_news give_up(struct session *s, const struct stamp *now,
				 enum session_problem problem, const char *reason)
{
	bool was_up = s->state == SESSION_UP;
	bool news = problem != s->problem || strcmp(reason, s->reason) != 0;
	if (was_up)
		s->backoff = SESSION_BACKOFF_MIN;
	s->problem = problem;
	snprintf(s->reason, sizeof s->reason, "%s", reason);
	s->failures++;
	back_off(s, now);
	if (was_up)
		return SESSION_NEWS_LOST;
	return news ? SESSION_NEWS_PROBLEM : SESSION_NO_NEWS;
}

/* Nothing has failed: only nobody is there. */
static enum session_news keep_waiting(struct session *s, const char *reason)
{
	bool news = s->problem != SESSION_UNREACHABLE || strcmp(reason, s->reason) != 0;
	s->problem = SESSION_UNREACHABLE;
	snprintf(s->reason, sizeof s->reason, "%s", reason);
	return news ? SESSION_NEWS_PROBLEM : SESSION_NO_NEWS;
}

enum session_news session_link(struct session *s, const struct event *e)
{
	const char *reason = e->u.link.reason != NULL ? e->u.link.reason : "unknown error";

	switch (e->u.link.change) {
	case LINK_UP:
		if (s->state != SESSION_CONNECTING)
			return SESSION_NO_NEWS;
		s->state = SESSION_BANNER;
		s->spoke = false;
		s->prompted = false;
		s->deadline = e->at.mono + SESSION_BANNER_WAIT;
		return SESSION_NO_NEWS;
	case LINK_FAILED:
	case LINK_UNAVAILABLE:
		if (s->state == SESSION_WAITING)
			return SESSION_NO_NEWS;
		return give_up(s, &e->at, SESSION_UNREACHABLE, reason);
	case LINK_CLOSED:
		if (s->state == SESSION_WAITING)
			return SESSION_NO_NEWS;
		/* OpenVPN hangs up after the third wrong password. */
		if (s->state == SESSION_PASSWORD)
			return give_up(s, &e->at, SESSION_REFUSED, "the password is wrong");
		return give_up(s, &e->at, SESSION_UNREACHABLE, reason);
	case LINK_WAITING:
		return s->state == SESSION_CONNECTING ? keep_waiting(s, reason) : SESSION_NO_NEWS;
	case LINK_OVERLONG:
		return SESSION_NO_NEWS;
	}
	return SESSION_NO_NEWS;
}

static enum session_news refused(struct session *s, const struct stamp *now, const char *reason,
				 struct tunnel *t, struct actions *out)
{
	add_action(s, out, ACTION_CLOSE, t, COMMAND_PID);
	enum session_news news = give_up(s, now, SESSION_REFUSED, reason);
	/* A wrong password does not become right by hammering. */
	s->backoff = SESSION_BACKOFF_MAX;
	s->deadline = nsec_max(s->deadline, now->mono + SESSION_BACKOFF_MAX / 2);
	return news;
}

static enum session_news prompt(struct session *s, const struct event *e, struct tunnel *t,
				struct actions *out)
{
	if (s->prompted)
		return refused(
		    s, &e->at,
		    s->of_server
			? "the password is wrong: compare the file given with "
			  "--peer-management-password-file with the one that OpenVPN was given"
			: "the password is wrong: compare the file given with "
			  "--management-password-file with the one that OpenVPN was given",
		    t, out);
	if (!s->has_password)
		return refused(s, &e->at,
			       s->of_server ? "it asks for a password: give the file that holds "
					      "it with --peer-management-password-file"
					    : "it asks for a password: give the file that holds "
					      "it with --management-password-file",
			       t, out);
	s->prompted = true;
	s->state = SESSION_PASSWORD;
	s->deadline = e->at.mono + SESSION_BANNER_WAIT;
	add_action(s, out, ACTION_SEND_PASSWORD, t, COMMAND_PID);
	return SESSION_NO_NEWS;
}

static void subscribe(struct session *s, struct tunnel *t, struct actions *out)
{
	s->subscribed = true;
	send_command(s, COMMAND_VERSION, t, out);
	if (s->of_server) {
		send_command(s, COMMAND_LOG_ON_ALL, t, out);
		return;
	}
	send_command(s, COMMAND_PID, t, out);
	/* The log first: its history says what the timers are before a state makes use of them. */
	send_command(s, COMMAND_LOG_ON_ALL, t, out);
	send_command(s, COMMAND_STATE_ON_ALL, t, out);
	send_command(s, COMMAND_ECHO_ON, t, out);
	send_command(s, COMMAND_BYTECOUNT, t, out);
	/* Whether it is a server. */
	send_command(s, COMMAND_STATUS_3, t, out);
}

static bool is_status(enum management_command c)
{
	return c == COMMAND_STATUS_1 || c == COMMAND_STATUS_3;
}

static bool has_lines(enum management_command c)
{
	return c == COMMAND_STATE_ON_ALL || c == COMMAND_LOG_ON_ALL || c == COMMAND_VERSION ||
	       is_status(c);
}

static void answered(struct session *s)
{
	assert(s->n_ahead > 0);
	s->n_ahead--;
	memmove(s->ahead, s->ahead + 1, s->n_ahead * sizeof *s->ahead);
	s->in_reply = false;
}

/* A line that is not a notification belongs to the oldest command that is not answered yet. */
static enum session_line reply(struct session *s, struct management_message *m)
{
	if (s->n_ahead == 0)
		return LINE_NOTHING;
	enum management_command c = s->ahead[0];
	m->text = m->kind == MANAGEMENT_TEXT ? m->line : m->text;
	if (m->kind == MANAGEMENT_ERROR || m->kind == MANAGEMENT_END) {
		answered(s);
		return c == COMMAND_STATE_ON_ALL ? LINE_HISTORY_END
		       : is_status(c)		 ? LINE_STATUS_END
						 : LINE_NOTHING;
	}
	if (m->kind == MANAGEMENT_SUCCESS) {
		if (has_lines(c) && !is_status(c)) {
			s->in_reply = true;
			return LINE_NOTHING;
		}
		answered(s);
		return c == COMMAND_PID		 ? LINE_PID
		       : c == COMMAND_LOAD_STATS ? LINE_LOAD_STATS
		       : is_status(c)		 ? LINE_STATUS_END
						 : LINE_NOTHING;
	}
	if (m->kind != MANAGEMENT_TEXT)
		return LINE_NOTHING;
	if (c == COMMAND_VERSION)
		return slice_starts(m->text, "OpenVPN Version: ") ? LINE_VERSION : LINE_NOTHING;
	if (is_status(c)) /* without a SUCCESS in front */
		return c == COMMAND_STATUS_1 ? LINE_STATUS_1 : LINE_STATUS_3;
	if (c == COMMAND_STATE_ON_ALL && s->in_reply)
		return LINE_STATE_HISTORY;
	if (c == COMMAND_LOG_ON_ALL && s->in_reply)
		return LINE_LOG_HISTORY;
	return LINE_NOTHING;
}

enum session_line session_line(struct session *s, const struct event *e, struct tunnel *t,
			       struct actions *out, struct management_message *message,
			       enum session_news *news)
{
	*news = SESSION_NO_NEWS;
	*message = (struct management_message){.kind = MANAGEMENT_UNKNOWN, .line = e->u.line};
	if (s->state == SESSION_WAITING || s->state == SESSION_CONNECTING)
		return LINE_NOTHING; /* of a connection that we have given up */
	if (management_parse(e->u.line, message) != VERDICT_DONE)
		return LINE_NOTHING;
	s->spoke = true;
	s->heartbeat_sent = false;
	if (message->kind == MANAGEMENT_PROMPT) {
		*news = prompt(s, e, t, out);
		return LINE_NOTHING;
	}
	if (s->state == SESSION_PASSWORD && message->kind == MANAGEMENT_SUCCESS)
		return LINE_NOTHING; /* "password is correct": the banner follows */
	bool notification = message->kind != MANAGEMENT_TEXT &&
			    message->kind != MANAGEMENT_SUCCESS &&
			    message->kind != MANAGEMENT_ERROR && message->kind != MANAGEMENT_END;
	/* The banner proper is ">INFO:"; a daemon in trouble may say ">FATAL:" or ">HOLD:" first.
	 */
	if (s->state != SESSION_UP && notification) {
		s->state = SESSION_UP;
		s->problem = SESSION_FINE;
		s->reason[0] = '\0';
		s->failures = 0;
		s->backoff = SESSION_BACKOFF_MIN;
		*news = SESSION_NEWS_UP;
	}
	if (s->state == SESSION_UP) {
		s->deadline = e->at.mono + SESSION_HEARTBEAT;
		if (!s->subscribed)
			subscribe(s, t, out);
	}
	return notification ? LINE_NOTIFICATION : reply(s, message);
}

enum session_news session_time(struct session *s, const struct stamp *now, bool patient,
			       struct tunnel *t, struct actions *out)
{
	if (now->mono < s->deadline)
		return SESSION_NO_NEWS;
	switch (s->state) {
	case SESSION_WAITING:
		s->state = SESSION_CONNECTING;
		s->deadline = NSEC_NEVER; /* the shell says when it has failed */
		add_action(s, out, ACTION_CONNECT, t, COMMAND_PID);
		return SESSION_NO_NEWS;
	case SESSION_CONNECTING:
		return SESSION_NO_NEWS;
	case SESSION_BANNER:
	case SESSION_PASSWORD:
		add_action(s, out, ACTION_CLOSE, t, COMMAND_PID);
		return give_up(s, now, SESSION_BUSY,
			       "connected, but it says nothing: another program (a GUI?) holds it, "
			       "and OpenVPN serves one management client at a time; close that "
			       "program, or give ovpnwatch a daemon of its own");
	case SESSION_UP:
		if (!s->heartbeat_sent && s->n_ahead < SESSION_COMMANDS_AHEAD) {
			s->heartbeat_sent = true;
			send_command(s, COMMAND_LOAD_STATS, t, out);
			s->deadline = now->mono + SESSION_HEARTBEAT;
			return SESSION_NO_NEWS;
		}
		if (patient) {
			s->deadline = now->mono + SESSION_HEARTBEAT;
			return SESSION_NO_NEWS;
		}
		add_action(s, out, ACTION_CLOSE, t, COMMAND_PID);
		return give_up(s, now, SESSION_UNREACHABLE,
			       "connected, but OpenVPN has not answered for 20 s: is the process "
			       "stopped, or stuck in a script?");
	}
	return SESSION_NO_NEWS;
}

nsec session_deadline(const struct session *s)
{
	return s->deadline;
}
