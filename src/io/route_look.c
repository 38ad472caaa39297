/* SPDX-License-Identifier: MIT */
#include "io/route_look.h"
#include "io/resolve.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum way { WAY_UNKNOWN, WAY_NONE, WAY_THERE };

/* `from`: the address that a packet to `to` would leave with. */
static enum way find_way(const struct sockaddr_storage *to, struct sockaddr_storage *from)
{
	socklen_t size = sizeof *from;
	int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return WAY_UNKNOWN;
	enum way way = WAY_UNKNOWN;
	memset(from, 0, sizeof *from);
	if (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0) {
		/* EADDRNOTAVAIL: a route, but no address of this machine to use it with. */
		if (errno == ENETUNREACH || errno == EHOSTUNREACH || errno == EADDRNOTAVAIL)
			way = WAY_NONE;
	} else if (getsockname(fd, (struct sockaddr *)from, &size) == 0) {
		way = WAY_THERE;
	}
	close(fd);
	return way;
}

/* The one interface with this address; NULL: none, or several. */
static const struct ifaddrs *with_address(const struct ifaddrs *all,
					  const struct sockaddr_storage *address)
{
	const struct ifaddrs *found = NULL;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || !resolve_same_host(address, i->ifa_addr))
			continue;
		if (found != NULL && strcmp(found->ifa_name, i->ifa_name) != 0)
			return NULL;
		found = i;
	}
	return found;
}

bool route_look(const struct sockaddr_storage *to, const struct sockaddr_storage *tunnel,
		struct route_look *out)
{
	struct sockaddr_storage from;
	struct ifaddrs *all;
	enum way way = find_way(to, &from);
	if (way == WAY_NONE)
		*out = (struct route_look){.there = false};
	if (way != WAY_THERE || getifaddrs(&all) != 0)
		return way == WAY_NONE;
	const struct ifaddrs *through = with_address(all, &from);
	const struct ifaddrs *own = with_address(all, tunnel);
	if (through != NULL && own != NULL && strcmp(through->ifa_name, own->ifa_name) == 0) {
		*out = (struct route_look){.there = false};
	} else if (through != NULL) {
		const unsigned up = IFF_UP | IFF_RUNNING;
		*out = (struct route_look){.there = true, .up = (through->ifa_flags & up) == up};
		snprintf(out->interface, sizeof out->interface, "%s", through->ifa_name);
	}
	freeifaddrs(all);
	return through != NULL;
}
