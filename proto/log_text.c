/* SPDX-License-Identifier: MIT
 *
 * OpenVPN's texts, each with the function of src/openvpn that prints it. They were compared in
 * 2.3.18, 2.4.12, 2.5.11, 2.6.14 and 2.7; where a version differs it is said.
 */
#include "proto/log_text.h"

#include "proto/log_client.h"
#include "proto/log_text_parts.h"

/* options.c title_string: "OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)] …" */
static bool version(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "OpenVPN "))
		return false;
	struct slice word = slice_cut(&text, ' ');
	struct slice rest = word;
	int64_t major = number_at(slice_cut(&rest, '.'));
	int64_t minor = number_at(rest);
	if (major < 0 || minor < 0)
		return false;
	f->text = word;
	f->major = (unsigned)major;
	f->minor = (unsigned)minor;
	return true;
}

/* manage.c log_entry_print with LOG_ECHO_TO_LOG */
static bool management_state(struct slice text, struct log_fact *f)
{
	f->text = text;
	return take_prefix(&f->text, "MANAGEMENT: >STATE:");
}

/* init.c initialization_sequence_completed */
static bool initialized(struct slice text, struct log_fact *f)
{
	(void)f;
	return slice_starts(text, "Initialization Sequence Completed");
}

/* init.c format_common_name: "[server] " in front; it is not there without TLS. */
static struct slice without_common_name(struct slice text)
{
	size_t end = text.n > 0 && text.p[0] == '[' ? slice_find(text, "] ") : SIZE_MAX;
	return end != SIZE_MAX ? slice_skip(text, end + 2) : text;
}

/* ping.c trigger_ping_timeout_signal; the server says it after the client's prefix */
static bool inactivity(struct slice text, struct log_fact *f)
{
	(void)f;
	return slice_starts(without_common_name(text), "Inactivity timeout (--ping-restart)");
}

static bool inactivity_exit(struct slice text, struct log_fact *f)
{
	(void)f;
	return slice_starts(without_common_name(text), "Inactivity timeout (--ping-exit)");
}

/* sig.c print_signal: "%s[%s,%s] received, %s restarting"; the source is "hard", "soft" or
 * "connection failed(soft)", the text may be empty. The management interface then gives the signal
 * as the reason (sig.c signal_description), and so do we. */
static bool signal_received(struct slice text, struct log_fact *f)
{
	size_t end = slice_find(text, "] received, ");
	if (end == SIZE_MAX || !slice_starts(text, "SIG"))
		return false;
	text.n = end;
	struct slice name = slice_cut(&text, '[');
	struct slice source = slice_cut(&text, ',');
	if (text.p == NULL || name.n > 16)
		return false;
	f->signal = name;
	f->hard = slice_is(source, "hard");
	f->text = text.n > 0 && !f->hard ? text : name;
	f->reason = restart_reason_from(f->text);
	return true;
}

/* init.c socket_restart_pause: "Restart pause, %d second(s)" */
static bool restart_pause(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "Restart pause, "))
		return false;
	f->seconds = number_at(text);
	return f->seconds >= 0;
}

/* One option of a list: "ping 10" or "ping-restart 120". The last one counts, as in OpenVPN. */
static void timer_option(struct slice option, struct log_fact *f)
{
	option = slice_trim(option);
	if (take_prefix(&option, "ping "))
		f->ping = number_at(slice_trim(option));
	else if (take_prefix(&option, "ping-restart "))
		f->ping_restart = number_at(slice_trim(option));
}

static void timer_options(struct slice options, struct log_fact *f)
{
	while (options.n > 0)
		timer_option(slice_cut(&options, ','), f);
}

/* init.c tls_print_deferred_options_results (2.6 and later): "Timers: ping 10, ping-restart 120" */
static bool timers(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "Timers: "))
		return false;
	timer_options(text, f);
	return true;
}

/* push.c incoming_push_message: "PUSH: Received control message: '%s'". A reply may come in several
 * messages, marked push-continuation. */
static bool push_reply(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "PUSH: Received control message: 'PUSH_REPLY"))
		return false;
	(void)take_prefix(&text, ",");
	if (text.n > 0 && text.p[text.n - 1] == '\'')
		text.n--;
	f->text = text;
	timer_options(text, f);
	return true;
}

/* error.c x_check_status: "%s %s [%s]: %s (fd=%d,code=%d)", the brackets (mtu.c
 * format_extended_socket_error) and fd= not always; socket.c openvpn_connect: "TCP: connect to %s
 * failed: %s". For Windows, WSAECONNRESET on UDP is the ICMP port unreachable. */
static bool is_link_error(struct slice text)
{
	return slice_starts(text, "read UDP") || slice_starts(text, "write UDP") ||
	       slice_starts(text, "read TCP") || slice_starts(text, "write TCP") ||
	       slice_starts(text, "TCP: connect to ");
}

