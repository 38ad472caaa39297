/* SPDX-License-Identifier: MIT
 *
 * Bytes that end where an unreadable page begins: reading one too far is SIGSEGV in every build,
 * not only under ASan.
 */
#ifndef OVPNWATCH_TESTS_SUPPORT_GUARD_PAGE_H
#define OVPNWATCH_TESTS_SUPPORT_GUARD_PAGE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded {
	uint8_t *map;
	size_t room; /* readable bytes before the guard page */
};

/* Room for up to `most` bytes; guarded_free() gives it back. */
static inline struct guarded guarded_new(size_t most)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct guarded g = {.room = (most / page + 1) * page};
	g.map =
	    mmap(NULL, g.room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g.map == MAP_FAILED || mprotect(g.map + g.room, page, PROT_NONE) != 0) {
		perror("guarded_new");
		abort();
	}
	return g;
}

/* A copy of the bytes whose end is the guard page; valid until the next call. */
static inline uint8_t *guarded_copy(struct guarded *g, const void *bytes, size_t n)
{
	uint8_t *at = g->map + g->room - n;
	if (n > 0)
		memcpy(at, bytes, n);
	return at;
}

static inline void guarded_free(struct guarded *g)
{
	munmap(g->map, g->room + (size_t)sysconf(_SC_PAGESIZE));
}

#endif
