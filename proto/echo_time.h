/* SPDX-License-Identifier: MIT
 *
 * The server's clock as its client-connect script read it and pushed it (the script is
 * contrib/server/client-connect-srvtime). The client's management interface hands it on
 * (OpenVPN manage.c management_echo), and decoded is what follows the stamp:
 *
 *     >ECHO:1795494431,srvtime 1795494431.123456789
 *
 * The clock was read after the client's state became AUTH, and before this line came: seconds
 * before it if what else the script does takes its time.
 *
 * Whoever may push to this client may write anything here; what is not exactly this is not taken.
 */
#ifndef OVPNWATCH_PROTO_ECHO_TIME_H
#define OVPNWATCH_PROTO_ECHO_TIME_H

#include "proto/nsec.h"
#include "proto/slice.h"
#include "proto/verdict.h"

/* "srvtime EPOCH" or "srvtime EPOCH.FRACTION", spaces before and behind allowed: seconds since 1970
 * by the server's system clock, in ASCII digits. The clock showed a time in [*lo, *hi), where
 * hi - lo is one unit of the last digit (of the ninth, if there are more: the rest is cut).
 * VERDICT_INVALID: anything else, an empty fraction, or a time after 2261. Never VERDICT_MORE. */
MUST_USE enum verdict echo_server_time(struct slice text, nsec *lo, nsec *hi);

#endif
