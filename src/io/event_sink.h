/* SPDX-License-Identifier: MIT
 *
 * Who is told what happens: everything in the shell that makes events has one.
 */
#ifndef OVPNWATCH_IO_EVENT_SINK_H
#define OVPNWATCH_IO_EVENT_SINK_H

#include "core/event.h"

typedef void (*event_sink)(void *arg, const struct event *e);

#endif
