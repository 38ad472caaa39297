/* SPDX-License-Identifier: MIT
 *
 * This machine's time zone, for stamps that do not say theirs.
 */
#ifndef OVPNWATCH_IO_LOCAL_TIME_H
#define OVPNWATCH_IO_LOCAL_TIME_H

#include "proto/nsec.h"

/* The instant at which the clock on this machine's wall shows the civil time that `naive` is when
 * it is read as UTC. */
nsec local_time(nsec naive);

/* The year of an instant here. */
int local_year(nsec wall);

#endif
