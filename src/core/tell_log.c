/* SPDX-License-Identifier: MIT
 *
 * The notices about the log that is followed: see core/tell.h.
 */
#include "core/tell.h"

#include <stdio.h>
#include <string.h>

const char *tell_log_name(const struct tunnel *t)
{
	return strcmp(t->config.log, "-") == 0 ? "standard input" : t->config.log;
}

static struct notice *tell_log(struct actions *out, enum severity severity, enum monitor_kind kind,
			       const struct tunnel *t, const struct stamp *at)
{
	struct notice *n = tell(out, NOTICE_MONITOR, severity, at, t);
	n->monitor.kind = kind;
	snprintf(n->monitor.address, sizeof n->monitor.address, "%s", t->config.log);
	return n;
}

void tell_followed(struct actions *out, const struct tunnel *t, const struct stamp *at)
{
	struct notice *n = tell_log(out, SEVERITY_INFO, MONITOR_CONNECTED, t, at);
	snprintf(n->monitor.version, sizeof n->monitor.version, "%s", t->version);
	bool alone = t->config.address == NULL;
	bool mute = alone && tunnel_is_up(t) && t->timers.from == TIMERS_DEFAULT;
	SAY(n, "following %.96s%s%.32s%s%s", tell_log_name(t),
	    t->version[0] != '\0' ? ", of OpenVPN " : "", t->version,
	    alone ? "; a log does not say how long nothing was received" : "",
	    mute ? ", and this one not after how much silence OpenVPN restarts: give its "
		   "configuration `verb 3`"
		 : "");
}

void tell_log_file(struct actions *out, const struct tunnel *t, enum log_file_change change,
		   const char *reason, const struct stamp *at)
{
	bool absent = change == LOG_FILE_ABSENT;
	struct notice *n =
	    tell_log(out, SEVERITY_WARNING, absent ? MONITOR_UNREACHABLE : MONITOR_LOST, t, at);
	reason = reason != NULL ? reason : "for a reason that is not known";
	snprintf(n->monitor.reason, sizeof n->monitor.reason, "%s", reason);
	SAY(n, "%sthe log %.96s: %.160s", absent ? "" : "lost ", tell_log_name(t), reason);
}

void tell_another_daemon(struct actions *out, const struct tunnel *t, struct slice ident,
			 int64_t pid, const struct stamp *at)
{
	const struct log_speaker *s = &t->logged.speaker;
	struct notice *n = tell_log(out, SEVERITY_WARNING, MONITOR_ANOTHER_DAEMON, t, at);
	char ours[80];
	slice_copy(ident, n->monitor.reason, sizeof n->monitor.reason);
	if (s->pid >= 0)
		snprintf(ours, sizeof ours, "%s[%lld]", s->ident, (long long)s->pid);
	else
		snprintf(ours, sizeof ours, "%s", s->ident);
	n->monitor.pid = pid;
	SAY(n,
	    "several OpenVPNs write to %.96s; %s is followed and the others are passed over: "
	    "choose one, as with journalctl _PID= or -u",
	    tell_log_name(t), ours);
}
