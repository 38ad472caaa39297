/* SPDX-License-Identifier: MIT */
#include "io/connected_by.h"
#include "io/resolve.h"
#include "io/target.h"

#include <string.h>

/* How well a remote fits the address. */
enum fit { FIT_NOT, FIT_NAME, FIT_NUMBER };

static enum fit fit(const struct profile_remote *r, const struct sockaddr_storage *to,
		    uint16_t port)
{
	struct sockaddr_storage here;
	if (r->port != port)
		return FIT_NOT;
	if (resolve_numeric(r->host, r->port, &here))
		return memcmp(&here, to, sizeof here) == 0 ? FIT_NUMBER : FIT_NOT;
	return target_fits(to, r->proto) ? FIT_NAME : FIT_NOT;
}

/* What those that fit at least so well agree on. */
static enum connected_by agreed(const struct profile *p, const struct sockaddr_storage *to,
				uint16_t port, enum fit least)
{
	bool udp = false, tcp = false;
	for (size_t i = 0; i < p->n_remotes; i++) {
		const struct profile_remote *r = &p->remotes[i];
		if (fit(r, to, port) < least)
			continue;
		if (profile_proto_is_tcp(r->proto))
			tcp = true;
		else
			udp = true;
	}
	if (udp == tcp)
		return CONNECTED_BY_UNKNOWN;
	return tcp ? CONNECTED_BY_TCP : CONNECTED_BY_UDP;
}

static bool any_fits(const struct profile *p, const struct sockaddr_storage *to, uint16_t port,
		     enum fit least)
{
	for (size_t i = 0; i < p->n_remotes; i++)
		if (fit(&p->remotes[i], to, port) >= least)
			return true;
	return false;
}

enum connected_by connected_by(const struct profile *p, const char *ip, uint16_t port)
{
	struct sockaddr_storage to;
	if (!resolve_numeric(ip, port, &to))
		return CONNECTED_BY_UNKNOWN;
	if (any_fits(p, &to, port, FIT_NUMBER))
		return agreed(p, &to, port, FIT_NUMBER);
	if (p->more_remotes > 0)
		return CONNECTED_BY_UNKNOWN;
	if (any_fits(p, &to, port, FIT_NAME))
		return agreed(p, &to, port, FIT_NAME);
	return agreed(p, &to, port, FIT_NOT);
}
