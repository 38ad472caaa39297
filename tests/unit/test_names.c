/* SPDX-License-Identifier: MIT
 *
 * The words of the contract: every enumerator has one, and no list has one twice.
 */
#include "core/names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
	const char *list, *word;
} words[] = {
#define W(list, name, word) {#list, word},
#include "core/words.def"
#undef W
};

static bool is_word(const char *s)
{
	if (!islower((unsigned char)*s))
		return false;
	for (; *s != '\0'; s++)
		if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

static void each_function_says_its_word(void **state)
{
	(void)state;
#define W(list, name, word) assert_string_equal(name_##list(name), word);
#include "core/words.def"
#undef W
#define X(name, word, severity, text)                \
	assert_string_equal(name_alert(name), word); \
	assert_int_equal(alert_severity(name), severity);
#include "core/alerts.def"
#undef X
}

static void words_are_words_and_differ(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		assert_true(is_word(words[i].word));
		for (size_t j = 0; j < i; j++)
			if (strcmp(words[i].list, words[j].list) == 0)
				assert_string_not_equal(words[i].word, words[j].word);
	}
}

static void every_alert_has_a_word_and_a_sentence(void **state)
{
	(void)state;
	for (unsigned a = 0; a < ALERT_COUNT; a++) {
		const char *word = name_alert((enum alert_name)a);
		assert_non_null(word);
		assert_true(is_word(word));
		assert_true(strlen(alert_text((enum alert_name)a)) > 10);
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(word, name_alert((enum alert_name)b));
	}
}

static void every_cause_has_a_word_and_a_phrase(void **state)
{
	(void)state;
	for (unsigned c = 0; c < CAUSE_COUNT; c++) {
		const char *word = name_cause((enum cause_name)c);
		assert_non_null(word);
		assert_true(is_word(word));
		assert_true(strlen(cause_phrase((enum cause_name)c)) > 10);
		for (unsigned d = 0; d < c; d++)
			assert_string_not_equal(word, name_cause((enum cause_name)d));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_function_says_its_word),
	    cmocka_unit_test(words_are_words_and_differ),
	    cmocka_unit_test(every_alert_has_a_word_and_a_sentence),
	    cmocka_unit_test(every_cause_has_a_word_and_a_phrase),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
