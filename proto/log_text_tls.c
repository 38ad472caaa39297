/* SPDX-License-Identifier: MIT
 *
 * OpenVPN's texts about certificates, keys and handshakes: see log_text.c.
 */
#include "proto/log_text_parts.h"

/* ssl.c tls_process_state (tls_process before 2.6): "… within %d seconds (check your network …)" */
bool log_text_tls_timeout(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "TLS Error: TLS key negotiation failed to occur within "))
		return false;
	f->seconds = number_at(text);
	return true;
}

/* Those after which ssl.c gives up the handshake (tls_process_state, key_method_2_read,
 * key_method_2_write, read_incoming_tls_plaintext, read_incoming_tls_ciphertext). Other "TLS
 * Error:" lines are about one packet, perhaps a stranger's, and change nothing. */
bool log_text_tls_failed(struct slice text, struct log_fact *f)
{
	static const char *const ends[] = {
	    "TLS handshake failed",
	    "TLS object -> incoming plaintext read error",
	    "Incoming Ciphertext -> TLS object write error",
	    "Certificate verification failed",
	    "Auth Username/Password was not provided by peer",
	    "Key Method #2 write failed",
	};
	if (!take_prefix(&text, "TLS Error: "))
		return false;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (slice_starts(text, ends[i])) {
			f->text = text;
			return true;
		}
	}
	return false;
}

/* ssl_verify_openssl.c verify_callback: "VERIFY ERROR: depth=%d, error=%s: %s, serial=%s";
 * ssl_verify_mbedtls.c the same without "error="; ssl_verify.c verify_peer_cert: "VERIFY KU ERROR",
 * "VERIFY X509NAME ERROR: …" */
bool log_text_verify_error(struct slice text, struct log_fact *f)
{
	if (!slice_starts(text, "VERIFY "))
		return false;
	f->text = text;
	if (take_prefix(&f->text, "VERIFY ERROR: "))
		return true;
	f->text = slice_skip(text, 7);
	return contains(until(text, ":"), " ERROR");
}

/* ssl_verify.c verify_cert: "VERIFY OK: depth=%d, %s"; depth 0 is the other end itself. */
bool log_text_verify_ok(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "VERIFY OK: depth=0, "))
		return false;
	f->text = text;
	return true;
}

/* ssl.c tls_process: "TLS: soft reset sec=%d/%d bytes=…", the age of the key and reneg-sec; before
 * 2.5 one number, what was left of it. */
bool log_text_soft_reset(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "TLS: soft reset sec="))
		return false;
	text = until(text, " ");
	(void)slice_cut(&text, '/');
	f->seconds = number_at(text);
	return true;
}

/* ssl.c handle_data_channel_packet: "TLS Error: local/remote TLS keys are out of sync: %s …" */
bool log_text_out_of_sync(struct slice text, struct log_fact *f)
{
	(void)f;
	return slice_starts(text, "TLS Error: local/remote TLS keys are out of sync");
}

/* ssl_openssl.c, ssl_mbedtls.c tls_ctx_check_cert_time: "WARNING: Your certificate is not yet
 * valid!" and "… has expired!" */
bool log_text_own_certificate(struct slice text, struct log_fact *f)
{
	if (!take_prefix(&text, "WARNING: Your certificate "))
		return false;
	f->text = until(text, "!");
	return slice_is(f->text, "is not yet valid") || slice_is(f->text, "has expired");
}

/* crypto_openssl.c crypto_print_openssl_errors: "OpenSSL: %s" with OpenSSL's own text,
 * "error:0A000415: SSL routines::sslv3 alert certificate expired:SSL alert number 45" (3.x),
 * "error:14094415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired" (1.1). An alert
 * that was received has "alert" in its reason (ssl_err.c SSL_R_SSLV3_ALERT_…, SSL_R_TLSV1_ALERT_…,
 * SSL_R_TLSV13_ALERT_…). */
bool log_text_tls_alert(struct slice text, struct log_fact *f)
{
	static const char alert[] = " alert ";
	if (!take_prefix(&text, "OpenSSL: error:") || !contains(text, "SSL routines:"))
		return false;
	size_t at = slice_find(text, alert);
	if (at == SIZE_MAX)
		return false;
	f->text = until(slice_skip(text, at + sizeof alert - 1), ":");
	return f->text.n > 0;
}

/* ssl_pkt.c read_control_auth (ssl.c before 2.6), tls_crypt.c tls_crypt_unwrap: a control packet
 * that is not under our key, or not of our kind. */
bool log_text_wrong_key(struct slice text, struct log_fact *f)
{
	static const char *const words[] = {
	    "TLS Error: incoming packet authentication failed from ",
	    "TLS Error: cannot locate HMAC in incoming packet from ",
	    "TLS Error: tls-crypt unwrapping failed from ",
	    "tls-crypt unwrap error: packet authentication failed",
	};
	(void)f;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_starts(text, words[i]))
			return true;
	return false;
}

/* crypto.c openvpn_decrypt_aead, openvpn_decrypt_v1: a data packet that does not decrypt. With
 * tls-auth the text of a wrong HMAC is said of control packets, too: there LOG_WRONG_KEY follows.
 */
bool log_text_decrypt_error(struct slice text, struct log_fact *f)
{
	(void)f;
	if (!slice_starts(text, "AEAD Decrypt error: ") &&
	    !slice_starts(text, "Authenticate/Decrypt packet error: "))
		return false;
	return contains(text, "cipher final failed") || contains(text, "authentication failed");
}
