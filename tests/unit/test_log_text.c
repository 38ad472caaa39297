/* SPDX-License-Identifier: MIT */
#include "proto/log_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct text_case {
	const char *line;
	enum log_fact_kind kind;
	const char *text, *client;
};

static const struct text_case text_cases[] = {
    {"OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)]", LOG_VERSION, "2.6.14", ""},
    {"OpenVPN 2.7_beta1 x86_64", LOG_VERSION, "2.7_beta1", ""},
    {"OpenVPN Management Interface", LOG_NOTHING, "", ""},
    {"OpenVPN 2", LOG_NOTHING, "", ""},
    {"MANAGEMENT: >STATE:1705361803,WAIT,,,,,,", LOG_MANAGEMENT_STATE, "1705361803,WAIT,,,,,,", ""},
    {"MANAGEMENT: CMD 'state on all'", LOG_NOTHING, "", ""},
    {"Initialization Sequence Completed", LOG_INITIALIZED, "", ""},
    {"Initialization Sequence Completed With Errors", LOG_INITIALIZED, "", ""},
    {"[server] Inactivity timeout (--ping-restart), restarting", LOG_INACTIVITY, "", ""},
    {"Inactivity timeout (--ping-restart), restarting", LOG_INACTIVITY, "", ""},
    {"c 1/10.0.0.9:33235 [c 1] Inactivity timeout (--ping-restart), restarting", LOG_INACTIVITY, "",
     "c 1/10.0.0.9:33235"},
    {"[server] Inactivity timeout (--ping-exit), exiting", LOG_INACTIVITY_EXIT, "", ""},
    {"Inactivity timeout (--inactive), exiting", LOG_NOTHING, "", ""},
    {"SIGUSR1[soft,ping-restart] received, process restarting", LOG_SIGNAL, "ping-restart", ""},
    {"Restart pause, 5 second(s)", LOG_RESTART_PAUSE, "", ""},
    {"Restart pause, x", LOG_NOTHING, "", ""},
    {"Timers: ping 2, ping-restart 12", LOG_TIMERS, "", ""},
    {"PUSH: Received control message: 'PUSH_REPLY'", LOG_PUSH_REPLY, "", ""},
    {"PUSH: Received control message: 'PUSH_REQUEST'", LOG_NOTHING, "", ""},
    {"read UDPv4 [ECONNREFUSED]: Connection refused (fd=5,code=111)", LOG_REFUSED, "", ""},
    {"read UDP: Connection refused (code=111)", LOG_REFUSED, "", ""},
    {"read UDPv4: Connection reset by peer (WSAECONNRESET) (code=10054)", LOG_REFUSED, "", ""},
    {"TCP: connect to [AF_INET]10.0.0.1:1194 failed: Connection refused", LOG_REFUSED, "", ""},
    {"read TCPv4_CLIENT: Connection reset by peer (WSAECONNRESET)", LOG_NOTHING, "", ""},
    {"read UDPv4 [EHOSTUNREACH]: No route to host (fd=3,code=113)", LOG_UNREACHABLE, "", ""},
    {"write UDPv4: Network is unreachable (fd=3,code=101)", LOG_UNREACHABLE, "", ""},
    {"Network unreachable, restarting", LOG_UNREACHABLE, "", ""},
    {"write UDPv4: Operation not permitted (fd=3,code=1)", LOG_NOTHING, "", ""},
    {"TLS Error: TLS key negotiation failed to occur within 60 seconds (check your network "
     "connectivity)",
     LOG_TLS_TIMEOUT, "", ""},
    {"TLS Error: TLS handshake failed", LOG_TLS_FAILED, "TLS handshake failed", ""},
    {"10.0.0.9:33235 TLS Error: TLS handshake failed", LOG_TLS_FAILED, "TLS handshake failed",
     "10.0.0.9:33235"},
    {"TLS Error: cannot locate HMAC in incoming packet from [AF_INET]1.2.3.4:5", LOG_WRONG_KEY, "",
     ""},
    {"TLS Error: incoming packet authentication failed from [AF_INET]1.2.3.4:5", LOG_WRONG_KEY, "",
     ""},
    {"tls-crypt unwrap error: packet authentication failed", LOG_WRONG_KEY, "", ""},
    {"TLS Error: tls-crypt unwrapping failed from [AF_INET]1.2.3.4:5", LOG_WRONG_KEY, "", ""},
    {"tls-crypt unwrap error: packet too short", LOG_NOTHING, "", ""},
    {"TLS Error: local/remote TLS keys are out of sync: [AF_INET]1.2.3.4:5 (received key id: 1, "
     "known "
     "key ids: x)",
     LOG_OUT_OF_SYNC, "", ""},
    {"TLS: soft reset sec=3604/3600 bytes=81352/-1 pkts=1027/0", LOG_SOFT_RESET, "", ""},
    {"TLS: soft reset sec=0 bytes=81352/0 pkts=1027/0", LOG_SOFT_RESET, "", ""},
    {"VERIFY OK: depth=0, CN=server", LOG_VERIFY_OK, "CN=server", ""},
    {"VERIFY OK: depth=1, CN=ca", LOG_NOTHING, "", ""},
    {"VERIFY KU OK", LOG_NOTHING, "", ""},
    {"VERIFY ERROR: CRL not loaded", LOG_VERIFY_ERROR, "CRL not loaded", ""},
    {"VERIFY ERROR: depth=0, error=CRL has expired: CN=c, serial=2", LOG_VERIFY_ERROR,
     "depth=0, error=CRL has expired: CN=c, serial=2", ""},
    {"WARNING: Your certificate is not yet valid!", LOG_OWN_CERTIFICATE, "is not yet valid", ""},
    {"WARNING: Your certificate has expired!", LOG_OWN_CERTIFICATE, "has expired", ""},
    {"WARNING: Your certificate is fine!", LOG_NOTHING, "", ""},
    {"OpenSSL: error:0A000415:SSL routines::sslv3 alert certificate expired:SSL alert number 45",
     LOG_TLS_ALERT, "certificate expired", ""},
    {"OpenSSL: error:14094415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired",
     LOG_TLS_ALERT, "certificate expired", ""},
    {"OpenSSL: error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number 48",
     LOG_TLS_ALERT, "unknown ca", ""},
    {"OpenSSL: error:0A000086:SSL routines::certificate verify failed", LOG_NOTHING, "", ""},
    {"OpenSSL: error:0A000086:SSL routines::a alert ", LOG_NOTHING, "", ""},
    {"AEAD Decrypt error: cipher final failed", LOG_DECRYPT_ERROR, "", ""},
    {"Authenticate/Decrypt packet error: cipher final failed", LOG_DECRYPT_ERROR, "", ""},
    {"Authenticate/Decrypt packet error: packet HMAC authentication failed", LOG_DECRYPT_ERROR, "",
     ""},
    {"MANAGEMENT: CMD 'signal SIGUSR1'", LOG_COMMAND, "signal SIGUSR1", ""},
    {"MANAGEMENT: CMD 'kill alice'", LOG_COMMAND, "kill alice", ""},
    {"MANAGEMENT: CMD 'status 3'", LOG_NOTHING, "", ""},
    {"MULTI: Learn: 10.8.0.2 -> alice/1.2.3.4:1194", LOG_LEARNED, "10.8.0.2", "alice/1.2.3.4:1194"},
    {"alice/1.2.3.4:1194 MULTI: Learn: 10.8.0.2 -> alice/1.2.3.4:1194", LOG_LEARNED, "10.8.0.2",
     "alice/1.2.3.4:1194"},
    {"MULTI: Learn FAILED: 10.8.0.2 -> alice/1.2.3.4:1194", LOG_NOTHING, "", ""},
    {"Connection reset command was pushed by server ('[P]why')", LOG_SERVER_RESET, "[P]why", ""},
    {"Halt command was pushed by server ('')", LOG_SERVER_RESET, "", ""},
    {"OCC exit message received by peer", LOG_REMOTE_EXIT, "", ""},
    {"CC-EEN exit message received by peer", LOG_REMOTE_EXIT, "", ""},
    {"SIGTERM received, sending exit notification to peer", LOG_NOTHING, "", ""},
    {"Connection reset, restarting [0]", LOG_CONNECTION_RESET, "", ""},
    {"AUTH: Received control message: AUTH_FAILED", LOG_AUTH_FAILED, "", ""},
    {"AUTH: Received control message: AUTH_FAILED,no, not you", LOG_AUTH_FAILED, "no, not you", ""},
    {"AUTH: Received control message: AUTH_PENDING", LOG_NOTHING, "", ""},
    {"VERIFY ERROR: depth=0, error=certificate is not yet valid: CN=server, serial=1",
     LOG_VERIFY_ERROR, "depth=0, error=certificate is not yet valid: CN=server, serial=1", ""},
    {"VERIFY KU ERROR", LOG_VERIFY_ERROR, "KU ERROR", ""},
    {"VERIFY OK: depth=0, CN=an ERROR", LOG_VERIFY_OK, "CN=an ERROR", ""},
    {"Authenticate/Decrypt packet error: bad packet ID (may be a replay): [ #5 / time = "
     "(1705361803) 2024-01-15 18:36:43 ] -- see the man page",
     LOG_REPLAY, "", ""},
    {"WARNING: --keepalive option is missing from server config", LOG_KEEPALIVE_MISSING, "", ""},
    {"MULTI: new connection by client 'it's me' will cause previous active sessions by this client "
     "to be dropped.",
     LOG_DUPLICATE, "it's me", ""},
    {"bob/udp4:10.0.0.9:33235 peer-id=0 MULTI: new connection by client 'bob' will cause previous "
     "active sessions",
     LOG_DUPLICATE, "bob", "bob/udp4:10.0.0.9:33235 peer-id=0"},
    {"bob/2001:db8::1 Connection reset, restarting [-1]", LOG_CONNECTION_RESET, "",
     "bob/2001:db8::1"},
    {"MULTI: new connection by client 'x", LOG_NOTHING, "", ""},
    {"bob/1.2.3.4:1194 TLS: Initial packet from [AF_INET]1.2.3.4:1194, sid=16acc3d8 1c51fa28",
     LOG_INITIAL_PACKET, "", "bob/1.2.3.4:1194"},
    {"  management_flags = 24", LOG_MANAGEMENT_FLAGS, "", ""},
    {"  management_flags = x", LOG_NOTHING, "", ""},
    {"  management_port = '7505'", LOG_NOTHING, "", ""},
    {"TCP/UDP: Closing socket", LOG_NOTHING, "", ""},
    {"UDPv4 link remote: [AF_INET]127.0.0.1:21194", LOG_REMOTE, "127.0.0.1", ""},
    {"TCPv6_CLIENT link remote: [AF_INET6]2001:db8::7:1194", LOG_REMOTE, "2001:db8::7", ""},
    {"UDPv6 link remote: [AF_INET6][2001:db8::7]:1194", LOG_REMOTE, "2001:db8::7", ""},
    {"[server] Peer Connection Initiated with [AF_INET]1.2.3.4:1194 (via [AF_INET]10.0.0.2%wlan0)",
     LOG_REMOTE, "1.2.3.4", ""},
    {"Peer Connection Initiated with 1.2.3.4:1194", LOG_REMOTE, "1.2.3.4", ""},
    {"1.2.3.4:5 [bob] Peer Connection Initiated with [AF_INET]1.2.3.4:5", LOG_REMOTE, "1.2.3.4",
     "1.2.3.4:5"},
    {"UDPv4 link local: (not bound)", LOG_NOTHING, "", ""},
    {"UDPv4 link remote: [AF_UNSPEC]", LOG_NOTHING, "", ""},
    {"UDPv4 link remote: [AF_INET][undef]:1194", LOG_NOTHING, "", ""},
    {"UDPv4 link remote: [AF_INET]1.2.3.4:70000", LOG_NOTHING, "", ""},
    {"UDPv4 link remote: [AF_INET]:1194", LOG_NOTHING, "", ""},
    {"Peer Connection Initiated with ", LOG_NOTHING, "", ""},
    {"", LOG_NOTHING, "", ""},
    {" ", LOG_NOTHING, "", ""},
    {"a/b/c: d", LOG_NOTHING, "", ""},
};

