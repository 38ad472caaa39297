/* SPDX-License-Identifier: MIT
 *
 * Probes of the profile's other remotes: whether this machine's own network works while the server
 * in use does not answer. One at a time, in turn; each by a prober of its own (io/prober).
 *
 * Happy path: other_remotes_probe(), and EVENT_OTHER_REMOTE for what comes of it. Failure modes:
 * the profile has no other remote, or no memory for it (no event).
 */
#ifndef OVPNWATCH_IO_OTHER_REMOTES_H
#define OVPNWATCH_IO_OTHER_REMOTES_H

#include "io/event_sink.h"
#include "proto/control_channel.h"
#include "proto/profile.h"

#include <uv.h>

#define OTHER_REMOTES_MAX 4

struct other_remotes;

/* `profile` and `key` outlive it. `used` is the remote that is probed anyway. Returns 0 and *out,
 * which other_remotes_close() frees, or a negative UV_E…. */
int other_remotes_open(struct other_remotes **out, uv_loop_t *loop, const struct profile *profile,
		       const struct profile_remote *used, const struct control_key *key,
		       struct tunnel *tunnel, event_sink sink, void *arg);

/* The tunnel is connected to this (numeric) address: no other remote that is written so. */
void other_remotes_in_use(struct other_remotes *o, const char *ip, uint16_t port);

/* Sends one probe to the next of them. Never calls the sink before it returns. */
void other_remotes_probe(struct other_remotes *o, unsigned id);

/* Closes its handles and frees it from within the loop; no event comes after this call. The
 * remotes' names in its events stay valid until then. */
void other_remotes_close(struct other_remotes *o);

#endif
