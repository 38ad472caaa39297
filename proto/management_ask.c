/* SPDX-License-Identifier: MIT
 *
 * The notifications with which a daemon asks its user (passwords, confirmations, signatures,
 * remotes), and those of a server about its clients. Part of proto/management.h.
 */
#include "proto/management_parts.h"

static struct slice before(struct slice text, size_t at)
{
	return (struct slice){.p = text.p, .n = at < text.n ? at : text.n};
}

/* " SC:f,text" (manage.c management_query_user_pass). f bit 0: the answer may be shown; bit 1, 2.7
 * and later: it is appended to the password. */
static bool parse_challenge(struct slice rest, struct management_password *p)
{
	static const char static_challenge[] = " SC:";
	uint64_t flags = 0;
	size_t at = slice_find(rest, static_challenge);
	if (at == SIZE_MAX)
		return true;
	rest = slice_skip(rest, at + sizeof static_challenge - 1);
	if (!slice_to_u64(slice_cut(&rest, ','), &flags) || rest.p == NULL)
		return false;
	p->challenge = true;
	p->challenge_echo = (flags & 1) != 0;
	p->text = rest;
	return true;
}

/* "Need 'T' password", "… username/password", "… username", with the challenge behind. The type may
 * hold quotes (a token's name), so its end is the quote before what is needed. */
static bool parse_password_need(struct slice rest, struct management_password *p)
{
	size_t end = slice_find(rest, "' username");
	size_t only = slice_find(rest, "' password");
	p->kind = PASSWORD_NEED;
	p->wants_user = end < only;
	if (only < end)
		end = only;
	if (end == SIZE_MAX)
		return false;
	p->type = before(rest, end);
	return parse_challenge(slice_skip(rest, end), p);
}

/* "Verification Failed: 'T' ['reason']" (manage.c management_auth_failure). */
static bool parse_password_failed(struct slice rest, struct management_password *p)
{
	p->kind = PASSWORD_FAILED;
	size_t at = slice_find(rest, "' ['");
	if (at != SIZE_MAX) {
		p->type = before(rest, at);
		p->text = slice_skip(rest, at + 4);
		if (p->text.n < 2 || memcmp(p->text.p + p->text.n - 2, "']", 2) != 0)
			return false;
		p->text.n -= 2;
		return true;
	}
	if (rest.n == 0 || rest.p[rest.n - 1] != '\'')
		return false;
	p->type = before(rest, rest.n - 1);
	return true;
}

bool management_parse_password(struct slice text, struct management_message *out)
{
	static const char need[] = "Need '";
	static const char failed[] = "Verification Failed: '";
	static const char token[] = "Auth-Token:"; /* manage.c management_auth_token */
	struct management_password p = {.kind = PASSWORD_OTHER, .text = text};
	if (slice_starts(text, need)) {
		p.text = (struct slice){0};
		if (!parse_password_need(slice_skip(text, sizeof need - 1), &p))
			return false;
	} else if (slice_starts(text, failed)) {
		p.text = (struct slice){0};
		if (!parse_password_failed(slice_skip(text, sizeof failed - 1), &p))
			return false;
	} else if (slice_starts(text, token)) {
		p.kind = PASSWORD_AUTH_TOKEN;
		p.text = slice_skip(text, sizeof token - 1);
	}
	out->u.password = p;
	return true;
}

/* "Need 'name' confirmation MSG:message", "Need 'name' string MSG:message". */
bool management_parse_need(struct slice text, struct management_message *out)
{
	static const char need[] = "Need '";
	size_t message = slice_find(text, " MSG:");
	if (!slice_starts(text, need) || message == SIZE_MAX)
		return false;
	struct slice name = slice_skip(before(text, message), sizeof need - 1);
	while (name.n > 0 && name.p[name.n - 1] != '\'')
		name.n--;
	if (name.n == 0)
		return false;
	name.n--;
	out->u.need.name = name;
	out->u.need.message = slice_skip(text, message + 5);
	return true;
}

/* manage.c management_query_pk_sig: base64, and since 2.5 the algorithm if the client knows it. */
bool management_parse_sign(struct slice text, struct management_message *out)
{
	out->u.sign.data = slice_cut(&text, ',');
	out->u.sign.algorithm = text;
	return true;
}

