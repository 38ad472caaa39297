/* SPDX-License-Identifier: MIT */
#include "nearest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LETTERS_MAX 32 /* a longer word is none of ours */

/* As it would be written here: "NAT-timeout" is nat_timeout. False: it is too long. */
static bool normal(const char *word, char out[LETTERS_MAX + 1])
{
	size_t n = strlen(word);
	if (n > LETTERS_MAX)
		return false;
	for (size_t i = 0; i <= n; i++) {
		char c = word[i];
		out[i] = c >= 'A' && c <= 'Z'	? (char)(c - 'A' + 'a')
			 : c == '-' || c == ' ' ? '_'
						: c;
	}
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, a row at a time. */
static size_t mistakes(const char *a, const char *b)
{
	size_t row[LETTERS_MAX + 1], n = strlen(b);
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j];
			row[j] =
			    least(diagonal + (a[i - 1] != b[j - 1]), least(above, row[j - 1]) + 1);
			diagonal = above;
		}
	}
	return row[n];
}

static const char *only_one_with(const char *part, const char *const *words, size_t n)
{
	const char *found = NULL;
	if (part[0] == '\0')
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (strstr(words[i], part) == NULL)
			continue;
		if (found != NULL)
			return NULL;
		found = words[i];
	}
	return found;
}

const char *nearest(const char *word, const char *const *words, size_t n)
{
	char mine[LETTERS_MAX + 1], theirs[LETTERS_MAX + 1];
	size_t best = SIZE_MAX;
	if (!normal(word, mine))
		return NULL;
	const char *found = only_one_with(mine, words, n);
	if (found != NULL)
		return found;
	for (size_t i = 0; i < n; i++) {
		if (!normal(words[i], theirs))
			continue;
		size_t away = mistakes(mine, theirs);
		if (away > strlen(theirs) / 3 || away > best)
			continue;
		found = away < best ? words[i] : NULL;
		best = away;
	}
	return found;
}
