/* SPDX-License-Identifier: MIT
 *
 * A clock that is wrong by a constant. That alone restarts nothing (measured: 7 s ahead for a
 * minute, no restart; no code path of OpenVPN compares the clocks of both ends in a running
 * session). It is still the lead that it was in the field: a clock that nobody keeps gets set
 * sooner or later, and that step is a cause. So both of these are possible at most, and come after
 * everything that has a mechanism.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

#include <math.h>

static bool beyond(double offset_s, double max_error_s, double limit_s)
{
	return !isnan(offset_s) && !isnan(max_error_s) && fabs(offset_s) - max_error_s > limit_s;
}

static void constant_offset(struct cause *c)
{
	c->confidence = CONFIDENCE_POSSIBLE;
	c->strength = -1;
	cause_against(
	    c,
	    "a constant offset does not make OpenVPN restart; a clock that is set in steps does");
}

bool cause_peer_clock_offset(const struct evidence *e, struct cause *c)
{
	bool vs_utc = !isnan(e->peer.vs_utc_s);
	double offset = vs_utc ? e->peer.vs_utc_s : e->peer.offset_s;
	double error = vs_utc ? e->peer.vs_utc_max_error_s : e->peer.max_error_s;

	if (!evidence_peer_known(e) || !beyond(offset, error, e->offset_limit_s))
		return false;
	constant_offset(c);
	cause_because(c, "the server's clock is %s %s (%s)", phrase_offset(offset, error).text,
		      vs_utc ? "UTC" : "this machine's", phrase_bound(error).text);
	cause_remedy(
	    c,
	    "Install a time service on the server: `apt install chrony`, then `chronyc tracking`.");
	return true;
}

bool cause_local_clock_offset(const struct evidence *e, struct cause *c)
{
	if (!e->local.present ||
	    !beyond(e->local.offset_s, e->local.max_error_s, e->offset_limit_s))
		return false;
	constant_offset(c);
	cause_because(c, "this machine's clock is %s UTC (%s, by %s)",
		      phrase_offset(-e->local.offset_s, e->local.max_error_s).text,
		      phrase_bound(e->local.max_error_s).text,
		      name_local_clock_source(e->local.source));
	cause_remedy(c, "See why the time service does not correct it: `chronyc tracking`.");
	return true;
}
