/* SPDX-License-Identifier: MIT
 *
 * A loop for tests of the shell: turned until a condition holds, a bounded number of times.
 */
#ifndef OVPNWATCH_TESTS_LOOP_H
#define OVPNWATCH_TESTS_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <uv.h>

/* Far more than anything here needs; a test that comes so far has failed. */
#define LOOP_TURNS_MAX 10000

static inline bool loop_until(uv_loop_t *loop, bool (*holds)(void *arg), void *arg)
{
	for (int i = 0; i < LOOP_TURNS_MAX; i++) {
		if (holds(arg))
			return true;
		uv_run(loop, UV_RUN_NOWAIT);
		if (i > 10)
			poll(NULL, 0,
			     1); /* a lookup is in another thread, a packet in the kernel */
	}
	return false;
}

static inline void loop_turn(uv_loop_t *loop, int times)
{
	for (int i = 0; i < times; i++)
		uv_run(loop, UV_RUN_NOWAIT);
}

static inline bool loop_is_over(void *loop)
{
	return !uv_loop_alive(loop);
}

/* Everything is closed already; what is left over would be a leak. */
static inline bool loop_ends(uv_loop_t *loop)
{
	return loop_until(loop, loop_is_over, loop) && uv_loop_close(loop) == 0;
}

#endif
