/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "nearest.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>

#define SECTION_MAX 50 /* libinih's, terminator included */

struct reading {
	const char *path;
	FILE *file;
	struct settings *s;
	struct tunnel_settings *t; /* of the present section; NULL: none */
	unsigned line;
	bool first; /* a line that is not only a comment has come */
	char *error;
	size_t error_size;
	bool failed;
};

/* The first mistake is the one that is told. */
static int __attribute__((format(printf, 2, 3))) wrong(struct reading *r, const char *format, ...)
{
	char what[256];
	va_list args;
	if (r->failed)
		return 0;
	r->failed = true;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	snprintf(r->error, r->error_size, "%s:%u: %s", r->path, r->line, what);
	return 0;
}

static void unknown_key(struct reading *r, const char *key)
{
	const char *words[32];
	size_t n = 0;
	for (size_t i = 0; i < settings_count && n < sizeof words / sizeof *words; i++)
		words[n++] = settings_table[i].name;
	const char *meant = nearest(key, words, n);
	if (meant != NULL)
		wrong(r, "unknown key '%s'; is '%s' meant?", key, meant);
	else
		wrong(r, "unknown key '%s'; the manual has them all: man ovpnwatch", key);
}

/* As libinih calls it, for every key. */
static int on_key(void *user, const char *section, const char *key, const char *value)
{
	struct reading *r = user;
	const struct setting *what = setting_find(key);
	char error[160];
	(void)section; /* begin_section() has seen it, and its line */
	if (r->failed)
		return 0;
	if (r->t == NULL)
		return wrong(r,
			     "'%s' stands before any section: begin with [ovpnwatch] or "
			     "[tunnel NAME]",
			     key);
	bool program = r->t == &r->s->defaults;
	if (what == NULL || strcmp(key, "name") == 0) {
		unknown_key(r, key);
		return 0;
	}
	if (!what->of_tunnel && !program)
		return wrong(r, "'%s' is of the whole program: put it under [ovpnwatch]", key);
	if (value[0] == ';') /* as it is everywhere else behind white space */
		value = "";
	if (!settings_set(r->s, r->t, what, value, error, sizeof error))
		return wrong(r, "%s %s", key, error);
	return 1;
}

static void begin_section(struct reading *r, const char *head)
{
	static const char tunnel[] = "tunnel ";
	char name[SECTION_MAX], error[160];
	const char *end = strchr(head, ']');
	size_t n = end != NULL ? (size_t)(end - head) : 0;
	r->t = NULL;
	if (end == NULL) {
		wrong(r, "a section's head ends with ']'");
		return;
	}
	if (n >= sizeof name) {
		wrong(r, "a tunnel's name has at most %d bytes here", CONFIG_NAME_MAX);
		return;
	}
	const char *behind = end + 1 + strspn(end + 1, " \t\r\n");
	if (*behind != '\0' && *behind != ';' && *behind != '#') {
		wrong(r, "a section's head has its line for itself");
		return;
	}
	memcpy(name, head, n);
	name[n] = '\0';
	if (strcmp(name, "ovpnwatch") == 0) {
		r->t = &r->s->defaults;
		return;
	}
	if (strncmp(name, tunnel, sizeof tunnel - 1) != 0 || n < sizeof tunnel) {
		wrong(r, "unknown section [%s]: the sections are [ovpnwatch] and [tunnel NAME]",
		      name);
		return;
	}
	if (n - sizeof tunnel + 1 > CONFIG_NAME_MAX) {
		wrong(r, "a tunnel's name has at most %d bytes here", CONFIG_NAME_MAX);
		return;
	}
	r->t = settings_add_tunnel(r->s, r->line);
	if (r->t == NULL || !settings_set(r->s, r->t, setting_find("name"),
					  name + sizeof tunnel - 1, error, sizeof error))
		wrong(r, "no memory");
}

/* As libinih calls it, for every line: it counts no lines that a handler could tell, cuts long ones
 * and says nothing of a section without keys, so all this is done here. A line that begins with
 * white space would go on with the value before; here it is a line like any other. */
