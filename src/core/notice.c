/* SPDX-License-Identifier: MIT */
#include "core/notice.h"

#include <math.h>

struct local_clock_reading local_clock_unknown(void)
{
	return (struct local_clock_reading){.state = LOCAL_CLOCK_UNKNOWN,
					    .source = LOCAL_SOURCE_NONE,
					    .offset_s = NAN,
					    .max_error_s = NAN,
					    .stratum = -1,
					    .age_s = NAN,
					    .servers = -1,
					    .slew_ppm = NAN};
}

struct peer_clock_reading peer_clock_unknown(void)
{
	return (struct peer_clock_reading){.source = PEER_SOURCE_OPENVPN_CONTROL,
					   .offset_s = NAN,
					   .max_error_s = NAN,
					   .vs_utc_s = NAN,
					   .vs_utc_max_error_s = NAN,
					   .drift_ppm = NAN,
					   .drift_max_error_ppm = NAN,
					   .age_s = NAN};
}

void notice_init(struct notice *n, enum notice_type type, enum severity severity,
		 const struct stamp *at, const char *tunnel)
{
	n->type = type;
	n->severity = severity;
	n->at = *at;
	n->tunnel = tunnel;
	n->state = (struct notice_state){
	    .previous_s = NSEC_UNKNOWN, .openvpn_time = -1, .remote_port = -1};
	n->client = (struct notice_client){.connected_s = NSEC_UNKNOWN,
					   .away_s = NSEC_UNKNOWN,
					   .received_bytes = -1,
					   .sent_bytes = -1,
					   .clients = -1};
	n->alert = (struct notice_alert){.ends_at = NSEC_UNKNOWN, .duration_s = NSEC_UNKNOWN};
	n->restart = (struct notice_restart){.connected_s = NSEC_UNKNOWN,
					     .silent_s = NSEC_UNKNOWN,
					     .ping_s = -1,
					     .ping_restart_s = -1,
					     .attempts = -1};
	n->pattern = (struct notice_pattern){.span_s = NSEC_UNKNOWN,
					     .period_s = NSEC_UNKNOWN,
					     .period_spread_s = NSEC_UNKNOWN,
					     .session_s = NSEC_UNKNOWN,
					     .session_spread_s = NSEC_UNKNOWN};
	n->scope = SCOPE_NONE;
	n->n_causes = 0; /* the causes themselves are large and are written as they are named */
	n->local_clock = local_clock_unknown();
	n->peer_clock = peer_clock_unknown();
	n->step = (struct clock_step){.max_error_s = NAN};
	n->monitor = (struct notice_monitor){.retry_s = NSEC_UNKNOWN,
					     .suspended_s = NSEC_UNKNOWN,
					     .count = -1,
					     .rtt_s = NAN,
					     .pid = -1};
	n->probe = (struct notice_probe){.sent = -1, .answered = -1, .rtt_s = NAN};
	n->answer_limit_s = NAN;
	n->summary = (struct notice_summary){.lines = -1,
					     .states = -1,
					     .restarts = -1,
					     .watched_s = NSEC_UNKNOWN,
					     .connected_s = NSEC_UNKNOWN,
					     .longest_s = NSEC_UNKNOWN};
	n->message[0] = '\0';
}
