/* SPDX-License-Identifier: MIT */
#include "core/farewell.h"
#include "core/tunnel.h"

#include <stdio.h>

/* manage.h */
#define MF_SIGNAL	     8
#define MF_FORGET_DISCONNECT 16
#define MF_CONNECT_AS_CLIENT 32

unsigned farewell_options(int64_t flags)
{
	unsigned options = 0;
	if (flags & MF_SIGNAL)
		options |= FAREWELL_OPTION(OPTION_MANAGEMENT_SIGNAL);
	if (flags & MF_FORGET_DISCONNECT)
		options |= FAREWELL_OPTION(OPTION_MANAGEMENT_FORGET_DISCONNECT);
	if (flags & MF_CONNECT_AS_CLIENT)
		options |= FAREWELL_OPTION(OPTION_MANAGEMENT_CLIENT);
	return options;
}

bool farewell_say(const struct tunnel *t, char *out, size_t size)
{
	unsigned o = t->management_options;
	bool ends = (o & FAREWELL_OPTION(OPTION_MANAGEMENT_CLIENT)) != 0;
	bool restarts = !ends && (o & FAREWELL_OPTION(OPTION_MANAGEMENT_SIGNAL)) != 0;
	bool forgets = !ends && (o & FAREWELL_OPTION(OPTION_MANAGEMENT_FORGET_DISCONNECT)) != 0;
	out[0] = '\0';
	if (o == 0 || t->session.state != SESSION_UP)
		return false;
	snprintf(out, size, "OpenVPN has %s%s%s%s: it %s%s%s when ovpnwatch leaves",
		 ends ? "management-client" : "", restarts ? "management-signal" : "",
		 restarts && forgets ? " and " : "", forgets ? "management-forget-disconnect" : "",
		 ends ? "ends" : "", restarts ? "restarts its tunnel" : "",
		 restarts && forgets ? " and forgets its passwords"
		 : forgets	     ? "forgets its passwords"
				     : "");
	return true;
}
