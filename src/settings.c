/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET_LIMIT_MAX 1e6
#define RELAYS_MAX	 8

#define OF_PROGRAM(field) false, offsetof(struct settings, field)
#define OF_TUNNEL(field)  true, offsetof(struct tunnel_settings, field)

const struct setting settings_table[] = {
    {"output", SETTING_TEXT, OF_PROGRAM(output)},
    {"format", SETTING_FORMAT, OF_PROGRAM(format)},
    {"ntp", SETTING_LIST, OF_PROGRAM(ntp)},
    {"offset-limit", SETTING_LIMIT, OF_PROGRAM(offset_limit_s)},
    {"verbose", SETTING_FLAG, OF_PROGRAM(verbose)},
    {"discover", SETTING_LIST, OF_PROGRAM(discover)},
    {"name", SETTING_TEXT, OF_TUNNEL(name)},
    {"management", SETTING_TEXT, OF_TUNNEL(management)},
    {"management-password-file", SETTING_TEXT, OF_TUNNEL(management_password_file)},
    {"profile", SETTING_TEXT, OF_TUNNEL(profile)},
    {"log", SETTING_TEXT, OF_TUNNEL(log)},
    {"peer-ntp", SETTING_TEXT, OF_TUNNEL(peer_ntp)},
    {"peer-management", SETTING_TEXT, OF_TUNNEL(peer_management)},
    {"peer-management-password-file", SETTING_TEXT, OF_TUNNEL(peer_management_password_file)},
    {"relay", SETTING_LIST, OF_TUNNEL(relay)},
    {"relay-readonly", SETTING_LIST, OF_TUNNEL(relay_readonly)},
    {"relay-password-file", SETTING_TEXT, OF_TUNNEL(relay_password_file)},
    {"relay-group", SETTING_TEXT, OF_TUNNEL(relay_group)},
    {"relay-allow-remote", SETTING_FLAG, OF_TUNNEL(relay_allow_remote)},
    {"release-hold", SETTING_FLAG, OF_TUNNEL(release_hold)},
    {"no-probe", SETTING_FLAG, OF_TUNNEL(no_probe)},
};
const size_t settings_count = sizeof settings_table / sizeof *settings_table;

const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < settings_count; i++)
		if (strcmp(settings_table[i].name, name) == 0)
			return &settings_table[i];
	return NULL;
}

/* --- a field of a struct, by the table ------------------------------------------------------- */

static void *field(void *owner, const struct setting *what)
{
	return (char *)owner + what->at;
}

static const void *const_field(const void *owner, const struct setting *what)
{
	return (const char *)owner + what->at;
}

static char **text_of(void *owner, const struct setting *what)
{
	return field(owner, what);
}

static void free_list(struct text_list *list)
{
	for (unsigned i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){0};
}

static bool list_add(struct text_list *list, const char *text)
{
	char **items = realloc(list->items, (list->n + 1) * sizeof *items);
	char *copy = strdup(text);
	if (items != NULL)
		list->items = items;
	if (items == NULL || copy == NULL) {
		free(copy);
		return false;
	}
	list->items[list->n++] = copy;
	return true;
}

static void free_fields(void *owner, bool of_tunnel)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *what = &settings_table[i];
		if (what->of_tunnel != of_tunnel)
			continue;
		if (what->kind == SETTING_TEXT) {
			free(*text_of(owner, what));
			*text_of(owner, what) = NULL;
		} else if (what->kind == SETTING_LIST) {
			free_list(field(owner, what));
		}
	}
}

/* --- the whole ------------------------------------------------------------------------------- */

void settings_init(struct settings *s)
{
	*s = (struct settings){.offset_limit_s = OFFSET_LIMIT_DEFAULT};
}

void tunnel_settings_free(struct tunnel_settings *t)
{
	free_fields(t, true);
}

void settings_free(struct settings *s)
{
	for (unsigned i = 0; i < s->n_tunnels; i++)
		tunnel_settings_free(&s->tunnels[i]);
	free(s->tunnels);
	tunnel_settings_free(&s->defaults);
	free_fields(s, false);
	settings_init(s);
}

