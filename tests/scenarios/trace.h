/* SPDX-License-Identifier: MIT
 *
 * What ovpnwatch would have said, one readable line an event, and as JSON beside it for the schema.
 */
#ifndef OVPNWATCH_TESTS_SCENARIOS_TRACE_H
#define OVPNWATCH_TESTS_SCENARIOS_TRACE_H

#include "core/notice.h"

#include <stdio.h>

struct trace {
	FILE *text, *json; /* json may be NULL */
	uint64_t seq;
};

void trace_notice(struct trace *t, const struct notice *n);

#endif
