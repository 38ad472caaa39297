/* SPDX-License-Identifier: MIT */
#include "core/prompt.h"
#include "core/phrases.h"
#include "core/tell.h"

#include <stdio.h>
#include <string.h>

/* What OpenVPN waits for, and what to do. */
static const struct {
	enum management_kind kind;
	const char *waits, *advice;
} sentences[] = {
    {MANAGEMENT_HOLD, "a hold to be released",
     "ovpnwatch releases one with --release-hold only, and a GUI can through --relay; or take "
     "management-hold out of the profile"},
    {MANAGEMENT_PASSWORD, "a password",
     "ovpnwatch answers nothing: a GUI can through --relay; or put it into a file that the "
     "profile names (auth-user-pass FILE, askpass FILE)"},
    {MANAGEMENT_NEED_OK, "a confirmation", NULL},
    {MANAGEMENT_NEED_STR, "an answer", NULL},
    {MANAGEMENT_NEED_CERTIFICATE, "a certificate",
     "the program that has it must hold the management interface (management-external-cert)"},
    {MANAGEMENT_PK_SIGN, "a signature",
     "the program that has the key must hold the management interface (management-external-key)"},
    {MANAGEMENT_RSA_SIGN, "a signature",
     "the program that has the key must hold the management interface (management-external-key)"},
    {MANAGEMENT_REMOTE, "a decision about its remote",
     "take management-query-remote out of the profile, or let the program that decides hold the "
     "management interface"},
    {MANAGEMENT_PROXY, "a decision about its proxy",
     "take management-query-proxy out of the profile, or let the program that decides hold the "
     "management interface"},
};

static const char *const no_advice =
    "ovpnwatch answers nothing: a program that can has to, through --relay";

static size_t sentence_of(enum management_kind kind)
{
	size_t i = 0;
	while (i < sizeof sentences / sizeof *sentences && sentences[i].kind != kind)
		i++;
	return i;
}

static bool is_prompt(const struct management_message *m)
{
	if (m->kind == MANAGEMENT_PASSWORD)
		return m->u.password.kind == PASSWORD_NEED;
	return sentence_of(m->kind) < sizeof sentences / sizeof *sentences;
}

static void begin(struct prompt *p, const struct management_message *m, const struct stamp *at)
{
	struct prompt next = {.open = true, .changed = true, .kind = m->kind, .since = *at};
	struct slice what = {0};
	if (m->kind == MANAGEMENT_PASSWORD)
		what = m->u.password.type;
	else if (m->kind == MANAGEMENT_NEED_OK || m->kind == MANAGEMENT_NEED_STR)
		what = m->u.need.name;
	else if (m->kind == MANAGEMENT_REMOTE || m->kind == MANAGEMENT_PROXY)
		what = m->u.remote.host;
	slice_copy(what, next.what, sizeof next.what);
	/* The same once more, for somebody who came later. */
	if (p->open && p->kind == next.kind && strcmp(p->what, next.what) == 0)
		return;
	*p = next;
}

void prompt_notification(struct prompt *p, const struct management_message *m,
			 const struct stamp *at)
{
	if (is_prompt(m))
		begin(p, m, at);
	/* All of these come out of the loop that a prompt holds up; the log does not always, for
	 * what is asked of the management interface is logged meanwhile. */
	else if (m->kind == MANAGEMENT_STATE || m->kind == MANAGEMENT_BYTECOUNT ||
		 m->kind == MANAGEMENT_PASSWORD || m->kind == MANAGEMENT_FATAL)
		prompt_over(p);
}

void prompt_over(struct prompt *p)
{
	p->open = false;
}

static void describe(const struct prompt *p, struct notice *n)
{
	size_t i = sentence_of(p->kind);
	const char *advice = sentences[i].advice != NULL ? sentences[i].advice : no_advice;
	bool named = p->what[0] != '\0';
	snprintf(n->message, sizeof n->message, "OpenVPN is stopped and waits for %s%s%s%s; %s",
		 sentences[i].waits, named ? " ('" : "", p->what, named ? "')" : "", advice);
}

static void tell_waiting(struct tunnel *t, const struct stamp *now, struct actions *out)
{
	struct prompt *p = &t->prompt;
	bool firing = alert_firing(&t->alerts, ALERT_WAITING_FOR_USER);
	if (firing ? !p->changed : now->mono - p->since.mono < PROMPT_PATIENCE)
		return;
	struct notice *n = tell(out, NOTICE_ALERT, alert_severity(ALERT_WAITING_FOR_USER), now, t);
	if (firing)
		alert_update(&t->alerts, ALERT_WAITING_FOR_USER, n);
	else
		alert_raise(&t->alerts, ALERT_WAITING_FOR_USER, &p->since, n);
	describe(p, n);
	p->changed = false;
}

static void tell_over(struct tunnel *t, const struct stamp *now, struct actions *out)
{
	if (!alert_firing(&t->alerts, ALERT_WAITING_FOR_USER))
		return;
	struct notice *n = tell(out, NOTICE_ALERT, SEVERITY_INFO, now, t);
	alert_resolve(&t->alerts, ALERT_WAITING_FOR_USER, now, n);
	if (t->config.address != NULL && t->session.state != SESSION_UP)
		snprintf(n->message, sizeof n->message,
			 "whether OpenVPN still waits is not known: the management interface is "
			 "lost");
	else
		snprintf(n->message, sizeof n->message, "OpenVPN goes on after %s",
			 phrase_duration(n->alert.duration_s).text);
}

void prompt_apply(struct tunnel *t, const struct stamp *now, struct actions *out)
{
	struct prompt *p = &t->prompt;
	if (p->open && p->kind == MANAGEMENT_HOLD && t->config.release_hold &&
	    session_say(&t->session, COMMAND_HOLD_RELEASE, t, out))
		prompt_over(p);
	if (!tell_room(out))
		return;
	if (p->open)
		tell_waiting(t, now, out);
	else
		tell_over(t, now, out);
}

nsec prompt_deadline(const struct tunnel *t)
{
	const struct prompt *p = &t->prompt;
	if (!p->open || alert_firing(&t->alerts, ALERT_WAITING_FOR_USER))
		return NSEC_NEVER;
	return nsec_add(p->since.mono, PROMPT_PATIENCE);
}
