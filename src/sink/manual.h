/* SPDX-License-Identifier: MIT
 *
 * The manual of causes, ovpnwatch-causes(7), as text for a console. The texts live once: the page
 * itself is embedded in the program, and what it uses of mdoc is rendered here.
 *
 * Happy path: manual_section() finds a cause's subsection, manual_render() lays it out: labels,
 * paragraphs wrapped at the width, commands on lines of their own that are never wrapped. Known are
 * .Bl -tag, .It, .El, .Pp, .Dl, and in running text .Li, .Ql, .Pa, .Cm, .Fl, .Xr, .Nm and .Pq.
 * Failure modes: another macro (or one with more than 40 words) is taken for words and counted, so
 * that a test can tell that there are none; what finds no room is left out at the end.
 */
#ifndef OVPNWATCH_SINK_MANUAL_H
#define OVPNWATCH_SINK_MANUAL_H

#include "proto/slice.h"
#include "sink/text.h"

#define MANUAL_TEXT_MAX 16384

/* src/ovpnwatch-causes.7, byte for byte and terminated; made by the build. */
extern const char manual_causes[];

struct manual_text {
	size_t n;	/* bytes written, whole lines */
	unsigned odd;	/* macros that are not known */
	char first[16]; /* of them, the first */
	bool cut;	/* not all of it found room */
};

/* The lines between `.Ss NAME` and the next section or subsection. False: there is no such
 * subsection, and `out` is untouched. The slice is of `page`. */
bool manual_section(struct slice page, const char *name, struct slice *out);

/* Renders lines of mdoc, indented by one level. style->width: columns to wrap at, 0: do not wrap;
 * style->colour: labels are bold. Writes printable ASCII and newlines only (and the codes for
 * bold), not terminated. */
struct manual_text manual_render(struct slice mdoc, const struct text_style *style,
				 char out[MANUAL_TEXT_MAX]);

#endif
