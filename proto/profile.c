/* SPDX-License-Identifier: MIT
 *
 * Reads profiles: lines and inline blocks (OpenVPN options.c read_config_file, read_inline_file,
 * check_inline_file), and at the end what the options mean together
 * (options_postprocess_mutate, connection_entry_load_re there).
 */
#include "proto/profile_parser.h"

#define DEFAULT_PORT 1194

/* The next line with its newline; the caller has seen that there is one. */
static struct slice take_line(struct profile_parser *p)
{
	const char *end = memchr(p->rest.p, '\n', p->rest.n);
	struct slice line = p->rest;
	if (end != NULL)
		line.n = (size_t)(end - line.p) + 1;
	p->rest = slice_skip(p->rest, line.n);
	p->line++;
	return line;
}

static struct slice skip_space(struct slice line)
{
	while (line.n > 0 && words_is_space(line.p[0]))
		line = slice_skip(line, 1);
	return line;
}

static bool closes(struct slice line, struct slice tag)
{
	line = skip_space(line);
	return slice_starts(line, "</") && line.n >= tag.n + 3 &&
	       memcmp(line.p + 2, tag.p, tag.n) == 0 && line.p[2 + tag.n] == '>';
}

/* Takes the lines up to </tag>, and that one too. */
static bool take_inline(struct profile_parser *p, struct slice tag, struct slice *body)
{
	unsigned opened = p->line;
	struct slice all = p->rest;
	while (p->rest.n > 0) {
		size_t before = p->rest.n;
		if (closes(take_line(p), tag)) {
			*body = (struct slice){all.p, all.n - before};
			return true;
		}
	}
	p->line = opened;
	return profile_fail(p, "<%.*s> is never closed: there is no </%.*s>", SHOWN(tag),
			    SHOWN(tag));
}

/* One option with its words. */
static bool read_option(struct profile_parser *p, struct words *w)
{
	/* `setenv opt X …` is X, for an OpenVPN that knows it. */
	if (w->n > 2 && slice_is(w->word[0], "setenv") && slice_is(w->word[1], "opt")) {
		w->n -= 2;
		memmove(w->word, w->word + 2, w->n * sizeof *w->word);
	}
	const struct profile_option *o = profile_option_find(w->word[0], p->in_block);
	if (o == NULL)
		return true;
	if (w->n - 1 < o->least || w->n - 1 > o->most)
		return profile_fail(p, "%s: too %s words: it should be '%s%s%s'", o->name,
				    w->n - 1 < o->least ? "few" : "many", o->name,
				    *o->usage != '\0' ? " " : "", o->usage);
	return o->read(p, w);
}

static bool is_comment(struct slice line)
{
	line = skip_space(line);
	return line.n == 0 || line.p[0] == '#' || line.p[0] == ';';
}

/* The words of a line; none if there is nothing to read. */
static bool split_line(struct profile_parser *p, struct slice line, struct words *w)
{
	w->n = 0;
	if (p->line == 1 && slice_starts(line, "\xEF\xBB\xBF"))
		line = slice_skip(line, 3);
	/* OpenVPN refuses long comments as well, but other clients of the same file do not. */
	if (is_comment(line))
		return true;
	if (line.n > WORDS_LINE_MAX)
		return profile_fail(p,
				    "the line is longer than the %d characters that OpenVPN reads",
				    WORDS_LINE_MAX);
	const char *problem = words_split(line, w);
	if (problem != NULL)
		return profile_fail(p, "%s", problem);
	if (w->n > 0 && w->word[0].n >= 3 && slice_starts(w->word[0], "--"))
		w->word[0] = slice_skip(w->word[0], 2);
	return true;
}

/* The tag of a line that is <tag> and nothing else. */
static bool opens_inline(const struct words *w, struct slice *tag)
{
	if (w->n != 1 || !slice_starts(w->word[0], "<") || w->word[0].p[w->word[0].n - 1] != '>')
		return false;
	*tag = (struct slice){w->word[0].p + 1, w->word[0].n - 2};
	return true;
}

static bool read_lines(struct profile_parser *p);

static bool same_key(const struct profile_key *a, const struct profile_key *b)
{
	return a->wrap == b->wrap && a->is_inline == b->is_inline &&
	       slice_equal(a->text, b->text) && strcmp(a->file, b->file) == 0 &&
	       (a->wrap != WRAP_TLS_AUTH || a->direction == b->direction);
}

static enum profile_key_owner owner_of_block(struct profile_parser *p)
{
	if (p->this_key.wrap == WRAP_PLAIN)
		return KEY_OF_PROFILE;
	if (p->block_key.wrap == WRAP_PLAIN)
		p->block_key = p->this_key;
	return same_key(&p->block_key, &p->this_key) ? KEY_OF_BLOCK : KEY_OF_ANOTHER_BLOCK;
}

