/* SPDX-License-Identifier: MIT
 *
 * What can be said of a log before it is followed, to whoever starts us and is still looking.
 */
#ifndef OVPNWATCH_IO_LOG_CHECK_H
#define OVPNWATCH_IO_LOG_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Returns 0, or an exit status and a line in `error`: EX_NOPERM, it may not be read; EX_USAGE, a
 * folder, or standard input is a file. One that is not there will do: it may come. */
int log_check(const char *path, char *error, size_t error_size) __attribute__((warn_unused_result));

/* Whether whoever writes it is likely to be on this machine: it is a file, and not on a network
 * file system. Of a pipe it is not known. */
bool log_is_here(const char *path);

#endif
