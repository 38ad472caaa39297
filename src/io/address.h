/* SPDX-License-Identifier: MIT
 *
 * ADDR of the command line: HOST:PORT, [V6]:PORT, unix:PATH; and listen: before one of these, where
 * the other end is the one that calls (OpenVPN under --management-client).
 */
#ifndef OVPNWATCH_IO_ADDRESS_H
#define OVPNWATCH_IO_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

enum address_kind { ADDRESS_TCP, ADDRESS_UNIX };

struct address {
	enum address_kind kind;
	char host[256]; /* without brackets */
	uint16_t port;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool listen;   /* wait there to be called */
	bool loopback; /* unix, 127/8, ::1 or "localhost": the daemon runs on this machine */
};

/* True: *out is filled in. False: `error` says what is wrong and what is expected; a Unix path that
 * the kernel would cut (108 bytes and more) is refused here. */
bool address_parse(const char *text, struct address *out, char *error, size_t error_size)
    __attribute__((warn_unused_result));

/* HOST, HOST:PORT, V6 or [V6]:PORT, for a service that has a port of its own (--ntp). As above;
 * the kind is always ADDRESS_TCP, which says nothing about the transport here. */
bool address_parse_server(const char *text, uint16_t default_port, struct address *out, char *error,
			  size_t error_size) __attribute__((warn_unused_result));

#endif