/* The lines of a <connection> block, which stand in p->rest. */
static bool read_block(struct profile_parser *p)
{
	unsigned opened = p->line;
	if (!p->blocks) { /* `remote`s at the top count only where there are no blocks */
		p->blocks = true;
		p->p.n_remotes = p->p.more_remotes = 0;
	}
	/* Only what the top has said above the block is valid in it. */
	p->block_base = p->base;
	p->this_key = (struct profile_key){.direction = KEY_BIDIRECTIONAL};
	p->block_has_remote = false;
	p->in_block = true;
	if (!read_lines(p))
		return false;
	p->in_block = false;
	p->line = opened;
	if (!p->block_has_remote)
		return profile_fail(p, "this <connection> has no remote: it needs one");
	profile_add_remote(p, slice_from(p->block_host), p->block_base, owner_of_block(p));
	return true;
}

static bool read_inline(struct profile_parser *p, struct slice tag)
{
	unsigned opened = p->line;
	struct slice body;
	if (!take_inline(p, tag, &body))
		return false;
	unsigned closed = p->line;
	struct slice below = p->rest;
	p->line = opened; /* errors name this line, and the lines of a block count on from it */
	p->rest = body;
	bool block = slice_is(tag, "connection") && !p->in_block;
	if (block ? !read_block(p) : !profile_inline_key(p, tag, body))
		return false;
	p->line = closed;
	p->rest = below;
	return true;
}

static bool read_lines(struct profile_parser *p)
{
	while (p->rest.n > 0) {
		struct words w;
		struct slice tag;
		if (!split_line(p, take_line(p), &w))
			return false;
		if (w.n > 0 && !(opens_inline(&w, &tag) ? read_inline(p, tag) : read_option(p, &w)))
			return false;
	}
	return true;
}

static enum profile_proto proto_of(struct profile_endpoint e)
{
	if (e.transport == TCP)
		return e.family == V4 ? PROTO_TCP4 : e.family == V6 ? PROTO_TCP6 : PROTO_TCP;
	return e.family == V4 ? PROTO_UDP4 : e.family == V6 ? PROTO_UDP6 : PROTO_UDP;
}

/* What a `remote` does not say is what the top says, wherever it stands there. */
static void resolve_remote(struct profile_parser *p, size_t i)
{
	/* A block has taken over from the top already. */
	struct profile_endpoint e = {0};
	if (!p->blocks)
		e = p->base;
	struct profile_endpoint own = p->own[i];
	e.port = own.port != 0 ? own.port : e.port;
	e.transport = own.transport != ANY_TRANSPORT ? own.transport : e.transport;
	e.family = own.family != ANY_FAMILY ? own.family : e.family;
	p->p.remotes[i].port = e.port != 0 ? e.port : DEFAULT_PORT;
	p->p.remotes[i].proto = proto_of(e);
}

/* The key of the first remote is the profile's; remotes under another one are only counted. */
static const struct profile_key *choose_key(struct profile_parser *p)
{
	enum profile_key_owner owner = p->p.n_remotes > 0 ? p->owner[0] : KEY_OF_PROFILE;
	bool same = same_key(&p->key, &p->block_key);
	size_t kept = 0;
	for (size_t i = 0; i < p->p.n_remotes; i++) {
		bool either = p->owner[i] != KEY_OF_ANOTHER_BLOCK && same;
		if (p->owner[i] == owner || either)
			p->p.remotes[kept++] = p->p.remotes[i];
	}
	p->p.more_remotes += p->p.n_remotes - kept;
	memset(p->p.remotes + kept, 0, (p->p.n_remotes - kept) * sizeof *p->p.remotes);
	p->p.n_remotes = kept;
	return owner == KEY_OF_BLOCK ? &p->block_key : &p->key;
}

static void finish(struct profile_parser *p)
{
	for (size_t i = 0; i < p->p.n_remotes; i++)
		resolve_remote(p, i);
	const struct profile_key *key = choose_key(p);
	p->p.wrap = key->wrap;
	p->p.direction = key->direction;
	p->p.key_inline = key->is_inline;
	p->p.key_text = key->text;
	slice_copy(slice_from(key->file), p->p.key_file, sizeof p->p.key_file);
}

bool profile_proto_is_tcp(enum profile_proto proto)
{
	return proto == PROTO_TCP || proto == PROTO_TCP4 || proto == PROTO_TCP6;
}

bool profile_parse(struct slice text, struct profile *out, struct profile_error *error)
{
	struct profile_parser p = {
	    .rest = text,
	    .error = error,
	    .key = {.direction = KEY_BIDIRECTIONAL},
	    .block_key = {.direction = KEY_BIDIRECTIONAL},
	    .p = {.auth = "SHA1",
		  .direction = KEY_BIDIRECTIONAL,
		  .ping = -1,
		  .ping_restart = -1,
		  .ping_exit = -1,
		  .reneg_sec = -1},
	};
	if (!read_lines(&p))
		return false;
	finish(&p);
	*out = p.p;
	return true;
}
