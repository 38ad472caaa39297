/* SPDX-License-Identifier: MIT
 *
 * Resets and their answers under every wrap (OpenVPN ssl_pkt.c tls_wrap_control, read_control_auth,
 * swap_hmac; tls_crypt.c tls_crypt_wrap, tls_crypt_unwrap; reliable.c reliable_ack_read for the
 * list of acknowledgements).
 */
#include "proto/control_channel.h"

#include "proto/control_crypto.h"
#include "proto/wire.h"

#include <openssl/crypto.h>

enum {
	HARD_RESET_CLIENT_V2 = 7 << 3, /* opcode and key id 0, which every first packet has */
	HARD_RESET_SERVER_V2 = 8 << 3,
	HARD_RESET_CLIENT_V3 = 10 << 3, /* the one that WKc follows */
	FIRST_PACKET_ID = 1,		/* of the replay protection, which counts from 1 */
	/* Counting from here says that the client knows early negotiation; from a client that does
	 * not, a server of 2.6 takes a tls-crypt-v2 reset for a session to keep (ssl_pkt.h
	 * EARLY_NEG_START, mudp.c do_pre_decrypt_check). */
	EARLY_NEGOTIATION = 0x0f000000,
	FIRST_MESSAGE = 0, /* of the reliability layer, which counts from 0 */
	ACKS_MAX = 8,	   /* RELIABLE_ACK_SIZE */
	HEAD_SIZE = 1 + CONTROL_SESSION_SIZE,
	STAMP_SIZE = 4 + 4,	 /* packet id and net_time */
	RESET_BODY_SIZE = 1 + 4, /* no acknowledgements, and the message's number */
};

_Static_assert(HEAD_SIZE + CONTROL_MAC_MAX + STAMP_SIZE + RESET_BODY_SIZE + WRAPPED_KEY_MAX <=
		   CONTROL_PACKET_MAX,
	       "a reset fits under every wrap");

/* Where the parts of a packet stand behind its head. */
struct layout {
	const char *digest;
	size_t mac, mac_size; /* 0: the channel is not wrapped */
	size_t stamp;
	size_t body;
};

static bool is_crypt(const struct control_key *k)
{
	return k->wrap == WRAP_TLS_CRYPT || k->wrap == WRAP_TLS_CRYPT_V2;
}

/* False: the wrap's digest is not known here. */
static bool layout_of(const struct control_key *k, struct layout *l)
{
	switch (k->wrap) {
	case WRAP_PLAIN:
		*l = (struct layout){.body = HEAD_SIZE};
		return true;
	case WRAP_TLS_AUTH:
		if (memchr(k->digest, '\0', sizeof k->digest) == NULL)
			return false;
		*l = (struct layout){.digest = k->digest, .mac = HEAD_SIZE};
		l->mac_size = control_mac_size(k->digest);
		l->stamp = l->mac + l->mac_size;
		l->body = l->stamp + STAMP_SIZE;
		return l->mac_size > 0;
	case WRAP_TLS_CRYPT:
	case WRAP_TLS_CRYPT_V2:
		*l = (struct layout){.digest = "SHA256", .mac_size = 32, .stamp = HEAD_SIZE};
		l->mac = l->stamp + STAMP_SIZE;
		l->body = l->mac + l->mac_size;
		return true;
	}
	return false;
}

/* A client of tls-crypt sends with the second key of the file (tls_crypt.c tls_crypt_init_key). */
static enum key_direction direction_of(const struct control_key *k)
{
	return is_crypt(k) ? KEY_INVERSE : k->direction;
}

/* The MAC of a packet whose body, in the clear, is elsewhere. */
static bool packet_mac(const struct control_key *k, const struct layout *l, bool send,
		       const uint8_t *packet, const struct control_part body,
		       uint8_t out[CONTROL_MAC_MAX])
{
	const struct control_part head = {packet, HEAD_SIZE};
	const struct control_part stamp = {packet + l->stamp, STAMP_SIZE};
	const struct control_part auth[] = {stamp, head, body}, crypt[] = {head, stamp, body};
	const uint8_t *key = static_key_hmac(&k->key, direction_of(k), send);
	return control_mac(l->digest, key, l->mac_size, is_crypt(k) ? crypt : auth, 3, out);
}

/* What stands for the body under this wrap; n bytes from `in` to `out`, both ways. */
static bool translate(const struct control_key *k, bool send, const uint8_t *mac, const uint8_t *in,
		      size_t n, uint8_t *out)
{
	if (is_crypt(k))
		return control_cipher(static_key_cipher(&k->key, direction_of(k), send), mac, in, n,
				      out);
	if (n > 0)
		memcpy(out, in, n);
	return true;
}

