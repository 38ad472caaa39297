/* SPDX-License-Identifier: MIT
 *
 * Splits lines of a configuration. Each kind of word has its own reader; what they share is the
 * cursor, which knows backslashes.
 */
#include "proto/profile_words.h"

#define END '\0' /* a line ends at its first NUL: OpenVPN reads it as a C string */

struct cursor {
	struct slice rest;
	struct words *out;
	size_t used; /* of out->text */
	const char *problem;
};

static char peek(const struct cursor *c)
{
	return c->rest.n > 0 ? c->rest.p[0] : END;
}

static bool at_space(const struct cursor *c)
{
	return peek(c) == END || words_is_space(peek(c));
}

static void skip(struct cursor *c)
{
	c->rest = slice_skip(c->rest, 1);
}

/* Moves onto the character behind a backslash, if that is what stands here. */
static bool skip_backslash(struct cursor *c)
{
	if (peek(c) != '\\')
		return false;
	skip(c);
	return true;
}

static void store(struct cursor *c, bool escaped)
{
	char byte = peek(c);
	if (escaped && byte != '\\' && byte != '"' && !words_is_space(byte))
		c->problem = "a backslash may only stand before a space, a quote \" or another "
			     "backslash (write \\\\ for one)";
	else if (c->used == sizeof c->out->text)
		c->problem = "the line is too long";
	else
		c->out->text[c->used++] = byte;
	skip(c);
}

static void read_plain(struct cursor *c, bool escaped)
{
	/* `escaped` is about the first character, whose backslash has been read. */
	while (c->problem == NULL && (escaped || !at_space(c))) {
		if (!escaped)
			escaped = skip_backslash(c);
		if (peek(c) == END) {
			c->problem = "the line ends with a backslash";
			return;
		}
		store(c, escaped);
		escaped = false;
	}
}

static void read_quoted(struct cursor *c)
{
	for (skip(c); c->problem == NULL;) {
		bool escaped = skip_backslash(c);
		if (peek(c) == END)
			c->problem = "a quotation is opened with \" and never closed";
		else if (peek(c) == '"' && !escaped)
			break;
		else
			store(c, escaped);
	}
	skip(c);
}

static void read_single_quoted(struct cursor *c)
{
	for (skip(c); c->problem == NULL && peek(c) != '\'';) {
		if (peek(c) == END)
			c->problem = "a quotation is opened with ' and never closed";
		else
			store(c, false);
	}
	skip(c);
}

/* Stands on the first character of a word. */
static void read_word(struct cursor *c, bool escaped)
{
	size_t from = c->used;
	if (!escaped && peek(c) == '"')
		read_quoted(c);
	else if (!escaped && peek(c) == '\'')
		read_single_quoted(c);
	else
		read_plain(c, escaped);
	c->out->word[c->out->n++] = (struct slice){c->out->text + from, c->used - from};
}

const char *words_split(struct slice line, struct words *out)
{
	struct cursor c = {.rest = line, .out = out};
	out->n = 0;
	while (peek(&c) != END && c.problem == NULL && out->n < WORDS_MAX) {
		/* A backslash between words hides neither a space nor a comment. */
		bool escaped = skip_backslash(&c);
		if (peek(&c) == '#' || peek(&c) == ';')
			break;
		if (at_space(&c))
			skip(&c);
		else
			read_word(&c, escaped);
	}
	return c.problem;
}
