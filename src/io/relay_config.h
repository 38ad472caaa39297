/* SPDX-License-Identifier: MIT
 *
 * Where a tunnel's management interface is shared, and with whom.
 */
#ifndef OVPNWATCH_IO_RELAY_CONFIG_H
#define OVPNWATCH_IO_RELAY_CONFIG_H

#include "io/address.h"

#define RELAY_ADDRESSES_MAX 8

struct relay_address {
	struct address address;
	bool readonly; /* its clients may ask and listen, and change nothing */
};

struct relay_config {
	struct relay_address addresses[RELAY_ADDRESSES_MAX];
	unsigned n_addresses;
	const char *password_file; /* every client has to give this password; NULL: none */
	const char *group;	   /* that may open the Unix sockets, too; NULL: nobody */
	bool allow_remote;	   /* other machines may reach the TCP addresses */
};

/* Whether that may be served at all. False: `error` says why not, and the way out. Whoever gets at
 * a management interface can stop the VPN and answer for its user, so a network address needs a
 * word of the user's and a password. */
bool relay_config_check(const struct relay_config *c, char *error, size_t error_size)
    __attribute__((warn_unused_result));

#endif
