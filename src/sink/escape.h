/* SPDX-License-Identifier: MIT
 *
 * Text from outside made harmless: whatever is not printable ASCII is escaped, so that nothing a
 * server, a log or a peer says can reach a terminal as a control character or break a line.
 */
#ifndef OVPNWATCH_SINK_ESCAPE_H
#define OVPNWATCH_SINK_ESCAPE_H

#include <stddef.h>

/* Copies `text` with every byte outside 0x20…0x7e, and the backslash, written as \xNN (\\ for the
 * backslash). What does not fit is cut, never inside an escape. Terminated; returns the length. */
size_t escape_text(const char *text, char *out, size_t size);

/* The same for a JSON string, which shall still say what the text said: printable characters of
 * well-formed UTF-8 (RFC 3629) and the backslash stay. Bytes that are no UTF-8 become \xNN as text,
 * and so do the bytes of C0 and C1 controls, DEL, and the characters that change how their
 * neighbours are shown (bidirectional and other invisible format characters), because a reader
 * such as `jq -r` decodes the string and prints it. `budget` is how long the text may get inside
 * the quotes of an ASCII-only JSON string; a longer one is cut between characters and ends in
 * "...". So is one that does not fit into `out` (size >= 4). Terminated; returns the length. */
size_t escape_json(const char *text, size_t budget, char *out, size_t size);

#endif
