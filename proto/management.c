/* SPDX-License-Identifier: MIT
 *
 * The parser of proto/management.h: a line to a message. STATE, BYTECOUNT and LOG are nearly all of
 * the traffic, so they are recognised first and read without a call for each field; everything else
 * is found in a table. Forms: OpenVPN doc/management-notes.txt and the msg(M_CLIENT, …) calls of
 * src/openvpn/manage.c; the functions that print a line are named at its parser.
 */
#include "proto/management.h"
#include "proto/management_parts.h"

/* manage.c log_entry_print: addresses that are not set are empty, or "[undef]" before 2.4. */
static struct slice address_field(struct slice *rest)
{
	struct slice part = take_field(rest);
	if (part.n == 7 && part.p[0] == '[' && memcmp(part.p, "[undef]", 7) == 0)
		part.n = 0;
	return part;
}

static bool port_field(struct slice *rest, uint16_t *port)
{
	struct slice part = address_field(rest);
	uint64_t value = 0;
	if (part.n > 0 && (!slice_to_u64(part, &value) || value > UINT16_MAX))
		return false;
	*port = (uint16_t)value;
	return true;
}

static bool is_state_name(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((name.p[i] < 'A' || name.p[i] > 'Z') && name.p[i] != '_' && name.p[i] != '?')
			return false;
	return name.n > 0;
}

/* time,NAME,detail,local_ip,remote_ip[,remote_port,source_ip,source_port[,local_ip6]] */
static inline bool parse_state(struct slice rest, struct management_state *s)
{
	if (!take_time(&rest, &s->time))
		return false;
	s->name = take_field(&rest);
	if (!is_state_name(s->name))
		return false;
	s->state = openvpn_state_from(s->name);
	s->detail = take_field(&rest);
	s->reason = REASON_OTHER;
	if (s->state == STATE_RECONNECTING || s->state == STATE_EXITING)
		s->reason = restart_reason_from(s->detail);
	s->local_ip = address_field(&rest);
	if (rest.p == NULL)
		return false; /* fewer than five fields: no OpenVPN ever wrote that */
	s->remote_ip = address_field(&rest);
	if (!port_field(&rest, &s->remote_port))
		return false;
	s->source_ip = address_field(&rest);
	if (!port_field(&rest, &s->source_port))
		return false;
	s->local_ip6 = address_field(&rest);
	return true;
}

/* time,flags,text: the text is the rest, commas and all. */
static inline bool parse_log(struct slice rest, struct management_log *log)
{
	if (!take_time(&rest, &log->time))
		return false;
	size_t n = 0;
	while (n < rest.n && rest.p[n] >= 'A' && rest.p[n] <= 'Z')
		n++;
	if (n == rest.n || rest.p[n] != ',')
		return false;
	log->flags = (struct slice){.p = rest.p, .n = n};
	log->text = (struct slice){.p = rest.p + n + 1, .n = rest.n - n - 1};
	return true;
}

enum verdict management_parse_state(struct slice payload, struct management_state *out)
{
	struct management_state s;
	if (!parse_state(payload, &s))
		return VERDICT_INVALID;
	*out = s;
	return VERDICT_DONE;
}

enum verdict management_parse_log(struct slice payload, struct management_log *out)
{
	struct management_log log;
	if (!parse_log(payload, &log))
		return VERDICT_INVALID;
	*out = log;
	return VERDICT_DONE;
}

static void set_head(struct management_message *out, enum management_kind kind, struct slice line,
		     struct slice word, struct slice text)
{
	out->kind = kind;
	out->line = line;
	out->word = word;
	out->text = text;
}

/* manage.c man_bytecount_output_client: ">BYTECOUNT:%s,%s". */
static inline bool parse_bytecount(struct slice rest, uint64_t *in, uint64_t *out)
{
	return take_number(&rest, in) && rest.p != NULL && take_number(&rest, out) &&
	       rest.p == NULL;
}

