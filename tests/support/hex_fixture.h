/* SPDX-License-Identifier: MIT
 *
 * Reads captured packets from tests/fixtures/NAME.hex. A line is a label, a blank and hex digits;
 * lines of other labels ('#': comment) are passed over. The lines of a label are counted from 0.
 * A fixture that is not there or not hex ends the test program: that is a fault of the tree.
 */
#ifndef OVPNWATCH_TESTS_SUPPORT_HEX_FIXTURE_H
#define OVPNWATCH_TESTS_SUPPORT_HEX_FIXTURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hex_bytes {
	size_t n;
	uint8_t b[2048];
};

static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static inline struct hex_bytes hex_from(const char *digits)
{
	struct hex_bytes out = {0};
	size_t n = strcspn(digits, " \r\n");
	if (n % 2 != 0 || n / 2 > sizeof out.b) {
		fprintf(stderr, "hex_from: %zu digits\n", n);
		abort();
	}
	for (size_t i = 0; i < n; i += 2) {
		int high = hex_digit(digits[i]), low = hex_digit(digits[i + 1]);
		if (high < 0 || low < 0) {
			fprintf(stderr, "hex_from: no hex: %.*s\n", (int)n, digits);
			abort();
		}
		out.b[out.n++] = (uint8_t)(high * 16 + low);
	}
	return out;
}

/* The `index`th line of tests/fixtures/`name` that begins with `label` and a blank. */
static inline struct hex_bytes hex_fixture(const char *name, const char *label, unsigned index)
{
	char path[512], line[8192];
	snprintf(path, sizeof path, "%s/fixtures/%s", TESTS_DIR, name);
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		perror(path);
		abort();
	}
	size_t n = strlen(label);
	while (fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, label, n) != 0 || line[n] != ' ' || index-- > 0)
			continue;
		fclose(f);
		return hex_from(line + n + 1);
	}
	fprintf(stderr, "%s: no such line: %s\n", path, label);
	abort();
}

#endif
