/* SPDX-License-Identifier: MIT
 *
 * Asks chronyd (UDP 127.0.0.1:323 and [::1]:323), NTP servers and the kernel about this machine's
 * clock, and notices when the clock is set (timerfd, TFD_TIMER_CANCEL_ON_SET, where there is one).
 * Each question ends in exactly one event (EVENT_CHRONY, EVENT_SNTP, EVENT_KERNEL), within
 * CLOCK_ASKER_TIMEOUT, or CLOCK_ASKER_SNTP_TIMEOUT for a server across the network whose name may
 * have to be looked up first; a set clock is an EVENT_TIME at once.
 */
#ifndef OVPNWATCH_IO_CLOCK_ASKER_H
#define OVPNWATCH_IO_CLOCK_ASKER_H

#include "io/prober.h"

#define CLOCK_ASKER_TIMEOUT	 (500 * NSEC_PER_MSEC)
#define CLOCK_ASKER_SNTP_TIMEOUT (2 * NSEC_PER_SEC)

struct clock_asker;

/* `servers` are the --ntp hosts (name or address, optional ":port"; borrowed). Returns 0 and *out,
 * which clock_asker_close() frees, or a negative UV_E… (UV_EINVAL: a server that
 * address_parse_server() refuses). */
int clock_asker_open(struct clock_asker **out, uv_loop_t *loop, const char *const *servers,
		     unsigned n_servers, event_sink sink, void *arg);

/* None of these calls the sink before it returns. A measurement during which the clock was set is
 * no answer. */
void clock_asker_chrony(struct clock_asker *a);
void clock_asker_sntp(struct clock_asker *a, unsigned server);
void clock_asker_kernel(struct clock_asker *a);

/* Where chronyd listens, if not on CHRONY_PORT (`cmdport` of chrony.conf; tests). */
void clock_asker_chrony_port(struct clock_asker *a, uint16_t port);

/* Closes its handles and frees it from within the loop; no event comes after this call. */
void clock_asker_close(struct clock_asker *a);

#endif
