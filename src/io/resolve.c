/* SPDX-License-Identifier: MIT */
#include "io/resolve.h"
#include "io/name_lookup.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put_address(struct sockaddr_storage *out, const struct sockaddr *from, uint16_t port)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;
	memset(out, 0, sizeof *out);
	if (from->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		/* OpenVPN on a dual-stack socket shows its IPv4 server so. */
		struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
		memcpy(&v4.sin_addr, v6->sin6_addr.s6_addr + 12, 4);
		memcpy(out, &v4, sizeof v4);
	} else if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 copy = *v6;
		copy.sin6_port = htons(port);
		memcpy(out, &copy, sizeof copy);
	} else {
		struct sockaddr_in v4;
		memcpy(&v4, from, sizeof v4);
		v4.sin_port = htons(port);
		memcpy(out, &v4, sizeof v4);
	}
}

bool resolve_numeric(const char *host, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (uv_ip4_addr(host, port, &v4) == 0) {
		put_address(out, (const struct sockaddr *)&v4, port);
		return true;
	}
	if (uv_ip6_addr(host, port, &v6) == 0) {
		put_address(out, (const struct sockaddr *)&v6, port);
		return true;
	}
	return false;
}

bool resolve_same_host(const struct sockaddr_storage *a, const struct sockaddr *b)
{
	if (a->ss_family != b->sa_family)
		return false;
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)(const void *)b)->sin_addr.s_addr;
	return a->ss_family == AF_INET6 &&
	       IN6_ARE_ADDR_EQUAL(&((const struct sockaddr_in6 *)a)->sin6_addr,
				  &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr);
}

void resolver_init(struct resolver *r, uv_loop_t *loop, const char *host, uint16_t port, int family,
		   resolved callback, void *arg)
{
	*r = (struct resolver){
	    .loop = loop, .port = port, .family = family, .callback = callback, .arg = arg};
	snprintf(r->host, sizeof r->host, "%s", host);
	r->numeric = resolve_numeric(r->host, port, &r->addresses[0]) &&
		     (family == AF_UNSPEC || family == r->addresses[0].ss_family);
	r->n_addresses = r->numeric ? 1 : 0;
}

static bool usable(const struct addrinfo *a, int family)
{
	return (a->ai_family == AF_INET || a->ai_family == AF_INET6) &&
	       (family == AF_UNSPEC || family == a->ai_family);
}

/* False, and what was known stays: there is none. */
static bool take_addresses(struct resolver *r, const struct addrinfo *list)
{
	unsigned n = 0;
	for (const struct addrinfo *a = list; a != NULL && n < RESOLVER_ADDRESSES_MAX;
	     a = a->ai_next)
		if (usable(a, r->family))
			put_address(&r->addresses[n++], a->ai_addr, r->port);
	if (n == 0)
		return false;
	r->n_addresses = n;
	r->current = 0;
	return true;
}

static void on_found(void *arg, int status, const struct addrinfo *list)
{
	struct resolver *r = arg;
	r->lookup = NULL;
	if (status == 0 && !take_addresses(r, list))
		status = UV_EAI_NODATA;
	if (r->callback != NULL)
		r->callback(r->arg, status);
}

int resolver_look_up(struct resolver *r)
{
	if (r->numeric)
		return 1;
	if (r->lookup != NULL)
		return 0;
	/* AI_ADDRCONFIG, but not together with a family: glibc then finds nothing on a machine that
	 * has that family on the loopback interface only. */
	const struct addrinfo hints = {.ai_family = r->family,
				       .ai_socktype = SOCK_DGRAM,
				       .ai_flags = r->family == AF_UNSPEC ? AI_ADDRCONFIG : 0};
	return name_lookup_start(&r->lookup, r->loop, r->host, &hints, on_found, r);
}

/* The kernel says so when a UDP socket is connected, without a packet. A socket that cannot be had
 * for another reason says nothing about routes. */
static bool has_route(const struct sockaddr_storage *to)
{
	int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno != EAFNOSUPPORT;
	bool none = connect(fd, (const struct sockaddr *)to, sizeof *to) != 0 &&
		    (errno == ENETUNREACH || errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
	close(fd);
	return !none;
}

bool resolver_address(const struct resolver *r, struct sockaddr_storage *out)
{
	if (r->n_addresses == 0)
		return false;
	*out = r->addresses[r->current];
	for (unsigned i = 0; i < r->n_addresses && r->n_addresses > 1; i++) {
		const struct sockaddr_storage *a = &r->addresses[(r->current + i) % r->n_addresses];
		if (has_route(a)) {
			*out = *a;
			break;
		}
	}
	return true;
}

const struct sockaddr_storage *resolver_all(const struct resolver *r, unsigned *n)
{
	*n = r->n_addresses;
	return r->addresses;
}

bool resolver_has(const struct resolver *r, const struct sockaddr_storage *address)
{
	for (unsigned i = 0; i < r->n_addresses; i++)
		if (memcmp(&r->addresses[i], address, sizeof *address) == 0)
			return true;
	return false;
}

void resolver_next(struct resolver *r)
{
	if (r->n_addresses > 0)
		r->current = (r->current + 1) % r->n_addresses;
}

static void abandon(struct resolver *r)
{
	if (r->lookup != NULL)
		name_lookup_forget(r->lookup);
	r->lookup = NULL;
}

void resolver_pin(struct resolver *r, const struct sockaddr_storage *address)
{
	abandon(r);
	r->addresses[0] = *address;
	r->n_addresses = 1;
	r->current = 0;
	r->numeric = true;
}

void resolver_done(struct resolver *r)
{
	abandon(r);
	r->callback = NULL;
}
