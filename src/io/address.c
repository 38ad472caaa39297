/* SPDX-License-Identifier: MIT */
#include "io/address.h"
#include "proto/slice.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#define EXPECTED                                                                          \
	"expected HOST:PORT, [IPV6]:PORT or unix:PATH, for example 127.0.0.1:7505 (with " \
	"listen: in front for an OpenVPN that has management-client)"

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-' || c == '_';
}

/* An address of four numbers: what only looks like one ("127.1", "300.1.1.1") must not become a
 * question to a name server, nor be read in one of inet_aton's older ways. */
static bool is_numeric_v4(const char *host, bool *loopback)
{
	struct in_addr v4;
	if (inet_pton(AF_INET, host, &v4) != 1)
		return false;
	*loopback = ntohl(v4.s_addr) >> 24 == 127;
	return true;
}

static bool is_numeric_v6(const char *host, bool *loopback)
{
	struct in6_addr v6;
	char plain[INET6_ADDRSTRLEN + 1];
	size_t n = strcspn(host, "%"); /* a zone, as in fe80::1%eth0, is no part of the number */
	if (n >= sizeof plain || (host[n] == '%' && host[n + 1] == '\0'))
		return false;
	memcpy(plain, host, n);
	plain[n] = '\0';
	if (inet_pton(AF_INET6, plain, &v6) != 1)
		return false;
	*loopback =
	    IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
	return true;
}

static bool take_host(struct slice host, bool bracketed, struct address *out, const char **why)
{
	if (host.n == 0) {
		*why = "the host is missing";
		return false;
	}
	if (host.n >= sizeof out->host) {
		*why = "the host is longer than 255 bytes";
		return false;
	}
	slice_copy(host, out->host, sizeof out->host);
	if (bracketed) {
		*why = "what is in the brackets is not an IPv6 address";
		return is_numeric_v6(out->host, &out->loopback);
	}
	bool number = true;
	for (size_t i = 0; i < host.n; i++) {
		if (!is_name_byte(host.p[i])) {
			*why = "the host has a character that no name has";
			return false;
		}
		number = number && (host.p[i] == '.' || (host.p[i] >= '0' && host.p[i] <= '9'));
	}
	if (number) {
		*why = "the host is not an IPv4 address";
		return is_numeric_v4(out->host, &out->loopback);
	}
	out->loopback = strcasecmp(out->host, "localhost") == 0;
	return true;
}

static bool take_port(struct slice port, struct address *out, const char **why)
{
	uint64_t number;
	if (!slice_to_u64(port, &number) || number < 1 || number > UINT16_MAX) {
		*why = "the port is not a number from 1 to 65535";
		return false;
	}
	out->port = (uint16_t)number;
	return true;
}

static bool take_path(struct slice path, struct address *out, const char **why)
{
	out->kind = ADDRESS_UNIX;
	out->loopback = true;
	if (path.n == 0) {
		*why = "the path is missing";
		return false;
	}
	if (path.n >= sizeof out->path) {
		*why = "the path is longer than the 107 bytes that a Unix socket may have; "
		       "a symbolic link can make it shorter";
		return false;
	}
	slice_copy(path, out->path, sizeof out->path);
	return true;
}

/* default_port 0: there must be a port. */
static bool take_host_port(struct slice text, uint16_t default_port, struct address *out,
			   const char **why)
{
	struct slice rest = text;
	out->port = default_port;
	if (slice_starts(text, "[")) {
		rest = slice_skip(rest, 1);
		struct slice host = slice_cut(&rest, ']');
		if (rest.p == NULL) {
			*why = "the bracket is not closed";
			return false;
		}
		if (!take_host(host, true, out, why))
			return false;
		if (rest.n == 0 && default_port != 0)
			return true;
		if (!slice_starts(rest, ":")) {
			*why = "the port is missing";
			return false;
		}
		return take_port(slice_skip(rest, 1), out, why);
	}
	struct slice host = slice_cut(&rest, ':');
	if (rest.p == NULL) {
		*why = "the port is missing";
		return default_port != 0 && take_host(host, false, out, why);
	}
	if (memchr(rest.p, ':', rest.n) != NULL) {
		*why = "an IPv6 address needs brackets, as in [::1]:7505";
		return default_port != 0 && take_host(text, true, out, why);
	}
	return take_host(host, false, out, why) && take_port(rest, out, why);
}

static bool refuse(const char *text, const char *why, const char *expected, char *error,
		   size_t error_size)
{
	char shown[64];
	slice_copy(slice_from(text), shown, sizeof shown);
	for (char *c = shown; *c != '\0'; c++)
		*c = *c >= ' ' && *c <= '~' ? *c : '?';
	snprintf(error, error_size, "\"%s\": %s; %s", shown, why, expected);
	return false;
}

bool address_parse(const char *text, struct address *out, char *error, size_t error_size)
{
	struct address a = {.kind = ADDRESS_TCP};
	const char *why = "";
	struct slice all = slice_from(text);
	a.listen = slice_starts(all, "listen:");
	if (a.listen)
		all = slice_skip(all, 7);
	bool fine = slice_starts(all, "unix:") ? take_path(slice_skip(all, 5), &a, &why)
					       : take_host_port(all, 0, &a, &why);
	if (!fine)
		return refuse(text, why, EXPECTED, error, error_size);
	*out = a;
	return true;
}

bool address_parse_server(const char *text, uint16_t default_port, struct address *out, char *error,
			  size_t error_size)
{
	struct address a = {.kind = ADDRESS_TCP};
	const char *why = "";
	if (!take_host_port(slice_from(text), default_port, &a, &why))
		return refuse(text, why, "expected HOST, HOST:PORT or [IPV6]:PORT", error,
			      error_size);
	*out = a;
	return true;
}
