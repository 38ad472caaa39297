/* SPDX-License-Identifier: MIT */
#include "io/echo_socket.h"
#include "io/resolve.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <uv.h>

/* After the C library's own, which these make room for. */
#include <linux/errqueue.h>
#include <linux/icmp.h>

/* So many packets at a time; what is left over makes the socket readable again. */
#define HEAR_MAX 16

#define PACKET_MAX 256 /* an answer is shorter; what is longer comes cut, and is none */

/* --- opening --------------------------------------------------------------------------------- */

/* A raw socket hears every ICMP message of the host; the kernel shall keep the rest to itself.
 * Should it not, echo_socket_hear() passes over it. */
static void hear_replies_only(int fd, bool v6)
{
	if (v6) {
		struct icmp6_filter f;
		ICMP6_FILTER_SETBLOCKALL(&f);
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
		(void)setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof f);
	} else {
		const struct icmp_filter f = {.data = ~(UINT32_C(1) << ICMP_ECHOREPLY)};
		(void)setsockopt(fd, SOL_RAW, ICMP_FILTER, &f, sizeof f);
	}
}

static bool out_of_something(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

/* Where the one kind of socket is not to be had, for whatever reason, the other may be. */
static int open_either(struct echo_socket *s)
{
	int family = s->v6 ? AF_INET6 : AF_INET, protocol = s->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
	s->raw = false;
	s->fd = socket(family, SOCK_DGRAM | flags, protocol);
	if (s->fd >= 0)
		return 0;
	if (out_of_something(errno))
		return uv_translate_sys_error(errno);
	s->raw = true;
	s->fd = socket(family, SOCK_RAW | flags, protocol);
	if (s->fd < 0)
		return errno == EACCES ? UV_EPERM : uv_translate_sys_error(errno);
	hear_replies_only(s->fd, s->v6);
	return 0;
}

/* ICMP has no ports, and a raw IPv6 socket takes one for a protocol (ipv6(7)). */
static void without_port(struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)a)->sin6_port = 0;
	else
		((struct sockaddr_in *)a)->sin_port = 0;
}

