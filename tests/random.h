/* SPDX-License-Identifier: MIT
 *
 * Random numbers for simulations: the same runs every time, on every machine.
 */
#ifndef OVPNWATCH_TESTS_RANDOM_H
#define OVPNWATCH_TESTS_RANDOM_H

#include "proto/nsec.h"

#include <stdint.h>

/* Where a run begins; each program sets its own. */
static uint64_t seed;

/* splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static inline uint64_t random_u64(void)
{
	uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* In [lo, hi]. */
static inline nsec random_nsec(nsec lo, nsec hi)
{
	return lo + (nsec)(random_u64() % (uint64_t)(hi - lo + 1));
}

#endif
