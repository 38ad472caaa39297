/* SPDX-License-Identifier: MIT
 *
 * Reads a client's profile and the key file that it names.
 */
#ifndef OVPNWATCH_IO_PROFILE_LOAD_H
#define OVPNWATCH_IO_PROFILE_LOAD_H

#include "io/key_load.h"
#include "proto/profile.h"

#include <stddef.h>

struct loaded_profile {
	struct profile profile; /* its key_text is not valid any more */
	struct control_key key; /* valid if can_probe */
	bool can_probe;
	size_t probe_remote; /* which of profile.remotes to probe; its proto says whether by TCP */
	bool probe_has_time; /* its answers carry the server's time (the channel is wrapped) */
	char no_probe[KEY_WHY_MAX]; /* why not, for a person, with the way out */
};

enum load_result { LOAD_FINE, LOAD_UNREADABLE, LOAD_BROKEN };

/* Reads the file at `path` (at most 1 MiB), parses it, and reads the key file that it names
 * (relative to the profile's folder). LOAD_FINE fills *out in; else `error` has one line
 * "file:line: what, and what to do". A profile that is fine but cannot be probed (a proxy, a key
 * that cannot be read or is another option's) is LOAD_FINE with can_probe false. */
enum load_result profile_load(const char *path, struct loaded_profile *out, char *error,
			      size_t error_size);

/* Wipes the key. Total: also for a struct of zeros. */
void profile_unload(struct loaded_profile *p);

#endif
