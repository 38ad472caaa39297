/* SPDX-License-Identifier: MIT
 *
 * The words of the contract: enums made from the .def files, and the word of each enumerator. Every
 * name_…() takes a valid enumerator and returns a constant string.
 */
#ifndef OVPNWATCH_CORE_NAMES_H
#define OVPNWATCH_CORE_NAMES_H

enum alert_name {
#define X(name, word, severity, text) name,
#include "core/alerts.def"
#undef X
	ALERT_COUNT
};

enum cause_name {
#define X(name, word, rule, phrase) name,
#include "core/causes.def"
#undef X
	CAUSE_COUNT
};

/* One list of words.def makes one enum; the preprocessor cannot pick, so each is spelled here, and
 * a test looks up the word of every enumerator. */
enum notice_type {
	NOTICE_ALERT,
	NOTICE_STATE,
	NOTICE_CLOCK,
	NOTICE_MONITOR,
	NOTICE_SUMMARY,
	NOTICE_CLIENT
};
enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };
enum alert_status { ALERT_FIRING, ALERT_UPDATED, ALERT_RESOLVED };
enum confidence { CONFIDENCE_POSSIBLE, CONFIDENCE_LIKELY, CONFIDENCE_CONFIRMED };
enum local_clock_state {
	LOCAL_CLOCK_UNKNOWN,
	LOCAL_CLOCK_SYNCHRONIZED,
	LOCAL_CLOCK_UNSYNCHRONIZED,
	LOCAL_CLOCK_SELF_REFERENCED,
	LOCAL_CLOCK_STALE,
};
enum local_clock_source {
	LOCAL_SOURCE_NONE,
	LOCAL_SOURCE_CHRONY,
	LOCAL_SOURCE_NTP_CONTROL,
	LOCAL_SOURCE_TIMESYNCD,
	LOCAL_SOURCE_SNTP,
	LOCAL_SOURCE_KERNEL,
};
enum peer_clock_source {
	PEER_SOURCE_OPENVPN_CONTROL,
	PEER_SOURCE_SNTP,
	PEER_SOURCE_MANAGEMENT,
	PEER_SOURCE_ECHO,
	PEER_SOURCE_AUTH_TOKEN,
	PEER_SOURCE_REPLAY_LOG,
};
/* Whether a clock is off by more than the limit, for all that the bound allows. */
enum clock_verdict { CLOCK_INCONCLUSIVE, CLOCK_FINE, CLOCK_AHEAD, CLOCK_BEHIND };
/* Whom a fault concerns: all clients at once point at the server, one client points at itself. */
enum scope { SCOPE_NONE, SCOPE_THIS_TUNNEL, SCOPE_THIS_MACHINE, SCOPE_SERVER };
enum step_clock { STEP_LOCAL, STEP_PEER };
/* Which of the places that say what the ping timers are was believed; the later the better. */
enum timer_source { TIMERS_DEFAULT, TIMERS_PROFILE, TIMERS_PUSHED, TIMERS_LOGGED };
enum monitor_kind {
	MONITOR_STARTED,
	MONITOR_STOPPED,
	MONITOR_CONNECTED,
	MONITOR_LOST,
	MONITOR_UNREACHABLE,
	MONITOR_BUSY,
	MONITOR_REFUSED,
	MONITOR_DROPPED,
	MONITOR_RESUMED,
	MONITOR_OVERLONG,
	MONITOR_PROBE,
	MONITOR_ZONE,
	MONITOR_REMOVED,
	MONITOR_RELOADED,
	MONITOR_ANOTHER_DAEMON,
	MONITOR_SERVER,
};
/* Of OpenVPN's options: what it does when its management client leaves. */
enum management_option {
	OPTION_MANAGEMENT_SIGNAL,
	OPTION_MANAGEMENT_FORGET_DISCONNECT,
	OPTION_MANAGEMENT_CLIENT,
};
/* What became of a client of a server. */
enum client_change {
	CLIENT_CHANGE_NONE,
	CLIENT_CONNECTED,
	CLIENT_DISCONNECTED,
	CLIENT_RESTARTED,
	CLIENT_EVICTED,
	CLIENT_REPLAYED,
};

const char *name_alert(enum alert_name a);
enum severity alert_severity(enum alert_name a);
/* The alert in one line, as the manual says it. */
const char *alert_text(enum alert_name a);
const char *name_cause(enum cause_name c);
/* The cause in a few words, to follow "because" or stand after a colon. */
const char *cause_phrase(enum cause_name c);
const char *name_notice_type(enum notice_type t);
const char *name_severity(enum severity s);
const char *name_alert_status(enum alert_status s);
const char *name_confidence(enum confidence c);
const char *name_local_clock_state(enum local_clock_state s);
const char *name_local_clock_source(enum local_clock_source s);
const char *name_peer_clock_source(enum peer_clock_source s);
const char *name_clock_verdict(enum clock_verdict v);
const char *name_scope(enum scope s);
const char *name_step_clock(enum step_clock c);
const char *name_timer_source(enum timer_source s);
const char *name_monitor_kind(enum monitor_kind k);
const char *name_management_option(enum management_option o);
const char *name_client_change(enum client_change c);

#endif
