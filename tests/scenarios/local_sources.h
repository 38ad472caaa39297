/* SPDX-License-Identifier: MIT
 *
 * The sources of time of a scenario's machine, each with its own idea of the true time:
 *
 *   chrony off | unsync | offset S     chronyd knows the true time but for an error of S
 *   ntpd off | unsync | offset S       ntpd, over mode 6, does
 *   timesyncd off | offset S           systemd-timesyncd asks a server that does, now and this once
 *   ntp I off | offset S | bound S     the I-th --ntp server (from 1) does; its bound is 5 ms
 *   kernel sync | unsync | refused
 */
#ifndef OVPNWATCH_TESTS_SCENARIOS_LOCAL_SOURCES_H
#define OVPNWATCH_TESTS_SCENARIOS_LOCAL_SOURCES_H

#include "core/action.h"
#include "core/event.h"

struct daemon {
	bool there, synced;
	double error_s;
};

struct local_sources {
	struct daemon chrony, ntpd, ntp[NTP_SERVERS_MAX];
	double ntp_bound_s[NTP_SERVERS_MAX];
	bool timesyncd, kernel_sync, kernel_permitted;
	struct timesync_message exchange;
	unsigned n_ntp; /* of --ntp: the last one that was spoken of */
	const char *ntp_names[NTP_SERVERS_MAX];
};

/* Nobody is there but the kernel, which says that it is kept. */
void local_sources_init(struct local_sources *s);

/* A line of a scenario, `true_time` being what the wall clock should show. False: not one of the
 * commands above. */
bool local_sources_command(struct local_sources *s, const char *verb, const char *rest,
			   const struct stamp *now, nsec true_time);

/* How long after the question its answer comes. */
nsec local_sources_delay(enum action_kind question);

/* The event that comes of a question, but for its stamp. False: no question about the clock. */
bool local_sources_answer(const struct local_sources *s, enum action_kind question, unsigned id,
			  const struct stamp *now, nsec true_time, struct event *out);

#endif
