/* SPDX-License-Identifier: MIT */
#include "scenarios/local_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UPDATED	   (20 * NSEC_PER_SEC) /* before it is asked */
#define DELAY_S	   0.002
#define DISTANCE_S 0.001

static const char *const names[NTP_SERVERS_MAX] = {"ntp1.example", "ntp2.example", "ntp3.example",
						   "ntp4.example", "ntp5.example", "ntp6.example",
						   "ntp7.example", "ntp8.example"};

void local_sources_init(struct local_sources *s)
{
	*s = (struct local_sources){.kernel_sync = true, .kernel_permitted = true};
	for (unsigned i = 0; i < NTP_SERVERS_MAX; i++) {
		s->ntp_names[i] = names[i];
		s->ntp_bound_s[i] = 0.005;
	}
}

/* --- what the scenario says ------------------------------------------------------------------ */

static bool set_daemon(struct daemon *d, const char *what, double value)
{
	d->there = strcmp(what, "off") != 0;
	d->synced = strcmp(what, "offset") == 0;
	d->error_s = value;
	return !d->there || d->synced || strcmp(what, "unsync") == 0;
}

static bool set_server(struct local_sources *s, const char *rest)
{
	unsigned i;
	char what[16];
	double value = 0;
	if (sscanf(rest, "%u %15s %lf", &i, what, &value) < 2 || i < 1 || i > NTP_SERVERS_MAX)
		return false;
	if (i > s->n_ntp)
		s->n_ntp = i;
	if (strcmp(what, "bound") != 0)
		return set_daemon(&s->ntp[i - 1], what, value);
	s->ntp_bound_s[i - 1] = value;
	return true;
}

static uint64_t usec(nsec t)
{
	return (uint64_t)(t / NSEC_PER_USEC);
}

/* It asks now: the message is of this moment, however often it is read. */
static bool set_timesyncd(struct local_sources *s, const char *what, double value,
			  const struct stamp *now, nsec true_time)
{
	struct timesync_message *m = &s->exchange;
	nsec server = true_time + nsec_from_s(value);
	s->timesyncd = strcmp(what, "off") != 0;
	if (!s->timesyncd)
		return true;
	*m = (struct timesync_message){.version = 4,
				       .mode = 4,
				       .stratum = 2,
				       .precision = -24,
				       .root_delay_usec = 1000,
				       .root_dispersion_usec = 1000,
				       .origin_usec = usec(now->wall - NSEC_PER_MSEC),
				       .receive_usec = usec(server - NSEC_PER_MSEC / 2),
				       .transmit_usec = usec(server - NSEC_PER_MSEC / 2),
				       .destination_usec = usec(now->wall),
				       .packet_count = m->packet_count + 1};
	return strcmp(what, "offset") == 0;
}

bool local_sources_command(struct local_sources *s, const char *verb, const char *rest,
			   const struct stamp *now, nsec true_time)
{
	char what[16] = "";
	double value = 0;
	sscanf(rest, "%15s %lf", what, &value);
	if (strcmp(verb, "chrony") == 0)
		return set_daemon(&s->chrony, what, value);
	if (strcmp(verb, "ntpd") == 0)
		return set_daemon(&s->ntpd, what, value);
	if (strcmp(verb, "ntp") == 0)
		return set_server(s, rest);
	if (strcmp(verb, "timesyncd") == 0)
		return set_timesyncd(s, what, value, now, true_time);
	if (strcmp(verb, "kernel") != 0)
		return false;
	s->kernel_permitted = strcmp(what, "refused") != 0;
	s->kernel_sync = strcmp(what, "sync") == 0;
	return true;
}

/* --- what they answer ------------------------------------------------------------------------ */

nsec local_sources_delay(enum action_kind question)
{
	return question == ACTION_ASK_KERNEL ? 0 : NSEC_PER_MSEC;
}

static void answer_chrony(const struct daemon *d, const struct stamp *now, double off,
			  struct event *e)
{
	struct chrony_tracking *t = &e->u.chrony.tracking;
	e->kind = EVENT_CHRONY;
	e->u.chrony.answered = d->there;
	*t = (struct chrony_tracking){.leap = 3, .root_delay_s = 1, .root_dispersion_s = 1};
	if (d->synced)
		*t = (struct chrony_tracking){.ref_id = 0x0a000001,
					      .family = 1,
					      .stratum = 3,
					      .correction_s = off + d->error_s,
					      .root_delay_s = DELAY_S,
					      .root_dispersion_s = DISTANCE_S,
					      .update_interval_s = 64,
					      .ref_time = now->wall - UPDATED};
}

static void answer_ntpd(const struct daemon *d, const struct stamp *now, double off,
			struct event *e)
{
	struct ntp_control_system *v = &e->u.ntp_control.system;
	e->kind = EVENT_NTP_CONTROL;
	e->u.ntp_control.answered = d->there;
	*v = (struct ntp_control_system){
	    .status_leap = 3, .leap = 3, .stratum = 16, .refid = "STEP", .tc = -1};
	if (d->synced)
		*v = (struct ntp_control_system){.stratum = 3,
						 .offset_s = off + d->error_s,
						 .jitter_s = 0.0001,
						 .root_delay_s = DELAY_S,
						 .root_dispersion_s = DISTANCE_S,
						 .refid = "10.0.0.1",
						 .reftime = ntp_from_nsec(now->wall - UPDATED),
						 .tc = 6};
}

static void answer_server(const struct local_sources *s, unsigned i, double off, struct event *e)
{
	e->kind = EVENT_SNTP;
	e->u.sntp.server = i;
	e->u.sntp.answered = s->ntp[i].there;
	e->u.sntp.flaw = s->ntp[i].synced ? NTP_FINE : NTP_UNSYNCHRONIZED;
	e->u.sntp.stratum = 2;
	e->u.sntp.measurement.offset = nsec_from_s(off + s->ntp[i].error_s);
	e->u.sntp.measurement.root_distance = nsec_from_s(s->ntp_bound_s[i]);
}

bool local_sources_answer(const struct local_sources *s, enum action_kind question, unsigned id,
			  const struct stamp *now, nsec true_time, struct event *out)
{
	double off = nsec_to_s(true_time - now->wall);
	if (question == ACTION_ASK_CHRONY) {
		answer_chrony(&s->chrony, now, off, out);
	} else if (question == ACTION_ASK_NTP_CONTROL) {
		answer_ntpd(&s->ntpd, now, off, out);
	} else if (question == ACTION_ASK_TIMESYNC) {
		out->kind = EVENT_TIMESYNC;
		out->u.timesync.answered = s->timesyncd;
		out->u.timesync.message = s->exchange;
	} else if (question == ACTION_ASK_SNTP) {
		answer_server(s, id, off, out);
	} else if (question == ACTION_ASK_KERNEL) {
		out->kind = EVENT_KERNEL;
		out->u.kernel.permitted = s->kernel_permitted;
		out->u.kernel.synchronized = s->kernel_sync;
		out->u.kernel.max_error_s = s->kernel_sync ? 0.02 : 16;
	} else {
		return false;
	}
	return true;
}
