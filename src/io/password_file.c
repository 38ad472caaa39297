/* SPDX-License-Identifier: MIT */
#include "io/password_file.h"
#include "io/small_file.h"
#include "proto/slice.h"

#include <stdio.h>
#include <sys/stat.h>

#define FILE_LIMIT ((size_t)4096)

/* What is wrong with the line, or NULL. The line itself is never shown: it is a password. */
static const char *flaw(struct slice line)
{
	if (line.n == 0)
		return "the first line is empty; the password belongs there";
	if (line.n > PASSWORD_MAX)
		return "the first line is longer than the 255 bytes that a password may have";
	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];
		if (c < ' ' || c == 0x7f)
			return "the password has a control character; OpenVPN could not be sent it";
	}
	return NULL;
}

bool password_read(const char *path, struct password *out, char *error, size_t error_size)
{
	char why[96];
	struct small_file f;
	if (!small_file_read(path, FILE_LIMIT, &f, why, sizeof why)) {
		snprintf(error, error_size,
			 "%s: %s; expected a readable file with the management password in its "
			 "first line",
			 path, why);
		return false;
	}
	if ((f.mode & (S_IRWXG | S_IRWXO)) != 0) {
		snprintf(error, error_size,
			 "%s: others than its owner may use this file (mode %03o); "
			 "run: chmod 600 %s",
			 path, (unsigned)(f.mode & 0777), path);
		small_file_done(&f);
		return false;
	}
	struct slice rest = {.p = f.text, .n = f.n};
	struct slice line = slice_cut(&rest, '\n');
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	const char *bad = flaw(line);
	if (bad == NULL) {
		out->n = slice_copy(line, out->text, sizeof out->text);
	} else {
		snprintf(error, error_size, "%s:1: %s", path, bad);
	}
	small_file_done(&f);
	return bad == NULL;
}

void password_wipe(struct password *p)
{
	explicit_bzero(p, sizeof *p);
}
