/* SPDX-License-Identifier: MIT */
#include "core/ntp_select.h"

#include <assert.h>

struct span {
	nsec lo, hi;
};

static struct span span_of(const struct ntp_opinion *o)
{
	return (struct span){nsec_sub(o->offset, o->bound), nsec_add(o->offset, o->bound)};
}

static unsigned covering(const struct span *s, unsigned n, nsec point)
{
	unsigned covered = 0;
	for (unsigned i = 0; i < n; i++)
		covered += s[i].lo <= point && point <= s[i].hi;
	return covered;
}

/* From the first to the last point that lies in `least` intervals or more. The first is the lower
 * end of one of them and the last an upper end: coverage changes nowhere else. */
static bool covered_by(const struct span *s, unsigned n, unsigned least, struct span *out)
{
	bool found = false;
	for (unsigned i = 0; i < n; i++) {
		if (covering(s, n, s[i].lo) >= least && (!found || s[i].lo < out->lo)) {
			out->lo = s[i].lo;
			found = true;
		}
	}
	if (!found)
		return false;
	out->hi = out->lo;
	for (unsigned i = 0; i < n; i++)
		if (covering(s, n, s[i].hi) >= least)
			out->hi = nsec_max(out->hi, s[i].hi);
	return true;
}

bool ntp_select(const struct ntp_opinion *list, unsigned n, struct ntp_selection *out)
{
	struct span s[NTP_SELECT_MAX], all = {0};
	assert(n <= NTP_SELECT_MAX);
	for (unsigned i = 0; i < n; i++)
		s[i] = span_of(&list[i]);
	if (!covered_by(s, n, n / 2 + 1, &all))
		return false;
	*out = (struct ntp_selection){.lo = all.lo, .hi = all.hi};
	for (unsigned i = 0; i < n; i++) {
		out->falseticker[i] = s[i].hi < all.lo || s[i].lo > all.hi;
		out->believed += !out->falseticker[i];
	}
	return true;
}
