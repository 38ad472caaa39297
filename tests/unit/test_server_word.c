/* SPDX-License-Identifier: MIT
 *
 * What the server's log says of this client, and what it says of others.
 */
#include "core/server_word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define US  "10.8.0.2"
#define S   NSEC_PER_SEC
#define NOW (100 * S)

static struct server_word word;

static int setup(void **state)
{
	(void)state;
	server_word_init(&word);
	return 0;
}

static void fact(enum log_fact_kind kind, const char *client, const char *text, bool live, nsec at)
{
	const struct log_fact f = {
	    .kind = kind, .client = slice_from(client), .text = slice_from(text)};
	server_word_log(&word, &f, live, US, at);
}

static void ours_is_who_has_our_address(void **state)
{
	(void)state;
	fact(LOG_INACTIVITY, "alice/192.0.2.1:1194", "", true, NOW);
	assert_true(word.drops.gave_up == NSEC_UNKNOWN && word.drops.others_gave_up == NOW);
	fact(LOG_LEARNED, "bob/192.0.2.2:1194", "10.8.0.3", false, NOW);
	assert_string_equal(word.name, "");
	fact(LOG_LEARNED, "alice/192.0.2.1:1194", US, false, NOW);
	assert_string_equal(word.name, "alice");
	fact(LOG_INACTIVITY, "alice/192.0.2.1:1194", "", true, NOW + S);
	fact(LOG_INACTIVITY, "bob/192.0.2.2:1194", "", true, NOW + 2 * S);
	assert_true(word.drops.gave_up == NOW + S && word.drops.others_gave_up == NOW + 2 * S);
}

static void a_new_connection_of_our_name(void **state)
{
	(void)state;
	fact(LOG_LEARNED, "alice/192.0.2.1:1194", US, true, NOW);
	fact(LOG_DUPLICATE, "bob/192.0.2.2:1194", "bob", true, NOW);
	assert_true(word.drops.duplicate == NSEC_UNKNOWN);
	fact(LOG_DUPLICATE, "alice/192.0.2.9:40000", "alice", true, NOW);
	assert_true(word.drops.duplicate == NOW);
}

/* It teaches who we are and how the server is configured; it is not news. */
static void history_is_not_news(void **state)
{
	(void)state;
	fact(LOG_KEEPALIVE_MISSING, "", "", false, NOW);
	fact(LOG_LEARNED, "alice/192.0.2.1:1194", US, false, NOW);
	fact(LOG_DUPLICATE, "alice/192.0.2.9:40000", "alice", false, NOW);
	fact(LOG_INACTIVITY, "alice/192.0.2.1:1194", "", false, NOW);
	assert_true(word.no_keepalive);
	assert_true(word.drops.duplicate == NSEC_UNKNOWN && word.drops.gave_up == NSEC_UNKNOWN);
}

/* Its history comes before our own daemon has said which address is ours. */
static void learned_before_we_know_ours(void **state)
{
	(void)state;
	const struct log_fact learned = {
	    .kind = LOG_LEARNED, .client = SLICE("alice/192.0.2.1:1194"), .text = SLICE(US)};
	server_word_log(&word, &learned, false, "", NOW);
	assert_string_equal(word.name, "");
	fact(LOG_INACTIVITY, "alice/192.0.2.1:1194", "", true, NOW);
	assert_string_equal(word.name, "alice");
	assert_true(word.drops.gave_up == NOW);
	/* another has the address now */
	fact(LOG_LEARNED, "bob/192.0.2.2:1194", US, true, NOW);
	assert_string_equal(word.name, "bob");
}

static void what_it_refuses(void **state)
{
	(void)state;
	fact(LOG_LEARNED, "alice/192.0.2.1:1194", US, false, NOW);
	fact(LOG_VERIFY_ERROR, "192.0.2.7:40000", "depth=0, error=certificate has expired", true,
	     NOW);
	assert_true(word.refused == NSEC_UNKNOWN); /* somebody's */
	fact(LOG_VERIFY_ERROR, "alice/192.0.2.1:1194", "depth=0, error=certificate has expired",
	     true, NOW);
	assert_true(word.refused == NOW && word.refused_kind == LOG_VERIFY_ERROR);
	assert_string_equal(word.text, "depth=0, error=certificate has expired");
}

/* Before it has a name, its certificate's subject says who it is. */
static void a_certificate_that_it_refuses(void **state)
{
	(void)state;
	static const char *const texts[] = {
	    "depth=0, error=certificate has expired: C=DE, CN=alice, serial=1",
	    "depth=0, error=certificate has expired: CN=alice",
	};
	static const char *const others[] = {
	    "depth=0, error=certificate has expired: CN=alice2, serial=1",
	    "depth=0, error=certificate has expired: CN=al",
	    "depth=0, error=certificate has expired: CN=",
	    "CRL not loaded",
	};
	fact(LOG_VERIFY_ERROR, "192.0.2.1:1194", texts[1], true, NOW);
	assert_true(word.refused == NSEC_UNKNOWN); /* we have no name there yet */
	fact(LOG_LEARNED, "alice/192.0.2.1:1194", US, false, NOW);
	for (unsigned i = 0; i < 4; i++)
		fact(LOG_VERIFY_ERROR, "192.0.2.1:1194", others[i], true, NOW);
	assert_true(word.refused == NSEC_UNKNOWN);
	for (unsigned i = 0; i < 2; i++) {
		fact(LOG_VERIFY_ERROR, "192.0.2.1:1194", texts[i], true, NOW + i * S);
		assert_true(word.refused == NOW + i * S);
	}
}

/* A server that comes back may have a keepalive now, which its log would not say. */
static void a_server_that_went_away(void **state)
{
	(void)state;
	fact(LOG_KEEPALIVE_MISSING, "", "", false, NOW);
	assert_true(word.no_keepalive);
	server_word_lost(&word, NOW);
	assert_false(word.no_keepalive);
	assert_true(word.drops.lost == NOW);
}

/* A name may hold slashes and be long; it is a stranger's. */
static void a_hostile_name(void **state)
{
	(void)state;
	char client[300], name[SERVER_NAME_MAX];
	memset(client, '/', sizeof client);
	memcpy(client + sizeof client - sizeof "/192.0.2.1:1", "/192.0.2.1:1",
	       sizeof "/192.0.2.1:1");
	fact(LOG_LEARNED, client, US, true, NOW);
	memset(name, '/', sizeof name);
	name[sizeof name - 1] = '\0';
	assert_string_equal(word.name, name);
	fact(LOG_LEARNED, "", US, true, NOW);
	assert_string_equal(word.name, "");
	fact(LOG_DUPLICATE, "", "", true, NOW);
	assert_true(word.drops.duplicate == NSEC_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(ours_is_who_has_our_address, setup),
	    cmocka_unit_test_setup(a_new_connection_of_our_name, setup),
	    cmocka_unit_test_setup(history_is_not_news, setup),
	    cmocka_unit_test_setup(learned_before_we_know_ours, setup),
	    cmocka_unit_test_setup(what_it_refuses, setup),
	    cmocka_unit_test_setup(a_certificate_that_it_refuses, setup),
	    cmocka_unit_test_setup(a_server_that_went_away, setup),
	    cmocka_unit_test_setup(a_hostile_name, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
