/* SPDX-License-Identifier: MIT
 *
 * A network namespace of the test's own, with nothing in it but a loopback interface, and what can
 * be done to its interfaces. Where none may be made, the test is skipped with the reason.
 */
#ifndef OVPNWATCH_TESTS_NAMESPACE_FIXTURE_H
#define OVPNWATCH_TESTS_NAMESPACE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int namespace_before = -1;

/* Sets or clears IFF_UP. */
static inline void interface_set(const char *name, bool up)
{
	struct ifreq r = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &r), 0);
	r.ifr_flags = (short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
	close(fd);
}

/* Gives an interface an IPv4 address; "0.0.0.0" takes it away. */
static inline void interface_address(const char *name, uint32_t address, uint32_t mask)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
	struct ifreq r = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	memcpy(&r.ifr_addr, &in, sizeof in);
	assert_int_equal(ioctl(fd, SIOCSIFADDR, &r), 0);
	in.sin_addr.s_addr = htonl(mask);
	memcpy(&r.ifr_netmask, &in, sizeof in);
	if (address != 0)
		assert_int_equal(ioctl(fd, SIOCSIFNETMASK, &r), 0);
	close(fd);
}

static inline void namespace_leave(void)
{
	if (namespace_before < 0)
		return;
	assert_int_equal(setns(namespace_before, CLONE_NEWNET), 0);
	close(namespace_before);
	namespace_before = -1;
}

/* Its loopback is down. Skips the test where there can be none. */
static inline void namespace_enter(void)
{
	assert_int_equal(namespace_before, -1);
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (here < 0 || unshare(CLONE_NEWNET) != 0) {
		print_message("no network namespace of our own: %s\n", strerror(errno));
		close(here);
		skip();
	}
	namespace_before = here;
}

/* False: it may not be set. */
static inline bool namespace_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	if (fd >= 0)
		close(fd);
	return done;
}

#endif
