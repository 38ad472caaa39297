/* SPDX-License-Identifier: MIT
 *
 * What ovpnwatch tells the world: one struct, one line. The core fills it in, a sink prints it;
 * both agree on this rule: what was not measured (NAN, NSEC_UNKNOWN, a negative count, an empty
 * text) is left out of the output. Texts are plain bytes, possibly hostile (from a log or a
 * server): every sink escapes them.
 */
#ifndef OVPNWATCH_CORE_NOTICE_H
#define OVPNWATCH_CORE_NOTICE_H

#include "core/names.h"
#include "core/stamp.h"

#include <stdbool.h>
#include <stdint.h>

#define NOTICE_TEXT_MAX	   320
#define NOTICE_REASONS_MAX 4
#define NOTICE_CAUSES_MAX  8
#define NTP_SERVERS_MAX	   8
#define PROBE_ADDRESS_MAX  300

struct notice_state {
	char name[32]; /* OpenVPN's word, e.g. CONNECTED */
	char detail[96];
	char previous[32];
	nsec previous_s;      /* how long the previous state lasted */
	int64_t openvpn_time; /* the daemon's own stamp, epoch seconds; -1 unknown */
	char local_ip[48], remote_ip[48];
	int remote_port; /* -1 unknown */
};

/* A client of a server. */
struct notice_client {
	bool present;
	enum client_change change; /* CLIENT_CHANGE_NONE is left out: an alert names a client */
	char name[64];
	char address[64], other_address[64]; /* as OpenVPN writes them; "" unknown */
	char virtual_ip[48];
	char reason[64];		    /* of the end of its session */
	nsec connected_s;		    /* how long that session had lasted */
	nsec away_s;			    /* since the end of its last session */
	int64_t received_bytes, sent_bytes; /* -1 unknown */
	int clients;			    /* connected now; -1 unknown */
};

struct notice_alert {
	enum alert_name name;
	enum alert_status status;
	uint64_t id;	 /* FNV-1a-64 of the labels, as Alertmanager's fingerprint */
	nsec starts_at;	 /* wall */
	nsec ends_at;	 /* wall; NSEC_UNKNOWN unless resolved */
	nsec duration_s; /* monotonic; NSEC_UNKNOWN unless resolved */
	unsigned count;	 /* how often since it began to fire */
};

struct notice_restart {
	bool present;
	char reason[96];
	nsec connected_s; /* how long the tunnel had been CONNECTED */
	nsec silent_s;	  /* nothing received for */
	int64_t ping_s;	  /* in force; -1 unknown */
	int64_t ping_restart_s;
	enum timer_source timers_from;
	int attempts; /* connection attempts since; -1 unknown */
};

/* What the last restarts have in common. */
struct notice_pattern {
	bool present;
	unsigned restarts; /* that it rests on */
	nsec span_s;	   /* from the first of them to the last */
	/* From one to the next, and how far that varies; NSEC_UNKNOWN: there is no rhythm. */
	nsec period_s, period_spread_s;
	/* How long the tunnel was CONNECTED each time; NSEC_UNKNOWN: not alike. */
	nsec session_s, session_spread_s;
	char time_of_day[16]; /* "03:00" UTC: at this time on several days; "" */
	unsigned tunnels; /* that restarted in the same two seconds; 0: not more than this one */
};

struct cause {
	enum cause_name name;
	enum confidence confidence;
	int strength; /* orders causes of one confidence; not printed */
	unsigned n_because, n_against;
	char because[NOTICE_REASONS_MAX][NOTICE_TEXT_MAX];
	char against[NOTICE_REASONS_MAX][NOTICE_TEXT_MAX];
	char remedy[NOTICE_TEXT_MAX];
};

