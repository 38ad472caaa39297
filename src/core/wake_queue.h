/* SPDX-License-Identifier: MIT
 *
 * Who wants to be called first: a queue by instants, so that one tunnel costs as much among ten
 * thousand as alone. A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): no memory but what
 * is in its members, moving one forward or back costs O(log n) on average.
 */
#ifndef OVPNWATCH_CORE_WAKE_QUEUE_H
#define OVPNWATCH_CORE_WAKE_QUEUE_H

#include "core/stamp.h"

#include <stdbool.h>

/* A member; all zero before it is first in a queue. */
struct wake {
	nsec at; /* mono */
	bool queued;
	struct wake *child, *sibling;
	struct wake **link; /* what points at it */
};

struct wake_queue {
	struct wake *first; /* NULL: empty */
};

/* Puts it in, or moves it. */
void wake_queue_set(struct wake_queue *q, struct wake *w, nsec at);

/* Takes it out; one that is not in it will do. */
void wake_queue_remove(struct wake_queue *q, struct wake *w);

/* NSEC_NEVER if it is empty. */
nsec wake_queue_next(const struct wake_queue *q);

#endif
