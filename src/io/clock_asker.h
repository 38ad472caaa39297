/* SPDX-License-Identifier: MIT
 *
 * Asks everybody who may know about this machine's clock: chronyd (UDP 127.0.0.1:323 and
 * [::1]:323, and its Unix socket), another NTP daemon (mode 6, UDP 127.0.0.1:123 and [::1]:123),
 * systemd-timesyncd (D-Bus), NTP servers, and the kernel; and the VPN server's own NTP service
 * about its clock. It also notices when the clock is set (timerfd, TFD_TIMER_CANCEL_ON_SET, where
 * there is one).
 *
 * Happy path: clock_asker_open(), a question, its event, clock_asker_close(). Each question ends in
 * exactly one event (EVENT_CHRONY, EVENT_NTP_CONTROL, EVENT_TIMESYNC, EVENT_SNTP, EVENT_PEER_SNTP,
 * EVENT_KERNEL), within CLOCK_ASKER_TIMEOUT, or CLOCK_ASKER_SNTP_TIMEOUT for a server across the
 * network whose name may have to be looked up first; a set clock is an EVENT_TIME at once. Failure
 * modes: there is no answer, and the event's `reason` says why.
 */
#ifndef OVPNWATCH_IO_CLOCK_ASKER_H
#define OVPNWATCH_IO_CLOCK_ASKER_H

#include "io/prober.h"

#define CLOCK_ASKER_TIMEOUT	 (500 * NSEC_PER_MSEC)
#define CLOCK_ASKER_SNTP_TIMEOUT (2 * NSEC_PER_SEC)

#define CHRONY_SOCKET "/run/chrony/chronyd.sock" /* its Unix socket, the default of chrony */

struct clock_asker;

/* `servers` are the --ntp hosts (name or address, optional ":port"; borrowed). Returns 0 and *out,
 * which clock_asker_close() frees, or a negative UV_E… (UV_EINVAL: a server that
 * address_parse_server() refuses). */
int clock_asker_open(struct clock_asker **out, uv_loop_t *loop, const char *const *servers,
		     unsigned n_servers, event_sink sink, void *arg);

/* From now on `tunnel` (an identity only) can be asked about: `host` is the NTP service of its
 * server (name or address, optional ":port"; copied). Returns 0, UV_ENOMEM, or UV_EINVAL as above.
 */
int clock_asker_add_peer(struct clock_asker *a, struct tunnel *tunnel, const char *host)
    __attribute__((warn_unused_result));

/* `tunnel` is not asked about any more, and no event names it; it need not have been added. */
void clock_asker_remove_peer(struct clock_asker *a, const struct tunnel *tunnel);

/* None of these calls the sink before it returns. A measurement of this machine's clock during
 * which it was set is no answer; nor is one of the server's clock during which this machine slept.
 */
void clock_asker_chrony(struct clock_asker *a);
void clock_asker_ntp_control(struct clock_asker *a);
void clock_asker_timesync(struct clock_asker *a);
void clock_asker_sntp(struct clock_asker *a, unsigned server);
void clock_asker_kernel(struct clock_asker *a);
/* The tunnel must have been added. */
void clock_asker_peer(struct clock_asker *a, const struct tunnel *tunnel);

/* Where chronyd listens, if not on CHRONY_PORT (`cmdport` of chrony.conf) and CHRONY_SOCKET
 * (`bindcmdaddress`; borrowed), and the other NTP daemon, if not on NTP_PORT: for tests. */
void clock_asker_chrony_port(struct clock_asker *a, uint16_t port);
void clock_asker_chrony_socket(struct clock_asker *a, const char *path);
void clock_asker_ntp_port(struct clock_asker *a, uint16_t port);

/* Closes its handles and frees it from within the loop; no event comes after this call. */
void clock_asker_close(struct clock_asker *a);

#endif
