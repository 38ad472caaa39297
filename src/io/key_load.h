/* SPDX-License-Identifier: MIT
 *
 * The key that probes are wrapped with, from the file that OpenVPN reads it from.
 *
 * Happy path: key_load() with the option's file; key_can_wrap(). Failure modes: a file that cannot
 * be read, is no key or is another option's key, a digest that is not known: each said to a person,
 * with the way out.
 */
#ifndef OVPNWATCH_IO_KEY_LOAD_H
#define OVPNWATCH_IO_KEY_LOAD_H

#include "proto/control_key.h"

#include <stdbool.h>
#include <stddef.h>

/* A sentence without a full stop, as long as a message has room for. */
#define KEY_WHY_MAX 224

/* Reads the file (at most 64 KiB) as the key that key->wrap takes; the rest of *key is the
 * caller's. False: `why` has the reason, and the key is untouched. The caller wipes the key. */
MUST_USE bool key_load(struct control_key *key, const char *path, char why[KEY_WHY_MAX]);

/* The same of a text that was found at `where`. */
MUST_USE bool key_take(struct control_key *key, struct slice text, const char *where,
		       char why[KEY_WHY_MAX]);

/* Packets can be wrapped with it: libcrypto knows its digest. False: as above. */
MUST_USE bool key_can_wrap(const struct control_key *key, char why[KEY_WHY_MAX]);

#endif
