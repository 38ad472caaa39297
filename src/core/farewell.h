/* SPDX-License-Identifier: MIT
 *
 * What OpenVPN does when its management client leaves: with --management-signal it restarts its
 * tunnel, with --management-forget-disconnect it forgets the passwords that it was given, and under
 * --management-client it ends (OpenVPN manage.c man_reset_client_socket). Known from the profile,
 * or from the log of `verb 4` and more (options.c show_settings: management_flags).
 */
#ifndef OVPNWATCH_CORE_FAREWELL_H
#define OVPNWATCH_CORE_FAREWELL_H

#include "core/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tunnel;

/* In a set of options. */
#define FAREWELL_OPTION(option) (1u << (option))
#define FAREWELL_OPTIONS	3

/* The options in `flags` of a daemon's log (manage.h MF_…). */
unsigned farewell_options(int64_t flags);

/* Writes what will happen when we leave: "OpenVPN has management-signal: it restarts its tunnel
 * when ovpnwatch leaves". False, and an empty text: nothing that is known of, or we are not there.
 */
bool farewell_say(const struct tunnel *t, char *out, size_t size);

#endif
