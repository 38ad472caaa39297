/* SPDX-License-Identifier: MIT
 *
 * Which key file is which is said by its BEGIN line (OpenVPN crypto.c static_key_head, tls_crypt.c
 * tls_crypt_v2_cli_pem_name, tls_crypt_v2_srv_pem_name).
 */
#include "proto/control_key.h"

static bool has(struct slice text, const char *begin)
{
	return slice_find(text, begin) != SIZE_MAX;
}

/* Whose it is, if it is not what was wanted. */
static enum control_key_flaw judge(struct slice text, enum control_wrap wanted)
{
	if (has(text, "-----BEGIN OpenVPN tls-crypt-v2 server key-----"))
		return CONTROL_KEY_V2_SERVERS;
	if (wanted != WRAP_TLS_CRYPT_V2 &&
	    has(text, "-----BEGIN OpenVPN tls-crypt-v2 client key-----"))
		return CONTROL_KEY_V2;
	if (wanted == WRAP_TLS_CRYPT_V2 && has(text, "-----BEGIN OpenVPN Static key V1-----"))
		return CONTROL_KEY_STATIC;
	return CONTROL_KEY_BROKEN;
}

enum control_key_flaw control_key_parse(struct slice text, struct control_key *out)
{
	enum verdict v = VERDICT_INVALID;
	switch (out->wrap) {
	case WRAP_TLS_AUTH:
	case WRAP_TLS_CRYPT:
		v = static_key_parse(text, &out->key);
		break;
	case WRAP_TLS_CRYPT_V2:
		v = wrapped_key_parse(text, &out->key, &out->wrapped);
		break;
	case WRAP_PLAIN:
		return CONTROL_KEY_BROKEN;
	}
	return v == VERDICT_DONE ? CONTROL_KEY_FINE : judge(text, out->wrap);
}

const char *control_wrap_name(enum control_wrap wrap)
{
	switch (wrap) {
	case WRAP_TLS_AUTH:
		return "tls-auth";
	case WRAP_TLS_CRYPT:
		return "tls-crypt";
	case WRAP_TLS_CRYPT_V2:
		return "tls-crypt-v2";
	case WRAP_PLAIN:
		break;
	}
	return "";
}

const char *control_key_flaw_text(enum control_key_flaw flaw, enum control_wrap wanted)
{
	switch (flaw) {
	case CONTROL_KEY_BROKEN:
		if (wanted == WRAP_TLS_CRYPT_V2)
			return "is not a whole \"OpenVPN tls-crypt-v2 client key\"; give the one "
			       "made for this client";
		return "is not an \"OpenVPN Static key V1\" of 2048 bits; give the key file that "
		       "the server uses";
	case CONTROL_KEY_STATIC:
		return "is a tls-auth or tls-crypt key; a tls-crypt-v2 client key is wanted";
	case CONTROL_KEY_V2:
		return "is a tls-crypt-v2 client key; it belongs to the option tls-crypt-v2";
	case CONTROL_KEY_V2_SERVERS:
		if (wanted == WRAP_TLS_CRYPT_V2)
			return "is a tls-crypt-v2 server key; the client's is wanted";
		return "is a tls-crypt-v2 server key; an \"OpenVPN Static key V1\" is wanted";
	case CONTROL_KEY_FINE:
		break;
	}
	return "";
}
