/* SPDX-License-Identifier: MIT
 *
 * OpenVPN crypto_openssl.c hmac_ctx_init, cipher_ctx_init; the keys are the first bytes of a static
 * key's halves (crypto.h struct key, crypto.c init_key_ctx).
 */
#include "proto/control_crypto.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

size_t control_mac_size(const char *digest)
{
	ERR_set_mark();
	EVP_MD *md = EVP_MD_fetch(NULL, digest, NULL);
	ERR_pop_to_mark();
	int size = md != NULL ? EVP_MD_get_size(md) : 0;
	EVP_MD_free(md);
	return size > 0 && size <= CONTROL_MAC_MAX ? (size_t)size : 0;
}

static bool mac(EVP_MAC_CTX *ctx, const char *digest, const uint8_t *key, size_t size,
		const struct control_part *parts, size_t n_parts, uint8_t out[CONTROL_MAC_MAX])
{
	/* OpenSSL does not write through the name: the parameter is of a type for both ways. */
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)digest, 0),
	    OSSL_PARAM_construct_end(),
	};
	size_t written = 0;
	if (EVP_MAC_init(ctx, key, size, params) != 1)
		return false;
	for (size_t i = 0; i < n_parts; i++)
		if (EVP_MAC_update(ctx, parts[i].p, parts[i].n) != 1)
			return false;
	return EVP_MAC_final(ctx, out, &written, CONTROL_MAC_MAX) == 1 && written == size;
}

bool control_mac(const char *digest, const uint8_t *key, size_t size,
		 const struct control_part *parts, size_t n_parts, uint8_t out[CONTROL_MAC_MAX])
{
	ERR_set_mark(); /* a digest that is not for HMAC is an answer, not an error to keep */
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	EVP_MAC_CTX *ctx = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
	bool fine = ctx != NULL && mac(ctx, digest, key, size, parts, n_parts, out);
	ERR_pop_to_mark();
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(hmac);
	return fine;
}

bool control_cipher(const uint8_t key[CONTROL_CIPHER_KEY], const uint8_t iv[CONTROL_CIPHER_IV],
		    const uint8_t *in, size_t n, uint8_t *out)
{
	int written = 0;
	if (n > INT_MAX)
		return false;
	ERR_set_mark();
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	/* A stream: it writes as much as it reads, and nothing is left for a final call. */
	bool fine = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, key, iv) == 1 &&
		    (n == 0 || EVP_EncryptUpdate(ctx, out, &written, in, (int)n) == 1) &&
		    (size_t)written == n;
	ERR_pop_to_mark();
	EVP_CIPHER_CTX_free(ctx);
	return fine;
}