/* manage.c man_bytecount_output_server: ">BYTECOUNT_CLI:%lu,%s,%s". */
static bool parse_bytecount_cli(struct slice text, struct management_message *out)
{
	uint64_t cid = 0;
	uint64_t in = 0;
	uint64_t sent = 0;
	if (!take_number(&text, &cid) || text.p == NULL || !parse_bytecount(text, &in, &sent))
		return false;
	out->u.bytecount_cli.cid = cid;
	out->u.bytecount_cli.in = in;
	out->u.bytecount_cli.out = sent;
	return true;
}

/* manage.c log_entry_print with LOG_PRINT_ECHO_PREFIX: ">ECHO:%u,%s". */
static bool parse_echo(struct slice text, struct management_message *out)
{
	uint64_t time = 0;
	if (!take_time(&text, &time))
		return false;
	out->u.echo.time = time;
	out->u.echo.text = text;
	return true;
}

/* manage.c management_hold: ">HOLD:Waiting for hold release:%d"; no number before 2.4. */
static bool parse_hold(struct slice text, struct management_message *out)
{
	uint64_t seconds = 0;
	(void)slice_cut(&text, ':');
	bool said = text.p != NULL;
	if (said && (!slice_to_u64(text, &seconds) || seconds > INT32_MAX))
		return false;
	out->u.hold.seconds = said ? (int64_t)seconds : -1;
	return true;
}

/* manage.c man_welcome: ">INFO:OpenVPN Management Interface Version %d -- type 'help' …". */
static bool parse_info(struct slice text, struct management_message *out)
{
	static const char version_is[] = "Management Interface Version ";
	uint64_t version = 0;
	size_t at = slice_find(text, version_is);
	if (at != SIZE_MAX) {
		text = slice_skip(text, at + sizeof version_is - 1);
		if (!slice_to_u64(slice_cut(&text, ' '), &version) || version > INT32_MAX)
			return false;
	}
	out->u.info.version = (unsigned)version;
	return true;
}

/* FATAL, INFOMSG, NEED-CERTIFICATE, PKCS11ID-…: their text is all there is to them. */
static bool parse_plain(struct slice text, struct management_message *out)
{
	(void)text;
	(void)out;
	return true;
}

struct notification {
	const char *word;
	enum management_kind kind;
	/* Fills in its member of out->u, at its end only. False: broken. */
	bool (*parse)(struct slice text, struct management_message *out);
};

static const struct notification notifications[] = {
    {"INFO", MANAGEMENT_INFO, parse_info},
    {"INFOMSG", MANAGEMENT_INFOMSG, parse_plain},
    {"ECHO", MANAGEMENT_ECHO, parse_echo},
    {"BYTECOUNT_CLI", MANAGEMENT_BYTECOUNT_CLI, parse_bytecount_cli},
    {"HOLD", MANAGEMENT_HOLD, parse_hold},
    {"FATAL", MANAGEMENT_FATAL, parse_plain},
    {"PASSWORD", MANAGEMENT_PASSWORD, management_parse_password},
    {"NEED-OK", MANAGEMENT_NEED_OK, management_parse_need},
    {"NEED-STR", MANAGEMENT_NEED_STR, management_parse_need},
    {"NEED-CERTIFICATE", MANAGEMENT_NEED_CERTIFICATE, parse_plain},
    {"PK_SIGN", MANAGEMENT_PK_SIGN, management_parse_sign},
    {"RSA_SIGN", MANAGEMENT_RSA_SIGN, management_parse_sign},
    {"REMOTE", MANAGEMENT_REMOTE, management_parse_remote},
    {"PROXY", MANAGEMENT_PROXY, management_parse_proxy},
    {"CLIENT", MANAGEMENT_CLIENT, management_parse_client},
    {"UPDOWN", MANAGEMENT_UPDOWN, management_parse_updown},
    {"NOTIFY", MANAGEMENT_NOTIFY, management_parse_notify},
    {"PKCS11ID-COUNT", MANAGEMENT_PKCS11ID_COUNT, parse_plain},
    {"PKCS11ID-ENTRY", MANAGEMENT_PKCS11ID_ENTRY, parse_plain},
};

