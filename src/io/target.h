/* SPDX-License-Identifier: MIT
 *
 * Whom to probe: the server's address of the moment, and the protocol.
 *
 * Happy path: target_init() with a remote of the profile, target_look_up(), target_address(), and
 * target_answered() or target_missed() for what became of each probe. Failure modes: a server that
 * does not answer may have moved, and its name is looked up again, at most once a minute; an
 * address of several that never answered gives way to the next. What was found out about one
 * address does not hold of another: `turn` tells them apart.
 */
#ifndef OVPNWATCH_IO_TARGET_H
#define OVPNWATCH_IO_TARGET_H

#include "io/resolve.h"
#include "proto/profile.h"

/* Written by target.c only. */
struct target {
	struct resolver resolver;
	bool tcp;
	unsigned turn;	      /* another number with each address that serves */
	bool missed;	      /* the last probe had no answer */
	bool heard;	      /* the address that serves has answered */
	uint64_t lookup_next; /* of the loop, ms */
};

/* Whether a server that is reached by this protocol can have this address: udp4, tcp6 and their
 * like name the family, udp and tcp do not. */
MUST_USE bool target_fits(const struct sockaddr_storage *address, enum profile_proto proto);

/* `remote` is copied. `callback` (may be NULL) as in resolver_init(). */
void target_init(struct target *t, uv_loop_t *loop, const struct profile_remote *remote,
		 resolved callback, void *arg);

/* A name is looked up for the first probe, and again where the last one had no answer. 0: none is
 * needed, or the callback will come. Negative UV_E…: the lookup could not be started. */
MUST_USE int target_look_up(struct target *t);

/* Where to send; false if that is not known yet. */
MUST_USE bool target_address(const struct target *t, struct sockaddr_storage *out);

/* What became of a probe that left in this turn. */
void target_answered(struct target *t, unsigned turn);
void target_missed(struct target *t, unsigned turn);

/* This (numeric) address from now on; the turn is another one if the address is. False: it is no
 * address, and nothing changed. */
MUST_USE bool target_move(struct target *t, const char *ip, uint16_t port, bool tcp);

/* No callback comes after this. The struct may be freed at once. */
void target_done(struct target *t);

#endif
