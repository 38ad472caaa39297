/* SPDX-License-Identifier: MIT
 *
 * What the user said about a tunnel. All strings are the caller's and outlive the tunnel.
 */
#ifndef OVPNWATCH_CORE_TUNNEL_CONFIG_H
#define OVPNWATCH_CORE_TUNNEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

struct tunnel_config {
	const char *name;    /* in every event */
	const char *address; /* of the management interface, as the user wrote it; NULL: none */
	const char *log; /* the daemon's log that is followed, as the user wrote it; NULL: none */
	const char *profile; /* the profile's file name, for remedies; NULL if none was given */
	const char *server;  /* "host:port/udp" of the first remote, for messages; NULL unknown */
	bool same_machine; /* the daemon runs here (loopback or unix socket): its stamps are ours */
	bool has_password; /* a --management-password-file was given */
	bool release_hold; /* a hold is released; nothing else ever does */
	/* What the profile says that OpenVPN does when we leave: of FAREWELL_OPTION(). */
	unsigned management_options;
	bool probe;		    /* the server can be probed and may be */
	bool probe_has_time;	    /* and its answers carry the time */
	bool probe_by_tcp;	    /* the remote that is probed is one by TCP */
	bool may_ask;		    /* the server's host may be sent echo requests */
	bool other_remotes;	    /* the profile has other remotes that can be probed */
	const char *no_probe;	    /* why not, for a person; NULL if it can */
	int64_t ping, ping_restart; /* from the profile, seconds; -1 if it does not say */
	int64_t reneg_sec;	    /* from the profile; -1 if it does not say */
	bool peer_ntp;		    /* the server's own NTP service may be asked */
	const char *peer_address;   /* of the server's management interface; NULL: none was given */
	bool peer_has_password;
	uint64_t seed; /* random: jitter of the reconnection back-off */
};

#endif
