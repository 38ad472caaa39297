/* SPDX-License-Identifier: MIT
 *
 * An instant on all clocks of this machine. Every event carries one, and nothing below src/io asks
 * a clock: the difference between the clocks is itself evidence.
 */
#ifndef OVPNWATCH_CORE_STAMP_H
#define OVPNWATCH_CORE_STAMP_H

#include "proto/nsec.h"

struct stamp {
	nsec mono; /* CLOCK_MONOTONIC: durations and deadlines; stands still in suspend */
	nsec wall; /* CLOCK_REALTIME: what people and OpenVPN call the time; may be set */
	nsec boot; /* CLOCK_BOOTTIME: goes on in suspend, is never set, but slewed with the wall */
	/* CLOCK_MONOTONIC_RAW and the time slept: neither set nor slewed, only as fast as its
	 * crystal. The ruler that other clocks are measured with, from one suspend to the next: how
	 * long it slept, the kernel often knows to a second only (timekeeping_resume). */
	nsec ruler;
	nsec spread; /* all were read within this time of each other */
};

#endif
