/* SPDX-License-Identifier: MIT */
#include "core/local_clock.h"
#include "core/local_clock_parts.h"

#include <assert.h>

#define HURRY_INTERVAL (2 * NSEC_PER_SEC)
#define RESET_INTERVAL (16 * NSEC_PER_SEC) /* to ask NTP servers again when the clock was set */
#define IN_FLIGHT_MAX  (2 * NSEC_PER_SEC)  /* by then something has come of a question */

static struct local_sample unheard(nsec next, nsec interval)
{
	return (struct local_sample){.state = LOCAL_CLOCK_UNKNOWN,
				     .offset = NSEC_UNKNOWN,
				     .max_error = NSEC_UNKNOWN,
				     .stratum = -1,
				     .age_at_heard = NSEC_UNKNOWN,
				     .stale_after = STALE_LEAST,
				     .next = next,
				     .asked = NSEC_UNKNOWN,
				     .interval = interval};
}

void local_clock_init(struct local_clock *c, const char *const *names, unsigned n_servers,
		      const struct stamp *now)
{
	assert(n_servers <= NTP_SERVERS_MAX && (n_servers == 0 || names != NULL));
	*c = (struct local_clock){
	    .n_servers = n_servers, .names = names, .began = now->boot, .set_at = NSEC_UNKNOWN};
	c->chrony = c->ntp_control = c->timesync = unheard(now->mono, REMOTE_INTERVAL);
	c->kernel = unheard(now->mono, LOCAL_INTERVAL);
	for (unsigned i = 0; i < NTP_SERVERS_MAX; i++) {
		c->sntp[i] = unheard(i < n_servers ? now->mono : NSEC_NEVER, REMOTE_INTERVAL);
		c->burst[i] = BURST_POLLS;
	}
}

/* Brings the next question forward, but not to less than `gap` after the last. */
static void hasten(struct local_sample *s, nsec mono, nsec gap)
{
	nsec soonest = s->asked == NSEC_UNKNOWN ? mono : nsec_max(mono, nsec_add(s->asked, gap));
	s->next = nsec_min(s->next, soonest);
}

/* What is under way was asked before; it comes back, and only then is it asked again, so that the
 * two are not taken for each other. */
static void daemon_clock_was_set(struct local_sample *s, nsec mono)
{
	s->heard = false;
	s->tainted = s->waiting;
	s->await_old = true;
	hasten(s, mono, s->tainted ? IN_FLIGHT_MAX : 0);
}

void local_clock_was_set(struct local_clock *c, const struct stamp *now)
{
	c->set_at = now->boot;
	daemon_clock_was_set(&c->chrony, now->mono);
	daemon_clock_was_set(&c->ntp_control, now->mono);
	daemon_clock_was_set(&c->timesync, now->mono);
	c->kernel.heard = false;
	hasten(&c->kernel, now->mono, 0);
	for (unsigned i = 0; i < c->n_servers; i++) {
		struct local_sample *s = &c->sntp[i];
		s->heard = false;
		if (!s->gone_for_good && s->interval == REMOTE_INTERVAL)
			hasten(s, now->mono, RESET_INTERVAL);
	}
}

void local_clock_hurry(struct local_clock *c, const struct stamp *now)
{
	hasten(&c->chrony, now->mono, HURRY_INTERVAL);
	hasten(&c->ntp_control, now->mono, HURRY_INTERVAL);
	hasten(&c->timesync, now->mono, HURRY_INTERVAL);
	hasten(&c->kernel, now->mono, HURRY_INTERVAL);
}

/* Adds the question if it is due. With no room it stays due, and the deadline says so. */
static bool ask(struct local_sample *s, const struct stamp *now, struct actions *out,
		enum action_kind kind, unsigned id)
{
	if (s->next > now->mono || out->n_actions >= ACTIONS_MAX)
		return false;
	out->actions[out->n_actions++] = (struct action){.kind = kind, .id = id};
	s->asked = now->mono;
	s->next = nsec_add(now->mono, s->interval);
	s->waiting = true;
	s->tainted = false;
	return true;
}

void local_clock_ask(struct local_clock *c, const struct stamp *now, struct actions *out)
{
	(void)ask(&c->chrony, now, out, ACTION_ASK_CHRONY, 0);
	(void)ask(&c->ntp_control, now, out, ACTION_ASK_NTP_CONTROL, 0);
	(void)ask(&c->timesync, now, out, ACTION_ASK_TIMESYNC, 0);
	(void)ask(&c->kernel, now, out, ACTION_ASK_KERNEL, 0);
	for (unsigned i = 0; i < c->n_servers; i++)
		if (ask(&c->sntp[i], now, out, ACTION_ASK_SNTP, i) && c->burst[i] > 0 &&
		    --c->burst[i] > 0)
			c->sntp[i].next = nsec_add(now->mono, BURST_INTERVAL);
}

nsec local_clock_deadline(const struct local_clock *c)
{
	nsec next = nsec_min(nsec_min(c->chrony.next, c->kernel.next),
			     nsec_min(c->ntp_control.next, c->timesync.next));
	for (unsigned i = 0; i < c->n_servers; i++)
		next = nsec_min(next, c->sntp[i].next);
	return next;
}
