/* SPDX-License-Identifier: MIT
 *
 * This machine's clock against UTC: what each source said, which one to believe, and when to ask
 * again. Sources in order: chronyd, ntpd (mode 6), systemd-timesyncd, SNTP to the servers that the
 * user named, the kernel (which knows a state and a bound, never an offset). An offset of 0 from a
 * source that is not synchronised is the classic false "fine": it is unknown here.
 *
 * All are asked at the start at once, those that answer again and again, the others less often, and
 * one that comes back is believed again. local_clock.c says when to ask, local_clock_judge.c what
 * an answer is worth, local_clock_read.c which one counts, local_clock_describe.c says it all.
 */
#ifndef OVPNWATCH_CORE_LOCAL_CLOCK_H
#define OVPNWATCH_CORE_LOCAL_CLOCK_H

#include "core/action.h"
#include "core/event.h"
#include "core/notice.h"

/* Private to local_clock*.c. */
struct local_sample {
	bool heard; /* this source has answered since the clock was last set */
	enum local_clock_state state;
	nsec offset, max_error; /* NSEC_UNKNOWN if not known */
	int stratum;
	nsec at;	      /* boot: when it was heard */
	nsec wall_less_ruler; /* then; what changes it is a slew, and the crystal */
	nsec spread;	      /* of the stamp */
	nsec age_at_heard;    /* how old the source's own last update was then; NSEC_UNKNOWN */
	nsec stale_after;     /* older than this it is no evidence */
	bool spike;	      /* timesyncd: it did not correct the clock by this one */
	nsec next;	      /* mono: when to ask again */
	nsec asked;	      /* mono: when it was asked last; NSEC_UNKNOWN: never */
	nsec interval;	      /* between questions; KoD RATE doubles it */
	unsigned misses;      /* questions without a usable answer since the last one */
	bool gone_for_good;   /* KoD DENY or RSTR */
	const char *reason;   /* why the last question had no usable answer; NULL: it had one */
	bool waiting;	      /* asked, and nothing has come of it yet */
	bool tainted;	      /* meanwhile the clock was set */
	/* What tells one update of the source from the next (the reference time, a count), of the
	 * first answer after the clock was set: until there is another it is one from before. */
	bool await_old, has_old;
	uint64_t old;
};

struct local_clock {
	unsigned n_servers;
	const char *const *names; /* of the servers; borrowed */
	struct local_sample chrony, ntp_control, timesync, kernel, sntp[NTP_SERVERS_MAX];
	unsigned burst[NTP_SERVERS_MAX]; /* quick polls left of the first burst */
	nsec began;			 /* boot */
	nsec set_at;			 /* boot: when the clock was last set; NSEC_UNKNOWN */
};

/* `names` are the n_servers (up to NTP_SERVERS_MAX) values of --ntp, as the user wrote them; they
 * are borrowed for as long as *c or a reading of it is used. */
void local_clock_init(struct local_clock *c, const char *const *names, unsigned n_servers,
		      const struct stamp *now);

/* Takes EVENT_CHRONY, EVENT_NTP_CONTROL, EVENT_TIMESYNC, EVENT_SNTP, EVENT_KERNEL; other events are
 * none of its business and change nothing. An answer to a question that was asked before the clock
 * was set is discarded, and the question asked again. */
void local_clock_event(struct local_clock *c, const struct event *e);

/* The clock was set, by somebody or by the kernel after a suspend: what was measured before does
 * not hold; ask again at once (an NTP server not sooner than 16 s after the last question). Daemons
 * do not notice everything that sets the clock under them and go on telling their old offset: until
 * they have updated again, that is STALE and the offset unknown. */
void local_clock_was_set(struct local_clock *c, const struct stamp *now);

/* Ask the local sources now (a restart is being judged); remote servers keep their 64 s. */
void local_clock_hurry(struct local_clock *c, const struct stamp *now);

/* Adds the ACTION_ASK_… that are due. The deadline (mono) is when to call it again. */
void local_clock_ask(struct local_clock *c, const struct stamp *now, struct actions *out);
nsec local_clock_deadline(const struct local_clock *c);

/* The best reading there is, present always; its state is LOCAL_CLOCK_UNKNOWN if nothing is known.
 * `max_error_s` bounds |UTC - this clock - offset|; of the kernel, which knows no offset, it bounds
 * |UTC - this clock| as the kernel believes. An offset may come with any state: one measured over
 * SNTP on a machine whose kernel says that nothing keeps its clock is UNSYNCHRONIZED. Over SNTP the
 * bound holds if the majority of the servers tells the truth (core/ntp_select). `slew_ppm` is not
 * known here. Names of falsetickers are those of local_clock_init(). */
void local_clock_read(const struct local_clock *c, const struct stamp *now,
		      struct local_clock_reading *out);

/* Whether a reading is within the limit: CLOCK_FINE where a time service keeps the clock, all that
 * its bound allows is, and so is what a source that contradicts it says; CLOCK_AHEAD or
 * CLOCK_BEHIND (this clock, of UTC) where nothing that the bound allows is. */
enum clock_verdict local_clock_verdict(const struct local_clock_reading *r, double limit_s);

/* One source, for a person. */
struct local_clock_line {
	enum local_clock_source source;
	const char *server; /* LOCAL_SOURCE_SNTP: as the user wrote it; else NULL */
	bool silent;	    /* nothing usable was heard of it */
	char text[NOTICE_TEXT_MAX];
};

#define LOCAL_CLOCK_LINES_MAX (4 + NTP_SERVERS_MAX)

/* Every source that was asked, in the order in which they are believed: what it said, or why it did
 * not ("synchronised, UTC is 0.012 s ahead of this clock (+/- 3 ms), stratum 3, 12 s ago"). Returns
 * how many. */
unsigned local_clock_describe(const struct local_clock *c, const struct stamp *now,
			      struct local_clock_line out[LOCAL_CLOCK_LINES_MAX]);

#endif
