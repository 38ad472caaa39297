/* SPDX-License-Identifier: MIT
 *
 * Reads single lines of tests/fixtures/NAME, as text. A fixture or a line that is not there ends
 * the test program: that is a fault of the tree.
 */
#ifndef OVPNWATCH_TESTS_SUPPORT_LINE_FIXTURE_H
#define OVPNWATCH_TESTS_SUPPORT_LINE_FIXTURE_H

#include "proto/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What follows `start` on the `index`th line that begins with it, counted from 0, without CR and
 * LF; valid until the next call. */
static inline struct slice line_fixture(const char *name, const char *start, unsigned index)
{
	static char line[8192];
	char path[512];
	snprintf(path, sizeof path, "%s/fixtures/%s", TESTS_DIR, name);
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		perror(path);
		abort();
	}
	size_t n = strlen(start);
	while (fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, start, n) != 0 || index-- > 0)
			continue;
		fclose(f);
		return (struct slice){.p = line + n, .n = strcspn(line + n, "\r\n")};
	}
	fprintf(stderr, "%s: no such line: %s\n", path, start);
	abort();
}

#endif
