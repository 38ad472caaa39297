/* SPDX-License-Identifier: MIT
 *
 * Names that hang hold up nobody but who asked for them. The name service is this program's own
 * getaddrinfo(): "hang…" waits until the test lets it go, "none" does not exist.
 */
#include "io/name_lookup.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loop_fixture.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool open_gate;
static unsigned inside; /* in getaddrinfo() */

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **out)
{
	static const struct sockaddr_in address = {.sin_family = AF_INET};
	(void)service;
	pthread_mutex_lock(&lock);
	inside++;
	pthread_cond_broadcast(&changed);
	while (strncmp(node, "hang", 4) == 0 && !open_gate)
		pthread_cond_wait(&changed, &lock);
	inside--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	if (strcmp(node, "none") == 0)
		return EAI_NONAME;
	struct addrinfo *a = calloc(1, sizeof *a);
	a->ai_family = hints->ai_family;
	a->ai_addr = (struct sockaddr *)(uintptr_t)&address;
	a->ai_addrlen = sizeof address;
	*out = a;
	return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
	free(a);
}

static void wait_inside(unsigned n)
{
	pthread_mutex_lock(&lock);
	while (inside != n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void let_go(bool open)
{
	pthread_mutex_lock(&lock);
	open_gate = open;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static unsigned n_found;
static int status_found;
static bool had_list;

static void on_found(void *arg, int status, const struct addrinfo *list)
{
	(void)arg;
	n_found++;
	status_found = status;
	had_list = list != NULL;
}

static const struct addrinfo hints = {.ai_family = AF_INET};

static struct name_lookup *start(const char *host)
{
	struct name_lookup *l;
	assert_int_equal(name_lookup_start(&l, &loop, host, &hints, on_found, NULL), 0);
	return l;
}

static int begin(void **state)
{
	let_go(false);
	n_found = 0;
	return loop_begin(state);
}

static void test_found_and_not(void **state)
{
	(void)state;
	start("name.example");
	loop_until(&n_found, 1);
	assert_int_equal(status_found, 0);
	assert_true(had_list);
	start("none");
	loop_until(&n_found, 2);
	assert_int_equal(status_found, UV_EAI_NONAME);
	assert_false(had_list);
	loop_drain();
}

/* More of them than libuv's pool has threads. */
static void test_hanging_names_hold_up_nobody(void **state)
{
	struct name_lookup *hanging[20];
	(void)state;
	for (unsigned i = 0; i < 20; i++)
		hanging[i] = start("hang.example");
	wait_inside(20);
	start("name.example");
	loop_until(&n_found, 1);
	for (unsigned i = 0; i < 20; i++)
		name_lookup_forget(hanging[i]);
	loop_drain(); /* without waiting for them */
	assert_int_equal(n_found, 1);
	wait_inside(20);
	let_go(true);
	wait_inside(0);
}

/* The answer of one that was forgotten is nobody's, whichever comes first. */
static void test_forgotten_at_any_time(void **state)
{
	(void)state;
	let_go(true);
	for (unsigned i = 0; i < 200; i++) {
		struct name_lookup *l = start("name.example");
		if (i % 2 == 0)
			wait_inside(0);
		name_lookup_forget(l);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	loop_drain();
	assert_int_equal(n_found, 0);
}

static void test_no_more_threads_than_so_many(void **state)
{
	static struct name_lookup *hanging[NAME_LOOKUPS_AT_ONCE];
	(void)state;
	for (unsigned i = 0; i < NAME_LOOKUPS_AT_ONCE; i++)
		hanging[i] = start("hang.example");
	wait_inside(NAME_LOOKUPS_AT_ONCE);
	struct name_lookup *second = start("second.example");
	start("third.example");
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(n_found, 0);
	name_lookup_forget(second); /* while it waits */
	name_lookup_forget(hanging[0]);
	loop_until(&n_found, 1); /* the third has its turn */
	start("fourth.example");
	uv_run(&loop, UV_RUN_NOWAIT);
	let_go(true);
	loop_until(&n_found, 1 + NAME_LOOKUPS_AT_ONCE - 1 + 1);
	loop_drain();
	wait_inside(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_found_and_not, begin, loop_end),
	    cmocka_unit_test_setup_teardown(test_hanging_names_hold_up_nobody, begin, loop_end),
	    cmocka_unit_test_setup_teardown(test_forgotten_at_any_time, begin, loop_end),
	    cmocka_unit_test_setup_teardown(test_no_more_threads_than_so_many, begin, loop_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
