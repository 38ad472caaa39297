/* SPDX-License-Identifier: MIT
 *
 * A file of a known kind (a profile, a key, a password), read whole. It may hold a secret, so what
 * was read is wiped before it is freed.
 */
#ifndef OVPNWATCH_IO_SMALL_FILE_H
#define OVPNWATCH_IO_SMALL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct small_file {
	char *text; /* not terminated; owned, see small_file_done() */
	size_t n;
	mode_t mode; /* of the file that was read, not of what is now at its path */
};

/* Reads a regular file of at most `limit` bytes. False: `why` says for a person what is wrong
 * ("permission denied", "is a directory", …) and *out is untouched. Never waits for a FIFO. */
bool small_file_read(const char *path, size_t limit, struct small_file *out, char *why,
		     size_t why_size) __attribute__((warn_unused_result));

/* Wipes and frees the text. Total: also for a struct of zeros. */
void small_file_done(struct small_file *f);

#endif
