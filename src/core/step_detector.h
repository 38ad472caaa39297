/* SPDX-License-Identifier: MIT
 *
 * Tells whether this machine's clock was set, and whether the machine slept, from the stamps of
 * events alone. REALTIME - BOOTTIME changes only when the clock is set (slewing moves both alike);
 * BOOTTIME - MONOTONIC grows only in suspend. Sign and size are exact to the spread of the stamps.
 *
 * A stamp whose clocks were read far apart (the reader was preempted) hides small steps. It is
 * compared, but unless it shows a change the next stamp is compared with the better one before it:
 * what it hid is seen then.
 *
 * A leap second is a step to the kernel: at the end of a month's last day (UTC) the clock is set
 * back by a second to show 23:59:59 twice, or forward to leave it out (ITU-R TF.460; Linux
 * kernel/time/ntp.c second_overflow). A step of just that size at just that time is taken for one.
 * How fast the clock runs, which is what slewing changes, is core/clock_rate's to say.
 */
#ifndef OVPNWATCH_CORE_STEP_DETECTOR_H
#define OVPNWATCH_CORE_STEP_DETECTOR_H

#include "core/stamp.h"

#include <stdbool.h>

/* A change smaller than this (plus the spread of the two stamps) is not a step. */
#define STEP_MIN NSEC_PER_MSEC

struct clock_change {
	nsec step;	  /* positive: set forward; 0: not set */
	nsec suspended;	  /* 0: did not sleep */
	nsec since;	  /* mono of the stamp before: the change lies between that and this one */
	bool leap_second; /* the step is a leap second, not somebody's doing */
};

struct step_detector {
	bool started;
	struct stamp last;
};

/* Looks at the next stamp. True: the clocks changed against each other; *change says how. The first
 * stamp starts the detector and is never a change. */
bool step_detector_look(struct step_detector *d, const struct stamp *at,
			struct clock_change *change);

#endif
