/* SPDX-License-Identifier: MIT
 *
 * What somebody meant who wrote another word than ours, where it is obvious.
 */
#include "nearest.h"
#include "core/names.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const char *near(const char *word)
{
	const char *words[CAUSE_COUNT];
	for (unsigned c = 0; c < CAUSE_COUNT; c++)
		words[c] = name_cause((enum cause_name)c);
	return nearest(word, words, CAUSE_COUNT);
}

static void what_is_obvious_is_named(void **state)
{
	static const struct {
		const char *word, *meant;
	} samples[] = {
	    {"nat", "nat_timeout"},
	    {"NAT-Timeout", "nat_timeout"},
	    {"nat timeout", "nat_timeout"},
	    {"duplicate", "duplicate_client"},
	    {"duplicate_clients", "duplicate_client"},
	    {"keepalive_missmatch", "keepalive_mismatch"},
	    {"keepalvie", NULL}, /* too far from keepalive_mismatch */
	    {"renegociation", "renegotiation"},
	    {"certificat", "certificate"}, /* a part of two, but nearer to one */
	    {"certif", NULL},
	    {"certifikate", "certificate"},
	    {"peer_clock_stepp", "peer_clock_step"},
	    {"local_clock_step", "local_clock_step"},
	    {"unknow", "unknown"},
	    {"clock", NULL},
	    {"step", NULL},
	    {"x", NULL},
	    {"", NULL},
	    {"-", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		const char *found = near(samples[i].word);
		const char *meant = samples[i].meant;
		if ((found == NULL) != (meant == NULL) ||
		    (found != NULL && strcmp(found, meant) != 0))
			fail_msg("%s: %s", samples[i].word, found != NULL ? found : "none");
	}
}

static void any_word_will_do(void **state)
{
	char word[200];
	(void)state;
	for (size_t n = 0; n < sizeof word; n++) {
		memset(word, n % 2 == 0 ? 'n' : '\xff', n);
		word[n] = '\0';
		assert_null(n > 1 ? near(word) : NULL);
	}
	assert_null(nearest("nat", NULL, 0));
}

static void two_that_are_as_near_are_none(void **state)
{
	static const char *const words[] = {"abcdef", "abcdeg"};
	(void)state;
	assert_null(nearest("abcdex", words, 2));
	assert_string_equal(nearest("abcdex", words, 1), "abcdef");
	assert_string_equal(nearest("xabcdeg", words, 2), "abcdeg");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_obvious_is_named),
	    cmocka_unit_test(any_word_will_do),
	    cmocka_unit_test(two_that_are_as_near_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
