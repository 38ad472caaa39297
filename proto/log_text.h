/* SPDX-License-Identifier: MIT
 *
 * What a line of OpenVPN's log says that bears on why a tunnel restarts. The texts are OpenVPN's
 * (the source is named at each in log_text.c); a line that says nothing of the kind is LOG_NOTHING.
 */
#ifndef OVPNWATCH_PROTO_LOG_TEXT_H
#define OVPNWATCH_PROTO_LOG_TEXT_H

#include "proto/openvpn_words.h"
#include "proto/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum log_fact_kind {
	LOG_NOTHING,
	LOG_VERSION,	      /* "OpenVPN 2.6.14 x86_64-…": text = "2.6.14", major, minor */
	LOG_MANAGEMENT_STATE, /* "MANAGEMENT: >STATE:…": text = the payload after ">STATE:" */
	LOG_INITIALIZED,      /* "Initialization Sequence Completed[ With Errors]" */
	LOG_INACTIVITY,	      /* "Inactivity timeout (--ping-restart), restarting" */
	LOG_INACTIVITY_EXIT,  /* "Inactivity timeout (--ping-exit), exiting" */
	LOG_SIGNAL,	      /* "SIGUSR1[soft,ping-restart] received, process restarting" */
	LOG_RESTART_PAUSE,    /* "Restart pause, 5 second(s)": seconds */
	LOG_TIMERS,	      /* "Timers: ping 10, ping-restart 120": ping, ping_restart */
	LOG_PUSH_REPLY, /* "PUSH: Received control message: 'PUSH_REPLY,…'": ping, ping_restart,
			   text = the options */
	LOG_REFUSED,	/* "read UDPv4 [ECONNREFUSED]: Connection refused": ICMP port unreachable */
	LOG_UNREACHABLE,  /* EHOSTUNREACH, ENETUNREACH on the link socket, or "Network unreachable"
			   */
	LOG_TLS_TIMEOUT,  /* "TLS key negotiation failed to occur within N seconds" */
	LOG_TLS_FAILED,	  /* "TLS Error: TLS handshake failed" and other "TLS Error" ends */
	LOG_SERVER_RESET, /* "Connection reset command was pushed by server ('…')" and halt */
	LOG_REMOTE_EXIT,  /* the other end says goodbye: "SIGTERM received, sending exit
			     notification…" is our own and is LOG_NOTHING */
	LOG_CONNECTION_RESET, /* "Connection reset, restarting [0]" */
	LOG_AUTH_FAILED,      /* "AUTH: Received control message: AUTH_FAILED…" */
	LOG_VERIFY_ERROR,     /* "VERIFY ERROR: depth=0, error=certificate is not yet valid: …" */
	LOG_REPLAY,	      /* "bad packet ID (may be a replay)": time, if it is in the line */
	LOG_KEEPALIVE_MISSING, /* "WARNING: --keepalive option is missing from server config" */
	LOG_SOFT_RESET, /* "TLS: soft reset sec=3600/3600 bytes=…": this end begins to renegotiate;
			   seconds = its reneg-sec (2.4 and later), else -1 */
	LOG_VERIFY_OK,	/* "VERIFY OK: depth=0, …": the certificate of the other end itself was
			   accepted; in a running tunnel: a renegotiation, by either end */
	LOG_OUT_OF_SYNC,     /* "TLS Error: local/remote TLS keys are out of sync: …" */
	LOG_OWN_CERTIFICATE, /* "WARNING: Your certificate has expired!": text = "has expired" or
				"is not yet valid" */
	LOG_TLS_ALERT,	     /* the other end's TLS alert: "OpenSSL: error:0A000415:…:sslv3 alert
				certificate expired:SSL alert number 45": text = "certificate
				expired" */
	LOG_WRONG_KEY, /* a control packet that is not under our tls-auth or tls-crypt key, or does
			  not look like one */
	LOG_DECRYPT_ERROR, /* a data packet could not be decrypted: "Authenticate/Decrypt packet
			      error: cipher final failed" */
	LOG_COMMAND,   /* "MANAGEMENT: CMD 'signal SIGUSR1'": text = the command; only `signal` and
			  `kill` */
	LOG_LEARNED,   /* a server: "MULTI: Learn: 10.8.0.2 -> cn/1.2.3.4:1194": text = the virtual
			  address, client = who has it */
	LOG_DUPLICATE, /* a server: "new connection by client 'X' will cause previous active
			  sessions … to be dropped": text = X */
	LOG_REMOTE,    /* "UDPv4 link remote: [AF_INET]1.2.3.4:1194", "[server] Peer Connection
			  Initiated with …": text = the address without port, port */
	LOG_INITIAL_PACKET, /* "TLS: Initial packet from …"; after a client's name: it begins anew
			       from where it is connected */
	LOG_MANAGEMENT_FLAGS, /* `verb 4`: "management_flags = 8": flags */
};
/* The kinds that are about a client's own tunnel. */
#define LOG_FACT_KINDS (LOG_COMMAND + 1)

struct log_fact {
	enum log_fact_kind kind;
	struct slice client; /* a server's prefix "cn/1.2.3.4:1194 ", else empty */
	struct slice text;
	bool hard;	     /* LOG_SIGNAL: hard (sent from outside) rather than soft */
	struct slice signal; /* LOG_SIGNAL: SIGUSR1, SIGHUP, SIGTERM, SIGINT */
	enum restart_reason reason;
	int64_t seconds;       /* LOG_RESTART_PAUSE, LOG_TLS_TIMEOUT; -1 if absent */
	int64_t ping;	       /* -1: not in the line */
	int64_t ping_restart;  /* -1: not in the line */
	int64_t time;	       /* LOG_REPLAY: the sender's net_time; -1 if absent */
	unsigned major, minor; /* LOG_VERSION */
	uint16_t port;	       /* LOG_REMOTE; 0: not in the line */
	struct slice name;     /* LOG_REMOTE: the common name in front of it, or empty */
	int64_t flags;	       /* LOG_MANAGEMENT_FLAGS: of manage.h MF_…; -1: not in the line */
};

/* Total: any bytes are a text. Slices point into `text`. */
void log_text_parse(struct slice text, struct log_fact *out);

#endif
