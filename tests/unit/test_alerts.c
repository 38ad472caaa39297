/* SPDX-License-Identifier: MIT */
#include "core/alerts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct notice *fresh(const struct stamp *at, const char *tunnel)
{
	static struct notice n;
	notice_init(&n, NOTICE_ALERT, SEVERITY_WARNING, at, tunnel);
	return &n;
}

static struct stamp at_s(int64_t s)
{
	return (struct stamp){.mono = s * NSEC_PER_SEC,
			      .boot = s * NSEC_PER_SEC,
			      .wall = (1000000 + s) * NSEC_PER_SEC};
}

/* FNV-1a-64 over the sorted labels, each name and value followed by 0xff: what Alertmanager calls
 * the fingerprint (prometheus/common model/signature.go). Here the same sum over the bytes written
 * out. */
static void id_is_the_fingerprint_of_the_labels(void **state)
{
	(void)state;
	static const char bytes[] = "alertname\xff"
				    "ping_restart\xff"
				    "tunnel\xff"
				    "gw1\xff";
	uint64_t hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < sizeof bytes - 1; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
	assert_true(alert_id(ALERT_PING_RESTART, "gw1") == hash);
	assert_true(alert_id(ALERT_PING_RESTART, "gw2") != hash);
	assert_true(alert_id(ALERT_RECONNECTING, "gw1") != hash);
	assert_true(alert_id(ALERT_LOCAL_CLOCK_STEP, NULL) != alert_id(ALERT_LOCAL_CLOCK_STEP, ""));
}

static void fires_once_counts_and_resolves(void **state)
{
	(void)state;
	struct alert_table t;
	alert_table_init(&t);
	assert_false(alert_firing(&t, ALERT_RX_STALLED));

	struct stamp t1 = at_s(10), t2 = at_s(12), t3 = at_s(15);
	struct notice *n = fresh(&t1, "gw1");
	alert_raise(&t, ALERT_RX_STALLED, &t1, n);
	assert_int_equal(n->alert.status, ALERT_FIRING);
	assert_int_equal(n->alert.count, 1);
	assert_true(n->alert.starts_at == t1.wall);
	assert_true(n->alert.ends_at == NSEC_UNKNOWN);

	n = fresh(&t2, "gw1");
	alert_raise(&t, ALERT_RX_STALLED, &t2, n);
	assert_int_equal(n->alert.status, ALERT_UPDATED);
	assert_int_equal(n->alert.count, 2);
	assert_true(n->alert.starts_at == t1.wall);

	n = fresh(&t3, "gw1");
	alert_resolve(&t, ALERT_RX_STALLED, &t3, n);
	assert_int_equal(n->alert.status, ALERT_RESOLVED);
	assert_true(n->alert.duration_s == 5 * NSEC_PER_SEC);
	assert_true(n->alert.ends_at == t3.wall);
	assert_int_equal(n->severity, SEVERITY_INFO);
	assert_false(alert_firing(&t, ALERT_RX_STALLED));

	n = fresh(&t3, "gw1");
	alert_raise(&t, ALERT_RX_STALLED, &t3, n);
	assert_int_equal(n->alert.status, ALERT_FIRING);
	assert_int_equal(n->alert.count, 1);
}

/* The wall clock may be set back while an alert fires: its end is never before its start, and its
 * duration is right all the same. */
static void a_clock_set_back_does_not_turn_an_alert_around(void **state)
{
	(void)state;
	struct alert_table t;
	alert_table_init(&t);
	struct stamp begin = at_s(100), end = at_s(104);
	end.wall -= 3600 * NSEC_PER_SEC;
	alert_raise(&t, ALERT_PING_RESTART, &begin, fresh(&begin, "gw1"));
	struct notice *n = fresh(&end, "gw1");
	alert_resolve(&t, ALERT_PING_RESTART, &end, n);
	assert_true(n->alert.ends_at == n->alert.starts_at);
	assert_true(n->alert.duration_s == 4 * NSEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(id_is_the_fingerprint_of_the_labels),
	    cmocka_unit_test(fires_once_counts_and_resolves),
	    cmocka_unit_test(a_clock_set_back_does_not_turn_an_alert_around),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