static int connect_it(const struct echo_socket *s)
{
	const int on = 1;
	int rc = setsockopt(s->fd, s->v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			    s->v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
	socklen_t size = s->v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	if (rc == 0)
		rc = connect(s->fd, (const struct sockaddr *)&s->to, size);
	return rc == 0 ? 0 : uv_translate_sys_error(errno);
}

int echo_socket_open(struct echo_socket *s, const struct sockaddr_storage *to)
{
	*s = (struct echo_socket){.fd = -1, .v6 = to->ss_family == AF_INET6, .to = *to};
	without_port(&s->to);
	if (getrandom(&s->asked, sizeof s->asked, GRND_NONBLOCK) != sizeof s->asked)
		return UV_EAGAIN;
	int rc = open_either(s);
	if (rc == 0)
		rc = connect_it(s);
	if (rc != 0)
		echo_socket_close(s);
	return rc;
}

int echo_socket_send(const struct echo_socket *s)
{
	uint8_t packet[ICMP_ECHO_SIZE];
	icmp_echo_request(s->v6, &s->asked, packet);
	ssize_t n = send(s->fd, packet, sizeof packet, MSG_NOSIGNAL);
	return n == sizeof packet ? 0 : n < 0 ? uv_translate_sys_error(errno) : UV_EIO;
}

void echo_socket_close(struct echo_socket *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* --- hearing --------------------------------------------------------------------------------- */

/* The identifier is not looked at: a datagram socket has put its own in its place. */
static bool is_answer(const struct echo_socket *s, const void *bytes, size_t size)
{
	struct icmp_echo e;
	enum icmp_form form = s->v6 ? ICMP_V6_MESSAGE : s->raw ? ICMP_V4_PACKET : ICMP_V4_MESSAGE;
	return icmp_echo_reply(form, bytes, size, &e) == VERDICT_DONE &&
	       e.sequence == s->asked.sequence &&
	       memcmp(e.token, s->asked.token, sizeof e.token) == 0;
}

static bool hear_answer(const struct echo_socket *s)
{
	for (int i = 0; i < HEAR_MAX; i++) {
		uint8_t packet[PACKET_MAX];
		ssize_t n = recv(s->fd, packet, sizeof packet, 0);
		if (n >= 0 && is_answer(s, packet, (size_t)n))
			return true;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return false;
		/* Else another one's, or an error that lay ready, which the error queue explains.
		 */
	}
	return false;
}

/* A raw socket is told of everybody's packets to this host. Many routers quote no more than the
 * identifier and the number, but these are random, and the kernel has looked at the address: it
 * asks no more of an error for a UDP socket. */
static bool quotes_us(const struct echo_socket *s, const void *bytes, size_t size)
{
	struct icmp_quotation q;
	return icmp_echo_quotation(s->v6, bytes, size, &q) == VERDICT_DONE &&
	       q.echo.sequence == s->asked.sequence && (!s->raw || q.echo.id == s->asked.id) &&
	       (!q.has_token || memcmp(q.echo.token, s->asked.token, sizeof q.echo.token) == 0);
}

/* An entry of the error queue as the kernel gives it. */
struct error_entry {
	struct sock_extended_err error;
	struct sockaddr_storage offender; /* who said so */
};

/* "Destination unreachable", or caught in a loop of routers (RFC 792, RFC 1812 section 5.2.7; RFC
 * 4443 sections 3.1 and 3.3). */
static bool is_no_way(const struct sock_extended_err *e)
{
	if (e->ee_origin == SO_EE_ORIGIN_ICMP)
		return (e->ee_type == ICMP_DEST_UNREACH && e->ee_code != ICMP_FRAG_NEEDED) ||
		       (e->ee_type == ICMP_TIME_EXCEEDED && e->ee_code == ICMP_EXC_TTL);
	return e->ee_origin == SO_EE_ORIGIN_ICMP6 &&
	       (e->ee_type == ICMP6_DST_UNREACH || e->ee_type == ICMP6_TIME_EXCEEDED);
}

/* Of these, what a host says that has received the packet and does not want it: prohibited, or no
 * such protocol or port. */
static bool is_refusal(const struct sock_extended_err *e)
{
	if (e->ee_origin == SO_EE_ORIGIN_ICMP)
		return e->ee_type == ICMP_DEST_UNREACH &&
		       (e->ee_code == ICMP_PROT_UNREACH || e->ee_code == ICMP_PORT_UNREACH ||
			e->ee_code == ICMP_NET_ANO || e->ee_code == ICMP_HOST_ANO ||
			e->ee_code == ICMP_PKT_FILTERED);
	return e->ee_type == ICMP6_DST_UNREACH &&
	       (e->ee_code == ICMP6_DST_UNREACH_ADMIN || e->ee_code == ICMP6_DST_UNREACH_NOPORT);
}

/* A host that lives may have a firewall that turns pings away (that of Red Hat's does so, with
 * icmp-host-prohibited): if the very host that was asked says so, it has answered. */
static enum echo_word word_of(const struct echo_socket *s, const struct error_entry *e)
{
	if (!is_no_way(&e->error))
		return ECHO_WORD_NONE;
	return is_refusal(&e->error) &&
		       resolve_same_host(&s->to, (const struct sockaddr *)&e->offender)
		   ? ECHO_WORD_ANSWER
		   : ECHO_WORD_NO_WAY;
}

/* False: there is none among the control messages. */
static bool find_entry(const struct echo_socket *s, struct msghdr *m, struct error_entry *out)
{
	int level = s->v6 ? IPPROTO_IPV6 : IPPROTO_IP, type = s->v6 ? IPV6_RECVERR : IP_RECVERR;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != level || c->cmsg_type != type ||
		    c->cmsg_len < CMSG_LEN(sizeof out->error))
			continue;
		size_t size = c->cmsg_len - CMSG_LEN(0);
		*out = (struct error_entry){.offender.ss_family = AF_UNSPEC};
		memcpy(out, CMSG_DATA(c), size < sizeof *out ? size : sizeof *out);
		return true;
	}
	return false;
}

/* Takes one entry of the error queue. False: there is none. */
static bool take_error(const struct echo_socket *s, enum echo_word *word, int *error)
{
	uint8_t quoted[PACKET_MAX];
	union {
		struct cmsghdr align;
		char room[512];
	} control;
	struct iovec part = {.iov_base = quoted, .iov_len = sizeof quoted};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof control};
	struct error_entry entry;
	ssize_t n = recvmsg(s->fd, &m, MSG_ERRQUEUE);
	if (n < 0)
		return errno == EINTR;
	if (find_entry(s, &m, &entry) && quotes_us(s, quoted, (size_t)n)) {
		*word = word_of(s, &entry);
		*error = uv_translate_sys_error((int)entry.error.ee_errno);
	}
	return true;
}

enum echo_word echo_socket_hear(const struct echo_socket *s, int *error)
{
	enum echo_word word = ECHO_WORD_NONE;
	if (hear_answer(s))
		return ECHO_WORD_ANSWER;
	for (int i = 0; i < HEAR_MAX && word == ECHO_WORD_NONE; i++)
		if (!take_error(s, &word, error))
			break;
	return word;
}
