/* SPDX-License-Identifier: MIT */
#include "io/in_flight.h"

#include <assert.h>
#include <stdlib.h>

static void free_when_closed(struct in_flight *f)
{
	if (f->closing && f->timer_closed && f->first == NULL)
		f->free_owner(f);
}

void in_flight_gone(struct in_flight_request *r)
{
	struct in_flight *f = r->owner;
	struct in_flight_request **at = &f->first;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	free(r);
	free_when_closed(f);
}

void in_flight_add(struct in_flight *f, struct in_flight_request *r, uint64_t deadline)
{
	*r = (struct in_flight_request){
	    .owner = f, .next = f->first, .made = f->made++, .deadline = deadline};
	f->first = r;
}

/* The first that is due and was there when the timer fired: see in_flight.h, failure mode. */
static struct in_flight_request *first_due(const struct in_flight *f, uint64_t made_before,
					   uint64_t now)
{
	for (struct in_flight_request *r = f->first; r != NULL; r = r->next)
		if (r->made < made_before && r->deadline <= now)
			return r;
	return NULL;
}

static void on_timer(uv_timer_t *timer)
{
	struct in_flight *f = timer->data;
	uint64_t now = uv_now(f->loop), made = f->made;
	struct in_flight_request *r;
	/* It may be closed by `due`, but is freed in a later round of the loop only. */
	while (!f->closing && (r = first_due(f, made, now)) != NULL)
		f->due(r);
	if (!f->closing)
		in_flight_arm(f);
}

void in_flight_arm(struct in_flight *f)
{
	uint64_t now = uv_now(f->loop), first = IN_FLIGHT_NEVER;
	for (const struct in_flight_request *r = f->first; r != NULL; r = r->next)
		if (r->deadline < first)
			first = r->deadline;
	if (first == IN_FLIGHT_NEVER)
		uv_timer_stop(&f->timer);
	else
		uv_timer_start(&f->timer, on_timer, first > now ? first - now : 0, 0);
}

void in_flight_open(struct in_flight *f, uv_loop_t *loop)
{
	f->loop = loop;
	int rc = uv_timer_init(loop, &f->timer);
	assert(rc == 0);
	(void)rc;
	f->timer.data = f;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct in_flight *f = handle->data;
	f->timer_closed = true;
	free_when_closed(f);
}

void in_flight_close(struct in_flight *f)
{
	assert(!f->closing);
	f->closing = true;
	uv_close((uv_handle_t *)&f->timer, on_timer_closed);
	for (struct in_flight_request *r = f->first, *next; r != NULL; r = next) {
		next = r->next;
		f->close(r);
	}
}
