/* SPDX-License-Identifier: MIT
 *
 * What the tests of local_clock share: one clock, its sources' answers as events, and the questions
 * that it asks.
 */
#ifndef OVPNWATCH_TESTS_LOCAL_CLOCK_WORLD_H
#define OVPNWATCH_TESTS_LOCAL_CLOCK_WORLD_H

#include "core/local_clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS   NSEC_PER_MSEC
#define SEC  NSEC_PER_SEC
#define WALL (1795493508 * SEC)
#define BOOT (5000 * SEC)

static const char *const server_names[NTP_SERVERS_MAX] = {"a.example", "b.example", "c.example",
							  "d.example", "e.example", "f.example",
							  "g.example", "h.example"};

static struct local_clock c;
static struct actions out;

static inline struct stamp at(nsec t)
{
	return (struct stamp){.mono = t, .wall = WALL + t, .boot = BOOT + t, .ruler = BOOT + t};
}

static inline void start(unsigned n_servers)
{
	struct stamp now = at(0);
	local_clock_init(&c, server_names, n_servers, &now);
}

/* A healthy chronyd, as of the fixture chrony_tracking_slow7 but for the round figures. */
static struct chrony_tracking tracking(nsec t)
{
	return (struct chrony_tracking){.ref_id = 0x7f000001,
					.family = 1,
					.stratum = 3,
					.ref_time = WALL + t + 7 * SEC - 10 * SEC,
					.correction_s = 7.0,
					.last_offset_s = -7.0,
					.root_delay_s = 0.04,
					.root_dispersion_s = 0.01,
					.update_interval_s = 64};
}

static inline void chrony(nsec t, const struct chrony_tracking *tracking_or_null)
{
	struct event e = {.kind = EVENT_CHRONY, .at = at(t)};
	if (tracking_or_null != NULL) {
		e.u.chrony.answered = true;
		e.u.chrony.tracking = *tracking_or_null;
	}
	local_clock_event(&c, &e);
}

static inline void ntp_control(nsec t, const struct ntp_control_system *system_or_null)
{
	struct event e = {.kind = EVENT_NTP_CONTROL, .at = at(t)};
	if (system_or_null != NULL) {
		e.u.ntp_control.answered = true;
		e.u.ntp_control.system = *system_or_null;
	}
	local_clock_event(&c, &e);
}

static inline void timesync(nsec t, const struct timesync_message *message_or_null)
{
	struct event e = {.kind = EVENT_TIMESYNC, .at = at(t)};
	if (message_or_null != NULL) {
		e.u.timesync.answered = true;
		e.u.timesync.message = *message_or_null;
	}
	local_clock_event(&c, &e);
}

static inline void sntp(nsec t, unsigned server, nsec offset, nsec distance)
{
	struct event e = {.kind = EVENT_SNTP, .at = at(t)};
	e.u.sntp.server = server;
	e.u.sntp.answered = true;
	e.u.sntp.stratum = 2;
	e.u.sntp.measurement.offset = offset;
	e.u.sntp.measurement.root_distance = distance;
	local_clock_event(&c, &e);
}

static inline void sntp_flaw(nsec t, unsigned server, enum ntp_flaw flaw)
{
	struct event e = {.kind = EVENT_SNTP, .at = at(t)};
	e.u.sntp.server = server;
	e.u.sntp.answered = true;
	e.u.sntp.flaw = flaw;
	e.u.sntp.measurement.offset = -3643548636 * SEC; /* must not be looked at */
	local_clock_event(&c, &e);
}

static inline void kernel(nsec t, bool permitted, bool synchronized, double max_error_s)
{
	struct event e = {.kind = EVENT_KERNEL, .at = at(t)};
	e.u.kernel.permitted = permitted;
	e.u.kernel.synchronized = synchronized;
	e.u.kernel.max_error_s = max_error_s;
	local_clock_event(&c, &e);
}

#define NTP_CONTROL 0x1000U
#define TIMESYNC    0x2000U
#define DAEMONS	    (NTP_CONTROL | TIMESYNC)

/* Which questions are asked now: bit 0 chronyd, 1 the kernel, 2 to 9 the servers, and the daemons
 * beside chronyd. */
static inline unsigned asked_at(nsec t)
{
	struct stamp now = at(t);
	unsigned mask = 0;
	out.n_actions = 0;
	local_clock_ask(&c, &now, &out);
	for (size_t i = 0; i < out.n_actions; i++) {
		const struct action *a = &out.actions[i];
		assert_null(a->tunnel);
		if (a->kind == ACTION_ASK_CHRONY)
			mask |= 1;
		else if (a->kind == ACTION_ASK_KERNEL)
			mask |= 2;
		else if (a->kind == ACTION_ASK_NTP_CONTROL)
			mask |= NTP_CONTROL;
		else if (a->kind == ACTION_ASK_TIMESYNC)
			mask |= TIMESYNC;
		else if (a->kind == ACTION_ASK_SNTP)
			mask |= 4U << a->id;
		else
			fail();
	}
	assert_true(local_clock_deadline(&c) > t);
	return mask;
}

static inline struct local_clock_reading read_at(nsec t)
{
	struct local_clock_reading r;
	struct stamp now = at(t);
	local_clock_read(&c, &now, &r);
	assert_true(r.present);
	return r;
}

static inline void assert_near(double got, double expected)
{
	assert_true(fabs(got - expected) < 1e-9);
}

static inline void assert_reading(nsec t, enum local_clock_source source,
				  enum local_clock_state state, double offset_s, double max_error_s)
{
	struct local_clock_reading r = read_at(t);
	assert_int_equal(r.source, source);
	assert_int_equal(r.state, state);
	assert_int_equal(isnan(r.offset_s), isnan(offset_s));
	if (!isnan(offset_s))
		assert_near(r.offset_s, offset_s);
	assert_int_equal(isnan(r.max_error_s), isnan(max_error_s));
	if (!isnan(max_error_s))
		assert_near(r.max_error_s, max_error_s);
}

#endif
