/* SPDX-License-Identifier: MIT
 *
 * RFC 3339 stamps. UTC, milliseconds, 'Z'; milliseconds are cut, not rounded, so that an event is
 * never dated into the future.
 */
#ifndef OVPNWATCH_PROTO_TIMESTAMP_H
#define OVPNWATCH_PROTO_TIMESTAMP_H

#include "proto/nsec.h"

#define TIMESTAMP_SIZE 32

/* "2024-01-15T23:40:43.842Z", terminated. Years 1678 to 2262, which is all that nsec can say. */
void timestamp_format(nsec wall, char out[TIMESTAMP_SIZE]);

/* The duration or instant in whole milliseconds, towards minus infinity. */
int64_t nsec_to_ms(nsec t);

#endif
