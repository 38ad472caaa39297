/* SPDX-License-Identifier: MIT
 *
 * What the core wants done. The shell carries the actions out in order and prints the notices in
 * order; what comes of an action comes back as an event.
 */
#ifndef OVPNWATCH_CORE_ACTION_H
#define OVPNWATCH_CORE_ACTION_H

#include "core/notice.h"

#include <stddef.h>

struct tunnel;

enum action_kind {
	ACTION_CONNECT,	      /* open the management connection */
	ACTION_CLOSE,	      /* close it; no event comes of it */
	ACTION_SEND,	      /* send a constant command: `command` */
	ACTION_SEND_PASSWORD, /* send the management password: the shell alone knows it */
	ACTION_PROBE,	      /* send one probe to the server now: `id` */
	ACTION_ASK_CHRONY,
	ACTION_ASK_NTP_CONTROL, /* the NTP daemon of this machine, with mode 6 */
	ACTION_ASK_TIMESYNC,	/* systemd-timesyncd */
	ACTION_ASK_SNTP,	/* `id` is the index of --ntp */
	ACTION_ASK_KERNEL,
	ACTION_ASK_PEER_SNTP, /* ask the server's NTP service */
	ACTION_ECHO,	      /* send one ICMP echo request to the server's host: `id` */
	ACTION_PROBE_OTHER,   /* probe another remote of the profile, if there is one: `id` */
	ACTION_PEER_CONNECT,  /* the same of the server's management interface */
	ACTION_PEER_CLOSE,
	ACTION_PEER_SEND,
	ACTION_PEER_SEND_PASSWORD,
};

/* Every command that ovpnwatch ever sends. Constants: nothing from outside is ever part of one. */
enum management_command {
	COMMAND_STATE_ON_ALL,  /* "state on all" */
	COMMAND_LOG_ON_ALL,    /* "log on all" */
	COMMAND_BYTECOUNT,     /* "bytecount 1" */
	COMMAND_PID,	       /* "pid" */
	COMMAND_VERSION,       /* "version" */
	COMMAND_LOAD_STATS,    /* "load-stats": the heartbeat, the one command that is not logged */
	COMMAND_ECHO_ON,       /* "echo on" */
	COMMAND_STATUS_1,      /* "status 1": a server's system clock, in its zone */
	COMMAND_STATUS_3,      /* "status 3": OpenVPN's `now` of a server, and its clients */
	COMMAND_BYTECOUNT_OFF, /* "bytecount 0" */
	COMMAND_HOLD_RELEASE,  /* "hold release": only where the user asked for it */
	/* What was turned on is turned off again. One write: OpenVPN reads 256 bytes at a time and
	 * carries out all commands in them before it sees that we left (manage.c man_read). */
	COMMAND_PUT_BACK, /* "bytecount 0", "log off", "state off", "echo off" */
	COMMAND_LOG_OFF,  /* "log off": all that was turned on at a --peer-management */
};

/* The command's line, with its newline. */
const char *management_command_text(enum management_command c);

struct action {
	enum action_kind kind;
	struct tunnel *tunnel;
	unsigned id;
	enum management_command command;
};

#define ACTIONS_MAX 32
#define NOTICES_MAX 12

/* The answer to one event. Large (notices carry whole verdicts): make one and use it again. */
struct actions {
	size_t n_actions, n_notices;
	struct action actions[ACTIONS_MAX];
	struct notice notices[NOTICES_MAX];
};

#endif
