/* SPDX-License-Identifier: MIT
 *
 * Time as this project counts it: signed nanoseconds in 64 bits (292 years either way). An instant
 * of the wall clock counts from 1970-01-01T00:00:00Z, of the other clocks from where they began.
 */
#ifndef OVPNWATCH_PROTO_NSEC_H
#define OVPNWATCH_PROTO_NSEC_H

#include <stdint.h>

typedef int64_t nsec;

#define NSEC_PER_USEC ((nsec)1000)
#define NSEC_PER_MSEC ((nsec)1000000)
#define NSEC_PER_SEC  ((nsec)1000000000)

/* A deadline that does not come. */
#define NSEC_NEVER INT64_MAX
/* A time or duration that was not measured. It is left out of every output, never shown as 0. */
#define NSEC_UNKNOWN INT64_MIN

/* Seconds as a floating number, for display and for arithmetic that is not about instants. */
static inline double nsec_to_s(nsec t)
{
	return (double)t / 1e9;
}

/* Seconds to nanoseconds; the caller has made sure that |s| < 9e9. */
static inline nsec nsec_from_s(double s)
{
	return (nsec)(s * 1e9);
}

/* Sum and difference of instants that came from outside: at the ends of the range they stay there
 * (at +-INT64_MAX, so that neither is ever taken for NSEC_UNKNOWN) instead of overflowing. */
static inline nsec nsec_add(nsec a, nsec b)
{
	nsec r;
	if (__builtin_add_overflow(a, b, &r))
		return b > 0 ? INT64_MAX : -INT64_MAX;
	return r == INT64_MIN ? -INT64_MAX : r;
}

static inline nsec nsec_sub(nsec a, nsec b)
{
	nsec r;
	if (__builtin_sub_overflow(a, b, &r))
		return b < 0 ? INT64_MAX : -INT64_MAX;
	return r == INT64_MIN ? -INT64_MAX : r;
}

static inline nsec nsec_min(nsec a, nsec b)
{
	return a < b ? a : b;
}

static inline nsec nsec_max(nsec a, nsec b)
{
	return a > b ? a : b;
}

#endif
