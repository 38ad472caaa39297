/* SPDX-License-Identifier: MIT
 *
 * The clients in a server's status, of every version's columns.
 */
#include "proto/client_list.h"
#include "support/guard_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* multi.c of each version. */
#define COLUMNS_2_3                                                                               \
	"HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tBytes Received\tBytes " \
	"Sent\tConnected Since\tConnected Since (time_t)\tUsername"
#define COLUMNS_2_4                                                                                \
	"HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address\t"  \
	"Bytes Received\tBytes Sent\tConnected Since\tConnected Since (time_t)\tUsername\tClient " \
	"ID\tPeer ID"
#define COLUMNS_2_5 COLUMNS_2_4 "\tData Channel Cipher"

static struct client_columns columns;
static struct client_row row;

static void header(const char *line)
{
	assert_int_equal(client_list_header(slice_from(line), &columns), VERDICT_DONE);
}

static void says(const char *line, const char *name, const char *address, const char *virtual_ip)
{
	assert_int_equal(client_list_row(slice_from(line), &columns, &row), VERDICT_DONE);
	assert_true(slice_is(row.name, name));
	assert_true(slice_is(row.address, address));
	assert_true(slice_is(row.virtual_ip, virtual_ip));
}

static void every_version(void **state)
{
	(void)state;
	header(COLUMNS_2_3);
	says("CLIENT_LIST\talice\t192.0.2.1:1194\t10.8.0.2\t1924\t1974\tTue Nov 24 04:17:14 2026\t"
	     "1795493834\tUNDEF",
	     "alice", "192.0.2.1:1194", "10.8.0.2");
	assert_int_equal(row.received, 1924);
	assert_int_equal(row.sent, 1974);
	assert_int_equal(row.since, 1795493834);
	assert_true(row.id == UINT64_MAX);
	header(COLUMNS_2_4);
	says("CLIENT_LIST\tbob b\t2001:db8::1\t\t\t1\t2\t2026-11-24 04:17:14\t1795493834\tUNDEF\t17"
	     "\t0",
	     "bob b", "2001:db8::1", "");
	assert_true(row.id == 17);
	header(COLUMNS_2_5);
	says("CLIENT_LIST\talice\tudp4:192.0.2.1:1194\t10.8.0.2\tfd00::1\t1\t2\t2026-11-24 "
	     "04:17:14\t1795493834\tUNDEF\t0\t0\tAES-256-GCM",
	     "alice", "udp4:192.0.2.1:1194", "10.8.0.2");
	assert_true(row.id == 0);
}

static void in_any_order_and_with_new_ones(void **state)
{
	(void)state;
	header("HEADER,CLIENT_LIST,Mood,Real Address,Common Name");
	says("CLIENT_LIST,fine,192.0.2.1:1,alice", "alice", "192.0.2.1:1", "");
	assert_int_equal(row.received, -1);
	assert_int_equal(row.since, -1);
}

static void no_header(void **state)
{
	static const char *const lines[] = {
	    "",
	    "HEADER",
	    "HEADER\t",
	    "HEADER\tCLIENT_LIST",
	    "HEADER\tCLIENT_LIST\tCommon Name",
	    "HEADER\tCLIENT_LIST\tReal Address",
	    "HEADER\tROUTING_TABLE\tVirtual Address\tCommon Name\tReal Address\tLast Ref",
	    "HEADERS\tCLIENT_LIST\tCommon Name\tReal Address",
	    "CLIENT_LIST\tCommon Name\tReal Address",
	    "OpenVPN STATISTICS",
	};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_int_equal(client_list_header(slice_from(lines[i]), &columns),
				 VERDICT_INVALID);
}

static void no_row(void **state)
{
	static const char *const lines[] = {
	    "CLIENT_LIST",
	    "CLIENT_LIST\talice\t192.0.2.1:1194\t10.8.0.2\t1\t2\t2026\t3", /* cut */
	    "CLIENT_LIST\talice\t192.0.2.1:1194\t10.8.0.2\t1\t2\t2026\t3\tUNDEF\tmore",
	    "CLIENT_LIST\talice\t192.0.2.1:1194\t10.8.0.2\tx\t2\t2026\t3\tUNDEF",
	    "CLIENT_LIST\t\t192.0.2.1:1194\t10.8.0.2\t1\t2\t2026\t3\tUNDEF",
	    "CLIENT_LIST\talice\t\t10.8.0.2\t1\t2\t2026\t3\tUNDEF",
	    "ROUTING_TABLE\talice\t192.0.2.1:1194\t10.8.0.2\t1\t2\t2026\t3\tUNDEF",
	    "END",
	};
	(void)state;
	header(COLUMNS_2_3);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		row.since = 42;
		assert_int_equal(client_list_row(slice_from(lines[i]), &columns, &row),
				 VERDICT_INVALID);
		assert_int_equal(row.since, 42);
	}
}

/* Nothing is read behind the end, wherever a line is cut. */
static void cut_anywhere(void **state)
{
	static const char whole[] =
	    "CLIENT_LIST\talice\t192.0.2.1:1194\t10.8.0.2\t1\t2\t2026\t3\tU";
	struct client_columns c;
	(void)state;
	header(COLUMNS_2_3);
	for (size_t n = 0; n < sizeof whole; n++) {
		struct guarded g = guarded_new(n);
		struct slice line = {(char *)guarded_copy(&g, whole, n), n};
		(void)!client_list_row(line, &columns, &row);
		guarded_free(&g);
	}
	for (size_t n = 0; n < sizeof COLUMNS_2_5; n++) {
		struct guarded g = guarded_new(n);
		struct slice line = {(char *)guarded_copy(&g, COLUMNS_2_5, n), n};
		(void)!client_list_header(line, &c);
		guarded_free(&g);
	}
}

static void too_many_columns(void **state)
{
	char line[512] = "HEADER\tCLIENT_LIST\tCommon Name\tReal Address";
	(void)state;
	for (int i = 0; i < CLIENT_COLUMNS_MAX; i++)
		snprintf(line + strlen(line), sizeof line - strlen(line), "\t%d", i);
	assert_int_equal(client_list_header(slice_from(line), &columns), VERDICT_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_version), cmocka_unit_test(in_any_order_and_with_new_ones),
	    cmocka_unit_test(no_header),     cmocka_unit_test(no_row),
	    cmocka_unit_test(cut_anywhere),  cmocka_unit_test(too_many_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
