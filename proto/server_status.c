/* SPDX-License-Identifier: MIT */
#include "proto/server_status.h"

#include "proto/civil_time.h"

#include <assert.h>

enum { ZONE_STEP = 15 * 60, ZONE_MAX = 14 * 3600 }; /* seconds; the widest is UTC+14 */

/* A stamp as time_string writes it, in seconds. */
static bool take_local(struct cursor *c, int64_t *local)
{
	nsec t = 0;
	if (!civil_take_time_string(c, &t))
		return false;
	*local = t / NSEC_PER_SEC;
	return true;
}

enum verdict server_status_time(struct slice line, struct server_time *out)
{
	struct cursor c = cursor_over(line);
	struct server_time t = {0};
	if (!cursor_take_text(&c, "TIME") || cursor_at_end(&c))
		return VERDICT_INVALID;
	char separator = *c.p;
	if ((separator != ',' && separator != '\t') || !cursor_take(&c, separator) ||
	    !take_local(&c, &t.local) || !cursor_take(&c, separator) ||
	    !cursor_take_digits(&c, 1, 10, &t.now) || !cursor_at_end(&c))
		return VERDICT_INVALID;
	if (t.now > CIVIL_SECONDS_MAX)
		return VERDICT_INVALID;
	*out = t;
	return VERDICT_DONE;
}

enum verdict server_status_updated(struct slice line, int64_t *local)
{
	struct cursor c = cursor_over(line);
	int64_t found = 0;
	if (!cursor_take_text(&c, "Updated,") || !take_local(&c, &found) || !cursor_at_end(&c))
		return VERDICT_INVALID;
	*local = found;
	return VERDICT_DONE;
}

bool server_status_system(const struct server_time *t, int64_t updated_local, int64_t *system)
{
	/* From the decoders, so that no difference overflows. */
	assert(t->now >= 0 && t->now <= CIVIL_SECONDS_MAX && t->local >= 0);
	int64_t zone = t->local - t->now;
	if (zone % ZONE_STEP != 0 || zone > ZONE_MAX || zone < -ZONE_MAX)
		return false;
	*system = updated_local - zone;
	return true;
}
