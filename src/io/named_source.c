/* SPDX-License-Identifier: MIT */
#include "io/named_source.h"
#include "sink/escape.h"

#include <stddef.h>
#include <stdio.h>

void named_source_note(struct named_source *s, bool answered, const char *reason)
{
	if (s->done || s->name == NULL)
		return;
	s->done = answered || ++s->missed >= NAMED_SOURCE_MISSES;
	if (answered || !s->done)
		return;
	char name[1024];
	(void)escape_text(s->name, name, sizeof name);
	fprintf(stderr,
		"ovpnwatch: %s %s: %s, %u times by now; it is asked again and again, in silence\n",
		s->option, name, reason != NULL ? reason : "no answer", s->missed);
}