static struct log_fact fact(const char *line)
{
	struct log_fact f;
	log_text_parse(slice_from(line), &f);
	return f;
}

static void kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof text_cases / sizeof *text_cases; i++) {
		const struct text_case *c = &text_cases[i];
		size_t n = strlen(c->line);
		char *exact = malloc(n > 0 ? n : 1); /* a byte too far is seen by ASan */
		assert_non_null(exact);
		memcpy(exact, c->line, n);
		struct log_fact f;
		log_text_parse((struct slice){.p = exact, .n = n}, &f);
		if (f.kind != c->kind)
			fail_msg("%s: kind %d", c->line, (int)f.kind);
		assert_true(slice_is(f.text, c->text));
		assert_true(slice_is(f.client, c->client));
		for (size_t cut = 0; cut < n; cut++)
			log_text_parse((struct slice){.p = exact + cut, .n = n - cut}, &f);
		free(exact);
	}
}

static void figures(void **state)
{
	(void)state;
	struct log_fact f = fact("OpenVPN 2.6.14 x86_64");
	assert_int_equal(f.major, 2);
	assert_int_equal(f.minor, 6);
	assert_int_equal(f.ping, -1);
	assert_int_equal(f.time, -1);
	assert_int_equal(fact("Restart pause, 5 second(s)").seconds, 5);
	assert_int_equal(fact("Restart pause, 99999999999 second(s)").kind, LOG_NOTHING);
	f = fact("Timers: ping 10, ping-restart 120, inactive 300");
	assert_int_equal(f.ping, 10);
	assert_int_equal(f.ping_restart, 120);
	f = fact("Timers: ping-exit 120");
	assert_int_equal(f.ping, -1);
	assert_int_equal(f.ping_restart, -1);
	f = fact("PUSH: Received control message: 'PUSH_REPLY,route-gateway 10.99.0.1,ping 2,"
		 "ping-restart 12,peer-id 0,auth-token'");
	assert_int_equal(f.ping, 2);
	assert_int_equal(f.ping_restart, 12);
	assert_true(slice_is(f.text, "route-gateway 10.99.0.1,ping 2,ping-restart 12,peer-id 0,"
				     "auth-token"));
	f = fact("PUSH: Received control message: 'PUSH_REPLY,ping-restart 12,ping-restart 24");
	assert_int_equal(f.ping_restart, 24);
	assert_int_equal(fact("PUSH: Received control message: 'PUSH_REPLY,ping -5'").ping, -1);
	f = fact("TLS Error: TLS key negotiation failed to occur within 60 seconds");
	assert_int_equal(f.seconds, 60);
	f = fact("tls-crypt unwrap error: bad packet ID (may be a replay): [ #5 / time = "
		 "(1705361803) Mon Jan 15 18:36:43 2024 ] -- see");
	assert_int_equal(f.time, 1705361803);
	f = fact("x: bad packet ID (may be a replay): [ #5 ] -- see");
	assert_int_equal(f.kind, LOG_REPLAY);
	assert_int_equal(f.time, -1);
	f = fact("x: bad packet ID (may be a replay): [ #5 / time = (99999999999) x ]");
	assert_int_equal(f.time, -1);
	assert_int_equal(fact("TLS: soft reset sec=3604/3600 bytes=1/-1 pkts=1/0").seconds, 3600);
	assert_int_equal(fact("TLS: soft reset sec=0 bytes=1/0 pkts=1/0").seconds, -1);
	assert_int_equal(fact("UDPv4 link remote: [AF_INET]1.2.3.4:1195").port, 1195);
}

