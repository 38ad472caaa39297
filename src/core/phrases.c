/* SPDX-License-Identifier: MIT */
#include "core/phrases.h"

#include <math.h>
#include <stdio.h>

struct phrase phrase_duration(nsec d)
{
	struct phrase p;
	if (d == NSEC_UNKNOWN) {
		snprintf(p.text, sizeof p.text, "an unknown time");
		return p;
	}
	const char *sign = d < 0 ? "-" : "";
	nsec ms = (d < 0 ? -d : d) / NSEC_PER_MSEC;
	long long s = (long long)(ms / 1000);
	if (d >= 0 && ms < 1)
		snprintf(p.text, sizeof p.text, "under 1 ms");
	else if (d >= 0 && ms < 100)
		snprintf(p.text, sizeof p.text, "%lld ms", (long long)ms);
	else if (s < 60)
		snprintf(p.text, sizeof p.text, "%s%lld.%lld s", sign, s,
			 (long long)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(p.text, sizeof p.text, "%s%lld min %lld s", sign, s / 60, s % 60);
	else if (s < 86400)
		snprintf(p.text, sizeof p.text, "%s%lld h %lld min", sign, s / 3600, s % 3600 / 60);
	else
		snprintf(p.text, sizeof p.text, "%s%lld d %lld h", sign, s / 86400,
			 s % 86400 / 3600);
	return p;
}

struct phrase phrase_seconds(double s, double max_error_s)
{
	struct phrase p;
	int digits = 6;
	if (!isnan(max_error_s) && max_error_s > 0)
		digits = max_error_s >= 0.05 ? 1 : max_error_s >= 0.0005 ? 3 : 6;
	snprintf(p.text, sizeof p.text, "%.*f s", digits, s);
	return p;
}

struct phrase phrase_offset(double offset_s, double max_error_s)
{
	struct phrase p;
	struct phrase size = phrase_seconds(fabs(offset_s), max_error_s);
	snprintf(p.text, sizeof p.text, "%.32s %s", size.text,
		 offset_s < 0 ? "behind" : "ahead of");
	return p;
}

struct phrase phrase_bound(double max_error_s)
{
	struct phrase p;
	if (isnan(max_error_s))
		snprintf(p.text, sizeof p.text, "bound unknown");
	else if (max_error_s < 0.001)
		snprintf(p.text, sizeof p.text, "+/- %.0f us", ceil(max_error_s * 1e6));
	else if (max_error_s < 0.5)
		snprintf(p.text, sizeof p.text, "+/- %.0f ms", ceil(max_error_s * 1e3));
	else
		snprintf(p.text, sizeof p.text, "+/- %.1f s", ceil(max_error_s * 10) / 10);
	return p;
}
