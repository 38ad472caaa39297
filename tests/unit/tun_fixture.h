/* SPDX-License-Identifier: MIT
 *
 * A network behind a TUN device, played by the test: every packet that leaves is handed to it, and
 * it writes the ICMP messages that come back, by itself or by a router. Only within a namespace of
 * its own (namespace_fixture.h). This machine is 10.9.0.1 and fd09::1 there.
 */
#ifndef OVPNWATCH_TESTS_TUN_FIXTURE_H
#define OVPNWATCH_TESTS_TUN_FIXTURE_H

#include "unit/loop_fixture.h"
#include "unit/namespace_fixture.h"

#include <linux/if_tun.h>
#include <poll.h>

#define TUN_V4_HEADER 20
#define TUN_V6_HEADER 40

static int tun = -1;
static uv_poll_t tun_poll;
/* What a host does with an ICMP message to it: `packet` with its IP header, n bytes in all. */
static void (*tun_host)(bool v6, const uint8_t *packet, size_t n);

static inline void tun_readable(uv_poll_t *poll, int status, int events)
{
	uint8_t packet[2048];
	ssize_t n;
	(void)poll;
	(void)events;
	assert_int_equal(status, 0);
	while ((n = read(tun, packet, sizeof packet)) > 0) {
		bool v6 = packet[0] >> 4 == 6;
		size_t header = v6 ? TUN_V6_HEADER : TUN_V4_HEADER;
		if ((size_t)n > header && packet[v6 ? 6 : 9] == (v6 ? 58 : 1) &&
		    packet[header] == (v6 ? 128 : 8))
			tun_host(v6, packet, (size_t)n);
	}
}

/* A packet to the network would leave with the address there, not with another one's. */
static inline bool tun_v6_is_ready(const struct in6_addr *here)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = *here, .sin6_port = 1};
	struct sockaddr_in6 from = {0};
	socklen_t size = sizeof from;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	to.sin6_addr.s6_addr[15] = 2;
	bool ready = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
		     getsockname(fd, (struct sockaddr *)&from, &size) == 0 &&
		     IN6_ARE_ADDR_EQUAL(&from.sin6_addr, here);
	close(fd);
	return ready;
}

/* The kernel lets the address be used a little later (addrconf_dad_work). */
static inline void tun_address_v6(void)
{
	struct {
		struct in6_addr address;
		uint32_t prefix;
		int interface;
		char room[sizeof(struct ifreq)]; /* valgrind takes it for that of IPv4 */
	} r = {.prefix = 64, .interface = (int)if_nametoindex("tun9")};
	memcpy(&r.address, "\xfd\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done = fd >= 0 && ioctl(fd, SIOCSIFADDR, &r) == 0;
	close(fd);
	for (int i = 0; done && i < 5000 && !tun_v6_is_ready(&r.address); i++)
		poll(NULL, 0, 1);
}

/* Skips the test where there is no such device. */
static inline void tun_open(void)
{
	struct ifreq r = {.ifr_name = "tun9", .ifr_flags = IFF_TUN | IFF_NO_PI};
	tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tun < 0 || ioctl(tun, TUNSETIFF, &r) != 0) {
		print_message("no TUN device: %s\n", strerror(errno));
		skip();
	}
	interface_address("tun9", 0x0a090001, 0xffffff00);
	interface_set("tun9", true);
	tun_address_v6();
	assert_int_equal(uv_poll_init(&loop, &tun_poll, tun), 0);
	assert_int_equal(uv_poll_start(&tun_poll, UV_READABLE, tun_readable), 0);
	uv_unref((uv_handle_t *)&tun_poll);
}

static inline void tun_close(void)
{
	if (tun < 0)
		return;
	uv_close((uv_handle_t *)&tun_poll, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	close(tun);
	tun = -1;
}

static inline uint32_t tun_sum(uint32_t sum, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	return sum;
}

static inline void tun_put_sum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

/* Sends an ICMP message to who sent `packet`, with the right checksums. `from`: the last byte of
 * the sender's address; 0: the host that `packet` was for. */
static inline void tun_say(bool v6, const uint8_t *packet, uint8_t from, const void *message,
			   size_t n)
{
	uint8_t out[1024] = {0};
	size_t header = v6 ? TUN_V6_HEADER : TUN_V4_HEADER, address = v6 ? 16 : 4;
	size_t source = v6 ? 8 : 12, target = source + address;
	uint32_t sum = 0;
	out[0] = v6 ? 0x60 : 0x45;
	out[v6 ? 4 : 2] = (uint8_t)((n + (v6 ? 0 : header)) >> 8);
	out[v6 ? 5 : 3] = (uint8_t)(n + (v6 ? 0 : header));
	out[v6 ? 6 : 9] = v6 ? 58 : 1;
	out[v6 ? 7 : 8] = 64;
	memcpy(out + source, packet + target, address);
	memcpy(out + target, packet + source, address);
	if (from != 0)
		out[target - 1] = from;
	memcpy(out + header, message, n);
	memset(out + header + 2, 0, 2);
	if (v6)
		sum = tun_sum((uint32_t)n + 58, out + source, 2 * address);
	tun_put_sum(out + header + 2, tun_sum(sum, out + header, n));
	if (!v6)
		tun_put_sum(out + 10, tun_sum(0, out, header));
	assert_int_equal(write(tun, out, header + n), header + n);
}

/* The echo reply to this packet; `damage` is put over the last byte. */
static inline void tun_reply(bool v6, const uint8_t *packet, size_t n, uint8_t damage)
{
	uint8_t message[1024];
	size_t header = v6 ? TUN_V6_HEADER : TUN_V4_HEADER;
	memcpy(message, packet + header, n - header);
	message[0] = v6 ? 129 : 0;
	message[n - header - 1] ^= damage;
	tun_say(v6, packet, 0, message, n - header);
}

/* An ICMP error that quotes the packet's header and `quoted` bytes of its message. */
static inline void tun_error(bool v6, const uint8_t *packet, uint8_t from, uint8_t type,
			     uint8_t code, size_t quoted)
{
	uint8_t message[1024] = {type, code};
	size_t n = (v6 ? TUN_V6_HEADER : TUN_V4_HEADER) + quoted;
	memcpy(message + 8, packet, n);
	tun_say(v6, packet, from, message, 8 + n);
}

#endif
