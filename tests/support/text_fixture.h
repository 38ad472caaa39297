/* SPDX-License-Identifier: MIT
 *
 * Reads tests/fixtures/NAME whole. A fixture that is not there or does not fit ends the test
 * program: that is a fault of the tree.
 */
#ifndef OVPNWATCH_TESTS_SUPPORT_TEXT_FIXTURE_H
#define OVPNWATCH_TESTS_SUPPORT_TEXT_FIXTURE_H

#include "proto/slice.h"

#include <stdio.h>
#include <stdlib.h>

/* The text is in `buf`, terminated as well. */
static inline struct slice text_fixture(const char *name, char *buf, size_t size)
{
	char path[512];
	snprintf(path, sizeof path, "%s/fixtures/%s", TESTS_DIR, name);
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(buf, 1, size, f) : size;
	if (n == size) {
		perror(path);
		abort();
	}
	fclose(f);
	buf[n] = '\0';
	return (struct slice){buf, n};
}

#endif
