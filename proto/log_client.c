/* SPDX-License-Identifier: MIT */
#include "proto/log_client.h"

/* mroute.c mroute_addr_print_ex: "1.2.3.4:1194", or an IPv6 address without port and brackets; 2.7
 * puts the protocol in front, "udp4:1.2.3.4:1194". */
static bool is_address(struct slice s)
{
	size_t colons = 0;
	size_t dots = 0;
	if (slice_starts(s, "udp") || slice_starts(s, "tcp"))
		(void)slice_cut(&s, ':');
	for (size_t i = 0; i < s.n; i++) {
		if (memchr("0123456789abcdef:.", s.p[i], 18) == NULL)
			return false;
		colons += s.p[i] == ':';
		dots += s.p[i] == '.';
	}
	return colons >= 2 || (colons == 1 && dots == 3);
}

static size_t peer_id_length(struct slice text)
{
	static const char peer_id[] = " peer-id=";
	if (!slice_starts(text, peer_id))
		return 0;
	size_t n = sizeof peer_id - 1;
	while (n < text.n && text.p[n] != ' ')
		n++;
	return n < text.n ? n : 0;
}

/* A server's prefix (multi.c multi_instance_string): "cn/1.2.3.4:1194 ", before the name is known
 * "1.2.3.4:1194 ", and under much debugging " peer-id=0" behind. A name may hold spaces, so the
 * first few words are tried. */
size_t log_client_prefix(struct slice text)
{
	size_t name_end = 0;
	int words = 0;
	for (size_t i = 0; i < text.n && i < 256 && words < 6; i++) {
		if (text.p[i] == '/')
			name_end = i + 1;
		if (text.p[i] != ' ')
			continue;
		if (is_address((struct slice){.p = text.p + name_end, .n = i - name_end}))
			return i + peer_id_length(slice_skip(text, i));
		words++;
	}
	return 0;
}

void log_client_split(struct slice client, struct slice *name, struct slice *address)
{
	static const char peer_id[] = " peer-id=";
	size_t at = client.n;
	while (at > 0 && client.p[at - 1] != '/')
		at--;
	*name = (struct slice){.p = client.p, .n = at > 0 ? at - 1 : 0};
	*address = slice_skip(client, at);
	at = slice_find(*address, peer_id);
	if (at != SIZE_MAX)
		address->n = at;
}
