/* SPDX-License-Identifier: MIT
 *
 * What is known of one tunnel: the daemon's state and since when, the ping timers that are in
 * force, how long nothing was received, and the restart that is being judged. Durations are taken
 * on the monotonic clock; the daemon's own stamps are kept beside it, because they can tell of a
 * clock that was set before we came.
 */
#ifndef OVPNWATCH_CORE_TUNNEL_H
#define OVPNWATCH_CORE_TUNNEL_H

#include "core/alerts.h"
#include "core/event.h"
#include "core/peer_clock.h"
#include "core/peer_session.h"
#include "core/peer_sources.h"
#include "core/session.h"
#include "core/tunnel_config.h"
#include "proto/log_text.h"
#include "proto/management.h"

#include <stdbool.h>

/* OpenVPN's own default until the server has pushed one (options.c PRE_PULL_INITIAL_PING_RESTART).
 */
#define PING_RESTART_DEFAULT 120

#define SESSION_LENGTHS 4

struct ping_timers {
	int64_t ping;	      /* seconds; -1 unknown */
	int64_t ping_restart; /* seconds; 0: OpenVPN never restarts for silence */
	enum timer_source from;
};

/* A restart, from RECONNECTING until the tunnel is CONNECTED again and the evidence is in. */
struct episode {
	bool open;
	bool connected_before; /* the tunnel was up when it began */
	enum alert_name alert; /* ALERT_PING_RESTART or ALERT_RECONNECTING */
	enum restart_reason reason;
	char reason_text[96];
	struct stamp began;
	nsec connected; /* how long the tunnel had been up; NSEC_UNKNOWN */
	nsec silent;	/* nothing received for, when it began; NSEC_UNKNOWN */
	nsec last_rx;	/* mono; NSEC_UNKNOWN */
	struct ping_timers timers;
	int attempts;
	bool server_said_so; /* the log has the server's own command to restart */
	bool ended;	     /* CONNECTED again, at `end`; the evidence is awaited until `settle` */
	struct stamp end;
	nsec settle;
	uint32_t verdict; /* digest of the causes last told */
	bool told;
};

struct tunnel {
	struct tunnel_config config;
	struct tunnel *next;
	struct session session;
	struct peer_clock peer;
	struct peer_ntp peer_ntp;
	struct peer_session peer_session;
	struct handshake handshake;
	struct alert_table alerts;

	enum openvpn_state state;
	char state_name[32]; /* "" until known */
	char detail[96];
	struct stamp since;
	bool since_known;
	struct stamp connected_since;
	bool connected_known; /* connected_since is valid: the tunnel is up, or was last */
	char local_ip[48], remote_ip[48];
	char peer_ip[48];	   /* whose clock `peer` is about; "" until the daemon said */
	int remote_port;	   /* -1 unknown */
	int64_t openvpn_time;	   /* of the last state; -1 */
	int64_t last_history_time; /* of the history being read */

	struct ping_timers timers;
	char version[64];
	int64_t pid;		/* -1 unknown */
	int64_t overlong_lines; /* dropped */
	char fatal[128];	/* the last words of a daemon that ends */

	bool counting; /* BYTECOUNT has been seen since we attached */
	uint64_t bytes_in;
	nsec last_rx;	 /* mono: when the received bytes were last seen to grow; NSEC_UNKNOWN */
	nsec refused_at; /* mono: OpenVPN's own socket heard ECONNREFUSED; NSEC_UNKNOWN */
	nsec server_spoke_at; /* mono: the server told the client to restart or end; NSEC_UNKNOWN */
	nsec silence_asked;   /* mono: a burst of probes was sent for the silence since last_rx */

	nsec session_length[SESSION_LENGTHS]; /* of sessions that a ping-restart ended, newest first
					       */
	unsigned n_session_lengths;
	struct episode episode;
	unsigned restarts;
	nsec connected_total; /* while we watched */
	nsec began;	      /* boot: since when we watch */

	bool lead_told; /* the stamps were found to run ahead of the wall clock, and it was said */
	bool start_burst_told;
	nsec next_clock_notice;		    /* mono */
	struct peer_clock_reading reported; /* by the last clock notice */
	nsec step_resolve;		    /* mono: when the alert of the server's step is over */
	bool step_refined;
};

/* What a state line did. */
struct state_change {
	bool changed;	/* a new state: tell it */
	bool restarted; /* an episode has begun */
	bool came_up;	/* CONNECTED */
	char previous[32];
	nsec previous_lasted; /* NSEC_UNKNOWN */
};

void tunnel_init(struct tunnel *t, const struct tunnel_config *config, const struct stamp *now);

/* A live state (from the management interface or a log). A repetition changes nothing. `since` is
 * as in struct event. */
struct state_change tunnel_state(struct tunnel *t, const struct management_state *s,
				 const struct stamp *since, const struct stamp *at);

/* A state from before we attached: learned, never alerted. The last one is the present. */
void tunnel_state_history(struct tunnel *t, const struct management_state *s,
			  const struct stamp *at);

/* All states from before we attached are learned. The server of the last one is probed anew if it
 * is another than before: of those in between nothing is known any more. */
void tunnel_attached(struct tunnel *t, const struct stamp *at);

/* The received link bytes, from BYTECOUNT. */
void tunnel_bytes(struct tunnel *t, uint64_t in, const struct stamp *at);

/* A fact from the log; `live`: it is about now, not from the history. */
void tunnel_log(struct tunnel *t, const struct log_fact *fact, bool live, const struct stamp *at);

/* The management connection is gone: what is only known from it is not known any more. */
void tunnel_detached(struct tunnel *t);

/* How long nothing was received; NSEC_UNKNOWN if nobody counts the bytes. */
nsec tunnel_silence(const struct tunnel *t, nsec mono);

/* The ping-restart window; NSEC_NEVER if OpenVPN has none. */
nsec tunnel_window(const struct tunnel *t);

/* Silence of this length is news: half the window, but longer than two pings can be apart.
 * NSEC_NEVER: none is. */
nsec tunnel_stall_after(const struct tunnel *t);

/* The tunnel is CONNECTED, as far as is known. */
bool tunnel_is_up(const struct tunnel *t);

#endif
