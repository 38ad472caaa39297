/* SPDX-License-Identifier: MIT
 *
 * The two times in a token of `auth-gen-token`, which a server (2.5 and later) pushes to a client
 * that gave a user name and password, and a new one after each renegotiation. The management
 * interface of the client then says ">PASSWORD:Auth-Token:" and the token, if the push reached it:
 * after a renegotiation some do not, and others a second or two late (OpenVPN auth_token.c
 * generate_auth_token, manage.c management_auth_token). Written is "SESS_ID_AT_" and, in base64
 * without padding:
 *
 *     12 bytes   session id
 *      8         when the session began     seconds since 1970 by OpenVPN's time at the server,
 *      8         when this token was made   both in network order
 *     32         HMAC-SHA256
 *
 * The token is a credential: who has it can log in. Nothing here keeps or copies it, what was
 * decoded on the way is wiped, and a caller hands out the times only. They are not verified: only
 * the server can do that, but the token came from it through the tunnel's own TLS session.
 */
#ifndef OVPNWATCH_PROTO_AUTH_TOKEN_H
#define OVPNWATCH_PROTO_AUTH_TOKEN_H

#include "proto/slice.h"
#include "proto/verdict.h"

#include <stdint.h>

/* Whole seconds that have begun: the clock read at least this, and less than one more. `renewed` is
 * when the server made the token; when it comes to light at the client may be much later. */
struct auth_token_times {
	int64_t initial;
	int64_t renewed; /* before `initial` only if the server's clock was set back between them */
};

/* `token` is the token and nothing else. VERDICT_INVALID: another kind of token (a script may push
 * any text), another length, a character that is not base64, a time before 1970 or after 2261; *out
 * is then untouched. Never VERDICT_MORE. */
MUST_USE enum verdict auth_token_times(struct slice token, struct auth_token_times *out);

#endif
