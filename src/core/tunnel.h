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
#include "core/log_memory.h"
#include "core/logged.h"
#include "core/peer_clock.h"
#include "core/peer_session.h"
#include "core/peer_sources.h"
#include "core/prompt.h"
#include "core/reach.h"
#include "core/restart_history.h"
#include "core/server_watch.h"
#include "core/server_word.h"
#include "core/session.h"
#include "core/traffic.h"
#include "core/tunnel_config.h"
#include "core/wake_queue.h"
#include "proto/log_text.h"
#include "proto/management.h"

#include <stdbool.h>

/* OpenVPN's own default until the server has pushed one (options.c PRE_PULL_INITIAL_PING_RESTART).
 */
#define PING_RESTART_DEFAULT 120

struct ping_timers {
	int64_t ping;	      /* seconds; -1 unknown, 0: this end sends none */
	int64_t ping_restart; /* seconds; 0: OpenVPN never restarts for silence */
	enum timer_source from;
	/* Whether the server's last PUSH_REPLY had timers in it: without, it has no keepalive. */
	enum { PUSHED_UNKNOWN, PUSHED_NONE, PUSHED_SOME } pushed;
};

/* A restart, from RECONNECTING (or the end, from EXITING) until the tunnel is CONNECTED again and
 * the evidence is in. What it was judged by stays until the next one begins. */
struct episode {
	bool open;
	bool connected_before; /* the tunnel was up when it began */
	/* ALERT_PING_RESTART, ALERT_RECONNECTING, ALERT_TUNNEL_DOWN, or ALERT_FLAPPING in their
	 * place */
	enum alert_name alert;
	enum restart_reason reason;
	char reason_text[96];
	struct stamp began;
	int64_t openvpn_time; /* of the state that began it, the daemon's own; -1 */
	nsec connected;	      /* how long the tunnel had been up; NSEC_UNKNOWN */
	nsec silent;	      /* nothing received for, when it began; NSEC_UNKNOWN */
	nsec session; /* mono: when the session, or the attempt, before it began; NSEC_UNKNOWN */
	nsec heard;   /* from CONNECTED to the last received bytes; NSEC_UNKNOWN */
	nsec idle;    /* traffic_idle() when it began */
	struct traffic traffic; /* when it began */
	/* What the server's log had said until then: when this client comes back, it evicts the
	 * twin that evicted it. */
	struct server_drops drops;
	struct ping_timers timers;
	int attempts;
	unsigned failed;     /* of them, in a row with those before it */
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
	struct wake wake; /* when it wants its turn (wake_queue.h) */
	void *shell;	  /* the shell's, which the core never looks at */
	struct session session;
	/* peer_clock_nothing() until the server is probed or says something, then the tunnel's own:
	 * of most tunnels of a large fleet nothing is ever known but what their daemons say. */
	struct peer_clock *peer;
	struct peer_ntp peer_ntp;
	struct peer_session peer_session;
	struct handshake handshake;
	struct alert_table alerts;
	struct traffic traffic;
	struct log_memory log;
	struct logged logged;
	struct reach reach;
	struct server_word server_word;
	struct restart_history history;
	struct prompt prompt;
	struct server_watch server;

	/* CONNECTED has come, and no restart since. While it renegotiates in vain, OpenVPN says
	 * WAIT and AUTH in a session that goes on (ssl.c session_move_pre_start). */
	bool up;
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
	int64_t openvpn_time;	   /* of the last state, the daemon's own; -1 */
	int64_t last_history_time; /* of the history being read */

	struct ping_timers timers;
	char version[64];
	int64_t pid;		     /* -1 unknown */
	int64_t overlong_lines;	     /* dropped */
	unsigned management_options; /* of FAREWELL_OPTION() */
	char fatal[128];	     /* the last words of a daemon that ends */

	nsec silence_asked; /* mono: a burst of probes was sent for the silence since
			       traffic.last_rx */
	nsec attempt;	    /* mono: since when it is tried to connect; NSEC_UNKNOWN */

	struct episode episode;
	unsigned restarts;
	unsigned failures;	   /* attempts to connect in a row that failed */
	uint32_t flapping_verdict; /* digest of the causes that `flapping` last told */
	nsec calm;		   /* mono: flapping is over; NSEC_NEVER: it does not flap */
	nsec connected_total;	   /* while we watched */
	nsec began;		   /* boot: since when we watch */

	bool started_told;
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
	bool restarted; /* it restarted or ended: an episode has begun or goes on */
	bool came_up;	/* CONNECTED */
	char previous[32];
	nsec previous_lasted; /* NSEC_UNKNOWN */
};

void tunnel_init(struct tunnel *t, const struct tunnel_config *config, const struct stamp *now);

/* Frees what it had of its own. Twice is once. */
void tunnel_done(struct tunnel *t);

/* What is known of the server's clock, to learn more; NULL: there is no memory, and so it will not
 * be known. */
struct peer_clock *tunnel_own_peer(struct tunnel *t);

/* A live state (from the management interface or a log). A repetition changes nothing, but what it
 * says besides is learned. `since` is as in struct event. */
struct state_change tunnel_state(struct tunnel *t, const struct management_state *s,
				 const struct stamp *since, const struct stamp *at);

/* The present state, said by other words: learns its time and its addresses. */
void tunnel_state_again(struct tunnel *t, const struct management_state *s);

/* A state from before we attached: learned, never alerted. The last one is the present. */
void tunnel_state_history(struct tunnel *t, const struct management_state *s,
			  const struct stamp *at);

/* The daemon began anew, in a history: nothing is known of its state until it says so. */
void tunnel_forget_state(struct tunnel *t);

/* All states from before we attached are learned. The server of the last one is probed anew if it
 * is another than before: of those in between nothing is known any more. */
void tunnel_attached(struct tunnel *t, const struct stamp *at);

/* It ended without a state: `text` are its last words (">FATAL:"). */
void tunnel_died(struct tunnel *t, const char *text, const struct stamp *at);

/* A fact from the log; `live`: it is about now, not from the history. */
void tunnel_log(struct tunnel *t, const struct log_fact *fact, bool live, const struct stamp *at);

/* The management connection is gone: what is only known from it is not known any more. */
void tunnel_detached(struct tunnel *t);

/* The ping-restart window; NSEC_NEVER if OpenVPN has none. */
nsec tunnel_window(const struct tunnel *t);

/* Silence of this length is news: half the window, but longer than two pings can be apart.
 * NSEC_NEVER: none is. */
nsec tunnel_stall_after(const struct tunnel *t);

/* How long it has been CONNECTED while we watched, nanoseconds of the boot clock. */
nsec tunnel_connected_total(const struct tunnel *t, const struct stamp *at);

/* The tunnel is CONNECTED, as far as is known. */
bool tunnel_is_up(const struct tunnel *t);

#endif
