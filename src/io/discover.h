/* SPDX-License-Identifier: MIT
 *
 * Sockets that come and go: what glob(7) patterns match, looked at again every DISCOVER_EVERY_MS.
 * Looked at and not listened for, because the folders in between come and go as well, and a
 * network file system tells nobody.
 *
 * Happy path: discover_open(), `changed` for each socket that is there, and for each change.
 * Failure modes: a folder that cannot be read is said once on stderr and tried again each time;
 * what is no socket (a file, a folder) is passed over.
 */
#ifndef OVPNWATCH_IO_DISCOVER_H
#define OVPNWATCH_IO_DISCOVER_H

#include <stdbool.h>
#include <uv.h>

#define DISCOVER_EVERY_MS 2000

struct discover;

typedef void (*discover_changed)(void *arg, const char *path, bool there);

/* The patterns are borrowed. `changed` is called from within this call and then from the loop.
 * Returns 0 and *out, which discover_close() frees within the loop, or UV_ENOMEM. */
int discover_open(struct discover **out, uv_loop_t *loop, const char *const *globs,
		  unsigned n_globs, discover_changed changed, void *arg);

/* Looks now, rather than when it is time to. */
void discover_look(struct discover *d);

/* No call of `changed` comes after this one. May be called from within it. */
void discover_close(struct discover *d);

/* What the wildcards of the pattern stand for in the path: the parts of the path whose parts of
 * the pattern have one, joined by '/', without a ".sock" at the end. Together with the pattern it
 * names the path. False: `out` is too small, or the path is none of the pattern's. */
bool discover_name(const char *glob, const char *path, char *out, size_t size)
    __attribute__((warn_unused_result));

#endif
