/* SPDX-License-Identifier: MIT
 *
 * What the shell tells the core: everything that can happen, each with its instant. The core sees
 * the world through this struct only, so a test, a recording and a fuzzer can all be its world.
 */
#ifndef OVPNWATCH_CORE_EVENT_H
#define OVPNWATCH_CORE_EVENT_H

#include "core/stamp.h"
#include "proto/chrony.h"
#include "proto/ntp.h"
#include "proto/ntp_control.h"
#include "proto/slice.h"
#include "proto/timesync.h"

#include <stdbool.h>
#include <stdint.h>

struct tunnel;

enum event_kind {
	EVENT_TIME,	 /* nothing but the time: the deadline came, or the clocks were looked at */
	EVENT_LINK,	 /* something became of the management connection */
	EVENT_LINE,	 /* a line from the management interface */
	EVENT_PEER_LINK, /* the same of the server's own management interface */
	EVENT_PEER_LINE,
	EVENT_LOG,	    /* a line of a log: its text, already without stamps */
	EVENT_LOG_FILE,	    /* something became of the log that is followed */
	EVENT_PROBE,	    /* what became of a probe of the server */
	EVENT_CHRONY,	    /* chronyd's answer, or that there is none */
	EVENT_NTP_CONTROL,  /* ntpd's or NTPsec's variables, or that there are none */
	EVENT_TIMESYNC,	    /* systemd-timesyncd's last exchange, or that there is none */
	EVENT_SNTP,	    /* an NTP server's answer, or that there is none */
	EVENT_KERNEL,	    /* what adjtimex says */
	EVENT_PEER_SNTP,    /* the server's own NTP service, or that there is none */
	EVENT_ECHO,	    /* what became of an ICMP echo request to the server's host */
	EVENT_ROUTE,	    /* how this machine reaches the server: at first, and when it changed */
	EVENT_OTHER_REMOTE, /* what became of a probe of another remote of the profile */
	EVENT_REMOVED,	    /* the tunnel is watched no longer; the last event that names it */
	EVENT_RELOADED,	    /* the configuration was read anew */
	EVENT_STOP,	    /* the user wants to leave: this tunnel, or altogether (NULL) */
};

enum link_change {
	LINK_UP,	  /* connected; the banner has not come yet */
	LINK_FAILED,	  /* could not connect: `reason` says why */
	LINK_CLOSED,	  /* was connected, is not any more */
	LINK_UNAVAILABLE, /* could not even try: bad password file, path too long */
	LINK_OVERLONG,	  /* a line was too long and was dropped */
	LINK_WAITING,	  /* it is OpenVPN that calls, and it has not yet; the wait goes on */
};

enum log_file_change {
	LOG_FILE_FOLLOWED, /* all that was there before has been told: what comes is new */
	LOG_FILE_ABSENT,   /* it is waited for: `reason` */
	LOG_FILE_GONE,	   /* it was followed, and is waited for: `reason` */
	LOG_FILE_ENDED,	   /* nothing will come any more: `reason` */
};

enum probe_outcome {
	PROBE_ANSWERED,
	PROBE_REFUSED,	   /* ICMP port unreachable: nothing listens there */
	PROBE_UNREACHABLE, /* no route, or ICMP host or net unreachable */
	PROBE_FAILED,	   /* this machine could not send: `reason` */
	PROBE_BAD_MAC,	   /* something answered under another key */
	/* Over TCP: the server took the connection and hung up without an answer. */
	PROBE_REJECTED,
	/* The answer came a second time, seconds later: the server keeps a session for every probe
	 * (OpenVPN before 2.6) and waits for it to go on. The id is that of an answered probe. */
	PROBE_REPEATED,
};

enum echo_outcome {
	ECHO_ANSWERED,
	ECHO_UNREACHABLE, /* no route, or a router said so */
	ECHO_FAILED,	  /* this machine could not send, or may not: `reason` */
};

struct event {
	enum event_kind kind;
	struct stamp at;
	/* EVENT_LINE, EVENT_PEER_LINE: the line was not there yet at this instant; its mono is
	 * NSEC_UNKNOWN if that cannot be said. */
	struct stamp since;
	struct tunnel *tunnel; /* NULL: about the machine */
	/* EVENT_LOG of a log that is followed; zero of a recording. */
	struct {
		bool history; /* it was there before we came */
		/* When it was written, by the clock of whoever did: wall, in this machine's zone
		 * unless its stamp says another. 0: it bears no stamp. */
		nsec written;
		struct slice ident; /* as in struct log_line; borrowed for the call */
		int64_t pid;
		bool here; /* the logger says that it was written on this machine */
	} log;
	union {
		struct {
			enum link_change change;
			const char *reason; /* for a person; borrowed for the call */
		} link;			    /* EVENT_LINK, EVENT_PEER_LINK */
		struct {
			enum log_file_change change;
			const char *reason; /* for a person; borrowed for the call; NULL */
		} log_file;
		struct slice
		    line; /* EVENT_LINE, EVENT_PEER_LINE, EVENT_LOG; borrowed for the call */
		struct {
			unsigned id; /* of the ACTION_PROBE */
			enum probe_outcome outcome;
			struct stamp sent; /* just before it left */
			bool tcp;	   /* it went by TCP */
			/* Where to: a larger number than that of the probe before if it is another
			 * address or protocol, and so perhaps another server. 0: it did not leave.
			 */
			unsigned destination;
			bool has_time;
			int64_t server_time; /* whole epoch seconds, floored */
			const char *reason;
		} probe;
		/* Of the sources of time, `reason` says why there is no answer: a constant, for a
		 * person. */
		struct {
			bool answered;
			const char *reason;
			struct chrony_tracking tracking;
		} chrony;
		struct {
			bool answered;
			const char *reason;
			struct ntp_control_system system;
		} ntp_control;
		struct {
			bool answered;
			const char *reason;
			struct timesync_message message;
		} timesync;
		struct {
			unsigned server; /* index of --ntp */
			bool answered;	 /* a packet came; `flaw` judges it */
			enum ntp_flaw flaw;
			const char *reason;
			struct ntp_measurement measurement;
			int stratum;
		} sntp;
		struct {
			bool answered;
			const char *reason;
			enum ntp_flaw flaw; /* of an answer: NTP_FINE, or a kiss-o'-death */
			struct stamp sent;  /* just before it left */
			/* What the server's clock showed when the question came in and when the
			 * answer left: wall, nanoseconds since the epoch. */
			nsec receive, transmit;
		} peer_sntp;
		struct {
			unsigned id; /* of the ACTION_ECHO */
			enum echo_outcome outcome;
			struct stamp sent;  /* just before it left */
			const char *reason; /* a constant, for a person */
		} echo;
		struct {
			bool there; /* there is a route to the server */
			/* The interface that it leads through is up and has a carrier. */
			bool up;
			const char *interface; /* its name; "" if there is no route. Borrowed for
						  the call. */
		} route;
		struct {
			unsigned id; /* of the ACTION_PROBE_OTHER */
			enum probe_outcome outcome;
			struct stamp sent;
			const char *remote; /* "host:port/udp"; outlives the tunnel */
		} other_remote;
		struct {
			unsigned added, removed, tunnels; /* `tunnels`: how many there are now */
			const char *file;		  /* borrowed for the call */
		} reloaded;
		struct {
			bool permitted; /* false: the call was refused (EPERM, seccomp) */
			bool
			    synchronized; /* maxerror < 16 s, the only flag that all daemons keep */
			double max_error_s;
		} kernel;
	} u;
};

#endif
