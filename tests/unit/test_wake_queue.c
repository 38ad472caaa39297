/* SPDX-License-Identifier: MIT
 *
 * The queue of instants, against a plain array.
 */
#include "core/wake_queue.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N 300

static nsec least(const struct wake *w, size_t n)
{
	nsec at = NSEC_NEVER;
	for (size_t i = 0; i < n; i++)
		if (w[i].queued)
			at = nsec_min(at, w[i].at);
	return at;
}

static void test_empty(void **state)
{
	struct wake_queue q = {0};
	struct wake w = {0};
	(void)state;
	assert_true(wake_queue_next(&q) == NSEC_NEVER);
	wake_queue_remove(&q, &w);
	wake_queue_set(&q, &w, 7);
	wake_queue_set(&q, &w, 7);
	assert_true(wake_queue_next(&q) == 7);
	wake_queue_remove(&q, &w);
	wake_queue_remove(&q, &w);
	assert_true(wake_queue_next(&q) == NSEC_NEVER);
}

static void test_in_order(void **state)
{
	static struct wake w[N];
	struct wake_queue q = {0};
	nsec last = -1;
	(void)state;
	for (size_t i = 0; i < N; i++)
		wake_queue_set(&q, &w[i], (nsec)((i * 7919) % N));
	for (size_t i = 0; i < N; i++) {
		struct wake *first = q.first;
		assert_true(first->at >= last);
		last = first->at;
		wake_queue_remove(&q, first);
	}
	assert_null(q.first);
}

static void test_like_an_array(void **state)
{
	static struct wake w[N];
	struct wake_queue q = {0};
	(void)state;
	seed = 1;
	for (unsigned i = 0; i < 100000; i++) {
		struct wake *one = &w[random_u64() % N];
		if (random_u64() % 4 == 0)
			wake_queue_remove(&q, one);
		else
			wake_queue_set(&q, one, (nsec)(random_u64() % 1000));
		assert_true(wake_queue_next(&q) == least(w, N));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_in_order),
	    cmocka_unit_test(test_like_an_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
