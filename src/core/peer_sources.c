/* SPDX-License-Identifier: MIT */
#include "core/peer_sources.h"

#include "proto/auth_token.h"
#include "proto/echo_time.h"

/* OpenVPN queues what it says and writes it in the next turn of its loop. */
#define WRITTEN_WITHIN (20 * NSEC_PER_MSEC)

/* A token comes at the end of a key exchange, which --hand-window ends: 60 s unless configured. */
#define KEY_EXCHANGE_MAX (120 * NSEC_PER_SEC)

#define NTP_BURST	   4
#define NTP_BURST_INTERVAL (2 * NSEC_PER_SEC)
#define NTP_INTERVAL	   (64 * NSEC_PER_SEC)
#define NTP_INTERVAL_MAX   (1024 * NSEC_PER_SEC)

/* The same instant, so much earlier (negative: later), on all clocks. */
static struct stamp earlier(const struct stamp *s, nsec by)
{
	struct stamp e = *s;
	e.mono = nsec_sub(s->mono, by);
	e.wall = nsec_sub(s->wall, by);
	e.boot = nsec_sub(s->boot, by);
	e.ruler = nsec_sub(s->ruler, by);
	return e;
}

/* The client goes through these before the server knows who it is, and the server takes no time for
 * a script or a token before it does. */
static bool before_the_server_speaks(enum openvpn_state state)
{
	return state == STATE_CONNECTING || state == STATE_RESOLVE || state == STATE_TCP_CONNECT ||
	       state == STATE_WAIT || state == STATE_AUTH || state == STATE_RECONNECTING;
}

void handshake_state(struct handshake *h, enum openvpn_state state, const struct stamp *since)
{
	if (!before_the_server_speaks(state))
		return;
	h->n_told = 0;
	h->known = since->mono != NSEC_UNKNOWN;
	h->began = h->known ? earlier(since, WRITTEN_WITHIN) : *since;
	/* AUTH is its first packet, and when the client waits, a server by TCP has accepted it. */
	if (state == STATE_AUTH || (state == STATE_WAIT && h->by_tcp))
		return;
	h->by_tcp = state == STATE_TCP_CONNECT;
	h->asked_known = h->known;
	h->asked = h->began;
}

void handshake_hold(struct handshake *h, const struct peer_told *told)
{
	if (h->n_told < HANDSHAKE_TOLD_MAX)
		h->told[h->n_told++] = *told;
}

bool handshake_release(struct handshake *h, struct peer_told *out)
{
	if (h->n_told == 0)
		return false;
	*out = h->told[--h->n_told];
	return true;
}

bool peer_told_by_echo(const struct handshake *h, struct slice text, const struct stamp *at,
		       struct peer_told *out)
{
	nsec lo, hi;
	if (!h->known || echo_server_time(text, &lo, &hi) != VERDICT_DONE)
		return false;
	*out = (struct peer_told){.source = PEER_SOURCE_ECHO,
				  .face = PEER_SYSTEM,
				  .earliest = h->began,
				  .latest = *at,
				  .clock_lo = lo,
				  .clock_hi = hi};
	return true;
}

/* A whole second of OpenVPN's clock. */
static bool told_seconds(enum peer_clock_source source, int64_t seconds,
			 const struct stamp *earliest, const struct stamp *latest,
			 struct peer_told *out)
{
	if (seconds <= 0 || seconds > INT64_MAX / NSEC_PER_SEC - 1)
		return false;
	*out = (struct peer_told){.source = source,
				  .face = PEER_OPENVPN,
				  .earliest = *earliest,
				  .latest = *latest,
				  .clock_lo = seconds * NSEC_PER_SEC,
				  .clock_hi = (seconds + 1) * NSEC_PER_SEC};
	return true;
}

bool peer_told_by_token(const struct handshake *h, struct slice token, bool connected,
			const struct stamp *since, const struct stamp *at, struct peer_told *out)
{
	struct auth_token_times times;
	bool known = connected ? since->mono != NSEC_UNKNOWN : h->known;
	if (!known || auth_token_times(token, &times) != VERDICT_DONE)
		return false;
	struct stamp earliest = connected ? earlier(since, KEY_EXCHANGE_MAX) : h->began;
	return told_seconds(PEER_SOURCE_AUTH_TOKEN, times.renewed, &earliest, at, out);
}

bool peer_told_by_replay(const struct handshake *h, int64_t time, const struct stamp *at,
			 nsec grain, struct peer_told *out)
{
	struct stamp latest = earlier(at, -grain);
	return h->asked_known &&
	       told_seconds(PEER_SOURCE_REPLAY_LOG, time, &h->asked, &latest, out);
}

void peer_ntp_init(struct peer_ntp *p, bool enabled, const struct stamp *now)
{
	*p = (struct peer_ntp){.enabled = enabled,
			       .burst = NTP_BURST,
			       .interval = NTP_INTERVAL,
			       .next = enabled ? now->mono : NSEC_NEVER};
}

void peer_ntp_time(struct peer_ntp *p, const struct stamp *now, struct tunnel *t,
		   struct actions *out)
{
	if (p->next > now->mono || out->n_actions >= ACTIONS_MAX)
		return;
	out->actions[out->n_actions++] = (struct action){.kind = ACTION_ASK_PEER_SNTP, .tunnel = t};
	bool quick = p->burst > 0 && --p->burst > 0;
	p->next = nsec_add(now->mono, quick ? NTP_BURST_INTERVAL : p->interval);
}

static bool kissed(struct peer_ntp *p, enum ntp_flaw flaw, nsec mono)
{
	if (flaw == NTP_KISS_RATE) {
		p->burst = 0;
		p->interval = nsec_min(2 * p->interval, NTP_INTERVAL_MAX);
		p->next = nsec_max(p->next, nsec_add(mono, p->interval));
	} else if (flaw == NTP_KISS_DENY || flaw == NTP_KISS_RSTR) {
		p->next = NSEC_NEVER;
	} else {
		return false;
	}
	return true;
}

bool peer_ntp_event(struct peer_ntp *p, const struct event *e, struct peer_told *out)
{
	p->reason = e->u.peer_sntp.reason;
	if (!e->u.peer_sntp.answered || kissed(p, e->u.peer_sntp.flaw, e->at.mono))
		return false;
	*out = (struct peer_told){.source = PEER_SOURCE_SNTP,
				  .face = PEER_SYSTEM,
				  .earliest = e->u.peer_sntp.sent,
				  .latest = e->at,
				  .clock_lo = e->u.peer_sntp.receive,
				  .clock_hi = e->u.peer_sntp.transmit,
				  .exchange = true};
	return true;
}
