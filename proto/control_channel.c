/* SPDX-License-Identifier: MIT
 *
 * tls-auth and plain resets (OpenVPN ssl_pkt.c tls_wrap_control, read_control_auth, swap_hmac;
 * reliable.c reliable_ack_read for the list of acknowledgements).
 */
#include "proto/control_channel.h"

#include "proto/wire.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

enum {
	HARD_RESET_CLIENT_V2 = 7 << 3, /* opcode and key id 0, which every first packet has */
	HARD_RESET_SERVER_V2 = 8 << 3,
	FIRST_PACKET_ID = 1, /* of the replay protection, which counts from 1 */
	FIRST_MESSAGE = 0,   /* of the reliability layer, which counts from 0 */
	ACKS_MAX = 8,	     /* RELIABLE_ACK_SIZE */
	HEAD_SIZE = 1 + CONTROL_SESSION_SIZE,
	STAMP_SIZE = 4 + 4, /* packet id and net_time */
	MAC_MAX = 64,	    /* MAX_HMAC_KEY_LENGTH: as much as one HMAC key has */
};

bool control_wrap_supported(enum control_wrap wrap)
{
	return wrap == WRAP_PLAIN || wrap == WRAP_TLS_AUTH;
}

/* The HMAC over the parts of a packet, in the order in which OpenVPN takes them: the packet id and
 * net_time first, then what stands around the MAC. */
struct signed_parts {
	const uint8_t *stamp; /* STAMP_SIZE */
	const uint8_t *head;  /* HEAD_SIZE */
	struct wire body;
};

static bool mac_update(EVP_MAC_CTX *ctx, const uint8_t *key, size_t size, const char *digest,
		       const struct signed_parts *s, uint8_t out[MAC_MAX])
{
	/* OpenSSL does not write through the name: the parameter is of a type for both ways. */
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)digest, 0),
	    OSSL_PARAM_construct_end(),
	};
	size_t written = 0;
	return EVP_MAC_init(ctx, key, size, params) == 1 &&
	       EVP_MAC_update(ctx, s->stamp, STAMP_SIZE) == 1 &&
	       EVP_MAC_update(ctx, s->head, HEAD_SIZE) == 1 &&
	       EVP_MAC_update(ctx, s->body.p, s->body.left) == 1 &&
	       EVP_MAC_final(ctx, out, &written, MAC_MAX) == 1 && written == size;
}

static bool mac(const struct control_key *k, bool send, size_t size, const struct signed_parts *s,
		uint8_t out[MAC_MAX])
{
	const uint8_t *key = static_key_hmac(&k->key, k->direction, send);
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	EVP_MAC_CTX *ctx = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
	ERR_set_mark(); /* a digest that is not for HMAC is an answer, not an error to keep */
	bool fine = ctx != NULL && mac_update(ctx, key, size, k->digest, s, out);
	ERR_pop_to_mark();
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(hmac);
	return fine;
}

/* The length of the MAC, or 0: libcrypto does not know the digest, or OpenVPN would not take it. */
static size_t mac_size(const struct control_key *k)
{
	if (memchr(k->digest, '\0', sizeof k->digest) == NULL)
		return 0;
	ERR_set_mark();
	EVP_MD *md = EVP_MD_fetch(NULL, k->digest, NULL);
	ERR_pop_to_mark();
	int size = md != NULL ? EVP_MD_get_size(md) : 0;
	EVP_MD_free(md);
	return size > 0 && size <= MAC_MAX ? (size_t)size : 0;
}

bool control_digest_known(const char *digest)
{
	struct control_key k = {.wrap = WRAP_TLS_AUTH};
	if (strlen(digest) >= sizeof k.digest)
		return false;
	memcpy(k.digest, digest, strlen(digest) + 1);
	return mac_size(&k) > 0;
}

size_t control_reset(const struct control_key *k, const uint8_t session[CONTROL_SESSION_SIZE],
		     uint32_t time, uint8_t out[CONTROL_PACKET_MAX])
{
	if (!control_wrap_supported(k->wrap))
		return 0;
	size_t digest = k->wrap == WRAP_TLS_AUTH ? mac_size(k) : 0;
	if (k->wrap == WRAP_TLS_AUTH && digest == 0)
		return 0;

	uint8_t *at = out;
	*at = HARD_RESET_CLIENT_V2;
	memcpy(at + 1, session, CONTROL_SESSION_SIZE);
	at += HEAD_SIZE;
	uint8_t *signature = at, *stamp = at + digest;
	if (k->wrap == WRAP_TLS_AUTH) {
		wire_put(stamp, FIRST_PACKET_ID, 4);
		wire_put(stamp + 4, time, 4);
		at = stamp + STAMP_SIZE;
	}
	const uint8_t *body = at;
	wire_put(at, 0, 1); /* nothing to acknowledge yet */
	wire_put(at + 1, FIRST_MESSAGE, 4);
	at += 5;

	if (k->wrap == WRAP_TLS_AUTH) {
		const struct signed_parts parts = {stamp, out,
						   wire_over(body, (size_t)(at - body))};
		uint8_t tag[MAC_MAX];
		if (!mac(k, true, digest, &parts, tag))
			return 0;
		memcpy(signature, tag, digest);
	}
	return (size_t)(at - out);
}

/* What follows the head and the wrap: the list of acknowledgements, the session that they are for,
 * the packet's own number. What a later version adds behind it is ignored. */
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

/* Takes the MAC and the stamp off the front of `w` and verifies the packet. */
static enum control_flaw check_mac(const struct control_key *k, const uint8_t *head, struct wire *w,
				   uint32_t *time)
{
	uint8_t expected[MAC_MAX];
	size_t digest = mac_size(k);
	if (digest == 0)
		return CONTROL_BAD_MAC;
	const uint8_t *signature = wire_take(w, digest);
	const uint8_t *stamp = wire_take(w, STAMP_SIZE);
	if (w->overrun)
		return CONTROL_NOT_A_RESET;
	const struct signed_parts parts = {stamp, head, *w};
	if (!mac(k, false, digest, &parts, expected) ||
	    CRYPTO_memcmp(signature, expected, digest) != 0)
		return CONTROL_BAD_MAC;
	struct wire times = wire_over(stamp + 4, 4);
	*time = wire_u32(&times);
	return CONTROL_FINE;
}

enum control_flaw control_reset_reply(const struct control_key *k,
				      const uint8_t session[CONTROL_SESSION_SIZE],
				      const void *bytes, size_t size, struct control_reply *out)
{
	struct wire w = wire_over(bytes, size);
	const uint8_t *head = wire_take(&w, HEAD_SIZE);
	if (head == NULL || head[0] != HARD_RESET_SERVER_V2 || !control_wrap_supported(k->wrap))
		return CONTROL_NOT_A_RESET;

	struct control_reply reply = {.has_time = k->wrap == WRAP_TLS_AUTH};
	enum control_flaw flaw = CONTROL_FINE;
	if (reply.has_time)
		flaw = check_mac(k, head, &w, &reply.time);
	if (flaw == CONTROL_FINE)
		flaw = check_body(&w, session);
	if (flaw == CONTROL_FINE)
		*out = reply;
	return flaw;
}