struct tunnel_settings *settings_add_tunnel(struct settings *s, unsigned line)
{
	/* Doubled when it is full, at each power of two. */
	if ((s->n_tunnels & (s->n_tunnels - 1)) == 0) {
		size_t room = s->n_tunnels == 0 ? 1 : 2 * (size_t)s->n_tunnels;
		struct tunnel_settings *grown = realloc(s->tunnels, room * sizeof *grown);
		if (grown == NULL)
			return NULL;
		s->tunnels = grown;
	}
	struct tunnel_settings *t = &s->tunnels[s->n_tunnels++];
	*t = (struct tunnel_settings){.line = line};
	return t;
}

/* --- setting --------------------------------------------------------------------------------- */

static bool set_flag(enum flag *flag, const char *value, char *error, size_t error_size)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		if (strcmp(value, yes[i]) == 0)
			*flag = FLAG_YES;
		else if (strcmp(value, no[i]) == 0)
			*flag = FLAG_NO;
		else
			continue;
		return true;
	}
	snprintf(error, error_size, "is yes or no, not '%s'", value);
	return false;
}

static bool set_format(enum output_format *format, const char *value, char *error,
		       size_t error_size)
{
	static const char *const words[] = {
	    [FORMAT_AUTO] = "auto", [FORMAT_JSON] = "json", [FORMAT_TEXT] = "text"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(value, words[i]) == 0) {
			*format = (enum output_format)i;
			return true;
		}
	}
	snprintf(error, error_size, "is auto, json or text, not '%s'", value);
	return false;
}

static bool set_limit(double *limit, const char *value, char *error, size_t error_size)
{
	char *end;
	double s = strtod(value, &end);
	if (end == value || *end != '\0' || !isfinite(s) || s <= 0 || s > OFFSET_LIMIT_MAX) {
		snprintf(error, error_size, "is a number of seconds above 0, not '%s'", value);
		return false;
	}
	*limit = s;
	return true;
}

static unsigned list_limit(const struct setting *what)
{
	return what->of_tunnel			     ? RELAYS_MAX
	       : strcmp(what->name, "discover") == 0 ? DISCOVER_MAX
						     : NTP_SERVERS_MAX;
}

static bool set_text(void *owner, const struct setting *what, const char *value, char *error,
		     size_t error_size)
{
	struct text_list *list = field(owner, what);
	if (strcmp(what->name, "name") == 0 &&
	    (value[0] == '\0' || strlen(value) > NAME_MAX_BYTES)) {
		snprintf(error, error_size, "is a word of 1 to %d bytes", NAME_MAX_BYTES);
		return false;
	}
	if (value[0] == '\0') {
		snprintf(error, error_size, "has an empty value");
		return false;
	}
	if (what->kind == SETTING_LIST && list->n == list_limit(what)) {
		snprintf(error, error_size, "can be given %u times, not more", list_limit(what));
		return false;
	}
	if (what->kind == SETTING_LIST && list_add(list, value))
		return true;
	char *copy = what->kind == SETTING_TEXT ? strdup(value) : NULL;
	if (copy == NULL) {
		snprintf(error, error_size, "finds no memory");
		return false;
	}
	free(*text_of(owner, what));
	*text_of(owner, what) = copy;
	return true;
}

bool settings_set(struct settings *s, struct tunnel_settings *t, const struct setting *what,
		  const char *value, char *error, size_t error_size)
{
	void *owner = what->of_tunnel ? (void *)t : (void *)s;
	switch (what->kind) {
	case SETTING_TEXT:
	case SETTING_LIST:
		return set_text(owner, what, value, error, error_size);
	case SETTING_FLAG:
		return set_flag(field(owner, what), value, error, error_size);
	case SETTING_FORMAT:
		return set_format(field(owner, what), value, error, error_size);
	case SETTING_LIMIT:
		return set_limit(field(owner, what), value, error, error_size);
	}
	return false;
}

