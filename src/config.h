/* SPDX-License-Identifier: MIT
 *
 * The configuration file: an INI file (libinih) whose keys are the names of the command line's
 * options (settings.h), in sections
 *
 *     [ovpnwatch]       of the program, and defaults for every tunnel
 *     [tunnel NAME]     one tunnel
 *
 * Failure modes: a file that cannot be read, a line that is none (no '=', too long, an unknown key
 * or section, a value that cannot be): the first is said as "file:line: what, and what to do".
 */
#ifndef OVPNWATCH_CONFIG_H
#define OVPNWATCH_CONFIG_H

#include "settings.h"

#include <stdio.h>

/* libinih would cut longer lines in silence; here they are an error. In bytes, newline included. */
#define CONFIG_LINE_MAX 198
#define CONFIG_NAME_MAX 40 /* of a tunnel, in a section's head */

enum config_result { CONFIG_FINE, CONFIG_UNREADABLE, CONFIG_WRONG };

/* Adds what the file says to *s. Otherwise `error` has one line. */
enum config_result config_load(const char *path, struct settings *s, char *error, size_t error_size)
    __attribute__((warn_unused_result));

/* The same from a stream, which stays the caller's; `name` is the file's in errors. */
enum config_result config_read(FILE *f, const char *name, struct settings *s, char *error,
			       size_t error_size) __attribute__((warn_unused_result));

/* Writes what is in force as a configuration file that says the same, defaults resolved. */
void config_print(FILE *f, const struct settings *s);

#endif