size_t control_reset(const struct control_key *k, const uint8_t session[CONTROL_SESSION_SIZE],
		     uint32_t time, uint8_t out[CONTROL_PACKET_MAX])
{
	const bool v2 = k->wrap == WRAP_TLS_CRYPT_V2;
	const size_t wkc = v2 ? k->wrapped.size : 0;
	struct layout l;
	if (!layout_of(k, &l) || (v2 && (wkc < WRAPPED_KEY_MIN || wkc > WRAPPED_KEY_MAX)))
		return 0;

	uint8_t body[RESET_BODY_SIZE], mac[CONTROL_MAC_MAX] = {0};
	wire_put(body, 0, 1); /* nothing to acknowledge yet */
	wire_put(body + 1, FIRST_MESSAGE, 4);
	*out = v2 ? HARD_RESET_CLIENT_V3 : HARD_RESET_CLIENT_V2;
	memcpy(out + 1, session, CONTROL_SESSION_SIZE);
	if (l.mac_size > 0) {
		const struct control_part clear = {body, sizeof body};
		wire_put(out + l.stamp, (v2 ? EARLY_NEGOTIATION : 0) + FIRST_PACKET_ID, 4);
		wire_put(out + l.stamp + 4, time, 4);
		if (!packet_mac(k, &l, true, out, clear, mac))
			return 0;
		memcpy(out + l.mac, mac, l.mac_size);
	}
	if (!translate(k, true, mac, body, sizeof body, out + l.body))
		return 0;
	memcpy(out + l.body + sizeof body, k->wrapped.bytes, wkc);
	return l.body + sizeof body + wkc;
}

const uint8_t *control_session(const void *bytes, size_t size)
{
	return size >= 1 + CONTROL_SESSION_SIZE ? (const uint8_t *)bytes + 1 : NULL;
}

/* The list of acknowledgements, the session that they are for, the packet's own number. What a
 * later version adds behind it is ignored, and so is a server's wish to see WKc again. */
static enum control_flaw check_body(struct wire *w, const uint8_t session[CONTROL_SESSION_SIZE])
{
	bool acknowledged = false;
	unsigned acks = wire_u8(w);
	if (acks > ACKS_MAX)
		return CONTROL_NOT_A_RESET;
	for (unsigned i = 0; i < acks; i++)
		acknowledged |= wire_u32(w) == FIRST_MESSAGE;
	const uint8_t *whose = acks > 0 ? wire_take(w, CONTROL_SESSION_SIZE) : NULL;
	(void)wire_take(w, 4);
	if (w->overrun)
		return CONTROL_NOT_A_RESET;
	if (!acknowledged || memcmp(whose, session, CONTROL_SESSION_SIZE) != 0)
		return CONTROL_NOT_OURS;
	return CONTROL_FINE;
}

/* Verifies a packet whose body is `clear`, which may be the work of a forger up to here. */
static bool mac_is_right(const struct control_key *k, const struct layout *l, const uint8_t *packet,
			 const struct control_part clear)
{
	uint8_t expected[CONTROL_MAC_MAX];
	return l->mac_size == 0 || (packet_mac(k, l, false, packet, clear, expected) &&
				    CRYPTO_memcmp(packet + l->mac, expected, l->mac_size) == 0);
}

enum control_flaw control_reset_reply(const struct control_key *k,
				      const uint8_t session[CONTROL_SESSION_SIZE],
				      const void *bytes, size_t size, struct control_reply *out)
{
	const uint8_t *packet = bytes;
	uint8_t clear[CONTROL_PACKET_MAX];
	struct layout l;
	if (size < HEAD_SIZE || size > CONTROL_PACKET_MAX || packet[0] != HARD_RESET_SERVER_V2)
		return CONTROL_NOT_A_RESET;
	if (!layout_of(k, &l))
		return CONTROL_BAD_MAC;
	if (size < l.body)
		return CONTROL_NOT_A_RESET;

	const struct control_part body = {clear, size - l.body};
	if (!translate(k, false, packet + l.mac, packet + l.body, body.n, clear) ||
	    !mac_is_right(k, &l, packet, body))
		return CONTROL_BAD_MAC;
	struct wire w = wire_over(clear, body.n), time = wire_over(packet + l.stamp + 4, 4);
	enum control_flaw flaw = check_body(&w, session);
	if (flaw == CONTROL_FINE)
		*out = (struct control_reply){.has_time = l.mac_size > 0,
					      .time = l.mac_size > 0 ? wire_u32(&time) : 0};
	return flaw;
}