static bool refused(struct slice text, struct log_fact *f)
{
	(void)f;
	if (!is_link_error(text))
		return false;
	bool udp = slice_starts(text, "read UDP") || slice_starts(text, "write UDP");
	return contains(text, "ECONNREFUSED") || contains(text, "Connection refused") ||
	       (udp && contains(text, "WSAECONNRESET"));
}

/* as above; and forward.c process_outgoing_link: "Network unreachable, restarting" */
static bool unreachable(struct slice text, struct log_fact *f)
{
	(void)f;
	if (slice_starts(text, "Network unreachable"))
		return true;
	return is_link_error(text) &&
	       (contains(text, "EHOSTUNREACH") || contains(text, "ENETUNREACH") ||
		contains(text, "Network is unreachable") || contains(text, "No route to host"));
}

/* push.c server_pushed_signal: "… command was pushed by server ('%s')" */
static bool server_reset(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "Connection reset command was pushed by server ('") &&
	    !take_prefix(&text, "Halt command was pushed by server ('"))
		return false;
	f->text = until(text, "')");
	return true;
}

/* occ.c process_received_occ_msg; push.c receive_exit_message */
static bool remote_exit(struct slice text, struct log_fact *f)
{
	(void)f;
	return slice_starts(text, "OCC exit message received by peer") ||
	       slice_starts(text, "CC-EEN exit message received by peer");
}

/* forward.c read_incoming_link: "Connection reset, restarting [%d]" */
static bool connection_reset(struct slice text, struct log_fact *f)
{
	(void)f;
	return slice_starts(text, "Connection reset, restarting");
}

/* push.c receive_auth_failed: "AUTH: Received control message: AUTH_FAILED[,reason]" */
static bool auth_failed(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "AUTH: Received control message: AUTH_FAILED"))
		return false;
	(void)take_prefix(&text, ",");
	f->text = text;
	return true;
}

/* crypto.c crypto_check_replay: "%s: bad packet ID (may be a replay): [ #5 / time = (1705361803)
 * 2024-… ] -- see …"; packet_id.c packet_id_net_print. Short packet ids have no time. */
static bool replay(struct slice text, struct log_fact *f)
{
	static const char stamp[] = " / time = (";
	size_t at = slice_find(text, ": bad packet ID (may be a replay): ");
	if (at == SIZE_MAX)
		return false;
	uint64_t time = 0;
	text = slice_skip(text, at);
	at = slice_find(text, stamp);
	if (at != SIZE_MAX) {
		text = slice_skip(text, at + sizeof stamp - 1);
		if (slice_to_u64(slice_cut(&text, ')'), &time) && time <= UINT32_MAX)
			f->time = (int64_t)time;
	}
	return true;
}

/* init.c do_option_warnings */
static bool keepalive_missing(struct slice text, struct log_fact *f)
{
	(void)f;
	return slice_starts(text, "WARNING: --keepalive option is missing from server config");
}

/* multi.c multi_delete_dup: "MULTI: new connection by client '%s' will cause previous …" */
static bool duplicate(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "MULTI: new connection by client '"))
		return false;
	f->text = until(text, "' will cause previous active sessions");
	return f->text.n < text.n;
}

/* multi.c multi_learn_addr: "MULTI: Learn: 10.8.0.2 -> cn/1.2.3.4:1194" */
static bool learned(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "MULTI: Learn: "))
		return false;
	f->text = until(text, " -> ");
	if (f->text.n == text.n)
		return false;
	f->client = slice_skip(text, f->text.n + 4);
	return true;
}

/* manage.c man_process_command: "MANAGEMENT: CMD '%s'". Of all commands only those that signal. */
static bool command(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "MANAGEMENT: CMD '"))
		return false;
	if (text.n > 0 && text.p[text.n - 1] == '\'')
		text.n--;
	f->text = text;
	return slice_starts(text, "signal ") || slice_starts(text, "kill ");
}

/* socket.c print_sockaddr_ex: "[AF_INET]1.2.3.4:1194", "[AF_INET6]2001:db8::7:1194" (2.7:
 * "[AF_INET6][2001:db8::7]:1194"), before 2.3 without the family; " (via …)" may follow. */
static bool address(struct slice text, struct log_fact *f)
{
	struct slice word = slice_cut(&text, ' ');
	uint64_t port;
	if (!take_prefix(&word, "[AF_INET]"))
		(void)take_prefix(&word, "[AF_INET6]");
	const char *colon = word.n > 0 ? memrchr(word.p, ':', word.n) : NULL;
	if (colon == NULL)
		return false;
	struct slice host = {.p = word.p, .n = (size_t)(colon - word.p)};
	if (!slice_to_u64(slice_skip(word, host.n + 1), &port) || port > UINT16_MAX)
		return false;
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = (struct slice){.p = host.p + 1, .n = host.n - 2};
	if (host.n == 0 || host.n > 45)
		return false;
	for (size_t i = 0; i < host.n; i++)
		if (memchr("0123456789abcdefABCDEF:.", host.p[i], 24) == NULL)
			return false;
	f->text = host;
	f->port = (uint16_t)port;
	return true;
}

