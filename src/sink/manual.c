/* SPDX-License-Identifier: MIT */
#include "sink/manual.h"

#include <stdio.h>
#include <string.h>

#define RESET "\033[0m"
#define BOLD  "\033[1m"

#define INDENT	    2 /* of a label, or of text outside a list */
#define STEP	    2 /* further in for what stands under a label, and again for a command */
#define WIDTH_LEAST 40
#define ARGS_MAX    40
#define ARG_MAX	    80
/* What must stay on one line: a word with its punctuation, or a short quotation. */
#define ATOM_MAX  240
#define QUOTE_MAX 40

/* What is being written. Words are collected in `atom` until it is known that nothing is glued to
 * them any more, and then put on this line or on the next. */
struct pen {
	char *out;
	size_t used;
	bool cut;
	unsigned width, column, indent;
	bool bold; /* the terminal wants it */
	bool any;  /* something was written, so that a paragraph needs a blank line before it */
	char atom[ATOM_MAX];
	size_t atom_n;
	unsigned odd;
	char first[16];
};

/* The words of a line: of a macro line without its dot, the name first. */
struct args {
	unsigned n;
	char arg[ARGS_MAX][ARG_MAX];
};

/* --- the pen --------------------------------------------------------------------------------- */

static void put(struct pen *p, const char *s, size_t n)
{
	if (p->cut || p->used + n > MANUAL_TEXT_MAX - 1) { /* a newline shall have room */
		p->cut = true;
		return;
	}
	memcpy(p->out + p->used, s, n);
	p->used += n;
}

static void newline(struct pen *p)
{
	bool ended = p->used > 0 && p->out[p->used - 1] == '\n';
	p->column = 0;
	if (p->cut && ended)
		return;
	if (p->used < MANUAL_TEXT_MAX)
		p->out[p->used++] = '\n';
	else
		p->cut = true;
}

static void put_spaces(struct pen *p, unsigned n)
{
	for (; n > 0; n--, p->column++)
		put(p, " ", 1);
}

static void put_atom(struct pen *p)
{
	size_t n = p->atom_n;
	if (n == 0)
		return;
	if (p->column > p->indent && p->width > 0 && p->column + 1 + n > p->width)
		newline(p);
	if (p->column == 0)
		put_spaces(p, p->indent);
	else if (p->column > p->indent)
		put_spaces(p, 1);
	put(p, p->atom, n);
	p->column += (unsigned)n;
	p->atom_n = 0;
	p->any = true;
}

static void end_line(struct pen *p)
{
	put_atom(p);
	if (p->column > 0)
		newline(p);
}

static void paragraph(struct pen *p)
{
	end_line(p);
	if (p->any && !p->cut)
		newline(p);
	p->any = false;
}

/* A word, apart from the one before or glued to it. Only printable ASCII gets through. */
static void word(struct pen *p, const char *s, bool glued)
{
	if (!glued)
		put_atom(p);
	for (; *s != '\0' && p->atom_n < sizeof p->atom; s++)
		if (*s >= 0x20 && *s <= 0x7e)
			p->atom[p->atom_n++] = *s;
}

/* --- words of mdoc --------------------------------------------------------------------------- */

/* Takes one word off the front, as roff(7) splits them: at blanks, but not within "". Escapes: \-
 * is a hyphen, \& nothing, \e a backslash. False: there is none. */
static bool take_word(struct slice *rest, bool quotes, char out[ARG_MAX])
{
	size_t n = 0;
	while (rest->n > 0 && rest->p[0] == ' ')
		*rest = slice_skip(*rest, 1);
	if (rest->n == 0)
		return false;
	bool quoted = quotes && rest->p[0] == '"';
	if (quoted)
		*rest = slice_skip(*rest, 1);
	while (rest->n > 0 && rest->p[0] != (quoted ? '"' : ' ')) {
		char c = rest->p[0];
		*rest = slice_skip(*rest, 1);
		if (c == '\\' && rest->n > 0) {
			c = rest->p[0] == 'e' ? '\\' : rest->p[0];
			*rest = slice_skip(*rest, 1);
			if (c == '&')
				continue;
		}
		if (n < ARG_MAX - 1)
			out[n++] = c;
	}
	if (quoted)
		*rest = slice_skip(*rest, 1);
	out[n] = '\0';
	return true;
}

/* False: there are more than ARGS_MAX. */
static bool split(struct slice line, struct args *a)
{
	char more[ARG_MAX];
	a->n = 0;
	while (a->n < ARGS_MAX && take_word(&line, true, a->arg[a->n]))
		a->n++;
	return !take_word(&line, true, more);
}

/* A delimiter that closes: mdoc takes it out of the macro and glues it to what is before. */
static bool closes(const char *s)
{
	return s[0] != '\0' && s[1] == '\0' && strchr(".,:;!?)]", s[0]) != NULL;
}

static bool opens(const char *s)
{
	return strcmp(s, "(") == 0 || strcmp(s, "[") == 0;
}

/* The arguments from..to as words. A short quotation stays on one line. */
static void words(struct pen *p, const struct args *a, unsigned from, unsigned to, bool glued,
		  bool together)
{
	for (unsigned i = from; i < to; i++) {
		bool punctuation = i > from && (closes(a->arg[i]) || opens(a->arg[i - 1]));
		if (i > from && together && !punctuation)
			word(p, " ", true);
		word(p, a->arg[i], (i == from && glued) || (i > from && (together || punctuation)));
	}
}

