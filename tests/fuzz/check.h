/* SPDX-License-Identifier: MIT
 *
 * What a fuzz target promises. Not assert(): it holds in a Release build, too.
 */
#ifndef OVPNWATCH_TESTS_FUZZ_CHECK_H
#define OVPNWATCH_TESTS_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(x)                                                                \
	do {                                                                    \
		if (!(x)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort();                                                \
		}                                                               \
	} while (0)

#endif