/* socket.c linksock_print_addr: "UDPv4 link remote: %s"; link_socket_connection_initiated:
 * "[server] Peer Connection Initiated with %s" */
static bool remote(struct slice text, struct log_fact *f)
{
	static const char initiated[] = "Peer Connection Initiated with ";
	static const char link_remote[] = " link remote: ";
	struct slice rest = without_common_name(text);
	if (rest.p != text.p) /* "[name] " */
		f->name = (struct slice){.p = text.p + 1, .n = (size_t)(rest.p - text.p) - 3};
	if (take_prefix(&rest, initiated))
		return address(rest, f);
	if (!slice_starts(text, "UDP") && !slice_starts(text, "TCP"))
		return false;
	size_t at = slice_find(text, link_remote);
	return at < 16 && address(slice_skip(text, at + sizeof link_remote - 1), f);
}

/* ssl.c tls_pre_decrypt: "TLS: Initial packet from [AF_INET]1.2.3.4:1194, sid=…" */
static bool initial_packet(struct slice text, struct log_fact *f)
{
	(void)f;
	return slice_starts(text, "TLS: Initial packet from ");
}

/* options.c show_settings, `verb 4`: "  management_flags = 8" */
static bool management_flags(struct slice text, struct log_fact *f)
{
	text = slice_trim(text);
	if (!take_prefix(&text, "management_flags = "))
		return false;
	f->flags = number_at(text);
	return f->flags >= 0;
}

struct known_text {
	const char *first; /* bytes that such a text can begin with; NULL: any */
	enum log_fact_kind kind;
	log_text_matcher *match;
};

static const struct known_text known_texts[] = {
    {"O", LOG_VERSION, version},
    {"M", LOG_MANAGEMENT_STATE, management_state},
    {"I", LOG_INITIALIZED, initialized},
    {"[I", LOG_INACTIVITY, inactivity},
    {"[I", LOG_INACTIVITY_EXIT, inactivity_exit},
    {"S", LOG_SIGNAL, signal_received},
    {"R", LOG_RESTART_PAUSE, restart_pause},
    {"T", LOG_TIMERS, timers},
    {"P", LOG_PUSH_REPLY, push_reply},
    {"rwT", LOG_REFUSED, refused},
    {"rwTN", LOG_UNREACHABLE, unreachable},
    {"T", LOG_TLS_TIMEOUT, log_text_tls_timeout},
    {"T", LOG_TLS_FAILED, log_text_tls_failed},
    {"CH", LOG_SERVER_RESET, server_reset},
    {"OC", LOG_REMOTE_EXIT, remote_exit},
    {"C", LOG_CONNECTION_RESET, connection_reset},
    {"A", LOG_AUTH_FAILED, auth_failed},
    {"V", LOG_VERIFY_OK, log_text_verify_ok},
    {"V", LOG_VERIFY_ERROR, log_text_verify_error},
    {"T", LOG_SOFT_RESET, log_text_soft_reset},
    {"T", LOG_OUT_OF_SYNC, log_text_out_of_sync},
    {"W", LOG_OWN_CERTIFICATE, log_text_own_certificate},
    {"O", LOG_TLS_ALERT, log_text_tls_alert},
    {NULL, LOG_REPLAY, replay},
    {"W", LOG_KEEPALIVE_MISSING, keepalive_missing},
    {"M", LOG_DUPLICATE, duplicate},
    {"M", LOG_LEARNED, learned},
    {"M", LOG_COMMAND, command},
    {"UT[P", LOG_REMOTE, remote},
    {"T", LOG_INITIAL_PACKET, initial_packet},
    {" m", LOG_MANAGEMENT_FLAGS, management_flags},
    {"Tt", LOG_WRONG_KEY, log_text_wrong_key},
    {"A", LOG_DECRYPT_ERROR, log_text_decrypt_error},
};

void log_text_parse(struct slice text, struct log_fact *out)
{
	const struct log_fact nothing = {
	    .seconds = -1, .ping = -1, .ping_restart = -1, .time = -1, .flags = -1};
	struct log_fact f = nothing;
	size_t prefix = log_client_prefix(text);
	*out = nothing;
	if (prefix > 0) {
		out->client = (struct slice){.p = text.p, .n = prefix};
		text = slice_skip(text, prefix + 1);
	}
	if (text.n == 0)
		return;
	for (size_t i = 0; i < sizeof known_texts / sizeof *known_texts; i++) {
		const struct known_text *known = &known_texts[i];
		if (known->first != NULL &&
		    (text.p[0] == '\0' || strchr(known->first, text.p[0]) == NULL))
			continue;
		f = nothing;
		if (!known->match(text, &f))
			continue;
		f.kind = known->kind;
		if (f.client.n == 0) /* it names none itself */
			f.client = out->client;
		*out = f;
		return;
	}
}