static void signals(void **state)
{
	(void)state;
	struct log_fact f = fact("SIGUSR1[soft,ping-restart] received, process restarting");
	assert_int_equal(f.reason, REASON_PING_RESTART);
	assert_false(f.hard);
	assert_true(slice_is(f.signal, "SIGUSR1"));
	f = fact("SIGUSR1[hard,] received, process restarting");
	assert_true(f.hard);
	assert_int_equal(f.reason, REASON_SIGUSR1);
	assert_true(slice_is(f.text, "SIGUSR1"));
	f = fact("SIGTERM[hard,init_instance] received, process exiting");
	assert_int_equal(f.reason, REASON_SIGTERM);
	f = fact("SIGUSR1[soft,auth-failure (auth-token)] received, process restarting");
	assert_int_equal(f.reason, REASON_AUTH_FAILURE_TOKEN);
	f = fact("SIGUSR1[connection failed(soft),init_instance] received, process restarting");
	assert_int_equal(f.reason, REASON_INIT_INSTANCE);
	f = fact("SIGTERM[soft,something new] received, process exiting");
	assert_int_equal(f.reason, REASON_OTHER);
	assert_true(slice_is(f.text, "something new"));
	f = fact("bob/10.0.0.9:1 SIGUSR1[soft,ping-restart] received, client-instance restarting");
	assert_true(slice_is(f.client, "bob/10.0.0.9:1"));
	assert_int_equal(f.reason, REASON_PING_RESTART);
	assert_int_equal(fact("SIGUSR1[soft] received, x").kind, LOG_NOTHING);
	assert_int_equal(fact("SIG] received, x").kind, LOG_NOTHING);
}

