/* SPDX-License-Identifier: MIT
 *
 * For the curious, --verbose: on standard error, what happens and what is done about it. Lines of a
 * management interface are made harmless to a terminal, and without what OpenVPN would keep secret.
 */
#ifndef OVPNWATCH_IO_VERBOSE_H
#define OVPNWATCH_IO_VERBOSE_H

#include "core/action.h"
#include "core/event.h"

/* Lines, probes, echoes, routes, and what the sources of time said. Other events are passed over.
 */
void verbose_event(const struct event *e);

void verbose_action(const struct action *a);

#endif
