/* SPDX-License-Identifier: MIT
 *
 * Nothing that was looked at explains the restart. Said plainly, with what would tell more next
 * time.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

bool cause_unknown(const struct evidence *e, struct cause *c)
{
	if (e->reason_text[0] != '\0')
		cause_because(
		    c,
		    "OpenVPN gives the reason `%.64s`, and nothing that was measured explains it",
		    e->reason_text);
	else
		cause_because(c,
			      "OpenVPN gives no reason, and nothing that was measured explains it");
	if (e->replay)
		cause_remedy(
		    c,
		    "Watch the next one live: `ovpnwatch watch --management ADDR --profile "
		    "%.128s`.",
		    e->profile);
	else if (!e->has_profile)
		cause_remedy(c,
			     "Give the client's configuration with `--profile %.128s`, so that the "
			     "server can be probed when it happens again.",
			     e->profile);
	else
		cause_remedy(c, "Set `verb 4` in the client's configuration and look at its log "
				"around this time.");
	return true;
}
