/* SPDX-License-Identifier: MIT */
#include "core/wake_queue.h"

#include <stddef.h>

static void put(struct wake **link, struct wake *w)
{
	*link = w;
	if (w != NULL)
		w->link = link;
}

/* Of two heaps one: the later becomes a child of the earlier. Either may be NULL. */
static struct wake *meld(struct wake *a, struct wake *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	if (b->at < a->at) {
		struct wake *first = b;
		b = a;
		a = first;
	}
	put(&b->sibling, a->child);
	put(&a->child, b);
	return a;
}

/* The children of one that left, to one heap: in pairs from the left, then all from the right. */
static struct wake *meld_siblings(struct wake *list)
{
	struct wake *pairs = NULL, *all = NULL;
	while (list != NULL) {
		struct wake *a = list, *b = a->sibling;
		list = b != NULL ? b->sibling : NULL;
		a->sibling = NULL;
		if (b != NULL)
			b->sibling = NULL;
		a = meld(a, b);
		a->sibling = pairs; /* a stack: its links are not needed until it is melded */
		pairs = a;
	}
	while (pairs != NULL) {
		struct wake *next = pairs->sibling;
		pairs->sibling = NULL;
		all = meld(all, pairs);
		pairs = next;
	}
	return all;
}

void wake_queue_remove(struct wake_queue *q, struct wake *w)
{
	if (!w->queued)
		return;
	struct wake *children = w->child;
	put(w->link, w->sibling);
	w->child = w->sibling = NULL;
	w->queued = false;
	struct wake *rest = meld_siblings(children);
	struct wake *first = meld(q->first, rest);
	put(&q->first, first);
}

void wake_queue_set(struct wake_queue *q, struct wake *w, nsec at)
{
	if (w->queued && w->at == at)
		return;
	wake_queue_remove(q, w);
	w->at = at;
	w->queued = true;
	put(&q->first, meld(q->first, w));
}

nsec wake_queue_next(const struct wake_queue *q)
{
	return q->first != NULL ? q->first->at : NSEC_NEVER;
}
