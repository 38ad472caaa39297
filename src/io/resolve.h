/* SPDX-License-Identifier: MIT
 *
 * A host's addresses: at once if the host is a number, else from the name service
 * (io/name_lookup.h). Of several, one serves at a time; one that this machine has no route to (a
 * name with an IPv6 address, and no IPv6 here) is passed over.
 *
 * Happy path: resolver_init(), resolver_look_up(), the callback, resolver_address(). Failure modes:
 * a lookup that fails keeps the last good address; one that hangs keeps it too, and holds nobody
 * up.
 */
#ifndef OVPNWATCH_IO_RESOLVE_H
#define OVPNWATCH_IO_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#define RESOLVER_HOST_MAX      256
#define RESOLVER_ADDRESSES_MAX 4 /* what a name has more is left out */

/* A lookup ended: 0, or a negative UV_EAI_…. From within the loop, never from resolver_look_up().
 */
typedef void (*resolved)(void *arg, int status);

/* Private to resolve.c. */
struct resolver {
	uv_loop_t *loop;
	char host[RESOLVER_HOST_MAX];
	uint16_t port;
	int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
	resolved callback;
	void *arg;
	struct name_lookup *lookup; /* in flight; there is never more than one */
	bool numeric;
	struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MAX];
	unsigned n_addresses;
	unsigned current; /* which of them serves */
};

/* Reads an address of either family ("192.0.2.1", "2001:db8::1", "fe80::1%eth0"); an IPv4-mapped
 * one becomes IPv4. False: it is not a number, and *out is untouched. */
bool resolve_numeric(const char *host, uint16_t port, struct sockaddr_storage *out)
    __attribute__((warn_unused_result));

/* Whether both are the same IPv4 or IPv6 address, whatever their ports and scopes. */
bool resolve_same_host(const struct sockaddr_storage *a, const struct sockaddr *b);

/* `host` is copied; what is longer than a name can be is cut, and will not be found. The callback
 * may be NULL. */
void resolver_init(struct resolver *r, uv_loop_t *loop, const char *host, uint16_t port, int family,
		   resolved callback, void *arg);

/* Starts a lookup. 0: the callback will come; also if one is in flight already (one callback for
 * all). 1: none is needed, the host is a number. Negative UV_E…: it could not be started. */
int resolver_look_up(struct resolver *r) __attribute__((warn_unused_result));

/* The address that serves, of the last good answer; false if there is none yet. If there is no
 * route to it, one to which there is; if there is none to any, *out is the one that serves. */
bool resolver_address(const struct resolver *r, struct sockaddr_storage *out)
    __attribute__((warn_unused_result));

/* All addresses of the last good answer, in the name service's order; valid until the next. */
const struct sockaddr_storage *resolver_all(const struct resolver *r, unsigned *n);

/* One of the addresses of the last good answer is this one, its port included. */
bool resolver_has(const struct resolver *r, const struct sockaddr_storage *address)
    __attribute__((warn_unused_result));

/* Another of its addresses serves from now on, if it has several. */
void resolver_next(struct resolver *r);

/* This address from now on, without any name. */
void resolver_pin(struct resolver *r, const struct sockaddr_storage *address);

/* No callback comes after this. The struct may be freed at once. */
void resolver_done(struct resolver *r);

#endif
