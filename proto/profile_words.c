/* SPDX-License-Identifier: MIT */
#include "proto/profile_words.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

/* The state of the word that is being read. */
struct scanner {
	struct profile_words *out;
	size_t used;
	bool in_word;
	char quote; /* 0, '"' or '\'' */
	bool escaped;
};

static bool begin_word(struct scanner *s)
{
	if (s->in_word)
		return true;
	if (s->out->n == PROFILE_WORDS_MAX)
		return false;
	s->out->word[s->out->n++] = s->out->buf + s->used;
	s->in_word = true;
	return true;
}

static void add(struct scanner *s, char c)
{
	s->out->buf[s->used++] = c;
}

static void end_word(struct scanner *s)
{
	if (s->in_word)
		add(s, '\0');
	s->in_word = false;
}

/* One character; false where the rest of the line is a comment or there are too many words. */
static bool scan(struct scanner *s, char c)
{
	if (s->escaped) {
		s->escaped = false;
		add(s, c);
		return true;
	}
	if (s->quote != '\0') {
		if (c == s->quote)
			s->quote = '\0';
		else if (c == '\\' && s->quote == '"')
			s->escaped = true;
		else
			add(s, c);
		return true;
	}
	if (is_blank(c)) {
		end_word(s);
		return true;
	}
	if (!s->in_word && (c == '#' || c == ';'))
		return false;
	if (!begin_word(s))
		return false;
	if (c == '"' || c == '\'')
		s->quote = c;
	else if (c == '\\')
		s->escaped = true;
	else
		add(s, c);
	return true;
}

static const char *split(struct slice line, struct profile_words *out)
{
	struct scanner s = {.out = out};
	out->n = 0;
	if (line.n > PROFILE_LINE_MAX)
		return "the line is longer than OpenVPN reads (256 characters)";
	for (size_t i = 0; i < line.n && scan(&s, line.p[i]); i++)
		;
	if (s.quote != '\0')
		return "a quote is not closed";
	if (s.escaped)
		return "a backslash at the end of the line escapes nothing";
	end_word(&s);
	return NULL;
}

/* "<tls-auth>": the option's name, or empty. */
static struct slice inline_tag(struct slice line)
{
	struct slice s = slice_trim(line);
	if (s.n < 3 || s.p[0] != '<' || s.p[s.n - 1] != '>' || s.p[1] == '/')
		return (struct slice){0};
	return (struct slice){.p = s.p + 1, .n = s.n - 2};
}

static bool is_end_tag(struct slice line, struct slice tag)
{
	struct slice s = slice_trim(line);
	return s.n >= tag.n + 3 && s.p[0] == '<' && s.p[1] == '/' && s.p[2 + tag.n] == '>' &&
	       memcmp(s.p + 2, tag.p, tag.n) == 0;
}

static const char *take_inline(struct slice *text, unsigned *line, struct slice tag,
			       struct profile_words *out)
{
	struct slice body = *text;
	size_t size = 0;
	if (tag.n > 64)
		return "the name of the inline file is too long";
	while (text->n > 0) {
		struct slice next = slice_cut(text, '\n');
		++*line;
		if (!is_end_tag(next, tag)) {
			size = text->p != NULL ? (size_t)(text->p - body.p) : body.n;
			continue;
		}
		body.n = size;
		out->has_inline = true;
		out->inline_text = body;
		memcpy(out->buf, tag.p, tag.n);
		out->buf[tag.n] = '\0';
		memcpy(out->buf + tag.n + 1, "[inline]", sizeof "[inline]");
		out->word[0] = out->buf;
		out->word[1] = out->buf + tag.n + 1;
		out->n = 2;
		return NULL;
	}
	return "the inline file that began here has no end (</...>)";
}

enum profile_line profile_words_next(struct slice *text, unsigned *line, struct profile_words *out,
				     const char **wrong)
{
	while (text->n > 0) {
		struct slice next = slice_cut(text, '\n');
		struct slice tag = inline_tag(next);
		++*line;
		out->n = 0;
		out->has_inline = false;
		out->inline_text = (struct slice){0};
		/* <connection> is a block of options, not a file. */
		if (tag.n > 0 && !slice_is(tag, "connection")) {
			unsigned began = *line;
			*wrong = take_inline(text, line, tag, out);
			if (*wrong != NULL)
				*line = began;
			return *wrong == NULL ? PROFILE_LINE : PROFILE_WRONG;
		}
		*wrong = split(next, out);
		if (*wrong != NULL)
			return PROFILE_WRONG;
		if (out->n > 0)
			return PROFILE_LINE;
	}
	return PROFILE_END;
}
