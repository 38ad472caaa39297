/* SPDX-License-Identifier: MIT
 *
 * Nothing that was looked at explains the restart. Said plainly, with what would tell more next
 * time.
 */
#include "core/diagnose.h"
#include "core/phrases.h"

bool cause_unknown(const struct evidence *e, struct cause *c)
{
	c->confidence = CONFIDENCE_POSSIBLE;
	if (e->episode->reason_text[0] != '\0')
		cause_because(
		    c,
		    "OpenVPN gives the reason `%.64s`, and nothing that was measured explains it",
		    e->episode->reason_text);
	else
		cause_because(c,
			      "OpenVPN gives no reason, and nothing that was measured explains it");
	if (e->tunnel->config.profile == NULL)
		cause_remedy(c,
			     "Give the client's configuration with `--profile %s`, so that the "
			     "server can be probed "
			     "when it happens again.",
			     evidence_profile(e));
	else
		cause_remedy(c, "Set `verb 4` in the client's configuration and look at its log "
				"around this time.");
	return true;
}
