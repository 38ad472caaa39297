/* SPDX-License-Identifier: MIT
 *
 * The one place where the clocks are read.
 */
#ifndef OVPNWATCH_IO_STAMP_NOW_H
#define OVPNWATCH_IO_STAMP_NOW_H

#include "core/stamp.h"

/* All clocks of a stamp, read together as closely as a few tries allow; `spread` says how closely.
 */
struct stamp stamp_now(void);

#endif