/* --- comparing and copying ------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_list(const struct text_list *a, const struct text_list *b)
{
	for (unsigned i = 0; i < a->n && i < b->n; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->n == b->n;
}

static bool same_flag(enum flag a, enum flag b)
{
	return (a == FLAG_YES) == (b == FLAG_YES);
}

static bool same_field(const void *a, const void *b, enum setting_kind kind)
{
	switch (kind) {
	case SETTING_TEXT:
		return same_text(*(char *const *)a, *(char *const *)b);
	case SETTING_LIST:
		return same_list(a, b);
	case SETTING_FLAG:
		return same_flag(*(const enum flag *)a, *(const enum flag *)b);
	case SETTING_FORMAT:
		return *(const enum output_format *)a == *(const enum output_format *)b;
	case SETTING_LIMIT:
		break;
	}
	return !islessgreater(*(const double *)a, *(const double *)b);
}

static bool same_fields(const void *a, const void *b, bool of_tunnel)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *what = &settings_table[i];
		if (what->of_tunnel == of_tunnel &&
		    !same_field(const_field(a, what), const_field(b, what), what->kind))
			return false;
	}
	return true;
}

bool tunnel_settings_equal(const struct tunnel_settings *a, const struct tunnel_settings *b)
{
	return same_fields(a, b, true);
}

bool settings_equal_but_tunnels(const struct settings *a, const struct settings *b)
{
	return same_fields(a, b, false);
}

/* `text` with the tunnel's name wherever it says "{name}"; the caller frees it. */
static char *expand(const char *text, const char *name)
{
	static const char mark[] = "{name}";
	size_t size = 0;
	char *out = NULL;
	FILE *f = open_memstream(&out, &size);
	if (f == NULL)
		return NULL;
	for (const char *at; name != NULL && (at = strstr(text, mark)) != NULL;
	     text = at + sizeof mark - 1)
		fprintf(f, "%.*s%s", (int)(at - text), text, name);
	fputs(text, f);
	if (fclose(f) != 0) {
		free(out);
		return NULL;
	}
	return out;
}

static bool inherit_list(struct text_list *to, const struct text_list *from, const char *name)
{
	for (unsigned i = 0; i < from->n; i++) {
		char *text = expand(from->items[i], name);
		bool added = text != NULL && list_add(to, text);
		free(text);
		if (!added)
			return false;
	}
	return true;
}

/* What `to` does not have; with `name`, "{name}" is replaced. */
static bool inherit(struct tunnel_settings *to, const struct tunnel_settings *from,
		    const char *name)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *what = &settings_table[i];
		const void *source = const_field(from, what);
		if (!what->of_tunnel)
			continue;
		if (what->kind == SETTING_FLAG) {
			enum flag *flag = field(to, what);
			if (*flag == FLAG_UNSET)
				*flag = *(const enum flag *)source;
		} else if (what->kind == SETTING_LIST) {
			struct text_list *list = field(to, what);
			if (list->n == 0 && !inherit_list(list, source, name))
				return false;
		} else if (*text_of(to, what) == NULL && *(char *const *)source != NULL) {
			*text_of(to, what) = expand(*(char *const *)source, name);
			if (*text_of(to, what) == NULL)
				return false;
		}
	}
	return true;
}

bool settings_inherit(const struct settings *s, struct tunnel_settings *t)
{
	return inherit(t, &s->defaults, t->name);
}

bool tunnel_settings_copy(struct tunnel_settings *out, const struct tunnel_settings *from)
{
	*out = (struct tunnel_settings){.line = from->line};
	if (inherit(out, from, NULL))
		return true;
	tunnel_settings_free(out);
	return false;
}

/* --- the whole makes sense ------------------------------------------------------------------- */

/* Its name, or what comes closest to one. */
static const char *called(const struct tunnel_settings *t)
{
	return t->name != NULL	       ? t->name
	       : t->management != NULL ? t->management
	       : t->profile != NULL    ? t->profile
	       : t->log != NULL	       ? t->log
				       : "without a name";
}