static size_t length(const struct args *a, unsigned from, unsigned to)
{
	size_t n = 0;
	for (unsigned i = from; i < to; i++)
		n += strlen(a->arg[i]) + 1;
	return n;
}

static void flags(struct pen *p, const struct args *a, unsigned from, unsigned to, bool glued)
{
	for (unsigned i = from; i < to; i++) {
		if (!closes(a->arg[i]))
			word(p, "-", i == from && glued);
		word(p, a->arg[i], true);
	}
}

static void page(struct pen *p, const struct args *a, unsigned from, unsigned to, bool glued)
{
	word(p, from < to ? a->arg[from] : "", glued);
	word(p, "(", true);
	word(p, from + 1 < to ? a->arg[from + 1] : "", true);
	word(p, ")", true);
}

/* What stands in running text: a->arg[at] is the macro's name. False: it is none of these. */
static bool inlined(struct pen *p, const struct args *a, unsigned at, bool glued)
{
	const char *name = a->arg[at];
	unsigned from = at + 1, to = a->n;
	while (to > from && closes(a->arg[to - 1]))
		to--;
	if (strcmp(name, "Pq") == 0) {
		word(p, "(", glued);
		struct args inner = *a;
		inner.n = to;
		if (from == to || !inlined(p, &inner, from, true))
			words(p, a, from, to, true, false);
		word(p, ")", true);
	} else if (strcmp(name, "Ql") == 0) {
		word(p, "`", glued);
		words(p, a, from, to, true, length(a, from, to) <= QUOTE_MAX);
		word(p, "`", true);
	} else if (strcmp(name, "Li") == 0 || strcmp(name, "Pa") == 0 || strcmp(name, "Cm") == 0) {
		words(p, a, from, to, glued, false);
	} else if (strcmp(name, "Fl") == 0) {
		flags(p, a, from, to, glued);
	} else if (strcmp(name, "Xr") == 0) {
		page(p, a, from, to, glued);
	} else if (strcmp(name, "Nm") == 0) {
		word(p, from < to ? a->arg[from] : "ovpnwatch", glued);
	} else {
		return false;
	}
	words(p, a, to, a->n, to < a->n, true);
	return true;
}

/* --- lines of mdoc --------------------------------------------------------------------------- */

static void label(struct pen *p, const struct args *a)
{
	paragraph(p);
	p->indent = INDENT;
	put_spaces(p, INDENT);
	if (p->bold)
		put(p, BOLD, sizeof BOLD - 1);
	if (a->n < 2 || !inlined(p, a, 1, false))
		words(p, a, 1, a->n, false, false);
	put_atom(p);
	if (p->bold)
		put(p, RESET, sizeof RESET - 1);
	end_line(p);
	p->indent = INDENT + STEP;
}

/* To be copied, so it is as long as it is. */
static void command(struct pen *p, const struct args *a)
{
	unsigned indent = p->indent, width = p->width;
	end_line(p);
	p->indent += STEP;
	p->width = 0;
	words(p, a, 1, a->n, false, false);
	end_line(p);
	p->indent = indent;
	p->width = width;
}

static void odd(struct pen *p, const char *name)
{
	if (p->odd++ == 0)
		snprintf(p->first, sizeof p->first, "%.15s", name);
}

static void macro(struct pen *p, const struct args *a)
{
	const char *name = a->arg[0];
	if (strcmp(name, "It") == 0) {
		label(p, a);
	} else if (strcmp(name, "Dl") == 0) {
		command(p, a);
	} else if (strcmp(name, "Pp") == 0) {
		paragraph(p);
	} else if (strcmp(name, "El") == 0) {
		end_line(p);
		p->indent = INDENT;
	} else if (strcmp(name, "Bl") != 0 && !inlined(p, a, 0, false)) {
		odd(p, name);
		words(p, a, 0, a->n, false, false);
	}
}

static void text_line(struct pen *p, struct slice line)
{
	char one[ARG_MAX];
	while (take_word(&line, false, one))
		word(p, one, false);
}

struct manual_text manual_render(struct slice mdoc, const struct text_style *style,
				 char out[MANUAL_TEXT_MAX])
{
	struct pen p = {.out = out, .indent = INDENT, .bold = style->colour};
	p.width = style->width == 0 || style->width >= WIDTH_LEAST ? style->width : WIDTH_LEAST;
	while (mdoc.n > 0) {
		struct slice line = slice_cut(&mdoc, '\n');
		struct args a;
		if (!slice_starts(line, ".")) {
			text_line(&p, line);
		} else if (!slice_starts(line, ".\\\"")) {
			if (!split(slice_skip(line, 1), &a))
				odd(&p, a.arg[0]);
			if (a.n > 0)
				macro(&p, &a);
		}
	}
	end_line(&p);
	struct manual_text result = {.n = p.used, .odd = p.odd, .cut = p.cut};
	memcpy(result.first, p.first, sizeof result.first);
	return result;
}

bool manual_section(struct slice page, const char *name, struct slice *out)
{
	char heading[ARG_MAX];
	bool inside = false;
	const char *begin = NULL, *end = page.p + page.n;
	snprintf(heading, sizeof heading, ".Ss %s", name);
	while (page.n > 0) {
		struct slice line = slice_cut(&page, '\n');
		bool another = slice_starts(line, ".Ss ") || slice_starts(line, ".Sh ");
		if (inside && another) {
			end = line.p;
			break;
		}
		if (!inside && slice_is(line, heading)) {
			inside = true;
			begin = page.n > 0 ? page.p : end;
		}
	}
	if (inside)
		*out = (struct slice){.p = begin, .n = (size_t)(end - begin)};
	return inside;
}