static enum verdict parse_other(struct slice line, struct management_message *out)
{
	struct slice text = slice_skip(line, 1);
	struct slice word = slice_cut(&text, ':');
	if (text.p != NULL) {
		for (size_t i = 0; i < sizeof notifications / sizeof *notifications; i++) {
			const struct notification *n = &notifications[i];
			if (word.n == 0 || word.p[0] != n->word[0] || !slice_is(word, n->word))
				continue;
			if (!n->parse(text, out))
				return VERDICT_INVALID;
			set_head(out, n->kind, line, word, text);
			return VERDICT_DONE;
		}
	}
	set_head(out, MANAGEMENT_UNKNOWN, line, word, text);
	return VERDICT_DONE;
}

/* Whether the line begins with `>WORD:`; then what stands around the colon. */
#define IS_NOTIFICATION(line, word)              \
	((line).n >= sizeof(">" word ":") - 1 && \
	 memcmp((line).p, ">" word ":", sizeof(">" word ":") - 1) == 0)

static inline struct slice word_of(struct slice line, size_t n)
{
	return (struct slice){.p = line.p + 1, .n = n};
}

static inline struct slice payload_of(struct slice line, size_t n)
{
	return (struct slice){.p = line.p + n + 2, .n = line.n - n - 2};
}

static enum verdict parse_notification(struct slice line, struct management_message *out)
{
	if (IS_NOTIFICATION(line, "LOG")) {
		struct management_log log;
		struct slice payload = payload_of(line, 3);
		if (!parse_log(payload, &log))
			return VERDICT_INVALID;
		set_head(out, MANAGEMENT_LOG, line, word_of(line, 3), payload);
		out->u.log = log;
		return VERDICT_DONE;
	}
	if (IS_NOTIFICATION(line, "BYTECOUNT")) {
		uint64_t in = 0;
		uint64_t sent = 0;
		struct slice payload = payload_of(line, 9);
		if (!parse_bytecount(payload, &in, &sent))
			return VERDICT_INVALID;
		set_head(out, MANAGEMENT_BYTECOUNT, line, word_of(line, 9), payload);
		out->u.bytecount.in = in;
		out->u.bytecount.out = sent;
		return VERDICT_DONE;
	}
	if (IS_NOTIFICATION(line, "STATE")) {
		struct management_state state;
		struct slice payload = payload_of(line, 5);
		if (!parse_state(payload, &state))
			return VERDICT_INVALID;
		set_head(out, MANAGEMENT_STATE, line, word_of(line, 5), payload);
		out->u.state = state;
		return VERDICT_DONE;
	}
	return parse_other(line, out);
}

/* What begins with `prefix` and perhaps a space is a reply; its text is the rest. */
static bool reply(struct slice line, const char *prefix, enum management_kind kind,
		  struct management_message *out)
{
	if (!slice_starts(line, prefix))
		return false;
	struct slice text = slice_skip(line, strlen(prefix));
	if (text.n > 0 && text.p[0] == ' ')
		text = slice_skip(text, 1);
	set_head(out, kind, line, (struct slice){0}, text);
	return true;
}

enum verdict management_parse(struct slice line, struct management_message *out)
{
	const struct slice none = {0};
	char first = line.n > 0 ? line.p[0] : '\0';
	if (first == '>')
		return parse_notification(line, out);
	if (first == 'S' && reply(line, "SUCCESS:", MANAGEMENT_SUCCESS, out))
		return VERDICT_DONE;
	if (first == 'E') {
		if (reply(line, "ERROR:", MANAGEMENT_ERROR, out))
			return VERDICT_DONE;
		if (slice_is(line, "END")) {
			set_head(out, MANAGEMENT_END, line, none, none);
			return VERDICT_DONE;
		}
		if (slice_is(line, "ENTER PASSWORD:")) {
			set_head(out, MANAGEMENT_PROMPT, line, none, none);
			return VERDICT_DONE;
		}
	}
	set_head(out, MANAGEMENT_TEXT, line, none, line);
	return VERDICT_DONE;
}
