/* SPDX-License-Identifier: MIT
 *
 * How events are written; FORMAT_AUTO is text on a terminal and JSON elsewhere.
 */
#ifndef OVPNWATCH_SINK_FORMAT_H
#define OVPNWATCH_SINK_FORMAT_H

enum output_format { FORMAT_AUTO, FORMAT_JSON, FORMAT_TEXT };

#endif
