/* SPDX-License-Identifier: MIT */
#include "core/drift_estimator.h"

#include <math.h>
#include <string.h>

/* Halvings of a band of at most DRIFT_READ_WIDTH_PPM: to less than 1e-6 ppm. */
#define MEDIAN_STEPS 30

void drift_estimator_init(struct drift_estimator *d, double wander_ppm)
{
	*d = (struct drift_estimator){.wander_ppm = wander_ppm};
	drift_estimator_restart(d);
}

void drift_estimator_restart(struct drift_estimator *d)
{
	d->n = 0;
	d->spacing = DRIFT_SPACING;
	d->least = -(double)INFINITY;
	d->most = (double)INFINITY;
}

static double slope_ppm(nsec from, nsec to, nsec apart)
{
	return (double)nsec_sub(to, from) / (double)apart * 1e6;
}

/* What one pair leaves of the rates. */
static void constrain(const struct drift_sample *a, const struct drift_sample *b, double *least,
		      double *most)
{
	nsec apart = nsec_sub(b->at, a->at);
	*least = fmax(*least, slope_ppm(a->hi, b->lo, apart));
	*most = fmin(*most, slope_ppm(a->lo, b->hi, apart));
}

/* The oldest sample goes, and with it what it said. */
static void drop_oldest(struct drift_estimator *d)
{
	d->n--;
	memmove(d->samples, d->samples + 1, d->n * sizeof *d->samples);
	d->least = -(double)INFINITY;
	d->most = (double)INFINITY;
	for (unsigned j = 1; j < d->n; j++)
		for (unsigned i = 0; i < j; i++)
			constrain(&d->samples[i], &d->samples[j], &d->least, &d->most);
}

/* Every second sample goes; what they said of the rates stays true. */
static void thin(struct drift_estimator *d)
{
	for (unsigned i = 0; 2 * i < d->n; i++)
		d->samples[i] = d->samples[2 * i];
	d->n = (d->n + 1) / 2;
	d->spacing *= 2;
}

static nsec width(const struct drift_sample *s)
{
	return nsec_sub(s->hi, s->lo);
}

static void store(struct drift_estimator *d, const struct drift_sample *s)
{
	if (d->n > 0 && nsec_sub(s->at, d->slot) < d->spacing) {
		if (width(s) < width(&d->samples[d->n - 1]))
			d->samples[d->n - 1] = *s;
		return;
	}
	if (d->n == DRIFT_SAMPLES) {
		if (d->spacing < DRIFT_SPACING_MAX)
			thin(d);
		else
			drop_oldest(d);
	}
	d->samples[d->n++] = *s;
	d->slot = s->at;
}

enum drift_change drift_estimator_add(struct drift_estimator *d, nsec at, nsec lo, nsec hi)
{
	const struct drift_sample s = {at, lo, hi};
	if (lo > hi || (d->n > 0 && at <= d->samples[d->n - 1].at))
		return DRIFT_KEPT;
	double least = d->least, most = d->most;
	for (unsigned i = 0; i < d->n; i++)
		constrain(&d->samples[i], &s, &least, &most);
	if (least - most > d->wander_ppm)
		return DRIFT_CONTRADICTED;
	bool learned = d->n == 0 || least > d->least || most < d->most;
	d->least = least;
	d->most = most;
	store(d, &s);
	return learned ? DRIFT_LEARNED : DRIFT_KEPT;
}

bool drift_estimator_band(const struct drift_estimator *d, double *lo_ppm, double *hi_ppm)
{
	if (isinf(d->least) || isinf(d->most))
		return false;
	*lo_ppm = d->least - d->wander_ppm;
	*hi_ppm = d->most + d->wander_ppm;
	return true;
}

static nsec middle(const struct drift_sample *s)
{
	return nsec_add(s->lo, width(s) / 2);
}

/* Is the median of the slopes below `ppm`? */
static bool median_below(const struct drift_estimator *d, double ppm)
{
	unsigned below = 0, pairs = d->n * (d->n - 1) / 2;
	for (unsigned j = 1; j < d->n; j++)
		for (unsigned i = 0; i < j; i++)
			below += slope_ppm(middle(&d->samples[i]), middle(&d->samples[j]),
					   nsec_sub(d->samples[j].at, d->samples[i].at)) < ppm;
	return 2 * below > pairs;
}

/* The median is sought by halving the band: that takes no memory, and it cannot leave the band. */
bool drift_estimator_read(const struct drift_estimator *d, double *ppm, double *max_error_ppm)
{
	double lo, hi;
	if (!drift_estimator_band(d, &lo, &hi) || hi - lo > DRIFT_READ_WIDTH_PPM ||
	    nsec_sub(d->samples[d->n - 1].at, d->samples[0].at) < DRIFT_READ_SPAN)
		return false;
	double below = lo, above = hi;
	for (int i = 0; i < MEDIAN_STEPS; i++) {
		double half = below + (above - below) / 2;
		if (median_below(d, half))
			above = half;
		else
			below = half;
	}
	*ppm = below + (above - below) / 2;
	*max_error_ppm = fmax(hi - *ppm, *ppm - lo);
	return true;
}