static char *next_line(char *buf, int size, void *user)
{
	struct reading *r = user;
	if (r->failed || fgets(buf, size, r->file) == NULL)
		return NULL;
	r->line++;
	size_t n = strlen(buf);
	if ((n == 0 || buf[n - 1] != '\n') && !feof(r->file))
		wrong(r, "a line has at most %d bytes, and none of them is 0", CONFIG_LINE_MAX);
	static const char mark[] = "\xef\xbb\xbf"; /* UTF-8's, as some editors put it */
	bool marked = r->line == 1 && strncmp(buf, mark, sizeof mark - 1) == 0;
	const char *text = marked ? buf + sizeof mark - 1 : buf;
	text += strspn(text, " \t\r\n");
	memmove(buf, text, strlen(text) + 1);
	if (buf[0] == '[')
		begin_section(r, buf + 1);
	else if (buf[0] != '\0' && buf[0] != ';' && buf[0] != '#' && strpbrk(buf, "=:") == NULL)
		wrong(r, "a line is 'key = value', a [section] or a '# comment'");
	if (r->failed)
		buf[0] = '\0';
	return buf;
}

enum config_result config_read(FILE *f, const char *name, struct settings *s, char *error,
			       size_t error_size)
{
	struct reading r = {
	    .path = name, .file = f, .s = s, .error = error, .error_size = error_size};
	int rc = ini_parse_stream(next_line, &r, on_key, &r);
	if (r.failed)
		return CONFIG_WRONG;
	if (ferror(f)) {
		snprintf(error, error_size, "%s: cannot be read: %s", name, strerror(errno));
		return CONFIG_UNREADABLE;
	}
	if (rc == 0)
		return CONFIG_FINE;
	r.line = rc > 0 ? (unsigned)rc : r.line;
	wrong(&r, "it is not understood");
	return CONFIG_WRONG;
}

enum config_result config_load(const char *path, struct settings *s, char *error, size_t error_size)
{
	FILE *f = fopen(path, "re");
	if (f == NULL) {
		snprintf(error, error_size, "%s: cannot be read: %s", path, strerror(errno));
		return CONFIG_UNREADABLE;
	}
	enum config_result result = config_read(f, path, s, error, error_size);
	fclose(f);
	return result;
}

/* --- printing -------------------------------------------------------------------------------- */

static const char *flag_word(enum flag flag)
{
	return flag == FLAG_YES ? "yes" : "no";
}

static void print_fields(FILE *f, const void *owner, bool of_tunnel)
{
	static const char *const formats[] = {
	    [FORMAT_AUTO] = "auto", [FORMAT_JSON] = "json", [FORMAT_TEXT] = "text"};
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *what = &settings_table[i];
		const void *at = (const char *)owner + what->at;
		if (what->of_tunnel != of_tunnel || strcmp(what->name, "name") == 0)
			continue;
		if (what->kind == SETTING_TEXT && *(char *const *)at != NULL)
			fprintf(f, "%s = %s\n", what->name, *(char *const *)at);
		else if (what->kind == SETTING_LIST)
			for (unsigned k = 0; k < ((const struct text_list *)at)->n; k++)
				fprintf(f, "%s = %s\n", what->name,
					((const struct text_list *)at)->items[k]);
		else if (what->kind == SETTING_FLAG)
			fprintf(f, "%s = %s\n", what->name, flag_word(*(const enum flag *)at));
		else if (what->kind == SETTING_FORMAT)
			fprintf(f, "%s = %s\n", what->name,
				formats[*(const enum output_format *)at]);
		else if (what->kind == SETTING_LIMIT)
			fprintf(f, "%s = %g\n", what->name, *(const double *)at);
	}
}

void config_print(FILE *f, const struct settings *s)
{
	fprintf(f, "[ovpnwatch]\n");
	print_fields(f, s, false);
	if (s->discover.n > 0) /* those that are found later have the defaults alone */
		print_fields(f, &s->defaults, true);
	for (unsigned i = 0; i < s->n_tunnels; i++) {
		const struct tunnel_settings *t = &s->tunnels[i];
		if (t->name != NULL)
			fprintf(f, "\n[tunnel %s]\n", t->name);
		else
			fprintf(f, "\n[tunnel %u]\n", i + 1);
		print_fields(f, t, true);
	}
}
