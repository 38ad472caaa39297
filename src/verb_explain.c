/* SPDX-License-Identifier: MIT
 *
 * ovpnwatch explain: the manual of causes on the console: all of them in a line each, or one at
 * length.
 */
#include "core/names.h"
#include "io/output.h"
#include "nearest.h"
#include "sink/manual.h"
#include "verbs.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define WIDTH_ELSEWHERE 80
#define TITLE_MAX	256

static int list_causes(void)
{
	char text[CAUSE_COUNT * 128], *to = text;
	for (unsigned c = 0; c < CAUSE_COUNT; c++)
		to += snprintf(to, sizeof text - (size_t)(to - text), "%-19s  %s\n",
			       name_cause((enum cause_name)c), cause_phrase((enum cause_name)c));
	assert(to < text + sizeof text - 1);
	return print(text);
}

static int explain(enum cause_name cause)
{
	static char text[TITLE_MAX + MANUAL_TEXT_MAX + 1];
	struct text_style style = output_style(STDOUT_FILENO);
	struct slice section;
	bool there = manual_section(slice_from(manual_causes), name_cause(cause), &section);
	assert(there); /* a test of the house */
	if (style.width == 0)
		style.width = WIDTH_ELSEWHERE;
	int n = snprintf(text, TITLE_MAX, "%s%s%s\n  %s\n\n", style.colour ? "\033[1m" : "",
			 name_cause(cause), style.colour ? "\033[0m" : "", cause_phrase(cause));
	assert(n > 0 && n < TITLE_MAX);
	struct manual_text body = manual_render(section, &style, text + n);
	text[(size_t)n + body.n] = '\0';
	return print(text);
}

static int unknown_cause(const char *word)
{
	const char *causes[CAUSE_COUNT];
	char list[CAUSE_COUNT * 32] = "", hint[96] = "";
	size_t n = 0;
	for (unsigned c = 0; c < CAUSE_COUNT; c++) {
		causes[c] = name_cause((enum cause_name)c);
		n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", c > 0 ? ", " : "",
				      causes[c]);
		assert(n < sizeof list);
	}
	const char *near = nearest(word, causes, CAUSE_COUNT);
	if (near != NULL)
		snprintf(hint, sizeof hint, "did you mean %s? The", near);
	return complain(EX_USAGE, "unknown cause '%s': %s causes are %s", word,
			near != NULL ? hint : "the", list);
}

int verb_explain(const struct options *o)
{
	if (o->cause == NULL)
		return list_causes();
	for (unsigned c = 0; c < CAUSE_COUNT; c++)
		if (strcmp(o->cause, name_cause((enum cause_name)c)) == 0)
			return explain((enum cause_name)c);
	return unknown_cause(o->cause);
}
