/* SPDX-License-Identifier: MIT
 *
 * getaddrinfo(3) without waiting for it: each lookup has a thread of its own. In libuv's pool four
 * names that hang would hold up everybody's, and the process at its end (libuv #203, #2481).
 *
 * Happy path: name_lookup_start(), the callback. Failure modes: a name service that says nothing
 * for a minute (name_lookup_forget() turns away at once; the thread ends when the name service lets
 * it go, or with the process); so many that hang at once that no more threads are begun
 * (NAME_LOOKUPS_AT_ONCE): the others wait for their turn.
 */
#ifndef OVPNWATCH_IO_NAME_LOOKUP_H
#define OVPNWATCH_IO_NAME_LOOKUP_H

#include <netdb.h>
#include <uv.h>

#define NAME_LOOKUPS_AT_ONCE 256

struct name_lookup;

/* 0 or the negative UV_EAI_… of the failure; `list` (NULL on failure) is valid for the call. Comes
 * from within the loop; the lookup is gone when it comes. */
typedef void (*name_found)(void *arg, int status, const struct addrinfo *list);

/* `host` and *hints are copied; `host` may be as long as a name can be (256 bytes), and what is
 * longer will not be found. Returns 0 and *out, or a negative UV_E… (no memory, no thread). */
int name_lookup_start(struct name_lookup **out, uv_loop_t *loop, const char *host,
		      const struct addrinfo *hints, name_found found, void *arg)
    __attribute__((warn_unused_result));

/* No callback comes after this, and the loop does not wait for it. */
void name_lookup_forget(struct name_lookup *l);

#endif
