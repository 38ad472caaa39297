/* SPDX-License-Identifier: MIT
 *
 * The password of the management interface, from a file: the first line, as OpenVPN reads its own
 * password file (manage.c, get_user_pass of the management).
 */
#ifndef OVPNWATCH_IO_PASSWORD_FILE_H
#define OVPNWATCH_IO_PASSWORD_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_MAX 255

struct password {
	char text[PASSWORD_MAX + 1]; /* terminated, without the end of the line */
	size_t n;		     /* 1 to PASSWORD_MAX */
};

/* Reads the first line of a regular file that nobody but its owner may touch. False: `error` has
 * one line "file: what, and what to do", and *out is untouched. The caller wipes *out when it is
 * done with it. */
bool password_read(const char *path, struct password *out, char *error, size_t error_size)
    __attribute__((warn_unused_result));

void password_wipe(struct password *p);

#endif
