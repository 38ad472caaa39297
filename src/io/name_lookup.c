/* SPDX-License-Identifier: MIT
 *
 * The loop and the thread share a lookup; who is last frees it. The async handle is the loop's: the
 * thread rings it only while `answered` is wanted, under the lock, so never when it is closed.
 */
#include "io/name_lookup.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* getaddrinfo() and the modules that nsswitch.conf names run on it; virtual memory until touched.
 */
#define STACK_BYTES ((size_t)512 * 1024)

struct name_lookup {
	uv_async_t async;
	name_found found;
	void *arg;
	char host[257];
	struct addrinfo hints;
	struct name_lookup *next; /* of those that wait for their turn */
	bool running;		  /* has, or had, a thread */
	/* Shared with the thread. */
	pthread_mutex_t lock;
	bool closed;   /* the loop is done with it */
	bool answered; /* the thread is */
	int error;     /* of getaddrinfo() */
	struct addrinfo *list;
};

/* Of the one loop's thread alone. */
static unsigned running;
static struct name_lookup *waiting, **waiting_end = &waiting;

static int from_eai(int error)
{
	switch (error) {
	case 0:
		return 0;
	case EAI_ADDRFAMILY:
		return UV_EAI_ADDRFAMILY;
	case EAI_AGAIN:
		return UV_EAI_AGAIN;
	case EAI_FAIL:
		return UV_EAI_FAIL;
	case EAI_FAMILY:
		return UV_EAI_FAMILY;
	case EAI_MEMORY:
		return UV_EAI_MEMORY;
	case EAI_NODATA:
		return UV_EAI_NODATA;
	case EAI_NONAME:
		return UV_EAI_NONAME;
	case EAI_SERVICE:
		return UV_EAI_SERVICE;
	default:
		return UV_EAI_FAIL;
	}
}

static void free_lookup(struct name_lookup *l)
{
	if (l->list != NULL)
		freeaddrinfo(l->list);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void *look_up(void *arg)
{
	struct name_lookup *l = arg;
	struct addrinfo *list = NULL;
	int error = getaddrinfo(l->host, NULL, &l->hints, &list);
	pthread_mutex_lock(&l->lock);
	l->error = error;
	l->list = error == 0 ? list : NULL;
	l->answered = true;
	bool last = l->closed;
	if (!last)
		uv_async_send(&l->async);
	pthread_mutex_unlock(&l->lock);
	if (last)
		free_lookup(l);
	return NULL;
}

static int begin_thread(struct name_lookup *l)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	/* Signals are the loop's. */
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int rc = pthread_create(&thread, &attributes, look_up, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (rc != 0)
		return -rc;
	l->running = true;
	running++;
	return 0;
}

/* There is a place for another thread. */
static void begin_next(void)
{
	while (waiting != NULL && running < NAME_LOOKUPS_AT_ONCE) {
		struct name_lookup *l = waiting;
		waiting = l->next;
		if (waiting == NULL)
			waiting_end = &waiting;
		if (begin_thread(l) == 0)
			continue;
		l->error = EAI_MEMORY;
		l->answered = true;
		uv_async_send(&l->async);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct name_lookup *l = handle->data;
	pthread_mutex_lock(&l->lock);
	l->closed = true;
	bool last = l->answered || !l->running;
	pthread_mutex_unlock(&l->lock);
	if (last)
		free_lookup(l);
}

/* The loop turns away; a thread that hangs is not counted any more, or names that hang would take
 * all places for good. */
static void leave(struct name_lookup *l)
{
	if (l->running)
		running--;
	uv_close((uv_handle_t *)&l->async, on_closed);
	begin_next();
}

static void on_async(uv_async_t *async)
{
	struct name_lookup *l = async->data;
	pthread_mutex_lock(&l->lock);
	bool answered = l->answered;
	int status = from_eai(l->error);
	const struct addrinfo *list = l->list;
	pthread_mutex_unlock(&l->lock);
	if (!answered || uv_is_closing((uv_handle_t *)async))
		return;
	name_found found = l->found;
	void *arg = l->arg;
	leave(l);
	found(arg, status, list); /* freed when the handle is closed: later */
}

int name_lookup_start(struct name_lookup **out, uv_loop_t *loop, const char *host,
		      const struct addrinfo *hints, name_found found, void *arg)
{
	struct name_lookup *l = calloc(1, sizeof *l);
	if (l == NULL)
		return UV_ENOMEM;
	l->found = found;
	l->arg = arg;
	l->hints = *hints;
	snprintf(l->host, sizeof l->host, "%s", host);
	pthread_mutex_init(&l->lock, NULL);
	int rc = uv_async_init(loop, &l->async, on_async);
	if (rc != 0) {
		free_lookup(l);
		return rc;
	}
	l->async.data = l;
	if (running >= NAME_LOOKUPS_AT_ONCE) {
		*waiting_end = l;
		waiting_end = &l->next;
	} else {
		rc = begin_thread(l);
	}
	if (rc != 0) {
		uv_close((uv_handle_t *)&l->async, on_closed);
		return rc;
	}
	*out = l;
	return 0;
}

void name_lookup_forget(struct name_lookup *l)
{
	assert(!uv_is_closing((uv_handle_t *)&l->async));
	struct name_lookup **at = &waiting;
	while (!l->running && *at != NULL && *at != l)
		at = &(*at)->next;
	if (!l->running && *at == l) {
		*at = l->next;
		if (*at == NULL)
			waiting_end = at;
	}
	leave(l);
}
