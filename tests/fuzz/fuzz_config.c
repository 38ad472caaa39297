/* SPDX-License-Identifier: MIT
 *
 * A configuration file of any bytes: it is understood or an error has its line, and what is
 * understood is printed as a file that says the same.
 */
#include "config.h"
#include "fuzz/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static enum config_result read_bytes(const void *bytes, size_t n, struct settings *s, char *error,
				     size_t error_size)
{
	FILE *f = fmemopen((void *)(uintptr_t)bytes, n, "r");
	CHECK(f != NULL);
	enum config_result result = config_read(f, "f", s, error, error_size);
	fclose(f);
	return result;
}

/* The other way round would be a line that was cut. */
static bool prints_back(const struct settings *s)
{
	char *text = NULL, error[320];
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	CHECK(f != NULL);
	config_print(f, s);
	CHECK(fclose(f) == 0);
	struct settings again;
	settings_init(&again);
	bool fits = true;
	for (const char *line = text; *line != '\0' && fits; line = strchr(line, '\n') + 1)
		fits = strcspn(line, "\n") < CONFIG_LINE_MAX;
	if (fits) {
		CHECK(read_bytes(text, n, &again, error, sizeof error) == CONFIG_FINE);
		CHECK(again.n_tunnels == s->n_tunnels);
		for (unsigned i = 0; i < s->n_tunnels; i++)
			CHECK(tunnel_settings_equal(&s->tunnels[i], &again.tunnels[i]));
	}
	settings_free(&again);
	free(text);
	return fits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s;
	char error[320] = "", what[280];
	unsigned line;
	if (size == 0)
		return 0;
	settings_init(&s);
	if (read_bytes(data, size, &s, error, sizeof error) == CONFIG_FINE) {
		if (settings_finish(&s, &line, what, sizeof what) && s.n_tunnels > 0)
			(void)prints_back(&s);
	} else {
		CHECK(strncmp(error, "f:", 2) == 0);
	}
	settings_free(&s);
	return 0;
}
