/* SPDX-License-Identifier: MIT
 *
 * The protocol of a connection, from its address and the profile's remotes.
 */
#include "io/connected_by.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum connected_by told(const char *text, const char *ip, uint16_t port)
{
	struct profile p;
	struct profile_error error;
	if (!profile_parse(slice_from(text), &p, &error))
		fail_msg("%u: %s", error.line, error.message);
	return connected_by(&p, ip, port);
}

static void by_number_and_port(void **state)
{
	static const char text[] = "remote 192.0.2.1 1194 udp\n"
				   "remote 192.0.2.1 443 tcp\n"
				   "remote 192.0.2.2 1194 tcp\n"
				   "remote 2001:db8::1 1194 tcp6\n"
				   "remote vpn.example 1194 udp\n";
	(void)state;
	assert_int_equal(told(text, "192.0.2.1", 1194), CONNECTED_BY_UDP);
	assert_int_equal(told(text, "::ffff:192.0.2.1", 1194), CONNECTED_BY_UDP);
	assert_int_equal(told(text, "192.0.2.1", 443), CONNECTED_BY_TCP);
	assert_int_equal(told(text, "192.0.2.2", 1194), CONNECTED_BY_TCP);
	assert_int_equal(told(text, "2001:db8:0::1", 1194), CONNECTED_BY_TCP);
	/* No number is that: the name is. */
	assert_int_equal(told(text, "192.0.2.3", 1194), CONNECTED_BY_UDP);
	assert_int_equal(told(text, "192.0.2.3", 80), CONNECTED_BY_UNKNOWN);
	assert_int_equal(told(text, "nonsense", 1194), CONNECTED_BY_UNKNOWN);
	assert_int_equal(told(text, "", 1194), CONNECTED_BY_UNKNOWN);
}

static void by_port_and_family_of_names(void **state)
{
	static const char text[] = "remote a.example 1194 udp4\nremote a.example 443 tcp\n"
				   "remote b.example 1194 tcp6\n";
	(void)state;
	assert_int_equal(told(text, "192.0.2.1", 1194), CONNECTED_BY_UDP);
	assert_int_equal(told(text, "2001:db8::1", 1194), CONNECTED_BY_TCP);
	assert_int_equal(told(text, "192.0.2.1", 443), CONNECTED_BY_TCP);
	assert_int_equal(told(text, "192.0.2.1", 80), CONNECTED_BY_UNKNOWN);
	assert_int_equal(told("remote a 1194 udp\nremote b 1194 tcp\n", "192.0.2.1", 1194),
			 CONNECTED_BY_UNKNOWN);
}

/* A port of which the profile knows nothing: a management client may send OpenVPN elsewhere. */
static void all_by_one_protocol(void **state)
{
	(void)state;
	assert_int_equal(told("remote a 1 tcp\nremote b 2 tcp4\n", "192.0.2.1", 3),
			 CONNECTED_BY_TCP);
	assert_int_equal(told("remote a 1\nremote 192.0.2.9 2\n", "192.0.2.1", 3),
			 CONNECTED_BY_UDP);
	assert_int_equal(told("client\n", "192.0.2.1", 3), CONNECTED_BY_UNKNOWN);
}

/* One of the remotes is under another key, and its protocol is not kept. */
static void more_remotes_than_are_known(void **state)
{
	static const char text[] =
	    "<connection>\nremote 192.0.2.1 1194 udp\ntls-crypt a.key\n</connection>\n"
	    "<connection>\nremote vpn.example 1194 tcp\ntls-crypt b.key\n</connection>\n";
	(void)state;
	assert_int_equal(told(text, "192.0.2.1", 1194), CONNECTED_BY_UDP);
	assert_int_equal(told(text, "192.0.2.2", 1194), CONNECTED_BY_UNKNOWN);
	assert_int_equal(told(text, "192.0.2.1", 1195), CONNECTED_BY_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_number_and_port),
	    cmocka_unit_test(by_port_and_family_of_names),
	    cmocka_unit_test(all_by_one_protocol),
	    cmocka_unit_test(more_remotes_than_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
