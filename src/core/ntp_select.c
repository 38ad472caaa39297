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

static unsigned midpoints_outside(const struct ntp_opinion *list, unsigned n, struct span in)
{
	unsigned outside = 0;
	for (unsigned i = 0; i < n; i++)
		outside += list[i].offset < in.lo || list[i].offset > in.hi;
	return outside;
}

/* RFC 5905 section 11.2.1. Of two servers there is no minority, so the only question is whether
 * they meet. */
static bool has_majority(const struct ntp_opinion *list, const struct span *s, unsigned n)
{
	struct span in;
	if (n <= 2)
		return n > 0 && covered_by(s, n, n, &in);
	for (unsigned f = 0; 2 * f < n; f++)
		if (covered_by(s, n, n - f, &in) && midpoints_outside(list, n, in) <= f)
			return true;
	return false;
}

bool ntp_select(const struct ntp_opinion *list, unsigned n, struct ntp_selection *out)
{
	struct span s[NTP_SELECT_MAX], all;
	assert(n <= NTP_SELECT_MAX);
	for (unsigned i = 0; i < n; i++)
		s[i] = span_of(&list[i]);
	if (!has_majority(list, s, n) || !covered_by(s, n, n / 2 + 1, &all))
		return false;
	*out = (struct ntp_selection){.lo = all.lo, .hi = all.hi};
	for (unsigned i = 0; i < n; i++) {
		out->falseticker[i] = s[i].hi < all.lo || s[i].lo > all.hi;
		out->believed += !out->falseticker[i];
	}
	return true;
}