/* init.c ce_management_query_remote: host,port,proto. The port may be a service's name: 0. */
bool management_parse_remote(struct slice text, struct management_message *out)
{
	uint64_t port = 0;
	struct slice host = slice_cut(&text, ',');
	struct slice service = slice_cut(&text, ',');
	if (text.p == NULL)
		return false;
	if (slice_to_u64(service, &port) && port > UINT16_MAX)
		return false;
	out->u.remote.host = host;
	out->u.remote.proto = text;
	out->u.remote.port = (uint16_t)port;
	return true;
}

/* init.c ce_management_query_proxy: n,TCP|UDP,host. */
bool management_parse_proxy(struct slice text, struct management_message *out)
{
	uint64_t number = 0;
	bool numbered = slice_to_u64(slice_cut(&text, ','), &number);
	struct slice proto = slice_cut(&text, ',');
	if (!numbered || text.p == NULL)
		return false;
	out->u.remote.host = text;
	out->u.remote.proto = proto;
	out->u.remote.port = 0;
	return true;
}

/* manage.c man_output_env: "k=v", "END", or a bare word. */
static bool parse_env(struct slice rest, struct slice *key, struct slice *value)
{
	if (slice_is(rest, "END"))
		return false;
	*key = slice_cut(&rest, '=');
	*value = rest;
	return true;
}

struct client_form {
	const char *word;
	enum client_kind kind;
	bool kid;    /* a key id follows the client id */
	bool fields; /* and something else follows that */
};

/* manage.c management_notify_client_needing_auth, management_connection_established,
 * management_notify_client_close, management_learn_addr, management_notify_client_cr_response */
static const struct client_form client_forms[] = {
    {"CONNECT", CLIENT_CONNECT, true, false},
    {"REAUTH", CLIENT_REAUTH, true, false},
    {"ESTABLISHED", CLIENT_ESTABLISHED, false, false},
    {"DISCONNECT", CLIENT_DISCONNECT, false, false},
    {"ADDRESS", CLIENT_ADDRESS, false, true},
    {"CR_RESPONSE", CLIENT_CR_RESPONSE, true, true},
};

static bool parse_client_form(const struct client_form *form, struct slice rest,
			      struct management_client *c)
{
	c->kind = form->kind;
	if (!take_number(&rest, &c->cid))
		return false;
	if (form->kid && (rest.p == NULL || !take_number(&rest, &c->kid)))
		return false;
	if (form->fields != (rest.p != NULL))
		return false;
	if (form->kind == CLIENT_ADDRESS) {
		c->key = take_field(&rest);
		if (rest.p == NULL)
			return false;
	}
	c->value = rest;
	return true;
}

bool management_parse_client(struct slice text, struct management_message *out)
{
	struct management_client c = {
	    .kind = CLIENT_OTHER, .cid = UINT64_MAX, .kid = UINT64_MAX, .value = text};
	struct slice rest = text;
	struct slice word = slice_cut(&rest, ',');
	if (slice_is(word, "ENV")) {
		if (rest.p == NULL)
			return false;
		c.value = (struct slice){0};
		c.kind = parse_env(rest, &c.key, &c.value) ? CLIENT_ENV : CLIENT_ENV_END;
	}
	for (size_t i = 0; i < sizeof client_forms / sizeof *client_forms; i++)
		if (slice_is(word, client_forms[i].word) &&
		    !parse_client_form(&client_forms[i], rest, &c))
			return false;
	out->u.client = c;
	return true;
}

/* manage.c management_up_down: ">UPDOWN:UP|DOWN", then the environment. */
bool management_parse_updown(struct slice text, struct management_message *out)
{
	struct slice key = {0};
	struct slice value = {0};
	bool env_end = false;
	bool up = slice_is(text, "UP");
	bool env = slice_starts(text, "ENV,");
	if (env)
		env_end = !parse_env(slice_skip(text, 4), &key, &value);
	else if (!up && !slice_is(text, "DOWN"))
		return false;
	out->u.updown.up = up;
	out->u.updown.env = env;
	out->u.updown.env_end = env_end;
	out->u.updown.key = key;
	out->u.updown.value = value;
	return true;
}

/* manage.c management_notify: severity,type,text. */
bool management_parse_notify(struct slice text, struct management_message *out)
{
	struct slice severity = slice_cut(&text, ',');
	struct slice type = slice_cut(&text, ',');
	if (text.p == NULL)
		return false;
	out->u.notify.severity = severity;
	out->u.notify.type = type;
	out->u.notify.text = text;
	return true;
}
