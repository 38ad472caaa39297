/* SPDX-License-Identifier: MIT */
#include "io/stamp_now.h"

#include <assert.h>
#include <time.h>

/* Reads 2 microseconds apart are as good as it gets; a preempted reading is taken again. */
#define SPREAD_GOOD (5 * NSEC_PER_USEC)
#define TRIES	    8

static nsec read_clock(clockid_t id)
{
	struct timespec t;
	int rc = clock_gettime(id, &t);
	assert(rc == 0);
	(void)rc;
	return (nsec)t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

struct stamp stamp_now(void)
{
	struct stamp best = {.spread = NSEC_NEVER};
	for (int i = 0; i < TRIES && best.spread > SPREAD_GOOD; i++) {
		struct stamp s;
		nsec before = read_clock(CLOCK_MONOTONIC);
		s.wall = read_clock(CLOCK_REALTIME);
		s.boot = read_clock(CLOCK_BOOTTIME);
		nsec raw = read_clock(CLOCK_MONOTONIC_RAW);
		s.mono = read_clock(CLOCK_MONOTONIC);
		s.ruler = raw + (s.boot - s.mono);
		s.spread = s.mono - before;
		if (s.spread < best.spread)
			best = s;
	}
	return best;
}
