/* SPDX-License-Identifier: MIT
 *
 * One tunnel of `watch`: what the user said of it (settings.h), made into what the core and the
 * shell want to know, with all that both borrow.
 *
 * Failure modes: a profile that cannot be read or is broken, no management address and no log, a
 * password that cannot be used: an exit status and a line that says what to do.
 */
#ifndef OVPNWATCH_WATCHED_H
#define OVPNWATCH_WATCHED_H

#include "core/tunnel.h"
#include "io/app.h"
#include "io/profile_load.h"
#include "settings.h"

struct watched {
	struct tunnel_settings settings; /* a copy of its own */
	char *name;
	const char *management;	       /* as the user or the profile wrote it; NULL: none */
	const char *password_file;     /* NULL: none */
	char *beside;		       /* what password_file points at, if the profile named it */
	char *server;		       /* of the first remote, for messages; NULL */
	struct loaded_profile *loaded; /* NULL: there is no profile */
	struct address *address;       /* of `management` */
	struct address *peer_address;  /* of settings.peer_management */
	struct relay_config *relay;    /* NULL: it is not shared */
	bool discovered;	       /* by a glob, which also says when it is gone */
	bool kept;		       /* while the settings are read anew */
	struct tunnel_config config;
	struct app_tunnel hands;
	struct tunnel tunnel;
	struct watched *next; /* the owner's */
};

/* 0 and *out, or an exit status and one line in `error`. *settings is copied. */
int watched_new(struct watched **out, const struct tunnel_settings *settings, char *error,
		size_t error_size);

/* The shell and the core must have forgotten it. NULL will do. */
void watched_free(struct watched *w);

#endif
