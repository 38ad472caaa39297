/* SPDX-License-Identifier: MIT
 *
 * Probes the other servers that the profile names: if the one in use is silent and another answers,
 * the network of this machine is fine.
 *
 * Happy path: other_remotes_open(), other_remotes_send() whenever the core wants it, each time of
 * the next remote, and EVENT_OTHER_REMOTE with what became of it. Failure modes: the profile names
 * no other (nothing happens); a name turns out to lead to the server in use (no event: it is no
 * other); those of a probe (io/prober), where no answer at all is no event either.
 */
#ifndef OVPNWATCH_IO_OTHER_REMOTES_H
#define OVPNWATCH_IO_OTHER_REMOTES_H

#include "io/prober.h"

/* The one in use and four more. */
#define OTHER_REMOTES_MAX 5

struct other_remotes;

/* The remotes of `profile` (copied) that are another host or port than `used`, which is in use
 * until other_remotes_use(); of more than fit, those by UDP are preferred. The key is copied.
 * Returns 0 and *out, or a negative UV_E… and nothing to close. */
int other_remotes_open(struct other_remotes **out, uv_loop_t *loop, const struct profile *profile,
		       const struct profile_remote *used, const struct control_key *key,
		       struct tunnel *tunnel, event_sink sink, void *arg)
    __attribute__((warn_unused_result));

/* The server at this address is the one in use from now on. */
void other_remotes_use(struct other_remotes *o, const struct sockaddr_storage *used);

/* Probes the next one. Never calls the sink before it returns. */
void other_remotes_send(struct other_remotes *o, unsigned id);

/* No event comes after this call. What the events named (`remote`) stays until
 * other_remotes_free(). */
void other_remotes_close(struct other_remotes *o);

/* After other_remotes_close(). */
void other_remotes_free(struct other_remotes *o);

#endif