/* NTP's sign: a positive offset says that UTC is ahead, this clock is slow. */
struct local_clock_reading {
	bool present;
	enum local_clock_state state;
	enum local_clock_source source; /* LOCAL_SOURCE_NONE is left out */
	double offset_s, max_error_s;	/* NAN unknown */
	int stratum;			/* -1 unknown */
	double age_s;			/* NAN unknown */
	int servers;			/* LOCAL_SOURCE_SNTP: how many the offset rests on; -1 */
	/* Of NTP servers that were asked, those that the others refute: as the user wrote them. */
	unsigned n_falsetickers;
	const char *falsetickers[NTP_SERVERS_MAX];
	double slew_ppm; /* how much faster than usual it runs, while it is slewed; NAN */
	/* Another source that contradicts this one: further away than both bounds allow. */
	struct {
		bool present;
		enum local_clock_source source;
		double offset_s, max_error_s;
	} disagrees;
};

/* Positive: the server's clock is ahead of this machine's. */
struct peer_clock_reading {
	bool present;
	enum peer_clock_source source;
	double offset_s, max_error_s;
	double vs_utc_s, vs_utc_max_error_s; /* NAN unless the local clock is known */
	enum clock_verdict verdict;	     /* for the limit: against UTC where that is known */
	double drift_ppm;		     /* of the server against UTC; NAN unknown */
	double drift_max_error_ppm;
	int samples;
	double age_s;
	/* Another source that contradicts this one: further away than both bounds allow. */
	struct {
		bool present;
		enum peer_clock_source source;
		double offset_s, max_error_s;
	} disagrees;
};

struct clock_step {
	bool present;
	enum step_clock clock;
	double size_s;	    /* positive: the clock was set forward */
	double max_error_s; /* NAN: exact to the microsecond */
	nsec at; /* wall, after the step; of a peer's step the first probe that showed it */
	bool leap_second; /* a leap second, not somebody's doing */
};

struct notice_monitor {
	enum monitor_kind kind;
	char address[128];
	char reason[192];
	char version[64]; /* OpenVPN's, with `connected` */
	nsec retry_s;
	nsec suspended_s;
	int64_t count; /* dropped events, overlong lines, … */
	double rtt_s;  /* of a probe; NAN */
	int64_t pid;
	unsigned management_options; /* with `connected`: of FAREWELL_OPTION() */
};

/* The verb `probe`: how its questions went. */
struct notice_probe {
	bool present;
	char address[PROBE_ADDRESS_MAX]; /* "host:port/udp" */
	int sent, answered;
	double rtt_s; /* the least; NAN if none was answered */
};

struct notice_summary {
	int64_t lines, states, restarts; /* -1: not counted */
	nsec watched_s, connected_s, longest_s;
	char zone[48]; /* replay: the time zone of the recording, e.g. "UTC-05:00" */
};

struct notice {
	enum notice_type type;
	enum severity severity;
	struct stamp at;
	const char *tunnel; /* NULL: about the machine. Borrowed from the tunnel's configuration. */
	struct notice_state state;
	struct notice_client client;
	struct notice_alert alert;
	struct notice_restart restart;
	struct notice_pattern pattern;
	unsigned n_causes;
	struct cause causes[NOTICE_CAUSES_MAX];
	enum scope scope; /* SCOPE_NONE is left out */
	struct local_clock_reading local_clock;
	struct peer_clock_reading peer_clock;
	struct clock_step step;
	struct notice_monitor monitor;
	struct notice_probe probe;
	struct notice_summary summary;
	/* The answer of a verb that asks once, for this limit: text lays it out for reading. NAN:
	 * it is one event of many. */
	double answer_limit_s;
	char message[NOTICE_TEXT_MAX];
};

/* Nothing known of a clock: the start of every reading. */
struct local_clock_reading local_clock_unknown(void);
struct peer_clock_reading peer_clock_unknown(void);

/* All unknown, nothing present: the start of every notice. */
void notice_init(struct notice *n, enum notice_type type, enum severity severity,
		 const struct stamp *at, const char *tunnel);

#endif
