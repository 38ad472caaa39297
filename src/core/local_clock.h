/* SPDX-License-Identifier: MIT
 *
 * This machine's clock against UTC: what each source said, which one to believe, and when to ask
 * again. Sources in order: chronyd, SNTP to the servers that the user named, the kernel (which
 * knows a state and a bound, never an offset). An offset of 0 from a source that is not
 * synchronised is the classic false "fine": it is unknown here.
 */
#ifndef OVPNWATCH_CORE_LOCAL_CLOCK_H
#define OVPNWATCH_CORE_LOCAL_CLOCK_H

#include "core/action.h"
#include "core/event.h"
#include "core/notice.h"

/* Private to local_clock.c. */
struct local_sample {
	bool heard; /* this source has answered since the clock was last set */
	enum local_clock_state state;
	nsec offset, max_error; /* NSEC_UNKNOWN if not known */
	int stratum;
	nsec at;	    /* boot: when it was heard */
	nsec age_at_heard;  /* how old the source's own last update was then; NSEC_UNKNOWN */
	nsec stale_after;   /* older than this it is no evidence */
	nsec next;	    /* mono: when to ask again */
	nsec asked;	    /* mono: when it was asked last; NSEC_UNKNOWN: never */
	nsec interval;	    /* between questions; KoD RATE doubles it */
	unsigned misses;    /* questions without a usable answer since the last one */
	bool gone_for_good; /* KoD DENY or RSTR */
};

struct local_clock {
	unsigned n_servers;
	struct local_sample chrony, kernel, sntp[NTP_SERVERS_MAX];
	unsigned burst[NTP_SERVERS_MAX]; /* quick polls left of the first burst */
	nsec set_at;			 /* boot: when the clock was last set; NSEC_UNKNOWN */
};

/* n_servers (up to NTP_SERVERS_MAX) is how many --ntp were given. */
void local_clock_init(struct local_clock *c, unsigned n_servers, const struct stamp *now);

/* Takes EVENT_CHRONY, EVENT_SNTP, EVENT_KERNEL. */
void local_clock_event(struct local_clock *c, const struct event *e);

/* The clock was set: what was measured before does not hold; ask again at once (an NTP server not
 * sooner than 16 s after the last question). chronyd does not notice everything that sets the clock
 * under it and goes on telling its old offset: until it has updated again, that is STALE and the
 * offset unknown. */
void local_clock_was_set(struct local_clock *c, const struct stamp *now);

/* Ask the local sources now (a restart is being judged); remote servers keep their 64 s. */
void local_clock_hurry(struct local_clock *c, const struct stamp *now);

/* Adds the ACTION_ASK_… that are due. The deadline (mono) is when to call it again. */
void local_clock_ask(struct local_clock *c, const struct stamp *now, struct actions *out);
nsec local_clock_deadline(const struct local_clock *c);

/* The best reading there is, present always; its state is LOCAL_CLOCK_UNKNOWN if nothing is known.
 * `max_error_s` bounds |UTC - this clock - offset|; of the kernel, which knows no offset, it bounds
 * |UTC - this clock| as the kernel believes. An offset may come with any state: one measured over
 * SNTP on a machine whose kernel says that nothing keeps its clock is UNSYNCHRONIZED. */
void local_clock_read(const struct local_clock *c, const struct stamp *now,
		      struct local_clock_reading *out);

#endif
