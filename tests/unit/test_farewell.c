/* SPDX-License-Identifier: MIT
 *
 * What is said of a daemon that does something when its management client leaves.
 */
#include "core/farewell.h"
#include "core/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct tunnel tunnel;
static char said[160];

static void has(int64_t flags, const char *expected)
{
	tunnel.management_options = farewell_options(flags);
	tunnel.session.state = SESSION_UP;
	assert_int_equal(farewell_say(&tunnel, said, sizeof said), expected[0] != '\0');
	assert_string_equal(said, expected);
}

static void each_option(void **state)
{
	(void)state;
	has(0, "");
	has(~(int64_t)(8 | 16 | 32), "");
	has(8, "OpenVPN has management-signal: it restarts its tunnel when ovpnwatch leaves");
	has(16, "OpenVPN has management-forget-disconnect: it forgets its passwords when ovpnwatch "
		"leaves");
	has(24 | 4, "OpenVPN has management-signal and management-forget-disconnect: it restarts "
		    "its tunnel and forgets its passwords when ovpnwatch leaves");
	has(32 | 8, "OpenVPN has management-client: it ends when ovpnwatch leaves");
}

static void not_where_we_are_not(void **state)
{
	(void)state;
	has(8, "OpenVPN has management-signal: it restarts its tunnel when ovpnwatch leaves");
	tunnel.session.state = SESSION_WAITING;
	assert_false(farewell_say(&tunnel, said, sizeof said));
	assert_string_equal(said, "");
}

/* The log is newer than the profile that we were given. */
static void the_log_counts(void **state)
{
	(void)state;
	static const struct stamp now = {.mono = 1};
	struct tunnel_config config = {.management_options = farewell_options(8)};
	struct log_fact fact;
	tunnel_init(&tunnel, &config, &now);
	assert_int_equal(tunnel.management_options, farewell_options(8));
	log_text_parse(SLICE("  management_flags = 16"), &fact);
	tunnel_log(&tunnel, &fact, false, &now);
	assert_int_equal(tunnel.management_options, farewell_options(16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_option),
	    cmocka_unit_test(not_where_we_are_not),
	    cmocka_unit_test(the_log_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