static bool tunnel_makes_sense(const struct settings *s, const struct tunnel_settings *t,
			       char *error, size_t error_size)
{
	const struct tunnel_settings *d = &s->defaults; /* may speak of those that have one */
	bool relays = t->relay.n > 0 || t->relay_readonly.n > 0;
	bool of_relay = (t->relay_password_file != NULL && d->relay_password_file == NULL) ||
			(t->relay_group != NULL && d->relay_group == NULL) ||
			(t->relay_allow_remote == FLAG_YES && d->relay_allow_remote != FLAG_YES);
	if (t->management == NULL && t->profile == NULL && t->log == NULL)
		snprintf(error, error_size,
			 "tunnel %s: where is it? Give its management address, its profile or its "
			 "log",
			 called(t));
	else if (t->peer_management_password_file != NULL && t->peer_management == NULL)
		snprintf(error, error_size,
			 "peer-management-password-file is the password of which interface? Give "
			 "peer-management too");
	else if (of_relay && !relays)
		snprintf(error, error_size,
			 "what is said of a relay is about none: give relay or relay-readonly too");
	else if (s->n_tunnels > 1 && t->name == NULL)
		snprintf(error, error_size,
			 "tunnel %s: give each of several tunnels a name, before all else that is "
			 "said of it",
			 called(t));
	else
		return true;
	return false;
}

static bool clash(const struct tunnel_settings *a, const struct tunnel_settings *b, char *error,
		  size_t error_size)
{
	if (same_text(a->name, b->name))
		snprintf(error, error_size, "there is a tunnel %s already", called(b));
	else if (b->management != NULL && same_text(a->management, b->management))
		snprintf(error, error_size,
			 "tunnel %s has the management address %s already, and OpenVPN serves one "
			 "client at a time",
			 called(a), b->management);
	else
		return false;
	return true;
}

/* Sorted by one text, equal ones are neighbours: thousands of tunnels are compared in no time. */
static int by_name(const void *a, const void *b)
{
	const struct tunnel_settings *const *x = a, *const *y = b;
	const char *p = (*x)->name, *q = (*y)->name;
	return strcmp(p != NULL ? p : "", q != NULL ? q : "");
}

static int by_management(const void *a, const void *b)
{
	const struct tunnel_settings *const *x = a, *const *y = b;
	const char *p = (*x)->management, *q = (*y)->management;
	return strcmp(p != NULL ? p : "", q != NULL ? q : "");
}

static bool any_clash(const struct tunnel_settings **order, unsigned n, unsigned *line, char *error,
		      size_t error_size)
{
	for (unsigned i = 1; i < n; i++) {
		const struct tunnel_settings *a = order[i - 1], *b = order[i];
		if (a > b) { /* the later one is in the wrong */
			a = order[i];
			b = order[i - 1];
		}
		if (clash(a, b, error, error_size)) {
			*line = b->line;
			return true;
		}
	}
	return false;
}

static bool find_clashes(const struct settings *s, unsigned *line, char *error, size_t error_size)
{
	const struct tunnel_settings **order = calloc(s->n_tunnels, sizeof(*order));
	if (order == NULL) {
		snprintf(error, error_size, "no memory");
		return true;
	}
	for (unsigned i = 0; i < s->n_tunnels; i++)
		order[i] = &s->tunnels[i];
	qsort(order, s->n_tunnels, sizeof(*order), by_name);
	bool found = any_clash(order, s->n_tunnels, line, error, error_size);
	qsort(order, s->n_tunnels, sizeof(*order), by_management);
	found = found || any_clash(order, s->n_tunnels, line, error, error_size);
	free(order);
	return found;
}

bool settings_finish(struct settings *s, unsigned *line, char *error, size_t error_size)
{
	*line = 0;
	for (unsigned i = 0; i < s->n_tunnels; i++) {
		struct tunnel_settings *t = &s->tunnels[i];
		*line = t->line;
		if (!settings_inherit(s, t)) {
			snprintf(error, error_size, "no memory");
			return false;
		}
		if (!tunnel_makes_sense(s, t, error, error_size))
			return false;
	}
	*line = 0;
	return s->n_tunnels < 2 || !find_clashes(s, line, error, error_size);
}
