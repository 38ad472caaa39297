/* SPDX-License-Identifier: MIT */
#include "proto/echo_time.h"

#include "proto/civil_time.h"

enum { FRACTION_DIGITS = 9 };

static void take_spaces(struct cursor *c)
{
	while (cursor_take(c, ' '))
		;
}

/* ".123": at least one digit; those after the ninth are passed over. Where there is none, the
 * number is whole seconds. *unit is that of the last digit. */
static bool take_fraction(struct cursor *c, nsec *value, nsec *unit)
{
	int64_t digits = 0, beyond = 0;
	*value = 0;
	*unit = NSEC_PER_SEC;
	if (!cursor_take(c, '.'))
		return true;
	const char *start = c->p;
	if (!cursor_take_digits(c, 1, FRACTION_DIGITS, &digits))
		return false;
	for (const char *p = start; p < c->p; p++)
		*unit /= 10;
	*value = digits * *unit;
	while (cursor_take_digits(c, 1, 1, &beyond))
		;
	return true;
}

enum verdict echo_server_time(struct slice text, nsec *lo, nsec *hi)
{
	struct cursor c = cursor_over(text);
	int64_t seconds = 0;
	nsec fraction = 0, unit = 0;
	take_spaces(&c);
	if (!cursor_take_text(&c, "srvtime ") || !cursor_take_digits(&c, 1, 10, &seconds) ||
	    seconds > CIVIL_SECONDS_MAX || !take_fraction(&c, &fraction, &unit))
		return VERDICT_INVALID;
	take_spaces(&c);
	if (!cursor_at_end(&c))
		return VERDICT_INVALID;
	*lo = seconds * NSEC_PER_SEC + fraction;
	*hi = *lo + unit;
	return VERDICT_DONE;
}