/* The texts of a real session, in the order of its restart. */
static void a_real_session(void **state)
{
	(void)state;
	static const enum log_fact_kind expected[] = {
	    LOG_VERSION,	LOG_REMOTE,	      LOG_MANAGEMENT_STATE, LOG_MANAGEMENT_STATE,
	    LOG_INITIAL_PACKET, LOG_VERIFY_OK,	      LOG_REMOTE,	    LOG_PUSH_REPLY,
	    LOG_INITIALIZED,	LOG_MANAGEMENT_STATE, LOG_TIMERS,	    LOG_REFUSED,
	    LOG_REFUSED,	LOG_REFUSED,	      LOG_REFUSED,	    LOG_REFUSED,
	    LOG_INACTIVITY,	LOG_SIGNAL,	      LOG_MANAGEMENT_STATE, LOG_RESTART_PAUSE,
	    LOG_REMOTE,		LOG_MANAGEMENT_STATE,
	};
	char line[4096];
	size_t seen = 0;
	FILE *file = fopen(TESTS_DIR "/fixtures/ovpn_client_pingrestart_2.6.14.raw", "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL &&
	       seen < sizeof expected / sizeof *expected) {
		struct slice rest = slice_trim(slice_from(line));
		if (!slice_starts(rest, ">LOG:") && (rest.p[0] < '0' || rest.p[0] > '9'))
			continue;
		(void)slice_cut(&rest, ',');
		(void)slice_cut(&rest, ',');
		struct log_fact f;
		log_text_parse(rest, &f);
		if (f.kind != LOG_NOTHING)
			assert_int_equal(f.kind, expected[seen++]);
	}
	assert_int_equal(seen, sizeof expected / sizeof *expected);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds),
	    cmocka_unit_test(figures),
	    cmocka_unit_test(signals),
	    cmocka_unit_test(a_real_session),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
