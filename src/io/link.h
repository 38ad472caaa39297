/* SPDX-License-Identifier: MIT
 *
 * The connection to one management interface: bytes to lines on the way in, constant commands on
 * the way out. What to say and when to connect is decided in the core; this carries it out.
 *
 * Happy path: link_connect(), LINK_UP, an EVENT_LINE for each line. Failure modes: no address of
 * the name can be connected to (each is tried, LINK_FAILED with the reason of the last); nothing
 * happens for LINK_CONNECT_TIMEOUT_MS (LINK_FAILED); end of file, reset (LINK_CLOSED); a line
 * without end (LINK_OVERLONG); OpenVPN does not read what we send (LINK_CLOSED, nothing piles up).
 * Where it is OpenVPN that calls (listen:), nobody may call for LINK_CALL_PATIENCE_MS
 * (LINK_WAITING, once, and it goes on waiting); a second daemon that calls waits until the first
 * has gone.
 *
 * It always reads: a monitor that stops reading can hold the VPN at its next restart (OpenVPN
 * manage.c man_output_standalone loops until all is read).
 */
#ifndef OVPNWATCH_IO_LINK_H
#define OVPNWATCH_IO_LINK_H

#include "core/action.h"
#include "io/address.h"
#include "io/prober.h"

#define LINK_CONNECT_TIMEOUT_MS 5000
#define LINK_CALL_PATIENCE_MS	10000
/* How long OpenVPN may take to read our last words. Shorter than the shell waits at its end. */
#define LINK_PART_MS 300

struct link;

/* Somebody who shares the connection. Neither may call the link but for link_send_text(). */
struct link_tap {
	void *arg;
	/* A line, before the sink has it; false: the sink is not to have it. */
	bool (*line)(void *arg, struct slice line);
	void (*down)(void *arg); /* the connection has ended, whoever ended it */
};

/* `password_file` (NULL: none) is borrowed, read anew whenever the password is asked for.
 * `of_server`: it is that of the VPN server, and its events are EVENT_PEER_LINK and
 * EVENT_PEER_LINE. Returns 0 and *out, which link_free() frees, or UV_ENOMEM. */
int link_new(struct link **out, uv_loop_t *loop, const struct address *address,
	     const char *password_file, struct tunnel *tunnel, bool of_server, event_sink sink,
	     void *arg);

/* Before link_connect(). */
void link_set_tap(struct link *l, const struct link_tap *tap);

/* None of these calls the sink before it returns. */
void link_connect(struct link *l); /* closes what was open before */
void link_send(struct link *l, enum management_command command);
void link_send_password(struct link *l);

/* What has to wait is copied, and the copy wiped. */
void link_send_text(struct link *l, struct slice text);

/* No event comes after this call. */
void link_close(struct link *l);

/* Closes it and frees it; handles that are still closing take care of themselves within the loop.
 * If the last that was sent puts back what was changed, that is read by OpenVPN first, or
 * LINK_PART_MS pass. No event comes after this call. NULL will do. */
void link_free(struct link *l);

#endif
