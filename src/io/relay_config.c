/* SPDX-License-Identifier: MIT */
#include "io/relay_config.h"

#include <stdio.h>

static const char *flaw(const struct relay_config *c, const struct address *a)
{
	if (a->listen)
		return "the relay listens anyway: leave \"listen:\" out";
	if (a->loopback)
		return NULL;
	if (!c->allow_remote)
		return "other machines can reach this address, and what is said there is not "
		       "encrypted: listen on 127.0.0.1 or on unix:PATH instead, or give "
		       "--relay-allow-remote and --relay-password-file";
	if (c->password_file == NULL)
		return "other machines can reach this address, so it needs a password: give the "
		       "file that holds one with --relay-password-file";
	return NULL;
}

bool relay_config_check(const struct relay_config *c, char *error, size_t error_size)
{
	for (unsigned i = 0; i < c->n_addresses; i++) {
		const struct address *a = &c->addresses[i].address;
		const char *why = flaw(c, a);
		if (why == NULL)
			continue;
		snprintf(error, error_size, "%s %s:%u: %s",
			 c->addresses[i].readonly ? "--relay-readonly" : "--relay",
			 a->kind == ADDRESS_UNIX ? a->path : a->host, a->port, why);
		return false;
	}
	return true;
}
