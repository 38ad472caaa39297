/* SPDX-License-Identifier: MIT */
#include "core/clock_rate.h"

#include <math.h>
#include <stddef.h>

/* A window ends where its two stamps leave the rate open by no more than this, and begins with a
 * stamp that lets it. */
#define GOOD_PPM    10.0
#define GOOD_SPREAD (20 * NSEC_PER_USEC)
/* The usual rate of a clock that was not watched before: any crystal's. */
#define CRYSTAL_PPM 100.0
/* What the corrections of a time service that is in step, and temperature, make of the rate. */
#define WANDER_PPM 1.0
/* The usual rate is that of the last quarter of an hour or more. */
#define CALM_MAX (1800 * NSEC_PER_SEC)

void clock_rate_init(struct clock_rate *r)
{
	*r = (struct clock_rate){.usual_ppm = (double)NAN, .usual_error = (double)NAN};
}

static nsec doubt(const struct stamp *a, const struct stamp *b)
{
	return nsec_add(nsec_max(a->spread, 0), nsec_max(b->spread, 0));
}

/* How far the wall clock moved against the ruler. */
static nsec gained(const struct stamp *from, const struct stamp *to)
{
	return nsec_sub(nsec_sub(to->wall, from->wall), nsec_sub(to->ruler, from->ruler));
}

/* Parts per million of `length`, which is positive. */
static double ppm(nsec t, nsec length)
{
	return (double)t / (double)length * 1e6;
}

static void begin_again(struct clock_rate *r, const struct stamp *at)
{
	r->from = r->before = r->calm = *at;
}

/* The usual rate, from the calm up to `at`. The longer it is watched the better it is known; a
 * short spell does not replace what is known better. */
static void learn_usual(struct clock_rate *r, const struct stamp *at)
{
	nsec length = nsec_sub(at->ruler, r->calm.ruler);
	if (length <= 0)
		return;
	double error = ppm(doubt(&r->calm, at), length);
	if (isnan(r->usual_error) || error <= r->usual_error || length >= CALM_MAX / 2) {
		r->usual_ppm = ppm(gained(&r->calm, at), length);
		r->usual_error = error;
	}
	if (length >= CALM_MAX)
		r->calm = *at;
}

/* The slew may have begun late in the window before, too late to show in it. */
static void slew_seen(struct clock_rate *r, const struct stamp *at, double rate)
{
	r->whole = r->slewing;
	if (!r->slewing) {
		r->slewing = true;
		r->began = r->before;
		r->stepped = 0;
	}
	r->slew_ppm = rate - (isnan(r->usual_ppm) ? 0 : r->usual_ppm);
	r->until = *at;
}

static void calm_seen(struct clock_rate *r, const struct stamp *at)
{
	if (r->slewing) {
		/* It ended within this window, or the one before. */
		r->slewing = false;
		r->until = r->calm = *at;
		return;
	}
	/* Without this window: a slew may begin in it. */
	learn_usual(r, &r->from);
}

static void begin_anew(struct clock_rate *r, const struct stamp *at,
		       const struct clock_change *change)
{
	if (r->slewing && change != NULL)
		r->stepped = nsec_add(r->stepped, change->step);
	begin_again(r, at);
	r->started = true;
}

void clock_rate_look(struct clock_rate *r, const struct stamp *at,
		     const struct clock_change *change)
{
	bool rough = r->from.spread > GOOD_SPREAD && at->spread < r->from.spread;
	if (!r->started || change != NULL || at->ruler < r->from.ruler || rough) {
		begin_anew(r, at, change);
		return;
	}
	nsec length = nsec_sub(at->ruler, r->from.ruler);
	if (length < RATE_WINDOW_MIN || ppm(doubt(&r->from, at), length) > GOOD_PPM)
		return;
	double rate = ppm(gained(&r->from, at), length);
	if (fabs(rate) > SLEW_MIN_PPM)
		slew_seen(r, at, rate);
	else
		calm_seen(r, at);
	r->before = r->from;
	r->from = *at;
}

double clock_rate_slew_ppm(const struct clock_rate *r)
{
	return r->slewing && r->whole ? r->slew_ppm : (double)NAN;
}

bool clock_rate_slewed(const struct clock_rate *r, nsec *slewed, nsec *max_error)
{
	nsec length = nsec_sub(r->until.ruler, r->began.ruler);
	if (length <= 0)
		return false;
	bool known = !isnan(r->usual_ppm);
	double usual = known ? r->usual_ppm : 0;
	double error = known ? r->usual_error + WANDER_PPM : CRYSTAL_PPM;
	nsec whole = nsec_sub(gained(&r->began, &r->until), r->stepped);
	*slewed = nsec_sub(whole, (nsec)((double)length * usual / 1e6));
	*max_error = nsec_add(doubt(&r->began, &r->until), (nsec)((double)length * error / 1e6));
	return true;
}
