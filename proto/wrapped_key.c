/* SPDX-License-Identifier: MIT
 *
 * The PEM block as `openvpn --genkey` writes it (OpenVPN crypto_openssl.c crypto_pem_decode, which
 * has OpenSSL read the first block of the text and looks at its name then).
 */
#include "proto/wrapped_key.h"

#include "proto/wire.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define HEAD "-----BEGIN OpenVPN tls-crypt-v2 client key-----"
#define FOOT "-----END OpenVPN tls-crypt-v2 client key-----"

enum {
	DATA_MAX = STATIC_KEY_SIZE + WRAPPED_KEY_MAX,
	BASE64_MAX = (DATA_MAX + 2) / 3 * 4,
};

/* Both hold the secret on its way. */
struct decoder {
	uint8_t base64[BASE64_MAX];
	size_t n;
	uint8_t data[BASE64_MAX / 4 * 3];
};

/* Takes the lines between BEGIN and END, without their ends. */
static bool take_lines(struct decoder *d, struct slice text)
{
	struct slice line;
	do {
		if (text.p == NULL)
			return false;
		line = slice_trim(slice_cut(&text, '\n'));
	} while (!slice_starts(line, "-----BEGIN "));
	if (!slice_is(line, HEAD))
		return false;
	while (text.p != NULL) {
		line = slice_trim(slice_cut(&text, '\n'));
		if (slice_is(line, FOOT))
			return true;
		if (line.n > sizeof d->base64 - d->n)
			return false;
		if (line.n > 0)
			memcpy(d->base64 + d->n, line.p, line.n);
		d->n += line.n;
	}
	return false; /* no END line: the file was cut short */
}

/* The length of the data, or 0: it is no base64. */
static size_t decode(struct decoder *d)
{
	if (d->n == 0 || d->n % 4 != 0)
		return 0;
	size_t padding = d->base64[d->n - 1] != '=' ? 0 : d->base64[d->n - 2] != '=' ? 1 : 2;
	/* libcrypto takes '=' anywhere for a digit, and passes over some others at the end. */
	if (memchr(d->base64, '=', d->n - padding) != NULL ||
	    EVP_DecodeBlock(d->data, d->base64, (int)d->n) != (int)(d->n / 4 * 3))
		return 0;
	return d->n / 4 * 3 - padding;
}

static bool length_is_its_own(struct wire wkc)
{
	if (wkc.left < WRAPPED_KEY_MIN || wkc.left > WRAPPED_KEY_MAX)
		return false;
	struct wire length = wire_over(wkc.p + wkc.left - 2, 2);
	return wire_u16(&length) == wkc.left;
}

static bool take_keys(struct wire data, struct static_key *key, struct wrapped_key *wrapped)
{
	const uint8_t *kc = wire_take(&data, STATIC_KEY_SIZE);
	if (kc == NULL || !length_is_its_own(data))
		return false;
	memcpy(key->bytes, kc, STATIC_KEY_SIZE);
	*wrapped = (struct wrapped_key){.size = data.left};
	memcpy(wrapped->bytes, data.p, data.left);
	return true;
}

enum verdict wrapped_key_parse(struct slice text, struct static_key *key,
			       struct wrapped_key *wrapped)
{
	struct decoder d = {.n = 0};
	bool fine = take_lines(&d, text) && take_keys(wire_over(d.data, decode(&d)), key, wrapped);
	OPENSSL_cleanse(&d, sizeof d);
	return fine ? VERDICT_DONE : VERDICT_INVALID;
}
